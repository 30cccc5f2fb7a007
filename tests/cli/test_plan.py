"""keyaudit plan from the outside: what it reads, what it refuses, and what its exit code says."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from keyaudit.cli import rotation_names
from keyaudit.rotation.stores import STORES
from tests.planning.icalendar_parser import parse

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "01-first-audit"
AS_OF = ("--as-of", "2026-06-01T00:00:00Z")

POLICY = """
policy: acme
owner: security@acme.example
approved_by: ciso@acme.example
reviewed_on: 2026-01-01
review_every: 365d
schedules:
  - {name: all, match: {environment: [production, staging]}, rotation_period: 90d, grace_period: 2d}
rules:
  rotated-together: {apart: 3d}
"""
ROW = """  - source: {source}
    scope: {scope}
    id: "{id}"
    name: "{name}"
    class: {cls}
    environment: {environment}
    owner: ann@acme.example
    lineage: {lineage}
    user_owned: {theirs}
    rotation: {rotation}
    replica_of: {replica_of}
    versions: {versions}
"""


def row(name: str, made: str | None = "2026-04-01", **more: str) -> str:
    """A row of the document; what was made on 1 April falls due on 30 June."""
    held = "null" if made is None else f"[{{id: '1', state: current, created_at: {made}T00:00:00Z}}]"
    of = {
        "source": "aws-secrets-manager", "scope": "111122223333/us-east-1", "id": f"arn:{name}", "cls": "api-key",
        "environment": "production", "lineage": "null", "theirs": "false", "rotation": "null",
        "replica_of": "null", "versions": held,
    }  # fmt: skip
    return ROW.format_map({**of, "name": name, **more})


def write(folder: Path, *rows: str, policy: str = POLICY, config: str = "") -> None:
    (folder / "inventory.yaml").write_text(f"schema: keyaudit/inventory/1\ncredentials:\n{''.join(rows)}")
    (folder / "policy.yaml").write_text(policy)
    (folder / "keyaudit.yaml").write_text(f"inventory: [inventory.yaml]\npolicy: policy.yaml\n{config}")


def planned(command, *more: str | Path, code: int | None = 0) -> dict:
    ending = command("plan", *(() if "--report" in more else AS_OF), "--format", "json", *more)
    assert code is None or ending.returncode == code, ending.stderr
    found = json.loads(ending.stdout)
    assert found["exit_code"] == ending.returncode
    return found


def days(found: dict) -> dict[str, str]:
    return {one["name"]: each["day"] for each in found["rotations"] for one in each["credentials"]}


def test_the_policys_own_distance_lies_between_staging_and_production(command, tmp_path) -> None:
    write(tmp_path, row("prod/a"), row("staging/a", environment="staging"))
    found = planned(command)
    assert found["terms"]["apart"] == "3d"
    assert days(found) == {"staging/a": "2026-06-19", "prod/a": "2026-06-23"}


PAIRS = [
    ("production/a", "staging/a"), ("prod-a", "stage-a"), ("prod-a", "stg-a"), ("same", "same"),
    ("production/b", "stg/b"), ("prod/x", "staging/y"), ("PROD/a", "staging/a"), ("prod/prod", "stg/stg"),
    ("prod/production", "stg/stage"), ("a", "staging"),
]  # fmt: skip


@pytest.mark.parametrize(("production", "staging"), PAIRS)
def test_who_belongs_together_is_what_rotated_together_says(command, tmp_path, production, staging) -> None:
    older = "[{id: '1', state: superseded, created_at: 2026-01-01T00:00:00Z}, {id: '2', state: current, created_at: 2026-04-01T00:00:00Z}]"
    write(
        tmp_path,
        row(production, versions=older),
        row(staging, environment="staging", scope="111122223333/eu-west-1", id="arn:other", versions=older),
    )
    report = json.loads(command("scan", *AS_OF, "--format", "json").stdout)
    together = "KA501" in {finding["rule"] for finding in report["findings"]}
    lie = [each["day"] for each in planned(command)["rotations"]]
    assert lie == (["2026-06-19", "2026-06-23"] if together else ["2026-06-23"] * 2)


def test_every_credential_of_an_example_is_somewhere_and_every_format_agrees(command, tmp_path) -> None:
    found = planned(command, "--config", EXAMPLE / "keyaudit.yaml", code=1)
    counts = found["counts"]
    listed = [one["id"] for each in found["rotations"] for one in each["credentials"]]
    elsewhere = counts["unplanned"] + counts["later"] + counts["without_due_date"]
    assert len(listed) + elsewhere == found["inventory"]["credentials"] > 15
    formats = [part for form in ("terminal", "json", "csv", "ics") for part in ("--format", form)]
    ending = command("plan", *AS_OF, *formats, "--output", "out", "--config", EXAMPLE / "keyaudit.yaml")
    assert ending.returncode == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "plan.csv", "plan.ics", "plan.json", "plan.txt",
    ]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "plan.csv").read_text("utf-8"), newline="")))
    assert [line["id"] for line in rows if line["kind"] != "unplanned"] == listed
    assert len(parse((tmp_path / "out" / "plan.ics").read_bytes()).parts) == len(found["rotations"])


def test_the_machine_the_day_and_the_engines_hash_seed_change_no_byte(keyaudit) -> None:
    for form in ("terminal", "json", "csv", "ics"):
        arguments = (
            "plan",
            *AS_OF,
            "--config",
            EXAMPLE / "keyaudit.yaml",
            "--format",
            form,
            "--per-day",
            "2",
        )
        first = keyaudit(*arguments, PYTHONHASHSEED="1", TZ="Asia/Tokyo", PYTHONUTF8="1", COLUMNS="100")
        second = keyaudit(*arguments, PYTHONHASHSEED="2", TZ="America/Lima", PYTHONUTF8="1", COLUMNS="100")
        assert (first.returncode, first.stdout) == (second.returncode, second.stdout), form
        assert first.returncode == 1, first.stderr


def test_what_rotates_and_cannot_be_dated_is_named_and_makes_the_exit_code_3(command, tmp_path) -> None:
    write(
        tmp_path,
        row("undated", None),
        row("unscheduled", environment="development"),
        row("dynamic", cls="dynamic-secret"),
        row("ok"),
        row("replica", replica_of="'arn:ok'", environment="development"),
        row("gone", versions="[]", environment="development"),
    )
    for policy in (POLICY, f"{POLICY}  period-undefined: {{enabled: false}}\n"):
        (tmp_path / "policy.yaml").write_text(policy)
        found = planned(command, code=3)
        assert days(found) == {"ok": "2026-06-23"}
        why = {one["name"]: one["why"] for one in found["unplanned"]}
        assert why == {
            "undated": "age not known",
            "unscheduled": "no schedule applies, so nothing says when it falls due",
        }
        assert found["counts"]["without_due_date"] == 3
    assert b"cannot be planned" in command("plan", *AS_OF, "--format", "ics").stderr


def test_a_store_that_rotates_is_marked_and_one_that_only_reminds_is_planned(command, tmp_path) -> None:
    soon = "{{enabled: {on}, schedule: rate(30 days), next_at: 2026-06-10T00:00:00Z, by: {by}}}"
    write(
        tmp_path,
        row("lambda", rotation=soon.format(on="true", by="lambda")),
        row("reminder", rotation=soon.format(on="true", by="reminder")),
        row("off", rotation=soon.format(on="false", by="lambda")),
        row("missed", rotation=soon.format(on="true", by="lambda").replace("06-10", "05-10")),
    )
    found = planned(command)
    assert days(found) == {
        "lambda": "2026-06-10",
        **dict.fromkeys(("reminder", "off", "missed"), "2026-06-23"),
    }
    assert {one["kind"] for one in found["rotations"][1:]} == {"planned"}
    assert (found["rotations"][0]["kind"], found["rotations"][0]["commands"]) == ("by-store", [])


def test_a_customers_own_and_a_waived_one_are_late_and_open_no_gate(command, tmp_path) -> None:
    waivers = """
