"""From findings to controls: what each clause of a framework came to. Never the word "compliant"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit.model import Basis, ControlResult, Policy, Rule, Verdict
from keyaudit.report.questions import Place


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the audit knows beside the counts of credentials.

    `rules` maps every rule name to its rule, `unasked` rule names to why they could not be
    asked, `others` the results of rules about scopes, waivers and the policy by rule name and
    verdict. `failing` counts, by control, the credentials that broke it, `waived` those whose
    failures are all waived. `blind` says why the population is not complete, if it is not.
    """

    rules: Mapping[str, Rule]
    unasked: Mapping[str, str]
    others: Mapping[str, Mapping[Verdict, int]]
    failing: Mapping[tuple[str, str], int]
    waived: Mapping[tuple[str, str], int]
    blind: str


def results(laid: Sequence[Place], counts: Mapping[str, Any], known: Evidence, policy: Policy) -> tuple[ControlResult, ...]:
    """Give the result of every control, in the order of its framework."""
    return tuple(_result(place, counts, known, policy) for place in laid)


def _result(place: Place, counts: Mapping[str, Any], known: Evidence, policy: Policy) -> ControlResult:
    control = place.control
    mine = [known.others[name] for name in control.rules if name in known.others]
    exceptions = known.failing.get(place.key, 0) + sum(verdicts.get(Verdict.FAIL, 0) for verdicts in mine)
    unclassified = 0
    if _about_credentials(place, known) or not mine:
        population, unclassified = _population(place, counts)
        tested = int(counts.get(place.tested) or 0)
        unknown = int(counts.get(f"{place.tested}:unknown") or 0)
    else:
        population = sum(sum(verdicts.values()) for verdicts in mine)
        unknown = sum(verdicts.get(Verdict.UNKNOWN, 0) for verdicts in mine)
        tested = population - unknown
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


def _about_credentials(place: Place, known: Evidence) -> bool:
    return any(known.rules[name].subject == "credential" for name in place.control.rules if name in known.rules)


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
        return "not-evaluated", f"{unclassified:,} credentials have no class that places them in or out of it"
    if not population:
        return "not-applicable", "no credential of this kind in the population"
    if waived := known.waived.get(place.key, 0):
        return "supporting-only", f"nothing failed, but {waived:,} are covered by waivers that an auditor must accept"
    if reason := _untested(control.rules, known, unknown, population):
        return "not-evaluated", reason
    if not tested:
        return "not-applicable", "nothing happened in the population that this control is about"
    if control.evidence != "direct":
        return "supporting-only", "nothing failed; metadata shows only a part of what this control asks"
    return "no-exception", "every credential of the population was tested and none failed"


def _untested(rules: Sequence[str], known: Evidence, unknown: int, population: int) -> str:
    bearing = [name for name in rules if name in known.rules and known.rules[name].basis is not Basis.PRACTICE]
    unasked = [f"{name} ({known.unasked[name]})" for name in bearing if name in known.unasked]
    if unasked:
        return f"not tested: {', '.join(unasked)}"
    if known.blind:
        return known.blind
    if unknown:
        return f"{unknown:,} of {population:,} could not be tested"
    return ""
