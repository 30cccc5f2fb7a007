"""From findings to controls: what each clause of a framework came to. Never the word "compliant"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit.model import Basis, ControlResult, Policy, Rule, Verdict
from keyaudit.report.questions import Place

_WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the audit knows beside the counts of credentials.

    `rules` maps every rule name to its rule, `unasked` rule names to why they could not be
    asked, `others` the verdicts of rules about scopes, waivers and the policy by rule name and
    subject. `failing` counts, by control, the credentials that broke it, `waived` those whose
    failures are all waived. `blind` says why the population is not complete, if it is not.
    """

    rules: Mapping[str, Rule]
    unasked: Mapping[str, str]
    others: Mapping[str, Mapping[str, Verdict]]
    failing: Mapping[tuple[str, str], int]
    waived: Mapping[tuple[str, str], int]
    blind: str


def results(
    laid: Sequence[Place], counts: Mapping[str, Any], known: Evidence, policy: Policy
) -> tuple[ControlResult, ...]:
    """Give the result of every control, in the order of its framework."""
    return tuple(_result(place, counts, known, policy) for place in laid)


def _result(place: Place, counts: Mapping[str, Any], known: Evidence, policy: Policy) -> ControlResult:
    control = place.control
    population, tested, unknown, unclassified, exceptions = 0, 0, 0, 0, 0
    others = _others(control.rules, known)
    if _about_credentials(place, known) or not others:
        population, unclassified = _population(place, counts)
        tested = int(counts.get(place.tested) or 0)
        unknown = int(counts.get(f"{place.tested}:unknown") or 0)
        exceptions = known.failing.get(place.key, 0)
    for verdicts in others:
        population += verdicts.total()
        tested += verdicts.total() - verdicts[Verdict.UNKNOWN]
        unknown += verdicts[Verdict.UNKNOWN]
        exceptions += verdicts[Verdict.FAIL]
    result, reason = _decide(place, known, policy, exceptions, tested, unknown, population, unclassified)
    return ControlResult(
        framework=place.framework.id,
        id=control.id,
        title=control.title,
        summary=control.summary,
        result=result,
        evidence=control.evidence,
        modality=control.modality,
        rules=tuple(known.rules[name].id for name in control.rules if name in known.rules),
        exceptions=exceptions,
        tested=tested,
        population=population,
        unclassified=unclassified,
        reason=reason,
        manual_evidence=control.manual_evidence,
        source=control.source,
    )


def _others(rules: Sequence[str], known: Evidence) -> list[Counter[Verdict]]:
    """Sum up what is not a credential, once by kind: a waiver is one waiver for all rules about waivers."""
    kinds: dict[str, dict[str, Verdict]] = {}
    for name in rules:
        for subject, verdict in known.others.get(name, {}).items():
            worst = kinds.setdefault(known.rules[name].subject, {})
            worst[subject] = min(worst.get(subject, verdict), verdict, key=_WORST_FIRST.index)
    return [Counter(verdicts.values()) for verdicts in kinds.values()]


def _about_credentials(place: Place, known: Evidence) -> bool:
    return any(
        known.rules[name].subject == "credential" for name in place.control.rules if name in known.rules
    )


def _population(place: Place, counts: Mapping[str, Any]) -> tuple[int, int]:
    if place.population is None:
        return int(counts["credentials"]), 0
    return int(counts[place.population] or 0), int(counts[f"{place.population}:unclassified"] or 0)


def _decide(
    place: Place,
    known: Evidence,
    policy: Policy,
    exceptions: int,
    tested: int,
    unknown: int,
    population: int,
    unclassified: int,
) -> tuple[str, str]:
    """Give result and reason; the first thing that stands in the way of `no-exception` is named."""
    control = place.control
    demand = policy.frameworks.get(place.framework.id)
    if demand and control.id in demand.not_applicable:
        return "not-applicable", f"declared not applicable by the policy: {demand.not_applicable[control.id]}"
    if exceptions:
        return "exception", f"{exceptions:,} of {population:,} failed"
    if not [name for name in control.rules if name in known.rules]:
        return "not-evaluated", "metadata says nothing about it; see the manual evidence"
    if unclassified:
        return (
            "not-evaluated",
            f"{_some(unclassified, 'credential')} without a class that would place it in or out",
        )
    if not population:
        about = (
            "no credential of this kind"
            if _about_credentials(place, known)
            else "nothing of this kind, such as a waiver,"
        )
        return "not-applicable", f"{about} is in the population"
    if waived := known.waived.get(place.key, 0):
        return (
            "supporting-only",
            f"nothing else failed; {_some(waived, 'credential')} covered by waivers for an auditor to accept",
        )
    if reason := _untested(control.rules, known, unknown, population):
        return "not-evaluated", reason
    if not tested:
        return "not-applicable", "nothing happened in the population that this control is about"
    if control.evidence != "direct":
        return "supporting-only", "nothing failed; metadata shows only a part of what this control asks"
    return "no-exception", "every credential of the population was tested and none failed"


def _untested(rules: Sequence[str], known: Evidence, unknown: int, population: int) -> str:
    bearing = [
        name for name in rules if name in known.rules and known.rules[name].basis is not Basis.PRACTICE
    ]
    unasked = [f"{name} ({known.unasked[name]})" for name in bearing if name in known.unasked]
    if unasked:
        return f"not tested: {', '.join(unasked)}"
    if known.blind:
        return known.blind
    if unknown:
        return f"{unknown:,} of {population:,} could not be tested"
    return ""


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
