"""The access keys of one account: the credential report first, then only the users who have keys.

Two or three calls for the report, and one for each user with keys. Where the report does not tell
two keys apart, one more for each of them; where it is not given, the long way round.

IAM gives a report again for four hours. What one of some time ago cannot know is asked: which users
there are now, whether those without keys have got one, and whether root has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keyaudit.sources.aws.iam.lists import Key, Use, root_has_keys, users
from keyaudit.sources.aws.iam.matching import uses_from
from keyaudit.sources.aws.iam.report import Report, User, fetch_report
from keyaudit.sources.aws.iam.rows import SOURCE, Owner, access_key_row, root_row
from keyaudit.sources.aws.iam.settings import AwsIamSettings
from keyaudit.sources.aws.iam.users import Questions
from keyaudit.sources.aws.places import Place
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import FATAL, RefusedError
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.times import MINUTE, format_instant

FRESH = 5 * MINUTE
"""How old a report may be and still count as written for this pull; clocks differ by less."""
MOST_ASKED = 1_000
"""Users without keys in an old report who are asked about; any more only with `every_user`."""
BATCH = 100


class AccessKeyScope(ScopePull):
    """Lists who has access keys in one account, root included."""

    source = SOURCE

    def __init__(
        self,
        place: Place,
        settings: AwsIamSettings,
        meter: Meter,
        *,
        cannot_know: tuple[str, ...],
        now: int,
    ) -> None:
        """Nothing is asked before `run`; `now` tells a report of today from one of some hours ago."""
        super().__init__(place.account, meter, cannot_know=cannot_know, group=place.account)
        self._place = place
        self._settings = settings
        self._now = now
        self._fresh = True

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        client = self._place.client("iam", self.meter)
        holders = self._holders(client)
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-users") as workers:
            questions = Questions(client, workers, self.answers)
            try:
                for start in range(0, len(holders), BATCH):
                    self._take(holders[start : start + BATCH], questions)
                    self.moved()
            finally:
                self.miss(*questions.reasons())

    def _holders(self, client: Any) -> list[User]:
        """Give the users to ask about, with what the report says of them."""
        try:
            report = fetch_report(client, self.meter.rest)
        except RefusedError as error:
            if error.refusal.kind in FATAL:
                raise
            self._fresh = False
            self.miss(f"whether root has access keys: no credential report, {error.refusal.reason}")
            return self._every_user(client)
        self.page(unreadable=report.unreadable)
        self._fresh = report.generated >= self._now - FRESH
        self._take_root(client, report)
        return self._asked(report.users) if self._fresh else self._as_of_now(client, report)

    def _asked(self, known: Sequence[User]) -> list[User]:
        return [user for user in known if self._settings.every_user or _may_have_keys(user)]

    def _take_root(self, client: Any, report: Report) -> None:
        if report.root is None or report.root.slots is None:
            self.miss("whether root has access keys: the credential report does not say")
        elif row := root_row(self.scope, report.root):
            self.add(row)
        elif not self._fresh:
            self._look_for_root(client, format_instant(report.generated))

    def _look_for_root(self, client: Any, written: str) -> None:
        """Ask whether root, without keys in an old report, has got one: which is not told."""
        try:
            if root_has_keys(client):
                self.miss(f"the access keys of root, which had none in the credential report of {written}")
        except RefusedError as error:
            self.miss(f"access keys of root since the credential report of {written}: {error.refusal.reason}")

    def _as_of_now(self, client: Any, report: Report) -> list[User]:
        """Put the users of now beside a report that IAM had kept; give those to ask for their keys."""
        written = format_instant(report.generated)
        self.remark(f"the credential report is from {written}: uses since then are not in it")
        try:
            known = {(user.arn, user.created): user for user in report.users}
            current = [known.get((user.arn, user.created), user) for user in self._every_user(client)]
        except RefusedError as error:
            self.miss(f"users created since the credential report of {written}: {error.refusal.reason}")
            current = report.users
        asked = self._asked(current)
        without = len(current) - len(asked)
        if without > MOST_ASKED:
            self.miss(
                f"first keys since then of {without:,} users, for more than {MOST_ASKED:,} are asked about "
                "only with `every_user: true`"
            )
            return asked
        if without:
            self.remark(f"{without:,} users without keys then were asked about, a call each")
        return current

    def _every_user(self, client: Any) -> list[User]:
        found = []
        for page in users(client):
            found += page.entries
            self.page(unreadable=page.unreadable)
        return found

    def _take(self, holders: Sequence[User], questions: Questions) -> None:
        listed = list(zip(holders, questions.keys(holders), strict=True))
        held = [(user, keys) for user, keys in listed if keys or keys is None]
        uses = self._uses([(user, keys or []) for user, keys in held], questions.uses)
        tags = questions.tags([user for user, _ in held]) if self._settings.tags else [None] * len(held)
        for (user, keys), used, tagged in zip(held, uses, tags, strict=True):
            if keys is None and user.slots is None:
                continue  # nothing says that this user has a key at all
            self.add(access_key_row(self.scope, Owner(user, tagged), keys, used))

    def _uses(
        self, held: Sequence[tuple[User, list[Key]]], ask: Callable[[Sequence[Key]], list[Use | None]]
    ) -> list[list[Use | None]]:
        """Give the last use of every key, from the report where it tells the keys apart."""
        told = [uses_from(user.slots or (), keys, fresh=self._fresh) for user, keys in held]
        unclear = [key for (_, keys), uses in zip(held, told, strict=True) if uses is None for key in keys]
        answers = iter(ask(unclear))
        return [
            [next(answers) for _ in keys] if uses is None else [*uses]
            for (_, keys), uses in zip(held, told, strict=True)
        ]


def _may_have_keys(user: User) -> bool:
    return user.slots is None or bool(user.slots)
