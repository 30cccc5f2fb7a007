"""The service-specific credentials of one account: Bedrock API keys, CodeCommit and others.

One call for a thousand of all users; if there are any, one more for a thousand users, whose names they
carry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keyaudit.sources.aws.iam.lists import ServiceKey, service_keys, users
from keyaudit.sources.aws.iam.report import User
from keyaudit.sources.aws.iam.rows import SOURCE, Owner, service_key_row
from keyaudit.sources.aws.iam.settings import AwsIamSettings
from keyaudit.sources.aws.iam.users import Questions
from keyaudit.sources.aws.places import Place
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.pulling.scope import ScopePull


def scope_of(account: str) -> str:
    """Name the scope: it stands apart from the access keys because nothing tells of its use."""
    return f"{account}/service-specific"


class ServiceSpecificScope(ScopePull):
    """Lists who holds credentials of single services in one account."""

    source = SOURCE

    def __init__(
        self, place: Place, settings: AwsIamSettings, meter: Meter, *, cannot_know: tuple[str, ...]
    ) -> None:
        """Nothing is asked before `run`. Few accounts have any, so none is no gap where there are keys."""
        super().__init__(
            scope_of(place.account),
            meter,
            cannot_know=cannot_know,
            group=place.account,
            declared=settings.lists == ("service-specific",),
        )
        self._place = place
        self._settings = settings
        self._twice = 0

    def collect(self) -> None:
        """See `ScopePull.collect`: a list that breaks off still gives what it had."""
        client = self._place.client("iam", self.meter)
        held: dict[str, ServiceKey] = {}
        try:
            for page in service_keys(client):
                self._twice += sum(each.key.id in held for each in page.entries)
                held.update((each.key.id, each) for each in page.entries)
                self.page(unreadable=page.unreadable)
        finally:
            if self._twice:
                self.miss(f"{self._twice:,} entries were listed twice, so others may have been left out")
            if held:
                self._add_all(client, held.values())

    def _add_all(self, client: Any, held: Iterable[ServiceKey]) -> None:
        by_user: dict[str, dict[str, list[ServiceKey]]] = {}
        for each in held:
            by_user.setdefault(each.user, {}).setdefault(each.service, []).append(each)
        holders = self._users(client, by_user)
        for owner in self._owners(client, holders):
            for keys in by_user[owner.user.name].values():
                self.add(service_key_row(self.scope, owner, keys))

    def _users(self, client: Any, wanted: Collection[str]) -> list[User]:
        """Find the users by name: a credential does not carry the ARN of the one who holds it."""
        found: dict[str, User] = {}
        why = "not among the users"
        try:
            for page in users(client):
                found.update((user.name, user) for user in page.entries if user.name in wanted)
                self.page(unreadable=page.unreadable)
        except RefusedError as error:
            why = f"the users could not be listed, {error.refusal.reason}"
        if lost := len(set(wanted) - set(found)):
            self.miss(f"{lost:,} of {len(wanted):,} holders of service-specific credentials: {why}")
        return list(found.values())

    def _owners(self, client: Any, holders: Sequence[User]) -> list[Owner]:
        if not self._settings.tags:
            return [Owner(user) for user in holders]
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-users") as workers:
            questions = Questions(client, workers, self.answers)
            try:
                return [
                    Owner(user, tags) for user, tags in zip(holders, questions.tags(holders), strict=True)
                ]
            finally:
                self.miss(*questions.reasons())
