"""JSON and NDJSON documents."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import BinaryIO

import msgspec
import polars as pl

from keyaudit.inventory import nodes
from keyaudit.inventory.decode import decode
from keyaudit.inventory.document import Document
from keyaudit.inventory.header import Header, read_header
from keyaudit.inventory.opening import digest_of_bytes, text_of
from keyaudit.inventory.problems import Problems
from keyaudit.inventory.tabulate import BATCH, Carried, tabulate

LONGEST_LINE = 16 << 20

_TOP: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_BYTE = re.compile(r" \(byte (\d+)\)")


def read_json(data: bytes, problems: Problems) -> Document | None:
    """Read a JSON document; None, with the problems noted, if anything in it is wrong."""
    text = _text(data, problems)
    if text is None:
        return None
    try:
        top = _TOP.decode(text)
        body = bytes(top.get("credentials", b"[]"))
        texts = _LIST.decode(body)
        header = _header(text, body, problems)
    except msgspec.ValidationError:
        _not_a_document(text, problems)
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _malformed(text, error, problems)
        return None
    places = _Places(text, text.find(body), texts)
    frame, columns = _frame(texts, places, problems)
    if problems.total:
        return None
    return Document(problems.file, header, frame, columns, places.line, digest_of_bytes(data))


def _text(data: bytes, problems: Problems) -> bytes | None:
    try:
        return text_of(data)
    except ValueError as error:
        problems.add(str(error))
        return None


def _header(
    text: bytes, list_: bytes, problems: Problems, body: tuple[str, ...] = ("credentials",)
) -> Header:
    """Read all but the credentials; their place keeps its lines, so that later ones keep theirs."""
    rest = text.replace(list_, b"[" + b"\n" * list_.count(b"\n") + b"]", 1) if len(list_) > 2 else text
    try:
        node = nodes.parse_json(rest.decode())
    except UnicodeDecodeError as error:
        problems.add(f"not UTF-8: byte {error.object[error.start]:#04x}", line=_line_at(rest, error.start))
        return Header()
    except nodes.Malformed as error:
        problems.add(str(error), line=error.line, column=error.column)
        return Header()
    return read_header(node, problems, body=body)


def _not_a_document(text: bytes, problems: Problems) -> None:
    """Say what stands where a mapping, or a list of credentials, should."""
    start = text[:1000].lstrip()[:1]
    if start != b"{":
        what = {b"[": "a list", b'"': "a text"}.get(start, "something else")
        problems.add(f"expected a mapping with schema, coverage and credentials, got {what}", line=1)
    else:
        line = text.count(b"\n", 0, max(text.find(b'"credentials"'), 0)) + 1
        problems.add("expected a list of credentials", line=line, field="credentials")


def _malformed(text: bytes, error: Exception, problems: Problems) -> None:
    if isinstance(error, RecursionError):
        problems.add("nested too deeply")
        return
    if isinstance(error, UnicodeDecodeError):
        problems.add(f"not UTF-8: byte {error.object[error.start]:#04x}", line=_line_at(text, error.start))
        return
    found = _BYTE.search(str(error))
    position = int(found[1]) if found else len(text)
    column = position - text.rfind(b"\n", 0, position)
    sentence = _BYTE.sub("", str(error)).removeprefix("JSON is malformed: ")
    if "escape" in sentence or "surrogate" in sentence:
        sentence = "a \\u escape that is broken, or half of a surrogate pair"
    message = f"not JSON: {sentence[:1].lower()}{sentence[1:]}"
    problems.add(message, line=_line_at(text, position), column=column)


def _line_at(text: bytes, position: int) -> int:
    return text.count(b"\n", 0, position) + 1


class _Places:
    """Finds the lines of credentials, which is only needed once something is wrong with one."""

    def __init__(self, text: bytes, start: int, texts: Sequence[msgspec.Raw]) -> None:
        self.text, self.start, self.texts = text, start, texts
        self.row, self.position, self.lines = 0, 0, 1

    def line(self, row: int) -> int:
        """Give the line on which a credential begins."""
        return self.place(row)[0]

    def place(self, row: int) -> tuple[int, int]:
        """Give the line and column at which a credential begins. Going back begins anew."""
        if row < self.row or self.position < self.start:
            self.row, self.position, self.lines = 0, 0, 1
            self._go_to(self.start)
        while self.row < row:
            self._go_to(self._begin() + len(bytes(self.texts[self.row])))
            self.row += 1
        self._go_to(self._begin())
        return self.lines, self.position - self.text.rfind(b"\n", 0, self.position)

    def _begin(self) -> int:
        return self.text.find(bytes(self.texts[self.row]), self.position)

    def _go_to(self, position: int) -> None:
        self.lines += self.text.count(b"\n", self.position, position)
        self.position = position


def _at_line_start(numbers: array[int], first: int, index: int) -> tuple[int, int]:
    return numbers[first + index], 1


def _ahead(place_of: Callable[[int], tuple[int, int]], first: int, index: int) -> tuple[int, int]:
    return place_of(first + index)


def _frame(
    texts: Sequence[msgspec.Raw], places: _Places, problems: Problems
) -> tuple[pl.LazyFrame, frozenset[str]]:
    carried = Carried()
    frames = [tabulate((), carried)]
    for first in range(0, len(texts), BATCH):
        batch = texts[first : first + BATCH]
        frame = decode(batch, first, partial(_ahead, places.place, first), carried, problems)
        if frame is not None:
            frames.append(frame)
    return pl.concat(frames, rechunk=False).lazy(), carried.collected()


def read_ndjson(handle: BinaryIO, digest: Callable[[], str], problems: Problems) -> Document | None:
    """Read NDJSON: the header on the first line, then one credential a line. See `read_json`."""
    lines = _lines(handle, problems)
    start = next(lines, None)
    text = _text(start[1] if start else b"", problems)
    if start is None or text is None:
        return None
    header = _header(text, b"[]", problems, body=())
    carried, frames, numbers = Carried(), [tabulate((), Carried())], array("Q")
    while batch := list(islice(lines, BATCH)):
        first = len(numbers)
        numbers.extend(number for number, _ in batch)
        texts = [line for _, line in batch]
        frame = decode(texts, first, partial(_at_line_start, numbers, first), carried, problems)
        if frame is not None:
            frames.append(frame)
    if problems.total:
        return None
    rows = pl.concat(frames, rechunk=False).lazy()
    return Document(problems.file, header, rows, carried.collected(), numbers.__getitem__, digest)


def _lines(handle: BinaryIO, problems: Problems) -> Iterator[tuple[int, bytes]]:
    """Give the lines that are not blank with their numbers; one that is endless is a problem."""
    number = 0
    while line := handle.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            problems.add(f"a line longer than {LONGEST_LINE >> 20} MiB is no credential", line=number)
            while (line := handle.readline(LONGEST_LINE)) and not line.endswith(b"\n"):
                pass
        elif not line.isspace():
            yield number, line.rstrip(b"\r\n")
