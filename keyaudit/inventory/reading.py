"""Documents from files: one reader a format, every problem of every file, all or nothing."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from keyaudit.errors import UsageError
from keyaudit.inventory.assemble import assemble
from keyaudit.inventory.csv_documents import read_csv
from keyaudit.inventory.document import Document
from keyaudit.inventory.json_documents import read_json, read_ndjson
from keyaudit.inventory.opening import (
    digest_of_bytes,
    digest_of_file,
    format_of,
    format_of_bytes,
    is_stream,
    name_of,
    read_bytes,
    unreadable,
)
from keyaudit.inventory.parquet_documents import read_parquet
from keyaudit.inventory.problems import Problems, refuse
from keyaudit.inventory.yaml_documents import read_yaml
from keyaudit.model import Inventory


def read(paths: Sequence[str | Path], *, format: str | None = None) -> Inventory:  # noqa: A002 - its name
    """Read documents as one inventory; see `keyaudit.inventory.read`."""
    if not paths:
        raise UsageError("no inventory to read", hint="give at least one file")
    formats = [format_of(path, format) for path in paths]
    problems = [Problems(name_of(path)) for path in paths]
    documents = [
        _read_one(path, format_, noted) for path, format_, noted in zip(paths, formats, problems, strict=True)
    ]
    refuse(problems)
    return assemble([document for document in documents if document is not None])


def _read_one(path: str | Path, format_: str | None, problems: Problems) -> Document | None:
    if is_stream(path):
        return _read_bytes(read_bytes(path), format_, problems)
    if format_ in _WHOLE:
        return _WHOLE[format_](read_bytes(path), problems)
    path = Path(path)
    try:
        with path.open("rb") as handle:
            if not handle.read(1):
                problems.add("the file is empty")
                return None
            handle.seek(0)
            digest = digest_of_file(path)
            if format_ == "parquet":
                return read_parquet(path, digest, problems)
            return read_ndjson(handle, digest, problems)
    except OSError as error:
        raise unreadable(path, error) from None


def _read_bytes(data: bytes, format_: str | None, problems: Problems) -> Document | None:
    format_ = format_ or format_of_bytes(data)
    if format_ in _WHOLE:
        return _WHOLE[format_](data, problems)
    read_stream = read_parquet if format_ == "parquet" else read_ndjson
    return read_stream(io.BytesIO(data), digest_of_bytes(data), problems)


_WHOLE: dict[str, Callable[[bytes, Problems], Document | None]] = {
    "json": read_json,
    "yaml": read_yaml,
    "csv": read_csv,
}
