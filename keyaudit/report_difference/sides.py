"""One report, laid out so that two of them can be held side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keyaudit.model import (
    EVERY_SCOPE,
    Coverage,
    CredentialRef,
    Finding,
    PopulationRow,
    Report,
    RuleResult,
    ScopeStatus,
    WaiverResult,
)

LIMITS = frozenset({"after", "within", "max_age", "apart"})
"""Durations that a policy sets for one rule; a finding's evidence carries its own rule's."""

Place = tuple[str, str, str]
"""Source, scope and id of a credential."""


def place_of(credential: CredentialRef | PopulationRow) -> Place:
    """Say which credential it is."""
    return credential.source, credential.scope, credential.id


@dataclass(frozen=True)
class Side:
    """A report and its parts by what names them; `findings` by fingerprint and how often it came before.

    `limits` are those of each rule on which all its findings agree, `tolerances` by schedule.
    """

    report: Report
    findings: Mapping[tuple[str, int], Finding]
    by_credential: Mapping[Place, Sequence[Finding]]
    rows: Mapping[Place, PopulationRow]
    scopes: Mapping[tuple[str, str], Coverage]
    rules: Mapping[str, RuleResult]
    waivers: Mapping[str, WaiverResult]
    tolerances: Mapping[str, int]
    limits: Mapping[str, Mapping[str, str]]

    def unseen(self, source: str, scope: str, *, listed: bool = False) -> str | None:
        """Say why something may be in a scope that the report does not show; None if it was read whole.

        What is `listed` was seen, whether or not the inventory says how far it looked.
        """
        found = self.scopes.get((source, scope)) or self.scopes.get((source, EVERY_SCOPE))
        if found is None and listed:
            return None
        if found is None:
            return "its scope was not asked for" if self.scopes else "the report does not name its scopes"
        if found.status is ScopeStatus.COMPLETE:
            return None
        return f"its scope was {found.status}" + (f": {found.reason}" if found.reason else "")

    def incomplete(self) -> Coverage | None:
        """Give a scope that was not read to the end, if there is one."""
        return next((s for s in self.scopes.values() if s.status is not ScopeStatus.COMPLETE), None)

    def evidence(self, place: Place) -> dict[str, Any]:
        """Gather what all findings about a credential say of it; the first one's word counts."""
        known: dict[str, Any] = {}
        for finding in self.by_credential.get(place, ()):
            for fact, value in finding.evidence.items():
                known.setdefault(fact, value)
        return known


def side(report: Report) -> Side:
    """Lay a report out."""
    findings = numbered(report.findings)
    by_credential: dict[Place, list[Finding]] = {}
    for finding in findings.values():
        if finding.credential is not None:
            by_credential.setdefault(place_of(finding.credential), []).append(finding)
    return Side(
        report=report,
        findings=findings,
        by_credential=by_credential,
        rows={place_of(row): row for row in report.population},
        scopes={(scope.source, scope.scope): scope for scope in report.coverage},
        rules={rule.id: rule for rule in report.rules},
        waivers={waiver.id: waiver for waiver in report.waivers},
        tolerances={schedule.name: schedule.overdue_tolerance for schedule in report.policy.schedules},
        limits=_limits(findings.values()),
    )


def _limits(findings: Iterable[Finding]) -> dict[str, dict[str, str]]:
    """Give the limits of each rule; a framework's text may set its own for some, so that none is sure."""
    said: dict[str, dict[str, set[str]]] = {}
    for finding in findings:
        for name in LIMITS & finding.evidence.keys():
            said.setdefault(finding.rule, {}).setdefault(name, set()).add(str(finding.evidence[name]))
    return {
        rule: {name: min(values) for name, values in limits.items() if len(values) == 1}
        for rule, limits in said.items()
    }


def numbered(findings: Iterable[Finding]) -> dict[tuple[str, int], Finding]:
    """Key findings by fingerprint, those that share one by their order too."""
    found: dict[tuple[str, int], Finding] = {}
    for finding in findings:
        found[_numbered(found, finding.fingerprint)] = finding
    return found


def _numbered(found: Mapping[tuple[str, int], Finding], fingerprint: str) -> tuple[str, int]:
    number = 0
    while (fingerprint, number) in found:
        number += 1
    return fingerprint, number