waivers:
  - {id: W-1, rules: [rotation-overdue, never-rotated], match: {name: waived}, reason: no second slot,
     requested_by: ann@acme.example, approved_by: ciso@acme.example, from: 2026-05-01, until: 2026-07-01}
"""
    late = [row("theirs", "2026-01-01", theirs="true"), row("waived", "2026-01-01")]
    write(tmp_path, *late, policy=POLICY + waivers)
    assert planned(command)["counts"]["overdue"] == 2
    assert command("scan", *AS_OF, "--format", "json", "--output", ".").returncode in {0, 3}
    assert planned(command, "--report", "report.json")["counts"]["overdue"] == 2
    write(tmp_path, *late, row("ours", "2026-01-01"), policy=POLICY + waivers)
    planned(command, code=1)


ROTATIONS = """rotations:
  - {name: a, store: {kind: aws-secrets-manager, secret: prod/a, region: us-east-1}}
  - {name: by-arn, store: {kind: aws-secrets-manager, secret: "arn:prod/b"}}
  - {name: elsewhere, store: {kind: aws-secrets-manager, secret: prod/c, region: eu-west-1}}
  - {name: either, store: {kind: aws-secrets-manager, secret: prod/d}}
  - {name: "--x; rm", store: {kind: aws-secrets-manager, secret: prod/e}}
  - {name: kv, store: {kind: vault-kv, path: app/f}}
  - {name: google, store: {kind: gcp-secret-manager, project: acme, secret: g}}
  - {name: file, store: {kind: dotenv, file: .env, variable: KEY}}
  - {name: nothing}
  - {name: odd, store: {kind: [aws-secrets-manager]}}
