"""A believable audit of a company that does not exist: the same report for the same arguments.

`sample_report` has every kind of row that a format must show, hostile names among them, and
grows to hundreds of thousands of findings.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace

from formats import sample_texts as texts
from formats.sample_ledger import ledgered
from keyaudit import times
from keyaudit.model import (
    ControlRef,
    CredentialRef,
    Finding,
    InventorySummary,
    PopulationRow,
    Report,
    Severity,
    Summary,
    Verdict,
    VersionBar,
    VersionState,
)

AS_OF = times.parse_instant("2026-05-01T00:00:00Z")
ACCOUNT = "111122223333"

HOSTILE = (
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</script><script>window.pwned=1</script>",
    "<!--<script>",
    "=cmd|'/c calc'!A0",
    "prod/\u202egnp.exe",
    "\x1b[31mred\x1b[0m\x07",
    "very-long/" + "x" * 190,
    "🔑🔒 clé-été-日本語",
    "two\nlines\u2028three",
    "{{ 7*7 }}${7*7}",
    "javascript:alert(1)",
)
BUNDLES: tuple[tuple[str, ...], ...] = (
    ("KA101",),
    ("KA101", "KA301"),
    ("KA201",),
    ("KA101", "KA106", "KA107"),
    ("KA401",),
    ("KA108",),
    ("KA101?",),
    ("KA301",),
    ("KA102",),
    ("KA201?", "KA401?"),
    ("KA104",),
    ("KA501",),
    ("KA101!",),
    ("KA302", "KA110"),
)
"""Rules that one credential breaks together; `?` is unknown, `!` is waived."""

PERIODS = {"production": (90, 2), "staging": (90, 7), "development": (180, 14)}
VERDICTS = {"?": Verdict.UNKNOWN, "!": Verdict.WAIVED}
VERDICT_ORDER = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED)


def sample_report(
    findings: int = 25, credentials: int | None = None, *, seed: int = 1, as_of: int = AS_OF
) -> Report:
    """Make a report with exactly that many findings.

    `credentials` defaults to as many as are needed, at least 40; ValueError if they are too few.
    """
    chance = random.Random(seed)
    plan = _plan(findings, chance)
    size = max(40, len(plan)) if credentials is None else credentials
    if len(plan) > size:
        raise ValueError(f"{findings} findings need {len(plan)} credentials")
    broken = [plan[n] if n < len(plan) else () for n in range(size)]
    chance.shuffle(broken)
    population = tuple(_row(n, marks, as_of, chance) for n, marks in enumerate(broken))
    made = [
        _finding(row, mark, as_of) for row, marks in zip(population, broken, strict=True) for mark in marks
    ]
    made += _other_findings(findings - len(made))
    return ledgered(_report(tuple(sorted(made, key=_order)), population, as_of))


def _plan(findings: int, chance: random.Random) -> list[tuple[str, ...]]:
    """Deal out bundles until the count is met; two findings are about something else."""
    left = max(0, findings - 2) if findings >= 10 else findings
    plan: list[tuple[str, ...]] = []
    while left:
        bundle = BUNDLES[len(plan)] if len(plan) < len(BUNDLES) else chance.choice(BUNDLES)
        plan.append(bundle[:left])
        left -= len(plan[-1])
    return plan


def _row(n: int, marks: tuple[str, ...], as_of: int, chance: random.Random) -> PopulationRow:
    environment = chance.choice(("production", "production", "staging", "development"))
    period, grace = (days * times.DAY for days in PERIODS[environment])
    source = chance.choice(texts.SOURCES)
    name = HOSTILE[n] if n < len(HOSTILE) else texts.name(n, environment)
    scope = f"{ACCOUNT}/{chance.choice(('us-east-1', 'eu-central-1'))}" if "aws" in source else "kv/payments"
    versions = _versions(marks, period, grace, as_of, chance)
    created = versions[-1].created_at if versions else None
    age = None if created is None else as_of - created
    bounded = created is None
    rules = tuple(mark for mark in marks if mark[-1] not in VERDICTS)
    verdicts = [VERDICTS.get(mark[-1], Verdict.FAIL) for mark in marks]
    return PopulationRow(
        source=source,
        scope=scope,
        id=f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{name}-{n:06x}",
        name=name,
        cls=None
        if "KA302" in marks
        else chance.choice(("api-key", "api-key", "service-password", "signing-key")),
        provider=chance.choice(("openai", "stripe", "github", None)),
        environment=None if "KA302" in marks else environment,
        tier=chance.choice((1, 2, 3, None)),
        owner=None if "KA301" in marks else chance.choice(texts.OWNERS),
        age_min=20 * times.DAY if bounded else age,
        age_max=400 * times.DAY if bounded and n % 2 else age,
        age_basis="bounded" if bounded else "version-created",
        rotation_period=None if "KA110" in marks else period,
        grace_period=grace,
        schedule=None if "KA110" in marks else environment,
        due_at=None if created is None or "KA110" in marks else created + period,
        worst=min(verdicts, key=VERDICT_ORDER.index, default=Verdict.PASS),
        severity=min((texts.RULES[rule].severity for rule in rules), key=_rank, default=None),
        rules=rules,
        versions=versions,
    )


def _versions(
    marks: tuple[str, ...], period: int, grace: int, as_of: int, chance: random.Random
) -> tuple[VersionBar, ...]:
    """Make a history, oldest first, that fits what the credential is accused of."""
    if "KA101?" in marks:
        return ()
    late = any(mark[:5] in ("KA101", "KA102", "KA108") for mark in marks)
    share = chance.uniform(1.05, 3.2) if late else chance.uniform(0.04, 0.97)
    newest = as_of - int(period * share) // times.SECOND * times.SECOND
    starts = [newest]
    for _ in range(0 if "KA102" in marks else chance.randint(1, 4)):
        starts.insert(0, starts[0] - int(period * chance.uniform(0.5, 1.3)) // times.SECOND * times.SECOND)
    bars = [_bar(k, starts, marks, grace, chance) for k in range(len(starts))]
    if "KA104" in marks:
        stuck = VersionBar(f"v{len(bars) + 1}", VersionState.PENDING, as_of - 9 * times.DAY, None, None, None)
        bars.insert(-1, stuck)
    return tuple(bars)


def _bar(k: int, starts: list[int], marks: tuple[str, ...], grace: int, chance: random.Random) -> VersionBar:
    version = f"v{k + 1}"
    if k == len(starts) - 1:
        return VersionBar(version, VersionState.CURRENT, starts[k], None, None, usable=True)
    end = starts[k + 1]
    if k == len(starts) - 2 and "KA201" in marks:
        return VersionBar(version, VersionState.SUPERSEDED, starts[k], end, None, usable=True)
    if k == len(starts) - 2 and "KA201?" in marks:
        return VersionBar(version, VersionState.SUPERSEDED, starts[k], end, None, usable=None)
    if k == 0 and chance.random() < 0.2:
        return VersionBar(version, VersionState.DESTROYED, None, end, None, usable=False)
    retired = end + int(grace * chance.uniform(0.2, 0.9))
    return VersionBar(version, VersionState.DISABLED, starts[k], end, retired, usable=False)


def _finding(row: PopulationRow, mark: str, as_of: int) -> Finding:
    verdict = VERDICTS.get(mark[-1], Verdict.FAIL)
    rule = texts.RULES[mark[:5]]
    dated = rule.id in ("KA101", "KA102")
    version = row.versions[-2].id if rule.id == "KA201" and len(row.versions) > 1 else None
    age = "unknown" if row.due_at is None else times.describe_duration(row.age_min or 0)
    created = row.versions[-1].created_at if row.versions else None
    return Finding(
        rule=rule.id,
        name=rule.name,
        verdict=verdict,
        severity=rule.severity,
        basis=rule.basis,
        credential=CredentialRef(row.source, row.scope, row.id, row.name, row.environment, row.owner),
        subject=None,
        version=version,
        message="cannot be decided from the dates known"
        if verdict is Verdict.UNKNOWN
        else rule.message.format(
            age=age, schedule=row.schedule, period=times.format_duration(row.rotation_period or 0)
        ),
        evidence={
            "value_created_at": None if created is None else times.format_instant(created),
            "age_basis": row.age_basis,
            "rotation_period": None
            if row.rotation_period is None
            else times.format_duration(row.rotation_period),
            "version_count": len(row.versions),
            "has_pending": rule.id == "KA104",
        },
        due_at=row.due_at if dated else None,
        clause=f"acme-credential-rotation: {row.schedule}" if dated else None,
        fix=f"aws secretsmanager rotate-secret --secret-id {row.id!r}" if rule.fixable else None,
        controls=tuple(ControlRef(*control) for control in rule.controls),
        waiver="W-2026-014" if verdict is Verdict.WAIVED else None,
        fingerprint=hashlib.sha256(f"{rule.id} {row.id} {version}".encode()).hexdigest()[:32],
    )


def _other_findings(count: int) -> list[Finding]:
    """Findings about a scope and a waiver: no credential, and the first has no severity."""
    found = []
    for identifier, subject, message in texts.OTHERS[:count]:
        rule = texts.RULES[identifier]
        found.append(
            Finding(
                rule=rule.id,
                name=rule.name,
                verdict=Verdict.UNKNOWN if rule.severity is None else Verdict.FAIL,
                severity=rule.severity,
                basis=rule.basis,
                credential=None,
                subject=subject,
                version=None,
                message=message,
                evidence={"status": "failed" if rule.severity is None else "unused"},
                due_at=None,
                clause=None,
                fix=None,
                controls=tuple(ControlRef(*control) for control in rule.controls),
                waiver=None,
                fingerprint=hashlib.sha256(f"{identifier} {subject}".encode()).hexdigest()[:32],
            )
        )
    return found


def _rank(severity: Severity | None) -> int:
    return len(Severity) if severity is None else severity.rank


def _order(finding: Finding) -> tuple[int, int, str, str]:
    subject = finding.credential.id if finding.credential else finding.subject or ""
    return VERDICT_ORDER.index(finding.verdict), _rank(finding.severity), finding.rule, subject


def _report(findings: tuple[Finding, ...], population: tuple[PopulationRow, ...], as_of: int) -> Report:
    counts = Counter((finding.rule, finding.verdict) for finding in findings)
    rules = tuple(texts.rule_result(rule, counts, len(population)) for rule in texts.RULES.values())
    failed = Counter(f.severity for f in findings if f.verdict is Verdict.FAIL and f.severity)
    verdicts = {
        Verdict.PASS: sum(rule.passed for rule in rules),
        Verdict.FAIL: sum(rule.failed for rule in rules),
        Verdict.UNKNOWN: sum(rule.unknown for rule in rules),
        Verdict.NOT_APPLICABLE: sum(rule.not_applicable for rule in rules),
        Verdict.WAIVED: sum(rule.waived for rule in rules),
    }
    gate = any(failed[severity] for severity in (Severity.CRITICAL, Severity.HIGH))
    return Report(
        version="0.1.0",
        as_of=as_of,
        period=None,
        policy=replace(texts.POLICY, reviewed_on=as_of - 60 * times.DAY),
        frameworks=texts.FRAMEWORKS,
        inventory=InventorySummary(
            "a1" * 32, as_of - times.HOUR, len(population), sum(len(row.versions) for row in population)
        ),
        coverage=texts.coverage(len(population), as_of),
        summary=Summary(
            verdicts, {s: failed[s] for s in Severity if failed[s]}, Severity.HIGH, 1 if gate else 3
        ),
        rules=rules,
        controls=texts.controls(findings, len(population)),
        findings=findings,
        waivers=texts.waivers(as_of),
        population=population,
        orphans=tuple(
            CredentialRef(row.source, row.scope, row.id, row.name, row.environment, row.owner)
            for row in population
            if row.name in HOSTILE
        ),
    )
