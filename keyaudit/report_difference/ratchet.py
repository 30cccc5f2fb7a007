"""A gate that only new failures close: those of an earlier report are known, and stay in the report."""

from __future__ import annotations

from dataclasses import replace

from keyaudit import report_document
from keyaudit.model import Baseline, Finding, Report, Severity, Verdict
from keyaudit.report_difference.changes import Cause, is_new
from keyaudit.report_difference.inputs import differing
from keyaudit.report_difference.sides import numbered

_TOLD = {Cause.POLICY: "policy", Cause.FRAMEWORK: "frameworks", Cause.PERIOD: "period", Cause.RULE: "tool"}
"""Inputs that ought to be the same as the baseline's, as the report document calls them."""


def hold(report: Report, baseline: Report) -> Report:
    """Give the same report with its gate held against `baseline`.

    A failure is new that the baseline does not have, waives, could not decide, or rates milder.
    What was not seen, or could not be decided, keeps the exit code 3 whether it was so before or not.
    """
    before, now = numbered(baseline.findings), numbered(report.findings)
    failed = {key: f for key, f in now.items() if f.verdict is Verdict.FAIL}
    appeared = dict.fromkeys(finding.fingerprint for key, finding in now.items() if key not in before)
    changed = dict.fromkeys(
        finding.fingerprint
        for key, finding in now.items()
        if key in before and _standing(before[key]) != _standing(finding)
    )
    new = [finding for key, finding in failed.items() if is_new(before.get(key), finding)]
    fingerprints = dict.fromkeys(finding.fingerprint for finding in new)
    summary = report.summary
    open_ = summary.verdicts.get(Verdict.UNKNOWN, 0) or not report.whole
    closed = any(f.severity is not None and f.severity.gates(summary.fail_on) for f in failed.values()
                 if f.fingerprint in fingerprints)  # fmt: skip
    return replace(
        report,
        summary=replace(summary, exit_code=1 if closed else 3 if open_ else 0),
        baseline=Baseline(
            sha256=report_document.to_document(baseline)["sha256"],
            as_of=baseline.as_of,
            policy_sha256=baseline.policy.sha256,
            failures=sum(finding.verdict is Verdict.FAIL for finding in baseline.findings),
            known=sum(finding.fingerprint not in fingerprints for finding in failed.values()),
            new=tuple(fingerprints),
            differs=tuple(word for cause, word in _TOLD.items() if cause in differing(baseline, report)),
            appeared=tuple(appeared),
            changed=tuple(fingerprint for fingerprint in changed if fingerprint not in appeared),
        ),
    )


def _standing(finding: Finding) -> tuple[Verdict, Severity | None]:
    return finding.verdict, finding.severity
