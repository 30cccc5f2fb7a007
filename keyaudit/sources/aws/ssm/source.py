"""AWS SSM Parameter Store: every account that was named, every region, one client for each pair.

A pull costs one call for 50 parameters, of whatever type, and with `tags` one more for each
SecureString.
"""

from __future__ import annotations

from collections.abc import Sequence

from keyaudit.columns import REQUIRED, ROTATION
from keyaudit.inventory.rows import Credential
from keyaudit.sources.aws.places import AwsSource, Place
from keyaudit.sources.aws.ssm.rows import SOURCE
from keyaudit.sources.aws.ssm.scope import FROM_TAGS, ParameterScope, cannot_know
from keyaudit.sources.aws.ssm.settings import AwsSsmSettings
from keyaudit.sources.labels import tagged
from keyaudit.sources.pulling.meter import Meter

COLUMNS = frozenset({*REQUIRED, "created_at", "last_changed_at", "expires_at", *ROTATION})
VERSION_COLUMNS = frozenset(f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at")) | {
    "versions"
}


class AwsSsm(AwsSource[AwsSsmSettings]):
    """The source that `kind: aws-ssm` configures."""

    kind = SOURCE
    Settings = AwsSsmSettings
    service = "ssm"

    def cannot_know(self) -> tuple[str, ...]:
        """See `AwsSource.cannot_know`."""
        return cannot_know(self.settings)

    def scope_at(self, place: Place, *, declared: bool) -> ParameterScope:
        """See `AwsSource.scope_at`."""
        return ParameterScope(place, self.settings, Meter(self.pace()), declared=declared)

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
        """See `PullingSource.columns`."""
        columns = COLUMNS | VERSION_COLUMNS
        return columns | set(FROM_TAGS) | tagged(rows) if self.settings.tags else columns
