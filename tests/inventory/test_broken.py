"""A corpus of broken documents: each is refused with the sentence, and the place, that mends it."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyaudit.errors import InventoryError, KeyauditError, UsageError
from keyaudit.inventory import read, write
from keyaudit.inventory.problems import Problems

HEAD = '{"schema":"keyaudit/inventory/1"'
ROW = '"source":"s","scope":"x","id":"1","name":"n"'


def document(fields: str) -> str:
    """A JSON document with one credential on its second line."""
    return f'{HEAD},"credentials":[\n{{{ROW},{fields}}}]}}'


def header(fields: str, rows: str = "") -> str:
    return f'{HEAD},\n{fields},"credentials":[{rows}]}}'


DEEP = "[" * 3000 + "]" * 3000
JSON = {
    "empty": (b"", "x.json: the file is empty"),
    "blank": (b" \n\n", "x.json: the file is empty"),
    "gzip": (gzip.compress(b"{}"), "x.json: compressed with gzip: unpack it first"),
    "zip": (b"PK\x03\x04\x14\0", "x.json: a ZIP archive (or a spreadsheet): export it as CSV"),
    "utf-16": ('{"a":1}'.encode("utf-16"), "x.json: UTF-16 text: save it as UTF-8"),
    "binary": (b"\x7fELF\x02\0\0\0", "x.json: binary data, not text"),
    "list": (b"[1]", "x.json:1: expected a mapping with schema, coverage and credentials, got a list"),
    "scalar": (b'"x"', "x.json:1: expected a mapping with schema, coverage and credentials, got a text"),
    "truncated": (b'{"schema":\n"key', "x.json:2:5: not JSON: input data was truncated"),
    "malformed": (b'{"schema":\n  nope}', "x.json:2:4: not JSON: invalid character"),
    "not utf-8": (document('"owner":"\udcff"').encode("utf-8", "surrogateescape"), "x.json:2: credentials[0]: not UTF-8: byte 0xff"),
    "deep": (document(f'"owner":{DEEP}').encode(), "nested too deeply"),
    "deeper": (b'{"credentials":' + b"[" * 200_000, "x.json: nested too deeply"),
    "no schema": (b'{"credentials":[]}', "x.json:1:1: schema: missing: begin with schema: keyaudit/inventory/1"),
    "other schema": (b'{"schema":"keyaudit/inventory/2","credentials":[]}', "x.json:1:11: schema: expected keyaudit/inventory/1, got the text 'keyaudit/inventory/2'"),
    "no credentials": (HEAD + "}", "x.json:1:1: credentials: missing"),
    "credentials null": (HEAD + ',\n"credentials":null}', "x.json:2: credentials: expected a list of credentials"),
    "credentials twice": (f'{HEAD},"credentials":[],\n"credentials":[]}}', "x.json:2:1: credentials: given twice"),
    "schema twice": (f'{HEAD},\n"schema":"x","credentials":[]}}', "x.json:2:1: schema: given twice"),
    "unknown at top": (header('"colected_at":null'), "x.json:2:15: unknown field 'colected_at'; did you mean 'collected_at'?"),
    "naive collected_at": (header('"collected_at":"2026-05-01T00:00:00"'), "x.json:2:16: collected_at: time has no offset: write 2026-05-01T00:00:00Z or +02:00"),
    "naive time": (document('"created_at":"2026-05-01T00:00:00"'), "x.json:2:60: credentials[0].created_at: time has no offset: write 2026-05-01T00:00:00Z or +02:00"),
    "bare date": (document('"created_at":"2026-05-01"'), "credentials[0].created_at: a date is not an instant: write 2026-05-01T00:00:00Z"),
    "no such day": (document('"created_at":"2026-02-30T00:00:00Z"'), "credentials[0].created_at: no such time: day is out of range for month"),
    "epoch": (document('"created_at":1777593600'), "credentials[0].created_at: expected a time such as 2026-05-01T00:00:00Z, got the number 1777593600"),
    "go's zero": (document('"expires_at":"0001-01-01T00:00:00Z"'), 'credentials[0].expires_at: the year 1 is how some programs print "never": write null'),
    "year 10000": (document('"expires_at":"9999-12-31T23:59:59-05:00"'), "credentials[0].expires_at: later than the year 9999 in UTC"),
    "unknown field": (document('"ownr":"x"'), "x.json:2:54: credentials[0]: unknown field 'ownr'; did you mean 'owner'?"),
    "unknown in rotation": (document('"rotation":{"enable":true}'), "credentials[0].rotation: unknown field 'enable'; did you mean 'enabled'?"),
    "unknown in version": (document('"versions":[{"id":"v","state":"current","stage":[]}]'), "credentials[0].versions[0]: unknown field 'stage'; did you mean 'stages'?"),
    "secret value": (document('"value":"hunter2"'), "credentials[0]: unknown field 'value'"),
    "duplicate key": (document('\n"owner":"a","owner":"b"'), "x.json:3:13: credentials[0].owner: given twice"),
    "column in an indented row": (f'{HEAD},"credentials":[\n  {{}},  {{{ROW},"tier":-1}}]}}', "x.json:2:61: credentials[1].tier: expected an integer"),
    "duplicate key, spaced": (document('"owner" : "a", "owner" :"b"'), "credentials[0].owner: given twice"),
    "duplicate key, spaced once": (document('"owner":"a","owner" :"b"'), "credentials[0].owner: given twice"),
    "a row that stands in the one before": (header('"coverage":[]', "11,\n1"), "x.json:3:1: credentials[1]: expected a mapping, got the number 1"),
    "duplicate key, escaped": (document('"owner":"a","\\u006fwner":"b"'), "credentials[0].owner: given twice"),
    "duplicate key, hidden by text": (document('"owner":"a","owner":"b","lineage":"\\":"'), "credentials[0].owner: given twice"),
    "duplicate label": (document('"labels":{"a":"1","a":"2"}'), "credentials[0].labels.a: given twice"),
    "duplicate in version": (document('"versions":[{"id":"v","id":"w","state":"current"}]'), "credentials[0].versions[0].id: given twice"),
    "boolean as integer": (document('"tier":true'), "credentials[0].tier: expected an integer, got true"),
    "text as integer": (document('"tier":"1"'), "credentials[0].tier: expected an integer, got the text '1'"),
    "float as integer": (document('"tier":1.5'), "credentials[0].tier: expected an integer, got the number 1.5"),
    "negative": (document('"consumers":-1'), "credentials[0].consumers: expected an integer that is not negative"),
    "huge": (document(f'"tier":{10**40}'), "credentials[0].tier: "),
    "integer as boolean": (document('"user_owned":1'), "credentials[0].user_owned: expected true or false, got the number 1"),
    "number as text": (document('"owner":7'), "credentials[0].owner: expected text, got the number 7"),
    "empty text": (document('"owner":""'), "credentials[0].owner: empty text: write null if it is not known"),
    "nul": (document('"owner":"a\\u0000"'), "credentials[0].owner: text holds a NUL character"),
    "nul in label": (document('"labels":{"a":"\\u0000"}'), "credentials[0].labels.a: text holds a NUL character"),
    "nul in stage": (document('"versions":[{"id":"v","state":"current","stages":["\\u0000"]}]'), "credentials[0].versions[0].stages[0]: text holds a NUL character"),
    "lone surrogate": (document('"owner":"\\ud800 and more"'), "x.json:2:62: not JSON: a \\u escape that is broken, or half of a surrogate pair"),
    "endless text": (document(f'"owner":"{"x" * 70_000}"'), "credentials[0].owner: text is longer than 65,536 bytes"),
    "class": (document('"class":"apikey"'), "credentials[0].class: 'apikey' is not one of api-key, service-password"),
    "reach": (document('"reach":"world"'), "credentials[0].reach: 'world' is not one of organization, project"),
    "state": (document('"versions":[{"id":"v","state":"curent"}]'), "credentials[0].versions[0].state: 'curent' is not one of pending, current, superseded, disabled, destroyed; did you mean 'current'?"),
    "version id twice": (document('"versions":[{"id":"v","state":"current"},\n{"id":"v","state":"pending"}]'), "x.json:3:7: credentials[0].versions[1].id: another version has the id 'v'"),
    "used and never used": (document('"last_used_at":"2026-05-01T00:00:00Z","never_used":true'), "x.json:2:98: credentials[0].never_used: true, although last_used_at is given: one of the two is wrong"),
    "version without id": (document('"versions":[{"state":"current"}]'), "credentials[0].versions[0].id: missing"),
    "version null": (document('"versions":[null]'), "credentials[0].versions[0]: expected a mapping, got null"),
    "labels list": (document('"labels":["a"]'), "credentials[0].labels: expected a mapping of text to text, got a list"),
    "label number": (document('"labels":{"a":1}'), "credentials[0].labels.a: expected text, got the number 1"),
    "stages text": (document('"versions":[{"id":"v","state":"current","stages":"A"}]'), "credentials[0].versions[0].stages: expected a list of texts, got the text 'A'"),
    "rotation text": (document('"rotation":"on"'), "credentials[0].rotation: expected a mapping, got the text 'on'"),
    "missing id": (header('"coverage":[]', '{"source":"s","scope":"x","name":"n"}'), "credentials[0].id: missing"),
    "null name": (header('"coverage":[]', '{"source":"s","scope":"x","id":"1","name":null}'), "credentials[0].name: must not be null"),
    "row is text": (header('"coverage":[]', '"x"'), "credentials[0]: expected a mapping, got the text 'x'"),
    "same credential twice": (header('"coverage":[]', f"{{{ROW}}},\n{{{ROW}}}"), "x.json:3: credentials[1].id: '1' of 's' 'x' is already at x.json:2"),
    "coverage status": (header('"coverage":[{"source":"s","scope":"x","status":"done"}]'), "x.json:2:48: coverage[0].status: 'done' is not one of complete, partial, failed, empty"),
    "coverage column": (header('"coverage":[{"source":"s","scope":"x","status":"complete","cannot_know":["last_used"]}]'), "coverage[0].cannot_know[0]: no column 'last_used'; did you mean 'last_used_at'?"),
    "coverage of id": (header('"coverage":[{"source":"s","scope":"x","status":"complete","cannot_know":["id"]}]'), "coverage[0].cannot_know[0]: every credential has this column"),
    "coverage twice": (header('"coverage":[{"source":"s","scope":"x","status":"complete"},{"source":"s","scope":"x","status":"failed"}]'), "coverage[1]: another row is about the same scope"),
    "coverage counts": (header('"coverage":[{"source":"s","scope":"x","status":"complete","credentials":2}]', f"{{{ROW}}}"), "x.json:2: coverage[0]: says that 's' 'x' is complete with 2 credentials, but 1 are here"),
    "coverage empty": (header('"coverage":[{"source":"s","scope":"x","status":"empty"}]', f"{{{ROW}}}"), "coverage[0]: says that 's' 'x' is empty, but 1 of its credentials are here"),
    "coverage denies": (header('"coverage":[{"source":"s","scope":"x","status":"complete","cannot_know":["owner"]}]', f'{{{ROW},"owner":"o"}}'), "credentials[0].owner: a value is here, but the header says that 's' 'x' does not know this column"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), JSON.values(), ids=JSON)
def test_broken_json(
    content: str | bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InventoryError) as refused:
        read(["x.json"])
    assert message in str(refused.value)


LINES = {
    "empty": ("", "x.ndjson: the file is empty"),
    "header malformed": ("{", "x.ndjson:1:2: expected a key in double quotes"),
    "no header": (f"{{{ROW}}}\n", "x.ndjson:1:1: schema: missing: begin with schema: keyaudit/inventory/1"),
    "malformed line": (f"{HEAD}}}\n{{{ROW}\n{{}}\n", "x.ndjson:2:46: credentials[0]: expected a comma or }"),
    "two on a line": (f"{HEAD}}}\n\n{{{ROW}}} {{{ROW}}}\n", "x.ndjson:3:"),
    "bad time": (
        f'{HEAD}}}\n{{{ROW}}}\n\n{{{ROW},"created_at":"x"}}\n',
        "x.ndjson:4:60: credentials[1].created_at: not an RFC 3339 time such as 2026-05-01T00:00:00Z",
    ),
    "endless line": (f'{HEAD}}}\n{{"x":"{"y" * (17 << 20)}"}}\n', "x.ndjson:2: a line longer than 16 MiB is no credential"),
    "duplicate key": (f'{HEAD}}}\n{{{ROW},"id":"2"}}\n', "x.ndjson:2:47: credentials[0].id: given twice"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), LINES.values(), ids=LINES)
def test_broken_ndjson(content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.ndjson").write_text(content, "utf-8")
    with pytest.raises(InventoryError) as refused:
        read(["x.ndjson"])
    assert message in str(refused.value)


YAML_ROW = "credentials:\n- {source: s, scope: x, id: '1', name: n"
YAML = {
    "empty": ("# nothing\n", "x.yaml"),
    "list": ("- a\n", "x.yaml:1:1: expected a mapping with schema, coverage and credentials, got a list"),
    "duplicate": (f"schema: keyaudit/inventory/1\n{YAML_ROW}, id: '2'}}\n", "x.yaml:3:"),
    "alias": ("schema: &a keyaudit/inventory/1\ncredentials: []\n", "x.yaml:1:9: anchors"),
    "naive": (
        f"schema: keyaudit/inventory/1\n{YAML_ROW}, created_at: 2026-05-01T00:00:00}}\n",
        "x.yaml:3:55: credentials[0].created_at: time has no offset",
    ),
    "date": (
        f"schema: keyaudit/inventory/1\n{YAML_ROW}, created_at: 2026-05-01}}\n",
        "credentials[0].created_at: a date is not an instant",
    ),
    "yes": (
        f"schema: keyaudit/inventory/1\n{YAML_ROW}, user_owned: yes}}\n",
        "credentials[0].user_owned: expected true or false, got the text 'yes'",
    ),
    "number as id": (
        "schema: keyaudit/inventory/1\ncredentials:\n- {source: s, scope: 111122223333, id: a, name: n}\n",
        "x.yaml:3:22: credentials[0].scope: expected text, got the number 111122223333",
    ),
    "no credentials": ("schema: keyaudit/inventory/1\n", "x.yaml:1:1: credentials: missing"),
    "credentials null": ("schema: keyaudit/inventory/1\ncredentials:\n", "credentials: expected a list of credentials, got null"),
    "binary": ("\x00\x01", "x.yaml: binary data, not text"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), YAML.values(), ids=YAML)
def test_broken_yaml(content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.yaml").write_text(content, "utf-8")
    with pytest.raises(InventoryError) as refused:
        read(["x.yaml"])
    assert message in str(refused.value)


TOP = "source,scope,id,name"
CSV = {
    "empty": ("", "x.csv: the file is empty"),
    "unknown column": (f"{TOP},ownr\n", "x.csv:1: unknown column 'ownr'; did you mean 'owner'?"),
    "flat name": (f"{TOP},rotation_enabled\n", "x.csv:1: unknown column 'rotation_enabled'; did you mean 'rotation.enabled'?"),
    "column twice": (f"{TOP},name\n", "x.csv:1: name: column given twice"),
    "column missing": ("source,scope,name\n", "x.csv:1: id: column missing"),
    "version id missing": (f"{TOP},versions.state\n", "x.csv:1: versions.id: column missing"),
    "no name": (f"{TOP},\n", "x.csv:1: column 5 has no name"),
    "cells": (f"{TOP}\ns,x,1\n", "x.csv:2: 3 cells where there are 4 columns"),
    "quote": (f'{TOP}\ns,x,1,"n\n', "x.csv:2: not CSV: unexpected end of data"),
    "null id": (f"{TOP}\ns,x,,n\n", "x.csv:2: id: must not be null"),
    "tier": (f"{TOP},tier\ns,x,1,n,high\n", "x.csv:2: tier: expected an integer, got the text 'high'"),
    "boolean": (f"{TOP},user_owned\ns,x,1,n,yes\n", "x.csv:2: user_owned: expected true or false, got the text 'yes'"),
    "time": (f"{TOP},rotation.next_at\ns,x,1,n,2026-05-01\n", "x.csv:2: rotation.next_at: a date is not an instant"),
    "class": (f"{TOP},class\ns,x,1,n,key\n", "x.csv:2: class: 'key' is not one of api-key"),
    "line after a cell of lines": (f'{TOP},tier\ns,x,"1\n1",n,1\ns,x,2,n,-1\n', "x.csv:4: tier: expected an integer, got the text '-1'"),
    "used and never used": (f"{TOP},last_used_at,never_used\ns,x,1,n,2026-05-01T00:00:00Z,true\n", "x.csv:2: never_used: true, although last_used_at is given"),
    "same twice": (f"{TOP}\ns,x,1,n\ns,x,1,n\n", "x.csv:3: id: '1' is already on line 2, and this row brings no version"),
    "contradiction": (
        f"{TOP},owner,versions.id,versions.state\ns,x,1,n,a,v1,current\ns,x,1,n,b,v2,superseded\n",
        "x.csv:3: owner: contradicts line 2 of the same credential",
    ),
    "version twice": (
        f"{TOP},versions.id,versions.state\ns,x,1,n,v1,current\ns,x,1,n,v1,superseded\n",
        "x.csv:3: versions.id: another version has the id 'v1'",
    ),
    "version without id": (f"{TOP},versions.id,versions.state\ns,x,1,n,,current\n", "x.csv:2: versions.id: must not be null"),
    "labels": (f"{TOP},labels\ns,x,1,n,team\n", "x.csv:2: labels: expected a mapping of text to text, got the text 'team'"),
    "label twice": (f'{TOP},labels,labels.a\ns,x,1,n,"{{""a"":""1""}}",2\n', "x.csv:2: labels.a: given twice"),
    "versions mark": (f"{TOP},versions\ns,x,1,n,none\n", "x.csv:2: versions: expected a list of versions"),
    "comment": (f'"# {{""schema"":1}}"\n{TOP}\n', "x.csv:1:"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), CSV.values(), ids=CSV)
def test_broken_csv(content: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_bytes(content.encode())
    with pytest.raises(InventoryError) as refused:
        read(["x.csv"])
    assert message in str(refused.value)


def parquet(**columns: object) -> bytes:
    out = io.BytesIO()
    base = {"source": ["s"], "scope": ["x"], "id": ["1"], "name": ["n"]}
    pl.DataFrame({**base, **columns}).write_parquet(out)
    return out.getvalue()


def instants(values: list[int], unit: str = "us", zone: str | None = "UTC") -> pl.Series:
    return pl.Series(values, dtype=pl.Int64).cast(pl.Datetime(unit, zone))


VERSIONS = [[{"id": "a", "state": "current"}, {"id": "a", "state": "pending"}]]
PARQUET = {
    "not parquet": (b"hello", "x.parquet: not a Parquet file: "),
    "empty": (b"", "x.parquet: the file is empty"),
    "naive": (parquet(created_at=instants([1], zone=None)), "x.parquet: created_at: timestamps have no time zone"),
    "text time": (parquet(created_at=["2026-05-01"]), "created_at: expected timestamps with a time zone or int64 microseconds, got String"),
    "unknown": (parquet(ownr=["x"]), "unknown column; did you mean 'owner'?"),
    "float": (parquet(tier=[1.0]), "tier: expected integers, got Float64"),
    "null": (parquet(name=pl.Series([None], dtype=pl.String)), "credentials[0].name: must not be null"),
    "negative": (parquet(tier=[-1]), "credentials[0].tier: expected an integer that is not negative"),
    "choice": (parquet(**{"class": ["key"]}), "credentials[0].class: 'key' is not one of api-key"),
    "year 1": (parquet(created_at=[-62135596800000000]), "credentials[0].created_at: the year 1"),
    "too late": (parquet(expires_at=[2**60]), "credentials[0].expires_at: later than the year 9999"),
    "empty text": (parquet(owner=[""]), "credentials[0].owner: empty text"),
    "labels": (parquet(labels=["team=x"]), "credentials[0].labels: expected a mapping of text to text"),
    "labels twice": (parquet(labels=['{"a":"1","a":"2"}']), "credentials[0].labels.a: given twice"),
    "versions": (parquet(versions=["v1"]), "versions: expected a list of structs, got String"),
    "version column": (parquet(versions=[[{"id": "a", "status": "current"}]]), "versions.state: missing column"),
    "version twice": (parquet(versions=VERSIONS), "credentials[0].versions[1].id: another version has the id 'a'"),
    "state": (parquet(versions=[[{"id": "a", "state": "on"}]]), "credentials[0].versions[0].state: 'on' is not one of"),
    "used and never used": (parquet(last_used_at=[1], never_used=[True]), "credentials[0].never_used: true, although last_used_at is given"),
    "truncated": (parquet()[:-20], "x.parquet: not a Parquet file: "),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), PARQUET.values(), ids=PARQUET)
def test_broken_parquet(
    content: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.parquet").write_bytes(content)
    with pytest.raises(InventoryError) as refused:
        read(["x.parquet"])
    assert message in str(refused.value)


def test_a_bad_page_inside_a_parquet_file_is_no_traceback(tmp_path: Path) -> None:
    content = bytearray(parquet(owner=["somebody@acme.example"]))
    content[8:60] = b"\xff" * 52
    path = tmp_path / "x.parquet"
    path.write_bytes(bytes(content))
    with pytest.raises(InventoryError, match=r"x\.parquet"):
        read([path]).credentials.collect()


def test_every_bad_row_is_counted_and_none_is_loaded(tmp_path: Path) -> None:
    rows = [
        f'{{"source":"s","scope":"x","id":"{n}","name":"n","tier":{-1 if n % 2 else 1}}}' for n in range(300)
    ]
    path = tmp_path / "x.json"
    path.write_text(header('"coverage":[]', ",\n".join(rows)), "utf-8")
    with pytest.raises(InventoryError) as refused:
        read([path])
    assert refused.value.total == 150
    assert len(refused.value.problems) == 100
    assert "50 more problems" in str(refused.value)
    assert [problem.line for problem in refused.value.problems[:3]] == [3, 5, 7]


def test_problems_are_counted_but_not_all_kept() -> None:
    problems = Problems("x")
    for line in range(1000):
        problems.add("bad", line=line)
    assert (problems.total, len(problems.shown)) == (1000, 100)


def test_a_parquet_file_with_a_bit_flipped_is_read_or_refused_and_is_no_internal_error(
    tmp_path: Path,
) -> None:
    """polars panics on some, and a panic is no `Exception`."""
    good = write(
        read([Path(__file__).parents[2] / "examples" / "13-evidence-bundle" / "june.yaml"]), "parquet"
    )
    path, refused = tmp_path / "x.parquet", 0
    for offset in (427, 1204, *range(0, len(good), 41)):
        path.write_bytes(good[:offset] + bytes([good[offset] ^ 0x40]) + good[offset + 1 :])
        try:
            assert read([path]).credentials.collect().height == 3
        except (InventoryError, UsageError) as error:
            refused += 1
            assert "x.parquet" in str(error)
    assert refused > 5


def test_every_bad_row_of_a_parquet_file_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    ids = [str(n) for n in range(150)]
    frame = pl.DataFrame(
        {"source": ["s"] * 150, "scope": ["x"] * 150, "id": ids, "name": ids, "tier": [-1] * 150}
    )
    frame.write_parquet(path)
    with pytest.raises(InventoryError) as refused:
        read([path])
    assert (refused.value.total, len(refused.value.problems)) == (150, 100)


def test_the_problems_of_all_files_come_together(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]", "utf-8")
    (tmp_path / "b.csv").write_text("source\n", "utf-8")
    with pytest.raises(InventoryError) as refused:
        read([tmp_path / "a.json", tmp_path / "b.csv"])
    assert {Path(problem.file).name for problem in refused.value.problems} == {"a.json", "b.csv"}


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    for name in ("x.json", "x.ndjson", "x.parquet", "x.csv", "x.yaml"):
        with pytest.raises(UsageError, match="no such file"):
            read([tmp_path / name])
    (tmp_path / "folder.ndjson").mkdir()
    with pytest.raises(UsageError, match="is a directory"):
        read([tmp_path / "folder.ndjson"])
    with pytest.raises(UsageError, match="cannot tell its format"):
        read([tmp_path / "x.txt"])


def test_a_duplicate_is_not_seen_where_only_text_looks_like_keys(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(document('"owner":"a : b","lineage":"\\":\\":"'), "utf-8")
    assert read([path]).credentials.collect()["lineage"].to_list() == ['":":']


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_end_in_anything_but_a_deliberate_error(tmp_path: Path, content: bytes) -> None:
    for format_ in ("json", "yaml", "ndjson", "csv", "parquet"):
        path = tmp_path / f"x.{format_}"
        path.write_bytes(content)
        try:
            read([path])
        except KeyauditError as error:
            assert str(error)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_json_value_ends_in_anything_but_a_deliberate_error(tmp_path: Path, data: st.DataObject) -> None:
    import json

    value = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(("id", "a")), inner, max_size=2)
        ),
        max_leaves=4,
    )
    name = data.draw(
        st.sampled_from(("owner", "tier", "labels", "versions", "rotation", "created_at", "id", "zz"))
    )
    path = tmp_path / "x.json"
    body = json.dumps({"source": "s", "scope": "x", "id": "1", "name": "n", name: data.draw(value)})
    path.write_text(f'{HEAD},"credentials":[{body}]}}', "utf-8")
    try:
        read([path])
    except InventoryError as error:
        assert "credentials" in str(error) or "JSON" in str(error)
