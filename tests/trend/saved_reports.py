"""Saved reports whose every figure is chosen by hand, written by the real writer."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keyaudit import model, times
from keyaudit.formats import render
from keyaudit.model import Basis, CredentialRef, Finding, PopulationRow, ScopeStatus, Severity, Verdict

RULES = ("KA101", "KA102", "KA201", "KA801")
FAIL, UNKNOWN, WAIVED = Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED


def at(day: str) -> int:
    return times.parse_instant(day if "T" in day else f"{day}T00:00:00Z")


@dataclass(frozen=True)
class Held:
    """A credential: `made` is the day its value was created; a pair of days bounds it; None is not known."""

    name: str
    made: str | tuple[str | None, str | None] | None = None
    fails: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    environment: str | None = "production"
    scope: str = "s"
    owner: str | None = "o"
    cls: str | None = "api-key"
    source: str = "vault"
    idle: bool = False


def make(
    day: str,
    *held: Held,
    scopes: Mapping[str, str] | None = None,
    policy: tuple[str, str] = ("p", "1"),
    off: Sequence[str] = (),
    lacking: Mapping[str, Sequence[str]] | None = None,
    policy_fails: bool = False,
    version: str = "0.1.0",
) -> model.Report:
    as_of = at(day)
    findings = [
        _finding(credential, rule, verdict)
        for credential in held
        for verdict, rules in (
            (FAIL, credential.fails),
            (UNKNOWN, credential.unknown),
            (WAIVED, credential.waived),
        )
        for rule in rules
    ]
    findings += [_finding(None, "KA801", FAIL)] if policy_fails else []
    counts = Counter((finding.rule, finding.verdict) for finding in findings)
    verdicts = {verdict: sum(n for (_, v), n in counts.items() if v is verdict) for verdict in Verdict}
    declared = {"s": "complete"} if scopes is None else scopes
    failed = verdicts[FAIL]
    return model.Report(
        version=version,
        as_of=as_of,
        period=None,
        policy=model.PolicySummary(policy[0], policy[1] * 64, None, None, None, ()),
        frameworks=(),
        inventory=model.InventorySummary("a" * 64, as_of, len(held), 0),
        coverage=tuple(
            model.Coverage("vault", scope, ScopeStatus(status)) for scope, status in declared.items()
        ),
        summary=model.Summary(
            verdicts, {Severity.HIGH: failed} if failed else {}, Severity.HIGH, 1 if failed else 3
        ),
        rules=tuple(_rule(rule, counts, rule not in off, (lacking or {}).get(rule, ())) for rule in RULES),
        controls=(),
        findings=tuple(findings),
        waivers=(),
        population=tuple(_row(credential, as_of) for credential in held),
        orphans=(),
    )


def _rule(rule: str, counts: Counter, enabled: bool, lacking: Sequence[str]) -> model.RuleResult:
    said = (counts[rule, verdict] for verdict in (FAIL, UNKNOWN))
    failed, unknown = said
    return model.RuleResult(
        rule, f"name-of-{rule}", Severity.HIGH, Basis.POLICY, 0, failed, unknown, 0, counts[rule, WAIVED],
        tuple(lacking), "", "", "", "", enabled,
    )  # fmt: skip


def _finding(held: Held | None, rule: str, verdict: Verdict) -> Finding:
    ref = held and CredentialRef(held.source, held.scope, held.name, held.name, held.environment, held.owner)
    identity = f"{rule} {held.source} {held.scope} {held.name}" if held else rule
    return Finding(
        rule, f"name-of-{rule}", verdict, Severity.HIGH, Basis.POLICY, ref, None if held else "the policy",
        None, "m", {}, None, None, None, (), None, hashlib.sha256(identity.encode()).hexdigest()[:32],
    )  # fmt: skip


def _row(held: Held, as_of: int) -> PopulationRow:
    low, high = held.made if isinstance(held.made, tuple) else (held.made, held.made)
    worst = (
        FAIL if held.fails else UNKNOWN if held.unknown else WAIVED if held.waived
        else Verdict.NOT_APPLICABLE if held.idle else Verdict.PASS
    )  # fmt: skip
    return PopulationRow(
        source=held.source, scope=held.scope, id=held.name, name=held.name, cls=held.cls, provider=None,
        environment=held.environment, tier=None, owner=held.owner,
        age_min=None if low is None else as_of - at(low), age_max=None if high is None else as_of - at(high),
        age_basis="version-created", rotation_period=None, grace_period=None, schedule=None, due_at=None,
        worst=worst, severity=Severity.HIGH if held.fails else None, rules=tuple(sorted(held.fails)), versions=(),
    )  # fmt: skip


def save(folder: Path, *reports: model.Report) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for number, report in enumerate(reports):
        (folder / f"{number:03}.json").write_bytes(render("json", report))
    return str(folder)
