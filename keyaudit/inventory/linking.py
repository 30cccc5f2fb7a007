"""Lineage: which credentials of which stores and providers are one.

What a credential says of itself counts first, then the first rule that matches, then the key ids
that stores record (`recorded`). All that such ids tie together gets the one lineage that any of it
has; one that has none is named after the provider's key. Where two lineages meet, nothing is
guessed: it is said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import narwhals as nw
import polars as pl

from keyaudit import match
from keyaudit.columns import PROVIDERS
from keyaudit.inventory.check import shown
from keyaudit.inventory.recorded import recorded
from keyaudit.match import Match
from keyaudit.model import Coverage, Inventory

LINEAGE = "lineage"
_PROVIDER = pl.col("source").is_in(PROVIDERS)


@dataclass(frozen=True, slots=True)
class LineageRule:
    """Credentials that match are one: they have this lineage, unless they say another."""

    match: Match
    lineage: str


@dataclass(frozen=True)
class Linked:
    """An inventory with its lineages, and in sentences what contradicts itself and was left alone."""

    inventory: Inventory
    contradictions: tuple[str, ...] = ()


def link(inventory: Inventory, rules: Sequence[LineageRule] = ()) -> Linked:
    """Fill the column `lineage`; see `keyaudit.inventory.link`."""
    frame = _ruled(inventory.credentials, rules)
    found = recorded(frame)
    contradictions = list(found.contradictions)
    given = pl.DataFrame(schema={"row": pl.Int64, "given": pl.String})
    if not found.edges.is_empty():
        members = _members(frame, _components(found.edges))
        contradictions += _torn(members)
        given = _given(members)
    if not rules and given.is_empty():
        return Linked(inventory, tuple(contradictions))
    if not given.is_empty():
        filled = pl.coalesce(LINEAGE, "given").alias(LINEAGE)
        frame = frame.join(given.lazy(), on="row", how="left", maintain_order="left").with_columns(filled)
        frame = frame.drop("given")
    return Linked(_with(inventory, frame, given, rules), tuple(contradictions))


def _ruled(frame: pl.LazyFrame, rules: Sequence[LineageRule]) -> pl.LazyFrame:
    """Fill what is empty by the first rule that matches; one whose match is not sure fills nothing."""
    if not rules:
        return frame
    filled: nw.Expr = nw.lit(None, dtype=nw.String)
    for rule in reversed(rules):
        filled = nw.when(match.expression(rule.match)).then(nw.lit(rule.lineage)).otherwise(filled)
    table = nw.from_native(frame)
    return table.with_columns(nw.coalesce(nw.col(LINEAGE), filled).alias(LINEAGE)).to_native()


def _components(edges: pl.DataFrame) -> pl.DataFrame:
    """Give each `row` of the edges its `group`, the lowest row that it is tied to by whatever way.

    Each round takes the lowest group of the neighbours, then that group's own: long chains halve.
    """
    back = edges.select(row="held", held="row")
    both = pl.concat([edges, back])
    groups = both.select("row", group="row").unique()
    while True:
        near = both.join(groups, left_on="held", right_on="row").group_by("row").agg(pl.col("group").min())
        lower = groups.join(near, on="row", suffix="_near").select(
            "row", group=pl.min_horizontal("group", "group_near")
        )
        jumps = lower.select(group="row", further="group")
        settled = lower.join(jumps, on="group").select("row", group="further").sort("row")
        if settled.equals(groups.sort("row")):
            return settled
        groups = settled


def _members(frame: pl.LazyFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Say of each row that is tied to others who it is, and which lineages its group has."""
    columns = ("row", "source", "scope", "id", "provider", LINEAGE)
    members = frame.select(columns).join(groups.lazy(), on="row", how="inner").collect()
    lineages = members.group_by("group").agg(lineages=pl.col(LINEAGE).drop_nulls().unique().sort())
    return members.join(lineages, on="group")


def _given(members: pl.DataFrame) -> pl.DataFrame:
    """Give the rows without a lineage the one of their group, or one named after its provider's key."""
    key = pl.format("key:{}:{}", pl.coalesce("provider", "source"), "id")
    ordered = members.filter(_PROVIDER).sort("source", "scope", "id")
    named = ordered.group_by("group", maintain_order=True).agg(named=key.first())
    open_ = members.filter(pl.col(LINEAGE).is_null() & (pl.col("lineages").list.len() < 2))
    one = pl.coalesce(pl.col("lineages").list.first(), "named")
    return open_.join(named, on="group").select("row", given=one)


def _torn(members: pl.DataFrame) -> Iterator[str]:
    """Say where one key is recorded by what has different lineages."""
    torn = members.filter(_PROVIDER, pl.col("lineages").list.len() > 1)
    for source, scope, identity, lineages in (
        torn.select("source", "scope", "id", "lineages").sort("source", "scope", "id").iter_rows()
    ):
        names = " and ".join(map(shown, lineages))
        yield (
            f"what records the keys of {shown(identity)} of {shown(source)} {shown(scope)} has the lineages "
            f"{names}: nothing is linked by them"
        )


def _with(
    inventory: Inventory, frame: pl.LazyFrame, given: pl.DataFrame, rules: Sequence[LineageRule]
) -> Inventory:
    """Make the linked inventory: a rule asks everybody, a recorded key those whom it reaches."""
    asked = set(range(len(inventory.collections)))
    if not rules:
        reached = frame.join(given.lazy(), on="row", how="semi").select("collection").unique()
        asked = set(reached.collect()["collection"])
    scopes = {(own.source, own.scope) for index, own in enumerate(inventory.collections) if index in asked}
    return replace(
        inventory,
        credentials=frame,
        coverage=tuple(
            _known(scope) if (scope.source, scope.scope) in scopes else scope for scope in inventory.coverage
        ),
        collections=tuple(
            replace(own, columns=own.columns | {LINEAGE}) if index in asked else own
            for index, own in enumerate(inventory.collections)
        ),
        digest=_digest(inventory, rules),
        parquet=(),
    )


def _known(scope: Coverage) -> Coverage:
    """Take back that the scope cannot know lineages: others told us."""
    return replace(scope, cannot_know=tuple(name for name in scope.cannot_know if name != LINEAGE))


def _digest(inventory: Inventory, rules: Sequence[LineageRule]) -> Callable[[], str]:
    """Without rules, links follow from the documents alone, and so does the digest.

    Rules are hashed as ASCII: what Python takes for printable differs between its versions.
    """
    if not rules:
        return inventory.digest
    return lambda: hashlib.sha256(f"{inventory.sha256}\n{tuple(rules)!a}".encode()).hexdigest()
