"""What every format says in the same words: the headline, what was not seen, what a word means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keyaudit import times
from keyaudit.columns import EXEMPT, NO_STORES, PROVIDERS
from keyaudit.formats import history_text
from keyaudit.formats.visible import visible
from keyaudit.model import Baseline, Finding, Report, RuleResult, ScopeStatus, Severity, Verdict

VERDICTS: dict[Verdict, str] = {
    Verdict.PASS: "The rule is about it, the facts that decide are known, and they meet the rule.",
    Verdict.FAIL: "The facts that decide are known and break the rule.",
    Verdict.UNKNOWN: (
        "The facts known do not decide it: one that was asked for is missing, an age may lie on either side "
        "of its limit, or a scope could not be read. Never counted as a pass."
    ),
    Verdict.NOT_APPLICABLE: (
        "The rule is not about it, the policy switched the rule off, or the facts that the rule needs were "
        "not collected at all."
    ),
    Verdict.WAIVED: "The facts break the rule, and a waiver in force accepts that until a date.",
}

RESULTS: dict[str, str] = {
    "exception": (
        "A rule that bears on the control, and is more than good advice, failed without a waiver: for a "
        "credential, or for a scope, a waiver or the policy where the control is about those."
    ),
    "no-exception": (
        "Metadata is direct evidence here, every scope was declared and read to the end, every rule that "
        "bears on the control could be asked, each had its answer wherever it applied, and nothing failed."
    ),
    "supporting-only": (
        "Nothing failed but what waivers cover. Metadata shows only a part of this control, or waivers are "
        "left for an auditor to accept: more is needed."
    ),
    "not-evaluated": (
        "No rule bears on it, one that does could not be asked or could not decide, or the population may "
        "not be complete. Says nothing either way."
    ),
    "not-applicable": (
        "The policy declares so with a reason, nothing of its kind is in the population, or nothing "
        "happened that the control is about."
    ),
}

BASES: dict[str, str] = {
    "framework": "the framework's own text states the requirement",
    "policy": "your policy states it, and the framework makes your policy binding",
    "practice": "good advice, or a reminder about a customer's own key; never an exception of a control",
}

STATUSES: dict[ScopeStatus, str] = {
    ScopeStatus.COMPLETE: "read to the end",
    ScopeStatus.PARTIAL: "read in part",
    ScopeStatus.FAILED: "could not be read",
    ScopeStatus.EMPTY: "held nothing",
}


ORPHANS = (
    "Their provider honours them; no store in this inventory shares a lineage with them or records "
    "their id as that of the key it holds. "
    "Whoever holds them does so where nobody looked: find out who, or revoke them. No rule judges this."
)
"""What the list of orphans is, under the heading that `orphans` is."""

_MADE_WITH = {"policy": "policy", "frameworks": "choice of frameworks", "tool": "version of keyaudit"}
_INCOMPLETE = " Incomplete: not everything could be seen."


ABOUT_SCOPES = ("KA901", "KA902")
"""Rules whose findings say again what the coverage says."""

NOT_ABOUT_CREDENTIALS = ("KA801", *ABOUT_SCOPES, "KA903", "KA904", "KA905")
"""Rules about the policy, scopes and waivers: what they do not know is not counted in credentials."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something the audit did not see: what, and why."""

    what: str
    why: str


