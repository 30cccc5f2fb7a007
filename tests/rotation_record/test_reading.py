"""Records are evidence only if nothing was changed in between, and are read as strictly as anything else."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from keyaudit.rotation_record import SCHEMA, Record, read_records, verified

LINE: dict[str, Any] = {
    "schema": SCHEMA,
    "seq": 0,
    "at": "2026-05-01T00:00:00Z",
    "name": "openai-prod",
    "credential": {"source": "aws-secrets-manager", "scope": "1/eu", "id": "arn:x", "name": "prod/openai"},
    "token": "3f0a4a52-6f6b-4a43-9d0c-5a4f6b1f6d5e",
    "event": "result",
    "step": "promote",
    "outcome": "done",
    "goal": None,
    "requested_by": "dev@acme.example",
    "approved_by": "lead@acme.example",
    "ticket": "OPS-42",
    "reason": None,
    "detail": {"current": {"version": "2", "key_id": "key-1"}},
    "prev": None,
}


def encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def chained(*changes: dict[str, Any]) -> list[bytes]:
    """Lines that differ so from `LINE`, each with its number and the hash of the one before."""
    lines: list[bytes] = []
    for number, change in enumerate(changes):
        prev = hashlib.sha256(lines[-1]).hexdigest() if lines else None
        lines.append(encoded({**LINE, "seq": number, "prev": prev, **change}))
    return lines


def told(path: Path) -> list[str]:
    _, problems = read_records([path])
    return [str(problem).removeprefix(f"{path}:") for problem in problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.ndjson"


def test_a_record_is_read_field_by_field(file: Path) -> None:
    file.write_bytes(b"".join(chained({})))
    assert read_records([file]) == (
        (
            Record(
                file=str(file),
                line=1,
                seq=0,
                at=1_777_593_600_000_000,
                name="openai-prod",
                source="aws-secrets-manager",
                scope="1/eu",
                id="arn:x",
                credential_name="prod/openai",
                token="3f0a4a52-6f6b-4a43-9d0c-5a4f6b1f6d5e",
                event="result",
                step="promote",
                outcome="done",
                goal=None,
                requested_by="dev@acme.example",
                approved_by="lead@acme.example",
                ticket="OPS-42",
                reason=None,
                detail={"current": {"version": "2", "key_id": "key-1"}},
            ),
        ),
        (),
    )


def test_the_chain_is_checked_by_hand_as_the_documentation_says(file: Path) -> None:
    file.write_bytes(b"".join(chained({}, {}, {})))
    for number in (1, 2):
        command = f"sed -n {number}p '{file}' | sha256sum"
        said = subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=60).stdout
        following = json.loads(file.read_bytes().splitlines()[number])
        assert said.decode().split()[0] == following["prev"]
    assert told(file) == []


def test_every_byte_of_every_line_but_the_last_is_held_by_the_chain(file: Path) -> None:
    content = b"".join(chained({}, {}))
    last = content.rindex(b'{"schema"')
    for position in range(last):
        for flipped in (content[position] ^ 1, content[position] ^ 32):
            changed = content[:position] + bytes([flipped]) + content[position + 1 :]
            file.write_bytes(changed)
            _, problems = read_records([file])
            assert problems, (position, changed)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_that_is_missing_is_told(file: Path, number: int) -> None:
    lines = chained({}, {}, {}, {})
    file.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
    place = number + 1
    assert told(file)[0].startswith(
        f"{place}: prev: does not follow the line before: something was changed, removed or slipped in"
    )
    assert told(file)[1].startswith(f"{place}: seq: is {number + 1}, and {number} records stand before it")


def test_a_line_that_was_slipped_in_or_moved_is_told(file: Path) -> None:
    lines = chained({}, {}, {})
    file.write_bytes(b"".join([lines[0], lines[0], *lines[1:]]))
    assert any("2: prev: does not follow" in problem for problem in told(file))
    file.write_bytes(b"".join([lines[0], lines[2], lines[1]]))
    assert any("2: prev: does not follow" in problem for problem in told(file))
    file.write_bytes(b"".join([lines[0], b"\n", *lines[1:]]))
    assert "2: is neither a record nor the beginning of one" in told(file)


def test_a_torn_line_is_no_problem_where_the_chain_covers_it(file: Path) -> None:
    first = chained({})[0]
    torn = first[:50] + b"\n"
    after = encoded({**LINE, "seq": 1, "prev": hashlib.sha256(first + torn).hexdigest()})
    file.write_bytes(first + torn + after)
    records, problems = read_records([file])
    assert ([each.line for each in records], problems) == ([1, 3], ())
    file.write_bytes(first + first[:49] + b"\n" + after)
    assert told(file) == [
        "3: prev: does not follow the line before: something was changed, removed or slipped in"
    ]


WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown field": ({"tokn": 1}, ["tokn: unknown field; did you mean 'token'?"]),
    "event": ({"event": "resutl"}, ["event: is 'resutl'; did you mean 'result'?"]),
    "step": ({"step": "promot"}, ["step: is 'promot'; did you mean 'promote'?"]),
    "no step": ({"step": None}, ["step: is not said, and result is of a step"]),
    "goal": ({"goal": "sideways"}, ["goal: is 'sideways'"]),
    "no offset": (
        {"at": "2026-05-01T00:00:00"},
        ["at: time has no offset: write 2026-05-01T00:00:00Z or +02:00"],
    ),
    "no time": ({"at": 5}, ["at: is no text"]),
    "credential": ({"credential": "x"}, ["credential: is no object"]),
    "half a credential": (
        {"credential": {"source": "a", "scope": 1, "naem": "x"}},
        [
            "credential.naem: unknown field; did you mean 'name'?",
            "credential.id: is missing",
            "credential.name: is missing",
            "credential.scope: is no text",
        ],
    ),
    "a null name": ({"name": None}, ["name: is no text"]),
    "a number for a ticket": ({"ticket": 42}, ["ticket: is no text"]),
    "an escape": ({"reason": "\x1b[31mapproved"}, ["reason: has characters that cannot be seen"]),
    "a reversal": ({"requested_by": "a\u202eb"}, ["requested_by: has characters that cannot be seen"]),
    "half a character": ({"approved_by": "\ud83d"}, ["approved_by: has characters that cannot be seen"]),
    "a long text": ({"reason": "x" * 2049}, ["reason: is longer than 2,048 characters"]),
    "detail": ({"detail": []}, ["detail: is no object"]),
    "an escape in a detail": (
        {"detail": {"a": {"b": ["x", "\x07"]}}},
        ["detail.a.b.1: has characters that cannot be seen"],
    ),
    "a deep detail": (
        {"detail": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
        ["detail.a.b.c.d: is nested too deep"],
    ),
    "several": ({"event": "x", "goal": 5}, ["goal: is no text", "event: is 'x'"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_everything_wrong_with_a_line_is_told_at_once_with_its_place(file: Path, case: str) -> None:
    change, expected = WRONG[case]
    file.write_bytes(b"".join(chained({}, change, {})))
    assert told(file) == [f"2: {problem}" for problem in expected]
    assert [each.line for each in read_records([file])[0]] == [1, 3]


@pytest.mark.parametrize("name", sorted(LINE))
def test_a_field_that_is_missing_is_told(file: Path, name: str) -> None:
    line = {key: value for key, value in LINE.items() if key != name}
    file.write_bytes(encoded(line))
    if name == "schema":
        assert told(file) == [f"1: schema: is None; this version reads {SCHEMA}"]
    else:
        assert f"1: {name}: is missing" in told(file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[]\n", "is no JSON object"),
        (b"null\n", "is no JSON object"),
        (b"nonsense\n", "is neither a record nor the beginning of one"),
        (b"\x00\x00\x00\n", "is neither a record nor the beginning of one"),
        (b"\xff\xfe\n", "is not UTF-8"),
        (b'{"schema":"keyaudit/rotation-record/2"}\n', "schema: is 'keyaudit/rotation-record/2'; this version reads"),
        (b'{"schema":"' + SCHEMA.encode() + b'","seq":0,"seq":0}\n', "says the same field twice"),
        (b'{"schema":"' + SCHEMA.encode() + b'","seq":NaN}\n', "has NaN, which is no number"),
        (b"[" * 60_000 + b"\n", "is nested too deep"),
        (b'{"schema":"' + SCHEMA.encode() + b'","x":"' + b"x" * 70_000 + b'"}\n', "is longer than 65,536 bytes"),
        (b'{"schema":["x"]}\n', "schema: is ['x']"),
        (b'{"schema":"' + SCHEMA.encode() + b'"}\n', "seq: is missing"),
    ],
)  # fmt: skip
def test_hostile_lines_are_told_and_never_believed(file: Path, line: bytes, message: str) -> None:
    file.write_bytes(line)
    problems = told(file)
    assert problems[0].startswith(f"1: {message}") or any(f"1: {message}" in each for each in problems)
    assert read_records([file])[0] == ()


def test_a_field_name_that_would_move_the_cursor_is_shown_as_text(file: Path) -> None:
    file.write_bytes(encoded({**LINE, "\x1b[2Jx\n": 1}))
    (problem,) = told(file)
    assert problem == "1: \\x1b[2Jx\\n: unknown field"


def test_folders_and_files_are_read_once_each_in_their_order(tmp_path: Path) -> None:
    for name in ("b.ndjson", "a.ndjson", "c.txt"):
        (tmp_path / name).write_bytes(b"".join(chained({"name": name}, {"name": name})))
    records, problems = read_records([tmp_path, tmp_path / "a.ndjson", tmp_path / "c.txt"])
    assert [(each.name, each.line) for each in records] == [
        ("a.ndjson", 1), ("a.ndjson", 2), ("b.ndjson", 1), ("b.ndjson", 2), ("c.txt", 1), ("c.txt", 2),
    ]  # fmt: skip
    assert problems == ()


def test_what_cannot_be_read_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"".join(chained({})))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    records, problems = read_records(
        [tmp_path / "gone", tmp_path / "pipe", tmp_path / "a.ndjson", tmp_path / "loop"]
    )
    assert len(records) == 1
    assert [str(problem) for problem in problems] == [
        f"{tmp_path / 'gone'}: cannot be read: No such file or directory",
        f"{tmp_path / 'loop'}: cannot be read: Too many levels of symbolic links",
        f"{tmp_path / 'pipe'}: cannot be read: no file",
    ]


def test_an_empty_file_is_a_record_of_nothing(file: Path) -> None:
    file.write_bytes(b"")
    assert read_records([file]) == ((), ())


def test_lines_can_be_verified_from_anywhere() -> None:
    lines = chained({}, {}, {})
    assert verified(lines, "a bundle") == []
    assert [problem.line for problem in verified(lines[1:], "a bundle")] == [1, 1, 2]
