"""Two inventories reconciled: what is in one and not in the other, and what is in both and differs.

A credential that is missing where the other side could not look is *not seen*, never gone. Where
several have one name or lineage, all their values together are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from keyaudit.inventory.sides import FACTS, Side, check_by
from keyaudit.model import EVERY_SCOPE, Coverage, ScopeStatus

PLACE = ("source", "scope", "id", "name")
NOT_ASKED = "its scope was not asked for"


@dataclass(frozen=True)
class Sums:
    """One side in numbers.

    `repeated` keys stand more than once in it; `nameless` credentials have nothing to compare by.
    """

    credentials: int
    repeated: int
    nameless: int
    incomplete: tuple[Coverage, ...]


@dataclass(frozen=True)
class Difference:
    """What came of it.

    `only_a` and `only_b` have `PLACE`, the key, and `not_seen`: why the other side may have missed
    it, null where it is surely not there. `different` has a row for each fact that differs: `PLACE`,
    the key, `fact`, `a`, `b`. `scopes` counts by source and scope. `compared` are the facts that both
    sides collected anywhere.
    """

    by: str
    a: Sums
    b: Sums
    only_a: pl.DataFrame
    only_b: pl.DataFrame
    different: pl.DataFrame
    scopes: pl.DataFrame
    compared: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Say whether there is any difference that a gap does not explain."""
        sure = (side["not_seen"].null_count() for side in (self.only_a, self.only_b))
        return any(sure) or not self.different.is_empty()

    @property
    def exit_code(self) -> int:
        """Give 1 for a difference, 3 for none where not everything could be compared, else 0."""
        if self.differs:
            return 1
        sides = (self.a, self.b)
        open_ = any(side.incomplete or side.nameless for side in sides)
        nothing = not any(side.credentials for side in sides)
        return 3 if open_ or nothing or self.only_a.height or self.only_b.height else 0


def compare(a: Side, b: Side, by: str) -> Difference:
    """Compare two sides by `id` (with source and scope, which a bare list does not know), name or lineage."""
    check_by(by)
    key = list(PLACE[:3]) if by == "id" and not a.bare and not b.bare else [by]
    named = pl.all_horizontal(pl.col(key).is_not_null())
    left, right = a.frame.filter(named), b.frame.filter(named)
    compared = () if a.bare or b.bare else tuple(name for name in FACTS)
    one, other = _one_each(left, key), _one_each(right, key)
    paired = one.join(other, on=key, how="inner", suffix=" b")
    only_a = _missing(left.join(right, on=key, how="anti"), b, key, of=a)
    only_b = _missing(right.join(left, on=key, how="anti"), a, key, of=b)
    different, asked = _different(paired, key, compared)
    return Difference(
        by=by,
        a=_sums(a, left, key),
        b=_sums(b, right, key),
        only_a=only_a,
        only_b=only_b,
        different=different,
        scopes=_scopes(a, b, only_a, only_b, different),
        compared=asked,
    )


def _one_each(frame: pl.LazyFrame, key: Sequence[str]) -> pl.LazyFrame:
    """Give one row a key: the values of all that share it, each value once."""
    if len(key) > 1:
        return frame.select(*key, "name", *FACTS, *(f"has {name}" for name in FACTS))
    rest = [name for name in PLACE if name not in key]
    same = [pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name) for name in rest]
    values = [pl.col(name).drop_nulls().unique().sort().alias(name) for name in FACTS]
    has = [pl.col(f"has {name}").all() for name in FACTS]
    grouped = frame.group_by(key).agg(*same, *values, *has)
    joined = [
        pl.when(pl.col(name).list.len() > 0).then(pl.col(name).list.join(" | ")).alias(name) for name in FACTS
    ]
    return grouped.with_columns(*joined)


