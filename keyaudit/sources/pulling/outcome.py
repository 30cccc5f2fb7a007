"""What one scope gave."""

from __future__ import annotations

from dataclasses import dataclass, field

from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage


@dataclass(frozen=True)
class ScopeOutcome:
    """Rows and coverage; `replicated` holds the ids of primaries that have copies in other scopes."""

    coverage: Coverage
    rows: list[Credential] = field(default_factory=list)
    replicated: frozenset[str] = frozenset()
