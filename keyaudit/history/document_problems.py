"""What is wrong with a history document: every line looked at, once one of them is not right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import polars as pl

from keyaudit.columns import CHOICES, CREDENTIALS
from keyaudit.errors import Problem
from keyaudit.history.chronicle import DESCRIBING, KEY, VERSION, Chronicle
from keyaudit.history.shape import SCHEMA
from keyaudit.inventory import nodes
from keyaudit.inventory.check import KINDS, Finding, called, mapping, note, wrong_choice
from keyaudit.inventory.instants import EARLIEST, LATEST
from keyaudit.inventory.nodes import Node
from keyaudit.inventory.problems import Problems

_Check = Callable[[Node], Iterator[Finding]]
FILES = ("inventory",)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def found(content: bytes, written: bytes | None, file: str) -> tuple[list[Problem], int]:
    """Say everything that is wrong with a document, and how many problems that is: one at least.

    `written` is what keyaudit would have written for what it says, None if it cannot be told.
    """
    problems = Problems(file)
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if number == 1 or line:
            _look_at(line, number, problems)
    if not problems.total:
        others = (written or b"").split(b"\n")
        pairs = zip(lines, [*others, *[b""] * len(lines)], strict=False)
        number = next((n for n, (one, other) in enumerate(pairs, start=1) if one != other), len(lines))
        problems.add("is not as keyaudit writes it: it was changed, or put together by hand", line=number)
    return problems.shown, problems.total


def sound(chronicle: Chronicle) -> bool:
    """Say whether what fits the columns is also what the fields of a document may hold."""
    for frame, kinds in ((chronicle.credentials, _OF_CREDENTIAL), (chronicle.versions, VERSION)):
        asked = [_violated(name, kind).any().alias(name) for name, kind in kinds.items()]
        if any(frame.select(asked).row(0) if frame.height else ()):
            return False
    if not _in_order(chronicle):
        return False
    orphans = chronicle.credentials["listed_at"].null_count() + chronicle.versions["listed_at"].null_count()
    return not orphans and _sound_files(chronicle)


def _in_order(chronicle: Chronicle) -> bool:
    """Say whether every credential, version and look is there once, and in its place."""
    looks = chronicle.looks.select("source", "scope", "at")
    versions, order = chronicle.versions, [*KEY, "created_at", "version"]
    return (
        chronicle.credentials.select(KEY).equals(chronicle.credentials.select(KEY).unique().sort(KEY))
        and versions.select(order).equals(versions.select(order).unique().sort(order))
        and looks.equals(looks.unique().sort("source", "scope", "at"))
    )


def _sound_files(chronicle: Chronicle) -> bool:
    return all(
        file.kind in FILES
        and file.file
        and "\0" not in file.file
        and file.items >= 0
        and (file.sha256 is None or _DIGEST.fullmatch(file.sha256))
        for file in chronicle.files
    )


def _violated(name: str, kind: str) -> pl.Expr:
    column = pl.col(name)
    choices = CHOICES.get("versions.state" if name == "state" else name)
    if choices:
        return ~column.is_in(choices).fill_null(value=True)
    if kind == "instant":
        return ~column.is_between(EARLIEST, LATEST).fill_null(value=True)
    if kind in {"text", "labels"}:
        return ((column == "") | column.str.contains("\0", literal=True)).fill_null(value=False)
    return (column.cast(pl.Int64) < 0).fill_null(value=False)


def _look_at(line: bytes, number: int, problems: Problems) -> None:
    try:
        node = nodes.parse_json(line.decode(), number, 1)
    except UnicodeDecodeError as error:
        problems.add(f"not UTF-8: byte {error.object[error.start]:#04x}", line=number)
    except nodes.Malformed as error:
        problems.add(str(error), line=error.line, column=error.column)
    else:
        checks, needed = (_HEADER, tuple(_HEADER)) if number == 1 else (_CREDENTIAL, _NEEDED)
        note(mapping(node, checks, needed), "", problems)


def _list_of(check: _Check) -> _Check:
    def look(node: Node) -> Iterator[Finding]:
        if not isinstance(node.value, list):
            yield node, "", f"expected a list, got {called(node.value)}"
            return
        for index, item in enumerate(node.value):
            for place, path, message in check(item):
                yield place, f"[{index}]{path}", message

    return look


def _mapping_of(checks: dict[str, _Check], needed: tuple[str, ...]) -> _Check:
    return lambda node: mapping(node, checks, needed)


def _schema(node: Node) -> Iterator[Finding]:
    if node.value != SCHEMA:
        yield node, "", f"expected {SCHEMA}, got {called(node.value)}"


def _digest(node: Node) -> Iterator[Finding]:
    if not isinstance(node.value, str) or not _DIGEST.fullmatch(node.value):
        yield node, "", "expected a SHA-256 in hex"


_OF_CREDENTIAL = {
    **dict.fromkeys(KEY, "text"),
    **{name: CREDENTIALS[name] for name in DESCRIBING},
    "listed_at": "instant",
}
_NEEDED = (*KEY, "name", "listed_at")
_VERSION: dict[str, _Check] = {
    "id": KINDS["text"],
    **{name: KINDS[kind] for name, kind in VERSION.items() if name != "version"},
    "state": wrong_choice(CHOICES["versions.state"]),
}
_CREDENTIAL: dict[str, _Check] = {
    **{
        name: wrong_choice(CHOICES[name]) if name in CHOICES else KINDS[kind]
        for name, kind in _OF_CREDENTIAL.items()
    },
    "versions": _list_of(_mapping_of(_VERSION, ("id", "state", "listed_at"))),
}
_INSTANTS = _list_of(KINDS["instant"])
_FILE: dict[str, _Check] = {
    "file": KINDS["text"],
    "kind": wrong_choice(FILES),
    "sha256": _digest,
    "at": KINDS["instant"],
    "items": KINDS["integer"],
    "problem": KINDS["text"],
}
_SCOPE: dict[str, _Check] = {
    **dict.fromkeys(("source", "scope"), KINDS["text"]),
    **dict.fromkeys(("complete", "without_versions", "incomplete"), _INSTANTS),
}
_HEADER: dict[str, _Check] = {
    "schema": _schema,
    "files": _list_of(_mapping_of(_FILE, ("file", "kind"))),
    "scopes": _list_of(_mapping_of(_SCOPE, ("source", "scope"))),
}
