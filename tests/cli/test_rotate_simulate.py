"""keyaudit rotate simulate, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from keyaudit.cli.program import run
from keyaudit.cli.rotate.simulate import command

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "04-hand-written"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments], standalone_mode=False, catch_exceptions=False)


def test_a_fleet_is_played_and_the_same_seed_prints_the_same() -> None:
    first, again = (simulate("--credentials", "6", "--days", "60").stdout for _ in range(2))
    assert first == again
    assert "60 days of rotations, faults: some, seed 1" in first
    assert "the shipped policy" in first
    assert max(map(len, first.splitlines())) <= 80


def test_two_policies_go_side_by_side_on_eighty_columns(tmp_path: Path) -> None:
    shipped = (ROOT / "policies" / "default.yaml").read_text("utf-8")
    slow, quick = tmp_path / "policy.yaml", tmp_path / "draft.yaml"
    slow.write_text(shipped, "utf-8")
    quick.write_text(shipped.replace("rotation_period: 90d", "rotation_period: 30d"), "utf-8")
    asked = (
        "--credentials",
        "6",
        "--days",
        "90",
        "--faults",
        "none",
        "--policy",
        "policy.yaml",
        "--policy",
        "draft.yaml",
    )
    shown = simulate(*asked).stdout
    assert "policy.yaml" in shown.splitlines()[2]
    assert "draft.yaml" in shown.splitlines()[2]
    assert max(map(len, shown.splitlines())) <= 80
    document = json.loads(simulate(*asked, "--format", "json").stdout)
    assert document["schema"] == "keyaudit/rotation-simulation/1"
    one, other = (policy["total"] for policy in document["policies"])
    assert one["rotations"] < other["rotations"]
    assert (
        one["downtime"]
        == other["downtime"]
        == {"application_seconds": 0.0, "by_cause": {}, "availability": 1.0}
    )
    assert (
        sum(part["rotations"] for part in document["policies"][0]["environments"].values())
        == one["rotations"]
    )


def test_an_inventory_is_played_as_old_as_it_is_and_says_who_is_left_out() -> None:
    asked = ("--inventory", str(EXAMPLE / "inventory.yaml"), "--policy", str(EXAMPLE / "policy.yaml"))
    asked += ("--as-of", "2026-05-01T00:00:00Z", "--days", "30", "--faults", "none", "--format", "json")
    document = json.loads(simulate(*asked).stdout)
    (policy,) = document["policies"]
    assert policy["total"]["credentials"] > 0
    assert policy["total"]["downtime"]["availability"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policy", "a", "--policy", "b", "--policy", "c"), "two can be compared"),
        (("--window", "soon"), "not a duration"),
        (("--lead", "1s"), "at least a minute"),
        (("--days", "0"), "0 is not in the range"),
        (("--faults", "all"), "'none', 'some', 'many'"),
        (("--policy", "missing.yaml"), "missing.yaml"),
    ],
)
def test_what_cannot_be_played_is_refused(arguments: tuple, said: str, capsys) -> None:
    assert run(["rotate", "simulate", *arguments]) == 2
    assert said in capsys.readouterr().err
