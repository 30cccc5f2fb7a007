"""Google service accounts: every project that was named.

A pull costs one call for 100 accounts, one for each account, and one for when keys were used.
"""

from __future__ import annotations

from collections.abc import Sequence

from keyaudit.columns import REQUIRED, USE
from keyaudit.inventory.rows import Credential
from keyaudit.sources.gcp.caller import Caller
from keyaudit.sources.gcp.iam.rows import SOURCE
from keyaudit.sources.gcp.iam.scope import KeysScope
from keyaudit.sources.gcp.iam.settings import GcpIamSettings
from keyaudit.sources.gcp.projects import GcpSource
from keyaudit.sources.pulling.pace import Pace

COLUMNS = frozenset((*REQUIRED, "class", "provider", "expires_at", "versions")) | {
    f"versions.{name}"
    for name in ("id", "state", "created_at", "superseded_at", "retired_at", "authenticates")
}


class GcpIam(GcpSource[GcpIamSettings]):
    """The source that `kind: gcp-iam` configures."""

    kind = SOURCE
    Settings = GcpIamSettings

    def scope_at(self, project: str, caller: Caller, pace: Pace) -> KeysScope:
        """See `GcpSource.scope_at`."""
        return KeysScope(project, caller, self.settings, pace, now=self.clock())

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:  # noqa: ARG002 - no labels fill any
        """See `PullingSource.columns`."""
        return COLUMNS | set(USE) if self.settings.last_use else COLUMNS
