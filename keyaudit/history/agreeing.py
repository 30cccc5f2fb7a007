"""One version, one date: lists that say of a version, at different times, that it was made at different ones.

A store that gives an id again makes the second version after the first was last listed. Where it would have
been made before that, both dates are of one version, and one of the lists is wrong, was written by another
hand, or rounds: what was listed last counts, and it is counted that another list contradicts it. Otherwise
whoever edits an earlier inventory would make one value replace itself.
"""

from __future__ import annotations

import polars as pl

from keyaudit.history.chronicle import KEY, OF_VERSIONS, fold_versions
from keyaudit.inventory.instants import LATEST
from keyaudit.times import SECOND

_NAMED = [*KEY, "version"]


def agreed(known: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Give each version one date of creation, and how many others lists gave it, a second away or more.

    `known` are folded versions with `listed` and `basis` beside them.
    """
    twice = known.select(pl.struct(_NAMED).is_duplicated() & pl.col("created_at").is_not_null()).to_series()
    if not twice.any():
        return known, 0
    made, last = pl.col("created_at"), pl.col("listed_at").fill_null(LATEST)
    lives = known.filter(twice).sort(*_NAMED, "created_at").with_columns(before=last.cum_max().over(_NAMED))
    # Another life begins after every list that had the one before.
    another = (made > pl.col("before").shift(1).over(_NAMED)).fill_null(value=False)
    lives = lives.with_columns(another=another).with_columns(life=pl.col("another").cum_sum().over(_NAMED))
    own, kept = [*_NAMED, "life"], {name: pl.col(name).last() for name in _KEPT}
    lives = lives.sort(last, "listed", maintain_order=True).with_columns(
        said="created_at",
        **{name: one.over(own) for name, one in {"created_at": made.last(), **kept}.items()},
    )
    contradicted = (pl.col("said") - made).abs() >= SECOND
    apart = lives.filter(contradicted).height
    # Whose word on the beginning does not count is not heard on the end either.
    lives = lives.with_columns(pl.when(~contradicted).then(pl.col(name)).alias(name) for name in _ENDS)
    beside = lives.select(*_NAMED, "created_at", *_KEPT).unique()
    folded = fold_versions(lives.select(*OF_VERSIONS))
    joined = folded.join(beside, on=[*_NAMED, "created_at"], how="left", maintain_order="left")
    return pl.concat([known.filter(~twice), joined.select(known.columns)]), apart


_KEPT = ("listed", "basis")
_ENDS = ("superseded_at", "retired_at")
