"""From inventory columns to facts, once a credential, whatever the policy says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from keyaudit.columns import PROVIDERS
from keyaudit.engine import Engine
from keyaudit.facts import aging, cadence, lives, relatives, rotations, versions
from keyaudit.facts.promotions import Period
from keyaudit.times import DAY

_PAST = ("created_at", "last_changed_at", "last_rotated_at", "last_used_at", "compromised_at")
_KEYS = ("encryption-key", "signing-key")
_FEW = 16


def derive(
    frame: nw.LazyFrame[Any], *, as_of: int, collected: frozenset[str], engine: Engine
) -> nw.LazyFrame[Any]:
    """Add every policy-independent fact of `facts.FACTS` to a frame of credentials."""
    return known(gather(frame, as_of=as_of, collected=collected, engine=engine), as_of=as_of)


def gather(
    frame: nw.LazyFrame[Any],
    *,
    as_of: int,
    collected: frozenset[str],
    engine: Engine,
    period: Period | None = None,
    values: nw.LazyFrame[Any] | None = None,
) -> nw.LazyFrame[Any]:
    """Put beside each credential what its versions and relatives have to say; the rest is up to `known`.

    `collected` holds the columns that any row carries, so that joins for the others are skipped.
    What happened in a `period` is looked at only where one is given; its `values` are those of `facts.lives`.
    """
    listed = relatives.with_primaries(frame, collected, engine)
    listed = _with_versions(listed, collected, engine)
    listed = _with_schedule(listed, collected, engine)
    if period is not None:
        values = lives.values(listed, period, engine) if values is None else values
        listed = rotations.beside(aging.beside(listed, values, period, engine), period, engine)
    return relatives.beside(listed, lambda some: _with_value(some, as_of), collected, engine)


def known(frame: nw.LazyFrame[Any], *, as_of: int) -> nw.LazyFrame[Any]:
    """Derive the facts of credentials, each from its own row: any part of what `gather` gives will do."""
    there = set(frame.collect_schema().names())
    happened = [*aging.facts(there), *rotations.facts(there)] if "record_gap_min" in there else []
    frame = _with_value(frame, as_of).with_columns(
        *_age(), *_use(), *_future(), _single_value(), *happened, exposed_since=nw.col("compromised_at")
    )
    return frame.with_columns(
        relatives.staging_lead(),
        rotates=nw.col("in_use")
        & ~nw.col("is_replica")
        & ~(nw.col("class") == "dynamic-secret").fill_null(value=False),
    )


def _with_value(frame: nw.LazyFrame[Any], as_of: int) -> nw.LazyFrame[Any]:
    """Add what the versions say: above all, since when the value in use exists."""
    frame = frame.with_columns(
        as_of=nw.lit(as_of, dtype=nw.Int64), versions_known=~nw.col("versions").is_null()
    )
    return frame.with_columns(*versions.facts(), *_identity()).with_columns(_value_created_at())


_WITHOUT_VERSIONS: Mapping[str, Any] = {
    **dict.fromkeys(("v_count", "v_current", "v_pending", "v_old"), nw.Int64),
    **dict.fromkeys(
        (
            "v_current_created",
            "v_pending_created",
            "v_replaced_created",
            "v_latest",
            "v_active_since",
            "v_maybe_since",
            "v_active_created",
            "v_maybe_created",
            "v_served_since",
            "v_used_after",
            "v_used_open",
            "v_replaced_after",
        ),
        nw.Int64,
    ),
    **dict.fromkeys(
        (
            "v_current_undated",
            "v_current_denied",
            "v_pending_undated",
            "v_replaced_undated",
            "v_replaced",
            "v_active_open",
            "v_maybe_open",
            "v_active_undated",
            "v_maybe_undated",
            "v_served_open",
            "v_served_undated",
            "v_encrypts",
            "v_may_encrypt",
            "v_gap",
            "v_gap_unclear",
            "v_used_unknown",
            "v_exposed",
            "v_held",
            "v_may_expose",
        ),
        nw.Boolean,
    ),
}


def _with_versions(frame: nw.LazyFrame[Any], collected: frozenset[str], engine: Engine) -> nw.LazyFrame[Any]:
    if "versions" in collected:
        frame = engine.summed(
            frame, ("compromised_at", "versions"), lambda part: versions.aggregate(part, collected)
        )
    there = frame.collect_schema().names()
    absent = {name: nw.lit(None, dtype=kind) for name, kind in _WITHOUT_VERSIONS.items() if name not in there}
    return frame.with_columns(**absent) if absent else frame


def _identity() -> list[nw.Expr]:
    kind = nw.col("class")
    has_value = nw.col("v_current").fill_null(0) > 0
    return [
        (~nw.col("versions_known") | has_value).alias("in_use"),
        kind.is_in(_KEYS).alias("is_key"),
        nw.col("source").is_in(PROVIDERS).alias("at_provider"),
    ]


def _value_created_at() -> nw.Expr:
    """A creation date in the future is no date: it would make anything look young."""
    created = nw.col("v_current_created")
    sound = ~nw.col("v_current_undated").fill_null(value=False) & (created <= nw.col("as_of"))
    return nw.when(sound).then(created).alias("value_created_at")


def _age() -> list[nw.Expr]:
    """Exact where the version's date is known, else between the credential's own dates.

    The value cannot be younger than the last change of anything, nor older than the last
    rotation that the store recorded, or than the credential itself; but what calls itself a
    copy may hold a value that is older than the copy. Dates that contradict each other are taken
    both ways, which widens the interval: a current version that was created after the last
    change (a day is allowed for clocks), or that was superseded, retired or is refused.
    """
    now, exact = nw.col("as_of"), nw.col("as_of") - nw.col("value_created_at")
    unchanged = nw.col("last_changed_at") + DAY < nw.col("value_created_at")
    denied = nw.col("v_current_denied").fill_null(value=False) | unchanged.fill_null(value=False)
    contradicted = denied & ~exact.is_null()

    def since(name: str) -> nw.Expr:
        return nw.when(nw.col(name) <= now).then(now - nw.col(name))

    least = since("last_changed_at")
    own = nw.when(nw.col("replica_of").is_null()).then(since("created_at"))
    most = nw.coalesce(since("last_rotated_at"), own)
    low = nw.when(most.is_null()).then(least).otherwise(nw.min_horizontal(least, most))
    bounded = ~least.is_null() | ~most.is_null()
    high = nw.when(~most.is_null()).then(nw.max_horizontal(least, most, exact))
    return [
        nw.when(contradicted)
        .then(nw.min_horizontal(exact, least, most))
        .otherwise(nw.coalesce(exact, nw.when(~least.is_null()).then(low)))
        .alias("age_min"),
        nw.when(contradicted).then(high).otherwise(nw.coalesce(exact, high)).alias("age_max"),
        nw.when(contradicted)
        .then(nw.lit("contradicted"))
        .when(~exact.is_null())
        .then(nw.lit("version-created"))
        .when(bounded)
        .then(nw.lit("bounded"))
        .otherwise(nw.lit("none"))
        .alias("age_basis"),
    ]


def _use() -> list[nw.Expr]:
    """Unknown use is bounded by the age of the credential: a young one cannot be long unused."""
    now, used = nw.col("as_of"), nw.col("last_used_at")
    return [
        (now - used).alias("unused_min"),
        nw.coalesce(now - used, now - nw.col("created_at")).alias("unused_max"),
    ]


def _future() -> list[nw.Expr]:
    latest = nw.max_horizontal(*_PAST, "v_latest")
    return [
        latest.alias("latest_instant"),
        (latest > nw.col("as_of")).fill_null(value=False).alias("time_in_future"),
    ]


def _single_value() -> nw.Expr:
    """One value ever: one version listed, no rotation recorded, and the version as old as the credential.

    A store forgets versions, so a lone version that is more than a day younger than its
    credential does not count as the first.
    """
    reset = (nw.col("value_created_at") - nw.col("created_at") > DAY).fill_null(value=False)
    return (
        nw.when(~nw.col("last_rotated_at").is_null() | (nw.col("version_count") > 1) | reset)
        .then(nw.lit(value=False))
        .when(nw.col("version_count") == 1)
        .then(nw.lit(value=True))
        .alias("single_value")
    )


def _with_schedule(frame: nw.LazyFrame[Any], collected: frozenset[str], engine: Engine) -> nw.LazyFrame[Any]:
    """Work each distinct schedule out once, in Python, and join the answers."""
    if "rotation_schedule" not in collected:
        return frame.with_columns(
            schedule_interval_max=nw.lit(None, dtype=nw.Int64), schedule_unparsable=nw.lit(value=False)
        )
    wanted = frame.select("rotation_schedule").filter(~nw.col("rotation_schedule").is_null()).unique()
    schedules = sorted(engine.collect([wanted])[0].to_series().to_list())
    gaps = {schedule: cadence.interval_max(schedule) for schedule in schedules}
    frame = _chosen(frame, gaps) if len(gaps) <= _FEW else _joined(frame, gaps, engine)
    unread = ~nw.col("rotation_schedule").is_null() & nw.col("schedule_interval_max").is_null()
    return frame.with_columns(schedule_unparsable=unread)


def _chosen(frame: nw.LazyFrame[Any], gaps: Mapping[str, int | None]) -> nw.LazyFrame[Any]:
    """A fleet has a handful of schedules: comparing with each costs less than a join."""
    gap: nw.Expr = nw.lit(None, dtype=nw.Int64)
    for schedule, longest in gaps.items():
        known = nw.lit(longest, dtype=nw.Int64)
        gap = nw.when(nw.col("rotation_schedule") == schedule).then(known).otherwise(gap)
    return frame.with_columns(schedule_interval_max=gap)


def _joined(frame: nw.LazyFrame[Any], gaps: Mapping[str, int | None], engine: Engine) -> nw.LazyFrame[Any]:
    table = engine.table(
        {"rotation_schedule": list(gaps), "schedule_interval_max": list(gaps.values())},
        {"rotation_schedule": "string", "schedule_interval_max": "integer"},
    )
    return frame.join(table, on="rotation_schedule", how="left")
