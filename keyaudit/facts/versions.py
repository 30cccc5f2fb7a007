"""Facts that come from a credential's versions: one pass, one row a credential.

Every bound here holds for all versions that play a part: a minimum counts only what is certain,
a maximum also what is possible. A version whose end is not recorded was replaced somewhere
between the creation of the value in use and the last change of the credential.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from keyaudit.columns import NEWEST_IN_USE
from keyaudit.facts import NONE
from keyaudit.times import LONGEST_DURATION

_USABLE_END = ("disabled", "destroyed")


def aggregate(frame: nw.LazyFrame[Any], collected: frozenset[str]) -> nw.LazyFrame[Any]:
    """Sum the versions of each credential up in columns named `v_…`, keyed by `row`.

    `frame` has `row`, `compromised_at` and `versions`. Credentials without any version are absent.
    So are sums that only rules ask for which need a column that is not in `collected`.
    """
    one = frame.select("row", "compromised_at", "versions").explode("versions")
    fields = ("state", "created_at", "superseded_at", "retired_at", "authenticates", "last_used_at")
    one = one.select(
        "row",
        "compromised_at",
        **{name: nw.col("versions").struct.field(name) for name in fields},
    )
    # A version always has a state: without one, this is what is left of a list that held none.
    one = one.filter(~nw.col("state").is_null()).with_columns(
        pending=nw.col("state") == "pending",
        current=nw.col("state") == "current",
        served=nw.col("state") == "superseded",
        ended=nw.col("state").is_in(_USABLE_END),
    )
    one = one.with_columns(
        old=nw.col("served") | nw.col("ended"),
        open_end=nw.col("superseded_at").is_null(),
        maybe=nw.col("authenticates").is_null(),
        active=nw.col("authenticates").fill_null(value=False),
    )
    sums = [*_counts(), *_served()]
    for name, more in _ASKED_OF.items():
        sums += more() if name in collected else []
    return one.group_by("row").agg(*sums)


def _counts() -> list[nw.Expr]:
    current, pending, old = nw.col("current"), nw.col("pending"), nw.col("old")
    created, no_date = nw.col("created_at"), nw.col("created_at").is_null()
    # What was superseded the moment it was made never was in use: a store's way to say that it was given up.
    given_up = (nw.col("superseded_at") == created).fill_null(value=False)
    was_in_use = (nw.col("served") | (nw.col("ended") & ~nw.col("open_end"))) & ~given_up
    return [
        (~pending).sum().alias("v_count"),
        current.sum().alias("v_current"),
        pending.sum().alias("v_pending"),
        old.sum().alias("v_old"),
        _lowest(current, created).alias("v_current_created"),
        (current & no_date).any().alias("v_current_undated"),
        (current & _denied()).any().alias("v_current_denied"),
        _lowest(pending, created).alias("v_pending_created"),
        (pending & no_date).any().alias("v_pending_undated"),
        _highest(was_in_use, created).alias("v_replaced_created"),
        (was_in_use & no_date).any().alias("v_replaced_undated"),
        was_in_use.any().alias("v_replaced"),
        nw.max_horizontal("created_at", "superseded_at", "retired_at", "last_used_at")
        .max()
        .alias("v_latest"),
    ]


def _served() -> list[nw.Expr]:
    served = nw.col("served")
    return [
        _lowest(served, nw.col("superseded_at")).alias("v_served_since"),
        (served & nw.col("open_end")).any().alias("v_served_open"),
        (served & nw.col("open_end") & nw.col("created_at").is_null()).any().alias("v_served_undated"),
    ]


def _gaps() -> list[nw.Expr]:
    ended, gone, end = nw.col("ended"), nw.col("retired_at"), nw.col("superseded_at")
    return [
        (nw.col("old") & (gone < end)).fill_null(value=False).any().alias("v_gap"),
        (ended & (gone.is_null() | nw.col("open_end"))).any().alias("v_gap_unclear"),
    ]


def _authenticating() -> list[nw.Expr]:
    old, served, end = nw.col("old"), nw.col("served"), nw.col("superseded_at")
    open_end, maybe, active = nw.col("open_end"), nw.col("maybe"), nw.col("active")
    created = nw.col("created_at")
    return [
        _lowest(old & active, end).alias("v_active_since"),
        (old & active & open_end).any().alias("v_active_open"),
        _lowest(old & maybe, end).alias("v_maybe_since"),
        (old & maybe & open_end).any().alias("v_maybe_open"),
        _lowest(old & active, created).alias("v_active_created"),
        (old & active & created.is_null()).any().alias("v_active_undated"),
        _lowest(old & maybe, created).alias("v_maybe_created"),
        (old & maybe & created.is_null()).any().alias("v_maybe_undated"),
        (old & active).any().alias("v_encrypts"),
        (served & maybe).any().alias("v_may_encrypt"),
    ]


def _used() -> list[nw.Expr]:
    old, used, end = nw.col("old"), nw.col("last_used_at"), nw.col("superseded_at")
    return [
        _highest(old, used - end).alias("v_used_after"),
        _highest(old & nw.col("open_end"), used).alias("v_used_open"),
        (old & used.is_null()).any().alias("v_used_unknown"),
    ]


def _denied() -> nw.Expr:
    """Say of a version whether its dates or its provider deny that it is in use."""
    refused = (~nw.col("authenticates")).fill_null(value=False)
    return refused | ~nw.col("superseded_at").is_null() | ~nw.col("retired_at").is_null()


def _compromised() -> list[nw.Expr]:
    """Disabling or destroying a stored copy revokes nothing: only the provider's word counts."""
    created, flagged, end = nw.col("created_at"), nw.col("compromised_at"), nw.col("superseded_at")
    before, undated = created <= flagged, created.is_null() & ~flagged.is_null()
    usable = nw.col("active") | (nw.col("current") & nw.col("maybe"))
    unclear = ~nw.col("current") & nw.col("maybe")
    held = before & ~nw.col("pending") & (nw.col("open_end") | (end >= flagged))
    return [
        (before & usable).fill_null(value=False).any().alias("v_exposed"),
        ((before & unclear) | (undated & (usable | unclear)))
        .fill_null(value=False)
        .any()
        .alias("v_may_expose"),
        held.fill_null(value=False).any().alias("v_held"),
        _lowest((created > flagged) & ~nw.col("pending"), created - flagged).alias("v_replaced_after"),
    ]


