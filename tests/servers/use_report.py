"""Reports of use in buckets of a minute, an hour or a day, as OpenAI and Anthropic page them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from servers.issued_keys import Use

WIDTHS = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86_400, 7, 31)}
"""Seconds of a bucket, buckets on a page unless told, and at most."""

COST_WIDTHS = {"1d": (86_400, 7, 180)}

Bucket = dict[str, Any]


def buckets(
    uses: Sequence[Use],
    span: tuple[float, float],
    width: int,
    show: Callable[[int, int, list[Use]], Bucket],
) -> list[Bucket]:
    """Give every bucket from the one with the first instant of the span, those without use as well."""
    start = int(span[0]) // width * width
    found = []
    while start < span[1]:
        within = [each for each in uses if start <= each.at < start + width]
        found.append(show(start, start + width, within))
        start += width
    return found


def by_key(uses: Sequence[Use], *, grouped: bool) -> list[tuple[str | None, list[Use]]]:
    """Give uses by key, or all of them under no key."""
    if not grouped:
        return [(None, list(uses))] if uses else []
    return [(key, [use for use in uses if use.key == key]) for key in sorted({use.key for use in uses})]
