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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of one control's question, credential by credential and subject by subject."""

    population: int
    tested: int
    unknown: int
    unclassified: int
    undefined: int
    left_out: int
    exceptions: int
    others: Counter[Verdict]


def _asked(place: Place, counts: Mapping[str, Any], known: Evidence) -> _Asked:
    """Count credentials; where a control is about none, count the scopes, waivers or policy it is about."""
    others = _others(place.control.rules, known)
    if _about_credentials(place, known) or not others:

        def count(word: str) -> int:
            return int(counts.get(f"{place.asks}:{word}") or 0)

        return _Asked(
            count("population"),
            count("tested"),
            count("unknown"),
            count("unclassified"),
            count("undefined"),
            count("left_out"),
            known.failing.get(place.key, 0),
            others,
        )
    total, unknown = others.total(), others[Verdict.UNKNOWN]
    return _Asked(total, total - unknown, unknown, 0, 0, 0, others[Verdict.FAIL], Counter())


def _result(place: Place, counts: Mapping[str, Any], known: Evidence, policy: Policy) -> ControlResult:
    control, asked = place.control, _asked(place, counts, known)
    result, reason = _decide(place, known, policy, asked)
    return ControlResult(
        framework=place.framework.id,
        id=control.id,
        title=control.title,
        summary=control.summary,
        result=result,
        evidence=control.evidence,
        modality=control.modality,
        rules=tuple(known.rules[name].id for name in control.rules if name in known.rules),
        exceptions=asked.exceptions + asked.others[Verdict.FAIL],
        tested=asked.tested + asked.others.total() - asked.others[Verdict.UNKNOWN],
        population=asked.population + asked.others.total(),
        unclassified=asked.unclassified,
        reason=reason,
        manual_evidence=control.manual_evidence,
        source=control.source,
    )


def _others(rules: Sequence[str], known: Evidence) -> Counter[Verdict]:
    """Sum up what is not a credential, once by kind: a waiver is one waiver for all rules about waivers."""
    kinds: dict[tuple[str, str], Verdict] = {}
    for name in rules:
        for subject, verdict in known.others.get(name, {}).items():
            key = known.rules[name].subject, subject
            kinds[key] = min(kinds.get(key, verdict), verdict, key=_WORST_FIRST.index)
    return Counter(kinds.values())


def _about_credentials(place: Place, known: Evidence) -> bool:
    return any(
        known.rules[name].subject == "credential" for name in place.control.rules if name in known.rules
    )


def _decide(place: Place, known: Evidence, policy: Policy, asked: _Asked) -> tuple[str, str]:
    """Give result and reason; the first thing that stands in the way of `no-exception` is named."""
    control = place.control
    demand = policy.frameworks.get(place.framework.id)
    if demand and control.id in demand.not_applicable:
        return "not-applicable", f"declared not applicable by the policy: {demand.not_applicable[control.id]}"
    if failed := _failed(asked):
        return "exception", failed
    if not any(name in known.rules for name in control.rules):
        why = "only an audit of a period tests it" if control.rules else "metadata says nothing about it"
        return "not-evaluated", f"{why}; see the manual evidence"
    if asked.unclassified:
        return "not-evaluated", f"{_some(asked.unclassified)} of unknown class could belong to it"
    if not asked.population:
        about = "credential" if _about_credentials(place, known) else "scope, waiver or policy"
        return "not-applicable", f"no {about} of this kind was audited{_aside(asked)}"
    if reason := _untested(control.rules, known, asked):
        return "not-evaluated", reason
    if waived := known.waived.get(place.key, 0):
        return (
            "supporting-only",
            f"nothing else failed; {_some(waived)} covered by waivers for an auditor to accept",
        )
    if not asked.tested:
        return "not-applicable", f"nothing happened that this control is about{_aside(asked)}"
    if control.evidence != "direct":
        return (
            "supporting-only",
            f"nothing failed{_shown(asked)}; metadata shows only a part of what is asked",
        )
    return "no-exception", f"nothing failed{_shown(asked)}"


def _failed(asked: _Asked) -> str:
    parts = []
    if asked.exceptions:
        parts.append(f"{asked.exceptions:,} of {asked.population:,} failed")
    if others := asked.others[Verdict.FAIL]:
        parts.append(f"{others:,} of {asked.others.total():,} scopes, waivers or policies failed")
    return "; ".join(parts)


def _shown(asked: _Asked) -> str:
    """Say who was looked at, when it was not simply everybody."""
    nothing = asked.population - asked.tested
    silent = f" on {asked.tested:,}; {nothing:,} gave its rules nothing to judge" if nothing else ""
    others = asked.others.total()
    beside = f", nor did {others:,} that are scopes, waivers or the policy" if others else ""
    return f"{silent}{beside}{_aside(asked)}"


def _aside(asked: _Asked) -> str:
    if not asked.left_out:
        return ""
    return f" ({_some(asked.left_out)} left out: not in use, a replica, or a customer's own)"


def _untested(rules: Sequence[str], known: Evidence, asked: _Asked) -> str:
    bearing = [
        name for name in rules if name in known.rules and known.rules[name].basis is not Basis.PRACTICE
    ]
    unasked = [f"{name} ({known.unasked[name]})" for name in bearing if name in known.unasked]
    if unasked:
        return f"not tested: {', '.join(unasked)}"
    if known.blind:
        return known.blind
    if asked.undefined:
        return f"no period or no grace is defined for {_some(asked.undefined)}"
    if unknown := asked.unknown + asked.others[Verdict.UNKNOWN]:
        return f"{unknown:,} of {asked.population + asked.others.total():,} could not be judged"
    return ""


def _some(count: int) -> str:
    return f"{count:,} credential" if count == 1 else f"{count:,} credentials"
