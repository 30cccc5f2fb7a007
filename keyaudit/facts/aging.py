"""Facts of a period about age: how old the values grew that were in use in it, and how late that was.

Each part of a period that another policy governed is looked at by itself: what a value may have reached
in it, by the requirement of that part. One part is the whole period for most audits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import narwhals as nw

from keyaudit.engine import Engine
from keyaudit.facts import NONE
from keyaudit.facts.lives import certain_in, possible_in
from keyaudit.facts.promotions import Period
from keyaudit.times import LONGEST_DURATION

Frame = nw.LazyFrame[Any]

_BOUNDS = ("age_in_period_min", "age_in_period_max")
_AGED = (*_BOUNDS, "aged_from", "aged_until", "aged_version")
_ASKED = ("rotation_period", "overdue_tolerance", "schedule", "clause", "requirement_basis")
_YES, _NO = nw.lit(value=True), nw.lit(value=False)

DECIDED = (*_AGED, "rotation_period", "schedule", "clause", "requirement_basis")
"""What a finding about a period shows of the part that decided, where there are several."""


def spans(period: Period) -> dict[str, tuple[int, int]]:
    """Give the stretches that are looked at, by what ends the names of their columns.

    The whole period has no ending; parts of it, where there are several, have `~0` and so on.
    """
    parts = period.parts if period.changes else ()
    return {"": (period.first, period.last), **{f"~{j}": part for j, part in enumerate(parts)}}


def beside(frame: Frame, values: Frame, period: Period, engine: Engine) -> Frame:
    """Put beside each credential how old its values grew in the period, as `facts` reads it."""
    return engine.beside(frame, _summed(values, period))


def facts(there: set[str]) -> Iterator[nw.Expr]:
    """Turn what `beside` added into facts; `there` are the columns of the frame."""
    known = ~nw.col("past" if "past" in there else "versions").is_null()
    for name in sorted(there):
        if name.partition("~")[0] in {*_BOUNDS, "owed_in_period_min"}:
            yield nw.when(known).then(nw.col(name).fill_null(NONE)).alias(name)


def _summed(one: Frame, period: Period) -> Frame:
    """Sum up, for each credential, the greatest age and what it would be had nothing been rotated."""
    made, last = nw.col("made_at"), nw.lit(period.last)
    replaced = nw.col("certain") & (nw.col("at_most") <= period.last) & nw.col("followed")
    one = one.with_columns(owed=nw.when(replaced).then(last - made))
    one = one.with_columns(until=nw.when(nw.col("forgotten")).then(nw.col("first_at")))
    sums = [
        nw.col("owed").max().alias("owed_in_period_min"),
        nw.col("until").min().alias("forgotten_until"),
    ]
    for ending, (start, end) in spans(period).items():
        one = one.with_columns(**_reached(ending, start, end))
        widest = nw.col(f"reached{ending}").max().over("row")
        one = one.with_columns(aged=nw.when(nw.col(f"reached{ending}") == widest).then(made))
        this = nw.col("aged") == nw.col("aged").min().over("row")
        surely = nw.col("surely")
        one = one.with_columns(
            **{
                f"from{ending}": nw.col("aged"),
                f"version{ending}": nw.when(this).then(nw.col("version")),
                f"went{ending}": nw.when(this & (surely <= end)).then(surely),
            }
        )
        sums += [
            nw.col(f"reached{ending}").max().alias(f"age_in_period_min{ending}"),
            nw.col(f"reachable{ending}").max().alias(f"age_in_period_max{ending}"),
            nw.col(f"from{ending}").min().alias(f"aged_from{ending}"),
            nw.col(f"version{ending}").min().alias(f"aged_version{ending}"),
            nw.col(f"went{ending}").max().alias(f"aged_until{ending}"),
        ]
    return one.group_by("row").agg(*sums)


def _reached(ending: str, start: int, end: int) -> dict[str, nw.Expr]:
    """Say how old each value surely and perhaps grew between two instants.

    Of a value that is forgotten only the credential says how old it may have grown.
    """
    born, first, last = nw.col("born"), nw.col("first_at"), nw.lit(end)
    forgotten = nw.col("forgotten") & (first > start) & (born <= end).fill_null(value=True)
    earlier = (nw.min_horizontal(first, last) - born).fill_null(LONGEST_DURATION)
    return {
        f"reached{ending}": nw.when(certain_in(start, end)).then(age_min(end)),
        f"reachable{ending}": nw.max_horizontal(
            nw.when(possible_in(start, end)).then(age_max(end)), nw.when(forgotten).then(earlier)
        ),
    }


def age_min(end: int) -> nw.Expr:
    """Give how old a value surely was when it went, or at the end of a stretch in which it was in use."""
    return nw.min_horizontal("surely", nw.lit(end)) - nw.col("made_at")


def age_max(end: int) -> nw.Expr:
    """… how old it perhaps was."""
    oldest = nw.col("oldest_at")
    return (nw.min_horizontal("at_most", nw.lit(end)) - oldest).fill_null(LONGEST_DURATION)


def lateness(period: Period, k: int) -> Mapping[str, nw.Expr]:
    """Give the facts about lateness by requirement `k`, whose columns are in the frame as those of now.

    Those of the parts before stand in columns `rotation_period~0@k` and so on.
    """
    parts = range(len(period.parts))
    late_min, late_max, owed = [], [], []
    for j, (_, end) in enumerate(period.parts):
        ending = f"~{j}" if period.changes else ""
        asked = asked_in(period, j, k)
        limit = nw.col(asked["rotation_period"]) + nw.col(asked["overdue_tolerance"])
        late_min.append(nw.col(f"age_in_period_min{ending}") - limit)
        late_max.append(nw.col(f"age_in_period_max{ending}") - limit)
        earlier = period.last - end
        owed.append(nw.col("owed_in_period_min") - earlier >= nw.col(asked["rotation_period"]))
    periods = [nw.col(asked_in(period, j, k)["rotation_period"]) for j in parts]
    required = reduce(lambda one, other: one | other, (~each.is_null() for each in periods))
    fell_due = reduce(lambda one, other: one | other, (each.fill_null(value=False) for each in owed))
    least, most = _greatest(late_min), _greatest(late_max)
    due = (
        nw.when(~required)
        .then(_NO)
        .when(fell_due | (least > 0).fill_null(value=False))
        .then(_YES)
        .when(most <= 0)
        .then(_NO)
    )
    return {
        "late_by_min": least,
        "late_by_max": most,
        "fell_due": due,
        **_decided(period, k, late_min, late_max),
    }


def asked_in(period: Period, j: int, k: int) -> dict[str, str]:
    """Name the columns of what requirement `k` asked in part `j`, while `k` is being judged."""
    return {name: name if period.is_now(j) else f"{name}~{j}@{k}" for name in _ASKED}


def _greatest(of: list[nw.Expr]) -> nw.Expr:
    return of[0] if len(of) == 1 else nw.max_horizontal(*of)


def _decided(period: Period, k: int, late_min: list[nw.Expr], late_max: list[nw.Expr]) -> dict[str, nw.Expr]:
    """Show the part in which a value was latest: surely, or where none surely was, perhaps."""
    if not period.changes and period.governed_now:
        return {}
    least, most = _greatest(late_min), _greatest(late_max)
    surely = (least > 0).fill_null(value=False)
    found = {}
    for name in DECIDED:
        chosen: nw.Expr | None = None
        for j in reversed(range(len(period.parts))):
            ending = f"~{j}" if period.changes else ""
            column = nw.col(f"{name}{ending}" if name in _AGED else asked_in(period, j, k)[name])
            here = (surely & (late_min[j] == least)) | (~surely & (late_max[j] == most))
            chosen = column if chosen is None else nw.when(here).then(column).otherwise(chosen)
        assert chosen is not None
        found[f"{name}~"] = chosen
    return found
