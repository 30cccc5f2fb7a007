"""The plan for a terminal: a part for each day, what to rotate in it, and the command.

Plain text unless colour is asked for. Commands are never broken or cut in the middle of a line.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from keyaudit import times
from keyaudit.formats.visible import visible
from keyaudit.formats.wording import plural
from keyaudit.model import Report
from keyaudit.planning import wording
from keyaudit.planning.model import Candidate, Plan, Planned

NARROWEST = 60
ASCII = str.maketrans({"·": ".", "…": "...", "–": "-"})
MOST_ROTATIONS, MOST_UNPLANNED = 400, 60
LONGEST_COMMAND, LONGEST_SENTENCE = 2000, 1000
STYLES = {"overdue": "bold red", "does-not-fit": "bold red", "by-store": "dim", "planned": "bold"}


def render(
    plan: Plan, report: Report, *, width: int = 80, colour: bool = False, ascii_only: bool = False
) -> bytes:
    """Lay the plan out; `colour` adds ANSI colours, `ascii_only` escapes whatever is not ASCII."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, NARROWEST),
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    _opening(console, plan, report)
    shown = plan.planned[:MOST_ROTATIONS]
    for day, rotations in groupby(shown, key=lambda one: one.day):
        _day(console, day, list(rotations), plan)
    if len(plan.planned) > len(shown):
        console.print()
        console.print(f"… and {len(plan.planned) - len(shown):,} more (see --format csv)")
    _unplanned(console, plan)
    _rest(console, plan, report)
    text = "".join(f"{row.rstrip()}\n" for row in out.getvalue().splitlines())
    return text.translate(ASCII).encode("ascii", "backslashreplace") if ascii_only else text.encode()


def _opening(console: Console, plan: Plan, report: Report) -> None:
    as_of = times.format_instant(plan.terms.as_of)
    about = f"keyaudit {report.version} · plan as of {as_of} · policy {visible(report.policy.name)}"
    console.print(Text(about, "dim"))
    console.print()
    clear = not plan.unplanned and wording.whole(report)
    style = "bold red" if plan.fails else "bold green" if clear else "bold yellow"
    console.print(Text(wording.headline(plan), style))
    console.print(Text(wording.terms(plan), "dim"))


def _day(console: Console, day: int, rotations: list[Planned], plan: Plan) -> None:
    console.print()
    today = " (today)" if day == plan.terms.today else ""
    console.print(Text(f"{wording.date(day)}{today}: {plural(len(rotations), 'rotation')}", "bold"))
    for planned in rotations:
        for text, indent in _lines(planned, plan.terms.as_of):
            console.print(Padding(text, (0, 0, 0, indent)))
        for command in wording.commands(planned):
            line = f"      $ {visible(command, longest=LONGEST_COMMAND)}"
            console.print(Text(line), no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)


def _lines(planned: Planned, as_of: int) -> Iterator[tuple[Text, int]]:
    """Give what is said of one rotation, each with how far it is indented."""
    first, *copies = planned.rotation.candidates
    style = STYLES[planned.kind]
    kind = "" if planned.kind == "planned" else f"{wording.KINDS[planned.kind]}: "
    yield Text.assemble((f"{kind}{_named(first)}", style), f" · {_whose(first)}"), 2
    said = "; ".join([wording.due(planned.rotation, as_of), *planned.why])
    yield Text(visible(said, longest=LONGEST_SENTENCE)), 4
    if planned.problem is not None:
        yield Text(visible(planned.problem, longest=LONGEST_SENTENCE), "red"), 4
    for copy in copies:
        yield Text(f"also {_named(copy)} · {_whose(copy)}"), 4


def _named(one: Candidate) -> str:
    return f"{visible(one.name)} ({visible(one.source)} {visible(one.scope)})"


def _whose(one: Candidate) -> str:
    return f"{visible(one.environment or 'no environment')}, {visible(one.owner or 'no owner')}"


def _unplanned(console: Console, plan: Plan) -> None:
    if not plan.unplanned:
        return
    console.print()
    console.print(Text(f"Cannot be planned: {plural(len(plan.unplanned), 'credential')}", "bold yellow"))
    for one in plan.unplanned[:MOST_UNPLANNED]:
        text = Text(f"{_named(one.candidate)} · {_whose(one.candidate)}: {one.why}")
        console.print(Padding(text, (0, 0, 0, 2)))
    if len(plan.unplanned) > MOST_UNPLANNED:
        console.print(f"  … and {len(plan.unplanned) - MOST_UNPLANNED:,} more (see --format csv)")


def _rest(console: Console, plan: Plan, report: Report) -> None:
    console.print()
    console.print(Text(f"Not in it: {wording.rest(plan)}", "dim"))
    for scope in wording.holes(report):
        line = f"not seen: {visible(scope.source)} {visible(scope.scope)} ({scope.status})"
        console.print(Text(line, "yellow"))
