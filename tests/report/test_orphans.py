"""Which keys of providers no store is known to hold, and when that was not asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keyaudit import inventory, policy
from keyaudit.audit import audit
from keyaudit.inventory.linking import LineageRule
from keyaudit.match import Is
from keyaudit.report_document import from_document, to_document
from keyaudit.rules import CATALOGUE
from keyaudit.times import parse_instant

AS_OF = parse_instant("2026-05-01T00:00:00Z")
KEYS = """
  - {source: openai, scope: acme/p, id: shared, name: shared, lineage: main}
  - {source: openai, scope: acme/p, id: recorded, name: recorded, versions: [{id: key_1, state: current}]}
  - {source: openai, scope: acme/p, id: alone, name: alone, owner: a@acme.example, versions: [{id: key_2, state: current}]}
  - {source: aws-iam, scope: "111122223333", id: user, name: user, lineage: elsewhere}
  - {source: anthropic, scope: acme, id: off, name: "off", versions: [{id: off, state: disabled}]}
  - {source: gcp-iam, scope: projects/p, id: gone, name: gone, versions: []}
"""
STORE = """
  - {source: vault, scope: kv, id: a, name: a, lineage: main}
  - {source: vault, scope: kv, id: b, name: b, labels: {keyaudit_key_id: key_1}}
"""


def made(folder: Path, rows: str, coverage: str = "") -> inventory.Inventory:
    path = folder / "inventory.yaml"
    path.write_text(f"schema: keyaudit/inventory/1\ncoverage: [{coverage}]\ncredentials:{rows or ' []'}\n")
    return inventory.read([path])


def found(made: inventory.Inventory, engine: str = "polars", file: Path | None = None) -> list[str] | None:
    rules = policy.load(file, rules=CATALOGUE, frameworks={})
    linked = inventory.link(made).inventory
    report = audit(linked, rules, (), AS_OF, engine=engine)
    assert from_document(to_document(report)).orphans == report.orphans
    if file is None:
        assert inventory.orphans(linked) == report.orphans, "show says what the report says"
    return None if report.orphans is None else [orphan.id for orphan in report.orphans]


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_key_in_use_that_no_store_shares_or_records_is_an_orphan(engine, tmp_path) -> None:
    listed = made(tmp_path, KEYS + STORE)
    assert found(listed, engine) == ["user", "alone"], "by source, scope, id; what is not in use is none"


def test_an_orphan_says_whose_it_is(tmp_path) -> None:
    linked = inventory.link(made(tmp_path, KEYS + STORE)).inventory
    [alone] = [orphan for orphan in inventory.orphans(linked) or () if orphan.id == "alone"]
    assert (alone.source, alone.scope, alone.name, alone.owner) == (
        "openai",
        "acme/p",
        "alone",
        "a@acme.example",
    )


COVERED = "{{source: {}, scope: x, status: {}}}"
TESTED = [
    (KEYS, "", None),
    (KEYS, COVERED.format("vault", "empty"), ["user", "alone", "recorded", "shared"]),
    (KEYS, COVERED.format("aws-secrets-manager", "partial"), ["user", "alone", "recorded", "shared"]),
    (KEYS, COVERED.format("vault", "failed"), None),
    (KEYS, COVERED.format("aws-kms", "empty"), None),
    (KEYS, COVERED.format("openai", "complete"), None),
    (STORE, "", []),
    ("", COVERED.format("openai", "empty"), []),
]


@pytest.mark.parametrize(("rows", "coverage", "orphans"), TESTED)
def test_it_is_asked_only_where_a_store_was_looked_into(rows, coverage, orphans, tmp_path) -> None:
    assert found(made(tmp_path, rows, coverage)) == orphans


def test_another_provider_and_a_key_service_hold_nothing(tmp_path) -> None:
    rows = STORE + (
        "  - {source: openai, scope: acme/p, id: x, name: x, lineage: l}\n"
        "  - {source: aws-iam, scope: a, id: y, name: y, lineage: l}\n"
        "  - {source: aws-kms, scope: a, id: z, name: z, lineage: l}\n"
    )
    assert found(made(tmp_path, rows)) == ["y", "x"]


def test_a_hand_written_source_is_a_store(tmp_path) -> None:
    rows = KEYS + "  - {source: 1password, scope: ops, id: z, name: z, lineage: elsewhere}\n"
    assert found(made(tmp_path, rows)) == ["alone", "recorded", "shared"]


def test_a_store_holds_a_key_although_lineages_contradict_each_other(tmp_path) -> None:
    rows = """
  - {source: openai, scope: p, id: k, name: k}
  - {source: openai, scope: p, id: v, name: v}
  - {source: vault, scope: kv, id: a, name: a, lineage: a, labels: {keyaudit_key_id: k}}
  - {source: vault, scope: kv, id: b, name: b, lineage: b, labels: {keyaudit_key_id: k}}
  - {source: vault, scope: kv, id: c, name: c, labels: {keyaudit_key_id: k v}}
