"""Which values were in use in a period, since when and until when, as it is sure and as it is possible.

A version was in use from its creation until it was superseded or, where nothing says when, until
the version after it was created. A history says more: when a version was last seen in use, and when it
was first seen not to be. Of one that only earlier inventories know, and as the value in use, others may
have come and gone before the next that is known. Where a version was superseded and no other one is known
to have taken over, what did is as old as that one at most: it counts as if it had stayed. A value that was
taken back is in use a second time: two rows. What the store gave up in the instant in which it was made
never was in use.

One frame of values gives the facts that rules compare (`aging`) and the rotation ledger alike.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from keyaudit.columns import PAST, PROVIDERS, VERSIONS
from keyaudit.engine import Engine
from keyaudit.facts.promotions import Period
from keyaudit.times import DAY

Frame = nw.LazyFrame[Any]

_FIELDS = {
    "version": "id",
    "state": "state",
    "made_at": "created_at",
    "ended_at": "superseded_at",
    "retired_at": "retired_at",
    "authenticates": "authenticates",
    "in_use_at": "in_use_at",
    "gone_by": "gone_by",
    "usable_at": "usable_at",
    "unusable_by": "unusable_by",
    "basis": "basis",
}
_ORDER = ("made_at", "version")
_ONCE, _FIRST, _AGAIN = 0, 1, 2

VALUES = (
    *("row", "version", "state", "made_at", "oldest_at", "since", "since_earliest", "surely", "at_most"),
    *("certain", "possible", "undated", "switched_off", "turn"),
    *("ended_at", "retired_at", "authenticates", "usable_at", "unusable_by", "basis"),
    *("born", "first_at", "forgotten", "followed"),
)
"""The columns of a frame of values, one row for each time that one was or may have been in use.

