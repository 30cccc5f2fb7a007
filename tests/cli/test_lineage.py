"""One credential in three places, as the command line sees it: scan, show, explain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROVIDER = """
schema: keyaudit/inventory/1
collected_at: 2026-05-01T00:00:00Z
coverage: [{source: openai, scope: acme/proj_1, status: complete, credentials: 2}]
credentials:
  - {source: openai, scope: acme/proj_1, id: svc_1, name: production, class: api-key, provider: openai,
     labels: {project: production}, owner: ai@acme.example, created_at: 2026-01-01T00:00:00Z,
     versions: [{id: key_new, state: current, created_at: 2026-03-01T00:00:00Z}]}
  - {source: openai, scope: acme/proj_1, id: "svc_\\e[1m", name: forgotten, class: api-key, provider: openai,
     labels: {project: sandbox}, owner: null, created_at: 2026-01-01T00:00:00Z,
     versions: [{id: key_x, state: current, created_at: 2026-03-01T00:00:00Z}]}
"""
STORES = """
schema: keyaudit/inventory/1
collected_at: 2026-05-01T00:00:00Z
coverage:
  - {source: aws-secrets-manager, scope: 111122223333/us-east-1, status: complete, credentials: 1}
  - {source: vault, scope: kv, status: complete, credentials: 1}
credentials:
  - {source: aws-secrets-manager, scope: 111122223333/us-east-1, id: "arn:aws", name: prod/openai, class: api-key,
     environment: production, owner: ai@acme.example, labels: {"keyaudit:key_id": key_new}, lineage: null,
     versions: [{id: v, state: current, created_at: 2026-03-01T04:00:00Z}]}
  - {source: vault, scope: kv, id: kv/openai, name: kv/openai, class: api-key, environment: staging,
     owner: ai@acme.example, labels: {}, lineage: null,
     versions: [{id: "1", state: current, created_at: 2025-10-01T00:00:00Z}]}
