"""A bundle in one .zip: read only if every program that unpacks it gets the same files.

Two entries of one name, entries that overlap, bytes that belong to none, a second name in an extra field, a
heading that says something else than the list of entries, and sizes that no bundle has are how one archive
shows two programs different things, or fills a disk. All are refused, by name. What lies where is said by
https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.7, 4.3.9, 4.3.12, 4.3.16, 4.5, 4.6.9).
"""

from __future__ import annotations

import stat
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import SEEK_CUR
from pathlib import Path
from struct import Struct
from typing import IO, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MOST_ENTRIES = 100_000
LARGEST = 64 << 30
"""Bytes that everything in an archive may come to."""
MOST_INFLATED, SMALL = 200, 64 << 20
"""How many times its own size an archive may come to, beyond so many bytes: tables of text come to 20."""
_LOCAL = Struct("<4s2xHH4xLLLHH")
_FIELD = Struct("<HH")
_WIDE, _OTHER_NAME = 0x0001, 0x7075
"""Extra fields: sizes of 64 bits, and another name, which some programs take and others do not."""
_IN_FIELD = 0xFFFFFFFF
"""In place of a size that stands in `_WIDE`."""
_DESCRIBED, _ENCRYPTED = 0x8, 0x1
_FOLDER = 0x10
"""What a folder is marked with where it comes from a system without modes."""
_END, _TAIL = b"PK\x05\x06", 22
"""What the list of entries ends with, and how long that is without a comment."""
_DESCRIPTOR = 24
"""Bytes that may follow an entry whose sizes were not known before it was written."""
_BAD = (BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, ValueError, zlib.error)


class Stream(Protocol):
    """The content of a file of a bundle; what cannot be read is an OSError."""

    def read(self, size: int = -1, /) -> bytes:
        """Read so many bytes, all for -1; nothing at the end."""

    def close(self) -> None:
        """Give it back."""


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[list[str], list[str], Callable[[str], Stream]]]:
    """Give the names in an archive, what is wrong with it, and how to open one of its files.

    A bad archive raises nothing: what is wrong is said, and no file of it can be opened then.
    """
    try:
        found = ZipFile(path)
    except (*_BAD, OSError) as error:
        yield [], [f"the archive cannot be read: {error}"], _closed
        return
    with found, path.open("rb") as raw:
        names = [each.filename for each in _files(found)]
        problems = list(_problems(found, raw))
        yield sorted(set(names)), problems, _closed if problems else lambda name: _Entry(found, name)


class _Entry:
    """The content of one entry, whose damage is an OSError like that of any file."""

    def __init__(self, found: ZipFile, name: str) -> None:
        try:
            self._stream = found.open(name)
        except _BAD as error:
            raise OSError(f"is damaged in the archive: {error}") from None

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._stream.read(size)
        except _BAD as error:
            raise OSError(f"is damaged in the archive: {error}") from None

    def close(self) -> None:
        self._stream.close()


def _closed(name: str) -> Stream:
    raise OSError(f"{name} was not read: the archive is not sound")


def _files(found: ZipFile) -> Iterator[ZipInfo]:
    return (each for each in found.infolist() if not each.is_dir())


def _problems(found: ZipFile, raw: IO[bytes]) -> Iterator[str]:
    entries = found.infolist()
    if len(entries) > MOST_ENTRIES:
        yield f"the archive has {len(entries):,} entries: no bundle has so many"
        return
    for name, count in Counter(each.filename for each in entries).items():
        if count > 1:
            yield f"{name} stands {count} times in the archive"
    yield from idle(
        [each.filename for each in entries if each.is_dir()], [each.filename for each in _files(found)]
    )
    for each in entries:
        yield from _problems_of(each)
    whole, packed = sum(each.file_size for each in entries), raw.seek(0, 2)
    if whole > min(LARGEST, max(SMALL, MOST_INFLATED * packed)):
        yield f"the archive of {packed:,} bytes would come to {whole:,}: no bundle does"
    yield from _places(found, raw, packed)


