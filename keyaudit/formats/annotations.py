"""Findings as workflow commands: printed by a step of GitHub Actions, they become annotations.

A step keeps ten errors, ten warnings and ten notices and drops the rest without a word. So each
level shows what fits, worst first, and its last line counts what does not. Failures of critical
and high severity are errors, of medium warnings, of low and info notices; what could not be
seen or judged is a warning. What a waiver accepts is not annotated.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from keyaudit.formats import wording
from keyaudit.formats.anchor import Anchor
from keyaudit.formats.finding_text import as_one_line, level
from keyaudit.formats.visible import visible
from keyaudit.model import Finding, Report, Verdict

MOST_OF_A_LEVEL = 10

_GROUPS = ("error", "warning", "note", "unknown", "waived")
"""What findings come to, in the order of a report."""
_COMMANDS = (("error", ("error",)), ("warning", ("warning", "unknown")), ("notice", ("note",)))
_IN_A_MESSAGE = re.compile(r"[%\r\n]")
_IN_A_PROPERTY = re.compile(r"[%\r\n:,]")


def render(report: Report, *, anchor: Anchor | None = None) -> bytes:
    """Print one command a line: what the gate made of it, then findings at lines of `anchor`."""
    place = anchor or Anchor()
    said = _command("notice", f"keyaudit {visible(report.version)}", wording.headline(report))
    lines = [said]
    for command, groups in _COMMANDS:
        taken = 1 if command == "notice" else 0
        lines += _level(command, groups, report, place, MOST_OF_A_LEVEL - taken)
    return ("\n".join(lines) + "\n").encode()


def _level(command: str, groups: tuple[str, ...], report: Report, place: Anchor, room: int) -> Iterator[str]:
    """Print the worst findings of some groups; where they do not fit, the last line counts the others."""
    numbers = [number for group in groups for number in _range(report, group)]
    shown = numbers if len(numbers) <= room else numbers[: room - 1]
    for number in shown:
        finding = report.findings[number]
        title = f"{visible(finding.rule)} {visible(finding.name)}"
        yield _command(command, title, as_one_line(finding, report.as_of), place, place.line(finding))
    if more := len(numbers) - len(shown):
        yield _command(command, "keyaudit", f"{wording.plural(more, 'more finding')} of this level", place, 1)


def _range(report: Report, group: str) -> range:
    """Find where a group begins and ends; findings are sorted, so few of a million are looked at."""
    number = _GROUPS.index(group)
    begin, end = (bisect_left(report.findings, wanted, key=_group) for wanted in (number, number + 1))
    return range(begin, end)


def _group(finding: Finding) -> int:
    if finding.verdict is not Verdict.FAIL:
        return _GROUPS.index("unknown" if finding.verdict is Verdict.UNKNOWN else "waived")
    return _GROUPS.index(level(finding))


def _command(
    command: str, title: str, message: str, place: Anchor | None = None, line: int | None = None
) -> str:
    properties = {"title": title}
    if place is not None:
        properties = {"file": place.file, "line": str(line), **properties}
    written = ",".join(f"{name}={_IN_A_PROPERTY.sub(_escape, value)}" for name, value in properties.items())
    return f"::{command} {written}::{_IN_A_MESSAGE.sub(_escape, message)}"


def _escape(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"
