"""YAML means one thing, says where, and is refused with everything that is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.errors import InputError, PolicyError
from keyaudit.strict_yaml import DEEPEST, load, scalar

NO_TOKEN = "found character that cannot start any token (a tab, or one of @ ` % that needs quotes)"


def refused(data: bytes) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(data, "policy.yaml", error=PolicyError)
    return str(caught.value).replace("policy.yaml:", "").splitlines()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("+5", 5),
        ("-7", -7),
        ("0", 0),
        ("1.5", 1.5),
        ("1.5e3", 1500.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        # what YAML 1.1 would make something else of
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("0b1", "0b1"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2026-05-01", "2026-05-01"),
        ("2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        ("111122223333", 111122223333),
        ("999999999999999999", 999999999999999999),
        ("9999999999999999999", "9999999999999999999"),
        ("8.3.9", "8.3.9"),
    ],
)
def test_a_plain_scalar_is_read_by_few_rules(text: str, value: Any) -> None:
    read = scalar(text)
    assert (type(read), read) == (type(value), value)
    in_document = load(f"a: {text}\n".encode(), "f").value()["a"]
    assert (type(in_document), in_document) == (type(value), value)


@pytest.mark.parametrize("text", ["1", "true", "null", "~", "2026-05-01", "<<"])
def test_what_is_quoted_is_text(text: str) -> None:
    assert load(f"a: '{text}'\nb: \"{text}\"\n".encode(), "f").value() == {"a": text, "b": text}
    assert load(f"'{text}': 1\n".encode(), "f").value() == {text: 1}


def test_every_key_and_value_knows_its_place() -> None:
    root = load(b"# first\na: 1\nlist:\n  - {x: y,  z: [1, 2]}\n", "f")
    entry = root.content["list"]
    assert (entry.line, entry.column) == (3, 1)
    assert (entry.node.line, entry.node.column) == (4, 3)
    inner = root.at(("list", 0)).content["z"]
    assert (inner.line, inner.column) == (4, 13)
    second = root.at(("list", 0, "z", 1))
    assert (second.line, second.column, second.value()) == (4, 20, 2)


def test_a_path_that_ends_early_gives_the_nearest_node_above() -> None:
    root = load(b"a: {b: [1]}", "f")
    assert root.at(("a", "b", 7)) is root.at(("a", "b"))
    assert root.at(("a", "nothing", "more")) is root.at(("a",))
    assert [key for key, _ in root.items()] == ["a"]
    assert list(root.at(("a", "b")).items()) == []


def test_columns_count_characters_not_bytes() -> None:
    assert load("{ä: 1, b: 2}".encode(), "f").content["b"].column == 8


def test_windows_lines_and_a_byte_order_mark_change_nothing() -> None:
    assert load(b"\xef\xbb\xbfa: 1\r\nb: |\r\n  two\r\n  lines\r\n", "f").value() == {
        "a": 1,
        "b": "two\nlines\n",
    }


@pytest.mark.parametrize(
    ("data", "complaints"),
    [
        (b"", ["1:1: the file is empty"]),
        (b"\n  \n", ["1:1: the file is empty"]),
        (b"# only a comment\n", ["1:1: the file is empty"]),
        (b"---\n...\n", ["1:1: the file is empty"]),
        (b"null", ["1:1: the file is empty"]),
        (b"a: 1\nb: \xff\n", ["2: not UTF-8 text"]),
        ("a: 1".encode("utf-16"), ["1: not UTF-8 text"]),
        (b"a: \x00\nb: \x1b[31m\n", ["1:4: control character U+0000", "2:4: control character U+001B"]),
        (b"a: 1 # x\rb: 2\n", ["1:9: control character U+000D"]),
        ("# x\u2028b: 2\n".encode(), ["1:4: control character U+2028"]),
        ("# x\u0085b: 2\n".encode(), ["1:4: control character U+0085"]),
        ("a: x\ufeffy\n".encode(), ["1:5: control character U+FEFF"]),
        (
            b"a: 1\nb: 2\na: 3\nb: 4\n",
            ["3:1: duplicate key 'a', first on line 1", "4:1: duplicate key 'b', first on line 2"],
        ),
        (b"{a: 1, 'a': 2}", ["1:8: duplicate key 'a', first on line 1"]),
        (b"x: [{a: 1, a: 2}]", ["1:12: duplicate key 'a', first on line 1"]),
        (
            b"a: &here 1\nb: *here\n",
            [
                "1:4: anchors (&here) are not allowed: write the value out",
                "2:4: aliases (*here) are not allowed: write the value out",
            ],
        ),
        (b"a: {<<: {b: 1}}", ["1:5: merge keys (<<) are not allowed: write the fields out"]),
        (b"a: !!python/none", ["1:4: tags (tag:yaml.org,2002:python/none) are not allowed"]),
        (b"a: !own {b: 1}", ["1:4: tags (!own) are not allowed"]),
        (b"a: !!str 1", ["1:4: tags (tag:yaml.org,2002:str) are not allowed"]),
        (b"a: ! 1", ["1:4: tags (!) are not allowed"]),
        (b"a: 1\n---\nb: 2\n---\nc: 3\n", ["2:1: a second document (---) in one file"]),
        (b"1: a\n", ["1:1: a key must be text: put 1 in quotes"]),
        (b"2.11: a\n", ["1:1: a key must be text: put 2.11 in quotes"]),
        (b"true: a\n", ["1:1: a key must be text: put true in quotes"]),
        (b"? \n: a\n", ["1:2: a key is empty"]),
        (b"? [a, b]\n: c\n", ["1:3: a key must be text, not a list or a mapping"]),
        (b"? {a: b}\n: c\n", ["1:3: a key must be text, not a list or a mapping"]),
        (b"&x a: 1\n1: &y 2\n? *x\n: 3\n", [
            "1:1: anchors (&x) are not allowed: write the value out",
            "2:1: a key must be text: put 1 in quotes",
            "2:4: anchors (&y) are not allowed: write the value out",
            "3:3: aliases (*x) are not allowed: write the value out",
            "3:3: a key must be text, not a list or a mapping",
        ]),
        (b"[" * 60, [f"1:{DEEPEST + 1}: nested deeper than {DEEPEST} levels"]),
        (b"[" * 1_000_000, [f"1:{DEEPEST + 1}: nested deeper than {DEEPEST} levels"]),
        (b"a: [1\n", ["2:1: not YAML: did not find expected ',' or ']'"]),
        (b"a: 1\na: 2\nb: c: d\n", ["2:1: duplicate key 'a', first on line 1",
                                    "3:5: not YAML: mapping values are not allowed in this context"]),
        (b"a: 1\n\tb: 2\n", ["2:1: not YAML: found a tab character that violates indentation"]),
        (b"a: @x\n", [f"1:4: not YAML: {NO_TOKEN}"]),
    ],
)  # fmt: skip
def test_what_is_refused_and_where(data: bytes, complaints: list[str]) -> None:
    assert refused(data) == complaints


def test_nesting_up_to_the_limit_is_read() -> None:
    assert load(b"[" * DEEPEST + b"]" * DEEPEST, "f").line == 1


def test_a_flood_of_control_characters_is_cut_short() -> None:
    assert len(refused(b"\x07" * 5000)) == 100


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = b"a: &a [x,x,x,x]\n" + b"".join(b"k%d: &k%d [*a,*a,*a,*a]\n" % (i, i) for i in range(20))
    assert len(refused(bomb)) == 100 + 1  # the first hundred, and a line that counts the rest


def test_the_error_is_the_callers_kind() -> None:
    with pytest.raises(InputError) as caught:
        load(b"", "f")
    assert type(caught.value) is InputError


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    try:
        load(data, "f", error=PolicyError)
    except PolicyError as error:
        assert error.problems


@given(st.text(alphabet="ab:-{}[]&*!<?'\"|> \n#1,\t%@\\uU08x", max_size=60))
def test_no_yaml_like_text_raises_anything_else(text: str) -> None:
    try:
        load(text.encode(), "f", error=PolicyError)
    except PolicyError as error:
        assert all(problem.line is not None for problem in error.problems)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)


@given(_PLAIN)
def test_what_was_written_is_read_back(value: Any) -> None:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    text = yaml.dump(
        {"value": value}, Dumper=Plain, allow_unicode=False, default_style='"' if value == "=" else None
    )
    assert load(text.encode(), "f").value() == {"value": value}