_ASKED_OF = {
    "versions.authenticates": _authenticating,
    "versions.retired_at": _gaps,
    "versions.last_used_at": _used,
    "compromised_at": _compromised,
}


def _lowest(where: nw.Expr, value: nw.Expr) -> nw.Expr:
    return nw.when(where).then(value).min()


def _highest(where: nw.Expr, value: nw.Expr) -> nw.Expr:
    return nw.when(where).then(value).max()


def facts() -> list[nw.Expr]:
    """Turn the `v_…` columns, `versions` and the credential's own dates into facts.

    The frame must carry `versions_known` and `as_of`.
    """
    known = nw.col("versions_known")
    now, changed, current = nw.col("as_of"), nw.col("last_changed_at"), nw.col("v_current_created")

    def flag(name: str) -> nw.Expr:
        return nw.col(name).fill_null(value=False)

    def span(since: str, is_open: str) -> tuple[nw.Expr, nw.Expr]:
        # An end that lies in the future is no end: it may have come at any time.
        sound = nw.col(since) <= now
        dated = nw.when(sound).then(now - nw.col(since))
        latest = nw.when(~sound).then(nw.lit(LONGEST_DURATION)).otherwise(dated)
        least = nw.max_horizontal(dated, nw.when(flag(is_open) & (changed <= now)).then(now - changed))
        since_current = nw.when(current <= now).then(now - current).otherwise(nw.lit(LONGEST_DURATION))
        most = nw.max_horizontal(latest, nw.when(flag(is_open)).then(since_current), least)
        return least, most

    active_low, active_high = span("v_active_since", "v_active_open")
    _, maybe_high = span("v_maybe_since", "v_maybe_open")
    served_low, served_high = span("v_served_since", "v_served_open")
    # Only one version was replaced by the one in use; any other, if nothing dates it, whenever.
    whenever = flag("v_served_undated") & (nw.col("v_old").fill_null(0) > 1)
    served_high = nw.when(whenever).then(nw.lit(LONGEST_DURATION)).otherwise(served_high)
    return [
        nw.when(known).then(nw.col("v_count").fill_null(0)).alias("version_count"),
        nw.when(known).then(nw.col("v_pending").fill_null(0) > 0).alias("has_pending"),
        (now - nw.col("v_pending_created")).alias("pending_for"),
        flag("v_pending_undated").alias("pending_undated"),
        nw.when(known).then(nw.col("v_old").fill_null(0) > 0).alias("has_superseded"),
        nw.when(known).then(active_low.fill_null(NONE)).alias("old_active_min"),
        nw.when(known)
        .then(nw.max_horizontal(active_high, maybe_high).fill_null(NONE))
        .alias("old_active_max"),
        *_working_age(known, flag),
        nw.when(known).then(served_low.fill_null(NONE)).alias("old_enabled_min"),
        nw.when(known).then(served_high.fill_null(NONE)).alias("old_enabled_max"),
        *_use(known, flag),
        _three(known, flag("v_encrypts"), flag("v_may_encrypt")).alias("old_encrypts"),
        _three(known, flag("v_gap"), flag("v_gap_unclear")).alias("had_gap"),
        nw.col("v_replaced_created").alias("newest_replaced_at"),
        _rolled_back(known, flag),
        _exposed(known, flag),
        nw.when(flag("v_held")).then(nw.col("v_replaced_after")).alias("replaced_after"),
    ]