"""
RULES = 'lineage:\n  - {match: {source: vault, name: "*/openai"}, lineage: openai-prod}\n'
SAME = '  - {match: {name: "*/openai"}, lineage: openai-prod}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "provider.yaml").write_text(PROVIDER)
    (tmp_path / "stores.yaml").write_text(STORES)
    return tmp_path


def configure(folder: Path, rules: str) -> None:
    (folder / "keyaudit.yaml").write_text(f"inventory: [provider.yaml, stores.yaml]\n{rules}")


def scanned(command, *more: str) -> tuple[int, dict]:
    arguments = ("--as-of", "2026-05-01T00:00:00Z", "--format", "json", *more)
    ending = command("scan", *arguments)
    return ending.returncode, json.loads(ending.stdout)


def findings(report: dict, rule: str) -> list[str]:
    return sorted(found["credential"]["id"] for found in report["findings"] if found["rule"] == rule)


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_rule_and_a_recorded_key_make_one_lineage_of_three_places(folder, command, engine) -> None:
    configure(folder, RULES + SAME)
    code, report = scanned(command, "--engine", engine)
    assert code == 1
    assert findings(report, "KA503") == ["kv/openai"], "the provider rotated, and AWS followed within hours"
    assert findings(report, "KA502") == ["arn:aws", "kv/openai"], "staging holds production's key"
    [late] = [found for found in report["findings"] if found["rule"] == "KA503"]
    assert late["evidence"]["lineage_newest_at"] == "2026-03-01T00:00:00Z", "the provider's date"
    assert [orphan["name"] for orphan in report["orphans"]] == ["forgotten"]


def test_without_rules_the_recorded_key_alone_ties(folder, command) -> None:
    configure(folder, "")
    _, report = scanned(command)
    assert findings(report, "KA502") == findings(report, "KA503") == []
    by_id = {rule["id"]: rule for rule in report["rules"]}
    assert (by_id["KA503"]["pass"], by_id["KA503"]["not_applicable"]) == (2, 2)
    (folder / "keyaudit.yaml").write_text("inventory: [provider.yaml]\n")
    _, alone = scanned(command)
    assert alone["orphans"] is None
    assert report["inventory"]["sha256"] != alone["inventory"]["sha256"]


def test_the_rules_are_in_the_digest_of_what_was_audited(folder, command) -> None:
    digests = []
    for rules in ("", RULES, RULES + SAME, RULES):
        configure(folder, rules)
        digests.append(scanned(command)[1]["inventory"]["sha256"])
    assert len(set(digests)) == 3
    assert digests[1] == digests[3]


def test_a_contradiction_is_said_on_stderr_and_links_nothing(folder, command) -> None:
    more = "lineage:\n  - {match: {source: openai, name: production}, lineage: a}\n" + SAME
    configure(folder, more)
    ending = command("scan", "--format", "json")
    assert (
        b"lineage: what records the keys of 'svc_1' of 'openai' 'acme/proj_1' has the lineages 'a' and "
        in ending.stderr
    )
    ending = command("scan", "--format", "json", "--log-format", "json")
    said = [json.loads(line) for line in ending.stderr.splitlines()]
    assert "lineage-contradiction" in {line["event"] for line in said}


def test_many_contradictions_are_counted(folder, command) -> None:
    keys = "\n".join(f"  - {{source: openai, scope: p, id: k{n}, name: k}}" for n in range(14))
    torn = "\n".join(
        f"  - {{source: vault, scope: kv, id: {place}{n}, name: s, lineage: {place}, labels: {{keyaudit_key_id: k{n}}}}}"
        for n in range(14)
        for place in "ab"
    )
    (folder / "stores.yaml").write_text(f"schema: keyaudit/inventory/1\ncredentials:\n{keys}\n{torn}\n")
    ending = command("inventory", "show", "stores.yaml")
    lines = ending.stderr.decode().splitlines()
    assert len(lines) == 11
    assert lines[-1] == "lineage: … and 4 more contradictions"


def test_show_counts_orphans_and_lists_them_when_asked(folder, command) -> None:
    configure(folder, RULES)
    counted = "keys of providers that no store here is known to hold: 1"
    shown = command("inventory", "show").stdout.decode()
    assert counted in shown
    assert "forgotten" not in shown
    listed = command("inventory", "show", "--orphans").stdout.decode()
    assert listed.splitlines()[-2] == counted
    assert listed.splitlines()[-1].startswith("  openai  acme/proj_1  forgotten  svc_")
    assert "\x1b" not in listed
    plain = json.loads(command("inventory", "show", "--format", "json").stdout)
    assert plain["orphans"] == 1
    assert "orphans_listed" not in plain
    plain = json.loads(command("inventory", "show", "--orphans", "--format", "json").stdout)
    assert [orphan["name"] for orphan in plain["orphans_listed"]] == ["forgotten"]


def test_show_says_what_it_did_not_ask(folder, command) -> None:
    shown = command("inventory", "show", "provider.yaml").stdout.decode()
    assert shown.splitlines()[-1] == "keys of providers that no store holds: not tested, no store was listed"
    plain = json.loads(command("inventory", "show", "provider.yaml", "--orphans", "--format", "json").stdout)
    assert plain["orphans"] is plain["orphans_listed"] is None
    assert "providers" not in command("inventory", "show", "stores.yaml", "--orphans").stdout.decode()


def test_explain_knows_the_lineage_too(folder, command) -> None:
    configure(folder, RULES)
    explained = command("explain", "kv/openai", "--as-of", "2026-05-01T00:00:00Z").stdout.decode()
    assert "lineage openai-prod" in explained
    configure(folder, SAME.join(["lineage:\n", ""]))
    explained = command("policy", "explain", "production").stdout.decode()
    assert "lineage openai-prod" in explained, "by the key id that prod/openai records"
