"""Rules that are about scopes, waivers and the policy: few subjects, judged one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit.model import (
    Coverage,
    Finding,
    Policy,
    Rule,
    RuleSetting,
    ScopeStatus,
    Severity,
    Verdict,
    Waiver,
    WaiverResult,
)
from keyaudit.report.findings import ReadyBlock, fingerprint
from keyaudit.times import format_date, format_duration


@dataclass(frozen=True, slots=True)
class Judgement:
    """One rule on one subject. `fields` fill the rule's message and become the evidence."""

    subject: str
    verdict: Verdict
    fields: Mapping[str, Any]


def judge(
    rule: Rule, policy: Policy, coverage: Sequence[Coverage], waivers: Sequence[WaiverResult], as_of: int
) -> tuple[Judgement, ...]:
    """Judge one rule on all its subjects."""
    judges = {
        "scope-incomplete": lambda: _scopes(coverage, {ScopeStatus.PARTIAL, ScopeStatus.FAILED}),
        "scope-empty": lambda: _scopes(coverage, {ScopeStatus.EMPTY}),
        "waiver-expired": lambda: _waivers(waivers, "expired"),
        "waiver-unused": lambda: _waivers(waivers, "unused"),
        "waiver-invalid": lambda: _waivers(waivers, "invalid"),
        "policy-not-reviewed": lambda: _review(policy, as_of),
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


def _review(policy: Policy, as_of: int) -> Iterator[Judgement]:
    """A policy without a review date was not reviewed; one without an interval cannot be judged."""
    reviewed, every = policy.reviewed_on, policy.review_every
    if reviewed is None:
        verdict = Verdict.FAIL
    elif every is None:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.FAIL if as_of > reviewed + every else Verdict.PASS
    fields = {
        "name": policy.name,
        "reviewed_on": format_date(reviewed) if reviewed is not None else "never",
        "review_every": format_duration(every) if every is not None else None,
    }
    yield Judgement(policy.name, verdict, fields)


def block(
    rule: Rule, setting: RuleSetting, verdict: Verdict, judgements: Sequence[Judgement], controls: Any
) -> ReadyBlock:
    """Turn the judgements of one verdict into findings; `controls` are those the rule bears on."""
    severity = _severity(rule, setting)
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
            message=rule.message.format_map(
                {k: "none" if v is None else v for k, v in judgement.fields.items()}
            ),
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


def _severity(rule: Rule, setting: RuleSetting) -> Severity | None:
    return None if rule.severity is None else setting.severity or rule.severity


def waiver_results(
    waivers: Sequence[Waiver], matched: Mapping[str, int], as_of: int
) -> tuple[WaiverResult, ...]:
    """Say what became of each waiver at `as_of`."""
    return tuple(
        WaiverResult(
            id=waiver.id,
            status=status(waiver, matched.get(waiver.id, 0), as_of),
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


def in_force(waiver: Waiver, as_of: int) -> bool:
    """Say whether a waiver waives anything at `as_of`: valid, begun, and its last UTC day not over."""
    return (
        not waiver.problems
        and waiver.ends is not None
        and (waiver.starts is None or waiver.starts <= as_of)
        and as_of < waiver.ends
    )


def status(waiver: Waiver, matched: int, as_of: int) -> str:
    """Give `invalid`, `expired`, `not-yet`, `unused` or `active`."""
    if waiver.problems or waiver.ends is None:
        return "invalid"
    if as_of >= waiver.ends:
        return "expired"
    if waiver.starts is not None and as_of < waiver.starts:
        return "not-yet"
    return "active" if matched else "unused"
