"""Where two makings of one document part, in a sentence: a finding, a field, a line, a byte."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import msgspec

from keyaudit import report_document
from keyaudit.errors import InputError
from keyaudit.model import Finding, Report
from keyaudit.report_difference.changes import Change, ReportDifference
from keyaudit.report_difference.comparison import compare

MOST_CHANGES = 3
LONGEST = 80


def report(kept: bytes, made: Report, content: bytes) -> str:
    """Say how a kept report document differs from the one that was made anew."""
    try:
        found = compare(report_document.read(kept), made, fail_on=made.summary.fail_on)
    except InputError as error:
        first = error.problems[0]
        return f"it contradicts itself: {first.field or 'it'} {first.message}"
    return changes(found) or document(kept, content)


def changes(found: ReportDifference) -> str:
    """Name the first findings that are not the same; nothing where all are."""
    said = [_change(each) for each in found.changes[:MOST_CHANGES]]
    more = len(found.changes) - len(said)
    return "; ".join(said) + (f"; and {more:,} more" if more else "")


def _change(change: Change) -> str:
    finding = change.finding
    about = finding.credential.id if finding.credential is not None else finding.subject
    decided = "; ".join(f"{reason.cause}: {reason.because}" for reason in change.reasons)
    sides = f"{_rated(change.old)} in the bundle, {_rated(change.new)} made anew"
    return f"{finding.rule} of {about}: {sides} ({decided})"


def _rated(finding: Finding | None) -> str:
    if finding is None:
        return "no finding"
    return f"{finding.verdict}" if finding.severity is None else f"{finding.severity} {finding.verdict}"


def document(kept: bytes, made: bytes) -> str:
    """Name the first field that is not the same in two JSON documents, else the line or byte."""
    try:
        one, other = msgspec.json.decode(kept), msgspec.json.decode(made)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text(kept, made)
    return _field(one, other, "") or text(kept, made)


def text(kept: bytes, made: bytes) -> str:
    """Name the first line that is not the same, or the first byte of what is no text."""
    try:
        lines, others = kept.decode().split("\n"), made.decode().split("\n")
    except UnicodeDecodeError:
        at = next((k for k, (a, b) in enumerate(zip(kept, made, strict=False)) if a != b), None)
        if at is None:
            return f"it has {len(kept):,} bytes in the bundle, {len(made):,} made anew"
        return f"they part at byte {at:,}"
    pairs = enumerate(zip_longest(lines, others), start=1)
    number, (line, other) = next((k, pair) for k, pair in pairs if pair[0] != pair[1])
    return f"line {number:,} is {_short(line)} in the bundle, {_short(other)} made anew"


def _field(one: Any, other: Any, path: str) -> str | None:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*other, *one)):
            if key == "sha256" and not path:
                continue
            found = _field(one.get(key), other.get(key), f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(one, list) and isinstance(other, list):
        for number, (mine, theirs) in enumerate(zip_longest(one, other)):
            found = _field(mine, theirs, f"{path}[{number}]")
            if found:
                return found
        return None
    if one == other:
        return None
    return f"{path.lstrip('.')} is {_short(one)} in the bundle, {_short(other)} made anew"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return repr(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…")
