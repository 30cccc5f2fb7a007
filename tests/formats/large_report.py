"""A made-up report of any size, for limits and measurements: the same one for the same numbers."""

from __future__ import annotations

from keyaudit import times
from keyaudit.model import (
    Basis,
    ControlRef,
    ControlResult,
    Coverage,
    CredentialRef,
    Finding,
    FrameworkResult,
    InventorySummary,
    PolicySummary,
    PopulationRow,
    Report,
    RuleResult,
    ScheduleSummary,
    ScopeStatus,
    Severity,
    Summary,
    Verdict,
    VersionBar,
    VersionState,
    WaiverResult,
)

AS_OF = times.parse_instant("2026-05-01T00:00:00Z")
RULES = (
    (
        "KA101",
        "rotation-overdue",
        Severity.HIGH,
        Basis.POLICY,
        "value is {age} d old; {schedule} allows {period} d",
    ),
    (
        "KA201",
        "old-key-active",
        Severity.HIGH,
        Basis.POLICY,
        "old key still works {age} d after its grace ended",
    ),
    ("KA301", "unowned", Severity.MEDIUM, Basis.POLICY, "nobody owns it"),
    ("KA401", "unused", Severity.MEDIUM, Basis.POLICY, "not used for {age} d"),
    ("KA103", "rotation-due-soon", Severity.INFO, Basis.PRACTICE, "falls due within 14 d"),
)
ENVIRONMENTS = ("production", "staging", "development")
PERIODS = {"production": 90, "staging": 90, "development": 180}


def large_report(findings: int, *, credentials: int | None = None, owners: int = 12) -> Report:
    """Make a report with that many findings, spread over `RULES`, environments and owners."""
    size = credentials or findings
    found = tuple(sorted((_finding(n, size, owners) for n in range(findings)), key=_order))
    failed = sum(finding.verdict is Verdict.FAIL for finding in found)
    return Report(
        version="0.1.0",
        as_of=AS_OF,
        period=None,
        policy=_policy(),
        frameworks=(
            FrameworkResult("soc2", "SOC 2", "2017 (2022)", "AICPA", "Trust services criteria.", "c" * 64),
        ),
        inventory=InventorySummary("a" * 64, AS_OF - times.HOUR, size, 2 * size),
        coverage=(
            Coverage(
                "aws-secrets-manager", "111122223333/us-east-1", ScopeStatus.COMPLETE, size, 2 * size, 40, 40
            ),
            Coverage("vault", "kv/payments", ScopeStatus.FAILED, reason="permission denied (403)"),
        ),
        summary=Summary(
            {Verdict.PASS: 4 * size, Verdict.FAIL: failed, Verdict.UNKNOWN: findings - failed},
            {
                s: n
                for s in Severity
                if (n := sum(f.severity is s and f.verdict is Verdict.FAIL for f in found))
            },
            Severity.HIGH,
            1,
        ),
        rules=tuple(_rule(rule, found, size) for rule in RULES),
        controls=(_control(found, size),),
        findings=found,
        waivers=(
            WaiverResult(
                "W-1",
                "active",
                1,
                ("KA101",),
                "no second slot",
                "a@x.example",
                "b@x.example",
                AS_OF,
                None,
                (),
            ),
        ),
        population=tuple(_row(n, size, owners) for n in range(size)),
    )


def _order(finding: Finding) -> tuple[int, int, str, str]:
    verdicts = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED)
    rank = finding.severity.rank if finding.severity else 9
    return (
        verdicts.index(finding.verdict),
        rank,
        finding.rule,
        finding.credential.id if finding.credential else "",
    )


def _age(n: int) -> int:
    return 91 + (n * 37) % 300


