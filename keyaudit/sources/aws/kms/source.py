"""AWS KMS: every account that was named, every region, one client for each pair.

A pull costs one call for 1,000 keys and one for 100 aliases; then, for each key that a customer
manages, its description, its tags, and its rotation setting and its rotations where it has any.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from keyaudit.columns import REQUIRED, ROTATION
from keyaudit.errors import SourceError
from keyaudit.inventory.rows import Credential
from keyaudit.sources.aws.botocore import knows
from keyaudit.sources.aws.kms.families import join
from keyaudit.sources.aws.kms.rows import SOURCE
from keyaudit.sources.aws.kms.scope import FROM_TAGS, USE, KeyScope, cannot_know
from keyaudit.sources.aws.kms.settings import AwsKmsSettings
from keyaudit.sources.aws.places import AwsSource, Place
from keyaudit.sources.labels import tagged
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.outcome import ScopeOutcome
from keyaudit.sources.pulling.source import Plan

LAST_USE_SINCE = "1.42.97"
"""The first boto3 whose botocore has GetKeyLastUsage; nothing else here is newer than 1.42."""
COLUMNS = frozenset(
    {*REQUIRED, "class", "provider", "created_at", "expires_at", "last_rotated_at", "replica_of", *ROTATION}
)
VERSION_COLUMNS = frozenset(
    f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at", "authenticates")
) | {"versions"}


class AwsKms(AwsSource[AwsKmsSettings]):
    """The source that `kind: aws-kms` configures."""

    kind = SOURCE
    Settings = AwsKmsSettings
    service = "kms"

    def plan(self, pool: Executor) -> Plan:
        """See `PullingSource.plan`; a botocore too old for `last_use` is a SourceError as well."""
        if self.settings.last_use and not knows("kms", "GetKeyLastUsage"):
            raise SourceError(
                f"source {self.name}: `last_use: true` needs a newer botocore, one that has GetKeyLastUsage",
                hint=f"pip install 'boto3>={LAST_USE_SINCE}', or leave `last_use` out",
            )
        return super().plan(pool)

    def cannot_know(self) -> tuple[str, ...]:
        """See `AwsSource.cannot_know`."""
        return cannot_know(self.settings)

    def scope_at(self, place: Place, *, declared: bool) -> KeyScope:
        """See `AwsSource.scope_at`."""
        return KeyScope(place, self.settings, Meter(self.pace()), declared=declared)

    def finish(self, outcomes: Sequence[ScopeOutcome]) -> list[Credential]:
        """See `PullingSource.finish`: the keys of a multi-region key are seen together."""
        expected = {arn for outcome in outcomes for arn in outcome.replicated}
        return join(super().finish(outcomes), expected)

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
        """See `PullingSource.columns`."""
        columns = COLUMNS | VERSION_COLUMNS
        columns |= (set(FROM_TAGS) | tagged(rows)) if self.settings.tags else set()
        return columns | set(USE) if self.settings.last_use else columns
