"""Facts of a period about records: which rotations it saw, and how far the nearest record of each lies.

A rotation is a version that took over from another one: when it was created or, if that was later,
when the version before it was superseded. A value that a store was given again is none: a copy as
old as a version that was in use longer. A version whose dates leave open whether it was ever in use,
or when, *may* be a rotation: it counts for what is possible, and not for what is certain.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import narwhals as nw

from keyaudit.columns import PROVIDERS
from keyaudit.engine import Engine
from keyaudit.facts import NONE
from keyaudit.facts.promotions import Identity, Match, Period, Promotion, TakenOver, approvals, matches
from keyaudit.times import DAY, LONGEST_DURATION

Frame = nw.LazyFrame[Any]

_IDENTITY = ("source", "scope", "id")
_FIELDS = {"version": "id", "state": "state", "made_at": "created_at", "ended_at": "superseded_at"}
_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("record_gap_min", "record_gap_max", "rotated_at"), nw.Int64),
    **dict.fromkeys(("promotions_in_period", "promoted_at"), nw.Int64),
    **dict.fromkeys(("rotated_version", "requested_by", "approved_by"), nw.String),
    "self_approved": nw.Boolean,
}
_APPROVALS = {
    **dict.fromkeys(_IDENTITY, "string"),
    "promotions_in_period": "integer",
    "self_approved": "boolean",
    "promoted_at": "integer",
    "requested_by": "string",
    "approved_by": "string",
}


def beside(frame: Frame, period: Period, engine: Engine) -> Frame:
    """Put what versions and records say of the period beside each credential, as `facts` reads it."""
    if period.promotions is None:
        return frame.with_columns(**{name: nw.lit(None, dtype=kind) for name, kind in _COLUMNS.items()})
    taken = _taken_over(frame, period)
    recorded = _recorded(taken, period.promotions, engine)
    promoted = engine.table(approvals(period), _APPROVALS)
    named = frame.select("row", *_IDENTITY).join(promoted, on=list(_IDENTITY), how="inner")
    return engine.beside(engine.beside(frame, _summed(taken, recorded)), named.drop(*_IDENTITY))


def facts(there: set[str]) -> list[nw.Expr]:
    """Turn what `beside` added into facts; `there` are the columns of the frame."""
    gaps = ("record_gap_min", "record_gap_max")
    known = ~nw.col("past" if "past" in there else "versions").is_null()
    return [
        *(nw.when(known).then(nw.col(gap).fill_null(NONE)).alias(gap) for gap in gaps),
        nw.col("promotions_in_period").fill_null(0).alias("promotions_in_period"),
    ]


def _taken_over(frame: Frame, period: Period) -> Frame:
    """Give every version that was or may have been in use: when it took over, and whether `inside`.

    `inside` is null where it may have taken over from another one in the period.
    """
    recalled = "past" in frame.collect_schema().names()
    listed = nw.col("past" if recalled else "versions")
    one = frame.select("row", *_IDENTITY, "last_changed_at", listed=listed, born="created_at").explode(
        "listed"
    )
    one = one.with_columns(**{name: nw.col("listed").struct.field(at) for name, at in _FIELDS.items()})
    seen = nw.col("listed").struct.field("in_use_at") if recalled else nw.lit(None, dtype=nw.Int64)
    one = one.with_columns(seen_at=seen)
    made, ended, state = nw.col("made_at"), nw.col("ended_at"), nw.col("state")
    # What was superseded the moment it was made never was in use (`versions`).
    given_up = (ended == made).fill_null(value=False)
    one = one.filter(~state.is_null() & (state != "pending") & ~given_up).with_columns(
        # What was switched off without having been superseded may never have been in use.
        sure=state.is_in(("current", "superseded")) | ~ended.is_null(),
        dated=~made.is_null(),
    )
    order, placed = ("made_at", "version"), nw.col("sure") & nw.col("dated")
    one = one.with_columns(placed=placed, undated_old=(~nw.col("dated") & (state == "superseded")))
    one = one.with_columns(
        before=made.shift(1).over("row", "placed", order_by=order),
        replaced=ended.shift(1).over("row", "placed", order_by=order),
        oldest=nw.when(nw.col("placed")).then(made),
        undated_old=nw.col("undated_old").cast(nw.Int64),
    ).with_columns(
        oldest=nw.col("oldest").min().over("row"), undated_old=nw.col("undated_old").max().over("row")
    )
    one = one.with_columns(at_provider=nw.col("source").is_in(PROVIDERS))
    one = one.with_columns(at=_at(), rotation=_rotation() & ~_restored())
    return one.with_columns(inside=_inside(period)).select(
        "row", *_IDENTITY, "version", "at", "inside", "at_provider"
    )


def _at() -> nw.Expr:
    return nw.when(_waited()).then(nw.col("replaced")).otherwise(nw.col("made_at"))


def _waited() -> nw.Expr:
    """A version that was made before the one in use was superseded waited for its turn."""
    return nw.col("placed") & (nw.col("replaced") > nw.col("made_at"))


def _restored() -> nw.Expr:
    """Stores that cannot make an old version the newest one hold a copy of it, which has its date.

    A provider makes keys, and no copies of them: two of one second are two.
    """
    copied = _waited() & (nw.col("before") == nw.col("made_at")) & ~nw.col("at_provider")
    return copied.fill_null(value=False)


def _rotation() -> nw.Expr:
    """Say of a dated version whether it took over from another one; null if nobody knows.

    The oldest one listed is the first there was if it is about as old as its credential.
    """
    followed = (nw.col("undated_old") > 0) & (nw.col("state") == "current")
    known = nw.when(nw.col("placed")).then(~nw.col("before").is_null() | followed)
    older = known.otherwise((nw.col("oldest") <= nw.col("made_at")).fill_null(value=False))
    return older | (nw.col("made_at") > nw.col("born") + DAY)


def _inside(period: Period) -> nw.Expr:
    within = (nw.col("at") >= period.first) & (nw.col("at") <= period.last) & nw.col("rotation")
    outside = (
        (nw.col("ended_at") < period.first).fill_null(value=False)
        | (nw.col("last_changed_at") < period.first).fill_null(value=False)
        | (nw.col("born") > period.last).fill_null(value=False)
        # What was in use before did not take over then, whenever it was made.
        | (nw.col("seen_at") < period.first).fill_null(value=False)
    )
    undated = nw.when(outside).then(nw.lit(value=False))
    unclear = nw.when(~within).then(nw.lit(value=False))
    return (
        nw.when(~nw.col("dated"))
        .then(undated)
        .otherwise(nw.when(nw.col("sure")).then(within).otherwise(unclear))
    )


def records(frame: Frame, period: Period, engine: Engine) -> dict[tuple[int, str], Match]:
    """Give the record of each version's taking over, by row and version, as the facts are judged by it."""
    if not period.promotions:
        return {}
    return _records(_taken_over(frame, period), period.promotions, engine)


