"""One report, asked what it could see: a finding that it does not list is not for that reason mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keyaudit.trend.saved import Finding, Key, Place, Row, Saved
from keyaudit.trend.tally import Of

CLOSED, GONE, WAIVED, UNSEEN = "closed", "gone", "waived", "unseen"
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """By what a report judged: the columns that each of its rules lacked, and the policy's name."""

    lacking: Mapping[str, frozenset[str]]
    policy: str


@dataclass(slots=True)
class Standing:
    """A failed finding: its rule, the credential that it is about, if any, how it was last judged, group."""

    rule: str
    key: Key | None
    judged: Judged
    of: Of


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

    def asks(self, rule: str, lacking: frozenset[str] = NOTHING) -> bool:
        """Say whether a rule was on and lacked no column but those that it lacked before."""
        now = self.lacking.get(rule)
        return now is not None and now <= lacking

    def fate(self, fingerprint: str, known: Standing) -> str:
        """Say what became of a finding that failed before and is not among the failures now."""
        if fingerprint in self.waived:
            return WAIVED
        lacked = known.judged.lacking.get(known.rule, NOTHING)
        asked, key = fingerprint not in self.undecided and self.asks(known.rule, lacked), known.key
        if key is None:
            return CLOSED if asked and self.saved.policy.name == known.judged.policy else UNSEEN
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
