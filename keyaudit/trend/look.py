"""One report, asked what it could see: a finding that it does not list is not for that reason mended."""

from __future__ import annotations

from dataclasses import dataclass

from keyaudit.trend.saved import Finding, Key, Place, Row, Saved

CLOSED, GONE, WAIVED, UNSEEN = "closed", "gone", "waived", "unseen"


@dataclass(frozen=True)
class Look:
    """What one report lists, by key and fingerprint."""

    saved: Saved
    as_of: int
    rows: dict[Key, Row]
    failing: dict[str, Finding]
    undecided: dict[str, Finding]
    waived: dict[str, Finding]
    complete: frozenset[Place]
    lacking: dict[str, frozenset[str]]

    def asks(self, rule: str, lacking: frozenset[str] = frozenset()) -> bool:
        """Say whether a rule was on and lacked no column but those that it lacked before."""
        now = self.lacking.get(rule)
        return now is not None and now <= lacking

    def fate(self, fingerprint: str, finding: Finding, lacking: frozenset[str], policy: str) -> str:
        """Say what became of a finding that failed before and is not among the failures now."""
        if fingerprint in self.waived:
            return WAIVED
        asked = fingerprint not in self.undecided and self.asks(finding.rule, lacking)
        if finding.credential is None:
            return CLOSED if asked and self.saved.policy.name == policy else UNSEEN
        key = finding.credential.key
        if key in self.rows:
            return CLOSED if asked else UNSEEN
        return GONE if key[:2] in self.complete else UNSEEN


def look_at(saved: Saved) -> Look:
    """Sort what a report says."""
    found: dict[str, dict[str, Finding]] = {"fail": {}, "unknown": {}, "waived": {}}
    for finding in saved.findings:
        found[finding.verdict][finding.fingerprint] = finding
    complete = {(scope.source, scope.scope) for scope in saved.coverage if scope.status == "complete"}
    torn = {(scope.source, scope.scope) for scope in saved.coverage if scope.status != "complete"}
    return Look(
        saved,
        saved.instant,
        {(row.source, row.scope, row.id): row for row in saved.population},
        found["fail"],
        found["unknown"],
        found["waived"],
        frozenset(complete - torn),
        {rule.id: rule.not_collected for rule in saved.rules if rule.enabled},
    )
