"""A column of RFC 3339 texts into instants, without a Python call for each."""

from __future__ import annotations

import polars as pl

from keyaudit.times import parse_instant

_PLAIN = r"^\d{4}-\d\d-\d\dT[0-2]\d:[0-5]\d:[0-5]\d(\.\d{1,9})?Z$"
_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"
EARLIEST = parse_instant("0002-01-01T00:00:00Z")
LATEST = parse_instant("9999-12-31T23:59:59.999999Z")


def parse_instants(texts: pl.Series) -> pl.Series:
    """Read a column of times; raises ValueError if any is no time. Their bounds are `soundness`'s to check.

    Times in the common spelling go through polars; the others (an offset, a leap second) one by
    one through `times.parse_instant`, which both must agree with.
    """
    plain = texts.str.contains(_PLAIN)
    parsed = texts.set(~plain, None).str.to_datetime(_FORMAT, time_unit="us", strict=False).cast(pl.Int64)
    rest = (texts.is_not_null() & parsed.is_null()).arg_true()
    if len(rest):
        parsed = parsed.scatter(rest, [parse_instant(text) for text in texts.gather(rest)])
    return parsed.alias(texts.name)


def check_instant(text: str) -> int:
    """Read one time as a document may hold it; raises ValueError with a sentence for the reader.

    The year 1 is how Go programs (Vault) print "never": here that is null, and a real time so
    long ago is a mistake as well.
    """
    instant = parse_instant(text)
    if instant < EARLIEST:
        raise ValueError('the year 1 is how some programs print "never": write null')
    if instant > LATEST:
        raise ValueError("later than the year 9999 in UTC")
    return instant