def _problems_of(each: ZipInfo) -> Iterator[str]:
    kind = stat.S_IFMT(each.external_attr >> 16)
    if stat.S_ISLNK(kind):
        yield f"{each.filename} is a symbolic link, not a file"
    elif kind not in {0, stat.S_IFDIR if each.is_dir() else stat.S_IFREG}:
        yield f"{each.filename} is marked as something else than its name says"
    elif not each.is_dir() and each.external_attr & _FOLDER:
        yield f"{each.filename} is marked as a folder, and named like a file"
    if (fields := _fields(each.extra)) is None or _OTHER_NAME in fields:
        yield f"{each.filename} has another name, or nothing that can be read, in an extra field"
    if each.orig_filename != each.filename:
        # Python ends a name at a NUL, and turns another system's separators.
        yield f"{each.orig_filename!r} is no name that every system understands alike"
    if each.flag_bits & _ENCRYPTED or each.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        yield f"{each.filename} is encrypted or packed in a way of its own"
    if each.is_dir() and each.file_size:
        yield f"{each.filename} is a folder with content"


def _places(found: ZipFile, raw: IO[bytes], size: int) -> Iterator[str]:
    """Say where entries overlap, leave bytes between them that no program shows, or contradict the list."""
    at = 0
    for each in sorted(found.infolist(), key=lambda each: each.header_offset):
        spare = _DESCRIPTOR if each.flag_bits & _DESCRIBED else 0
        if not at <= each.header_offset <= at + (spare if at else 0):
            yield f"{each.filename} overlaps another entry of the archive, or follows bytes that are of none"
            return
        raw.seek(each.header_offset)
        heading = raw.read(_LOCAL.size)
        if len(heading) < _LOCAL.size:
            yield f"{each.filename} lies beyond the end of the archive"
            return
        _, flags, method, *numbers, name, extra = _LOCAL.unpack(heading)
        raw.seek(name, SEEK_CUR)
        fields = _fields(raw.read(extra))
        if fields is None or _OTHER_NAME in fields or not _agrees(each, flags, method, numbers, fields):
            yield f"{each.filename} is not in its own heading what the list of entries says of it"
        at = each.header_offset + _LOCAL.size + name + extra + each.compress_size
    if not at <= found.start_dir <= at + _DESCRIPTOR or found.comment:
        yield "the archive has bytes that are of no entry, or a comment"
    if found.start_dir >= size:
        yield "the archive ends before its list of entries"
    raw.seek(max(0, size - _TAIL))
    if not raw.read().startswith(_END):
        yield "the archive has bytes behind its end"


def _agrees(
    each: ZipInfo, flags: int, method: int, numbers: Sequence[int], fields: Mapping[int, bytes]
) -> bool:
    """Compare an entry's own heading with the list: programs that read from the front go by it."""
    expected = (each.CRC, each.compress_size, each.file_size)
    said = tuple(None if number == _IN_FIELD and _WIDE in fields else number for number in numbers)
    if flags & _DESCRIBED:  # they follow the content
        expected, said = (0, 0, 0), tuple(number or 0 for number in said)
    same = all(number in (None, wanted) for number, wanted in zip(said, expected, strict=True))
    return same and (flags, method) == (each.flag_bits, each.compress_type)


def _fields(extra: bytes) -> Mapping[int, bytes] | None:
    """Take extra fields apart, by their number; None for bytes that are none."""
    found, rest = dict[int, bytes](), extra
    while rest:
        if len(rest) < _FIELD.size:
            return None
        kind, length = _FIELD.unpack_from(rest)
        if len(rest) < _FIELD.size + length or kind in found:
            return None
        found[kind], rest = rest[_FIELD.size : _FIELD.size + length], rest[_FIELD.size + length :]
    return found


def idle(folders: Iterable[str], names: Iterable[str]) -> Iterator[str]:
    """Say which folders, each with a `/` at its end, hold no file: no digest is of them."""
    held = {name[: at + 1] for name in names for at, each in enumerate(name) if each == "/"}
    yield from (f"{folder} is a folder without a file" for folder in sorted(folders) if folder not in held)
