"""What a sheet of the workbook is: its heading, its rows, and how wide its columns are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keyaudit import times

Cell = str | int | None
Row = Sequence[Cell]

MOST_ROWS = 100_000
"""On one sheet, below its heading. What lies beyond is counted at its end; the JSON report has it all."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. A `long` one grows with the inventory, and ends after so many rows."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Row]
    long: bool = False


WIDTHS = {
    "what": 28, "value": 110, "summary": 60, "title": 50, "reason": 60, "message": 60, "says": 80,
    "credential_id": 60, "credential_name": 40, "id": 24, "name": 32, "scope": 32, "fix": 60, "evidence": 60,
    "fingerprint": 34, "identity": 34, "item": 48, "match": 48, "manual_evidence": 60, "source": 24,
    "why": 60, "tier": 8, "severity": 10, "verdict": 10, "due_at": 22, "result": 16, "clause": 36,
    "gaps": 40, "timing": 28, "version": 24, "management_response": 40, "stratum": 28, "key": 34,
    "attributes_tested": 28, "workpaper_reference": 20, "population_sha256": 34,
    "auditors_conclusion": 40, "performed_by": 20, "reviewed_by": 20,
}  # fmt: skip
"""Of columns, in characters, by heading."""

USUAL_WIDTH = 16


def days(value: int | None) -> int | None:
    """Count whole days, rounded down."""
    return None if value is None else value // times.DAY
