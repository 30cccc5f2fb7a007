"""What a history comes to: credentials and versions with the bounds that all looks give, and the looks.

Rows of any number of looks fold into one row a version. Folding is associative and knows no order, as
long as no two parts looked at one scope in turns: a day at a time gives what all days at once give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from keyaudit.columns import CREDENTIALS
from keyaudit.errors import Problem
from keyaudit.model import HistoryFile

KEY = ("source", "scope", "id")
DESCRIBING = tuple(
    name
    for name in CREDENTIALS
    if not name.startswith(("rotation_", "last_"))
    and name not in {*KEY, "never_used", "expires_at", "compromised_at"}
)
"""What is kept of a credential: enough to classify and to show one that is listed no longer."""

VERSION: dict[str, str] = {
    "version": "text",
    "state": "text",
    "created_at": "instant",
    "superseded_at": "instant",
    "retired_at": "instant",
    "authenticates": "boolean",
    "in_use_at": "instant",
    "gone_by": "instant",
    "usable_at": "instant",
    "unusable_by": "instant",
    "listed_at": "instant",
}
"""Like `columns.PAST`, but bounds are what lists themselves said: absence follows from the looks."""

LOOK: dict[str, Any] = {
    "source": pl.String,
    "scope": pl.String,
    "at": pl.Int64,
    "complete": pl.Boolean,
    "versions": pl.Boolean,
}
"""One scope, and when a list of it was ready: whether it has all credentials, and the versions of all it has.

A list takes a while: what it says holds of some instant since it was `begun`. Hence what was seen is
dated by the beginning, and what was not by the end.
"""

_KINDS = {
    "text": pl.String,
    "integer": pl.Int64,
    "boolean": pl.Boolean,
    "instant": pl.Int64,
    "labels": pl.String,
}
OF_CREDENTIALS: dict[str, Any] = {
    **dict.fromkeys(KEY, pl.String),
    **{name: _KINDS[CREDENTIALS[name]] for name in DESCRIBING},
    "listed_at": pl.Int64,
}
OF_VERSIONS: dict[str, Any] = {
    **dict.fromkeys(KEY, pl.String),
    **{name: _KINDS[kind] for name, kind in VERSION.items()},
}
_DEAD = ("disabled", "destroyed")
_REPLACED = ("superseded", *_DEAD)


@dataclass(frozen=True)
class Chronicle:
    """A history as columns: `OF_CREDENTIALS`, `OF_VERSIONS` and `LOOK`.

    `files` are what it was read from, those that are no evidence too; `problems` has everything wrong
    with those.
    """

    files: tuple[HistoryFile, ...]
    credentials: pl.DataFrame
    versions: pl.DataFrame
    looks: pl.DataFrame
    problems: tuple[Problem, ...] = ()

    @property
    def forgotten(self) -> tuple[int, int]:
        """Count the versions, and the credentials, that the last look at their scope did not list."""
        last = self.looks.group_by("source", "scope").agg(pl.col("at").max().alias("last"))
        counts = []
        for frame in (self.versions, self.credentials):
            beside = frame.join(last, on=["source", "scope"], how="left")
            counts.append(beside.filter(pl.col("listed_at") < pl.col("last")).height)
        return counts[0], counts[1]

    @property
    def longest_gap(self) -> int | None:
        """Give the longest time between two looks at one scope; None where none was looked at twice."""
        instants = self.looks.sort("source", "scope", "at")
        gaps = instants.select(gap=pl.col("at").diff().over("source", "scope"))["gap"]
        return None if gaps.null_count() == len(gaps) else int(gaps.drop_nulls().sort()[-1])


def empty() -> Chronicle:
    """Give the history of which nothing is known."""
    return Chronicle(
        (), pl.DataFrame(schema=OF_CREDENTIALS), pl.DataFrame(schema=OF_VERSIONS), pl.DataFrame(schema=LOOK)
    )


def observed(runs: pl.DataFrame) -> pl.DataFrame:
    """Give what lists said of versions, as rows to `fold_versions`.

    `runs` has `KEY` and `versions` as an inventory has them. Every list of the credential said just that
    from the one that was ready at `first` to the one that was begun at `begun` and ready at `at`; null
    where the instants are not known.
    """
    flat = runs.select(*KEY, "versions", "first", "begun", "at").filter(pl.col("versions").list.len() > 0)
    one = flat.explode("versions").with_columns(
        pl.col("versions").struct.field("id").alias("version"),
        *(pl.col("versions").struct.field(name) for name in _SAID),
    )
    state, works = pl.col("state"), pl.col("authenticates")
    dead = state.is_in(_DEAD) | ~works.fill_null(value=True)
    return one.select(
        *KEY,
        "version",
        *_SAID,
        in_use_at=pl.when(state == "current").then("begun"),
        gone_by=pl.when(state.is_in(_REPLACED)).then("first"),
        usable_at=pl.when(works & ~dead).then("begun"),
        unusable_by=pl.when(dead).then("first"),
        listed_at="at",
    ).select(*OF_VERSIONS)


_SAID = ("state", "created_at", "superseded_at", "retired_at", "authenticates")


def fold_versions(rows: pl.DataFrame) -> pl.DataFrame:
    """Make one row a version of many: the last word on it, and the bounds of all.

    A version is its id and its date of creation: a store may give an id again. Where a list did not
    say the date, the version is the one of that id that was listed before or, failing that, after.
    """
    rows = _dated(rows.sort("listed_at", nulls_last=True, maintain_order=True))
    # Most values never change: only those of which more than one thing was said are grouped.
    twice = rows.select(pl.struct(*KEY, "version", "created_at").is_duplicated()).to_series()
    folded = pl.concat([rows.filter(~twice), _folded(rows.filter(twice))])
    return folded.sort(*KEY, "created_at", "version")


def _folded(rows: pl.DataFrame) -> pl.DataFrame:
    used, able = pl.col("in_use_at").max(), pl.col("usable_at").max()
    gone, dead, ended = pl.col("gone_by"), pl.col("unusable_by"), pl.col("superseded_at")
    since = (pl.col("listed_at") > used).fill_null(value=True)
    folded = (
        rows.lazy()
        .group_by(*KEY, "version", "created_at")
        .agg(
            pl.col("state", "retired_at", "authenticates", "listed_at").last(),
            # What was said before it was in use again is no word on when it was replaced.
            superseded_at=pl.coalesce(ended.last(), ended.filter(since).drop_nulls().last()),
            in_use_at=used,
            gone_by=gone.filter((gone > used).fill_null(value=True)).min(),
            usable_at=able,
            unusable_by=dead.filter((dead > able).fill_null(value=True)).min(),
        )
    )
    return folded.select(*OF_VERSIONS).collect()


def _dated(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill the dates that lists did not say from those that other lists said of the same id."""
    named = [*KEY, "version"]
    if rows["created_at"].null_count() == 0:
        return rows
    created = pl.col("created_at")
    return rows.with_columns(created.forward_fill().backward_fill().over(named))


def fold_credentials(rows: pl.DataFrame) -> pl.DataFrame:
    """Keep the last word on each credential."""
    ordered = rows.sort("listed_at", nulls_last=True, maintain_order=True)
    return ordered.unique(KEY, keep="last", maintain_order=True).select(*OF_CREDENTIALS).sort(*KEY)


def fold_looks(rows: pl.DataFrame) -> pl.DataFrame:
    """Put looks in their order."""
    return rows.select(*LOOK).unique().sort("source", "scope", "at", "complete", "versions")
