"""AWS Secrets Manager: every account that was named, every region, one client for each pair.

A pull costs one call for 100 secrets and, at depth `versions`, one more for each secret that
changed since the last pull.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keyaudit.columns import CREDENTIALS
from keyaudit.inventory.rows import Credential
from keyaudit.sources.aws.places import AwsSource, Place
from keyaudit.sources.aws.secrets_manager.copies import share_use
from keyaudit.sources.aws.secrets_manager.rows import SOURCE
from keyaudit.sources.aws.secrets_manager.scope import SecretScope, cannot_know
from keyaudit.sources.aws.secrets_manager.settings import AwsSecretsManagerSettings
from keyaudit.sources.aws.secrets_manager.version_cache import VersionCache
from keyaudit.sources.labels import TAGGED, tagged
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.outcome import ScopeOutcome

COLUMNS = frozenset(CREDENTIALS) - TAGGED - {"expires_at", "compromised_at"}
VERSION_COLUMNS = frozenset(
    f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at", "last_used_at", "stages")
) | {"versions"}


class AwsSecretsManager(AwsSource[AwsSecretsManagerSettings]):
    """The source that `kind: aws-secrets-manager` configures."""

    kind = SOURCE
    Settings = AwsSecretsManagerSettings
    service = "secretsmanager"

    def cannot_know(self) -> tuple[str, ...]:
        """See `AwsSource.cannot_know`."""
        return cannot_know(self.settings)

    def scope_at(self, place: Place, *, declared: bool) -> SecretScope:
        """See `AwsSource.scope_at`."""
        cache = VersionCache(self._cache_file(place), now=self.clock(), version_use=self.settings.version_use)
        return SecretScope(place, self.settings, Meter(self.pace()), cache, declared=declared)

    def finish(self, outcomes: Sequence[ScopeOutcome]) -> list[Credential]:
        """See `PullingSource.finish`: a primary's last use is that of all its copies."""
        replicated = {arn for outcome in outcomes for arn in outcome.replicated}
        return share_use(super().finish(outcomes), replicated)

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
        """See `PullingSource.columns`."""
        columns = COLUMNS | tagged(rows)
        if self.settings.depth == "list":
            return columns
        return columns | (
            VERSION_COLUMNS if self.settings.version_use else VERSION_COLUMNS - {"versions.last_used_at"}
        )

    def _cache_file(self, place: Place) -> Path | None:
        if self.cache_dir is None or self.settings.depth == "list":
            return None
        return self.cache_dir / SOURCE / place.account / f"{place.region}.json"
