"""The history document: its bytes, who may have written it, and which files it is made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from history.days import condensed, day, version, write
from keyaudit import history, inventory
from keyaudit.errors import InventoryError
from keyaudit.history import document


@pytest.fixture
def days(tmp_path: Path) -> Path:
    folder = tmp_path / "days"
    folder.mkdir()
    write(folder, "a.json", 1, {"k": [version("1", made=-40)], "l": []})
    write(folder, "b.json", 5, {"k": [version("2", made=3, authenticates=True)]})
    return folder


def test_a_history_reads_as_it_was_written_down_here(days: Path) -> None:
    header, k, other, end = history.write(history.read([days])).split(b"\n")
    a, b = (hashlib.sha256((days / name).read_bytes()).hexdigest() for name in ("a.json", "b.json"))
    assert json.loads(header) == {
        "schema": "keyaudit/history/1",
        "files": [
            {"file": "a.json", "kind": "inventory", "sha256": a, "at": "2026-01-01T00:00:00Z", "items": 2},
            {"file": "b.json", "kind": "inventory", "sha256": b, "at": "2026-01-05T00:00:00Z", "items": 1},
        ],
        "scopes": [
            {"source": "vault", "scope": "kv", "complete": ["2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]}
        ],
    }
    assert k == (
        b'{"source":"vault","scope":"kv","id":"k","name":"k","class":"api-key","listed_at":"2026-01-05T00:00:00Z",'
        b'"versions":[{"id":"1","state":"current","created_at":"2025-11-21T00:00:00Z",'
        b'"in_use_at":"2026-01-01T00:00:00Z","listed_at":"2026-01-01T00:00:00Z"},'
        b'{"id":"2","state":"current","created_at":"2026-01-03T00:00:00Z","authenticates":true,'
        b'"in_use_at":"2026-01-05T00:00:00Z","usable_at":"2026-01-05T00:00:00Z","listed_at":"2026-01-05T00:00:00Z"}]}'
    )
    assert json.loads(other)["listed_at"] == "2026-01-01T00:00:00Z"
    assert end == b""


def test_a_history_is_the_same_wherever_its_files_lie_and_from_its_document(
    days: Path, tmp_path: Path
) -> None:
    content = history.write(history.read([days]))
    moved = days.rename(tmp_path / "moved")
    assert history.write(history.read([moved / "b.json", moved / "a.json"])) == content
    again = history.read([condensed(history.read([moved]), tmp_path / "h.ndjson")])
    assert history.write(again) == content
    assert again.files == history.read([moved]).files
    today = inventory.read([moved / "b.json"])
    folder, one = (history.recall(today, each) for each in (history.read([moved]), again))
    assert folder.history == one.history
    assert folder.credentials.collect().equals(one.credentials.collect())
    assert one.history is not None
    assert one.history.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("form", ["json", "yaml", "ndjson", "csv", "parquet"])
def test_every_format_of_an_inventory_is_history(days: Path, tmp_path: Path, form: str) -> None:
    folder = tmp_path / form
    folder.mkdir()
    for name in ("a", "b"):
        content = inventory.write(inventory.read([days / f"{name}.json"]), form)
        (folder / f"{name}.{form}").write_bytes(content)
    (folder / "README.md").write_text("no inventory")
    (folder / "deeper").mkdir()
    write(folder / "deeper", "c.json", 1, {"no": []})
    (folder / ".hidden.json").write_text("nothing")
    ours, json_ = history.read([folder]), history.read([days])
    assert [file.problem for file in ours.files] == [None, None]
    assert ours.versions.equals(json_.versions)
    assert ours.credentials.equals(json_.credentials)
    assert ours.looks.equals(json_.looks)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text.replace('"state":"current"', '"state":"curent"', 1), "2:135: versions[0].state: 'curent' is not one of"),
        (lambda text: text.replace('"id":"l"', '"id":7,"idd":1'), "id: expected text, got the number 7"),
        (lambda text: text.replace('"id":"l"', '"id":7,"idd":1'), "unknown field 'idd'; did you mean 'id'?"),
        (lambda text: text.replace('"id":"k"', '"id":"k","id":"k"', 1), "2:"),
        (lambda text: text.replace("history/1", "history/2"), "schema: expected keyaudit/history/1"),
        (lambda text: text.replace('"2026-01-05T00:00:00Z"', '"2026-01-05"'), "a date is not an instant"),
        (lambda text: text.replace('"2026-01-05T00:00:00Z"', '"2026-01-05T01:00:00+01:00"'), "is not as keyaudit writes it"),
        (lambda text: "\n".join(text.split("\n")[i] for i in (0, 2, 1, 3)), "is not as keyaudit writes it"),
        (lambda text: "\n".join(text.split("\n")[i] for i in (0, 1, 1, 2, 3)), "is not as keyaudit writes it"),
        (lambda text: text.removesuffix("\n"), "3: is not as keyaudit writes it"),
        (lambda text: text.replace(',"versions"', ', "versions"', 1), "2: is not as keyaudit writes it"),
        (lambda text: text[:300], "1:"),
        (lambda text: text.replace('"sha256":"', '"sha256":"g', 1), "files[0].sha256: expected a SHA-256"),
        (lambda text: text.replace('"listed_at":"2026-01-01T00:00:00Z"}\n', '"x":1}\n'), "listed_at: missing"),
    ],
    ids=map(str, range(14)),
)  # fmt: skip
def test_a_document_that_was_changed_is_refused_with_the_place(
    days: Path, tmp_path: Path, change: Callable[[str], str], problem: str
) -> None:
    content = history.write(history.read([days])).decode()
    assert change(content) != content
    with pytest.raises(InventoryError) as refused:
        document.read(change(content).encode(), "h.ndjson")
    assert problem in str(refused.value)
    path = tmp_path / "h.ndjson"
    path.write_text(change(content), "utf-8")
    [file] = history.read([path]).files
    assert (file.kind, file.at, file.items) in {("history", None, 0), ("inventory", None, 0)}
    assert file.problem


@given(at=st.integers(0), byte=st.integers(0, 255))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_byte_can_be_changed_without_being_read_as_such_or_refused(days: Path, at: int, byte: int) -> None:
    content = bytearray(history.write(history.read([days / "a.json"])))
    content[at % len(content)] = byte
    try:
        read = document.read(bytes(content), "h")
    except InventoryError as error:
        assert error.problems
    else:
        assert history.write(read) == bytes(content)


def refusals(*paths: Path) -> dict[str, str]:
    return {file.file: file.problem for file in history.read(paths).files if file.problem}


def test_an_inventory_that_does_not_say_when_is_no_evidence_and_the_others_are(days: Path) -> None:
    write(days, "c.json", None, {"k": []})
    (days / "d.json").write_text("{")
    write(days, "e.json", 7, {"k": [version("x", "nonsense")]})
    problems = refusals(days)
    assert problems.keys() == {"c.json", "d.json", "e.json"}
    assert problems["c.json"] == "does not say when it was collected: collected_at is missing"
    assert problems["d.json"].startswith("line 1: not JSON")
    assert "credentials[0].versions[0].state" in problems["e.json"]
    read = history.read([days])
    assert len(read.problems) == 3
    assert read.versions["version"].to_list() == ["1", "2"]
    assert [file.problem for file in read.files if file.file == "a.json"] == [None]


def test_two_inventories_of_one_instant_and_scope_are_both_refused_and_of_two_scopes_merged(
    days: Path,
) -> None:
    write(days, "c.json", 5, {"k": []}, scope="other")
    assert not refusals(days)
    write(days, "d.json", 5, {"k": [version("3")]})
    problems = refusals(days)
    assert problems == {
        "b.json": "d.json looked at the same scope in the same instant",
        "d.json": "b.json looked at the same scope in the same instant",
    }
    assert history.read([days]).versions["version"].to_list() == ["1"]


def test_a_file_counts_once_however_often_it_is_there(days: Path, tmp_path: Path) -> None:
    content = history.write(history.read([days]))
    (days / "z.json").write_bytes((days / "a.json").read_bytes())
    (days / "link.json").symlink_to(days / "b.json")
    assert history.write(history.read([days, days / "a.json"])) == content
    old = condensed(history.read([days]), tmp_path / "h.ndjson")
    assert history.write(history.read([days, old])) == content


def test_what_lies_inside_a_condensed_history_is_refused(days: Path, tmp_path: Path) -> None:
    old = condensed(history.read([days]), tmp_path / "h.ndjson")
    between = write(tmp_path, "c.json", 3, {"k": []})
    assert refusals(old, between) == {
        "c.json": "lies inside the time that h.ndjson covers: condense all inventories anew"
    }
    elsewhere = write(tmp_path, "d.json", 3, {"k": []}, scope="other")
    assert not refusals(old, elsewhere)


def test_paths_that_are_no_files_are_problems_and_nothing_is_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.json")
    assert refusals(tmp_path / "pipe.json", tmp_path / "none.json") == {
        "none.json": "no such file",
        "pipe.json": "is no file",
    }


def test_a_refused_file_stays_refused_in_the_condensed_history(days: Path, tmp_path: Path) -> None:
    write(days, "c.json", None, {"k": []})
    chronicle = history.read([days])
    again = history.read([condensed(chronicle, tmp_path / "h.ndjson")])
    assert again.files == chronicle.files
    assert [file.file for file in again.files if file.problem] == ["c.json"]


def test_nothing_is_a_history_too(tmp_path: Path) -> None:
    nothing = history.read([])
    path = condensed(nothing, tmp_path / "h.ndjson")
    assert path.read_bytes() == b'{"schema":"keyaudit/history/1","files":[],"scopes":[]}\n'
    assert history.write(history.read([path])) == path.read_bytes()
    today = write(tmp_path, "t.json", 1, {"k": [version("1", made=-3)]})
    found = history.recall(inventory.read([today]), history.read([path]))
    assert found.credentials.collect()["past"].list.len().to_list() == [1]
    assert found.collected_at == day(1)
