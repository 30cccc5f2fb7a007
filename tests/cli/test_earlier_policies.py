"""`keyaudit scan --earlier-policy`: each part of a period by the policy of its time, as the program reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

AS_OF = ("--as-of", "2026-07-01T00:00:00Z", "--fail-on", "none")
HALF = ("--period", "2026-01-01/2026-06-30")
POLICY = """\
policy: {name}
owner: security@acme.example
approved_by: ciso@acme.example
schedules:
  - {{name: {name}, match: {{}}, rotation_period: {days}d}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A key that was 75 days old when it was replaced on the second of April, after 1 April's new policy."""
    key = {
        "source": "vault",
        "scope": "kv",
        "id": "openai",
        "name": "openai",
        "created_at": "2026-01-17T00:00:00Z",
        "versions": [
            {"id": "2", "state": "current", "created_at": "2026-05-10T00:00:00Z"},
            {"id": "1", "state": "superseded", "created_at": "2026-04-02T00:00:00Z"},
            {"id": "0", "state": "superseded", "created_at": "2026-01-17T00:00:00Z"},
        ],
    }
    scope = {"source": "vault", "scope": "kv", "status": "complete", "credentials": 1}
    document = {"schema": "keyaudit/inventory/1", "coverage": [scope], "credentials": [key]}
    (tmp_path / "i.json").write_text(json.dumps(document))
    for name, days in (("strict", 60), ("wide", 90), ("older", 30)):
        (tmp_path / f"{name}.yaml").write_text(POLICY.format(name=name, days=days))
    return tmp_path


def scanned(command: Any, folder: Path, *more: str) -> dict[str, Any]:
    ending = command("scan", "--inventory", "i.json", *AS_OF, *more, "--format", "json", cwd=folder)
    assert ending.returncode in {0, 1, 3}, ending.stderr
    document: dict[str, Any] = json.loads(ending.stdout)
    return document


def results(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    [row] = document["ledger"]["credentials"]
    return [(entry["version"], entry["due_at"], entry["result"]) for entry in row["entries"]]


def late(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [finding for finding in document["findings"] if finding["rule"] == "KA111"]


def test_a_part_of_a_period_is_judged_by_the_policy_that_governed_it(command: Any, folder: Path) -> None:
    today = ("--policy", "strict.yaml", *HALF)
    assert results(scanned(command, folder, *today))[0] == ("0", "2026-03-18T00:00:00Z", "late")
    document = scanned(command, folder, *today, "--earlier-policy", "2026-04-01=wide.yaml")
    assert results(document)[0] == ("0", "2026-04-02T00:00:00Z", "on-time")
    assert not late(document)
    parts = [(part["name"], part["from"], part["to"]) for part in document["ledger"]["policies"]]
    assert parts == [
        ("wide", "2026-01-01T00:00:00Z", "2026-04-01T23:59:59.999999Z"),
        ("strict", "2026-04-02T00:00:00Z", "2026-06-30T23:59:59.999999Z"),
    ]


def test_the_finding_names_the_schedule_of_the_part_that_decided(command: Any, folder: Path) -> None:
    document = scanned(
        command, folder, "--policy", "wide.yaml", *HALF, "--earlier-policy", "2026-03-31=strict.yaml"
    )
    [finding] = late(document)
    assert finding["evidence"]["schedule"] == "strict"
    assert finding["evidence"]["rotation_period"] == "60d"
    assert finding["message"].endswith("strict allows 60 d")
    assert finding["evidence"]["age_in_period_min"] == "73d23h59m59s999999us"


def test_several_are_put_in_the_order_of_time(command: Any, folder: Path) -> None:
    document = scanned(
        command, folder, "--policy", "wide.yaml", *HALF,
        "--earlier-policy", "2026-03-31T12:00:00+02:00=strict.yaml", "--earlier-policy", "2026-01-31=older.yaml",
    )  # fmt: skip
    names = [(part["name"], part["to"]) for part in document["ledger"]["policies"]]
    assert names == [
        ("older", "2026-01-31T23:59:59.999999Z"),
        ("strict", "2026-03-31T10:00:00Z"),
        ("wide", "2026-06-30T23:59:59.999999Z"),
    ]


def test_keyaudit_yaml_names_them_for_every_period(command: Any, folder: Path) -> None:
    (folder / "keyaudit.yaml").write_text(
        "policy: strict.yaml\nearlier_policies:\n  - {until: 2026-04-01, file: wide.yaml}\n"
    )
    assert results(scanned(command, folder, *HALF))[0][2] == "on-time"
    assert "ledger" not in scanned(command, folder) or scanned(command, folder)["ledger"] is None


def test_what_keyaudit_yaml_says_wrong_is_said_at_its_place(command: Any, folder: Path) -> None:
    (folder / "keyaudit.yaml").write_text(
        "earlier_policies:\n  - {until: yesterday, fil: wide.yaml}\n  - wide.yaml\n"
    )
    ending = command("scan", "--inventory", "i.json", *HALF, cwd=folder)
    assert ending.returncode == 2
    said = ending.stderr.decode()
    for place in (
        "[0].until",
        "[0].fil: unknown setting; did you mean 'file'?",
        "[0].file: is missing",
        "[1]: expected",
    ):
        assert f"earlier_policies{place}" in said, said


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--earlier-policy", "2026-03-31=wide.yaml"), "governed a part of a period"),
        ((*HALF, "--earlier-policy", "2026-03-31"), "not UNTIL=FILE"),
        ((*HALF, "--earlier-policy", "soon=wide.yaml"), "'soon'"),
        (
            (*HALF, "--earlier-policy", "2026-03-31=wide.yaml", "--earlier-policy", "2026-03-31=older.yaml"),
            "ends at 2026-03-31T23:59:59.999999Z, not after",
        ),
    ],
)
def test_what_cannot_be_obeyed_is_an_error(
    command: Any, folder: Path, more: tuple[str, ...], says: str
) -> None:
    ending = command("scan", "--inventory", "i.json", *AS_OF, *more, cwd=folder)
    assert ending.returncode == 2
    assert says in ending.stderr.decode()


def test_the_ledger_knows_what_a_framework_asked_in_the_part_in_which_it_asked_more(
    command: Any, folder: Path
) -> None:
    """Today the policy is stricter than the framework's schedule; before, it was not: 75 days were too many."""
    asked = "frameworks: {{soc2: {{schedules: [{{match: {{}}, rotation_period: {days}d}}]}}}}\n"
    for name, days in (("strict", 70), ("wide", 70)):
        with (folder / f"{name}.yaml").open("a") as file:
            file.write(asked.format(days=days))
    parts = ("--policy", "strict.yaml", "--earlier-policy", "2026-04-10=wide.yaml")
    document = scanned(command, folder, *parts, "--framework", "soc2", *HALF)
    assert results(document)[0] == ("0", "2026-03-28T00:00:00Z", "late")
    assert late(document)
    assert document["ledger"]["operations"] == {"exception": 1}
