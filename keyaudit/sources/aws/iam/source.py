"""AWS IAM: every account that was named, once, for it is the same in every region.

The two lists of an account share its quota. Which key of which user exists costs two or three calls an
account and one for each user with keys; see `access_keys` and `service_specific`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keyaudit.columns import REQUIRED, ROTATION, USE
from keyaudit.inventory.rows import Credential
from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.iam.access_keys import AccessKeyScope
from keyaudit.sources.aws.iam.rows import SOURCE
from keyaudit.sources.aws.iam.service_specific import ServiceSpecificScope, scope_of
from keyaudit.sources.aws.iam.settings import AwsIamSettings
from keyaudit.sources.aws.places import AccountSource, Place
from keyaudit.sources.labels import tagged
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.scope import ScopePull

FROM_TAGS = ("environment", "labels", "lineage", "owner", "tier")
COLUMNS = frozenset({*REQUIRED, "class", "provider", "created_at", "last_changed_at", "expires_at", *USE})
VERSION_COLUMNS = frozenset(
    f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at", "authenticates")
) | {"versions"}


class AwsIam(AccountSource[AwsIamSettings]):
    """The source that `kind: aws-iam` configures."""

    kind = SOURCE
    Settings = AwsIamSettings

    def scopes_of(self, account: str, session: Session) -> list[ScopePull]:
        """See `AccountSource.scopes_of`."""
        # botocore knows where each partition's IAM answers, whatever region of it is named.
        place = Place(account, session.home_region(), session)
        settings, pace, now = self.settings, self.pace(), self.clock()
        scopes: list[ScopePull] = []
        if "access-keys" in settings.lists:
            cannot_know = self._cannot_know()
            scopes.append(AccessKeyScope(place, settings, Meter(pace), cannot_know=cannot_know, now=now))
        if "service-specific" in settings.lists:
            cannot_know = self._cannot_know(*USE)
            scopes.append(ServiceSpecificScope(place, settings, Meter(pace), cannot_know=cannot_know))
        return scopes

    def scopes_lost(self, account: str) -> Iterable[tuple[str, tuple[str, ...]]]:
        """See `AccountSource.scopes_lost`."""
        both = {
            "access-keys": (account, self._cannot_know()),
            "service-specific": (scope_of(account), self._cannot_know(*USE)),
        }
        return [both[part] for part in self.settings.lists]

    def _cannot_know(self, *more: str) -> tuple[str, ...]:
        """Name the columns that IAM cannot fill: it rotates nothing, and forgets when a key was disabled."""
        untold = () if self.settings.tags else FROM_TAGS
        return tuple(sorted((*ROTATION, "last_rotated_at", "versions.retired_at", *untold, *more)))

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
        """See `PullingSource.columns`."""
        columns = COLUMNS | VERSION_COLUMNS
        return columns | set(FROM_TAGS) | tagged(rows) if self.settings.tags else columns