"""
    assert found(made(tmp_path, rows)) == ["v"], "c says of one secret that it holds two keys"


HIDING = {
    "three ids on one secret": ("labels: {keyaudit_key_id: k v w}", ["k", "v", "w"]),
    "three labels on one secret": (
        "labels: {keyaudit_key_id: k, 'keyaudit:key_id': v, keyaudit-key-id: w}",
        ["k", "v", "w"],
    ),
    "the key before, only": ("labels: {keyaudit_old_key_id: k v w}", ["k", "v", "w"]),
    "the key before, beside the key that it holds": (
        "labels: {keyaudit_key_id: k, keyaudit_old_key_id: v w}",
        ["v", "w"],
    ),
    "a secret that is destroyed": (
        "labels: {keyaudit_key_id: k}, versions: [{id: v1, state: destroyed}]",
        ["k", "v", "w"],
    ),
    "a secret that is switched off": (
        "labels: {keyaudit_key_id: k}, versions: [{id: v1, state: disabled}, {id: v2, state: destroyed}]",
        ["k", "v", "w"],
    ),
    "a secret without any version": ("labels: {keyaudit_key_id: k}, versions: []", ["k", "v", "w"]),
    "a lineage of a secret that is destroyed": (
        "lineage: main, versions: [{id: v1, state: destroyed}]",
        ["k", "v", "w"],
    ),
    "a secret in use": (
        "labels: {keyaudit_key_id: k}, versions: [{id: v1, state: destroyed}, {id: v2, state: current}]",
        ["v", "w"],
    ),
    "a lineage of a secret in use": ("lineage: main, versions: [{id: v1, state: current}]", ["v", "w"]),
    "an id that two credentials have": ("labels: {keyaudit_key_id: both}", ["k", "v", "w"]),
}


def hiding(said: str) -> str:
    return f"""
  - {{source: openai, scope: p, id: k, name: k, lineage: main, versions: [{{id: a, state: current}}]}}
  - {{source: openai, scope: p, id: v, name: v, versions: [{{id: both, state: current}}]}}
  - {{source: openai, scope: p, id: w, name: w, versions: [{{id: both, state: current}}]}}
  - {{source: vault, scope: kv, id: s, name: s, {said}}}"""


@pytest.mark.parametrize(("said", "orphans"), HIDING.values(), ids=HIDING)
def test_a_label_hides_only_the_key_that_its_secret_has(said, orphans, tmp_path) -> None:
    assert found(made(tmp_path, f"{hiding(said)}\n"), "polars") == orphans


def test_a_label_hides_as_much_on_the_other_engine_beside_many_others(tmp_path) -> None:
    """DuckDB takes seconds to plan any question, so that it is asked once about all of them."""

    def of(number: int, text: str) -> str:
        return re.sub(r"\b(k|v|w|s|both|main)\b", rf"\g<1>{number:02}", text)

    rows = "".join(of(number, hiding(said)) for number, (said, _) in enumerate(HIDING.values()))
    expected = [of(number, name) for number, (_, names) in enumerate(HIDING.values()) for name in names]
    assert sorted(found(made(tmp_path, f"{rows}\n"), "duckdb")) == sorted(expected)


def test_a_lineage_that_the_policy_gives_counts_and_so_does_one_of_a_rule(tmp_path) -> None:
    listed = made(tmp_path, KEYS + STORE)
    file = tmp_path / "policy.yaml"
    file.write_text("policy: p\nclassify:\n  - {match: {id: alone}, set: {lineage: main}}\n")
    assert found(listed, file=file) == ["user"]
    ruled = inventory.link(listed, [LineageRule(Is("id", ("alone",)), "main")]).inventory
    assert [orphan.id for orphan in inventory.orphans(ruled) or ()] == ["user"]


def test_orphans_change_no_verdict_and_no_exit_code(tmp_path) -> None:
    rules = policy.load(None, rules=CATALOGUE, frameworks={})
    alone = "  - {source: openai, scope: p, id: k, name: k, owner: o, environment: staging, class: api-key}\n"
    with_orphan = audit(made(tmp_path, f"\n{alone}", COVERED.format("vault", "empty")), rules, (), AS_OF)
    without = audit(
        made(tmp_path, f"\n{alone}", COVERED.format("openai", "empty").replace("x", "q")), rules, (), AS_OF
    )
    assert with_orphan.orphans
    assert without.orphans is None
    assert with_orphan.summary == without.summary
