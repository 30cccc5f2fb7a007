"""Findings as JUnit XML, which every CI system shows: a suite a rule, and one for what was seen.

A failure is a `failure`, what could not be decided or seen is an `error`, what a waiver accepts
is `skipped`. Passes are not listed one by one: a suite counts them in its properties, and its
test `everything else` passes for all of them. Beyond `MOST_FINDINGS` of a report, worst first, a
suite only counts. A test is named by what does not change from run to run, so that a CI system
can follow it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from keyaudit import times
from keyaudit.formats import ledger_counts, wording
from keyaudit.formats.finding_text import details, sentence
from keyaudit.formats.visible import visible
from keyaudit.model import Coverage, Finding, Report, RuleResult, ScopeStatus, Verdict

MOST_FINDINGS = 10_000
LONGEST_ID = 1000

_OUTCOMES = {Verdict.FAIL: "failure", Verdict.UNKNOWN: "error", Verdict.WAIVED: "skipped"}
_REST = "everything else"
_COUNTS = {"tests": None, "failures": "failure", "errors": "error", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class _Case:
    """One test; `outcome` is None where it passes."""

    name: str
    outcome: str | None = None
    kind: str = ""
    message: str = ""
    text: str = ""


def render(report: Report) -> bytes:
    """Print the suites of a report."""
    root = ET.Element("testsuites", name=f"keyaudit {visible(report.version)}")
    facts = {"as_of": times.format_instant(report.as_of), "policy": visible(report.policy.name)}
    facts |= ledger_counts.flat(report)
    _add(root, "coverage", [*_scopes(report)], facts)
    listed: dict[str, list[Finding]] = {}
    for finding in report.findings[:MOST_FINDINGS]:
        listed.setdefault(finding.rule, []).append(finding)
    for rule in report.rules:
        if rule.id not in wording.ABOUT_SCOPES:
            cases = list(_cases(rule, listed.get(rule.id, ()), report.as_of))
            _add(root, f"{visible(rule.id)} {visible(rule.name)}", cases, _verdicts(rule))
    for name, outcome in _COUNTS.items():
        root.set(name, str(sum(1 for case in root.iter("testcase") if _counted(case, outcome))))
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _add(root: ET.Element, name: str, cases: Sequence[_Case], properties: Mapping[str, str]) -> None:
    suite = ET.SubElement(root, "testsuite", name=name)
    listed = ET.SubElement(suite, "properties")
    for key, value in properties.items():
        ET.SubElement(listed, "property", name=key, value=value)
    for case in cases:
        test = ET.SubElement(suite, "testcase", classname=f"keyaudit.{name}", name=case.name)
        if case.outcome is not None:
            kind = {} if case.outcome == "skipped" else {"type": case.kind}
            ET.SubElement(test, case.outcome, kind, message=case.message).text = case.text or None
    for key, outcome in _COUNTS.items():
        suite.set(key, str(sum(1 for test in suite.iter("testcase") if _counted(test, outcome))))


def _counted(test: ET.Element, outcome: str | None) -> bool:
    return outcome is None or test.find(outcome) is not None


def _scopes(report: Report) -> Iterator[_Case]:
    """Test that everything that was asked for was seen."""
    for scope in report.coverage:
        yield _scope(scope)
    if not report.coverage:
        [gap] = [gap for gap in wording.gaps(report) if gap.what == "the inventory"]
        yield _Case("scopes", "skipped", message=f"{gap.what} {gap.why}")
    if not report.inventory.credentials:
        yield _Case("credentials", "error", "empty", "no credential was listed")


def _scope(scope: Coverage) -> _Case:
    name = f"{visible(scope.source)} {visible(scope.scope, longest=LONGEST_ID)}"
    if scope.status is ScopeStatus.COMPLETE:
        return _Case(name)
    said = wording.STATUSES[scope.status]
    return _Case(
        name, "error", str(scope.status), f"{said}: {visible(scope.reason)}" if scope.reason else said
    )


def _cases(rule: RuleResult, listed: Sequence[Finding], as_of: int) -> Iterator[_Case]:
    for finding in listed:
        yield _finding(finding, as_of)
    counts = {Verdict.FAIL: rule.failed, Verdict.UNKNOWN: rule.unknown, Verdict.WAIVED: rule.waived}
    for verdict, count in counts.items():
        more = count - sum(finding.verdict is verdict for finding in listed)
        if more > 0:
            said = f"{more:,} more that are {verdict}; see the JSON report"
            yield _Case(f"more that are {verdict}", _OUTCOMES[verdict], "more", said)
    if rule.passed:
        yield _Case(_REST)
    elif not any(counts.values()):
        why = visible(wording.untested(rule)) or "the rule is about nothing here"
        yield _Case(_REST, "skipped", message=why)


def _finding(finding: Finding, as_of: int) -> _Case:
    credential = finding.credential
    where = (
        (credential.source, credential.scope, credential.id) if credential else (wording.subject(finding),)
    )
    name = " ".join(visible(part, longest=LONGEST_ID) for part in where)
    return _Case(
        name=name,
        outcome=_OUTCOMES[finding.verdict],
        kind=str(finding.severity or finding.verdict),
        message=sentence(finding),
        text="\n".join(details(finding, as_of)),
    )


def _verdicts(rule: RuleResult) -> dict[str, str]:
    counts = {
        Verdict.PASS: rule.passed,
        Verdict.FAIL: rule.failed,
        Verdict.UNKNOWN: rule.unknown,
        Verdict.NOT_APPLICABLE: rule.not_applicable,
        Verdict.WAIVED: rule.waived,
    }
    why = visible(wording.untested(rule))
    return {
        "severity": str(rule.severity or "none"),
        "basis": str(rule.basis),
        **{str(verdict): str(count) for verdict, count in counts.items()},
        **({"untested": why} if why else {}),
    }