def _working_age(known: nw.Expr, flag: Any) -> list[nw.Expr]:
    """How old the oldest replaced version is that authenticates.

    One without a date is as old as its credential at most; a copy may hold what is older than itself.
    """
    now = nw.col("as_of")

    def since(name: str) -> nw.Expr:
        return (
            nw.when(nw.col(name) <= now)
            .then(now - nw.col(name))
            .otherwise(nw.when(nw.col(name) > now).then(nw.lit(LONGEST_DURATION)))
        )

    dated = nw.when(nw.col("v_active_created") <= now).then(now - nw.col("v_active_created"))
    undated = flag("v_active_undated") | flag("v_maybe_undated")
    own = nw.when(nw.col("replica_of").is_null()).then(since("created_at"))
    any_age = nw.when(undated).then(nw.coalesce(own, nw.lit(LONGEST_DURATION)))
    most = nw.max_horizontal(since("v_active_created"), since("v_maybe_created"), any_age)
    # Some replaced version works, only its age is not known: that is no "none".
    none = nw.when(~flag("v_active_undated") & nw.col("v_active_created").is_null()).then(nw.lit(NONE))
    return [
        nw.when(known).then(nw.coalesce(dated, none)).alias("old_active_age_min"),
        nw.when(known).then(most.fill_null(NONE)).alias("old_active_age_max"),
    ]


def _use(known: nw.Expr, flag: Any) -> list[nw.Expr]:
    """How long after it was replaced an old version was used."""
    after, late = nw.col("v_used_after"), nw.col("v_used_open")
    least = nw.max_horizontal(after, late - nw.col("last_changed_at"))
    most = nw.max_horizontal(after, nw.when(~late.is_null()).then(late - nw.col("v_current_created")))
    # The only value there ever was, switched off or gone: nothing took its place.
    alone = ((nw.col("v_count") == 1) & ~flag("v_replaced")).fill_null(value=False)
    unclear = (flag("v_used_unknown") & ~alone) | (~late.is_null() & nw.col("v_current_created").is_null())
    high = (
        nw.when(unclear)
        .then(nw.lit(LONGEST_DURATION))
        .otherwise(nw.max_horizontal(most, 0 * nw.col("as_of") - 1))
    )
    return [
        nw.when(known).then(nw.max_horizontal(least, 0 * nw.col("as_of") - 1)).alias("old_used_min"),
        nw.when(known).then(high).alias("old_used_max"),
    ]


def _rolled_back(known: nw.Expr, flag: Any) -> nw.Expr:
    replaced, current = nw.col("v_replaced_created"), nw.col("v_current_created")
    dated = ~flag("v_replaced_undated") | nw.col("source").is_in(NEWEST_IN_USE)
    return (
        nw.when(known & (nw.col("v_current").fill_null(0) > 0))
        .then(
            nw.when(replaced > current)
            .then(nw.lit(value=True))
            .when(dated & (replaced.is_null() | (replaced <= current)))
            .then(nw.lit(value=False))
        )
        .alias("rolled_back")
    )


def _exposed(known: nw.Expr, flag: Any) -> nw.Expr:
    """Without versions, a credential that has not changed since the compromise is surely exposed.

    A list that does not hold the value that was in use at that moment was cut: that value may
    still work, whatever the others do.
    """
    flagged = nw.col("compromised_at")
    unlisted = ~known | flag("v_current_undated")
    return (
        nw.when(flagged.is_null())
        .then(nw.lit(value=False))
        .when(known & flag("v_exposed"))
        .then(nw.lit(value=True))
        .when(known & flag("v_held") & ~flag("v_may_expose"))
        .then(nw.lit(value=False))
        .when(unlisted & (nw.col("last_changed_at") <= flagged))
        .then(nw.lit(value=True))
        .alias("exposed")
    )


def _three(known: nw.Expr, surely: nw.Expr, maybe: nw.Expr) -> nw.Expr:
    return nw.when(known & surely).then(nw.lit(value=True)).when(known & ~maybe).then(nw.lit(value=False))
