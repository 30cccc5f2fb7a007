"""One account and region of Parameter Store: list it, and ask for tags where they are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keyaudit.sources.aws.places import Place
from keyaudit.sources.aws.ssm.lists import Parameter, parameters, tags_of
from keyaudit.sources.aws.ssm.policies import read_policies
from keyaudit.sources.aws.ssm.rows import SOURCE, parameter_row
from keyaudit.sources.aws.ssm.settings import AwsSsmSettings
from keyaudit.sources.pulling.each import Each
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.scope import ScopePull

NEVER_KNOWN = (
    "last_rotated_at",
    "last_used_at",
    "never_used",
    "versions.authenticates",
    "versions.last_used_at",
    "versions.retired_at",
    "versions.stages",
)
FROM_TAGS = ("class", "environment", "labels", "lineage", "owner", "provider", "tier")

Tags = Mapping[str, str]


def cannot_know(settings: AwsSsmSettings) -> tuple[str, ...]:
    """Name the columns that Parameter Store cannot fill, or was told not to be asked about.

    Use shows in CloudTrail only; the labels of versions come with their values, so they stay unread.
    """
    return tuple(sorted((*NEVER_KNOWN, *(() if settings.tags else FROM_TAGS))))


class ParameterScope(ScopePull):
    """Lists the SecureString parameters of one place."""

    source = SOURCE

    def __init__(self, place: Place, settings: AwsSsmSettings, meter: Meter, *, declared: bool) -> None:
        """Nothing is asked before `run`."""
        super().__init__(
            place.scope, meter, cannot_know=cannot_know(settings), group=place.account, declared=declared
        )
        self._place = place
        self._settings = settings
        self._unreadable_policies = 0

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        client = self._place.client("ssm", self.meter, raw=True)
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-tags") as workers:
            lists: Each[Parameter, Tags] = Each(
                lambda parameter: self._tags(client, parameter), workers, "lists of tags", gone={}
            )
            try:
                for page in parameters(client):
                    unreadable = page.unreadable + self._take(page.entries, lists)
                    self.page(unreadable=unreadable)
            finally:
                self.settle(lists)
                if self._unreadable_policies:
                    self.miss(f"{self._unreadable_policies:,} policies of parameters could not be read")

    def _take(self, listed: Sequence[Parameter], lists: Each[Parameter, Tags]) -> int:
        """Take a page's entries; gives how many could not be read."""
        tags = lists.fetch(listed) if self._settings.tags else [None] * len(listed)
        unreadable = 0
        for parameter, known in zip(listed, tags, strict=True):
            policies = read_policies(parameter.policies)
            try:
                row = parameter_row(self.scope, parameter, policies, known)
            except ValueError:
                unreadable += 1
                continue
            if self.add(row):
                self._unreadable_policies += policies.unreadable
        return unreadable

    def _tags(self, client: Any, parameter: Parameter) -> Tags:
        return self.answers.once(parameter.arn, dict[str, str], lambda: tags_of(client, parameter.name))
