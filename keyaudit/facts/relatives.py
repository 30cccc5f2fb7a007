"""Facts about relatives: copies of one logical credential, and staging counterparts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw

from keyaudit.engine import Engine

_PRODUCTION = ("production", "prod")
_STAGING = ("staging", "stage", "stg")


Frame = nw.LazyFrame[Any]


def beside(
    listed: Frame, valued: Callable[[Frame], Frame], collected: frozenset[str], engine: Engine
) -> Frame:
    """Add lineage and staging facts; `collected` includes what the policy classifies.

    `valued` dates the values of credentials: only those are asked that are somebody's relatives.
    """
    if "lineage" in collected:
        listed = engine.beside(listed, _lineages(listed, valued))
    else:
        listed = _without(listed, _LINEAGE)
    if "environment" not in collected:
        return _without(listed, _STAGED)
    listed = engine.beside(listed, _counterparts(listed, valued))
    return listed.with_columns(has_staging=~nw.col("staged").is_null())


def staging_lead() -> nw.Expr:
    """Say how much earlier staging got its value."""
    lead = nw.col("value_created_at") - nw.col("staging_value_created_at")
    return lead.alias("staging_lead")


def with_primaries(frame: Frame, collected: frozenset[str], engine: Engine) -> Frame:
    """Say which credentials are replicas: those whose `replica_of` is the id of a primary.

    A primary is a credential of the same source that is no copy itself. Whatever else calls
    itself a copy — of nothing, of itself, in a circle — is judged like any other credential.
    """
    copy = ~nw.col("replica_of").is_null()
    # Most inventories have no copies: asking first costs less than a join that finds nothing.
    if "replica_of" not in collected or not engine.collect([frame.select(copy.any())])[0].item():
        return frame.with_columns(is_replica=nw.lit(value=False))
    primaries = frame.filter(~copy).select("source", replica_of="id")
    copies = frame.filter(copy).select("row", "source", "replica_of")
    kept = copies.join(primaries, on=["source", "replica_of"], how="semi")
    frame = engine.beside(frame, kept.select("row", is_replica=nw.lit(value=True)))
    return frame.with_columns(is_replica=nw.col("is_replica").fill_null(value=False))


_LINEAGE = {
    "lineage_environments": nw.Int64,
    "lineage_newest_at": nw.Int64,
    "lineage_newest_by": nw.Int64,
}
_STAGED = {"has_staging": nw.Boolean, "staging_value_created_at": nw.Int64}


def _without(frame: Frame, names: dict[str, Any]) -> Frame:
    empty = {
        name: nw.lit(value=False) if kind is nw.Boolean else nw.lit(None, dtype=kind)
        for name, kind in names.items()
    }
    return frame.with_columns(**empty)


def _still_listed(frame: Frame) -> Frame:
    """Leave out what only a history has: that holds no value any more, anywhere."""
    recalled = "last_seen_at" in frame.collect_schema().names()
    return frame.filter(nw.col("last_seen_at").is_null()) if recalled else frame


def _lineages(listed: Frame, valued: Callable[[Frame], Frame]) -> Frame:
    """Sum up what shares a lineage.

    A provider knows when a key was made; a store only when a copy was written, perhaps of a key
    that is years old. So where the provider lists the key, no copy is taken for a newer value.
    """
    named = valued(_still_listed(listed).filter(~nw.col("lineage").is_null()))
    counts = ~nw.col("is_replica") & nw.col("in_use")
    # A value without a date may be as new as the last change of its credential, or as the audit.
    changed = nw.min_horizontal("last_changed_at", "as_of")
    latest = nw.coalesce("value_created_at", changed)
    provider = counts & nw.col("at_provider")
    # The provider's own row says where a key is used only if somebody classified it.
    elsewhere = nw.col("environment").is_null() & ~nw.col("at_provider")
    family = named.group_by("lineage").agg(
        nw.col("environment").n_unique().alias("all_environments"),
        nw.col("environment").is_null().any().alias("some_null"),
        elsewhere.any().alias("some_unclassified"),
        nw.when(counts).then(nw.col("value_created_at")).max().alias("copied_at"),
        nw.when(counts).then(latest).max().alias("copied_by"),
        nw.when(provider).then(nw.col("value_created_at")).max().alias("made_at"),
        nw.when(provider).then(latest).max().alias("made_by"),
        provider.any().alias("made"),
    )
    counted = nw.col("all_environments").cast(nw.Int64) - nw.when(nw.col("some_null")).then(1).otherwise(0)
    # With an unclassified copy, one environment might still be two.
    certain = ~nw.col("some_unclassified") | (counted > 1)
    made = nw.col("made")
    family = family.select(
        "lineage",
        lineage_newest_at=nw.when(made).then(nw.col("made_at")).otherwise(nw.col("copied_at")),
        lineage_newest_by=nw.when(made).then(nw.col("made_by")).otherwise(nw.col("copied_by")),
        lineage_environments=nw.when(certain).then(counted),
    )
    members = listed.filter(~nw.col("lineage").is_null()).select("row", "lineage")
    return members.join(family, on="lineage", how="inner").drop("lineage")


def _counterparts(listed: Frame, valued: Callable[[Frame], Frame]) -> Frame:
    """Pair production with staging by name: the environment's word swapped, or the same name elsewhere.

    The names of staging are rewritten, not those of production: there are fewer of them.
    """
    environment = nw.col("environment")
    there = listed.filter(environment.is_in(_STAGING) & ~nw.col("is_replica"))
    staging = valued(there).filter(nw.col("in_use")).select("name", "value_created_at")
    bare = nw.col("name")
    for word in _STAGING:
        bare = bare.str.replace_all(word, _PRODUCTION[0], literal=True)
    short = bare.str.replace_all(_PRODUCTION[0], _PRODUCTION[1], literal=True)
    named = staging.with_columns(counterpart=bare, short=short)
    counterparts = [
        named.select("value_created_at", "counterpart"),
        named.filter(nw.col("short") != nw.col("counterpart")).select(
            "value_created_at", counterpart="short"
        ),
    ]
    family = (
        nw.concat(counterparts)
        .group_by("counterpart")
        .agg(nw.col("value_created_at").max().alias("staging_value_created_at"), nw.len().alias("staged"))
    )
    production = listed.filter(environment.is_in(_PRODUCTION)).select("row", "name")
    return production.join(family, left_on="name", right_on="counterpart", how="inner").select(
        "row", "staging_value_created_at", "staged"
    )
