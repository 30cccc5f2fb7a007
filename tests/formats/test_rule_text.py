"""The rules' documentation as HTML: the few forms we write, and no other."""

from __future__ import annotations

import pytest

from keyaudit.formats.rule_text import html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("one\ntwo", "<p>one two</p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("do:\n- this\n  and more\n- that", "<p>do:</p>\n<ul><li>this and more</li><li>that</li></ul>"),
        ("* `a<b` **bold**", "<ul><li><code>a&lt;b</code> <b>bold</b></li></ul>"),
        ("<img src=x> [x](http://a.example)", "<p>&lt;img src=x&gt; [x](http://a.example)</p>"),
        ("`<b>` and \x1b[0m", "<p><code>&lt;b&gt;</code> and \\x1b[0m</p>"),
    ],
)
def test_what_becomes_of_it(text: str, expected: str) -> None:
    assert str(html(text)) == expected
