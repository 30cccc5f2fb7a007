"""The recipe and what stands in it: read back as written, and nothing else is read at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.errors import InputError
from keyaudit.evidence import matches, recipe, settings
from keyaudit.evidence.dsse import canonical
from keyaudit.formats.anchor import Anchor
from keyaudit.formats.verification_steps import Evidence
from keyaudit.match import AllOf, AnyOf, Compare, Is, Match, Not

INPUT = {"path": "inputs/inventory/01-a.json", "sha256": "0" * 64, "name": "a.json"}
POLICY = {"path": "inputs/policy.yaml", "sha256": "1" * 64, "name": "policy.yaml"}
SOUND: dict[str, Any] = {
    "schema": "keyaudit/audit/1",
    "as_of": "2026-05-01T00:00:00Z",
    "period": {"first": "2026-01-01T00:00:00Z", "last": "2026-03-31T23:59:59.999999Z"},
    "engine": "polars",
    "fail_on": None,
    "parts": [{"name": "the documents", "documents": [INPUT], "live": None}],
    "lineage": [{"match": {"field": "name", "is": ["a*"]}, "lineage": "one"}],
    "policy": POLICY,
    "earlier_policies": [],
    "frameworks": [],
    "records": None,
    "history": None,
    "audit_logs": None,
    "baseline": None,
    "sample": {"size": 3, "seed": "dice", "strata": ["owner"]},
    "renderings": [{"format": "terminal", "path": "reports/report.txt", "settings": {"width": 110}}],
    "evidence": {},
}


def test_a_recipe_is_read_as_it_was_written() -> None:
    content = canonical(SOUND)
    assert recipe.write(recipe.read(content, "audit.json")) == content


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "keyaudit/audit/2"}, "expected the schema keyaudit/audit/1"),
        ({"surprise": 1}, "unknown field `surprise`"),
        ({"as_of": "2026-05-01"}, "2026-05-01"),
        ({"as_of": 5}, "Expected `str`, got `int` - at `$.as_of`"),
        ({"period": {"first": "x", "last": "2026-03-31T00:00:00Z"}}, "audit.json: "),
        ({"policy": {**POLICY, "path": "inputs/../../etc/passwd"}}, "is no file under inputs/"),
        ({"policy": {**POLICY, "path": "/etc/passwd"}}, "is no file under inputs/"),
        ({"policy": {**POLICY, "path": "inputs//policy.yaml"}}, "is no file under inputs/"),
        ({"policy": {**POLICY, "path": "inputs"}}, "is no file under inputs/"),
        ({"policy": {**POLICY, "path": "report.json"}}, "is no file under inputs/"),
        ({"policy": INPUT}, "one path is named twice"),
        ({"parts": [{"name": "both", "documents": [INPUT], "live": POLICY}]}, "a part has documents, or is"),
        ({"parts": [{"name": "neither", "documents": [], "live": None}]}, "a part has documents, or is"),
        ({"lineage": [{"match": {"some": []}, "lineage": "x"}]}, "expected a match"),
    ],
)
def test_a_recipe_that_nobody_would_have_written_is_refused(change, said) -> None:
    with pytest.raises(InputError) as error:
        recipe.read(canonical(SOUND | change), "audit.json")
    assert said in str(error.value)
    assert str(error.value).startswith("audit.json: ")


@pytest.mark.parametrize("name", sorted(set(SOUND) - {"schema"}))
def test_nothing_may_be_missing(name) -> None:
    with pytest.raises(InputError, match=f"missing required field `{name}`"):
        recipe.read(canonical({key: value for key, value in SOUND.items() if key != name}), "audit.json")


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(SOUND, indent=1).encode(),
        canonical(SOUND) + b"\n",
        canonical(SOUND).replace(b'"as_of":', b'"as_of":"2020-01-01T00:00:00Z","as_of":', 1),
        b"\xff",
        b"",
        b"[" * 100_000,
    ],
    ids=["pretty", "newline", "twice", "no-utf8", "empty", "deep"],
)
def test_a_recipe_has_one_form(content) -> None:
    with pytest.raises(InputError):
        recipe.read(content, "audit.json")


WORDS = st.text(max_size=5)
LEAVES = st.one_of(
    st.builds(Is, WORDS, st.lists(st.one_of(WORDS, st.integers(), st.booleans()), max_size=3).map(tuple)),
    st.builds(Compare, WORDS, st.sampled_from([">=", "<=", ">", "<"]), st.integers(-(2**62), 2**62)),
)
MATCHES: st.SearchStrategy[Match] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@given(MATCHES)
def test_every_match_is_read_as_it_was_written(match) -> None:
    again = matches.from_data(json.loads(json.dumps(matches.to_data(match))))
    assert repr(again) == repr(match), "repr tells true from 1, and a digest is made of it"


def test_a_match_that_never_ends_is_refused() -> None:
    data: dict[str, Any] = {"all": []}
    for _ in range(1000):
        data = {"not": data}
    with pytest.raises(ValueError, match="expected a match"):
        matches.from_data(data)


SETTINGS = [
    None,
    "Acme <b>",
    110,
    False,
    (("a", 1), ()),
    Anchor("policy.yaml", {("schedules", "production"): 7, ("", "policy"): 1}),
    Evidence("b.zip", "ssh", "SHA256:x", identity="a@acme.example", inputs=(("inputs/a", "0" * 64),)),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: type(setting).__name__)
def test_a_setting_is_read_as_it_was_written(setting) -> None:
    data = json.loads(canonical(settings.to_data(setting)))
    assert settings.from_data(data, "audit.json") == setting


def test_a_setting_that_nobody_foresaw_is_noticed_when_it_is_written() -> None:
    with pytest.raises(TypeError, match="set has no place in a recipe"):
        settings.to_data({"a"})


@pytest.mark.parametrize(
    "data", [{}, {"$exec": "x"}, {"$anchor": {}}, {"$anchor": 1, "$evidence": 2}, {"$evidence": []}, 1.5]
)
def test_a_setting_of_no_kind_is_refused(data) -> None:
    with pytest.raises(InputError, match="of no kind that this keyaudit knows"):
        settings.from_data(data, "audit.json")
