"""What audit logs told, as one document: its bytes, who may have written it, and what it is read as."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from history.logs.exports import ACCOUNT, ARN, CANARY, REGION, listed, put, secret, trail, written
from history.logs.test_vault import write as vault_write
from keyaudit.errors import InventoryError
from keyaudit.formats import history_text
from keyaudit.history.logs import AuditLogs, document, placed, read_logs, reading, shape
from keyaudit.history.logs.noted import UNKNOWN_KIND
from keyaudit.report_document import evidence_shapes

HOSTILE = 'x","told":[]}\n{"schema": "\u202e<script>\\u0000\x07'
GOOGLE = {
    "insertId": "1",
    "logName": "projects/acme/logs/cloudaudit.googleapis.com%2Factivity",
    "timestamp": "2026-03-01T10:00:00.123456789Z",
    "protoPayload": {
        "methodName": "google.cloud.secretmanager.v1.SecretManagerService.AddSecretVersion",
        "request": {"payload": {"data": CANARY}},
        "response": {"name": "projects/42/secrets/db/versions/2"},
    },
    "resource": {"labels": {"project_id": "acme"}},
}
SILENT = trail("RotationSucceeded", additionalEventData={"SecretId": ARN}, id="silent")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    logs = tmp_path / "logs"
    logs.mkdir()
    events = [
        put("v1", at="2026-03-01T10:00:00Z"),
        SILENT,
        put("v2", secret=HOSTILE, at="2026-03-02T10:00:00Z"),
    ]
    written(logs, events, "a.json")
    (logs / "broken.json").write_text('{"Records": [')
    written(logs, [GOOGLE], "c.ndjson")
    written(
        logs, [vault_write(3) | {"request": vault_write(3)["request"] | {"id": ""}}, vault_write(4)], "d.log"
    )
    return logs


def test_a_document_reads_as_it_was_written_down_here(tmp_path: Path) -> None:
    file = written(tmp_path, [put("v1", at="2026-03-01T11:00:00.5+01:00", id="e1"), SILENT])
    header, entry, end = document.write(read_logs([file])).split(b"\n")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert header == (
        b'{"schema":"keyaudit/audit-log-entries/1","silent":1,"files":'
        b'[{"file":"%s","kind":"cloudtrail","sha256":"%s","items":2}]}'
        % (str(file).encode(), digest.encode())
    )
    of = f'"source":"aws-secrets-manager","where":"{ACCOUNT}/{REGION}","at":"2026-03-01T10:00:00.500000Z","ids":["{ARN}"],'
    rest = '"name":"prod/db-AbCdEf","exact":true,"version":"v1"}'
    told = ",".join(f'{{"told":"{each}",{of}{rest}' for each in ("created", "in-use"))
    assert (
        entry.decode()
        == f'{{"file":0,"reference":"PutSecretValue-2026-03-01T11:00:00.5+01:00","things":[{told}]}}'
    )
    assert end == b""


def test_what_was_read_is_what_was_written_and_nothing_else_of_the_logs(folder: Path) -> None:
    logs = read_logs([folder])
    content = document.write(logs)
    assert document.read(content, "d") == logs
    assert [(each.kind, each.items, bool(each.problem)) for each in logs.files] == [
        ("cloudtrail", 3, False), ("audit-log", 0, True), ("google-audit-log", 1, False), ("vault-audit-log", 2, False),
    ]  # fmt: skip
    assert len(content.split(b"\n")) == 1 + 2 + 1 + 2 + 1
    for other in (CANARY, "198.51.100.7", "rotator", "hmac-sha256"):
        assert other in "".join(each.read_text() for each in folder.iterdir())
        assert other not in content.decode()


def told(paths: Sequence[Path]) -> tuple[AuditLogs, object]:
    logs = read_logs(paths)
    return logs, placed(logs, listed(secret("v1")))


def test_a_document_is_read_in_place_of_its_logs_and_beside_them(folder: Path, tmp_path: Path) -> None:
    logs, events = told([folder])
    handed = tmp_path / "handed-over.ndjson"
    handed.write_bytes(document.write(logs))
    alone, same = told([handed])
    assert (alone, same) == (logs, events)
    both, again = told([folder, handed])
    assert both.noted == logs.noted, "each entry counts once"
    assert again == events
    assert both.files[:4] == logs.files
    assert [file.items for file in both.files[4:]] == [1, 0, 0, 0], "the handed over one was read first"
    folder.rename(tmp_path / "z")
    later, _ = told([tmp_path / "z", handed])
    assert len(later.noted) == len(logs.noted) + 2, "an entry without an id is told by its file alone"


def said(change: Callable[[list[dict[str, Any]]], object], content: bytes) -> bytes:
    lines = [json.loads(line) for line in content.splitlines()]
    change(lines)
    return b"".join(
        json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for line in lines
    )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d[0].update(schema="keyaudit/audit-log-entries/2"), "1:11: schema: expected keyaudit/audit-log-entries/1"),
        (lambda d: d[0].update(silent=-1), "silent: expected an integer that is not negative"),
        (lambda d: d[0].pop("files"), "1:1: files: missing"),
        (lambda d: d[0]["files"][0].update(kind="cloudtrial"), "files[0].kind: 'cloudtrial' is not one of"),
        (lambda d: d[0]["files"][0].update(sha256="0" * 63), "files[0].sha256: expected a SHA-256"),
        (lambda d: d[0]["files"][0].update(file=""), "files[0].file: empty text"),
        (lambda d: d[1].update(file=4), "2:9: file: the first line names 4 files, counted from 0"),
        (lambda d: d[1].update(file=1), "file: a file that has a problem tells nothing"),
        (lambda d: d[1].update(file=True), "file: expected an integer, got true"),
        (lambda d: d[1].update(things=[]), "things: an entry that tells nothing is only counted"),
        (lambda d: d[1].update(value=CANARY), "unknown field 'value'"),
        (lambda d: d[1]["things"][0].update(told="in use"), "things[0].told: 'in use' is not one of"),
        (lambda d: d[1]["things"][0].update(source="aws"), "things[0].source: 'aws' is not one of"),
        (lambda d: d[1]["things"][0].update(at="2026-03-01"), "things[0].at: a date is not an instant"),
        (lambda d: d[1]["things"][0].update(at="0001-01-01T00:00:00Z"), "things[0].at: the year 1"),
        (lambda d: d[1]["things"][0].update(at="2026-03-01T10:00:00+00:00"), "2: is not as keyaudit writes it"),
        (lambda d: d[1]["things"][0].update(ids=[7]), "things[0].ids[0]: expected text, got the number 7"),
        (lambda d: d[1]["things"][0].pop("ids"), "things[0].ids: missing: nothing says which credential it is"),
        (lambda d: d[1]["things"][1].pop("version"), "things[1].version: missing: in-use is told of a version"),
        (lambda d: d[1]["things"][0].update(if_known=False), "2: is not as keyaudit writes it"),
        (lambda d: d.insert(1, d[1]), "2: is not as keyaudit writes it"),
    ],
    ids=map(str, range(21)),
)  # fmt: skip
def test_a_document_that_nobody_would_have_written_is_refused_with_the_place(
    folder: Path, change: Callable[[list[dict[str, Any]]], object], problem: str
) -> None:
    changed = said(change, document.write(read_logs([folder])))
    with pytest.raises(InventoryError) as refused:
        document.read(changed, "entries.ndjson")
    assert problem in str(refused.value)
    assert "\u202e" not in str(refused.value)
    (folder.parent / "changed.ndjson").write_bytes(changed)
    logs = read_logs([folder.parent / "changed.ndjson"])
    assert (logs.noted, logs.silent) == ((), 0)
    (file,) = logs.files
    assert (file.kind, file.items, file.sha256) == ("audit-log", 0, hashlib.sha256(changed).hexdigest())
    assert file.problem
    assert CANARY not in file.problem


def test_every_line_that_is_wrong_is_named(folder: Path) -> None:
    def spoil(lines: list[dict[str, Any]]) -> None:
        for line in lines[1:]:
            line["reference"] = 5

    changed = said(spoil, document.write(read_logs([folder])))
    with pytest.raises(InventoryError) as refused:
        document.read(changed, "entries.ndjson")
    assert [each.line for each in refused.value.problems] == [2, 3, 4, 5, 6]
    (folder / "0.ndjson").write_bytes(changed)
    assert read_logs([folder / "0.ndjson"]).files[0].problem == (
        "line 2 is not as keyaudit writes it (and 4 more problems)"
    )


@given(at=st.integers(0), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_byte_can_be_changed_without_being_read_as_such_or_refused(
    folder: Path, at: int, byte: int
) -> None:
    content = bytearray(document.write(read_logs([folder])))
    content[at % len(content)] = byte
    try:
        read = document.read(bytes(content), "d")
    except InventoryError as error:
        assert error.problems
    else:
        assert document.write(read) == bytes(content)
        placed(read, listed(secret("v1")))


def test_a_file_whose_name_is_no_utf8_is_written_down_all_the_same(tmp_path: Path) -> None:
    file = written(tmp_path, [put("v1", at="2026-03-01T10:00:00Z")])
    odd = file.rename(tmp_path / os.fsdecode(b"trail-\xff.json"))
    logs = read_logs([odd])
    assert logs.files[0].file == f"{tmp_path}/trail-\\xff.json"
    assert logs.files[0].problem is None
    assert document.read(document.write(logs), "d") == logs


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"])
def test_an_entry_of_no_time_that_can_be_kept_spoils_its_log(tmp_path: Path, at: str) -> None:
    logs = read_logs([written(tmp_path, [put("v1", at=at)], "log.ndjson")])
    assert [each.problem for each in logs.files] == ["line 1 is not as cloudtrail has it"]


def test_the_digest_of_a_log_is_of_all_its_bytes_even_where_reading_stopped(tmp_path: Path) -> None:
    content = b'{"Records": [' + b" " * (3 << 20) + b"\n{}\n"
    for name in ("a.json", "b.ndjson"):
        (tmp_path / name).write_bytes(content if name == "a.json" else b"{}\n[\n" + content)
    digests = [hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.json", "b.ndjson")]
    logs = read_logs([tmp_path])
    assert [each.sha256 for each in logs.files] == digests
    assert all(each.problem for each in logs.files)


def test_every_kind_of_log_can_be_written_into_a_report_and_has_words_for_its_readers() -> None:
    """A kind that one of the tables lacked was a report that could not be read again."""
    of_logs = {each.name for each in reading.KINDS} | {UNKNOWN_KIND}
    assert set(shape.KINDS) == of_logs
    assert of_logs < set(evidence_shapes.HISTORY_KINDS)
    assert set(history_text.KINDS) == set(evidence_shapes.HISTORY_KINDS)
