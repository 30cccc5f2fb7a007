"""What the numbers of a report owe each other, so that a document cannot say two things at once.

The digest of a document finds an accident. Whoever changes a document on purpose can compute it
again; then at least its counts must still agree with its findings.
"""

from __future__ import annotations

from collections import Counter

from keyaudit.model import Baseline, ControlResult, Report, RuleResult, Severity, Verdict
from keyaudit.report_document import ledger_consistency
from keyaudit.report_document.kinds import Refused

FIELDS = {
    Verdict.PASS: "passed",
    Verdict.FAIL: "failed",
    Verdict.UNKNOWN: "unknown",
    Verdict.NOT_APPLICABLE: "not_applicable",
    Verdict.WAIVED: "waived",
}
LISTED = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED)
"""The verdicts that are findings, each of them exactly one."""


def check(report: Report) -> None:
    """Raise Refused, naming the field, where one part of a report contradicts another."""
    _check_rules(report)
    _check_summary(report)
    if len(report.population) != report.inventory.credentials:
        raise _contradiction(
            "inventory.credentials",
            report.inventory.credentials,
            len(report.population),
            "population",
        )
    _check_orphans(report)
    _check_baseline(report)
    _check_sample(report)
    for path, message in ledger_consistency.contradictions(report):
        raise _refused(path, message)
    frameworks = {framework.id for framework in report.frameworks}
    rules = {rule.id for rule in report.rules}
    for number, control in enumerate(report.controls):
        _check_control(f"controls[{number}]", control, frameworks, rules)


def _check_orphans(report: Report) -> None:
    if not report.orphans:
        return
    listed = {(row.source, row.scope, row.id) for row in report.population}
    for number, orphan in enumerate(report.orphans):
        if (orphan.source, orphan.scope, orphan.id) not in listed:
            raise _refused(f"orphans[{number}]", "is not in the population, or stands here twice")
        listed.remove((orphan.source, orphan.scope, orphan.id))


def _check_rules(report: Report) -> None:
    found = Counter((finding.rule, finding.verdict) for finding in report.findings)
    if len({rule.id for rule in report.rules}) < len(report.rules):
        raise _refused("rules", "a rule stands in it twice")
    for number, rule in enumerate(report.rules):
        for verdict in LISTED:
            said, listed = _count(rule, verdict), found.pop((rule.id, verdict), 0)
            if said != listed:
                raise _contradiction(f"rules[{number}].{verdict}", said, listed, "findings")
    if found:
        name, verdict = min(found)
        raise _refused("findings", f"{name} with verdict {verdict} is in no count of rules")


def _count(rule: RuleResult, verdict: Verdict) -> int:
    count: int = getattr(rule, FIELDS[verdict])
    return count


def _check_summary(report: Report) -> None:
    summary = report.summary
    for verdict in Verdict:
        said, counted = summary.verdicts.get(verdict, 0), sum(_count(rule, verdict) for rule in report.rules)
        if said != counted:
            raise _contradiction(f"summary.verdicts.{verdict}", said, counted, "rules")
    failed = _failures(report)
    for severity in Severity:
        said = summary.by_severity.get(severity, 0)
        if said != failed[severity]:
            raise _contradiction(f"summary.by_severity.{severity}", said, failed[severity], "findings")
    gate = summary.fail_on
    closed = any(severity.gates(gate) for severity in _closing(report))
    unseen = summary.verdicts.get(Verdict.UNKNOWN, 0) or not report.whole
    if closed != (summary.exit_code == 1) or (unseen and summary.exit_code == 0):
        raise _refused("summary.exit_code", f"{summary.exit_code} is not what its findings come to")


def _check_baseline(report: Report) -> None:
    """Every failure is known from the baseline or new, and what is new is a failure here."""
    if report.baseline is None:
        return
    new = set(report.baseline.new)
    failed = [finding.fingerprint for finding in report.findings if finding.verdict is Verdict.FAIL]
    if len(new) < len(report.baseline.new) or new - set(failed):
        raise _refused("baseline.new", "names what is no failure here, or one twice")
    _check_appeared(report, report.baseline)
    known = sum(fingerprint not in new for fingerprint in failed)
    if known != report.baseline.known:
        raise _contradiction("baseline.known", report.baseline.known, known, "findings")


def _check_appeared(report: Report, baseline: Baseline) -> None:
    """What appeared or changed is a finding here and not both; what is new is among it."""
    if baseline.appeared is None and baseline.changed is None:
        return
    appeared, changed = set(baseline.appeared or ()), set(baseline.changed or ())
    listed = {finding.fingerprint for finding in report.findings}
    if appeared & changed or (appeared | changed) - listed:
        raise _refused("baseline.appeared", "names what is no finding here, or what changed")
    if set(baseline.new) - appeared - changed:
        raise _refused("baseline.new", "names what neither appeared nor changed")


def _check_sample(report: Report) -> None:
    """A sample is of this population, and has nothing twice; whether it was drawn so is another question."""
    sample = report.sample
    if sample is None:
        return
    size, drawn = len(report.population), len(sample.drawn)
    for path, said, counted, where in (
        ("sample.population", sample.population, size, "population"),
        ("sample.drawn", drawn, min(sample.size, size), "its size and the population"),
        ("sample.parts", sum(part.population for part in sample.parts), size, "population"),
        ("sample.parts", sum(part.drawn for part in sample.parts), drawn, "what was drawn"),
    ):
        if said != counted:
            raise _contradiction(path, said, counted, where)
    values = [*(part.values for part in sample.parts), *(one.stratum for one in sample.drawn)]
    values += [one.stratum for one in sample.reserves]
    if any(len(one) != len(sample.strata) for one in values):
        raise _refused("sample.strata", "something in the sample has more or fewer values than strata")
    left = {(row.source, row.scope, row.id) for row in report.population}
    for number, one in enumerate((*sample.drawn, *sample.reserves), start=1):
        if one.order != number or (one.source, one.scope, one.id) not in left:
            raise _refused("sample", f"number {number} is not in the population, twice here, or out of order")
        left.remove((one.source, one.scope, one.id))


def _closing(report: Report) -> set[Severity]:
    """Give the severities of failures that can close the gate: against a baseline, only of new ones."""
    new = None if report.baseline is None else set(report.baseline.new)
    return {
        finding.severity
        for finding in report.findings
        if finding.verdict is Verdict.FAIL
        and finding.severity is not None
        and (new is None or finding.fingerprint in new)
    }


def _failures(report: Report) -> Counter[Severity]:
    return Counter(
        finding.severity
        for finding in report.findings
        if finding.verdict is Verdict.FAIL and finding.severity is not None
    )


def _check_control(path: str, control: ControlResult, frameworks: set[str], rules: set[str]) -> None:
    if control.framework not in frameworks:
        raise _refused(f"{path}.framework", f"{control.framework} is not among the frameworks")
    if unknown := set(control.rules) - rules:
        raise _refused(f"{path}.rules", f"{min(unknown)} is not among the rules")
    if control.tested > control.population:
        raise _refused(f"{path}.tested", f"{control.tested} of {control.population}")
    if control.exceptions > control.population:
        raise _refused(f"{path}.exceptions", f"{control.exceptions} of {control.population}")
    if control.exceptions and control.result not in {"exception", "not-applicable"}:
        raise _refused(f"{path}.result", f"{control.result} with {control.exceptions} exceptions")


def _contradiction(path: str, said: int, counted: int, where: str) -> Refused:
    return _refused(path, f"is {said}, but {where} come to {counted}")


def _refused(path: str, message: str) -> Refused:
    refused = Refused(message)
    refused.path.append(path)
    return refused
