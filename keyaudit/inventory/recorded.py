"""Which credentials of providers the credentials of stores say they hold, by key ids among their labels.

    keyaudit:key_id       the key that the secret holds
    keyaudit:old_key_id   the one before it, where that is listed as a credential of its own

`keyaudit_` and `keyaudit-` serve as well, as does `-` for `_`. Several ids stand apart by spaces or
commas. An id is that of a provider's credential (a service account) or of one of its versions (an
access key); letters compare without case, since Google's labels have small ones only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from keyaudit.columns import PROVIDERS
from keyaudit.inventory.check import shown

# A pair can begin behind the brace or a comma; quotes inside names and values are escaped there.
_NAME = r'[{,]"keyaudit[:_-](?:old[_-])?key[_-]id":"'
_PAIR = rf'(?i){_NAME}(?:[^"\\]|\\.)*"'
_OLD = r'(?i)^."keyaudit[:_-]old'

_EDGES = {"row": pl.Int64, "held": pl.Int64}


@dataclass(frozen=True)
class Recorded:
    """Who holds what: `edges` has a store's `row` and that of the provider's credential, `held`.

    `held` are the rows of providers whose key a store with a value in use records as the one that it
    holds. `former` are those that one records as the key before and none as its own: they are tied
    to it, and yet it holds another key now. Whoever contradicts himself holds nothing by that;
    `contradictions` say so in sentences.
    """

    edges: pl.DataFrame
    held: pl.Series
    former: pl.Series
    contradictions: tuple[str, ...] = ()


_NOBODY = pl.Series(dtype=pl.Int64)
NOTHING = Recorded(pl.DataFrame(schema=_EDGES), _NOBODY, _NOBODY)
IN_USE = (
    pl.col("versions").is_null()
    | pl.col("versions").list.eval(pl.element().struct.field("state") == "current").list.any()
)
"""Has a value in use, or versions that were not collected."""


def recorded(frame: pl.LazyFrame) -> Recorded:
    """Read the labels of stores' credentials; `frame` has the columns of an inventory."""
    provider = pl.col("source").is_in(PROVIDERS)
    # Asking first costs next to nothing; most inventories have no provider, or no such label.
    if not frame.select(provider.any()).collect().item():
        return NOTHING
    mentions = _mentions(frame.filter(~provider))
    if mentions.is_empty():
        return NOTHING
    found = mentions.join(_keys(frame.filter(provider)), on="key", how="inner")
    mentioned_before = found.filter("old")["held"].unique()
    several = found.group_by("key").agg(pl.col("held").n_unique()).filter(pl.col("held") > 1)
    found = found.join(several, on="key", how="anti")
    now = found.filter(~pl.col("old")).group_by("row").agg(pl.col("held").n_unique())
    torn = now.filter(pl.col("held") > 1).select("row")
    sure = found.join(torn, on="row", how="anti")
    edges = sure.select("row", "held").unique().sort("row", "held")
    held = sure.filter(~pl.col("old") & pl.col("in_use"))["held"].unique()
    former = mentioned_before.filter(~mentioned_before.is_in(held.implode()))
    return Recorded(edges, held, former, (*_of_several(several), *_torn(frame, torn)))


def _mentions(stores: pl.LazyFrame) -> pl.DataFrame:
    """Give each id that a label names: the whole value too, for an id that has a space or a comma."""
    pairs = stores.select("row", pair=pl.col("labels").str.extract_all(_PAIR), in_use=IN_USE).explode("pair")
    said = pairs.filter(pl.col("pair").is_not_null()).select(
        "row",
        "in_use",
        old=pl.col("pair").str.contains(_OLD),
        value=pl.col("pair").str.replace(rf"(?i)^{_NAME}", "").str.head(-1).str.to_lowercase(),
    )
    whole = said.select("row", "in_use", "old", key=pl.col("value").str.strip_chars())
    parts = said.select("row", "in_use", "old", key=pl.col("value").str.extract_all(r"[^\s,]+")).explode(
        "key"
    )
    return pl.concat([whole, parts]).filter(pl.col("key") != "").unique().collect()


def _keys(providers: pl.LazyFrame) -> pl.DataFrame:
    own = providers.select(held="row", key="id")
    inner = providers.select(held="row", version="versions").explode("version")
    versions = inner.select("held", key=pl.col("version").struct.field("id"))
    lower = pl.col("key").str.to_lowercase()
    return pl.concat([own, versions]).drop_nulls().with_columns(lower).unique().collect()


def _of_several(several: pl.DataFrame) -> Iterator[str]:
    for key, held in several.sort("key").iter_rows():
        yield f"{held:,} credentials have the key id {shown(key)}: it links none of them"


def _torn(frame: pl.LazyFrame, torn: pl.DataFrame) -> Iterator[str]:
    rows = frame.join(torn.lazy(), on="row", how="semi").select("source", "scope", "id").collect()
    for source, scope, identity in rows.sort("source", "scope", "id").iter_rows():
        yield (
            f"{shown(identity)} of {shown(source)} {shown(scope)} records the keys of several credentials: "
            "it is linked to none (the key before goes into keyaudit:old_key_id)"
        )
