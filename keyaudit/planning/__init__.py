"""What falls due, staggered: a day for every rotation ahead, from a report and what its inventory adds.

    plan = schedule(candidates(report, known), Terms(as_of=report.as_of))
    content = render("ics", plan, report)

Only words come of it: nothing here changes a credential, and a plan is made anew rather than kept.

model, identity             a candidate, a rotation, the terms, the plan; what a rotation is called in each
candidates, beside          out of a report, and out of the inventory where there is one
grouping, counterparts      copies of one credential are one rotation; staging and production
windows, days, placing      between which days each may lie, which days are full, and where each comes to lie
reasons, wording            why that day, and the rest, in the same words everywhere
terminal, csv_rows,         how it looks
json_document, calendar
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keyaudit.planning.beside import known
from keyaudit.planning.candidates import candidates
from keyaudit.planning.model import Candidate, Plan, Planned, Terms, Unplanned
from keyaudit.planning.placing import schedule

if TYPE_CHECKING:
    from keyaudit.model import Report

__all__ = ["FORMATS", "Candidate", "Plan", "Planned", "Terms", "Unplanned"]
__all__ += ["candidates", "known", "render", "schedule"]

FORMATS = {
    "terminal": ("plan.txt", "keyaudit.planning.terminal"),
    "json": ("plan.json", "keyaudit.planning.json_document"),
    "csv": ("plan.csv", "keyaudit.planning.csv_rows"),
    "ics": ("plan.ics", "keyaudit.planning.calendar"),
}
"""What the file of a format is called, and where it is made."""


def render(name: str, plan: Plan, report: Report, **options: Any) -> bytes:
    """Render a plan in one of `FORMATS`; only terminal has `options`: width, colour, ascii_only."""
    content: bytes = import_module(FORMATS[name][1]).render(plan, report, **options)
    return content
