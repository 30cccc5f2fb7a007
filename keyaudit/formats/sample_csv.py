"""The sample as CSV: what was drawn, in the order in which it was drawn, for an auditor's workpaper.

One row a credential: `kind` is `drawn` or `reserve`, which replaces what cannot be tested, in its
order and from the same `stratum`. `key` is the SHA-256 that decided the order. The columns from
`environment` to `not_met` are what the report says of it; those after that are for whoever tests it,
and empty. `seed` and `population_sha256` say how to draw the same sample again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from keyaudit import times
from keyaudit.errors import UsageError
from keyaudit.formats import csv_table, sample_text
from keyaudit.model import Drawn, LedgerRow, PopulationRow, Report, Sample

TO_FILL_IN = (
    "attributes_tested", "result", "exception", "replaced_by", "workpaper_reference", "tested_by",
    "tested_on", "reviewed_by", "reviewed_on",
)  # fmt: skip
"""Columns of the workpaper that are empty on every row."""

COLUMNS = (
    "order", "kind", "stratum", "source", "scope", "id", "name", "environment", "class", "owner", "schedule",
    "due_at", "worst", "rules", "operation", "fell_due", "met", "not_met", *TO_FILL_IN, "key", "seed",
    "population_sha256",
)  # fmt: skip

Cells = tuple[str | None, ...]
Place = tuple[str, str, str]


def render(report: Report) -> bytes:
    """Print the sample; raises UsageError for a report of which none was drawn."""
    if report.sample is None:
        hint = "keyaudit scan --sample 25 --seed WORD draws one"
        raise UsageError("sample: no sample was drawn in this report", hint=hint)
    return csv_table.table(COLUMNS, rows(report, report.sample))


def rows(report: Report, sample: Sample) -> Iterator[Cells]:
    """Give what stands under `COLUMNS`, not yet escaped: what was drawn, then the reserves."""
    wanted = {_place(each) for each in (*sample.drawn, *sample.reserves)}
    judged = {place: row for row in report.population if (place := _place(row)) in wanted}
    entries = report.ledger.rows if report.ledger else ()
    ledger = {place: row for row in entries if (place := _place(row)) in wanted}
    for kind, found in (("drawn", sample.drawn), ("reserve", sample.reserves)):
        for each in found:
            yield (
                *_drawn(kind, each, sample),
                *_judged(judged.get(_place(each))),
                *_rotated(_place(each), ledger),
                *(None,) * len(TO_FILL_IN),
                each.key,
                sample.seed,
                sample.population_sha256,
            )


def _place(each: Drawn | PopulationRow | LedgerRow) -> Place:
    return each.source, each.scope, each.id


def _drawn(kind: str, each: Drawn, sample: Sample) -> Cells:
    of = sample_text.stratum(sample, each.stratum)
    return str(each.order), kind, of, each.source, each.scope, each.id, each.name


def _judged(row: PopulationRow | None) -> Cells:
    if row is None:
        return (None,) * 7
    due = None if row.due_at is None else times.format_instant(row.due_at)
    return row.environment, row.cls, row.owner, row.schedule, due, row.worst, "; ".join(row.rules)


def _rotated(place: Place, ledger: Mapping[Place, LedgerRow]) -> Cells:
    row = ledger.get(place)
    if row is None:
        return (None,) * 4
    return row.operation, str(row.due), str(row.met), str(row.late)
