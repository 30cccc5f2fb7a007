r"""The plan as a calendar (iCalendar, RFC 5545): an event of a whole day for each rotation.

`UID` is the rotation's own and `DTSTAMP` the instant of the plan, so whoever reads a newer plan moves the
events of an older one. What cannot be planned is no event. Lines are folded after 75 octets, never inside
a character; text is made visible, then escaped (`\\`, `\;`, `\,`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from keyaudit import times
from keyaudit.formats.visible import LONGEST, visible
from keyaudit.model import Report
from keyaudit.planning import wording
from keyaudit.planning.identity import identity
from keyaudit.planning.model import Candidate, Plan, Planned

MOST_OCTETS = 75
LONGEST_COMMAND = 2000

_HEAD = ("BEGIN:VCALENDAR", "VERSION:2.0")
_UTC = (
    "BEGIN:VTIMEZONE", "TZID:Etc/UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000", "TZNAME:UTC", "END:STANDARD", "END:VTIMEZONE",
)  # fmt: skip
"""A calendar must have a component: with no event it is this one."""


def render(plan: Plan, report: Report) -> bytes:
    """Print the calendar, every line ended by CRLF."""
    lines = [*_HEAD, f"PRODID:-//keyaudit//keyaudit {_text(report.version)}//EN", "CALSCALE:GREGORIAN"]
    stamp = re.sub(r"[-:]|\.\d+", "", times.format_instant(plan.terms.as_of))
    for planned in plan.planned:
        lines += _event(planned, stamp, plan.terms.as_of)
    lines += [*(() if plan.planned else _UTC), "END:VCALENDAR"]
    return b"".join(_folded(line) for line in lines)


def _event(planned: Planned, stamp: str, as_of: int) -> Iterator[str]:
    first = planned.rotation.first
    kind = "" if planned.kind == "planned" else f" ({wording.KINDS[planned.kind]})"
    where = "" if first.environment is None else f" ({first.environment})"
    day, after = (wording.date(day).replace("-", "") for day in (planned.day, planned.day + 1))
    yield "BEGIN:VEVENT"
    yield f"UID:{identity(planned.rotation)}@keyaudit"
    yield f"DTSTAMP:{stamp}"
    yield f"DTSTART;VALUE=DATE:{day}"
    yield f"DTEND;VALUE=DATE:{after}"
    yield f"SUMMARY:{_text(f'Rotate {first.name}{where}{kind}')}"
    yield "DESCRIPTION:" + "\\n".join(_text(line, LONGEST_COMMAND) for line in _described(planned, as_of))
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _described(planned: Planned, as_of: int) -> Iterator[str]:
    rotation = planned.rotation
    yield f"{wording.due(rotation, as_of)}; owner {rotation.first.owner or 'not known'}"
    yield from planned.why
    if planned.problem is not None:
        yield planned.problem
    yield from wording.commands(planned)
    yield from (_place(one) for one in rotation.candidates)


def _place(one: Candidate) -> str:
    return f"{one.source} {one.scope} {one.id}"


def _text(text: str, longest: int = LONGEST) -> str:
    shown = visible(text, longest=longest)
    return re.sub(r"([\\;,])", r"\\\1", shown)


def _folded(line: str) -> bytes:
    """End a line, and break it before more than 75 octets, only where a character begins."""
    parts, part = list[bytes](), b""
    for character in line:
        octets = character.encode()
        if len(part) + len(octets) > MOST_OCTETS:
            parts.append(part)
            part = b" "
        part += octets
    return b"\r\n".join([*parts, part]) + b"\r\n"
