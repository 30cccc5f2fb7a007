from __future__ import annotations

import gzip
import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from history.logs.exports import CANARY, listed, put, secret, trail, written
from keyaudit.history.logs import entries, placed, read_logs

ENTRY = json.dumps(put("v1", at="2026-03-01T10:00:00Z")).encode()
BROKEN = {
    "nothing at all": (b"", "is empty"),
    "only blanks": (b" \n \n", "is empty"),
    "no JSON": (b"hello\n", "is no JSON, or was cut off"),
    "a document cut off": (b'{"Records":[' + ENTRY[:-9], "is no JSON, or was cut off"),
    "a line cut off": (ENTRY + b"\n" + ENTRY[:-9], "line 2 is no JSON object, or was cut off"),
    "a line that is no object": (ENTRY + b"\n[1]\n", "line 2 is no JSON object, or was cut off"),
    "gzip cut off": (gzip.compress(ENTRY)[:-9], "is no whole gzip file: was it cut off?"),
    "gzip with a flipped bit": (
        gzip.compress(ENTRY)[:-8] + b"\0" * 8,
        "is no whole gzip file: was it cut off?",
    ),
    "another file": (
        b'{"a": 1}\n',
        "holds no entry of CloudTrail, Google Cloud Logging or a Vault audit device",
    ),
    "an empty list": (b"[]", "holds no entry of CloudTrail, Google Cloud Logging or a Vault audit device"),
    "nested without end": (b'{"a":' * 100_000, "is no JSON, or was cut off"),
    "a list nested without end": (b"[" * 100_000, "is no JSON, or was cut off"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_has_a_problem_and_tells_nothing(tmp_path: Path, name: str) -> None:
    content, problem = BROKEN[name]
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    logs = read_logs([file])
    (said,) = logs.files
    assert (said.problem, said.items, logs.noted) == (problem, 0, ())
    assert said.sha256 == sha256(content).hexdigest()


@pytest.mark.parametrize(
    "fields",
    [
        {"eventTime": "2026-03-01T10:00:00"},
        {"eventTime": "yesterday"},
        {"requestParameters": {"secretId": 7}},
        {"requestParameters": [CANARY]},
        {"eventID": ""},
        {"awsRegion": "x" * 5000},
    ],
)
def test_an_entry_that_its_service_does_not_write_spoils_the_file_and_is_not_repeated(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    good = put("v1", at="2026-03-01T10:00:00Z")
    logs = read_logs([written(tmp_path, [good, good | {"eventID": "x"} | fields], "log.ndjson")])
    assert [each.problem for each in logs.files] == ["line 2 is not as cloudtrail has it"]
    assert logs.noted == ()


def test_a_file_with_a_problem_does_not_hide_the_same_entry_of_a_sound_one(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(ENTRY + b"\n{")
    written(tmp_path, [put("v1", at="2026-03-01T10:00:00Z")], "b.json")
    logs = read_logs([tmp_path])
    assert [each.items for each in logs.files] == [0, 1]
    assert len(placed(logs, listed(secret("v1"))).events) == 2


def test_what_unpacks_without_end_is_refused_early(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.json.gz"
    with gzip.open(bomb, "wb") as file:
        file.write(b"[")
        for _ in range(entries.LARGEST_DOCUMENT // (1 << 20) + 8):
            file.write(b" " * (1 << 20))
    (said,) = read_logs([bomb]).files
    assert said.problem == "is a document of more than 268,435,456 bytes; give one entry a line"


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "long.ndjson"
    file.write_bytes(ENTRY + b"\n" + b'{"a": "' + b"x" * entries.LONGEST_LINE + b'"}\n')
    (said,) = read_logs([file]).files
    assert said.problem == "line 2 is longer than 4,194,304 bytes"


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    logs = read_logs([tmp_path / "pipe", tmp_path / "missing.json"])
    assert [(each.problem, each.sha256) for each in logs.files] == [
        ("is no file", None),
        ("is no file", None),
    ]


def test_a_folder_is_all_logs_in_it_and_below_but_not_the_digests(tmp_path: Path) -> None:
    day = tmp_path / "AWSLogs" / "111122223333" / "CloudTrail" / "eu-west-1" / "2026" / "03" / "01"
    digests = tmp_path / "AWSLogs" / "111122223333" / "CloudTrail-Digest" / "eu-west-1"
    for folder in (day, digests):
        folder.mkdir(parents=True)
        (folder / "x.json.gz").write_bytes(gzip.compress(b'{"Records":[' + ENTRY + b"]}"))
    (tmp_path / "notes.txt").write_text("no log", "utf-8")
    logs = read_logs([tmp_path])
    assert [each.file for each in logs.files] == [str(day / "x.json.gz")]


def test_no_value_that_stands_in_a_log_is_kept(tmp_path: Path) -> None:
    entry = trail(
        "UpdateSecret",
        requestParameters={"secretId": "prod/db", "secretString": CANARY, "clientRequestToken": "v1"},
    )
    logs = read_logs([written(tmp_path, [entry, put("v1", at="2026-03-02T10:00:00Z")])])
    result = placed(logs, listed(secret("v1")))
    assert len(result.events) == 2
    assert CANARY not in repr(logs) + repr(result)


_SOUND = {
    "google": {
        "insertId": "1",
        "logName": "projects/acme/logs/cloudaudit.googleapis.com%2Factivity",
        "timestamp": "2026-03-01T10:00:00.123456789Z",
        "protoPayload": {
            "methodName": "google.cloud.secretmanager.v1.SecretManagerService.AddSecretVersion",
            "response": {"name": "projects/42/secrets/db/versions/2"},
            "status": {},
        },
        "resource": {"labels": {"project_id": "acme"}},
    },
    "vault": {
        "time": "2026-03-01T10:00:00.123456789Z",
        "type": "response",
        "request": {"id": "1", "operation": "update", "path": "kv/data/a", "mount_point": "kv/"},
        "response": {"data": {"version": 2}},
    },
    "cloudtrail": put("v1", at="2026-03-01T10:00:00Z"),
    "kms": trail("DisableKey", "kms", resources=[{"ARN": "arn:aws:kms:eu-west-1:111122223333:key/1"}]),
    "iam": trail(
        "CreateAccessKey",
        "iam",
        requestParameters={"userName": "x"},
        responseElements={"accessKey": {"accessKeyId": "A"}},
    ),
}


@pytest.mark.parametrize("name", _SOUND)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(data=st.data())
def test_no_change_of_a_byte_is_more_than_a_problem(tmp_path: Path, name: str, data: st.DataObject) -> None:
    content = bytearray(json.dumps(_SOUND[name]).encode() + b"\n")
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / "log.ndjson"
    file.write_bytes(content)
    logs = read_logs([file])
    assert len(logs.files) == 1
    placed(logs, listed(secret("v1")))
