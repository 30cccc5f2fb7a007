"""Lineages: what a credential says, what a rule says, what the key ids on secrets say, in this order."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest

from facts.frames import inventory as as_inventory
from facts.frames import version
from keyaudit import inventory
from keyaudit.inventory.linking import LineageRule, Linked, link
from keyaudit.inventory.tabulate import encode_labels
from keyaudit.match import AllOf, Compare, Is, Not
from keyaudit.model import Inventory

OPENAI = {"source": "openai", "scope": "acme/proj_1", "provider": "openai"}
AWS = {"source": "aws-iam", "scope": "111122223333", "provider": "aws"}
SECRET = {"source": "aws-secrets-manager", "scope": "111122223333/us-east-1"}


def key(name: str, *versions: str, place: dict[str, str] = OPENAI, **fields: Any) -> dict[str, Any]:
    return {**place, "id": name, "versions": [version(id=one) for one in versions], **fields}


def secret(name: str, labels: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    written = None if labels is None else encode_labels(labels)
    return {**SECRET, "id": name, "labels": written, **fields}


def linked(rows: list[dict[str, Any]], *rules: LineageRule) -> Linked:
    return link(as_inventory(rows), rules)


def lineages(rows: list[dict[str, Any]], *rules: LineageRule) -> list[str | None]:
    return linked(rows, *rules).inventory.credentials.collect()["lineage"].to_list()


RECORDED = [
    ({"keyaudit:key_id": "key_1"}, "by the id of a version"),
    ({"keyaudit:key_id": "svc"}, "by the id of the credential"),
    ({"keyaudit_key_id": "key_1"}, "with _ for :"),
    ({"keyaudit-key-id": "key_1"}, "with - for both"),
    ({"KeyAudit:Key_Id": "key_1"}, "whatever the case of the label"),
    ({"keyaudit_key_id": "KEY_1"}, "whatever the case of the id"),
    ({"keyaudit_old_key_id": "key_1"}, "as the key before"),
    ({"keyaudit-old-key-id": "key_1"}, "as the key before, with -"),
    ({"keyaudit:key_id": "key_1 key_2"}, "one of two, by spaces"),
    ({"keyaudit:key_id": " gone,key_1 "}, "one of two, by commas"),
    ({"a": 'b"\\', "keyaudit:key_id": "key_1", "z": "é"}, "among other labels"),
]


@pytest.mark.parametrize("labels", [labels for labels, _ in RECORDED], ids=[name for _, name in RECORDED])
def test_a_recorded_key_id_ties_a_secret_to_its_provider(labels) -> None:
    rows = [key("svc", "key_1", "key_2"), key("other", "key_3"), secret("s", labels), secret("t", {"a": "b"})]
    assert lineages(rows) == ["key:openai:svc", None, "key:openai:svc", None]


UNRECORDED = [
    {"key_id": "key_1"},
    {"keyaudit:key_ids": "key_1"},
    {"xkeyaudit:key_id": "key_1"},
    {"keyaudit:key_id": ""},
    {"keyaudit:key_id": "key_"},
    {"a": "keyaudit:key_id", ":": "key_1"},
    {"a": ',"keyaudit:key_id":"key_1"'},
    {'a,"keyaudit:key_id': "key_1"},
    {'"keyaudit:key_id': "key_1"},
]


@pytest.mark.parametrize("labels", UNRECORDED)
def test_no_other_text_poses_as_a_recorded_key_id(labels) -> None:
    before = as_inventory([key("svc", "key_1"), secret("s", labels)])
    assert link(before) == Linked(before)


def test_an_id_that_holds_a_space_or_a_comma_is_found_whole() -> None:
    name = "arn:aws:iam::111122223333:user/a, b"
    assert lineages([key(name, place=AWS), secret("s", {"keyaudit:key_id": name})]) == [f"key:aws:{name}"] * 2


def test_without_a_provider_s_name_its_source_is_named() -> None:
    rows = [key("u", "AKIA1", place={**AWS, "provider": None}), secret("s", {"keyaudit:key_id": "AKIA1"})]
    assert lineages(rows) == ["key:aws-iam:u"] * 2


def test_what_a_credential_says_comes_before_rules_and_rules_before_key_ids() -> None:
    rows = [
        key("svc", "key_1"),
        secret("own", {"keyaudit:key_id": "key_1"}, lineage="own"),
        secret("ruled/a"),
        secret("ruled/b", lineage="said"),
    ]
    rules = (LineageRule(Is("id", ("ruled/*",)), "first"), LineageRule(Is("id", ("ruled/a",)), "second"))
    assert lineages(rows, *rules) == ["own", "own", "first", "said"]
    by_rule = LineageRule(Is("source", ("openai",)), "openai-prod")
    rows[1] = secret("s", {"keyaudit:key_id": "key_1"})
    assert lineages(rows, by_rule)[:2] == ["openai-prod", "openai-prod"], (
        "the key's lineage reaches the secret"
    )


def test_a_rule_that_is_not_sure_fills_nothing() -> None:
    rows = [secret("a"), secret("b", environment="production"), secret("c", environment="staging")]
    rule = LineageRule(Not(Is("environment", ("staging",))), "x")
    assert lineages(rows, rule) == [None, "x", None]
    unsure_first = LineageRule(AllOf((Is("environment", ("production",)), Compare("tier", ">=", 1))), "y")
    assert lineages(rows, unsure_first, rule) == [None, "x", None]


def test_successive_keys_that_are_listed_one_by_one_are_one_lineage() -> None:
    rows = [
        key("key_1"),
        key("key_2"),
        key("key_3"),
        secret("current", {"keyaudit:key_id": "key_2", "keyaudit:old_key_id": "key_1"}),
        secret("left-behind", {"keyaudit:key_id": "key_1"}),
        secret("another", {"keyaudit:key_id": "key_3"}),
    ]
    one, other = "key:openai:key_1", "key:openai:key_3"
    assert lineages(rows) == [one, one, other, one, one, other]


@pytest.mark.parametrize("seed", range(3))
def test_long_chains_are_tied_together_whatever_their_order(seed) -> None:
    length = 3000
    rows = [key(f"key_{n:05}") for n in range(length)]
    rows += [
        secret(f"s{n}", {"keyaudit:key_id": f"key_{n + 1:05}", "keyaudit:old_key_id": f"key_{n:05}"})
        for n in range(length - 1)
        if n != length // 2
    ]
    random.Random(seed).shuffle(rows)
    found = dict(zip([row["id"] for row in rows], lineages(rows), strict=True))
    halves = (
        {found[f"key_{n:05}"] for n in range(length // 2 + 1)},
        {found[f"key_{n:05}"] for n in range(length // 2 + 1, length)},
    )
    assert halves == ({"key:openai:key_00000"}, {f"key:openai:key_{length // 2 + 1:05}"})


def test_two_lineages_that_record_one_key_are_said_and_nothing_is_guessed() -> None:
    rows = [
        key("svc", "key_1"),
        secret("a", {"keyaudit:key_id": "key_1"}, lineage="a"),
        secret("b", {"keyaudit:key_id": "svc"}, lineage="b"),
        secret("c", {"keyaudit:key_id": "svc"}),
    ]
    outcome = linked(rows)
    assert outcome.inventory.credentials.collect()["lineage"].to_list() == [None, "a", "b", None]
    [said] = outcome.contradictions
    assert said == (
        "what records the keys of 'svc' of 'openai' 'acme/proj_1' has the lineages 'a' and 'b': nothing is "
        "linked by them"
    )


def test_a_secret_that_holds_the_keys_of_two_providers_is_tied_to_neither() -> None:
    rows = [
        key("svc", "key_1"),
        key("user", "AKIA1", place=AWS),
        secret("both", {"keyaudit:key_id": "key_1 AKIA1"}),
        secret("one", {"keyaudit:key_id": "AKIA1"}),
    ]
    outcome = linked(rows)
    assert outcome.inventory.credentials.collect()["lineage"].to_list() == [
        None,
        "key:aws:user",
        None,
        "key:aws:user",
    ]
    [said] = outcome.contradictions
    assert said == (
        "'both' of 'aws-secrets-manager' '111122223333/us-east-1' records the keys of several credentials: it is "
        "linked to none (the key before goes into keyaudit:old_key_id)"
    )


def test_an_id_that_two_credentials_have_ties_nothing() -> None:
    rows = [
        key("a", "v1"),
        key("b", "V1", place=AWS),
        secret("s", {"keyaudit:key_id": "v1"}),
    ]
    outcome = linked(rows)
    assert outcome.inventory.credentials.collect()["lineage"].to_list() == [None] * 3
    assert outcome.contradictions == ("2 credentials have the key id 'v1': it links none of them",)


def test_what_providers_list_is_never_a_holder() -> None:
    labels = encode_labels({"keyaudit:key_id": "key_1"})
    assert lineages([key("svc", "key_1"), key("u", place=AWS, labels=labels)]) == [None, None]


def test_nothing_to_link_leaves_the_inventory_as_it_is() -> None:
    before = as_inventory([key("svc", "key_1"), secret("s", {"team": "x"})])
    assert inventory.link(before).inventory is before


def test_a_linked_column_counts_as_collected_where_it_was_filled(tmp_path) -> None:
    one = _document(
        tmp_path / "provider.yaml",
        "coverage: [{source: openai, scope: acme, status: complete, cannot_know: [lineage]}]\n"
        "credentials: [{source: openai, scope: acme, id: svc, name: svc, lineage: null}]",
    )
    two = _document(
        tmp_path / "store.yaml",
        "credentials: [{source: vault, scope: kv, id: s, name: s, labels: {keyaudit_key_id: svc}}]",
    )
    three = _document(tmp_path / "by-hand.yaml", "credentials: [{source: groq, scope: x, id: g, name: g}]")
    read = inventory.read([one, two, three])
    assert not any("lineage" in own.columns for own in _used(read))
    by_key = link(read).inventory
    assert by_key.sha256 == read.sha256, "the documents alone say it"
    assert ["lineage" in own.columns for own in _used(by_key)] == [True, True, False]
    assert by_key.coverage[0].cannot_know == ()
    ruled = link(read, [LineageRule(Is("source", ("groq",)), "groq")]).inventory
    assert all("lineage" in own.columns for own in ruled.collections)


def _used(read: Inventory) -> list[Any]:
    return [read.collections[index] for index in read.credentials.collect()["collection"]]


def _document(path, body: str):
    path.write_text(f"schema: keyaudit/inventory/1\ncollected_at: 2026-05-01T00:00:00Z\n{body}\n")
    return path


def test_the_digest_depends_on_the_rules_and_on_nothing_else(tmp_path) -> None:
    path = _document(tmp_path / "a.yaml", "credentials: [{source: vault, scope: kv, id: s, name: é}]")
    read = inventory.read([path])
    rules = [LineageRule(Is("name", ("é",)), "x")]
    first, second = link(read, rules).inventory, link(inventory.read([path]), rules).inventory
    assert first.sha256 == second.sha256 != read.sha256
    text = read.sha256 + "\nLineageRule(match=Is(field='name', values=('\\xe9',)), lineage='x'),"
    assert first.sha256 == hashlib.sha256(text.replace("\nL", "\n(L").encode() + b")").hexdigest()
    others = [
        [LineageRule(Is("name", ("é",)), "y")],
        [LineageRule(Is("id", ("é",)), "x")],
        [*rules, *rules],
    ]
    assert len({link(read, other).inventory.sha256 for other in (rules, *others)}) == 4
    assert not first.parquet
