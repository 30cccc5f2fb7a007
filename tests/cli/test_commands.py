"""The commands around a scan: lists, explanations, checks, a start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from keyaudit.cli import run
from keyaudit.rules import RULES

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-first-audit"


def test_rules_lists_every_rule(capsys) -> None:
    assert run(["rules", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["name"]) for row in listed] == [(rule.id, rule.name) for rule in RULES]
    assert all(row["fails_when"] for row in listed)
    assert run(["rules"]) == 0
    shown = capsys.readouterr().out
    assert all(rule.name in shown for rule in RULES)
    assert max(map(len, shown.splitlines())) <= 110


def test_frameworks_lists_all_and_the_controls_of_one(capsys) -> None:
    assert run(["frameworks", "--format", "json"]) == 0
    listed = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"pci-dss", "soc2", "hipaa", "iso27001"} <= set(listed)
    assert listed["soc2"]["own_numbers"] == 0, "SOC 2 states no number"
    assert listed["hipaa"]["own_numbers"] > listed["hipaa"]["compared"] == 0, (
        "only how long to keep documents"
    )
    assert listed["pci-dss"]["own_numbers"] > listed["pci-dss"]["compared"] == 3
    assert run(["frameworks", "pci-dss", "--format", "json"]) == 0
    controls = json.loads(capsys.readouterr().out)
    assert len(controls) == listed["pci-dss"]["controls"]
    assert {"8.6.3", "3.7.4"} <= {row["id"] for row in controls}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_explain_prints_what_a_rule_documents(rule, capsys) -> None:
    assert run(["explain", rule.id.lower()]) == 0
    by_id = capsys.readouterr().out
    assert by_id.startswith(rule.doc.strip())
    assert all(f"{{{name}: " in by_id for name in rule.params)
    assert run(["explain", rule.name]) == 0
    assert capsys.readouterr().out == by_id


@pytest.mark.parametrize("words", [["soc2", "CC6.1"], ["soc2:cc6.1"], ["soc2 CC6.1"]])
def test_explain_prints_a_control_however_it_is_written(words, capsys) -> None:
    assert run(["explain", *words]) == 0
    shown = capsys.readouterr().out
    assert "CC6.1: " in shown
    assert "rotation-overdue" in shown
    assert "your policy's is what an auditor tests" in shown


# a control, what is said of its number, and whether it is said that the text sets none
NUMBERS = [
    ("pci-dss 8.3.9", "A number: 90 d (alternative), passwords", False),
    ("pci-dss 12.1.2", "compared with the policy's last review, not with credentials", False),
    ("pci-dss 7.2.4", "keyaudit compares nothing with it: an auditor does", False),
    ("soc2 CC6.1", "A number: set by you (organisation-defined)", True),
]


@pytest.mark.parametrize(("control", "said", "none"), NUMBERS)
def test_explain_says_a_number_and_who_compares_what_with_it(control, said, none, capsys) -> None:
    assert run(["explain", control]) == 0
    shown = capsys.readouterr().out
    assert said in shown
    assert ("Its text sets no number" in shown) == none


UNKNOWN = [
    (["KA999"], "did you mean KA"),
    (["rotation-overdo"], "did you mean rotation-overdue?"),
    (["soc2", "CC6.11"], "did you mean CC6.1?"),
    (["prod/openai"], "for a credential, say where it is: --inventory FILE"),
]


@pytest.mark.parametrize("words", [["KA101"], ["soc2", "CC6.1"]])
def test_explain_refuses_options_that_would_change_nothing(words, capsys) -> None:
    assert run(["explain", *words, "--inventory", "nowhere.yaml"]) == 2
    assert "are for credentials" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "hint"), UNKNOWN)
def test_explain_of_nothing_says_what_was_meant(words, hint, capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["explain", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert hint in captured.err


def test_inventory_validate_says_valid_or_every_problem(tmp_path, capsys) -> None:
    documents = [str(path) for path in sorted((EXAMPLE / "inventory").iterdir())]
    assert run(["inventory", "validate", *documents]) == 0
    assert capsys.readouterr().out == "valid: 18 credentials, 31 versions\n"
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        "schema: keyaudit/inventory/1\ncredentials:\n  - {source: a, scope: b, id: c, nmae: d}\n"
    )
    assert run(["inventory", "validate", str(broken)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{broken}:3:" in captured.err


def test_inventory_show_counts_what_is_known(capsys) -> None:
    document = str(EXAMPLE / "inventory" / "gcp.yaml")
    assert run(["inventory", "show", document, "--format", "json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["credentials"], shown["versions"]) == (4, 7)
    assert shown["by_class"] == [{"value": "api-key", "credentials": 4}]
    assert "last_used_at" in shown["not_collected"]
    assert shown["coverage"][0]["cannot_know"] == ["last_used_at", "never_used", "versions.last_used_at"]
    assert run(["inventory", "show", document]) == 0
    assert "gcp-secret-manager larkspur-staging  complete" in capsys.readouterr().out


def test_policy_check_accepts_the_shipped_one_and_says_every_problem_of_another(
    tmp_path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["policy", "check"]) == 0
    assert capsys.readouterr().out.startswith("valid: keyaudit-default, ")
    (tmp_path / "p.yaml").write_text("policy: x\nschedule: []\nrules: {unusd: {after: 90d}}\n")
    assert run(["policy", "check", "p.yaml"]) == 2
    said = capsys.readouterr().err
    assert "p.yaml:2:" in said
    assert "did you mean 'schedules'" in said
    assert "did you mean 'unused'" in said


def test_policy_schema_is_a_schema_that_the_shipped_policy_meets(capsys) -> None:
    from jsonschema import Draft202012Validator

    assert run(["policy", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    policy = EXAMPLE.parents[1] / "policies" / "default.yaml"
    document = yaml.load(policy.read_text("utf-8"), yaml.BaseLoader)
    assert set(document) <= set(schema["properties"])


def test_init_writes_a_start_that_works_and_replaces_nothing(tmp_path, capsys, keyaudit) -> None:
    (tmp_path / "inventory.yaml").write_text(
        "schema: keyaudit/inventory/1\ncredentials:\n  - {source: a, scope: b, id: c, name: d, environment: production,"
        ' versions: [{id: "1", state: current, created_at: 2026-04-30T00:00:00Z}]}\n'
    )
    first = keyaudit("init")
    assert first.returncode == 0, first.stderr
    assert keyaudit("scan", "--as-of", "2026-05-01T00:00:00Z").returncode == 0
    (tmp_path / "policy.yaml").write_text("mine")
    again = keyaudit("init")
    assert again.returncode == 2
    assert b"--force replaces them" in again.stderr
    assert (tmp_path / "policy.yaml").read_text() == "mine"
    assert keyaudit("init", "--force").returncode == 0
    assert (tmp_path / "policy.yaml").read_text() != "mine"
