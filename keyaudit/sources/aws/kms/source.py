"""AWS KMS: every account that was named, every region, one client for each pair.

A pull costs one call for 1,000 keys and one for 100 aliases; then, for each key that a customer
manages, its description, its tags, and its rotation setting and its rotations where it has any.
"""

from __future__ import annotations

from collections.abc import Sequence

from keyaudit.columns import REQUIRED, ROTATION
from keyaudit.inventory.rows import Credential
from keyaudit.sources.aws.kms.families import join
from keyaudit.sources.aws.kms.rows import SOURCE
from keyaudit.sources.aws.kms.scope import FROM_TAGS, USE, KeyScope, cannot_know
from keyaudit.sources.aws.kms.settings import AwsKmsSettings
from keyaudit.sources.aws.places import AwsSource, Place
from keyaudit.sources.labels import tagged
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.outcome import ScopeOutcome

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
