"""Which controls are broken, by how many credentials, and what could not be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from keyaudit.model import Basis, Inventory, Policy, Rule, ScopeStatus
from keyaudit.report.controls import Evidence
from keyaudit.report.outcome import Outcome
from keyaudit.report.subjects import Judgement
from keyaudit.verdicts import FAIL, WAIVED


def evidence(
    rules: Sequence[Rule],
    policy: Policy,
    outcome: Outcome,
    others: Mapping[str, tuple[Judgement, ...]],
    standing: pl.DataFrame,
    inventory: Inventory,
    as_of: int,
) -> Evidence:
    """Gather what decides the results of controls beside the counts."""
    unasked = {j.rule.name: f"{', '.join(j.lacking)} not collected" for j in outcome.judged if j.lacking}
    unasked |= {
        rule.name: "switched off by the policy" for rule in rules if not policy.settings[rule.name].enabled
    }
    failing, waived = broken(outcome, standing)
    return Evidence(
        rules={rule.name: rule for rule in rules},
        unasked=unasked,
        others={name: {j.subject: j.verdict for j in judged} for name, judged in others.items()},
        failing=failing,
        waived=waived,
        blind=_blind(inventory, outcome.scopes, as_of),
    )


def _blind(inventory: Inventory, scopes: frozenset[tuple[str, str]], as_of: int) -> str:
    """Say why nobody can call the population complete; empty if they can."""
    coverage = inventory.coverage
    if not coverage:
        return "the inventory does not say what was asked for, so it may not be complete"
    unseen = sum(scope.status is not ScopeStatus.COMPLETE for scope in coverage)
    if unseen:
        return f"{unseen:,} of {len(coverage):,} scopes were empty or could not be read completely"
    if unclaimed := scopes - {(scope.source, scope.scope) for scope in coverage}:
        return f"nobody says that {len(unclaimed):,} of the scopes that credentials came from are complete"
    if inventory.collected_at is not None and inventory.collected_at > as_of:
        return "the inventory was collected after the instant of the audit"
    return ""


def broken(
    outcome: Outcome, standing: pl.DataFrame
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """Count, for every control, the credentials that break it and those whose breaks are waived.

    Good practice never breaks a control, and neither does a customer's own key.
    """
    if standing.is_empty():
        return {}, {}
    by_name = {judged.rule.name: judged for judged in outcome.judged}
    asked: dict[str, pl.Expr] = {}
    for i, place in enumerate(outcome.laid):
        bearing = [by_name[name] for name in place.control.rules if name in by_name]
        columns = sorted(
            {
                j.by_requirement[place.requirement]
                for j in bearing
                if j.asked and j.rule.basis is not Basis.PRACTICE
            }
        )
        inside = ~pl.col("user_owned").fill_null(value=False)
        if place.population is not None:
            inside &= pl.col(place.population).fill_null(value=False)
        if columns:
            fails = pl.any_horizontal(pl.col(name) == FAIL for name in columns)
            waived = pl.any_horizontal(pl.col(name) == WAIVED for name in columns)
            asked[f"f{i}"] = (inside & fails).sum()
            asked[f"w{i}"] = (inside & ~fails & waived).sum()
    answer = standing.select(**asked).row(0, named=True) if asked else {}
    both = (
        {p.key: int(answer.get(f"{letter}{i}") or 0) for i, p in enumerate(outcome.laid)} for letter in "fw"
    )
    failing, waived_only = both
    return failing, waived_only