def _recorded(taken: Frame, promotions: tuple[Promotion, ...], engine: Engine) -> Frame:
    """Give how far the nearest record lies, for each version that one stands for."""
    near = _records(taken, promotions, engine)
    columns: dict[str, list[Any]] = {
        "row": [row for row, _ in near],
        "version": [name for _, name in near],
        "gap": [match.distance for match in near.values()],
    }
    return engine.table(columns, {"row": "integer", "version": "string", "gap": "integer"})


def _records(taken: Frame, promotions: tuple[Promotion, ...], engine: Engine) -> dict[tuple[int, str], Match]:
    """Match what took over with records; only the credentials that records are about leave the engine."""
    identities = sorted({each.identity for each in promotions})
    keys = sorted({each.key_id for each in promotions if each.key_id is not None})
    columns = {name: [identity[i] for identity in identities] for i, name in enumerate(_IDENTITY)}
    about = engine.table(columns, dict.fromkeys(_IDENTITY, "string"))
    called = engine.table({"version": keys}, {"version": "string"})
    found = engine.collect(
        [
            taken.join(about, on=list(_IDENTITY), how="semi"),
            taken.filter(nw.col("at_provider")).join(called, on="version", how="semi"),
        ]
    )
    listed = defaultdict[Identity, list[TakenOver]](list)
    for row in (row for table in found for row in table.iter_rows(named=True)):
        inside = row["inside"] is not False
        each = TakenOver(row["row"], row["version"], row["at"], inside, row["at_provider"])
        listed[row["source"], row["scope"], row["id"]].append(each)
    return matches(listed, promotions)


def _summed(taken: Frame, recorded: Frame) -> Frame:
    """Sum the rotations of each credential up: those of which records are farthest away."""
    one = taken.filter(nw.col("inside").fill_null(value=True))
    one = one.join(recorded, on=["row", "version"], how="left").with_columns(
        gap=nw.col("gap").fill_null(LONGEST_DURATION), certain=nw.col("inside").fill_null(value=False)
    )
    one = one.with_columns(sure_gap=nw.when(nw.col("certain")).then(nw.col("gap")))
    one = one.with_columns(widest=nw.col("sure_gap").max().over("row"))
    one = one.with_columns(first=nw.when(nw.col("sure_gap") == nw.col("widest")).then(nw.col("at")))
    one = one.with_columns(earliest=nw.col("first").min().over("row"))
    this = nw.when(nw.col("first") == nw.col("earliest")).then(nw.col("version"))
    return one.group_by("row").agg(
        nw.col("sure_gap").max().alias("record_gap_min"),
        nw.col("gap").max().alias("record_gap_max"),
        nw.col("first").min().alias("rotated_at"),
        this.min().alias("rotated_version"),
    )
