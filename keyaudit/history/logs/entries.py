"""The entries of an exported log: a JSON document with a list of them, or one a line; packed by gzip or not.

A file with a line an entry is read as a stream. A document is held whole, and is refused beyond
`LARGEST_DOCUMENT`. Both limits count what comes out of gzip, so that a small file cannot unpack without end.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader

import msgspec

LARGEST_DOCUMENT = 256 * 1024 * 1024
LARGEST_FILE = 8 * 1024 * 1024 * 1024
LONGEST_LINE = 4 * 1024 * 1024
"""Bytes. CloudTrail keeps an event below 256 KB, Cloud Logging below 1 MB."""
_GZIP = b"\x1f\x8b"

Encoded = bytes | msgspec.Raw
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding bytes of unknown origin may end in."""


class UnreadableError(ValueError):
    """Why a file is no evidence: a sentence, without anything that stands in the file."""


class _Document(msgspec.Struct, frozen=True):
    records: list[msgspec.Raw] | None = msgspec.field(name="Records", default=None)
    events: list[msgspec.Raw] | None = msgspec.field(name="Events", default=None)


class _LookedUp(msgspec.Struct, frozen=True):
    event: str | None = msgspec.field(name="CloudTrailEvent", default=None)


_OBJECT = msgspec.json.Decoder(_Document)
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_LOOKED_UP = msgspec.json.Decoder(_LookedUp)


def entries(file: BufferedReader) -> Iterator[tuple[str, Encoded]]:
    """Give each entry and where it stands, `line 3` or `entry 3`; raises UnreadableError, OSError."""
    packed = file.peek(2)[:2] == _GZIP
    try:
        if packed:
            with gzip.GzipFile(fileobj=file) as stream:
                yield from _each(stream)
        else:
            yield from _each(file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UnreadableError("is no whole gzip file: was it cut off?") from None


def _each(stream: BufferedReader | gzip.GzipFile) -> Iterator[tuple[str, Encoded]]:
    first = stream.readline(LONGEST_LINE + 1)
    if not _is_line(first):
        yield from _document(first + stream.read(LARGEST_DOCUMENT + 1 - len(first)))
        return
    size, number, line = 0, 1, first
    while line:
        size += len(line)
        if len(line) > LONGEST_LINE:
            raise UnreadableError(f"line {number} is longer than {LONGEST_LINE:,} bytes")
        if size > LARGEST_FILE:
            raise UnreadableError(f"is larger than {LARGEST_FILE:,} bytes unpacked")
        if line.strip():
            yield f"line {number}", _unwrapped(line, f"line {number}")
        line, number = stream.readline(LONGEST_LINE + 1), number + 1


def _is_line(first: bytes) -> bool:
    """Say whether a file's first line is an entry of its own, rather than the beginning of a document."""
    try:
        found = _OBJECT.decode(first)
    except MALFORMED:
        return False
    return found.records is None and found.events is None


def _document(content: bytes) -> Iterator[tuple[str, Encoded]]:
    if len(content) > LARGEST_DOCUMENT:
        raise UnreadableError(f"is a document of more than {LARGEST_DOCUMENT:,} bytes; give one entry a line")
    if not content.strip():
        raise UnreadableError("is empty")
    try:
        if content.lstrip()[:1] == b"[":
            found = _LIST.decode(content)
        else:
            document = _OBJECT.decode(content)
            lists = (document.records, document.events)
            found = next((each for each in lists if each is not None), [msgspec.Raw(content)])
    except MALFORMED:
        raise UnreadableError("is no JSON, or was cut off") from None
    for number, entry in enumerate(found, start=1):
        yield f"entry {number}", _unwrapped(entry, f"entry {number}")


def _unwrapped(entry: Encoded, where: str) -> Encoded:
    """Give the event itself of what LookupEvents says about it."""
    try:
        event = _LOOKED_UP.decode(entry).event
    except MALFORMED:
        raise UnreadableError(f"{where} is no JSON object, or was cut off") from None
    return entry if event is None else event.encode()
