"""What is asked of the judged frame: a row of counts, and the rows that did not pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Formatter
from typing import TYPE_CHECKING, Any

import narwhals as nw

from keyaudit import match
from keyaudit.columns import CREDENTIALS
from keyaudit.facts import REQUIREMENT
from keyaudit.model import Control, Framework, FrameworkDemand, Policy, Severity
from keyaudit.verdicts import FAIL, PASS, UNKNOWN, Judged

if TYPE_CHECKING:
    from keyaudit.match import Match


@dataclass
class Populations:
    """The distinct groups of credentials that controls are about, each one boolean column.

    `column(framework, control)` is None where a control is about every credential.
    """

    expressions: dict[str, nw.Expr] = field(default_factory=dict)
    _columns: dict[tuple[Match | None, Match | None], str] = field(default_factory=dict)

    def column(self, scope: Match | None, applies_to: Match | None) -> str | None:
        """Name the column for a framework's scope and a control's classes, adding it once."""
        if scope is None and applies_to is None:
            return None
        key = (scope, applies_to)
        if key not in self._columns:
            name = f"applies#{len(self._columns)}"
            parts = [match.expression(part) for part in key if part is not None]
            self._columns[key] = name
            self.expressions[name] = parts[0] if len(parts) == 1 else parts[0] & parts[1]
        return self._columns[key]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one control's answers are: its population column, requirement and rule columns."""

    framework: Framework
    control: Control
    population: str | None
    requirement: int
    codes: tuple[str, ...]
    tested: str

    @property
    def key(self) -> tuple[str, str]:
        """Framework id and control id."""
        return self.framework.id, self.control.id


def places(
    policy: Policy,
    frameworks: Sequence[Framework],
    requirement_of: Mapping[str, int],
    text_of: Mapping[tuple[str, str], int],
    judged: Mapping[str, Judged],
    populations: Populations,
) -> tuple[Place, ...]:
    """Lay out every control of every framework; controls that ask the same share their columns.

    `text_of` holds the controls whose own text sets a number, with the requirement of that number.
    """
    found, shared = [], dict[tuple[str | None, tuple[str, ...]], str]()
    for framework in frameworks:
        demand = policy.frameworks.get(framework.id, FrameworkDemand())
        for control in framework.controls:
            k = text_of.get((framework.id, control.id), requirement_of[framework.id])
            column = populations.column(demand.scope, control.applies_to)
            known = (judged[name] for name in control.rules if name in judged)
            codes = tuple(sorted({rule.by_requirement[k] for rule in known if rule.asked}))
            tested = shared.setdefault((column, codes), f"tested#{len(shared)}")
            found.append(Place(framework, control, column, k, codes, tested))
    return tuple(found)


def counts(
    frame: nw.LazyFrame[Any], judged: Sequence[Judged], laid: Sequence[Place], populations: Populations
) -> nw.LazyFrame[Any]:
    """Ask for one row: verdicts by rule, sizes of populations, and how many of each were tested."""
    sums = [
        nw.len().alias("credentials"),
        (nw.col("version_count") + nw.col("v_pending").fill_null(0)).sum().alias("versions"),
    ]
    for rule in judged:
        code = nw.col(rule.column)
        if rule.asked:
            named = {"pass": PASS, "fail": FAIL, "unknown": UNKNOWN}
            sums += [(code == value).sum().alias(f"{rule.rule.id}:{word}") for word, value in named.items()]
    for name in populations.expressions:
        sums += [nw.col(name).sum().alias(name), nw.col(name).is_null().sum().alias(f"{name}:unclassified")]
    for place in {place.tested: place for place in laid if place.codes}.values():
        worst = nw.max_horizontal(*place.codes) if len(place.codes) > 1 else nw.col(place.codes[0])
        answers = {
            place.tested: (worst == PASS) | (worst == FAIL),
            f"{place.tested}:unknown": worst == UNKNOWN,
        }
        for name, answer in answers.items():
            inside = answer if place.population is None else answer & nw.col(place.population)
            sums.append(inside.sum().alias(name))
    return frame.select(*sums)


def suspects(
    frame: nw.LazyFrame[Any],
    listed: nw.LazyFrame[Any],
    judged: Sequence[Judged],
    populations: Populations,
    requirements: int,
) -> nw.LazyFrame[Any]:
    """Ask for the credentials that some rule did not pass, with all that findings show of them.

    Names, labels and versions are fetched from `listed` for the suspects alone: carrying them
    through the facts would cost more than everything else.
    """
    wide = sorted({*CREDENTIALS, "versions"})
    asked = [rule for rule in judged if rule.asked]
    if not asked:
        return listed.filter(nw.col("row") < 0).select("row", *wide)
    worst = nw.max_horizontal(*(rule.column for rule in asked)) if len(asked) > 1 else nw.col(asked[0].column)
    narrow = sorted(_shown(asked, populations, requirements) - {*CREDENTIALS, "versions"})
    return listed.select("row", *wide).join(
        frame.filter(worst >= UNKNOWN).select(*narrow), on="row", how="inner"
    )


def _shown(asked: Sequence[Judged], populations: Populations, requirements: int) -> set[str]:
    required = (*REQUIREMENT, "due_at", "overdue_by")
    columns = {"row", "age_min", "age_max", *populations.expressions}
    columns |= {f"{name}@{k}" for name in required for k in range(requirements)}
    for rule in asked:
        fields = {name for _, name, _, _ in Formatter().parse(rule.rule.message) if name}
        columns |= {rule.column, *rule.by_requirement, *fields, *rule.rule.evidence}
    return columns - {"age", *required}


def by_schedule(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Ask how many credentials each schedule of the policy governs."""
    return frame.group_by("schedule@0").agg(nw.len().alias("credentials"))


def gating(severity: Severity | None, fail_on: Severity | None) -> bool:
    """Say whether a failure of this severity fails the gate."""
    return severity is not None and fail_on is not None and severity.rank <= fail_on.rank
