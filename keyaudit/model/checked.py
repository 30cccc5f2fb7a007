"""How it is checked: a rule, and the scales it judges on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals as nw


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
