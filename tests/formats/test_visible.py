"""Names are shown with everything in them that was meant not to be seen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.formats.visible import visible


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("prod/openai", "prod/openai"),
        ("日本 é العربية", "日本 é العربية"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b31m", "\\x9b31m"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("x" * 301, f"{'x' * 150}…(1 more characters)…{'x' * 150}"),
    ],
)
def test_what_is_shown(name: str, shown: str) -> None:
    assert visible(name) == shown


@given(st.text(max_size=50))
def test_nothing_that_controls_or_formats_is_left(name: str) -> None:
    left = {unicodedata.category(character) for character in visible(name)}
    assert not left & {"Cc", "Cs", "Co", "Zl", "Zp"}
    assert not any(
        unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for c in visible(name)
    )
