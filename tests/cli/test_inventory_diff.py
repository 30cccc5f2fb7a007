"""Two inventories are reconciled; what one could not see is never called gone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

SCOPES = {"kv": "complete", "old": "complete"}


@pytest.fixture
def write(tmp_path: Path):
    """Write a document: rows as mappings, scopes of vault by status."""

    def written(file: str, *rows: dict[str, Any], scopes: dict[str, str] | None = SCOPES) -> str:
        document: dict[str, Any] = {"schema": "keyaudit/inventory/1"}
        if scopes is not None:
            document["coverage"] = [
                {"source": "vault", "scope": name, "status": status.partition(":")[0]}
                | ({"reason": status.partition(":")[2]} if ":" in status else {})
                for name, status in scopes.items()
            ]
        document["credentials"] = list(rows)
        (tmp_path / file).write_text(json.dumps(document))
        return file

    return written


def row(name: str, scope: str = "kv", **fields: Any) -> dict[str, Any]:
    return {"source": "vault", "scope": scope, "id": f"{scope}/{name}", "name": name, **fields}


def current(identity: str, *others: str) -> list[dict[str, str]]:
    return [{"id": identity, "state": "current"}, *({"id": other, "state": "superseded"} for other in others)]


def diffed(command, *arguments: str) -> tuple[int, dict[str, Any]]:
    ending = command("inventory", "diff", *arguments, "--format", "json")
    return ending.returncode, json.loads(ending.stdout)


def names(rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(row["name"], row["not_seen"]) for row in rows]


def facts(found: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    return [(row["name"], row["fact"], row["a"], row["b"]) for row in found["different"]]


def test_the_same_inventory_in_another_format_is_equal(write, command, tmp_path) -> None:
    first = write("a.yaml", row("x", owner="o", versions=current("1")), row("y", owner=None, versions=[]))
    assert command("inventory", "diff", first, first).returncode == 2, "the same file twice is a slip"
    from keyaudit import inventory

    for form in ("json", "ndjson", "csv", "parquet"):
        (tmp_path / f"b.{form}").write_bytes(inventory.write(inventory.read([tmp_path / first]), form))
        code, found = diffed(command, first, f"b.{form}")
        assert (code, found["exit_code"]) == (0, 0)
        assert found["only_in_a"] == found["only_in_b"] == found["different"] == []
        assert found["compared"] == ["owner", "current version", "states"]


def test_what_came_what_went_and_what_changed(write, command) -> None:
    every = {
        "environment": "staging",
        "owner": "a",
        "rotation": {"enabled": True, "schedule": "rate(30 days)"},
    }
    changed = {"environment": None, "owner": "b", "rotation": {"enabled": False, "schedule": None}}
    a = write("a.yaml", row("gone"), row("same", **every), row("changed", **every, versions=current("1")))
    b = write(
        "b.yaml", row("came"), row("same", **every), row("changed", **changed, versions=current("2", "1"))
    )
    code, found = diffed(command, a, b)
    assert code == 1
    assert names(found["only_in_a"]) == [("gone", None)]
    assert names(found["only_in_b"]) == [("came", None)]
    assert facts(found) == [
        ("changed", "owner", "a", "b"),
        ("changed", "environment", "staging", None),
        ("changed", "rotation", "on", "off"),
        ("changed", "rotation schedule", "rate(30 days)", None),
        ("changed", "current version", "1", "2"),
        ("changed", "states", "current", "current, superseded"),
    ]
    assert found["scopes"] == [
        {
            "source": "vault", "scope": "kv", "in_a": 3, "in_b": 3, "only_in_a": 1, "only_in_b": 1,
            "not_seen_in_b": 0, "not_seen_in_a": 0, "different": 1,
        },
        {
            "source": "vault", "scope": "old", "in_a": 0, "in_b": 0, "only_in_a": 0, "only_in_b": 0,
            "not_seen_in_b": 0, "not_seen_in_a": 0, "different": 0,
        },
    ]  # fmt: skip


def test_what_one_side_did_not_collect_is_no_difference(write, command) -> None:
    a = write("a.yaml", row("x", owner="o", environment="staging"))
    b = write("b.yaml", row("x", environment="staging"))
    code, found = diffed(command, a, b)
    assert (code, found["compared"]) == (0, ["environment"])


MISSING = [
    ({"kv": "complete"}, None, 1),
    ({"kv": "empty"}, None, 1),
    ({"kv": "partial:2 of 9 paths denied"}, "partial: 2 of 9 paths denied", 3),
    ({"kv": "failed"}, "failed", 3),
    ({"old": "complete"}, "its scope was not asked for", 3),
    ({"*": "failed:no key set"}, "failed: no key set", 3),
    (None, None, 1),
]


@pytest.mark.parametrize(("scopes", "why", "code"), MISSING)
def test_a_credential_that_could_not_be_seen_is_not_gone(write, command, scopes, why, code) -> None:
    both = [] if scopes is None or scopes.get("kv") == "empty" or "kv" not in scopes else [row("both")]
    full = write("full.yaml", row("x"), *both)
    less = write("less.yaml", *both, scopes=scopes)
    for arguments, side in (((full, less), "only_in_a"), ((less, full), "only_in_b")):
        found_code, found = diffed(command, *arguments)
        assert names(found[side]) == [("x", why)]
        assert found_code == code


@pytest.mark.parametrize("by", ["name", "lineage"])
@pytest.mark.parametrize(("scopes", "why", "code"), MISSING)
def test_by_name_or_lineage_too_what_was_never_asked_for_is_not_gone(
    write, command, by, scopes, why, code
) -> None:
    full = write("full.yaml", row("x", lineage="l"))
    less = write("less.yaml", scopes=scopes)
    for arguments, side in (((full, less), "only_in_a"), ((less, full), "only_in_b")):
        found_code, found = diffed(command, *arguments, "--by", by)
        assert names(found[side]) == [("x", why)]
        assert found_code == code


def test_no_difference_is_not_enough_where_a_scope_was_not_seen(write, command) -> None:
    a = write("a.yaml", row("x"))
    b = write("b.yaml", row("x"), scopes={"kv": "complete", "old": "partial:sealed"})
    code, found = diffed(command, a, b)
    assert code == 3
    assert found["b"]["incomplete"] == [
        {"source": "vault", "scope": "old", "status": "partial", "reason": "sealed"}
    ]
    text = command("inventory", "diff", a, b).stdout.decode()
    assert text.startswith("No difference was found, but not everything was compared.\n")
    assert "   vault old was not seen completely, partial: sealed\n" in text
    assert diffed(command, write("c.yaml"), write("d.yaml"))[0] == 3, "nothing at all was compared"


def test_by_name_places_do_not_matter_and_names_that_repeat_are_said(write, command) -> None:
    a = write(
        "a.yaml", row("x", owner="o"), row("y", owner="o"), row("y", "old", owner="p"), row("z", owner="q")
    )
    b = write(
        "b.yaml",
        {**row("x", owner="o"), "source": "cmdb", "scope": "all"},
        {**row("y", owner="p"), "source": "cmdb", "scope": "all", "id": "1"},
        {**row("y", owner="o"), "source": "cmdb", "scope": "all", "id": "2"},
        {**row("z", owner="r"), "source": "cmdb", "scope": "all"},
        {**row("v"), "source": "cmdb", "scope": "all"},
        scopes=None,
    )
    code, found = diffed(command, a, b, "--by", "name")
    assert code == 1
    assert names(found["only_in_b"]) == [("v", None)]
    assert found["only_in_a"] == []
    assert facts(found) == [("z", "owner", "q", "r")], "the owners of both y are the same two"
    assert (found["a"]["repeated"], found["b"]["repeated"]) == (1, 1)
    assert (
        "4 credentials; 1 name more than once"
        in command("inventory", "diff", a, b, "--by", "name").stdout.decode()
    )


def test_by_lineage_rules_and_recorded_keys_count_and_the_rest_is_said(write, command, tmp_path) -> None:
    (tmp_path / "keyaudit.yaml").write_text("lineage: [{match: {name: ruled}, lineage: l}]\n")
    a = write("a.yaml", row("ruled"), row("none"))
    b = write("b.yaml", {**row("x"), "lineage": "l"})
    code, found = diffed(command, a, b, "--by", "lineage")
    assert (code, found["a"]["nothing_to_compare_by"]) == (3, 1)
    assert (
        "2 credentials; 1 without a lineage, so not compared"
        in command("inventory", "diff", a, b, "--by", "lineage").stdout.decode()
    )
    (tmp_path / "keyaudit.yaml").unlink()
    code, found = diffed(command, a, b, "--by", "lineage")
    assert (code, [one["lineage"] for one in found["only_in_b"]]) == (1, ["l"])


def test_a_list_of_names_is_compared_with_what_is_there(write, command, tmp_path) -> None:
    a = write("a.yaml", row("x"), row("y"))
    (tmp_path / "state.txt").write_text("\ufeffx\n\n  z  \nx\n")
    code, found = diffed(command, a, "state.txt", "--by", "name")
    assert code == 1
    assert (names(found["only_in_a"]), names(found["only_in_b"])) == ([("y", None)], [("z", None)])
    assert (found["b"]["credentials"], found["b"]["repeated"], found["compared"]) == (3, 1, [])
    _, found = diffed(command, "state.txt", a, "--by", "name")
    assert names(found["only_in_a"]) == [("z", None)]
    (tmp_path / "ids.txt").write_text("kv/x\nkv/y\n")
    assert diffed(command, a, "ids.txt")[0] == 0


def test_what_a_list_names_may_be_where_nobody_could_look(write, command, tmp_path) -> None:
    a = write("a.yaml", row("x"), scopes={"kv": "complete", "old": "failed:sealed"})
    (tmp_path / "state.txt").write_text("x\nz\n")
    code, found = diffed(command, a, "state.txt", "--by", "name")
    assert (code, names(found["only_in_b"])) == (3, [("z", "failed: sealed")])


def test_a_column_of_any_csv_file_is_a_list(write, command, tmp_path) -> None:
    a = write("a.yaml", row("x"), row("y, z"))
    (tmp_path / "cmdb.csv").write_text('Number, CI Name ,Owner\n1,x,o\n2,"y, z",o\n3,,o\n4\n')
    assert diffed(command, a, "cmdb.csv", "--by", "name", "--column", "CI Name")[0] == 0
    (tmp_path / "twice.csv").write_text("Name,Name\n1,2\n")
    for file, column, said in (
        ("cmdb.csv", "CI name", "cmdb.csv:1: no column is called 'CI name'; did you mean 'CI Name'?"),
        ("cmdb.csv", "x", "no column is called 'x': there are Number, CI Name, Owner"),
        ("twice.csv", "Name", "more than one column is called 'Name'"),
        ("nowhere.csv", "Name", "nowhere.csv: no such file"),
    ):
        ending = command("inventory", "diff", a, file, "--column", column)
        assert ending.returncode == 2
        assert said in ending.stderr.decode()


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff", "not UTF-8"), (b"", "the file is empty"), (b"PK\x03\x04", "ZIP")]
)
def test_a_list_that_is_no_text_is_refused(write, command, tmp_path, content, said) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    ending = command("inventory", "diff", write("a.yaml", row("x")), "list.txt")
    assert ending.returncode == 2
    assert said in ending.stderr.decode()


def test_csv_has_a_row_for_each_difference_and_runs_in_no_spreadsheet(write, command) -> None:
    a = write(
        "a.yaml", row("=cmd()", owner="a"), row("x", owner="@a", versions=[]), scopes={"kv": "complete"}
    )
    b = write("b.yaml", row("x", owner=None, versions=None), scopes={"kv": "partial:cut, off"})
    ending = command("inventory", "diff", a, b, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ending.stdout.decode(), newline="")))
    assert ending.returncode == 1
    assert [(one["change"], one["name"], one["fact"], one["a"], one["b"], one["note"]) for one in rows] == [
        ("not-seen-in-b", "'=cmd()", "", "", "", "partial: cut, off"),
        ("different", "x", "owner", "'@a", "", ""),
    ]


def test_the_text_is_cut_where_it_is_long_and_says_so(write, command) -> None:
    a = write("a.yaml", *(row(f"n{n:03}\x1b[1m") for n in range(60)))
    shown = command("inventory", "diff", a, write("b.yaml", row("only"))).stdout.decode()
    assert "in A, not in B: 60" in shown
    assert "  … and 10 more (see --format csv)" in shown
    assert "n049" in shown
    assert "n050" not in shown
    assert "\x1b" not in shown
    assert "place     in a  in b  only in a" in shown


def test_what_cannot_be_compared_by_is_refused(write, command) -> None:
    ending = command("inventory", "diff", write("a.yaml"), write("b.yaml"), "--by", "owner")
    assert ending.returncode == 2
