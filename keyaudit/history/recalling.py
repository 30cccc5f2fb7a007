"""An inventory that knows its past: what earlier looks and events tell, beside what it lists itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from keyaudit.columns import PAST, PROVIDERS, polars_schema, recalled_schema
from keyaudit.history import document
from keyaudit.history.agreeing import agreed
from keyaudit.history.chronicle import (
    DESCRIBING,
    KEY,
    OF_VERSIONS,
    Chronicle,
    fold_looks,
    fold_versions,
    observed,
)
from keyaudit.history.events import Event
from keyaudit.history.replay import table_of
from keyaudit.history.telling import told
from keyaudit.inventory.instants import LATEST
from keyaudit.model import Collection, History, HistoryFile, Inventory


def recall(
    inventory: Inventory, chronicle: Chronicle, events: Sequence[Event], files: Sequence[HistoryFile]
) -> Inventory:
    """Widen an inventory by its history; see `keyaudit.history.recall`."""
    listed, today = table_of(inventory)
    known, redated = agreed(_with_today(listed, chronicle))
    looks = fold_looks(pl.concat([chronicle.looks, today]))
    seen = _last_seen(listed, chronicle)
    known, contradictions = told(known, events, seen)
    bounded = _absences(known, seen, looks)
    past = _nested(bounded)
    vanished = _vanished(listed, chronicle)
    frame, collections = _widened(inventory, vanished, past)
    instants = sorted(set(chronicle.looks["at"].to_list()))
    history = History(
        sha256=document.digest(chronicle),
        files=(*chronicle.files, *files),
        looks=tuple(instants),
        recalled=int((~bounded["listed"]).sum()),
        vanished=vanished.height,
        contradictions=contradictions + redated,
        by_scope=_by_scope(looks, seen),
    )
    return replace(inventory, credentials=frame, collections=collections, parquet=(), history=history)


def _by_scope(looks: pl.DataFrame, seen: pl.DataFrame) -> tuple[tuple[int, ...], ...]:
    """Give the instants at which each scope that holds a credential was looked at; those of several once."""
    held = seen.select("source", "scope").unique()
    found = held.join(looks, on=["source", "scope"], how="left")
    instants = found.group_by("source", "scope").agg(pl.col("at").drop_nulls().unique().sort())["at"]
    return tuple(sorted({tuple(each) for each in instants.to_list()}))


def _with_today(listed: pl.DataFrame, chronicle: Chronicle) -> pl.DataFrame:
    """Fold what the inventory lists into the history: one more look, if it says when it was one."""
    today = observed(listed)
    known = fold_versions(pl.concat([chronicle.versions, today]))
    # A date that today's list leaves out may have been filled in from another one.
    here = today.select(*KEY, "version", listed=pl.lit(value=True)).unique()
    last = pl.col("listed_at").fill_null(LATEST)
    listed_now = pl.col("listed").fill_null(value=False) & (last == last.max().over(*KEY, "version"))
    known = known.join(here, on=[*KEY, "version"], how="left", maintain_order="left")
    known = known.with_columns(listed=listed_now)
    # An end that only an earlier list says is its word, whoever lists the version.
    ended = today.select(*KEY, "version", own_end="superseded_at").unique([*KEY, "version"])
    known = known.join(ended, on=[*KEY, "version"], how="left", maintain_order="left")
    own = pl.col("listed") & (pl.col("own_end").is_not_null() | pl.col("superseded_at").is_null())
    basis = pl.when(own).then(pl.lit("store")).otherwise(pl.lit("inventory"))
    return known.with_columns(basis=basis).drop("own_end")


def _last_seen(listed: pl.DataFrame, chronicle: Chronicle) -> pl.DataFrame:
    """Say when each credential was last listed; null where no instant is known of the list."""
    today = listed.select(*KEY, listed_at="at")
    both = pl.concat([chronicle.credentials.select(*KEY, "listed_at"), today])
    return both.group_by(KEY).agg(pl.col("listed_at").max().alias("seen_at"))


def _absences(known: pl.DataFrame, seen: pl.DataFrame, looks: pl.DataFrame) -> pl.DataFrame:
    """Fill in since when a version is listed no longer: the first look after it that saw all of its scope.

    A store that forgets a value proves that it is replaced. That it is revoked as well, only whoever
    honours it can prove.
    """
    complete = looks.filter("complete")
    since = pl.col("listed_at")
    table = known.join(seen, on=KEY, how="left").sort("listed_at", nulls_last=True)
    whole = complete.filter("versions").select("source", "scope", since="at", absent_by="at").sort("since")
    bare = complete.select("source", "scope", until="at", missing_by="at").sort("until")
    # Where versions of others were not asked for, only that the credential itself is missing counts.
    after = pl.max_horizontal("listed_at", "seen_at")
    table = table.with_columns(since=since, until=after).filter(since.is_not_null())
    table = table.join_asof(
        whole,
        on="since",
        by=["source", "scope"],
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    table = table.sort("until").join_asof(
        bare,
        on="until",
        by=["source", "scope"],
        strategy="forward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    table = pl.concat([table, known.filter(since.is_null())], how="diagonal")
    absent = pl.min_horizontal("absent_by", "missing_by")
    at_provider = pl.col("source").is_in(PROVIDERS)
    return table.with_columns(
        gone_by=pl.coalesce("gone_by", absent),
        unusable_by=pl.coalesce("unusable_by", pl.when(at_provider).then(absent)),
    ).select(*known.columns)


def _nested(known: pl.DataFrame) -> pl.DataFrame:
    """Gather the versions of each credential in one list, the oldest first."""
    flat = known.rename({"id": "_id", "version": "id"}).sort("created_at", "id", nulls_last=True)
    key = ["source", "scope", "_id"]
    lists = flat.group_by(key, maintain_order=True).agg(past=pl.struct(*PAST))
    return lists.rename({"_id": "id"}).cast({"past": recalled_schema()["past"]})


def _vanished(listed: pl.DataFrame, chronicle: Chronicle) -> pl.DataFrame:
    return chronicle.credentials.join(listed.select(KEY), on=KEY, how="anti").sort(KEY)


def _widened(
    inventory: Inventory, vanished: pl.DataFrame, past: pl.DataFrame
) -> tuple[pl.LazyFrame, tuple[Collection, ...]]:
    """Put the past beside each credential, and those that are listed no longer below."""
    own = {name: kind for name, kind in polars_schema().items() if name not in {"row", "collection"}}
    rows = inventory.credentials.collect()
    collections, placed = _placed(inventory, rows, vanished)
    none = [
        pl.lit(None, dtype=own[name]).alias(name)
        for name in own
        if name not in {*KEY, *DESCRIBING, "versions"}
    ]
    gone = placed.with_columns(
        *none,
        pl.lit([], dtype=own["versions"]).alias("versions"),
        last_seen_at=pl.col("listed_at"),
        row=rows.height + pl.int_range(pl.len(), dtype=pl.Int64),
    )
    rows = rows.with_columns(last_seen_at=pl.lit(None, dtype=pl.Int64))
    both = pl.concat([rows, gone.select(rows.columns)])
    joined = both.join(past, on=KEY, how="left", maintain_order="left")
    # Where versions were asked for and there are none, the past is known as well: it is empty.
    nothing = pl.lit([], dtype=recalled_schema()["past"])
    known = (
        pl.when(pl.col("versions").is_not_null()).then(pl.col("past").fill_null(nothing)).otherwise("past")
    )
    return joined.with_columns(past=known).lazy(), collections


def _placed(
    inventory: Inventory, rows: pl.DataFrame, vanished: pl.DataFrame
) -> tuple[tuple[Collection, ...], pl.DataFrame]:
    """Give what is listed no longer the collection of its scope, or one of its own if there is none.

    A list may carry no versions only because those that had any are listed no longer.
    """
    places = rows.group_by("source", "scope").agg(pl.col("collection").min())
    placed = vanished.join(places, on=["source", "scope"], how="left", maintain_order="left")
    collections, widened = list(inventory.collections), dict[int, int]()
    for number in placed["collection"].drop_nulls().unique().sort():
        if _DATED - inventory.collections[number].columns:
            widened[number] = len(collections)
            columns = inventory.collections[number].columns | _DATED
            collections.append(replace(inventory.collections[number], columns=columns))
    if widened:
        placed = placed.with_columns(pl.col("collection").replace(widened))
    if placed["collection"].null_count() == 0:
        return tuple(collections), placed
    held = {name for name in DESCRIBING if placed[name].null_count() < placed.height}
    of_versions = {f"versions.{name}" for name in OF_VERSIONS if name in _ASKED}
    own = Collection(frozenset({*KEY, *held, "versions", *of_versions}))
    number = len(collections)
    return (*collections, own), placed.with_columns(pl.col("collection").fill_null(number))


_DATED = frozenset({"versions", "versions.state", "versions.created_at", "versions.superseded_at"})
_ASKED = ("state", "created_at", "superseded_at", "retired_at", "authenticates")
