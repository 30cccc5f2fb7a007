"""The nouns. No input or output, no clock, and no field that could hold a secret value.

Times are int microseconds since the epoch, UTC; durations are int microseconds; `None` means
"not known". Large tables (credentials, findings, the population of a report) live in columns
and are seen through `Sequence`s that make a row object only when one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl

    from keyaudit.match import Match


class Verdict(StrEnum):
    """What came of one rule on one credential. Unknown is never pass."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"


class Severity(StrEnum):
    """How bad a failure is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for critical, growing as things get milder."""
        return list(Severity).index(self)

    def gates(self, fail_on: Severity | None) -> bool:
        """Say whether a failure this bad closes a gate that fails on `fail_on` and worse."""
        return fail_on is not None and self.rank <= fail_on.rank


class Basis(StrEnum):
    """On what a finding stands: the framework's own text, your policy, or good advice."""

    FRAMEWORK = "framework"
    POLICY = "policy"
    PRACTICE = "practice"


class ScopeStatus(StrEnum):
    """What came of asking one scope."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    EMPTY = "empty"


class VersionState(StrEnum):
    """Where one value is in its life."""

    PENDING = "pending"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    DISABLED = "disabled"
    DESTROYED = "destroyed"


# --- what is known of the world -----------------------------------------------------------------


EVERY_SCOPE = "*"
"""The scope of a source that found none, or could not begin: nobody knows which ones it would have had."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One scope that was asked for and what came of it.

    `cannot_know` names columns that this store can never fill (GCP has no last use).
    """

    source: str
    scope: str
    status: ScopeStatus
    credentials: int | None = None
    versions: int | None = None
    calls: int | None = None
    pages: int | None = None
    started_at: int | None = None
    finished_at: int | None = None
    reason: str | None = None
    cannot_know: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows that carry the same columns: one document, or one scope that cannot know some of them.

    `columns` holds the names that were collected: credential columns by their flat name
    (`last_used_at`, `rotation_enabled`), version columns as `versions.last_used_at`, and
    `versions` itself. A column outside it was *not collected*; a null inside it is *not known*.
    """

    columns: frozenset[str]
    source: str | None = None
    scope: str | None = None


@dataclass(frozen=True)
class Inventory:
    """Credentials with their versions, as columns, and what was asked for to get them.

    `credentials` is a polars LazyFrame with the columns of `columns.CREDENTIALS`:
    one row a credential, `row` its number, `collection` an index into `collections`, and
    `versions` a list of structs. `parquet` is set when those columns lie unchanged in Parquet
    files that another engine can read in place.
    """

    credentials: pl.LazyFrame
    coverage: tuple[Coverage, ...]
    collections: tuple[Collection, ...]
    collected_at: int | None
    digest: Callable[[], str]
    parquet: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """The digest of the documents as they were read, computed when first asked for."""
        return self.digest()


# --- what is required ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often credentials that match must be rotated and how long an old key may stay usable."""

    name: str
    match: Match
    rotation_period: int | None
    grace_period: int | None
    overdue_tolerance: int = 0
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Classification:
    """Fills blanks of credentials that match; a fact from the store always wins."""

    match: Match
    set: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RiskFactor:
    """Shortens the period of credentials that match by one level."""

    name: str
    match: Match


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted exception. `problems` says what makes it invalid; an invalid one waives nothing.

    `starts` is the first instant of its first UTC day, `ends` the first instant after its last.
    """

    id: str
    rules: tuple[str, ...]
    match: Match
    reason: str | None
    requested_by: str | None
    approved_by: str | None
    starts: int | None
    ends: int | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleSetting:
    """What a policy says about one rule."""

    severity: Severity | None
    enabled: bool
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FrameworkDemand:
    """What a policy adds to one framework: who is in scope, shorter schedules, what does not apply.

    `not_applicable` maps a control id to the written reason (an ISO statement of applicability).
    """

    scope: Match | None = None
    schedules: tuple[Schedule, ...] = ()
    not_applicable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """An organisation's rules. `settings` has one entry for every rule, by rule name."""

    name: str
    owner: str | None
    approved_by: str | None
    reviewed_on: int | None
    review_every: int | None
    classify: tuple[Classification, ...]
    risk: tuple[RiskFactor, ...]
    risk_levels: tuple[int, ...]
    schedules: tuple[Schedule, ...]
    frameworks: Mapping[str, FrameworkDemand]
    settings: Mapping[str, RuleSetting]
    waivers: tuple[Waiver, ...]
    file: str
    sha256: str

    def severity_of(self, rule: Rule) -> Severity | None:
        """Give the severity of a rule's failures: the policy's word before the rule's."""
        return None if rule.severity is None else self.settings[rule.name].severity or rule.severity


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a control's own text. `kind`: required, alternative, guidance, organisation-defined.

    `fact` names what it limits: `rotation_period`, or a rule parameter such as `unused.after`.
    """

    fact: str
    value: int | None
    kind: str
    what: str

    @property
    def binds(self) -> bool:
        """Whether the text itself sets this number, so that missing it is an exception."""
        return self.value is not None and self.kind in {"required", "alternative"}


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a framework, in our own words.

    `evidence` says how much metadata can show: `direct`, `partial` or `supporting`.
    `applies_to` narrows the credentials it is about; None means all of them.
    """

    framework: str
    id: str
    title: str
    summary: str
    rules: tuple[str, ...]
    applies_to: Match | None
    evidence: str
    modality: str
    numbers: tuple[Number, ...]
    manual_evidence: tuple[str, ...]
    source: tuple[str, ...]
    confidence: str


