"""Waivers at work: failures that an approved exception covers. What is unknown is never waived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import narwhals as nw
import polars as pl

from keyaudit import match
from keyaudit.model import Rule, Waiver


def waive(
    rule: Rule, failed: pl.DataFrame, waivers: Sequence[Waiver], matched: Counter[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split failures of one rule into those that stand and those that are waived.

    The waived ones get a column `waiver`; where several match, the first of the policy counts.
    `matched` is counted up by waiver id.
    """
    covering = [waiver for waiver in waivers if rule.name in waiver.rules or rule.id in waiver.rules]
    failed = failed.with_columns(pl.lit(None, dtype=pl.String).alias("waiver"))
    if not covering:
        return failed, failed.clear()
    for waiver in covering:
        hit = (
            nw.from_native(failed)
            .select(hit=match.expression(waiver.match))
            .to_native()["hit"]
            .fill_null(value=False)
        )
        if hit.any():
            matched[waiver.id] += int(hit.sum())
            mine = (
                pl.when(pl.Series(hit) & pl.col("waiver").is_null())
                .then(pl.lit(waiver.id))
                .otherwise(pl.col("waiver"))
            )
            failed = failed.with_columns(mine.alias("waiver"))
    return failed.filter(pl.col("waiver").is_null()), failed.filter(pl.col("waiver").is_not_null())
