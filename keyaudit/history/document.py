r"""The history document, `keyaudit/history/1`: what any number of inventories come to, in one file.

NDJSON, UTF-8, one JSON object a line, fields in this order, what is not known left out:

    schema, files, scopes       the first line
      files[]                   file, kind, sha256, at, items, problem: what it was made of
      scopes[]                  source, scope, and the instants of its looks: complete, without_versions
                                (all credentials were seen, and the versions of some were not asked
                                for), incomplete
    source, scope, id, name, …  each other line: a credential as the last inventory had it that listed it
      listed_at                 when that was
      versions[]                id, state, created_at, superseded_at, retired_at, authenticates:
                                the last word on it;
                                in_use_at, usable_at: when it was last listed as in use, as usable;
                                gone_by, unusable_by: when it was first listed as not so any more;
                                listed_at: when it was last listed

That a version was listed no longer follows from the looks at its scope that came after `listed_at`.
The bytes are canonical: lines are ordered by source, scope and id, versions by creation and id, and
the same inventories give the same bytes, a day at a time or all at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec
import polars as pl

from keyaudit.columns import CREDENTIALS
from keyaudit.errors import InventoryError
from keyaudit.history import document_problems
from keyaudit.history.chronicle import (
    DESCRIBING,
    KEY,
    LOOK,
    OF_CREDENTIALS,
    OF_VERSIONS,
    VERSION,
    Chronicle,
)
from keyaudit.history.shape import CREDENTIAL, FILE, HEADER, SCHEMA, SCOPE, SPELLED, VERSION_SHAPE
from keyaudit.inventory.instants import parse_instants
from keyaudit.inventory.tabulate import encode_labels
from keyaudit.model import HistoryFile
from keyaudit.times import format_instant, parse_instant

_LABELS: msgspec.json.Decoder[dict[str, str]] = msgspec.json.Decoder(dict[str, str])
_BATCH = 20_000
_HOW = {"complete": (True, True), "without_versions": (True, False), "incomplete": (False, True)}
_HEADER_LINE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(HEADER)
_LINE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(CREDENTIAL)


def write(chronicle: Chronicle) -> bytes:
    """Write a history as one document."""
    return b"".join(_parts(chronicle))


def digest(chronicle: Chronicle) -> str:
    """Give the SHA-256, in hex, of the document that a history comes to, without holding all of it."""
    hashed = hashlib.sha256()
    for part in _parts(chronicle):
        hashed.update(part)
    return hashed.hexdigest()


def _parts(chronicle: Chronicle) -> Iterator[bytes]:
    """Write some credentials at a time, so that their objects are gone before the next ones are made."""
    encoder = msgspec.json.Encoder()
    yield encoder.encode(_header(chronicle)) + b"\n"
    counts = (
        chronicle.credentials.select(KEY)
        .join(chronicle.versions.group_by(KEY).len(), on=KEY, how="left", maintain_order="left")["len"]
        .fill_null(0)
    )
    first = 0
    for at in range(0, counts.len(), _BATCH):
        some = counts.slice(at, _BATCH)
        listed, held = (
            chronicle.credentials.slice(at, _BATCH),
            chronicle.versions.slice(first, int(some.sum())),
        )
        yield b"".join(encoder.encode(each) + b"\n" for each in _credentials(listed, held, some))
        first += held.height


def _header(chronicle: Chronicle) -> Any:
    files = [
        FILE(
            file.file,
            file.kind,
            file.sha256,
            None if file.at is None else format_instant(file.at),
            file.items,
            file.problem,
        )
        for file in chronicle.files
    ]
    scopes: dict[tuple[str, str], dict[str, list[str]]] = {}
    for source, scope, at, complete, versions in chronicle.looks.select(*LOOK).iter_rows():
        how = "incomplete" if not complete else "complete" if versions else "without_versions"
        scopes.setdefault((source, scope), {}).setdefault(how, []).append(format_instant(at))
    return HEADER(SCHEMA, files, [SCOPE(*scope, **looks) for scope, looks in scopes.items()])


def _credentials(listed: pl.DataFrame, held: pl.DataFrame, counts: pl.Series) -> Iterator[Any]:
    versions = iter(_structs(VERSION_SHAPE, held, VERSION))
    kinds = {**dict.fromkeys(KEY, "text"), **{name: CREDENTIALS[name] for name in DESCRIBING}}
    credentials = _structs(CREDENTIAL, listed, {**kinds, "listed_at": "instant"})
    for credential, count in zip(credentials, counts, strict=True):
        credential.versions = list(islice(versions, count))
        yield credential


def _structs(shape: Any, frame: pl.DataFrame, kinds: dict[str, str]) -> Iterator[Any]:
    """Turn rows into what is encoded, a column at a time."""
    columns = [_spelled(frame[name], kind) for name, kind in kinds.items()]
    return (shape(*values) for values in zip(*columns, strict=True))


def _spelled(column: pl.Series, kind: str) -> list[Any]:
    if kind == "labels":
        return [None if text is None else _LABELS.decode(text) for text in column]
    if kind != "instant":
        return column.to_list()
    texts = column.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return texts.str.replace(".000000Z", "Z", literal=True).to_list()


def read(content: bytes, file: str) -> Chronicle:
    """Read a document; raises InventoryError with everything that is wrong with it.

    What another program wrote, or anybody changed, is refused: only the bytes that `write` gives are one.
    """
    try:
        chronicle = _read(content)
    except (ValueError, RecursionError, pl.exceptions.PolarsError):
        chronicle = None
    written = None if chronicle is None else write(chronicle)
    if chronicle is None or written != content or not document_problems.sound(chronicle):
        problems, total = document_problems.found(content, written, file)
        raise InventoryError(problems, total=total)
    return chronicle


def _read(content: bytes) -> Chronicle:
    lines = content.split(b"\n")
    header = _HEADER_LINE.decode(lines[0])
    if header.schema != SCHEMA:
        raise ValueError(header.schema)
    files = tuple(
        HistoryFile(
            each.file,
            each.kind,
            each.sha256,
            None if each.at is None else parse_instant(each.at),
            each.items,
            each.problem,
        )
        for each in header.files
    )
    batches = [lines[at : at + _BATCH] for at in range(1, len(lines), _BATCH)]
    parts = [_rows([]), *(_rows([_LINE.decode(line) for line in batch if line]) for batch in batches)]
    credentials, versions = (pl.concat(frames) for frames in zip(*parts, strict=True))
    return Chronicle(files, credentials, versions, _looks(header.scopes))


def _rows(rows: Sequence[Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn some credentials into columns, and their versions into others."""
    kinds = {**dict.fromkeys(KEY, "text"), **{name: CREDENTIALS[name] for name in DESCRIBING}}
    credentials = _frame(rows, {**kinds, "listed_at": "instant"}, OF_CREDENTIALS)
    flat = [version for row in rows for version in row.versions]
    owners = [row for row, each in enumerate(rows) for _ in each.versions]
    versions = _frame(flat, VERSION, {name: OF_VERSIONS[name] for name in VERSION})
    return credentials, pl.concat([credentials.select(KEY)[owners], versions], how="horizontal")


def _frame(rows: Sequence[Any], kinds: dict[str, str], schema: dict[str, Any]) -> pl.DataFrame:
    columns = []
    for name, kind in kinds.items():
        values = list(map(attrgetter(SPELLED.get(name, name)), rows))
        if kind == "instant":
            columns.append(parse_instants(pl.Series(name, values, dtype=pl.String)))
            continue
        if kind == "labels":
            values = [None if value is None else encode_labels(value) for value in values]
        columns.append(pl.Series(name, values, dtype=schema[name], strict=True))
    return pl.DataFrame(columns)


def _looks(scopes: Sequence[Any]) -> pl.DataFrame:
    rows = [
        (each.source, each.scope, parse_instant(at), *_HOW[how])
        for each in scopes
        for how in _HOW
        for at in getattr(each, how)
    ]
    return pl.DataFrame(rows, schema=LOOK, orient="row").sort("source", "scope", "at")
