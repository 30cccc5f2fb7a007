"""Rules that are about scopes, waivers and the policy: few subjects, judged one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit.model import (
    ControlRef,
    Coverage,
    Finding,
    Framework,
    Policy,
    Rule,
    ScopeStatus,
    Severity,
    Verdict,
    Waiver,
    WaiverResult,
)
from keyaudit.policy import people
from keyaudit.policy.strictness import review_interval
from keyaudit.policy.waivers import status
from keyaudit.report.findings import ReadyBlock, fingerprint
from keyaudit.times import format_date, format_duration


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule on one subject. `fields` are the evidence, and fill the rule's message if it has no own."""

    subject: str
    verdict: Verdict
    fields: Mapping[str, Any]
    message: str | None = None


def judge(
    rule: Rule,
    policy: Policy,
    coverage: Sequence[Coverage],
    waivers: Sequence[WaiverResult],
    as_of: int,
    frameworks: Sequence[Framework] = (),
) -> tuple[Judgement, ...]:
    """Judge one rule on all its subjects; the texts of `frameworks` may want a review more often."""
    judges = {
        "scope-incomplete": lambda: _scopes(coverage, {ScopeStatus.PARTIAL, ScopeStatus.FAILED}),
        "scope-empty": lambda: _scopes(coverage, {ScopeStatus.EMPTY}),
        "waiver-expired": lambda: _waivers(waivers, "expired"),
        "waiver-unused": lambda: _waivers(waivers, "unused"),
        "waiver-invalid": lambda: _waivers(waivers, "invalid"),
        "policy-not-reviewed": lambda: _review(policy, as_of, frameworks),
    }
    return tuple(judges[rule.name]())


def _scopes(coverage: Sequence[Coverage], wrong: set[ScopeStatus]) -> Iterator[Judgement]:
    for scope in coverage:
        verdict = Verdict.UNKNOWN if scope.status in wrong else Verdict.PASS
        reason = scope.reason or "no reason given"
        fields = {"source": scope.source, "scope": scope.scope, "status": str(scope.status), "reason": reason}
        yield Judgement(f"{scope.source} {scope.scope}", verdict, fields)


def _waivers(waivers: Sequence[WaiverResult], wrong: str) -> Iterator[Judgement]:
    for waiver in waivers:
        verdict = Verdict.FAIL if waiver.status == wrong else Verdict.PASS
        until = format_date(waiver.ends - 1) if waiver.ends is not None else None
        problem = "; ".join(waiver.problems) or None
        yield Judgement(waiver.id, verdict, {"id": waiver.id, "problem": problem, "until": until})


def _review(policy: Policy, as_of: int, frameworks: Sequence[Framework]) -> Iterator[Judgement]:
    """A policy without a review date was not reviewed; nor was one that is dated after the audit.

    It is late by its own interval or by the shortest that a framework's text states, whichever
    ends first. Without an interval of its own it passes nothing.
    """
    reviewed, every, said = policy.reviewed_on, policy.review_every, None
    shortest, clause = review_interval(policy, frameworks) or (None, None)
    if every is not None:
        said = format_duration(every)
    if shortest is not None and (every is None or shortest < every):
        every, said = shortest, f"{format_duration(shortest)} ({clause})"
    if reviewed is None:
        verdict, when = Verdict.FAIL, "never"
    elif reviewed > as_of:
        verdict, when = Verdict.FAIL, f"in the future ({format_date(reviewed)})"
    else:
        late = every is not None and as_of > reviewed + every
        judged = Verdict.UNKNOWN if policy.review_every is None else Verdict.PASS
        verdict, when = Verdict.FAIL if late else judged, format_date(reviewed)
    fields = {"name": policy.name, "reviewed_on": when, "review_every": said, "approval": _approval(policy)}
    silent = f"policy {policy.name} was last reviewed {when}; it does not say how often it must be"
    yield Judgement(policy.name, verdict, fields, silent if said is None else None)


def _approval(policy: Policy) -> str:
    """Say whether somebody else than its owner approved the policy; that alone fails nothing."""
    if people.blank(policy.approved_by):
        return "approved by nobody"
    if people.blank(policy.owner):
        return "approved, but owned by nobody"
    by_owner = people.same(policy.owner, policy.approved_by)
    return "approved by its owner alone" if by_owner else "approved by somebody else than its owner"


def block(
    rule: Rule,
    severity: Severity | None,
    verdict: Verdict,
    judgements: Sequence[Judgement],
    controls: Sequence[ControlRef],
) -> ReadyBlock:
    """Turn the judgements of one verdict into findings; `controls` are those the rule bears on."""
    ready = tuple(
        Finding(
            rule=rule.id,
            name=rule.name,
            verdict=verdict,
            severity=severity,
            basis=rule.basis,
            credential=None,
            subject=judgement.subject,
            version=None,
            message=judgement.message
            or rule.message.format_map({k: "none" if v is None else v for k, v in judgement.fields.items()}),
            evidence=dict(judgement.fields),
            due_at=None,
            clause=None,
            fix=None,
            controls=tuple(controls),
            waiver=None,
            fingerprint=fingerprint(rule.id, judgement.subject),
        )
        for judgement in sorted(judgements, key=lambda j: j.subject)
        if judgement.verdict is verdict
    )
    return ReadyBlock(rule, verdict, severity, ready)


def waiver_results(
    waivers: Sequence[Waiver], matched: Mapping[str, int], as_of: int
) -> tuple[WaiverResult, ...]:
    """Say what became of each waiver at `as_of`."""
    return tuple(
        WaiverResult(
            id=waiver.id,
            status=_status(waiver, matched.get(waiver.id, 0), as_of),
            matched=matched.get(waiver.id, 0),
            rules=waiver.rules,
            reason=waiver.reason,
            requested_by=waiver.requested_by,
            approved_by=waiver.approved_by,
            starts=waiver.starts,
            ends=waiver.ends,
            problems=waiver.problems,
        )
        for waiver in waivers
    )


def _status(waiver: Waiver, matched: int, as_of: int) -> str:
    """Give the status of a waiver; one that is active but matched nothing is `unused`."""
    now = status(waiver, as_of)
    return "unused" if now == "active" and not matched else now
