"""CSV documents: one row a credential, or one a version with the credential's columns repeated.

The first row may be the document's header as a comment (`# {"schema": …}`), as `write` makes it;
then come the names of the columns. An empty cell is null, a column that is not there was not
collected.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice

from keyaudit.columns import REQUIRED, REQUIRED_OF_VERSION
from keyaudit.errors import did_you_mean
from keyaudit.inventory import nodes
from keyaudit.inventory.cells import COLUMNS, LABEL, VERSION
from keyaudit.inventory.check import shown
from keyaudit.inventory.csv_rows import Row, flat_frame
from keyaudit.inventory.csv_versions import gather
from keyaudit.inventory.document import Document
from keyaudit.inventory.header import Header, read_header
from keyaudit.inventory.opening import digest_of_bytes, text_of
from keyaudit.inventory.problems import Problems
from keyaudit.inventory.tabulate import BATCH


def read_csv(data: bytes, problems: Problems) -> Document | None:
    """Read a CSV document; None, with the problems noted, if anything in it is wrong."""
    records = _records(data, problems)
    line, first = next(records, (0, []))
    header = Header()
    if first and first[0].startswith("#"):
        header = _header(first, line, problems)
        line, first = next(records, (line, []))
    columns = tuple(first)
    if not problems.total:
        _check_columns(columns, line, problems)
    if problems.total:
        return None
    lines = array("Q")
    nothing = flat_frame(columns, [], problems)
    frames = [] if nothing is None else [nothing]
    while batch := list(islice(records, BATCH)):
        rows = [row for row in batch if _fits(row, columns, problems)]
        lines.extend(number for number, _ in rows)
        if (frame := flat_frame(columns, rows, problems)) is not None:
            frames.append(frame)
    if problems.total:
        return None
    frame, starts = gather(frames, lines, problems)
    if problems.total:
        return None
    return Document(
        problems.file, header, frame.lazy(), _carried(columns), starts.__getitem__, digest_of_bytes(data)
    )


def _records(data: bytes, problems: Problems) -> Iterator[Row]:
    """Give the records that are not blank, each with the line it begins on."""
    try:
        text = text_of(data).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(f"not UTF-8: byte {error.object[error.start]:#04x}", line=line)
        return
    except ValueError as error:
        problems.add(str(error))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        problems.add(f"not CSV: {error}", line=line)


def _header(record: list[str], line: int, problems: Problems) -> Header:
    """Read the comment that holds the document's header; spreadsheets add empty cells after it."""
    if any(record[1:]):
        problems.add("the comment with the document's header must be one cell, in quotes", line=line)
        return Header()
    try:
        node = nodes.parse_json(record[0].removeprefix("#").strip(), line)
    except nodes.Malformed as error:
        problems.add(f"the comment is not the document's header: {error}", line=line)
        return Header()
    return read_header(node, problems)


def _check_columns(columns: Sequence[str], line: int, problems: Problems) -> None:
    if not columns:
        problems.add("no columns: the first row names them", line=line or 1)
        return
    seen: set[str] = set()
    known = (*COLUMNS, "versions", "labels")
    for number, name in enumerate(columns, start=1):
        if name in seen:
            problems.add("column given twice", line=line, field=shown(name)[1:-1])
        elif not name:
            problems.add(f"column {number} has no name", line=line)
        elif name not in known and not name.startswith(LABEL):
            problems.add(f"unknown column {shown(name)}{did_you_mean(name, known)}", line=line)
        seen.add(name)
    required = list(REQUIRED)
    if any(name.startswith(VERSION) for name in columns):
        required += [f"{VERSION}{name}" for name in REQUIRED_OF_VERSION]
    for name in required:
        if name not in seen:
            problems.add("column missing", line=line, field=name)


def _fits(row: Row, columns: Sequence[str], problems: Problems) -> bool:
    line, cells = row
    if len(cells) != len(columns):
        problems.add(f"{len(cells)} cells where there are {len(columns)} columns", line=line)
    return len(cells) == len(columns)


def _carried(columns: Sequence[str]) -> frozenset[str]:
    names = {name.replace("rotation.", "rotation_") for name in columns if not name.startswith(LABEL)}
    if any(name.startswith(LABEL) for name in columns):
        names.add("labels")
    return frozenset(names)
