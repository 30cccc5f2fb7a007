"""What documents mean: null, absent and [], several files, standard input, and the digest."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path

import polars as pl
import pytest

from conftest import Keyaudit
from keyaudit.errors import InventoryError, UsageError
from keyaudit.inventory import from_rows, merge, read, summary, write
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.times import parse_instant

BASE = {"source": "s", "scope": "x", "id": "1", "name": "n"}
EVERY = frozenset(BASE)


def save(path: Path, *rows: dict[str, object], **header: object) -> Path:
    document = {"schema": "keyaudit/inventory/1", **header, "credentials": rows}
    path.write_text(json.dumps(document), "utf-8")
    return path


def collected(*rows: dict[str, object], tmp_path: Path, **header: object) -> frozenset[str]:
    return read([save(tmp_path / "x.json", *rows, **header)]).collections[0].columns - EVERY


@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ({}, set()),
        ({"owner": None}, {"owner"}),
        ({"versions": None}, set()),
        ({"versions": []}, {"versions", "versions.id", "versions.state"}),
        (
            {"versions": [{"id": "v", "state": "current", "created_at": None}]},
            {"versions", "versions.id", "versions.state", "versions.created_at"},
        ),
        ({"rotation": {"enabled": True}}, {"rotation_enabled"}),
        (
            {"rotation": None},
            {"rotation_enabled", "rotation_schedule", "rotation_next_at", "rotation_by"},
        ),
    ],
)
def test_null_is_collected_and_absent_is_not(
    fields: dict[str, object], columns: set[str], tmp_path: Path
) -> None:
    assert collected({**BASE, **fields}, tmp_path=tmp_path) == columns


def test_one_row_that_carries_a_column_is_enough(tmp_path: Path) -> None:
    rows = (BASE, {**BASE, "id": "2", "rotation": {"enabled": True}}, {**BASE, "id": "3", "rotation": None})
    assert collected(*rows, tmp_path=tmp_path) == {"rotation_enabled"}


def test_versions_null_and_none_differ(tmp_path: Path) -> None:
    path = save(tmp_path / "x.json", {**BASE, "versions": None}, {**BASE, "id": "2", "versions": []})
    assert read([path]).credentials.collect()["versions"].to_list() == [None, []]


def test_a_header_may_say_what_was_collected(tmp_path: Path) -> None:
    said = [{"source": "s", "scope": "x", "columns": ["last_used_at"]}, {"columns": ["owner"]}]
    path = save(tmp_path / "x.json", BASE, {**BASE, "scope": "y", "owner": "o"}, collected=said)
    inventory = read([path])
    first, second = (inventory.collections[at] for at in inventory.credentials.collect()["collection"])
    assert first.columns - EVERY == {"last_used_at"}
    assert second.columns - EVERY == {"owner"}


def test_a_value_outside_what_the_header_says_was_collected_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "x.json", {**BASE, "owner": "o"}, collected=[{"columns": []}])
    with pytest.raises(InventoryError, match="does not know this column"):
        read([path])


def test_values_arrive_as_they_are(tmp_path: Path) -> None:
    fields = {
        "name": " <b>\u202e&amp; \x1b[31m",
        "labels": {"z": "1", "a": ""},
        "created_at": "2026-05-01t02:00:00.123456789+02:00",
        "expires_at": "9999-12-31T23:59:59Z",
        "last_used_at": "1960-01-01T00:00:00Z",
    }
    row = read([save(tmp_path / "x.json", {**BASE, **fields})]).credentials.collect().row(0, named=True)
    assert row["name"] == fields["name"]
    assert row["labels"] == '{"a":"","z":"1"}'
    assert row["created_at"] == parse_instant("2026-05-01T00:00:00.123456Z")
    assert row["expires_at"] == parse_instant("9999-12-31T23:59:59Z")
    assert row["last_used_at"] == parse_instant("1960-01-01T00:00:00Z")


def test_a_byte_order_mark_is_taken_off(tmp_path: Path) -> None:
    for format_ in ("json", "yaml", "ndjson", "csv"):
        content = write(from_rows([Credential(**BASE)], (), None, ()), format_)
        path = tmp_path / f"x.{format_}"
        path.write_bytes(b"\xef\xbb\xbf" + content)
        assert read([path]).credentials.collect()["id"].to_list() == ["1"]


def test_several_files_keep_their_own_columns(tmp_path: Path) -> None:
    one = save(tmp_path / "a.json", {**BASE, "owner": "o"}, collected_at="2026-05-02T00:00:00Z")
    two = save(tmp_path / "b.json", {**BASE, "scope": "y"}, collected_at="2026-05-01T00:00:00Z")
    inventory = read([one, two])
    frame = inventory.credentials.collect()
    assert frame["row"].to_list() == [0, 1]
    assert [inventory.collections[at].columns - EVERY for at in frame["collection"]] == [{"owner"}, set()]
    assert inventory.collected_at == parse_instant("2026-05-01T00:00:00Z")
    digests = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, two))
    assert inventory.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()
    assert inventory.sha256 == read([two, one]).sha256


def test_one_files_digest_is_that_of_its_bytes(tmp_path: Path) -> None:
    inventory = from_rows([Credential(**BASE)], (), None, ())
    for format_ in ("json", "yaml", "ndjson", "csv", "parquet"):
        path = tmp_path / f"x.{format_}"
        path.write_bytes(write(inventory, format_))
        assert read([path]).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_credential_in_two_files_is_an_error_that_names_both(tmp_path: Path) -> None:
    one, two = save(tmp_path / "a.json", BASE), save(tmp_path / "b.json", BASE)
    with pytest.raises(InventoryError) as refused:
        read([one, two])
    assert str(refused.value).startswith(f"{two}:1: credentials[0].id: '1' of 's' 'x' is already at {one}:1")


def test_a_credential_in_two_inventories_is_an_error() -> None:
    one = from_rows([Credential(**BASE)], (), None, ())
    with pytest.raises(InventoryError, match="is in inventory 1 and inventory 2"):
        merge([one, one])


def test_merged_inventories_keep_their_collections() -> None:
    one = from_rows([Credential(**BASE)], (), 5, ["owner"])
    unknowing = Coverage("s", "y", ScopeStatus.COMPLETE, cannot_know=("last_used_at",))
    two = from_rows(
        [Credential(source="s", scope="y", id="1", name="n")], (unknowing,), 3, ["last_used_at", "tier"]
    )
    both = merge([one, two])
    frame = both.credentials.collect()
    assert [both.collections[at].columns - EVERY for at in frame["collection"]] == [{"owner"}, {"tier"}]
    assert frame["row"].to_list() == [0, 1]
    assert both.collected_at == 3
    assert both.coverage == (unknowing,)


def test_what_one_cannot_know_and_another_carries_is_known() -> None:
    unknowing = Coverage("s", "x", ScopeStatus.PARTIAL, cannot_know=("last_used_at", "owner"))
    one = from_rows([Credential(**BASE)], (unknowing,), None, ["last_used_at"])
    two = from_rows([Credential(source="s", scope="x", id="2", name="n")], (), None, ["owner"])
    (scope,) = merge([one, two]).coverage
    assert scope.cannot_know == ("last_used_at",)


def test_two_that_both_claim_a_whole_scope_make_it_partial() -> None:
    def part(identity: str) -> object:
        row = Credential(source="s", scope="x", id=identity, name="n")
        return from_rows([row], (Coverage("s", "x", ScopeStatus.COMPLETE, credentials=1),), None, ())

    (scope,) = merge([part("1"), part("2")]).coverage
    assert (scope.status, scope.credentials) == (ScopeStatus.PARTIAL, 2)
    assert "more than one inventory" in (scope.reason or "")


WHOLE, NOTHING = ScopeStatus.COMPLETE, ScopeStatus.EMPTY


@pytest.mark.parametrize("other", [WHOLE, NOTHING])
def test_a_scope_that_was_full_here_and_empty_there_may_be_two_places(other) -> None:
    full = from_rows([Credential(**BASE)], (Coverage("s", "x", WHOLE, credentials=1),), None, ())
    bare = from_rows([], (Coverage("s", "x", other, credentials=0),), None, ())
    for inventories in ([full, bare], [bare, full]):
        (scope,) = merge(inventories).coverage
        assert (scope.status, scope.credentials) == (ScopeStatus.PARTIAL, 1)
        assert "more than one inventory" in (scope.reason or "")


@pytest.mark.parametrize(
    ("statuses", "status"),
    [((NOTHING, NOTHING), NOTHING), ((WHOLE, NOTHING), NOTHING), ((WHOLE, WHOLE), WHOLE)],
)
def test_a_scope_that_was_empty_twice_stays_so(statuses, status) -> None:
    parts = [from_rows([], (Coverage("s", "x", one, credentials=0),), None, ()) for one in statuses]
    (scope,) = merge(parts).coverage
    assert scope.status is status


@pytest.mark.parametrize("format_", ["json", "yaml", "ndjson", "csv", "parquet"])
def test_standard_input_needs_no_format(format_: str, keyaudit: Keyaudit) -> None:
    row = Credential(**BASE, versions=[Version(id="v", state="current")])
    content = write(from_rows([row], (), None, ["versions"]), format_)
    done = keyaudit("inventory", "validate", "-", stdin=content)
    assert (done.returncode, done.stdout) == (0, b"valid: 1 credentials, 1 versions\n"), done.stderr


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = write(from_rows([Credential(**BASE)], (), None, ()), "ndjson")
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    inventory = read([pipe])
    writer.join()
    assert inventory.credentials.collect().height == 1
    assert inventory.sha256 == hashlib.sha256(content).hexdigest()


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    path = tmp_path / "inventory.txt"
    path.write_bytes(write(from_rows([Credential(**BASE)], (), None, ()), "csv"))
    assert read([path], format="csv").credentials.collect().height == 1
    with pytest.raises(UsageError, match="no format is called 'toml'"):
        read([path], format="toml")


def test_nothing_to_read_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no inventory"):
        read([])


def test_csv_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "source,scope,id,name,tier,labels.team,user_owned,created_at,versions.id,versions.state,versions.stages\n"
        "s,x,1,'=cmd,1,web,TRUE,2026-05-01T00:00:00Z,v2,current,A;B\n"
        "s,x,2,two,,,,,,,\n"
        "s,x,1,'=cmd,1,web,TRUE,2026-05-01T00:00:00Z,v1,superseded,\n",
        "utf-8",
    )
    frame = read([path]).credentials.collect()
    assert frame["id"].to_list() == ["1", "2"]
    first = frame.row(0, named=True)
    assert (first["name"], first["tier"], first["user_owned"]) == ("=cmd", 1, True)
    assert first["labels"] == '{"team":"web"}'
    assert [(version["id"], version["stages"]) for version in first["versions"]] == [
        ("v2", ["A", "B"]),
        ("v1", None),
    ]
    assert frame["versions"].to_list()[1] is None


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "'x",
        "'",
        " =1",
        "\u00a0+1",
        "\u3000-1",
        "\u200b@x",
        "\ufeff =1",
    ],
)
def test_a_spreadsheet_finds_nothing_to_execute(text: str, tmp_path: Path) -> None:
    row = Credential(source="s", scope="x", id="1", name=text, labels={"a": text}, owner=text)
    content = write(from_rows([row], (), None, ["labels", "owner"]), "csv")
    lines = content.decode().split("\n", 2)[2]
    assert text not in lines.replace(f"'{text}", "")
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    assert read([path]).credentials.collect()["name"].to_list() == [text]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_parquet_of_other_tools(unit: str, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    moment = pl.Series([1_777_593_600_000], dtype=pl.Int64).cast(pl.Datetime("ms", "Europe/Berlin"))
    pl.DataFrame(
        {
            **{name: [value] for name, value in BASE.items()},
            "class": pl.Series(["api-key"], dtype=pl.Categorical),
            "tier": pl.Series([1], dtype=pl.Int8),
            "created_at": moment.dt.cast_time_unit(unit),
            "last_used_at": [1_777_593_600_000_000],
            "labels": ['{ "b": "1", "a": "2" }'],
            "versions": [[{"state": "current", "id": "v", "created_at": 5}]],
        }
    ).write_parquet(path)
    inventory = read([path])
    row = inventory.credentials.collect().row(0, named=True)
    assert row["created_at"] == row["last_used_at"] == 1_777_593_600_000_000
    assert (row["class"], row["tier"], row["labels"]) == ("api-key", 1, '{"a":"2","b":"1"}')
    assert row["versions"][0]["created_at"] == 5
    assert inventory.collections[0].columns - EVERY >= {"created_at", "versions", "versions.created_at"}
    assert inventory.parquet == ()


def test_the_summary_counts(tmp_path: Path) -> None:
    rows = [
        Credential(source="a", scope="x", id="1", name="n", environment="production", owner="o"),
        Credential(source="a", scope="x", id="2", name="n", versions=[Version(id="v", state="current")]),
        Credential(source="b", scope="x", id="3", name="n", cls="api-key"),
    ]
    counts = summary(from_rows(rows, (), 1, ["environment", "owner", "versions", "class"]))
    assert (counts.credentials, counts.versions) == (3, 1)
    assert counts.by_source == {"a": 2, "b": 1}
    assert counts.by_class == {None: 2, "api-key": 1}
    assert counts.by_environment == {None: 2, "production": 1}
    assert counts.known["owner"] == 1
    assert "last_used_at" in counts.not_collected