def _different(
    paired: pl.LazyFrame, key: Sequence[str], names: Sequence[str]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Give a row for each fact that differs, and the facts that both sides collected of anybody."""
    columns = list(dict.fromkeys((*PLACE, *key)))
    both = {name: pl.col(f"has {name}") & pl.col(f"has {name} b") for name in names}
    found = [
        paired.filter(both[name] & ~pl.col(name).eq_missing(pl.col(f"{name} b"))).select(
            *columns, fact=pl.lit(name), a=pl.col(name), b=pl.col(f"{name} b")
        )
        for name in names
    ]
    nothing = paired.head(0).select(*columns, *(pl.lit("").alias(name) for name in ("fact", "a", "b")))
    asked = paired.select([expression.any().alias(name) for name, expression in both.items()])
    frames = pl.collect_all([asked, nothing, *found], engine="streaming")
    answers = frames[0].row(0, named=True) if names else {}
    return pl.concat(frames[1:]).sort(*columns, maintain_order=True), tuple(n for n in names if answers[n])


def _missing(rows: pl.LazyFrame, other: Side, key: Sequence[str], *, of: Side) -> pl.DataFrame:
    """Say of each row `of` one side that the other side lacks whether that side could have seen it."""
    columns = list(dict.fromkeys((*PLACE, *key)))
    found = rows.select(columns).collect(engine="streaming").sort(columns)
    if not other.coverage:
        return found.with_columns(pl.lit(None, dtype=pl.String).alias("not_seen"))
    unlisted = next((_why(scope) for scope in other.incomplete), None)
    # What a list or a CMDB names may be in any place; what was asked for by scope is in that one.
    if len(key) > 1 or of.coverage:
        unlisted = NOT_ASKED
    whole = {scope.source: _why(scope) for scope in other.incomplete if scope.scope == EVERY_SCOPE}
    asked = (
        other.frame.select("source", "scope")
        .unique()
        .with_columns(known=pl.lit(value=True), why=pl.lit(None, dtype=pl.String))
    )
    stated = pl.LazyFrame(
        [(scope.source, scope.scope, True, _why(scope)) for scope in other.coverage],
        schema={"source": pl.String, "scope": pl.String, "known": pl.Boolean, "why": pl.String},
        orient="row",
    )
    places = pl.concat([stated, asked]).unique(["source", "scope"], keep="first", maintain_order=True)
    elsewhere = pl.col("source").replace_strict(
        whole, default=pl.lit(unlisted, dtype=pl.String), return_dtype=pl.String
    )
    joined = found.join(places.collect(), on=["source", "scope"], how="left", maintain_order="left")
    why = pl.when("known").then("why").otherwise(elsewhere)
    return joined.select(*columns, not_seen=why)


def _why(scope: Coverage) -> str | None:
    if scope.status not in {ScopeStatus.PARTIAL, ScopeStatus.FAILED}:
        return None
    return f"{scope.status}: {scope.reason}" if scope.reason else str(scope.status)


def _sums(side: Side, named: pl.LazyFrame, key: Sequence[str]) -> Sums:
    total, with_key, repeated = pl.collect_all(
        [
            side.frame.select(pl.len()),
            named.select(pl.len()),
            named.group_by(key).len("n").select((pl.col("n") > 1).sum()),
        ]
    )
    return Sums(total.item(), repeated.item(), total.item() - with_key.item(), side.incomplete)


def _scopes(
    a: Side, b: Side, only_a: pl.DataFrame, only_b: pl.DataFrame, different: pl.DataFrame
) -> pl.DataFrame:
    """Count by source and scope; what the other side may have missed is counted apart."""
    place = ["source", "scope"]
    unseen = pl.col("not_seen").is_not_null()
    parts = {
        "in_a": a.frame.select(place).collect(),
        "in_b": b.frame.select(place).collect(),
        "only_in_a": only_a.filter(~unseen),
        "only_in_b": only_b.filter(~unseen),
        "not_seen_in_b": only_a.filter(unseen),
        "not_seen_in_a": only_b.filter(unseen),
        "different": different.unique([name for name in different.columns if name not in {"fact", "a", "b"}]),
    }
    named = [(scope.source, scope.scope) for scope in (*a.coverage, *b.coverage)]
    schema = {"source": pl.String, "scope": pl.String}
    table = pl.DataFrame(named, schema=schema, orient="row")
    table = pl.concat([table, *(part.select(place) for part in parts.values())]).unique().sort(place)
    for name, part in parts.items():
        counts = part.group_by(place).len(name)
        table = table.join(counts, on=place, how="left", nulls_equal=True, maintain_order="left")
    return table.with_columns(pl.col(list(parts)).fill_null(0))
