"""What is wrong with a history document: every line looked at, once one of them is not right."""

from __future__ import annotations

import polars as pl

from keyaudit.columns import CHOICES, CREDENTIALS
from keyaudit.errors import Problem
from keyaudit.history import lines
from keyaudit.history.chronicle import DESCRIBING, KEY, VERSION, Chronicle
from keyaudit.history.lines import DIGEST, Check, Line, digest, list_of, mapping_of, schema
from keyaudit.history.shape import SCHEMA
from keyaudit.inventory.check import KINDS, wrong_choice
from keyaudit.inventory.instants import EARLIEST, LATEST

FILES = ("inventory",)


def found(content: bytes, written: bytes | None, file: str) -> tuple[list[Problem], int]:
    """Say everything that is wrong with a document: see `lines.found`."""
    return lines.found(content, written, file, header=_HEADER, other=_CREDENTIAL)


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
        and (file.sha256 is None or DIGEST.fullmatch(file.sha256))
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


_OF_CREDENTIAL = {
    **dict.fromkeys(KEY, "text"),
    **{name: CREDENTIALS[name] for name in DESCRIBING},
    "listed_at": "instant",
}
_NEEDED = (*KEY, "name", "listed_at")
_VERSION: dict[str, Check] = {
    "id": KINDS["text"],
    **{name: KINDS[kind] for name, kind in VERSION.items() if name != "version"},
    "state": wrong_choice(CHOICES["versions.state"]),
}
_CREDENTIAL_FIELDS: dict[str, Check] = {
    **{
        name: wrong_choice(CHOICES[name]) if name in CHOICES else KINDS[kind]
        for name, kind in _OF_CREDENTIAL.items()
    },
    "versions": list_of(mapping_of(_VERSION, ("id", "state", "listed_at"))),
}
_INSTANTS = list_of(KINDS["instant"])
_FILE: dict[str, Check] = {
    "file": KINDS["text"],
    "kind": wrong_choice(FILES),
    "sha256": digest,
    "at": KINDS["instant"],
    "items": KINDS["integer"],
    "problem": KINDS["text"],
}
_SCOPE: dict[str, Check] = {
    **dict.fromkeys(("source", "scope"), KINDS["text"]),
    **dict.fromkeys(("complete", "without_versions", "incomplete"), _INSTANTS),
}
_HEADER_FIELDS: dict[str, Check] = {
    "schema": schema(SCHEMA),
    "files": list_of(mapping_of(_FILE, ("file", "kind"))),
    "scopes": list_of(mapping_of(_SCOPE, ("source", "scope"))),
}
_HEADER = Line(_HEADER_FIELDS, tuple(_HEADER_FIELDS))
_CREDENTIAL = Line(_CREDENTIAL_FIELDS, _NEEDED)
