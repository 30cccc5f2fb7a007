"""What came of it: verdicts, findings, what became of each control, and the report that holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from keyaudit.model.checked import Basis, Severity
from keyaudit.model.known import Coverage, VersionState
from keyaudit.model.period import Ledger
from keyaudit.model.sampled import Sample


class Verdict(StrEnum):
    """What came of one rule on one credential. Unknown is never pass."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class CredentialRef:
    """Which credential a finding is about."""

    source: str
    scope: str
    id: str
    name: str
    environment: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class ControlRef:
    """A control whose requirement a finding broke."""

    framework: str
    id: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict that is not a pass, with its evidence, ready to print.

    `evidence` maps a fact to text already in its printed form (`90d`, an RFC 3339 time), a
    number, a bool or None. `credential` is None for findings about a scope, a waiver or the
    policy; `subject` then names it. `due_at` is when the value fell, or falls, due, where a rule
    has such a date. `waiver` is the id of the waiver that covers it.
    """

    rule: str
    name: str
    verdict: Verdict
    severity: Severity | None
    basis: Basis
    credential: CredentialRef | None
    subject: str | None
    version: str | None
    message: str
    evidence: Mapping[str, Any]
    due_at: int | None
    clause: str | None
    fix: str | None
    controls: tuple[ControlRef, ...]
    waiver: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule over all its subjects. `not_collected` names the columns it lacked somewhere.

    `enabled` is False where the policy switched the rule off: it then judged nothing.
    `title`, `why`, `remediation` and `references` come from the rule's own documentation
    (Markdown text of the sections).
    """

    id: str
    name: str
    severity: Severity | None
    basis: Basis
    passed: int
    failed: int
    unknown: int
    not_applicable: int
    waived: int
    not_collected: tuple[str, ...]
    title: str
    why: str
    remediation: str
    references: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ControlResult:
    """One control over its population.

    `result`: exception, no-exception, supporting-only, not-evaluated, not-applicable.
    `tested` ≤ `population`; `unclassified` credentials could not be placed in or out of it.
    `reason` says why a result is not `no-exception`.
    """

    framework: str
    id: str
    title: str
    summary: str
    result: str
    evidence: str
    modality: str
    rules: tuple[str, ...]
    exceptions: int
    tested: int
    population: int
    unclassified: int
    reason: str
    manual_evidence: tuple[str, ...]
    source: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrameworkResult:
    """A framework as it was used."""

    id: str
    name: str
    version: str
    publisher: str
    scope_note: str
    sha256: str


@dataclass(frozen=True, slots=True)
class WaiverResult:
    """A waiver and what became of it: `active`, `expired`, `unused`, `invalid`, `not-yet`."""

    id: str
    status: str
    matched: int
    rules: tuple[str, ...]
    reason: str | None
    requested_by: str | None
    approved_by: str | None
    starts: int | None
    ends: int | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScheduleSummary:
    """A schedule of the policy as criteria for a reader."""

    name: str
    framework: str | None
    match: str
    rotation_period: int | None
    grace_period: int | None
    overdue_tolerance: int
    credentials: int


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """The governing policy, as a reader of the report needs it."""

    name: str
    sha256: str
    owner: str | None
    approved_by: str | None
    reviewed_on: int | None
    schedules: tuple[ScheduleSummary, ...]


@dataclass(frozen=True, slots=True)
class VersionBar:
    """One version on the rotation timeline. `ends_at` is None while the value is in use.

    `retired_at` is when it stopped being usable, if known; `usable` whether it still is
    (None: not known).
    """

    id: str
    state: VersionState
    created_at: int | None
    ends_at: int | None
    retired_at: int | None
    usable: bool | None


@dataclass(frozen=True, slots=True)
class PopulationRow:
    """One credential of the population, with what was required of it and how it fared.

    The requirement is the strictest of those asked for. `worst` is the worst verdict over all
    rules (fail, unknown, waived, pass; not-applicable for what is not in use or a replica);
    `rules` are the ids of the rules that failed, `severity` the worst of theirs.
    """

    source: str
    scope: str
    id: str
    name: str
    cls: str | None
    provider: str | None
    environment: str | None
    tier: int | None
    owner: str | None
    age_min: int | None
    age_max: int | None
    age_basis: str
    rotation_period: int | None
    grace_period: int | None
    schedule: str | None
    due_at: int | None
    worst: Verdict
    severity: Severity | None
    rules: tuple[str, ...]
    versions: tuple[VersionBar, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts that open every report.

    Every rule is counted exactly once on each of its subjects: a credential, or a scope, a
    waiver or the policy for the few rules about those.
    """

    verdicts: Mapping[Verdict, int]
    by_severity: Mapping[Severity, int]
    fail_on: Severity | None
    exit_code: int


@dataclass(frozen=True, slots=True)
class InventorySummary:
    """What was audited."""

    sha256: str
    collected_at: int | None
    credentials: int
    versions: int


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """A file of rotation records that was given as evidence.

    `records` counts its sound lines. Where `problem` says something, it is no evidence at all.
    `unlisted` counts the credentials that its lines are about and the inventory does not have: what they
    say of those stands for nothing in the audit. None where nobody looked.
    """

    file: str
    sha256: str | None
    records: int
    problem: str | None
    unlisted: int | None = None


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier report against which the gate was held: failures that it has do not close it.

    `new` are the fingerprints of failures that it lacks, or has with a milder severity; `known`
    counts the others, `failures` all of its own. `differs` names what it was made with that is not
    the same now: policy, frameworks, tool. `sha256` and `policy_sha256` are its own and its policy's.
    Of findings of any verdict, `appeared` are those that it lacks, `changed` those that it has with
    another verdict or severity, by their fingerprints; None where that was not kept.
    """

    sha256: str
    as_of: int
    policy_sha256: str
    failures: int
    known: int
    new: tuple[str, ...]
    differs: tuple[str, ...]
    appeared: tuple[str, ...] | None = None
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Report:
    """Everything a reader or a machine is shown. Sorted and counted already: formats only print.

    `findings` come worst first: verdict (fail, unknown, waived), severity, rule, source, scope,
    id, version. `population` is in the order of the inventory. `orphans` are keys that a provider
    honours and no store is known to hold; None where no store was listed beside such keys. `period` is
    its first and its last instant; `records` are None where no rotation records were given, `ledger`
    is None without a period, `sample` where none was drawn.
    """

    version: str
    as_of: int
    period: tuple[int, int] | None
    policy: PolicySummary
    frameworks: tuple[FrameworkResult, ...]
    inventory: InventorySummary
    coverage: tuple[Coverage, ...]
    summary: Summary
    rules: tuple[RuleResult, ...]
    controls: tuple[ControlResult, ...]
    findings: Sequence[Finding]
    waivers: tuple[WaiverResult, ...]
    population: Sequence[PopulationRow]
    orphans: Sequence[CredentialRef] | None = ()
    baseline: Baseline | None = None
    records: tuple[RecordSummary, ...] | None = None
    ledger: Ledger | None = None
    sample: Sample | None = None

    @property
    def whole(self) -> bool:
        """Whether there was something to audit, and no evidence that was given had to be refused."""
        history = self.ledger.history if self.ledger else None
        refused = any(record.problem for record in self.records or ())
        refused = refused or any(file.problem for file in (history.files if history else ()))
        return self.inventory.credentials > 0 and not refused