`oldest_at` is its creation, or where it has no date that of its credential. It was in use `since`, or since
`since_earliest` at most; null is not known. `surely` is until when it was in use at least, null where it
may never have been; `at_most` is until when it was at most; what goes on ends a microsecond after the
period, later than any instant in it. `certain` and `possible` say whether that was in the period. `turn` is 2
where it was in use for the second time. `followed` says whether another one is known that may have taken
over: what was deleted or switched off was not replaced. `forgotten` says of the credential that another value
may have been in use before its oldest one, which was made `first_at`; `born` is when the credential was made,
null for a copy, which may hold what is older than itself.
"""


def values(frame: Frame, period: Period, engine: Engine) -> Frame:
    """Give the values of all credentials, with the columns `VALUES`, worked out once.

    What a history recalled counts in the place of what the inventory lists.
    """
    named = "past" if "past" in frame.collect_schema().names() else "versions"
    turns = engine.table(
        {"rolled_back": [False, True, True], "turn": [_ONCE, _FIRST, _AGAIN]},
        {"rolled_back": "boolean", "turn": "integer"},
    )
    needed = ("source", "created_at", "replica_of", named)
    return engine.kept(frame, needed, lambda part: _values(part, named, period, turns))


def _values(part: Frame, named: str, period: Period, turns: Frame) -> Frame:
    one = _among_others(_versions(part, named)).join(turns, on="rolled_back", how="inner")
    one = one.filter(~(nw.col("copied") & (nw.col("turn") == _FIRST))).with_columns(
        surely=_surely(period),
        at_most=_at_most(period),
        since=_since(),
        since_earliest=_since_earliest(),
        # An undated version is as old as its credential at most.
        oldest_at=nw.when(nw.col("dated")).then(nw.col("made_at")).otherwise(nw.col("born")),
    )
    one = one.with_columns(*_in_period(period), undated=~nw.col("dated"), switched_off=~nw.col("sure"))
    first, born = nw.col("oldest"), nw.col("born")
    forgotten = (first > period.first) & (first > born + DAY).fill_null(value=True)
    forgotten &= (born <= period.last).fill_null(value=True)
    return one.with_columns(forgotten=forgotten.fill_null(value=False), first_at=first).select(*VALUES)


def _versions(part: Frame, named: str) -> Frame:
    """Give every version that was or may have been in use, with what is known of each by itself."""
    # A copy may hold a value that is older than itself.
    born = nw.when(nw.col("replica_of").is_null()).then(nw.col("created_at"))
    at_provider = nw.col("source").is_in(PROVIDERS)
    one = part.select("row", listed=nw.col(named), born=born, at_provider=at_provider).explode("listed")
    carried = PAST if named == "past" else VERSIONS
    kinds: dict[str, Any] = {"text": nw.String, "instant": nw.Int64, "boolean": nw.Boolean}
    one = one.with_columns(
        **{
            name: nw.col("listed").struct.field(at)
            if at in carried
            else nw.lit("store" if at == "basis" else None, dtype=kinds[PAST[at]])
            for name, at in _FIELDS.items()
        }
    )
    made, ended, state = nw.col("made_at"), nw.col("ended_at"), nw.col("state")
    given_up = (ended == made).fill_null(value=False)
    one = one.filter(~state.is_null() & (state != "pending") & ~given_up).with_columns(
        # What was switched off without having been superseded may never have been in use.
        sure=state.is_in(("current", "superseded")) | ~ended.is_null() | ~nw.col("in_use_at").is_null(),
        current=(state == "current") & nw.col("gone_by").is_null(),
        dated=~made.is_null(),
        # Listed last as the one in use, and by earlier lists alone.
        lost=(state == "current") & ~nw.col("gone_by").is_null() & (nw.col("basis") == "inventory"),
        # An end before the beginning says nothing.
        ended_at=nw.when(made.is_null() | (ended >= made)).then(ended),
    )
    return one.with_columns(placed=nw.col("sure") & nw.col("dated"))


def _among_others(one: Frame) -> Frame:
    """Say of each version what came after it, and since when its successors were taken back."""
    made, placed = nw.col("made_at"), nw.col("placed")
    replaced = placed & ~nw.col("current")
    outlived = nw.col("ended_at").cum_max().over("row", "placed", order_by=_ORDER)
    one = one.with_columns(
        outlived=outlived,
        undated_one=nw.when(~nw.col("dated")).then(nw.lit(1)),
        previous=made.shift(1).over("row", "placed", order_by=_ORDER),
        next_any=made.shift(-1).over("row", "dated", order_by=_ORDER),
        next_placed=made.shift(-1).over("row", "placed", order_by=_ORDER),
        oldest=nw.when(placed).then(made),
        taken=nw.when(placed & nw.col("current")).then(made),
        newest_old=nw.when(replaced).then(made),
        back_at=nw.when(replaced).then(nw.col("ended_at")),
        back_open=nw.when(replaced & nw.col("ended_at").is_null()).then(made),
    )
    least, most = ("oldest", "taken", "undated_one"), ("newest_old", "back_at", "back_open")
    one = one.with_columns(
        *(nw.col(name).min().over("row").alias(name) for name in least),
        *(nw.col(name).max().over("row").alias(name) for name in most),
    )
    rolled_back = placed & nw.col("current") & (nw.col("newest_old") > made)
    # Where a store cannot make an old version the newest one, a copy with its date stands in its place. A
    # provider makes keys, and no copies of them: two of one second are two.
    copied = rolled_back & (nw.col("previous") == made) & ~nw.col("at_provider")
    back_known = ~(nw.col("back_open") > made).fill_null(value=False)
    return one.with_columns(
        rolled_back=rolled_back.fill_null(value=False),
        copied=copied.fill_null(value=False),
        followed=~nw.coalesce("next_any", "taken", "undated_one").is_null(),
        back_at=nw.when(back_known).then(nw.col("back_at")),
    )


def _since() -> nw.Expr:
    again = nw.col("turn") == _AGAIN
    return nw.when(nw.col("placed")).then(nw.when(again).then(nw.col("back_at")).otherwise(nw.col("made_at")))


def _since_earliest() -> nw.Expr:
    again = nw.col("turn") == _AGAIN
    known = nw.when(nw.col("dated")).then(nw.col("made_at")).otherwise(nw.col("born"))
    taken_back = nw.coalesce(nw.col("back_at"), nw.col("next_placed"))
    return nw.when(again).then(taken_back).otherwise(known)


def _surely(period: Period) -> nw.Expr:
    """Until when a version was in use at least; null where it may never have been, or nobody knows when."""
    after = nw.lit(period.last + 1)
    seen = nw.max_horizontal("made_at", "in_use_at")
    followed = nw.max_horizontal("next_any", "in_use_at")
    gone_before = (nw.col("gone_by") < nw.col("next_any")).fill_null(value=False) | nw.col("lost")
    replaced = nw.coalesce(
        nw.col("ended_at"), nw.when(~gone_before & ~nw.col("next_any").is_null()).then(followed), seen
    )
    back = (nw.col("back_at") <= period.last).fill_null(value=False)
    return nw.when(nw.col("placed")).then(
        nw.when(nw.col("turn") == _FIRST)
        .then(nw.col("next_placed"))
        .when((nw.col("turn") == _ONCE) & nw.col("current"))
        .then(after)
        .when((nw.col("turn") == _AGAIN) & back)
        .then(after)
        .when(nw.col("turn") == _ONCE)
        .then(replaced)
    )


def _at_most(period: Period) -> nw.Expr:
    """Until when it was in use at most."""
    after = nw.lit(period.last + 1)
    seen_later = (nw.col("in_use_at") > nw.col("next_placed")).fill_null(value=False)
    next_one = nw.when(~seen_later).then(nw.col("next_placed"))
    ended = nw.when(~_unfollowed()).then(nw.col("ended_at")).otherwise(nw.coalesce("next_any", after))
    replaced = nw.coalesce(ended, nw.min_horizontal(next_one, nw.col("gone_by")), after)
    switched_off = nw.coalesce(nw.col("retired_at"), nw.col("gone_by"), after)
    undated = nw.coalesce(nw.col("ended_at"), nw.col("retired_at"), nw.col("gone_by"), nw.col("taken"), after)
    return (
        nw.when(nw.col("turn") == _FIRST)
        .then(nw.col("next_placed"))
        .when(nw.col("current"))
        .then(after)
        .when(nw.col("placed"))
        .then(replaced)
        .when(nw.col("dated"))
        .then(switched_off)
        .otherwise(undated)
    )


def _unfollowed() -> nw.Expr:
    """Say whether a version was superseded while no other one is known to have been there to take over.

    Stores do not date what follows by the same microsecond: a day is no hole.
    """
    ended = nw.col("ended_at")
    followed = nw.min_horizontal("taken", "next_any") <= ended + DAY
    outlived = (nw.col("outlived") > ended) | ~nw.col("undated_one").is_null()
    replaced_first = (nw.col("retired_at") > ended).fill_null(value=False)
    alone = ((nw.col("state") == "superseded") | replaced_first) & ~ended.is_null()
    return alone & ~followed.fill_null(value=False) & ~outlived.fill_null(value=False)


def _in_period(period: Period) -> list[nw.Expr]:
    return [
        certain_in(period.first, period.last).fill_null(value=False).alias("certain"),
        possible_in(period.first, period.last).alias("possible"),
    ]


def certain_in(first: int, last: int) -> nw.Expr:
    """Say whether a value surely was in use between two instants, both inside."""
    return (nw.col("since") <= last) & (nw.col("surely") > first)


def possible_in(first: int, last: int) -> nw.Expr:
    """Say whether a value may have been in use between two instants, both inside."""
    return (nw.col("since_earliest") <= last).fill_null(value=True) & (nw.col("at_most") > first)
