"""The plan as CSV (RFC 4180, UTF-8): one row a credential, planned or not, in the order of the days.

`rotation` is the same for copies that change together. What cannot be planned stands last, with `kind`
`unplanned` and no day. Cells are safe for a spreadsheet; an empty one is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit import times
from keyaudit.formats.csv_table import table
from keyaudit.model import Report
from keyaudit.planning import wording
from keyaudit.planning.identity import identity
from keyaudit.planning.model import Candidate, Plan, Planned

COLUMNS = (
    "day", "kind", "name", "environment", "owner", "due_at", "due_at_is_exact", "why", "problem", "command",
    "store_rotates_at", "schedule", "rotation_period", "waiver", "source", "scope", "id", "lineage",
    "rotation",
)  # fmt: skip


def render(plan: Plan, _report: Report) -> bytes:
    """Print the rows under a heading row."""
    return table(COLUMNS, _rows(plan))


def _rows(plan: Plan) -> Iterator[tuple[str | None, ...]]:
    for planned in plan.planned:
        yield from _planned(planned)
    for one in plan.unplanned:
        of = one.candidate
        head = (None, "unplanned", of.name, of.environment, of.owner, None, None, one.why, None, None, None)
        yield (*head, *_tail(of), None)


def _planned(planned: Planned) -> Iterator[tuple[str | None, ...]]:
    rotation = planned.rotation
    for one in rotation.candidates:
        own = rotation.command or one.command
        yield (
            wording.date(planned.day),
            planned.kind,
            one.name,
            one.environment,
            one.owner,
            None if one.due_from is None else times.format_instant(one.due_from),
            "yes" if one.due_from == one.due_by else "no",
            "; ".join(planned.why),
            planned.problem,
            own if wording.commands(planned) else None,
            None if one.next_at is None else times.format_instant(one.next_at),
            *_tail(one),
            identity(rotation),
        )


def _tail(one: Candidate) -> tuple[str | None, ...]:
    period = None if one.rotation_period is None else times.format_duration(one.rotation_period)
    return one.schedule, period, one.waiver, one.source, one.scope, one.id, one.lineage
