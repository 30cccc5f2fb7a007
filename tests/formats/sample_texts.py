"""The words and tables of `sample_report`: rules, controls, scopes, waivers, the policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keyaudit import times
from keyaudit.model import (
    Basis,
    ControlResult,
    Coverage,
    Finding,
    FrameworkResult,
    PolicySummary,
    RuleResult,
    ScheduleSummary,
    ScopeStatus,
    Severity,
    Verdict,
    WaiverResult,
)

SOURCES = ("aws-secrets-manager", "aws-secrets-manager", "aws-iam", "vault")
OWNERS = ("platform@acme.example", "payments@acme.example", "data@acme.example", "=owner()+<b>x</b>")
SERVICES = ("billing", "search", "mailer", "ingest", "webhooks", "reports", "auth", "ledger")
KINDS = ("openai", "stripe", "db-password", "jwt-signing", "github-token", "smtp")

WHY = """A value that is never replaced stays good for everyone who ever copied it: a laptop, a log, a leaver.

The longer it lives, the more copies exist, and `age` is the only thing metadata can show about them."""
REMEDIATION = """Rotate it with both keys alive:

- create the new value at the provider
- deploy it, and check `last_used_at` of the old one
- revoke the old one inside the grace period"""
REFERENCES = """- NIST SP 800-57 part 1, section 5.3: https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final
- PCI DSS 4.0.1, 8.6.3"""


@dataclass(frozen=True)
class SampleRule:
    """A rule as the sample needs it."""

    id: str
    name: str
    severity: Severity | None
    basis: Basis
    title: str
    message: str
    controls: tuple[tuple[str, str], ...] = ()
    fixable: bool = False
    not_collected: tuple[str, ...] = ()


CC61, CC62, PCI, ISO = ("soc2", "CC6.1"), ("soc2", "CC6.2"), ("pci-dss", "8.6.3"), ("iso27001", "A.5.17")
_ALL = (
    SampleRule(
        "KA101",
        "rotation-overdue",
        Severity.HIGH,
        Basis.POLICY,
        "the value in use is older than its rotation period",
        "value is {age} old; {schedule} allows {period}",
        (CC61, PCI),
        fixable=True,
    ),
    SampleRule(
        "KA102",
        "never-rotated",
        Severity.HIGH,
        Basis.POLICY,
        "one value ever, older than its period",
        "only one value ever existed and it is {age} old",
        (CC61, PCI),
        fixable=True,
    ),
    SampleRule(
        "KA104",
        "rotation-stalled",
        Severity.HIGH,
        Basis.POLICY,
        "a pending version never became current",
        "a new version has been pending for 9 d",
        (CC61,),
    ),
    SampleRule(
        "KA106",
        "schedule-too-slow",
        Severity.MEDIUM,
        Basis.POLICY,
        "the configured schedule exceeds the period",
        "rate(120 days) leaves up to 120 d between rotations; {schedule} allows {period}",
        (CC61,),
    ),
    SampleRule(
        "KA107",
        "rotation-manual",
        Severity.MEDIUM,
        Basis.POLICY,
        "policy wants automatic rotation and it is off",
        "rotation is not automatic",
        (CC61,),
    ),
    SampleRule(
        "KA108",
        "compromise-not-rotated",
        Severity.CRITICAL,
        Basis.POLICY,
        "flagged compromised and still usable",
        "flagged as compromised; the value from before is still usable",
        (CC61, ISO),
        fixable=True,
    ),
    SampleRule(
        "KA110",
        "period-undefined",
        Severity.MEDIUM,
        Basis.POLICY,
        "no schedule applies",
        "no schedule applies to it",
        (CC61,),
    ),
    SampleRule(
        "KA201",
        "old-key-active",
        Severity.HIGH,
        Basis.POLICY,
        "a superseded key still authenticates past grace",
        "the replaced key still authenticates after its grace period",
        (CC61, CC62),
        fixable=True,
    ),
    SampleRule("KA301", "unowned", Severity.MEDIUM, Basis.POLICY, "nobody owns it", "no owner", (CC62,)),
    SampleRule(
        "KA302",
        "unclassified",
        Severity.MEDIUM,
        Basis.POLICY,
        "no environment or class",
        "environment and class are not known",
        (ISO,),
    ),
    SampleRule(
        "KA401",
        "unused",
        Severity.MEDIUM,
        Basis.POLICY,
        "enabled and not used for longer than the limit",
        "not used for 140 d; the limit is 90 d",
        (CC62,),
        not_collected=("last_used_at",),
    ),
    SampleRule(
        "KA501",
        "rotated-together",
        Severity.LOW,
        Basis.PRACTICE,
        "production was rotated with its staging counterpart",
        "rotated 2 d after its staging counterpart",
    ),
    SampleRule("KA901", "scope-incomplete", None, Basis.POLICY, "a scope was partial or failed", "", (CC61,)),
    SampleRule("KA904", "waiver-unused", Severity.LOW, Basis.POLICY, "a waiver matches nothing", ""),
)
RULES = {rule.id: rule for rule in _ALL}
OTHERS = (
    ("KA901", "vault kv/payments", "the scope could not be read: permission denied (403)"),
    ("KA904", "W-2025-003", "waiver W-2025-003 matches no finding"),
)

POLICY = PolicySummary(
    "acme-credential-rotation",
    "b2" * 32,
    "security@acme.example",
    "ciso@acme.example",
    None,
    (
        ScheduleSummary(
            "production", None, "environment is production", 90 * times.DAY, 2 * times.DAY, 0, 21
        ),
        ScheduleSummary("staging", None, "environment is staging", 90 * times.DAY, 7 * times.DAY, 0, 10),
        ScheduleSummary(
            "development", None, "environment is development", 180 * times.DAY, 14 * times.DAY, times.DAY, 8
        ),
        ScheduleSummary("cardholder", "pci-dss", "labels.pci is true", 90 * times.DAY, times.DAY, 0, 4),
        ScheduleSummary("undefined", None, "anything", None, None, 0, 1),
    ),
)
FRAMEWORKS = (
    FrameworkResult(
        "soc2",
        "Trust Services Criteria for SOC 2",
        "2017 (2022)",
        "AICPA",
        "No criterion sets a rotation period: what is tested is the control that management described.",
        "c3" * 32,
    ),
    FrameworkResult(
        "pci-dss",
        "PCI DSS",
        "4.0.1",
        "PCI SSC",
        "Only credentials of systems in the cardholder data environment are in scope.",
        "d4" * 32,
    ),
    FrameworkResult(
        "iso27001",
        "ISO/IEC 27001",
        "2022",
        "ISO/IEC",
        "Controls apply as the statement of applicability says.",
        "e5" * 32,
    ),
)


def name(n: int, environment: str) -> str:
    """Name the n-th credential as people name secrets."""
    return f"{environment}/{SERVICES[n % len(SERVICES)]}-{n:05d}/{KINDS[n // 3 % len(KINDS)]}"


def coverage(credentials: int, as_of: int) -> tuple[Coverage, ...]:
    """Four scopes, one of each status; GCP cannot know the last use."""
    begun = as_of - times.HOUR
    ended = begun + 95 * times.SECOND
    return (
        Coverage(
            "aws-secrets-manager",
            "111122223333/us-east-1",
            ScopeStatus.COMPLETE,
            credentials - 7,
            3 * credentials,
            42,
            41,
            begun,
            ended,
        ),
        Coverage(
            "aws-secrets-manager",
            "111122223333/eu-central-1",
            ScopeStatus.PARTIAL,
            7,
            15,
            9,
            1,
            begun,
            ended,
            "throttled after page 1 of an unknown number",
        ),
        Coverage(
            "vault",
            "kv/payments",
            ScopeStatus.FAILED,
            calls=1,
            started_at=begun,
            finished_at=begun,
            reason="permission denied (403)",
        ),
        Coverage(
            "gcp-secret-manager",
            "acme-prod <b>&",
            ScopeStatus.EMPTY,
            0,
            0,
            1,
            1,
            begun,
            begun,
            "nothing was listed",
            ("last_used_at",),
        ),
    )


def waivers(as_of: int) -> tuple[WaiverResult, ...]:
    """One waiver of each status."""
    day, late = times.DAY, ("KA101", "KA102")
    return (
        WaiverResult(
            "W-2026-014",
            "active",
            2,
            late,
            "vendor has no second key slot; compensating control CC-7",
            "app-team@acme.example",
            "ciso@acme.example",
            as_of - 30 * day,
            as_of + 60 * day,
            (),
        ),
        WaiverResult(
            "W-2025-003",
            "unused",
            0,
            ("KA201",),
            "old partner interface",
            "edge@acme.example",
            "ciso@acme.example",
            as_of - 200 * day,
            as_of + 20 * day,
            (),
        ),
        WaiverResult(
            "W-2025-001",
            "expired",
            0,
            late,
            "migration",
            "data@acme.example",
            "ciso@acme.example",
            as_of - 400 * day,
            as_of - 40 * day,
            (),
        ),
        WaiverResult(
            "W-2026-020",
            "invalid",
            0,
            late,
            None,
            "x@acme.example",
            "x@acme.example",
            as_of,
            None,
            ("no reason", "no end", "approved by the person who asked"),
        ),
    )


def rule_result(rule: SampleRule, counts: Mapping[tuple[str, Verdict], int], credentials: int) -> RuleResult:
    """Count one rule over the population."""
    failed, unknown, waived = (
        counts.get((rule.id, verdict), 0) for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED)
    )
    others = {"KA901": 3, "KA904": 3}.get(rule.id)
    absent = credentials // 4 if rule.not_collected else 0
    passed = max(0, credentials - failed - unknown - waived - absent) if others is None else others
    return RuleResult(
        rule.id,
        rule.name,
        rule.severity,
        rule.basis,
        passed,
        failed,
        unknown,
        absent,
        waived,
        rule.not_collected,
        rule.title,
        WHY,
        REMEDIATION,
        REFERENCES,
    )


def controls(findings: Sequence[Finding], size: int) -> tuple[ControlResult, ...]:
    """One control of each result; those that findings name have an exception if anything failed."""
    broken = {
        (control.framework, control.id): 0
        for control in (c for finding in findings for c in finding.controls)
    }
    for finding in findings:
        if finding.verdict is Verdict.FAIL:
            for control in finding.controls:
                broken[(control.framework, control.id)] += 1
    rows = (
        (
            "soc2",
            "CC6.1",
            "Logical access to information assets is restricted",
            "partial",
            ("KA101", "KA102", "KA104", "KA108", "KA201"),
        ),
        (
            "soc2",
            "CC6.2",
            "Access is removed when it is no longer needed",
            "partial",
            ("KA201", "KA301", "KA401"),
        ),
        ("soc2", "CC2.1", "Controls run on complete and accurate information", "supporting", ("KA901",)),
        (
            "pci-dss",
            "8.6.3",
            "Application and system passwords are changed as often as the risk analysis says",
            "direct",
            ("KA101", "KA102"),
        ),
        ("soc2", "CC4.1", "Controls are evaluated as they run", "supporting", ()),
        ("pci-dss", "3.7.4", "Keys are replaced at the end of their cryptoperiod", "direct", ("KA101",)),
        ("pci-dss", "8.3.9", "Single-factor user passwords change every 90 days", "direct", ("KA101",)),
        ("iso27001", "A.5.17", "Authentication information is managed", "partial", ("KA108", "KA302")),
        ("iso27001", "A.5.36", "Own rules are met and reviewed", "direct", ("KA904",)),
    )
    fixed = {
        "CC2.1": ("not-evaluated", "scope vault kv/payments could not be read"),
        "CC4.1": ("not-evaluated", "metadata says nothing about it; see the manual evidence"),
        "3.7.4": ("no-exception", "every credential of the population was tested and none failed"),
        "8.3.9": ("not-applicable", "no credential of this kind in the population"),
    }
    return tuple(_control(row, broken.get((row[0], row[1]), 0), fixed.get(row[1]), size) for row in rows)


def _control(
    row: tuple[str, str, str, str, tuple[str, ...]], exceptions: int, fixed: tuple[str, str] | None, size: int
) -> ControlResult:
    framework, identifier, title, evidence, rules = row
    exceptions = 0 if fixed else exceptions
    result, reason = (
        ("exception", f"{exceptions:,} of {size:,} failed")
        if exceptions
        else fixed
        or ("supporting-only", "nothing failed; metadata shows only a part of what this control asks")
    )
    population = 0 if result == "not-applicable" else size
    return ControlResult(
        framework,
        identifier,
        title,
        f"In our words: {title.lower()}.",
        result,
        evidence,
        "required",
        rules,
        min(exceptions, size),
        max(0, population - 3),
        population,
        3 if identifier == "8.6.3" else 0,
        reason,
        ("change tickets of a sample of rotations", "approval of the policy"),
        (f"{framework} {identifier}",),
    )
