"""What the engine answered, before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from keyaudit.report.ledger import Answers
    from keyaudit.report.questions import Place
    from keyaudit.verdicts import Judged


@dataclass(frozen=True)
class Outcome:
    """What the engine answered: one row of counts, the rows that did not pass, and where things are.

    `schedules` counts credentials by the name of the policy's schedule, `scopes` holds every
    source and scope that a credential came from; `population` computes every credential's row
    when a format asks for it, and `orphans` the providers' keys in use, those marked whose lineage
    a store has. `ledger` is what it answered of a period, None where none was audited.
    """

    counts: Mapping[str, Any]
    suspects: pl.DataFrame
    schedules: Mapping[str | None, int]
    scopes: frozenset[tuple[str, str]]
    population: Callable[[], pl.DataFrame]
    orphans: Callable[[], pl.DataFrame]
    judged: tuple[Judged, ...]
    laid: tuple[Place, ...]
    ledger: Answers | None = None

    def has_findings(self, rule: Judged) -> bool:
        """Say whether a rule failed, or could not decide, anywhere."""
        return any(self.counts.get(f"{rule.rule.id}:{word}") for word in ("fail", "unknown"))
