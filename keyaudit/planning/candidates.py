"""Candidates out of a report: what each credential's requirement and age come to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyaudit.model import Basis, Finding, PopulationRow, Report, RuleResult, Verdict, VersionState
from keyaudit.planning.model import Candidate
from keyaudit.report.fixing import fix
from keyaudit.rules import rotation_overdue

OVERDUE = ("KA101", "KA102")
UNDEFINED = "KA110"

Key = tuple[str, str, str]

_NOT_KEPT: Mapping[str, Any] = {"lineage": None, "user_owned": None, "next_at": None}
_FOR_FIXES: Mapping[str, Any] = {"rotation_enabled": None, "replica_of": None}


@dataclass(frozen=True)
class _Found:
    """What the findings say: who has no schedule, whose being late is waived, or is a customer's own."""

    unscheduled: set[Key] = field(default_factory=set)
    waived: dict[Key, str] = field(default_factory=dict)
    theirs: set[Key] = field(default_factory=set)


def candidates(
    report: Report,
    known: Mapping[Key, Mapping[str, Any]] | None = None,
    rotations: Mapping[Key, str] | None = None,
    commands: Mapping[str, str] | None = None,
) -> Iterator[Candidate]:
    """Give every credential of the population, in its order.

    `known` is what the inventory adds (`beside.known`), None where there is only the report. `rotations`
    says what keyaudit.yaml calls the rotation of a credential, and `commands` how each is run.
    """
    found = _read(report)
    asked = next((rule for rule in report.rules if rule.id == UNDEFINED), None)
    for row in report.population:
        key = row.source, row.scope, row.id
        own = (known or {}).get(key, _NOT_KEPT)
        named = (rotations or {}).get(key)
        command = (commands or {}).get(named or "") or fix(rotation_overdue.RULE, _fixed(row, own), None)
        period = row.rotation_period
        yield Candidate(
            *key,
            name=row.name,
            environment=row.environment,
            owner=row.owner,
            lineage=own["lineage"],
            schedule=row.schedule,
            rotation_period=period,
            due_from=None if period is None or row.age_max is None else report.as_of - row.age_max + period,
            due_by=None if period is None or row.age_min is None else report.as_of - row.age_min + period,
            made_at=_made_at(row, report.as_of),
            next_at=_ahead(own["next_at"], report.as_of),
            unscheduled=period is None and _unscheduled(row, key in found.unscheduled, asked),
            theirs=bool(own["user_owned"]) or key in found.theirs,
            waiver=found.waived.get(key),
            rotation=named,
            command=command,
        )


def _read(report: Report) -> _Found:
    found = _Found()
    usual = {rule.id: rule.basis for rule in report.rules}
    for finding in report.findings:
        if finding.credential is None or finding.rule not in {*OVERDUE, UNDEFINED}:
            continue
        key = finding.credential.source, finding.credential.scope, finding.credential.id
        if _about_a_customers(finding, usual):
            found.theirs.add(key)
        if finding.rule == UNDEFINED:
            found.unscheduled.add(key)
        elif finding.verdict is Verdict.WAIVED:
            found.waived[key] = finding.waiver or "a waiver"
    return found


def _about_a_customers(finding: Finding, usual: Mapping[str, Basis]) -> bool:
    """Say whether a rule only reminds here: findings about a customer's own key break no control."""
    return finding.basis is Basis.PRACTICE and usual.get(finding.rule) is not Basis.PRACTICE


def _unscheduled(row: PopulationRow, found: bool, asked: RuleResult | None) -> bool:  # noqa: FBT001
    """Say whether a credential without a period ought to have one.

    KA110 says so of each, where it is asked. Where a policy switched it off, whatever may rotate counts:
    unknown is never dropped.
    """
    if found or (asked is not None and asked.enabled):
        return found
    current = not row.versions or any(version.state is VersionState.CURRENT for version in row.versions)
    return row.worst is not Verdict.NOT_APPLICABLE and row.cls != "dynamic-secret" and current


def _made_at(row: PopulationRow, as_of: int) -> int | None:
    exact = row.age_min is not None and row.age_min == row.age_max
    return as_of - row.age_min if exact and row.age_min is not None else None


def _ahead(next_at: int | None, as_of: int) -> int | None:
    """A date in the past is one that the store missed: it promises nothing."""
    return next_at if next_at is not None and next_at >= as_of else None


def _fixed(row: PopulationRow, own: Mapping[str, Any]) -> dict[str, Any]:
    """Give what `report.fixing` reads of a row."""
    names = ("source", "scope", "id", "name", "provider")
    kept = {name: own.get(name, _FOR_FIXES[name]) for name in _FOR_FIXES}
    return {**{name: getattr(row, name) for name in names}, "class": row.cls, **kept}
