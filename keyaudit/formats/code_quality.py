"""Findings as a GitLab Code Quality report: what a merge request brings, and what it mends.

An array of violations, worst first, each at a line of the policy. GitLab compares the array of a
merge request with that of its target branch by fingerprint, so what a waiver accepts is left out:
the request that brings the waiver shows the finding as solved, and the day after the waiver ends
shows it again. What could not be seen is a violation as well.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from keyaudit.formats import wording
from keyaudit.formats.anchor import Anchor
from keyaudit.formats.finding_text import as_one_line
from keyaudit.formats.visible import visible
from keyaudit.model import Finding, Report, Severity, Verdict

MOST_FINDINGS = 10_000

_SEVERITIES = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}
_NOT_KNOWN, _NOT_SEEN = "minor", "major"
"""A verdict that lacks a fact, and a scope of which nobody knows what is in it."""


def render(report: Report, *, anchor: Anchor | None = None) -> bytes:
    """Print one violation a finding at lines of `anchor`; beyond `MOST_FINDINGS` they are only counted."""
    place = anchor or Anchor()
    total = len(report.findings) - report.summary.verdicts.get(Verdict.WAIVED, 0)
    listed = [
        _violation(finding, report.as_of, place)
        for finding in report.findings[:MOST_FINDINGS]
        if finding.verdict is not Verdict.WAIVED
    ]
    if more := total - len(listed):
        listed.append(_others(more, place))
    return json.dumps(listed, ensure_ascii=False, indent=2).encode() + b"\n"


def _violation(finding: Finding, as_of: int, place: Anchor) -> dict[str, Any]:
    return {
        "description": as_one_line(finding, as_of),
        "check_name": f"{visible(finding.rule)} {visible(finding.name)}",
        "fingerprint": finding.fingerprint,
        "severity": _severity(finding),
        "location": {"path": visible(place.file), "lines": {"begin": place.line(finding)}},
    }


def _severity(finding: Finding) -> str:
    if finding.verdict is Verdict.FAIL and finding.severity is not None:
        return _SEVERITIES[finding.severity]
    return _NOT_SEEN if finding.rule in wording.ABOUT_SCOPES else _NOT_KNOWN


def _others(count: int, place: Anchor) -> dict[str, Any]:
    return {
        "description": f"{wording.plural(count, 'more finding')}: see the JSON report",
        "check_name": "keyaudit",
        "fingerprint": hashlib.sha256(b"keyaudit: findings that are only counted").hexdigest(),
        "severity": "info",
        "location": {"path": visible(place.file), "lines": {"begin": 1}},
    }
