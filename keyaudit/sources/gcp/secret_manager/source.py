"""Google Secret Manager: every project that was named, and every location with regional secrets.

Asked directly, a pull costs a call for 2,500 secrets, and one more for each secret's versions;
by way of Cloud Asset Inventory, a call for 1,000 secrets or versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

from keyaudit.columns import CREDENTIALS
from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources.gcp.assets import PER_SECOND
from keyaudit.sources.gcp.caller import Caller, sign_in
from keyaudit.sources.gcp.refusals import NotEnabledError
from keyaudit.sources.gcp.secret_manager.by_project import by_project
from keyaudit.sources.gcp.secret_manager.rows import CANNOT_KNOW, SOURCE
from keyaudit.sources.gcp.secret_manager.scope import SecretScope
from keyaudit.sources.gcp.secret_manager.settings import GcpSecretManagerSettings
from keyaudit.sources.gcp.secret_manager.snapshot import SnapshotScope
from keyaudit.sources.labels import TAGGED, tagged
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.outcome import ScopeOutcome
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.source import Plan, PullingSource

COLUMNS = frozenset(CREDENTIALS) - TAGGED - {"compromised_at"} - frozenset(CANNOT_KNOW)
VERSION_COLUMNS = frozenset(
    f"versions.{name}" for name in ("id", "state", "created_at", "superseded_at", "retired_at", "stages")
) | {"versions"}


class GcpSecretManager(PullingSource[GcpSecretManagerSettings]):
    """The source that `kind: gcp-secret-manager` configures."""

    kind = SOURCE
    Settings = GcpSecretManagerSettings

    def plan(self, pool: Executor) -> Plan:
        """See `PullingSource.plan`; asks each project for its locations, unless they are declared."""
        caller = sign_in(self.settings)
        self.identified_by(caller.identity)
        if self.settings.bulk:
            return Plan(self._snapshots(caller))
        shared = self.pace() if caller.charged_to is not None else None
        found = pool.map(
            lambda project: self._in_project(project, caller, shared or self.pace()), self.settings.projects
        )
        return Plan([scope for scopes in found for scope in scopes])

    def _snapshots(self, caller: Caller) -> list[ScopePull]:
        chosen = "requests_per_second" in self.settings.model_fields_set
        pace = self.pace(None if chosen else PER_SECOND)
        parents = [f"projects/{project}" for project in self.settings.projects]
        if self.settings.parent is not None:
            parents.append(self.settings.parent)
        return [SnapshotScope(parent, caller, self.settings, Meter(pace)) for parent in parents]

    def _in_project(self, project: str, caller: Caller, pace: Pace) -> list[ScopePull]:
        """Give the scopes of a project: its global secrets, then each location; all share its quota."""
        wanted = self.settings.locations
        whole = SecretScope(project, caller, self.settings, pace, declared=wanted == ())
        if wanted == ():
            whole.remark("regional secrets were not asked for")
        elif wanted is None:
            wanted = _locations(whole)
        regional = [
            SecretScope(
                project,
                caller,
                self.settings,
                pace,
                location=location,
                declared=self.settings.locations is not None,
            )
            for location in wanted
        ]
        return [whole, *regional]

    def coverage(self, outcomes: Sequence[ScopeOutcome]) -> list[Coverage]:
        """See `PullingSource.coverage`."""
        if self.settings.bulk:
            return [part for outcome in outcomes for part in by_project(outcome)]
        found = super().coverage(outcomes)
        return found if self.settings.locations is not None else [_unasked_for(each) for each in found]

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
        """See `PullingSource.columns`."""
        columns = COLUMNS | tagged(rows)
        return columns if self.settings.depth == "list" else columns | VERSION_COLUMNS


def _locations(whole: SecretScope) -> tuple[str, ...]:
    """Find a project's locations; without them, its regional secrets are what was not seen."""
    try:
        return tuple(whole.regional())
    except NotEnabledError:
        return ()  # the project's own scope will say so
    except RefusedError as error:
        whole.miss(f"regional secrets were not looked for: the locations are {error.refusal.reason}")
        return ()


def _unasked_for(coverage: Coverage) -> Coverage:
    """Call an empty location that only we thought of complete: the project's own scope speaks for it."""
    if coverage.status is ScopeStatus.EMPTY and "/locations/" in coverage.scope:
        return replace(coverage, status=ScopeStatus.COMPLETE)
    return coverage
