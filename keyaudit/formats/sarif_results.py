"""SARIF's results: one a finding, worst first, as many as an upload may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from keyaudit import times
from keyaudit.formats import sarif_rules, wording
from keyaudit.formats.anchor import Anchor
from keyaudit.formats.finding_text import as_one_line, level
from keyaudit.formats.visible import visible
from keyaudit.model import Baseline, Finding, Report, Verdict, WaiverResult

MOST_RESULTS = 25_000
"""Code scanning refuses a run that has more."""
LARGEST = 9_500_000
"""Bytes of what no compression saves; code scanning refuses more than 10 MB of a compressed file."""
OVERHEAD = 100
"""Bytes that a result costs once compressed, beside the texts that no result before it has."""
LONGEST_ID = 1000


def message(text: str) -> dict[str, str]:
    """Make a message that means its characters: none is a placeholder or the start of a link."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "]\\(")}


class Results:
    """The results of a report that fit into one upload."""

    def __init__(self, report: Report, anchor: Anchor) -> None:
        """Look up what findings refer to."""
        self._report, self._anchor = report, anchor
        self._rules = {rule.id: number for number, rule in enumerate(report.rules)}
        self._waivers = {waiver.id: waiver for waiver in report.waivers}
        self._controls = sarif_rules.references(report)
        self._states = _states(report.baseline)
        self._suppresses = report.summary.verdicts.get(Verdict.WAIVED, 0) > 0
        self._seen: set[str] = set()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Make results until they are too many or too large."""
        left = LARGEST
        for finding in self._report.findings[:MOST_RESULTS]:
            left -= OVERHEAD + self._new(finding)
            if left < 0:
                break
            yield self._result(finding)

    def _new(self, finding: Finding) -> int:
        """Count the bytes of texts that stood in no result before; a copy costs next to nothing."""
        texts = {finding.message, finding.subject, finding.version, finding.clause, *_values(finding)}
        if credential := finding.credential:
            inside = credential.name in credential.id
            texts |= {credential.id, None if inside else credential.name}
            texts |= {credential.scope, credential.source, credential.environment, credential.owner}
            if finding.fix:
                texts.add(finding.fix.replace(credential.id, "").replace(credential.name, ""))
        new = {visible(text, longest=LONGEST_ID) for text in texts if text} - self._seen
        self._seen |= new
        return sum(len(text.encode()) for text in new)

    def _result(self, finding: Finding) -> dict[str, Any]:
        result: dict[str, Any] = {"ruleId": visible(finding.rule)}
        if finding.rule in self._rules:
            result["ruleIndex"] = self._rules[finding.rule]
        undecided = finding.verdict is Verdict.UNKNOWN
        result |= {
            "kind": "open" if undecided else "fail",
            "level": "none" if undecided else level(finding),
            "message": message(as_one_line(finding, self._report.as_of)),
            "locations": [_location(finding, self._anchor)],
            "partialFingerprints": {"primaryLocationLineHash": visible(finding.fingerprint)},
        }
        if taxa := [self._controls[key] for key in finding.controls if key in self._controls]:
            result["taxa"] = taxa
        if finding.verdict is Verdict.WAIVED:
            result["suppressions"] = [_suppression(finding.waiver, self._waivers)]
        elif self._suppresses:  # §3.27.23: where one result says whether it is suppressed, all do
            result["suppressions"] = []
        if self._states is not None:
            result["baselineState"] = self._states.get(finding.fingerprint, "unchanged")
        result["properties"] = _properties(finding)
        return result


def _states(baseline: Baseline | None) -> dict[str, str] | None:
    """Say what is new or updated, by fingerprint; the rest is unchanged.

    §3.27.24: every result of a run has a state, or none. A baseline that is not known to have been
    compared with every finding gives none.
    """
    if baseline is None or baseline.appeared is None or baseline.changed is None:
        return None
    return dict.fromkeys(baseline.changed, "updated") | dict.fromkeys(baseline.appeared, "new")


def _location(finding: Finding, anchor: Anchor) -> dict[str, Any]:
    line = anchor.line(finding)
    credential = finding.credential
    about = {"kind": "resource"} if credential else {}
    full_name = credential.id if credential else wording.subject(finding)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": anchor.uri, "uriBaseId": "%SRCROOT%"},
            # Code scanning wants all four, and the point where a line begins is a region.
            "region": {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 1},
        },
        "logicalLocations": [
            {
                "name": visible(wording.subject(finding)),
                "fullyQualifiedName": visible(full_name, longest=LONGEST_ID),
                **about,
            }
        ],
    }


def _suppression(identifier: str | None, waivers: Mapping[str, WaiverResult]) -> dict[str, str]:
    """Say who accepted a finding, why and until when."""
    waiver = waivers.get(identifier or "")
    said = [f"waiver {visible(identifier or '')}"]
    if waiver:
        said += [visible(waiver.reason)] if waiver.reason else []
        said += [f"requested by {visible(waiver.requested_by)}"] if waiver.requested_by else []
        said += [f"approved by {visible(waiver.approved_by)}"] if waiver.approved_by else []
        said += [f"until {times.format_date(waiver.ends - 1)}"] if waiver.ends is not None else []
    return {"kind": "external", "status": "accepted", "justification": "; ".join(said)}


def _properties(finding: Finding) -> dict[str, Any]:
    credential = finding.credential
    said = {
        "verdict": str(finding.verdict),
        "severity": finding.severity and str(finding.severity),
        "basis": str(finding.basis),
        "source": credential and visible(credential.source),
        "scope": credential and visible(credential.scope),
        "environment": credential and credential.environment and visible(credential.environment),
        "owner": credential and credential.owner and visible(credential.owner),
        "version": finding.version and visible(finding.version),
        "due_at": None if finding.due_at is None else times.format_instant(finding.due_at),
        "clause": finding.clause and visible(finding.clause),
        "waiver": finding.waiver and visible(finding.waiver),
        "fix": finding.fix and visible(finding.fix, longest=LONGEST_ID),
    }
    evidence = {
        visible(name): visible(value) if isinstance(value, str) else value
        for name, value in finding.evidence.items()
    }
    return {**{name: value for name, value in said.items() if value is not None}, "evidence": evidence}


def _values(finding: Finding) -> list[str]:
    return [str(value) for value in finding.evidence.values()]
