"""Facts of a period about age: how old the values grew that were in use in it.

A version was in use from its creation until it was superseded or, where nothing says when, until
the version after it was created. A value from before the oldest one listed is not known: it bounds
what is possible, like a version without a date.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from keyaudit.engine import Engine
from keyaudit.facts import NONE
from keyaudit.facts.promotions import Period
from keyaudit.times import DAY, LONGEST_DURATION

Frame = nw.LazyFrame[Any]

_FIELDS = {
    "version": "id",
    "state": "state",
    "made_at": "created_at",
    "ended_at": "superseded_at",
    "gone_at": "retired_at",
}
_BOUNDS = ("age_in_period_min", "age_in_period_max", "owed_in_period_min", "owed_in_period_max")
_ORDER = ("made_at", "version")


def beside(frame: Frame, period: Period, engine: Engine) -> Frame:
    """Put beside each credential how old its values grew in the period, as `facts` reads it."""
    needed = ("created_at", "replica_of", "versions")
    return engine.summed(frame, needed, lambda part: _summed(_lives(part, period), period))


def facts() -> list[nw.Expr]:
    """Turn what `beside` added into facts; the frame must carry `versions_known`."""
    known = nw.col("versions_known")
    return [nw.when(known).then(nw.col(name).fill_null(NONE)).alias(name) for name in _BOUNDS]


def _lives(part: Frame, period: Period) -> Frame:
    """Give every version that was or may have been in use, with its end as it `surely` and `at_most` is.

    What goes on ends a microsecond after the period: later than any instant in it.
    """
    # A copy may hold a value that is older than itself.
    born = nw.when(nw.col("replica_of").is_null()).then(nw.col("created_at"))
    one = part.select("row", "versions", born=born).explode("versions")
    one = one.with_columns(**{name: nw.col("versions").struct.field(at) for name, at in _FIELDS.items()})
    made, ended, state = nw.col("made_at"), nw.col("ended_at"), nw.col("state")
    one = one.filter(~state.is_null() & (state != "pending")).with_columns(
        # What was switched off without having been superseded may never have been in use.
        sure=state.is_in(("current", "superseded")) | ~ended.is_null(),
        current=state == "current",
        dated=~made.is_null(),
        # An end before the beginning says nothing.
        ended_at=nw.when(made.is_null() | (ended >= made)).then(ended),
    )
    one = one.with_columns(placed=nw.col("sure") & nw.col("dated"))
    return _among_others(one).with_columns(surely=_surely(period), at_most=_at_most(period))


def _among_others(one: Frame) -> Frame:
    """Say of each version what came after it, and since when its successors were taken back."""
    made, placed = nw.col("made_at"), nw.col("placed")
    replaced = placed & ~nw.col("current")
    one = one.with_columns(
        next_any=made.shift(-1).over("row", "dated", order_by=_ORDER),
        next_placed=made.shift(-1).over("row", "placed", order_by=_ORDER),
        oldest=nw.when(placed).then(made),
        taken=nw.when(placed & nw.col("current")).then(made),
        newest_old=nw.when(replaced).then(made),
        back_at=nw.when(replaced).then(nw.col("ended_at")),
        back_open=nw.when(replaced & nw.col("ended_at").is_null()).then(made),
    )
    least, most = ("oldest", "taken"), ("newest_old", "back_at", "back_open")
    return one.with_columns(
        *(nw.col(name).min().over("row").alias(name) for name in least),
        *(nw.col(name).max().over("row").alias(name) for name in most),
    )


def _surely(period: Period) -> nw.Expr:
    """Until when a version was in use at least; null where it may never have been, or nobody knows when."""
    made, after = nw.col("made_at"), nw.lit(period.last + 1)
    rolled_back = nw.col("newest_old") > made
    back = ~(nw.col("back_open") > made).fill_null(value=False) & (nw.col("back_at") <= period.last)
    current = nw.when(rolled_back & ~back).then(nw.col("next_placed")).otherwise(after)
    replaced = nw.coalesce(nw.col("ended_at"), nw.col("next_any"), made)
    return nw.when(nw.col("placed")).then(nw.when(nw.col("current")).then(current).otherwise(replaced))


def _at_most(period: Period) -> nw.Expr:
    """Until when it was in use at most."""
    made, after = nw.col("made_at"), nw.lit(period.last + 1)
    rolled_back = (nw.col("newest_old") > made) & ~(nw.col("back_open") > made).fill_null(value=False)
    later = rolled_back & (nw.col("back_at") > period.last)
    current = nw.when(later).then(nw.col("next_placed")).otherwise(after)
    replaced = nw.coalesce(nw.col("ended_at"), nw.col("next_placed"), after)
    switched_off = nw.coalesce(nw.col("gone_at"), after)
    undated = nw.coalesce(nw.col("ended_at"), nw.col("gone_at"), nw.col("taken"), after)
    return (
        nw.when(nw.col("current"))
        .then(current)
        .when(nw.col("placed"))
        .then(replaced)
        .when(nw.col("dated"))
        .then(switched_off)
        .otherwise(undated)
    )


def _summed(one: Frame, period: Period) -> Frame:
    """Sum up, for each credential, the greatest age and what it would be had nothing been rotated."""
    made, born, surely, at_most = (nw.col(name) for name in ("made_at", "born", "surely", "at_most"))
    last = nw.lit(period.last)
    # An undated version is as old as its credential at most.
    oldest = nw.when(nw.col("dated")).then(made).otherwise(born)
    certain = nw.col("placed") & (made <= period.last) & (surely > period.first)
    possible = (oldest <= period.last).fill_null(value=True) & (at_most > period.first)
    endless = nw.lit(LONGEST_DURATION)
    first = nw.col("oldest")
    forgotten = (first > period.first) & (first > born + DAY).fill_null(value=True)
    forgotten &= (born <= period.last).fill_null(value=True)
    one = one.with_columns(
        reached=nw.when(certain).then(nw.min_horizontal(surely, last) - made),
        owed=nw.when(certain).then(last - made),
        reachable=nw.when(possible).then((nw.min_horizontal(at_most, last) - oldest).fill_null(endless)),
        owing=nw.when(possible).then((last - oldest).fill_null(endless)),
        earlier=nw.when(forgotten).then((nw.min_horizontal(first, last) - born).fill_null(endless)),
        earlier_owing=nw.when(forgotten).then((last - born).fill_null(endless)),
    )
    one = one.with_columns(widest=nw.col("reached").max().over("row"))
    one = one.with_columns(aged=nw.when(nw.col("reached") == nw.col("widest")).then(made))
    one = one.with_columns(earliest=nw.col("aged").min().over("row"))
    this = nw.col("aged") == nw.col("earliest")
    return one.group_by("row").agg(
        nw.col("reached").max().alias("age_in_period_min"),
        nw.max_horizontal("reachable", "earlier").max().alias("age_in_period_max"),
        nw.col("owed").max().alias("owed_in_period_min"),
        nw.max_horizontal("owing", "earlier_owing").max().alias("owed_in_period_max"),
        nw.col("aged").min().alias("aged_from"),
        nw.when(this).then(nw.col("version")).min().alias("aged_version"),
        nw.when(this & (surely <= period.last)).then(surely).max().alias("aged_until"),
    )