@dataclass(frozen=True)
class Framework:
    """A standard's controls, in our own words, each pointing at rules."""

    id: str
    name: str
    version: str
    publisher: str
    status: str
    scope_note: str
    controls: tuple[Control, ...]
    sha256: str


# --- how it is checked --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Param:
    """A setting of a rule that only a policy can give. `kind`: duration, integer, boolean, names."""

    kind: str
    help: str


@dataclass(frozen=True, slots=True)
class Check:
    """A rule's two questions, as three-valued column expressions.

    `applies` false → not-applicable; otherwise `fails` true → fail, false → pass, null → unknown.
    A null `applies` is unknown too.
    """

    applies: nw.Expr
    fails: nw.Expr


@dataclass(frozen=True)
class Rule:
    """One check. Its module docstring is its documentation.

    `check` gets the policy's settings of this rule by parameter name. `needs` lists the
    inventory columns without which the question was never asked; a tuple inside means "any of".
    `evidence` and the fields of `message` name facts. `fixes` maps a source to the command that
    mends a failure, or what is narrower (`report.fixing`); `{id}`, `{name}`, `{scope}`, `{account}`,
    `{region}`, `{version}` and Google's `{secret}` arrive quoted for a POSIX shell, "*" is for every
    other source. `per_requirement` rules
    compare with a period or a grace and are judged once for each distinct requirement.
    `subject` is `credential`, or what else a rule is about: `scope`, `waiver`, `policy`. `of_period`
    rules ask what happened in a period: an audit of an instant does not have them.
    """

    id: str
    name: str
    severity: Severity | None
    basis: Basis
    message: str
    doc: str
    check: Callable[[Mapping[str, Any]], Check] | None = None
    params: Mapping[str, Param] = field(default_factory=dict)
    needs: tuple[str | tuple[str, ...], ...] = ()
    evidence: tuple[str, ...] = ()
    fixes: Mapping[str, str] = field(default_factory=dict)
    per_requirement: bool = False
    subject: str = "credential"
    of_period: bool = False


# --- what came of it ----------------------------------------------------------------------------


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
    """

    file: str
    sha256: str | None
    records: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Baseline:
    """An earlier report against which the gate was held: failures that it has do not close it.

    `new` are the fingerprints of failures that it lacks, or has with a milder severity; `known`
    counts the others, `failures` all of its own. `differs` names what it was made with that is not
    the same now: policy, frameworks, tool. `sha256` and `policy_sha256` are its own and its policy's.
    """

    sha256: str
    as_of: int
    policy_sha256: str
    failures: int
    known: int
    new: tuple[str, ...]
    differs: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Everything a reader or a machine is shown. Sorted and counted already: formats only print.

    `findings` come worst first: verdict (fail, unknown, waived), severity, rule, source, scope,
    id, version. `population` is in the order of the inventory. `orphans` are keys that a provider
    honours and no store is known to hold; None where no store was listed beside such keys. `period` is
    its first and its last instant; `records` are None where no rotation records were given.
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

    @property
    def whole(self) -> bool:
        """Whether there was something to audit, and no evidence that was given had to be refused."""
        return self.inventory.credentials > 0 and not any(record.problem for record in self.records or ())
