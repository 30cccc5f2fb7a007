"""What is required: an organisation's policy, and the controls of frameworks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keyaudit.model.checked import Rule, Severity

if TYPE_CHECKING:
    from keyaudit.match import Match


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
