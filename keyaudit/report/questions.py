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
from keyaudit.model import Control, Framework, FrameworkDemand, Policy
from keyaudit.verdicts import FAIL, NOT_APPLICABLE, PASS, UNKNOWN, Judged

if TYPE_CHECKING:
    from keyaudit.match import Match


# What rules compare with only where a schedule or a framework gives it.
_COMPARED = frozenset({"rotation_period", "grace_period"})


@dataclass
class Populations:
    """The distinct groups of credentials that controls are about, each one boolean column.

    `column(scope, applies_to)` is None where a control is about every credential.
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

    def add(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Add the columns that were named."""
        return frame.with_columns(**self.expressions) if self.expressions else frame


@dataclass(frozen=True, slots=True)
class Place:
    """Where one control's answers are: its population column, requirement and rule columns.

    `needed` names the columns of the requirement that its rules compare with. Controls that ask
    the same share `asks`, under which `counts` files the answers.
    """

    framework: Framework
    control: Control
    population: str | None
    requirement: int
    codes: tuple[str, ...]
    needed: tuple[str, ...]
    asks: str

    @property
    def key(self) -> tuple[str, str]:
        """Framework id and control id."""
        return self.framework.id, self.control.id


def places(
    policy: Policy,
    frameworks: Sequence[Framework],
    requirement_of: Mapping[str, int],
    text_of: Mapping[tuple[str, str], int],
    judged: Sequence[Judged],
    populations: Populations,
) -> tuple[Place, ...]:
    """Lay out every control of every framework; controls that ask the same share their columns.

    `text_of` holds the controls whose own text sets a number, with the requirement of that number.
    """
    asked = {rule.rule.name: rule for rule in judged if rule.asked}
    found, shared = [], dict[tuple[object, ...], str]()
    for framework in frameworks:
        demand = policy.frameworks.get(framework.id, FrameworkDemand())
        for control in framework.controls:
            k = text_of.get((framework.id, control.id), requirement_of[framework.id])
            column = populations.column(demand.scope, control.applies_to)
            known = [asked[name] for name in control.rules if name in asked]
            codes = tuple(sorted({rule.by_requirement[k] for rule in known}))
            compared = {name for rule in known for name in rule.rule.evidence if name in _COMPARED}
            needed = tuple(f"{name}@{k}" for name in sorted(compared))
            asks = shared.setdefault((column, codes, needed), f"asks#{len(shared)}")
            found.append(Place(framework, control, column, k, codes, needed, asks))
    return tuple(found)


def counts(frame: nw.LazyFrame[Any], judged: Sequence[Judged], laid: Sequence[Place]) -> nw.LazyFrame[Any]:
    """Ask for one row: verdicts by rule, and what came of each distinct question that controls ask."""
    sums = [
        nw.len().alias("credentials"),
        (nw.col("version_count") + nw.col("v_pending").fill_null(0)).sum().alias("versions"),
    ]
    named = {"pass": PASS, "fail": FAIL, "unknown": UNKNOWN}
    for rule in judged:
        code = nw.col(rule.column)
        if rule.asked:
            sums += [(code == value).sum().alias(f"{rule.rule.id}:{word}") for word, value in named.items()]
    for place in {place.asks: place for place in laid}.values():
        sums += [answer.sum().alias(f"{place.asks}:{word}") for word, answer in _answers(place).items()]
    return frame.select(*sums)


def _answers(place: Place) -> dict[str, nw.Expr]:
    """Say of each credential what a control's rules came to on it.

    The population is who the control is about, without customers' own keys and without what is
    not in use or only a replica, unless a rule had something to say of it all the same.
    """
    live = nw.col("in_use") & ~nw.col("is_replica")
    ours = ~nw.col("user_owned").fill_null(value=False)
    about = nw.lit(value=True) if place.population is None else nw.col(place.population)
    sure = about.fill_null(value=False)
    answers: dict[str, nw.Expr] = {}
    member = live
    if place.codes:
        worst = nw.max_horizontal(*place.codes) if len(place.codes) > 1 else nw.col(place.codes[0])
        member = live | (worst != NOT_APPLICABLE)
        inside = sure & ours & member
        answers = {
            "tested": inside & (worst != UNKNOWN) & (worst != NOT_APPLICABLE),
            "unknown": inside & (worst == UNKNOWN),
        }
    answers["population"] = sure & ours & member
    answers["left_out"] = sure & ~(ours & member)
    if place.population is not None:
        answers["unclassified"] = about.is_null() & ours & live
    if place.needed:
        missing = nw.any_horizontal(*(nw.col(name).is_null() for name in place.needed), ignore_nulls=False)
        answers["undefined"] = sure & ours & nw.col("rotates") & missing
    return answers


def suspicious(frame: nw.LazyFrame[Any], judged: Sequence[Judged]) -> nw.LazyFrame[Any]:
    """Ask for the `row` of each credential that some rule did not pass."""
    asked = [rule.column for rule in judged if rule.asked]
    if not asked:
        return frame.filter(nw.col("row") < 0).select("row")
    worst = nw.max_horizontal(*asked) if len(asked) > 1 else nw.col(asked[0])
    return frame.filter(worst >= UNKNOWN).select("row")


def suspects(
    frame: nw.LazyFrame[Any], judged: Sequence[Judged], populations: Populations, requirements: int
) -> nw.LazyFrame[Any]:
    """Ask for all that findings show of credentials.

    To be asked of the suspects alone: to keep all this of every credential while the verdicts are
    counted would cost more than to work it out again for a few.
    """
    shown = _shown([rule for rule in judged if rule.asked], populations, requirements)
    # Of a period that several policies governed, what decided is shown of the part that did.
    shown |= {name for name in frame.collect_schema().names() if "~@" in name}
    return frame.select(*sorted({*CREDENTIALS, "versions", *shown}))


def _shown(asked: Sequence[Judged], populations: Populations, requirements: int) -> set[str]:
    required = (*REQUIREMENT, "due_at", "overdue_by")
    columns = {"row", "age_min", "age_max", *populations.expressions}
    columns |= {f"{name}@{k}" for name in required for k in range(requirements)}
    for rule in asked:
        fields = {name for _, name, _, _ in Formatter().parse(rule.rule.message) if name}
        columns |= {rule.column, *rule.by_requirement, *rule.limits, *fields, *rule.rule.evidence}
    return columns - {"age", *required}


def scopes(listed: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Ask from which sources and scopes credentials came, to compare with what was asked for.

    What only a history has came from nowhere: its scope may not have been asked at all.
    """
    if "last_seen_at" in listed.collect_schema().names():
        listed = listed.filter(nw.col("last_seen_at").is_null())
    return listed.select("source", "scope").unique()


def by_schedule(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Ask how many credentials each schedule of the policy governs."""
    return frame.group_by("schedule@0").agg(nw.len().alias("credentials"))