def plural(count: int, one: str, many: str | None = None) -> str:
    """Say `1 finding`, `2 findings`, `10,000 findings`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def headline(report: Report) -> str:
    """Say in a sentence what the gate made of the report. It never says "compliant"."""
    summary = report.summary
    if summary.fail_on is None:
        listed = plural(sum(summary.by_severity.values()), "failure")
        return f"The gate is off; {listed} listed." + (_INCOMPLETE if summary.exit_code == 3 else "")
    if report.baseline is not None:
        return _against(report, report.baseline, summary.fail_on)
    if summary.exit_code == 1:
        worst = [severity for severity in Severity if severity.gates(summary.fail_on)]
        counts = [f"{summary.by_severity[s]:,} {s}" for s in worst if summary.by_severity.get(s)]
        total = sum(summary.by_severity.get(severity, 0) for severity in worst)
        split = f" ({', '.join(counts)})" if len(counts) > 1 else ""
        return f"Exceptions: {plural(total, 'failure')} at or above {summary.fail_on}{split}."
    return f"No failure at or above {summary.fail_on}." + (_INCOMPLETE if summary.exit_code == 3 else "")


def _against(report: Report, held: Baseline, fail_on: Severity) -> str:
    """Say what a gate made of a report that is held against a baseline."""
    but = f"; {held.known:,} known from the baseline" if held.known else ""
    if report.summary.exit_code == 1:
        closing = sum(f.severity is not None and f.severity.gates(fail_on) for f in new_failures(report))
        return f"Exceptions: {plural(closing, 'new or worse failure')} at or above {fail_on}{but}."
    incomplete = _INCOMPLETE if report.summary.exit_code == 3 else ""
    return f"No new or worse failure at or above {fail_on}{but}.{incomplete}"


def new_failures(report: Report) -> list[Finding]:
    """List the failures that the baseline lacks or rates milder, worst first; all, without a baseline."""
    failed = [finding for finding in report.findings if finding.verdict is Verdict.FAIL]
    if report.baseline is None:
        return failed
    new = set(report.baseline.new)
    return [finding for finding in failed if finding.fingerprint in new]


def baseline(report: Report) -> str | None:
    """Say how much of the report was in the baseline, how old that is and whether it can be compared."""
    held = report.baseline
    if held is None:
        return None
    apart = report.as_of - held.as_of
    side = "older" if apart >= 0 else "younger"
    now = plural(held.known + len(new_failures(report)), "failure")
    said = [
        f"{held.known:,} of {now} were in it, which had {held.failures:,}",
        f"as of {times.format_instant(held.as_of)}, {times.describe_duration(abs(apart))} {side}",
        f"sha256 {visible(held.sha256[:12])}",
    ]
    said += [f"made with another {_MADE_WITH.get(word, visible(word))}" for word in held.differs]
    return "; ".join(said)


def collected(report: Report) -> str | None:
    """Say when the inventory was collected and, from a day on, how far that is from the audit's instant.

    What was created, rotated or revoked in between is not in it.
    """
    at = report.inventory.collected_at
    if at is None:
        return None
    apart = report.as_of - at
    if abs(apart) < times.DAY:
        return times.format_instant(at)
    side = "before" if apart > 0 else "after"
    return (
        f"{times.format_instant(at)}, {times.describe_duration(abs(apart))} {side} the instant of the audit"
    )


def severity_counts(report: Report) -> str:
    """Say `2 critical, 1 low`, worst first, or `none`."""
    found = report.summary.by_severity
    return (
        ", ".join(f"{found[severity]:,} {severity}" for severity in Severity if found.get(severity)) or "none"
    )


def gaps(report: Report) -> list[Gap]:
    """Name what was not tested: scopes, then verdicts without facts, then facts never collected."""
    found = [
        Gap(
            f"{scope.source} {scope.scope}",
            f"{STATUSES[scope.status]}: {scope.reason}" if scope.reason else STATUSES[scope.status],
        )
        for scope in report.coverage
        if scope.status is not ScopeStatus.COMPLETE
    ]
    found += _of_records(report)
    found += [Gap(what, why) for what, why in history_text.gaps(report)]
    found += [
        Gap(f"{scope.source} {scope.scope}", EXEMPT + (scope.reason or "").rpartition(EXEMPT)[2])
        for scope in report.coverage
        if scope.status is ScopeStatus.COMPLETE and EXEMPT in (scope.reason or "")
    ]
    if not report.coverage:
        found.append(Gap("the inventory", "does not say which scopes were asked for: it may not be complete"))
    unknown = [rule for rule in report.rules if rule.unknown and rule.id not in ABOUT_SCOPES]
    found += [
        Gap(
            f"{rule.id} {rule.name}",
            "could not be judged"
            if rule.id in NOT_ABOUT_CREDENTIALS
            else f"not known for {plural(rule.unknown, 'credential')}",
        )
        for rule in unknown
    ]
    found += [Gap(f"{rule.id} {rule.name}", why) for rule in report.rules if (why := untested(rule))]
    found += [
        Gap(f"{scope.source} {scope.scope}", f"the store cannot know {_names(scope.cannot_know)}")
        for scope in report.coverage
        if scope.cannot_know
    ]
    if report.orphans is None:
        found.append(Gap("who holds the providers' keys", "not tested: no store was listed"))
    unclassified = max((control.unclassified for control in report.controls), default=0)
    if unclassified:
        why = "class or label not known, so neither in nor out of the population of some controls"
        found.append(Gap(plural(unclassified, "credential"), why))
    return found


def _of_records(report: Report) -> Iterator[Gap]:
    """Name files of rotation records that are no evidence, and what of the others stands for nothing."""
    for record in report.records or ():
        if record.problem:
            yield Gap(record.file, f"no evidence of any rotation: {record.problem}")
        elif record.unlisted:
            others = plural(record.unlisted, "credential")
            yield Gap(record.file, f"also about {others} that the inventory does not have")


def orphans(report: Report) -> str | None:
    """Say how many providers' keys no store holds; None where no such key was listed, or it was not asked."""
    found = report.orphans
    if found is None or not (found or any(scope.source in PROVIDERS for scope in report.coverage)):
        return None
    stores = [scope for scope in report.coverage if scope.source not in NO_STORES]
    unseen = any(scope.status in {ScopeStatus.PARTIAL, ScopeStatus.FAILED} for scope in stores)
    but = "; not every store was seen completely" if unseen else ""
    if not found:
        return f"none: a store in this inventory is known to hold each key of a provider{but}"
    count = plural(len(found), "key of a provider", "keys of providers")
    return f"{count} that no store in this inventory is known to hold{but}"


def untested(rule: RuleResult) -> str:
    """Say why a rule was not tested, or where it was not; nothing where it was tested everywhere."""
    if not rule.enabled:
        return "switched off by the policy"
    if not rule.not_collected:
        return ""
    return f"not tested where {_names(rule.not_collected)} was not collected"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(columns)


def subject(finding: Finding) -> str:
    """Name what a finding is about: a credential, or a scope, a waiver, the policy."""
    return finding.credential.name if finding.credential else finding.subject or "the audit"


def due(finding: Finding, as_of: int) -> str | None:
    """Say the day it fell due and how late that is at `as_of`, or how long is left."""
    if finding.due_at is None:
        return None
    late = as_of - finding.due_at
    day = times.format_date(finding.due_at)
    if late > 0:
        return f"{day}, {times.describe_duration(late)} late"
    return f"{day}, in {times.describe_duration(-late)}"
