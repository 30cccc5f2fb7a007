"""A match says the same of a credential in polars, in DuckDB and in Python, also of what is not known."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Sequence
from typing import Any

import duckdb
import msgspec
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit import match
from keyaudit.match import EVERYTHING, AllOf, AnyOf, Compare, Is, Match, Not

SCHEMA = {
    **dict.fromkeys(match.TEXT_FIELDS, pl.String),
    **dict.fromkeys(match.NUMBER_FIELDS, pl.Int64),
    **dict.fromkeys(match.FLAG_FIELDS, pl.Boolean),
    "labels": pl.String,
}
DATABASE = duckdb.connect()


def credential(**fields: Any) -> dict[str, Any]:
    labels = fields.pop("labels", None)
    text = None if labels is None else msgspec.json.encode(labels, order="sorted").decode()
    return {
        **dict.fromkeys(SCHEMA),
        "labels": text,
        **{name.rstrip("_"): value for name, value in fields.items()},
    }


def on_polars(wanted: Match, rows: Sequence[dict[str, Any]]) -> list[bool | None]:
    frame = nw.from_native(pl.DataFrame(rows, schema=SCHEMA).lazy())
    return frame.select(hit=match.expression(wanted)).collect().to_native()["hit"].to_list()


def on_duckdb(wanted: Match, rows: Sequence[dict[str, Any]]) -> list[bool | None]:
    numbered = pl.DataFrame(rows, schema=SCHEMA).with_row_index("row").to_arrow()
    frame = nw.from_native(DATABASE.from_arrow(numbered))
    return frame.select("row", hit=match.expression(wanted)).sort("row").to_native().pl()["hit"].to_list()


def everywhere(wanted: Match, rows: Sequence[dict[str, Any]]) -> list[bool | None]:
    """Judge rows in the three ways; they must agree."""
    judged = [match.judge(wanted, row) for row in rows]
    assert on_polars(wanted, rows) == judged
    assert on_duckdb(wanted, rows) == judged
    return judged


# --- tables -------------------------------------------------------------------------------------

TABLE: list[tuple[Match, dict[str, Any], bool | None]] = [
    (EVERYTHING, {}, True),
    (AnyOf(()), {}, False),
    (Is("environment", ("production",)), {"environment": "production"}, True),
    (Is("environment", ("production",)), {"environment": "Production"}, False),
    (Is("environment", ("production",)), {"environment": "production "}, False),
    (Is("environment", ("production",)), {"environment": None}, None),
    (Not(Is("environment", ("production",))), {"environment": None}, None),
    (Is("class", ("api-key", "ssh-key")), {"class_": "ssh-key"}, True),
    (Is("class", ("api-key", "ssh-key")), {"class_": "certificate"}, False),
    (Is("class", ("*-key",)), {"class_": None}, None),
    # what is missing elsewhere does not match, and its opposite does
    (Is("owner", ("me",)), {"owner": None}, False),
    (Not(Is("owner", ("me",))), {"owner": None}, True),
    (Is("owner", ("*",)), {"owner": None}, False),
    (Is("consumers", (5,)), {"consumers": None}, False),
    (Compare("consumers", ">=", 5), {"consumers": None}, False),
    (Not(Compare("consumers", ">=", 5)), {"consumers": None}, True),
    (Is("user_owned", (True,)), {"user_owned": None}, False),
    (Is("user_owned", (False,)), {"user_owned": None}, False),
    (Is("user_owned", (False,)), {"user_owned": False}, True),
    # a tier may be anything only while the environment may be
    (Is("tier", (1,)), {"tier": None, "environment": None}, None),
    (Is("tier", (1,)), {"tier": None, "environment": "production"}, False),
    (Is("tier", (1,)), {"tier": 1, "environment": None}, True),
    (Is("tier", (1, 2)), {"tier": 2, "environment": None}, True),
    (Is("tier", (1, 2)), {"tier": 3, "environment": None}, False),
    (Compare("tier", "<", 2), {"tier": None, "environment": None}, None),
    (Compare("tier", "<", 2), {"tier": None, "environment": "x"}, False),
    # both sides of every boundary
    (Compare("consumers", ">=", 5), {"consumers": 5}, True),
    (Compare("consumers", ">=", 5), {"consumers": 4}, False),
    (Compare("consumers", ">", 5), {"consumers": 5}, False),
    (Compare("consumers", ">", 5), {"consumers": 6}, True),
    (Compare("consumers", "<=", 5), {"consumers": 5}, True),
    (Compare("consumers", "<=", 5), {"consumers": 6}, False),
    (Compare("consumers", "<", 5), {"consumers": 4}, True),
    (Compare("consumers", "<", 5), {"consumers": 5}, False),
    # globs: anchored, case-sensitive, over line ends, and nothing else in them is special
    (Is("name", ("prod/*",)), {"name": "prod/x"}, True),
    (Is("name", ("prod/*",)), {"name": "prod/"}, True),
    (Is("name", ("prod/*",)), {"name": "my-prod/x"}, False),
    (Is("name", ("prod/*",)), {"name": "PROD/x"}, False),
    (Is("name", ("*/x",)), {"name": "prod/x\n"}, False),
    (Is("name", ("*/x",)), {"name": "a\nb/x"}, True),
    (Is("name", ("v?",)), {"name": "v1"}, True),
    (Is("name", ("v?",)), {"name": "v"}, False),
    (Is("name", ("v?",)), {"name": "v\n"}, True),
    (Is("name", ("v?",)), {"name": "v😀"}, True),
    (Is("name", ("v?",)), {"name": "v12"}, False),
    (Is("name", ("a.b*",)), {"name": "axb"}, False),
    (Is("name", ("[ab]*",)), {"name": "a"}, False),
    (Is("name", ("[ab]*",)), {"name": "[ab]!"}, True),
    (Is("name", (r"\d*",)), {"name": "7"}, False),
    (Is("name", (r"\d*",)), {"name": r"\d7"}, True),
    (Is("name", ("exact", "gl*b")), {"name": "glub"}, True),
    (Is("name", ("exact", "gl*b")), {"name": "exact"}, True),
    (Is("name", ("exact", "gl*b")), {"name": "exactly"}, False),
    # labels
    (Is("labels.pci", ("true",)), {"labels": {"pci": "true"}}, True),
    (Is("labels.pci", ("true",)), {"labels": {"a": "b", "pci": "true", "z": ""}}, True),
    (Is("labels.pci", ("true",)), {"labels": {"pci": "true "}}, False),
    (Is("labels.pci", ("true",)), {"labels": {"xpci": "true"}}, False),
    (Is("labels.pci", ("true",)), {"labels": {}}, False),
    (Is("labels.pci", ("true",)), {"labels": None}, False),
    (Not(Is("labels.pci", ("true",))), {"labels": None}, True),
    (Is("labels.pci", ("tr*",)), {"labels": {"pci": "true"}}, True),
    (Is("labels.pci", ("tr*",)), {"labels": {"pci": "x", "z": "true"}}, False),
    (Is("labels.pci", ("*",)), {"labels": {"pci": ""}}, True),
    (Is("labels.pci", ("*",)), {"labels": {"x": ""}}, False),
    (Is("labels.pci", ("?",)), {"labels": {"pci": '"'}}, True),
    (Is("labels.pci", ("?",)), {"labels": {"pci": "\x1b"}}, True),
    (Is("labels.pci", ("?",)), {"labels": {"pci": "\\"}}, True),
    (Is("labels.pci", ("?",)), {"labels": {"pci": "ab"}}, False),
    # text that tries to pass for a label
    (Is("labels.pci", ("true",)), {"labels": {"note": '"pci":"true"'}}, False),
    (Is("labels.pci", ("true",)), {"labels": {'x"pci': "true"}}, False),
    (Is("labels.pci", ("tr*",)), {"labels": {'x"pci': "true"}}, False),
    (Is("labels.pci", ("true",)), {"labels": {'{"pci': "true"}}, False),
    (Is("labels.pci", ("true",)), {"labels": {',"pci': "true", ",": ':"pci":"true'}}, False),
    (Is("labels.pci", ("tr*",)), {"labels": {',"pci': "true", ",": ':"pci":"true'}}, False),
]


@pytest.mark.parametrize(("wanted", "fields", "answer"), TABLE)
def test_the_answer(wanted: Match, fields: dict[str, Any], answer: bool | None) -> None:
    assert everywhere(wanted, [credential(**fields)]) == [answer]


def test_all_and_any_are_kleenes() -> None:
    parts: dict[bool | None, Match] = {
        True: Is("name", ("n",)),
        False: Is("name", ("other",)),
        None: Is("environment", ("production",)),
    }
    row = credential(name="n")
    for left, right in itertools.product(parts, repeat=2):
        both = False if False in (left, right) else None if None in (left, right) else True
        either = True if True in (left, right) else None if None in (left, right) else False
        assert everywhere(AllOf((parts[left], parts[right])), [row]) == [both]
        assert everywhere(AnyOf((parts[left], parts[right])), [row]) == [either]


def test_labels_are_judged_alike_as_text_and_as_a_mapping() -> None:
    assert match.judge(Is("labels.a", ("b",)), {"labels": {"a": "b"}}) is True
    assert match.judge(Is("labels.a", ("b",)), {"labels": '{"a":"b"}'}) is True
    assert match.judge(Is("labels.a", ("b",)), {}) is False


# --- properties ---------------------------------------------------------------------------------

_HOSTILE = st.text(alphabet='ab*?"\\{},:.[(^$|+-\n\r\x1b/ ä😀\u2028', max_size=6)
_LABEL_NAME = _HOSTILE.filter(lambda name: name and name not in match.UNNAMEABLE)
_TIERS = st.integers(0, 3)
_LABELS = st.dictionaries(_HOSTILE, _HOSTILE, max_size=3)
_ROWS = st.builds(
    credential,
    environment=st.none() | st.sampled_from(["production", "staging"]) | _HOSTILE,
    class_=st.none() | st.sampled_from(["api-key", "ssh-key"]),
    tier=st.none() | _TIERS,
    consumers=st.none() | _TIERS,
    name=_HOSTILE,
    owner=st.none() | _HOSTILE,
    user_owned=st.none() | st.booleans(),
    labels=st.none() | _LABELS,
)


def _values(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, min_size=1, max_size=3).map(tuple)


_TESTS: st.SearchStrategy[Match] = st.one_of(
    st.builds(Is, st.just("environment"), _values(st.sampled_from(["production", "prod*", "*"]) | _HOSTILE)),
    st.builds(Is, st.just("class"), _values(st.sampled_from(["api-key", "*-key", "certificate"]))),
    st.builds(Is, st.sampled_from(["name", "owner"]), _values(_HOSTILE)),
    st.builds(Is, _LABEL_NAME.map("labels.{}".format), _values(_HOSTILE)),
    st.builds(Is, st.sampled_from(match.NUMBER_FIELDS), _values(_TIERS)),
    st.builds(Is, st.just("user_owned"), _values(st.booleans())),
    st.builds(Compare, st.sampled_from(match.NUMBER_FIELDS), st.sampled_from([">=", "<=", ">", "<"]), _TIERS),
)
_MATCHES: st.SearchStrategy[Match] = st.recursive(
    _TESTS,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=5,
)


@settings(deadline=None, max_examples=150)
@given(_MATCHES, st.lists(_ROWS, min_size=1, max_size=4))
def test_both_engines_and_python_agree(wanted: Match, rows: list[dict[str, Any]]) -> None:
    judged = [match.judge(wanted, row) for row in rows]
    assert on_polars(wanted, rows) == judged
    assert on_duckdb(wanted, rows) == judged


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_label_is_what_it_is_in_the_mapping_and_nothing_else(data: st.DataObject) -> None:
    labels = data.draw(_LABELS)
    names = [name for name in labels if name and name not in match.UNNAMEABLE]
    name = data.draw(st.sampled_from(names) | _LABEL_NAME if names else _LABEL_NAME)
    value = data.draw((st.sampled_from(list(labels.values())) if labels else st.nothing()) | _HOSTILE)
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in value)
    expected = name in labels and re.fullmatch(pattern, labels[name], re.DOTALL) is not None
    assert everywhere(Is(f"labels.{name}", (value,)), [credential(labels=labels)]) == [expected]


@given(_MATCHES, _MATCHES, _ROWS)
def test_de_morgan(one: Match, other: Match, row: dict[str, Any]) -> None:
    assert match.judge(Not(AllOf((one, other))), row) == match.judge(AnyOf((Not(one), Not(other))), row)
    assert match.judge(Not(AnyOf((one, other))), row) == match.judge(AllOf((Not(one), Not(other))), row)
    assert match.judge(Not(Not(one)), row) == match.judge(one, row)


@given(_MATCHES, _ROWS)
def test_what_is_not_known_can_only_decide_what_was_open(wanted: Match, row: dict[str, Any]) -> None:
    answer = match.judge(wanted, {**row, "environment": None})
    if answer is not None:
        assert match.judge(wanted, {**row, "environment": row["environment"] or "production"}) in {
            answer,
            None,
        }


# --- for a reader -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (EVERYTHING, "everything"),
        (AllOf((Is("environment", ("production",)), Is("tier", (1,)))), "environment=production, tier=1"),
        (Is("class", ("api-key", "ssh-key")), "class=api-key|ssh-key"),
        (Compare("consumers", ">=", 5), "consumers>=5"),
        (Is("labels.pci", ("true",)), "labels.pci=true"),
        (Is("user_owned", (True,)), "user_owned=true"),
        (Not(Is("name", ("x*",))), "not (name=x*)"),
        (
            AnyOf((Is("name", ("a",)), AllOf((Is("name", ("b",)), Is("tier", (2,)))))),
            "any of (name=a; name=b, tier=2)",
        ),
        (AnyOf(()), "nothing"),
        (AllOf((AnyOf((Is("name", ("a",)),)), EVERYTHING)), "any of (name=a), everything"),
    ],
)
def test_a_match_in_one_line(wanted: Match, text: str) -> None:
    assert match.describe(wanted) == text


def test_a_trace_says_of_each_test_what_came_of_it() -> None:
    wanted = AllOf(
        (
            Is("environment", ("production",)),
            Compare("tier", "<", 2),
            Not(Is("labels.team", ("core",))),
            AnyOf((Is("name", ("a*",)), Is("owner", ("me",)))),
        )
    )
    assert match.trace(wanted, credential(tier=1, name="abc", labels={"team": "core"})) == [
        ("environment=production (environment not known)", None),
        ("tier<2 (tier is 1)", True),
        ("not (labels.team=core) (labels.team is core)", False),
        ("name=a* (name is abc)", True),
        ("owner=me (owner not known)", False),
    ]


def test_the_trace_of_everything_is_empty() -> None:
    assert match.trace(EVERYTHING, credential()) == []


def test_labels_are_kept_as_the_matches_expect_them() -> None:
    from keyaudit.inventory.tabulate import encode_labels

    labels = {"b": 'q"\\\n\x1b\x7fä😀', "a": ""}
    expected = json.dumps(labels, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert encode_labels(labels) == expected


@given(st.text("a*?", max_size=8), st.text("ab\n", max_size=8))
def test_a_glob_fits_in_python_what_its_regular_expression_fits(glob: str, text: str) -> None:
    expression = match.glob_regex(glob).removeprefix(r"\A").removesuffix(r"\z")
    assert match.fits_glob(glob, text) == (re.fullmatch(expression, text) is not None)


def test_no_glob_takes_for_ever() -> None:
    """A regular expression of this one tries every way to share three thousand letters among twenty stars."""
    started = time.monotonic()
    assert not match.fits_glob("*a" * 20 + "*b", "a" * 3000)
    assert match.fits_glob("*a" * 20 + "*", "a" * 3000)
    assert time.monotonic() - started < 5
