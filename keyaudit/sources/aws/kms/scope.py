"""One account and region of KMS: list the keys, then ask about each that a customer manages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from keyaudit.sources.aws.kms.lists import Key, Listed, aliases, keys
from keyaudit.sources.aws.kms.questions import Questions
from keyaudit.sources.aws.kms.rows import CUSTOMER, SOURCE, Told, key_row, members
from keyaudit.sources.aws.kms.settings import AwsKmsSettings
from keyaudit.sources.aws.places import Place
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import FATAL, RefusedError
from keyaudit.sources.pulling.scope import ScopePull

BATCH = 100
_PREFIX = "alias/"
_OF_AWS = "alias/aws/"
"""Reserved: a key with such a name is one that AWS manages."""

FROM_TAGS = ("environment", "labels", "lineage", "owner", "tier")
USE = ("last_used_at", "never_used")


def cannot_know(settings: AwsKmsSettings) -> tuple[str, ...]:
    """Name the columns that KMS cannot fill, or was told not to be asked about."""
    unknown = ["last_changed_at", "versions.last_used_at", "versions.retired_at"]
    unknown += [] if settings.tags else FROM_TAGS
    unknown += [] if settings.last_use else USE
    return tuple(sorted(unknown))


class KeyScope(ScopePull):
    """Lists the keys of one place."""

    source = SOURCE

    def __init__(self, place: Place, settings: AwsKmsSettings, meter: Meter, *, declared: bool) -> None:
        """Nothing is asked before `run`."""
        super().__init__(
            place.scope, meter, cannot_know=cannot_know(settings), group=place.account, declared=declared
        )
        self._place = place
        self._settings = settings
        self._undated = 0

    def collect(self) -> None:
        """See `ScopePull.collect`: aliases come first, for they tell which keys are AWS's own."""
        client = self._place.client("kms", self.meter, raw=True)
        listing = keys(client)
        first = next(listing)
        names = self._names(client)
        with ThreadPoolExecutor(self._settings.calls_per_scope, "keyaudit-keys") as workers:
            questions = Questions(client, workers, self.answers, self._settings)
            try:
                for page in chain([first], listing):
                    unreadable = page.unreadable + self._take(page.entries, names, questions)
                    self.page(unreadable=unreadable)
            finally:
                self.miss(*questions.reasons())
        if self._undated:
            self.remark(
                f"{self._undated:,} multi-region keys were never rotated: of one whose first key was deleted "
                "in another region, the age is that of the oldest that is left"
            )

    def _names(self, client: Any) -> Mapping[str, Sequence[str]]:
        """Give the aliases of each key, in order; without them keys go by their ids."""
        found: dict[str, list[str]] = {}
        try:
            for page in aliases(client):
                for alias in page.entries:
                    if alias.key is not None:
                        found.setdefault(alias.key, []).append(alias.name)
                if page.unreadable:
                    self.miss(f"{page.unreadable:,} aliases could not be read")
        except RefusedError as error:
            if error.refusal.kind in FATAL:
                raise
            self.miss(f"the names of keys: {error.refusal.reason}")
        return {key: sorted(names) for key, names in found.items()}

    def _take(
        self, listed: Sequence[Listed], names: Mapping[str, Sequence[str]], questions: Questions
    ) -> int:
        """Take a page's entries; gives how many could not be read."""
        unreadable = 0
        own = [
            each for each in listed if not any(name.startswith(_OF_AWS) for name in names.get(each.id, ()))
        ]
        for start in range(0, len(own), BATCH):
            found = questions.describe(own[start : start + BATCH])
            customers = [key for key in found if key.manager == CUSTOMER]
            for key, told in zip(customers, questions.about(customers), strict=True):
                unreadable += not self._add(key, told, names)
            self.moved()
        return unreadable

    def _add(self, key: Key, told: Told, names: Mapping[str, Sequence[str]]) -> bool:
        """Take a key; False if it could not be read."""
        name = next(iter(names.get(key.id, ())), key.id).removeprefix(_PREFIX)
        try:
            row = key_row(key, self.scope, name, told)
        except ValueError:
            return False
        if self.add(row):
            self.replicated.update(members(key))
            never_rotated = row.versions is not None and len(row.versions) == 1
            self._undated += bool(key.multi_region) and row.replica_of is None and never_rotated
        return True
