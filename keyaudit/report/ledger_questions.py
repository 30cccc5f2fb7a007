"""What is asked of the judged frame for the rotation ledger: what became of each value and credential.

The values are those that the facts of the period come from, so that the ledger and the rule
`rotation-late` cannot disagree. What was required is that of the strictest requirement of each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw

from keyaudit.facts.aging import age_max, age_min
from keyaudit.facts.lives import certain_in, possible_in
from keyaudit.facts.promotions import Period
from keyaudit.model import LedgerResult, Operation

Frame = nw.LazyFrame[Any]

_IDENTITY = ("source", "scope", "id", "name", "class", "environment", "owner")
_ASKED = ("rotation_period", "overdue_tolerance", "grace_period", "schedule")
_LATE_BY = ("late_by_min", "late_by_max")
_KNOWN = (
    *("is_replica", "is_key", "forgotten_until"),
    *("age_in_period_min", "age_in_period_max"),
)
_LIMITS = ("rotation_period", "overdue_tolerance")
SHOWN = (
    *("row", "version", "state", "turn", "made_at", "oldest_at", "since", "since_earliest", "surely"),
    *(
        "at_most",
        "certain",
        "undated",
        "switched_off",
        "ended_at",
        "retired_at",
        "authenticates",
        "usable_at",
    ),
    *("unusable_by", "basis", "due_at", "result", "counted"),
)
"""The columns of one entry."""


def required(frame: Frame, period: Period, requirements: int) -> Frame:
    """Ask for every credential with its strictest requirement, and whether the control operated on it.

    What was required in part `j` of the period stands in `rotation_period~j` and so on: of each part
    what was strictest then.
    """
    columns: dict[str, nw.Expr] = {}
    for j in range(len(period.parts)):
        ending = "@{k}" if period.is_now(j) else f"~{j}@{{k}}"
        strictest = _strictest(requirements, ending)
        columns |= {f"{name}~{j}": strictest(f"{name}{ending}") for name in _ASKED}
    every = range(requirements)
    columns |= {name: _greatest([nw.col(f"{name}@{k}") for k in every]) for name in _LATE_BY}
    columns["fell_due"] = reduce(or_, (nw.col(f"fell_due@{k}") for k in every))
    recalled = "past" in frame.collect_schema().names()
    seen = nw.col("last_seen_at") if recalled else nw.lit(None, dtype=nw.Int64)
    known = ~nw.col("past" if recalled else "versions").is_null()
    # A copy may hold a value that is older than itself.
    born = nw.when(nw.col("replica_of").is_null()).then(nw.col("created_at"))
    kept = frame.select("row", *_IDENTITY, *_KNOWN, born=born, known=known, last_seen_at=seen, **columns)
    return kept.with_columns(operation=_operation(period))


def _strictest(requirements: int, ending: str) -> Callable[[str], nw.Expr]:
    """Choose what allows a value to grow oldest least, tolerance included; of equals the shortest period."""
    periods = [nw.col(f"rotation_period{ending.format(k=k)}") for k in range(requirements)]
    limits = [each + nw.col(f"overdue_tolerance{ending.format(k=k)}") for k, each in enumerate(periods)]
    least = _least(limits)
    close = [nw.when(limit == least).then(period) for limit, period in zip(limits, periods, strict=True)]
    shortest = _least(close)

    def chosen(name: str) -> nw.Expr:
        value = nw.col(name.format(k=0))
        for k in reversed(range(1, requirements)):
            first = close[k] == shortest
            for before in close[:k]:
                first = first & ((before != shortest) | before.is_null())
            value = nw.when(first).then(nw.col(name.format(k=k))).otherwise(value)
        return value

    return chosen


def _least(of: Sequence[nw.Expr]) -> nw.Expr:
    return of[0] if len(of) == 1 else nw.min_horizontal(*of)


def _greatest(of: Sequence[nw.Expr]) -> nw.Expr:
    return of[0] if len(of) == 1 else nw.max_horizontal(*of)


def _operation(period: Period) -> nw.Expr:
    dynamic = (nw.col("class") == "dynamic-secret").fill_null(value=False)
    asked = nw.coalesce(*(nw.col(f"rotation_period~{j}") for j in range(len(period.parts))))
    late, within = nw.col("late_by_min") > 0, nw.col("late_by_max") <= 0
    return (
        nw.when(nw.col("is_replica") | dynamic | asked.is_null())
        .then(nw.lit(Operation.NOT_REQUIRED.value))
        .when(late)
        .then(nw.lit(Operation.EXCEPTION.value))
        .when(within & nw.col("fell_due"))
        .then(nw.lit(Operation.OPERATED.value))
        .when(within)
        .then(nw.lit(Operation.DID_NOT_OPERATE.value))
        .otherwise(nw.lit(Operation.UNKNOWN.value))
    )


def entries(values: Frame, credentials: Frame, period: Period) -> Frame:
    """Ask for every value that was or may have been in use in the period, and what became of it."""
    limits = [f"{name}~{j}" for name in _LIMITS for j in range(len(period.parts))]
    rotating = credentials.filter(nw.col("operation") != Operation.NOT_REQUIRED.value)
    found = values.filter(nw.col("possible")).join(rotating.select("row", *limits), on="row", how="inner")
    found = found.with_columns(due_at=_due(period), late_min=_late(period)[0], late_max=_late(period)[1])
    found = found.with_columns(result=_result(period))
    fell_due = nw.col("certain") & nw.col("followed") & (nw.col("due_at") <= period.last)
    settled = (nw.col("result") == LedgerResult.NOT_DUE.value) | (
        (nw.col("result") == LedgerResult.ON_TIME.value) & ~fell_due.fill_null(value=False)
    )
    return found.with_columns(counted=~settled).select(
        *SHOWN, began=nw.coalesce("since", "since_earliest", nw.lit(period.first))
    )


def in_order(entries: Frame) -> Frame:
    """Put entries in the order of the population, those of one credential in that of time."""
    return entries.sort("row", "began", "turn", "version")


def _due(period: Period) -> nw.Expr:
    """Give the first instant from which the policy of its time allowed a value no longer.

    A value that a new policy makes too old is due in its first instant.
    """
    made = nw.col("made_at")
    found = []
    for j, (start, end) in enumerate(period.parts):
        due = made + nw.col(f"rotation_period~{j}")
        due = due if j == 0 else nw.max_horizontal(due, nw.when(~due.is_null()).then(nw.lit(start)))
        last = j == len(period.parts) - 1
        found.append(due if last else nw.when(due <= end).then(due))
    return nw.coalesce(*found)


def _late(period: Period) -> tuple[nw.Expr, nw.Expr]:
    """Say by how much a value was late surely, and perhaps: the most of the parts that it was in use in."""
    surely, perhaps = [], []
    for j, (start, end) in enumerate(period.parts):
        limit = nw.col(f"rotation_period~{j}") + nw.col(f"overdue_tolerance~{j}")
        surely.append(nw.when(certain_in(start, end)).then(age_min(end) - limit))
        perhaps.append(nw.when(possible_in(start, end)).then(age_max(end) - limit))
    if len(surely) == 1:
        return surely[0], perhaps[0]
    return nw.max_horizontal(*surely), nw.max_horizontal(*perhaps)


def _result(period: Period) -> nw.Expr:
    return (
        nw.when((nw.col("late_min") > 0) & (nw.col("surely") > period.last))
        .then(nw.lit(LedgerResult.OVERDUE.value))
        .when(nw.col("late_min") > 0)
        .then(nw.lit(LedgerResult.LATE.value))
        .when(nw.col("late_max") > 0)
        .then(nw.lit(LedgerResult.UNKNOWN.value))
        .when(nw.col("at_most") <= period.last)
        .then(nw.lit(LedgerResult.ON_TIME.value))
        .otherwise(nw.lit(LedgerResult.NOT_DUE.value))
    )


def by_operation(credentials: Frame) -> Frame:
    """Count credentials by whether the control operated on them."""
    return credentials.group_by("operation").agg(nw.len().alias("credentials"))


def by_result(entries: Frame) -> Frame:
    """Count the values that fell due in the period, or were out of policy in it, by what became of them."""
    return entries.filter(nw.col("counted")).group_by("result").agg(nw.len().alias("values"))
