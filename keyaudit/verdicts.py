"""From rules to verdict columns: every rule on every credential, once for each distinct requirement.

A verdict is an int8 code whose order is its weight, so that the verdict over several
requirements, or several rules, is simply the largest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import narwhals as nw

from keyaudit.facts import REQUIREMENT, aging
from keyaudit.facts.promotions import Period
from keyaudit.model import Check, Collection, Rule, RuleSetting

NOT_APPLICABLE, PASS, UNKNOWN, FAIL = -1, 0, 1, 2
WAIVED = 3
"""A failure that a waiver covers, marked so in a report. No rule gives it; it is never
weighed against the others."""


class Requirement(Protocol):
    """What one or several frameworks, or the policy alone, ask: see `policy.requirements`."""

    @property
    def conditions(self) -> Mapping[str, nw.Expr]:
        """What `columns` build on: added to the frame before them."""

    @property
    def columns(self) -> Mapping[str, nw.Expr]:
        """The facts of `facts.REQUIREMENT`, as expressions."""

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Rule settings by rule name that this requirement changes; values may be expressions."""

    @property
    def rules(self) -> frozenset[str] | None:
        """The only rules that are judged by it; None for all."""


@dataclass(frozen=True, slots=True)
class Over:
    """A period that is audited, and what was required in its earlier parts.

    `earlier` has an item for each part that today's policy did not govern: its requirements, and for each
    requirement of today which of those it was.
    """

    period: Period
    earlier: tuple[tuple[Sequence[Requirement], Sequence[int]], ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """Where the verdicts of one rule are.

    `column` holds the verdict over all requirements; `by_requirement[k]` the column for
    requirement `k`, and `limits` the columns of settings that differ by requirement. `lacking`
    names the columns that some documents or scopes did not collect, `asked` says whether it could
    be asked of any credential at all.
    """

    rule: Rule
    column: str
    by_requirement: tuple[str, ...]
    lacking: tuple[str, ...]
    asked: bool
    limits: tuple[str, ...]


def judge(
    frame: nw.LazyFrame[Any],
    rules: Sequence[Rule],
    settings: Mapping[str, RuleSetting],
    requirements: Sequence[Requirement],
    collections: Sequence[Collection],
    over: Over | None = None,
) -> tuple[nw.LazyFrame[Any], tuple[Judged, ...]]:
    """Add the verdict columns of all credential rules, and each requirement's facts as `name@k`.

    Of a period that is audited, `over` says by what its earlier parts are judged.
    """
    judged = tuple(_place(rule, settings[rule.name], requirements, collections) for rule in rules)
    recalled = "last_seen_at" in frame.collect_schema().names()
    frame = frame if over is None else _governed(frame, over)
    for k, requirement in enumerate(requirements):
        frame = frame.with_columns(**requirement.conditions) if requirement.conditions else frame
        frame = frame.with_columns(**requirement.columns)
        frame = frame.with_columns(
            due_at=nw.col("value_created_at") + nw.col("rotation_period"),
            overdue_by=nw.col("age_min") - nw.col("rotation_period") - nw.col("overdue_tolerance"),
        )
        happened = {} if over is None else aging.lateness(over.period, k)
        frame = frame.with_columns(**happened) if happened else frame
        shown = (*REQUIREMENT, "due_at", "overdue_by", *happened)
        columns = {f"{name}@{k}": nw.col(name) for name in shown}
        for verdict in judged:
            if verdict.asked and verdict.by_requirement[k] == f"{verdict.rule.id}@{k}":
                columns[verdict.by_requirement[k]] = _code(
                    verdict.rule, settings, requirement, collections, recalled=recalled
                )
                columns |= _limits(verdict.rule, requirement, k)
        frame = frame.with_columns(**columns)
    return frame.with_columns(*(_combined(verdict) for verdict in judged)), judged


def _governed(frame: nw.LazyFrame[Any], over: Over) -> nw.LazyFrame[Any]:
    """Add what each requirement asked in the parts of a period before, as `rotation_period~0@k`."""
    for j, (made, places) in enumerate(over.earlier):
        for number, requirement in enumerate(made):
            frame = frame.with_columns(**requirement.conditions) if requirement.conditions else frame
            frame = frame.with_columns(**requirement.columns)
            mine = [k for k, place in enumerate(places) if place == number]
            names = [(name, f"{name}~{j}@{k}") for k in mine for name in REQUIREMENT]
            if number == 0:
                names += [(name, f"{name}@0") for name in REQUIREMENT]
            frame = frame.with_columns(**{called: nw.col(name) for name, called in names})
    return frame


def _place(
    rule: Rule, setting: RuleSetting, requirements: Sequence[Requirement], collections: Sequence[Collection]
) -> Judged:
    missing = [_missing(rule, collection) for collection in collections]
    lacking = sorted({name for names in missing for name in names})
    asked = setting.enabled and (not missing or any(not names for names in missing))
    own = tuple(
        f"{rule.id}@{k if _differs(rule, requirement) else 0}" for k, requirement in enumerate(requirements)
    )
    limits = (_limits(rule, requirement, k) for k, requirement in enumerate(requirements))
    return Judged(
        rule, rule.id, own, tuple(lacking), asked, tuple(name for found in limits for name in found)
    )


def _limits(rule: Rule, requirement: Requirement, k: int) -> dict[str, nw.Expr]:
    """Give the settings of a rule that a requirement changes, as columns `id.param@k`."""
    if not _differs(rule, requirement):
        return {}
    return {f"{rule.id}.{name}@{k}": value for name, value in requirement.settings.get(rule.name, {}).items()}


def _differs(rule: Rule, requirement: Requirement) -> bool:
    """Say whether a requirement changes what a rule compares with, for somebody it is there for."""
    if requirement.rules is not None and rule.name not in requirement.rules:
        return False
    return rule.per_requirement or rule.name in requirement.settings


def _missing(rule: Rule, collection: Collection) -> tuple[str, ...]:
    """Name what a rule needs and a collection did not ask for; any one of a tuple is enough."""
    needs = ((need,) if isinstance(need, str) else need for need in rule.needs)
    return tuple(" or ".join(need) for need in needs if not collection.columns.intersection(need))


def _code(
    rule: Rule,
    settings: Mapping[str, RuleSetting],
    requirement: Requirement,
    collections: Sequence[Collection],
    *,
    recalled: bool,
) -> nw.Expr:
    assert rule.check is not None, "only credential rules are judged in columns"
    params = {**settings[rule.name].params, **requirement.settings.get(rule.name, {})}
    check = rule.check(params)
    if recalled and not rule.of_period:
        # What is no longer listed has a past, and nothing of the present is asked of it.
        check = Check(applies=nw.col("last_seen_at").is_null() & check.applies, fails=check.fails)
    code = three_valued(check)
    blind = [i for i, collection in enumerate(collections) if _missing(rule, collection)]
    if blind:
        code = nw.when(nw.col("collection").is_in(blind)).then(_lit(NOT_APPLICABLE)).otherwise(code)
    return code.cast(nw.Int8)


def three_valued(check: Check) -> nw.Expr:
    """Turn a rule's two questions into a code; whatever comes out null is unknown."""
    return (
        nw.when(~check.applies)
        .then(_lit(NOT_APPLICABLE))
        .when(check.applies & check.fails)
        .then(_lit(FAIL))
        .when(check.applies & ~check.fails)
        .then(_lit(PASS))
        .otherwise(_lit(UNKNOWN))
    )


def _combined(verdict: Judged) -> nw.Expr:
    if not verdict.asked:
        return _lit(NOT_APPLICABLE).cast(nw.Int8).alias(verdict.column)
    columns = sorted(set(verdict.by_requirement))
    worst = nw.col(columns[0]) if len(columns) == 1 else nw.max_horizontal(*columns)
    return worst.alias(verdict.column)


def _lit(code: int) -> nw.Expr:
    return nw.lit(code, dtype=nw.Int8)