def _finding(n: int, size: int, owners: int) -> Finding:
    rule, name, severity, basis, message = RULES[n % len(RULES)]
    row = _row(n % size, size, owners)
    verdict = Verdict.UNKNOWN if n % 11 == 10 else Verdict.FAIL
    period = PERIODS[row.environment or "production"]
    dated = rule in ("KA101", "KA103")
    return Finding(
        rule=rule,
        name=name,
        verdict=verdict,
        severity=severity,
        basis=basis,
        credential=CredentialRef(row.source, row.scope, row.id, row.name, row.environment, row.owner),
        subject=None,
        version="v1" if rule == "KA201" else None,
        message=message.format(age=_age(n), schedule=row.environment, period=period),
        evidence={
            "value_created_at": times.format_instant(AS_OF - _age(n) * times.DAY),
            "age_basis": "version-created",
            "rotation_period": f"{period}d",
            "schedule": row.environment,
        },
        due_at=AS_OF - (_age(n) - period) * times.DAY if dated else None,
        clause="acme-credential-rotation: production" if dated else None,
        fix=f"aws secretsmanager rotate-secret --secret-id '{row.id}'" if dated else None,
        controls=(ControlRef("soc2", "CC6.1"),) if basis is Basis.POLICY else (),
        waiver=None,
        fingerprint=f"{n:064x}",
    )


def _row(n: int, size: int, owners: int) -> PopulationRow:
    environment = ENVIRONMENTS[n % 3]
    name = f"{environment}/service-{n:05d}/api-key"
    created = AS_OF - _age(n) * times.DAY
    period = PERIODS[environment] * times.DAY
    return PopulationRow(
        source="aws-secrets-manager",
        scope="111122223333/us-east-1",
        id=f"arn:aws:secretsmanager:us-east-1:111122223333:secret:{name}-AbCdEf",
        name=name,
        cls="api-key",
        provider="openai",
        environment=environment,
        tier=1 + n % 3,
        owner=None if n % 17 == 0 else f"team-{n % owners:02d}@acme.example",
        age_min=_age(n) * times.DAY,
        age_max=_age(n) * times.DAY,
        age_basis="version-created",
        rotation_period=period,
        grace_period=2 * times.DAY,
        schedule=environment,
        due_at=created + period,
        worst=Verdict.FAIL if n % 2 else Verdict.PASS,
        severity=Severity.HIGH if n % 2 else None,
        rules=("KA101",) if n % 2 else (),
        versions=(
            VersionBar(
                "v1",
                VersionState.SUPERSEDED,
                created - 90 * times.DAY,
                created,
                created + times.DAY,
                usable=False,
            ),
            VersionBar("v2", VersionState.CURRENT, created, None, None, usable=True),
        ),
    )


def _policy() -> PolicySummary:
    schedules = tuple(
        ScheduleSummary(name, None, f"environment: {name}", days * times.DAY, 2 * times.DAY, 0, 3)
        for name, days in PERIODS.items()
    )
    return PolicySummary(
        "acme-credential-rotation", "b" * 64, "sec@x.example", "ciso@x.example", AS_OF, schedules
    )


def _rule(rule: tuple[str, str, Severity, Basis, str], found: tuple[Finding, ...], size: int) -> RuleResult:
    identifier, name, severity, basis, _ = rule
    failed = sum(f.rule == identifier and f.verdict is Verdict.FAIL for f in found)
    unknown = sum(f.rule == identifier and f.verdict is Verdict.UNKNOWN for f in found)
    return RuleResult(
        id=identifier,
        name=name,
        severity=severity,
        basis=basis,
        passed=max(size - failed - unknown, 0),
        failed=failed,
        unknown=unknown,
        not_applicable=0,
        waived=0,
        not_collected=("last_used_at",) if identifier == "KA401" else (),
        title="the value in use is older than its rotation period",
        why="A value that is **never replaced** stays good for whoever copied it.",
        remediation="Rotate it, then:\n\n* check `last_used_at`\n* revoke the old one",
        references="* NIST SP 800-57",
    )


def _control(found: tuple[Finding, ...], size: int) -> ControlResult:
    return ControlResult(
        framework="soc2",
        id="CC6.1",
        title="Logical access security",
        summary="Protect information assets with logical access security.",
        result="exception",
        evidence="partial",
        modality="criterion",
        rules=tuple(rule[0] for rule in RULES[:4]),
        exceptions=len({f.credential.id for f in found if f.controls and f.credential}),
        tested=size,
        population=size,
        unclassified=0,
        reason="rotation-overdue failed",
        manual_evidence=("Change tickets of a sample of rotations",),
        source=("TSP section 100, CC6.1",),
    )
