"""A column of times is read as one time is."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.inventory.instants import EARLIEST, LATEST, parse_instants
from keyaudit.inventory.plain_rows import instants_as_text
from keyaudit.times import format_instant, parse_instant

DIGITS = st.text("0123456789", min_size=1, max_size=10)
TIMES = st.builds(
    "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
    st.sampled_from((1, 2, 1582, 1969, 1970, 2024, 2026, 9999)),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from("Tt "),
    st.integers(0, 25),
    st.integers(0, 61),
    st.sampled_from((0, 1, 59, 60, 61)),
    st.just("") | DIGITS.map(".{}".format),
    st.sampled_from(("Z", "z", "+00:00", "-05:30", "+14:00", "")),
)


@given(TIMES)
def test_both_readers_agree(text: str) -> None:
    column = pl.Series("at", [None, text])
    try:
        expected = parse_instant(text)
    except ValueError:
        with pytest.raises(ValueError):
            parse_instants(column)
    else:
        assert parse_instants(column).to_list() == [None, expected]


@given(st.integers(EARLIEST, LATEST))
def test_both_writers_agree(instant: int) -> None:
    frame = pl.DataFrame({"at": [instant]}, schema={"at": pl.Int64})
    assert frame.select(instants_as_text(pl.col("at"))).item() == format_instant(instant)