"""


def test_a_rotation_of_keyaudit_yaml_is_the_command_for_the_one_credential_that_it_names(
    command, tmp_path
) -> None:
    google = {"source": "gcp-secret-manager", "scope": "projects/acme"}
    write(
        tmp_path,
        *(row(f"prod/{name}") for name in "abcde"),
        row("prod/d", id="arn:twice", scope="111122223333/eu-west-1"),
        row("f", source="vault", scope="vault.acme.example/secret", id="secret/app/f"),
        row("g", id="projects/1/secrets/g", **google),
        row("other", id="projects/2/secrets/g", source="gcp-secret-manager", scope="projects/other"),
        config=ROTATIONS,
    )
    run = {
        one["name"]: each["commands"]
        for each in planned(command)["rotations"]
        for one in each["credentials"]
        if any("rotate run" in said for said in each["commands"])
    }
    assert run == {
        "prod/a": ["keyaudit rotate run a"], "prod/b": ["keyaudit rotate run by-arn"],
        "f": ["keyaudit rotate run kv"], "g": ["keyaudit rotate run google"],
    }  # fmt: skip
    named = [each["commands"] for each in planned(command, "--config", "keyaudit.yaml")["rotations"]]
    assert ["keyaudit rotate run a --config keyaudit.yaml"] in named


def test_every_kind_of_store_that_an_audit_lists_is_known_by_its_secrets() -> None:
    assert set(rotation_names.STORES) == set(STORES) - {"dotenv"}, "no source lists files"


def test_no_plan_loads_what_can_change_a_credential(tmp_path) -> None:
    write(tmp_path, row("prod/a"), config=ROTATIONS)
    code = (
        "import sys; from keyaudit.cli import run; run(sys.argv[1:]); "
        "print([name for name in sys.modules if name.startswith('keyaudit.rotation.')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "plan", *AS_OF], cwd=tmp_path, capture_output=True, check=True
    )
    assert ran.stdout.endswith(b"[]\n")


def test_its_help_imports_nothing_heavy(tmp_path) -> None:
    code = (
        "import sys; from keyaudit.cli import run; run(['plan', '--help']); "
        "print(sorted({'polars', 'narwhals', 'rich', 'boto3', 'pydantic'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=True)
    assert ran.stdout.endswith(b"[]\n")
    assert b"--per-day" in ran.stdout


class TestASavedReport:
    def test_gives_the_same_days_but_for_the_order_of_staging_and_says_so(self, command, tmp_path) -> None:
        write(tmp_path, row("prod/a"), row("staging/a", environment="staging"), row("u", None))
        command("scan", *AS_OF, "--format", "json", "--output", ".")
        found = planned(command, "--report", "report.json", code=3)
        assert days(found) == {"prod/a": "2026-06-23", "staging/a": "2026-06-23"}
        assert found["terms"]["apart"] is None
        assert [one["name"] for one in found["unplanned"]] == ["u"]
        assert b"staging is in no order" in command("plan", "--report", "report.json").stderr

    @pytest.mark.parametrize(
        ("option", "value"),
        [("--inventory", "x"), ("--source", "x"), ("--policy", "x"), ("--framework", "soc2"), AS_OF],
    )
    def test_leaves_nothing_else_to_judge(self, command, option, value) -> None:
        ending = command("plan", "--report", "report.json", option, value)
        assert ending.returncode == 2
        assert f"{option} has no meaning beside --report".encode() in ending.stderr

    def test_that_is_none_is_refused(self, command, tmp_path) -> None:
        (tmp_path / "report.json").write_text("{}")
        assert command("plan", "--report", "report.json").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--within", "soon"), b"--within: 'soon': not a duration"),
        (("--ahead", "-1d"), b"--ahead: '-1d': not a duration"),
        (("--per-day", "0"), b"--per-day"),
        (("--format", "ics", "--format", "csv"), b"stdout holds one document"),
        (("--format", "pdf"), b"--format"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_read(command, arguments, said) -> None:
    ending = command("plan", "--inventory", "nothing.yaml", *arguments)
    assert (ending.returncode, ending.stdout) == (2, b"")
    assert said in ending.stderr


def test_a_longer_look_and_fewer_a_day(command, tmp_path) -> None:
    write(tmp_path, *(row(f"k{number}") for number in range(4)), row("far", "2026-05-31"))
    assert days(planned(command, "--within", "29d", "--per-day", "2")) == {
        "k0": "2026-06-23", "k1": "2026-06-23", "k2": "2026-06-22", "k3": "2026-06-22",
    }  # fmt: skip
    assert days(planned(command, "--ahead", "14d"))["far"] == "2026-08-15"
