"""A bundle in one .zip: read only if every program that unpacks it gets the same files.

Two entries of one name, entries that overlap, bytes that belong to none and sizes that no bundle has are
how one archive shows two programs different things, or fills a disk. All are refused, by name. What lies
where is said by https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.7, 4.3.9, 4.3.12).
"""

from __future__ import annotations

import stat
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import IO, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

MOST_ENTRIES = 100_000
LARGEST = 64 << 30
"""Bytes that everything in an archive may come to."""
MOST_INFLATED, SMALL = 200, 64 << 20
"""How many times its own size an archive may come to, beyond so many bytes: tables of text come to 20."""
_LOCAL = Struct("<4s22xHH")
_DESCRIBED, _ENCRYPTED = 0x8, 0x1
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
    elif kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        yield f"{each.filename} is a device, a pipe or a socket, not a file"
    if each.orig_filename != each.filename:
        # Python ends a name at a NUL, and turns another system's separators.
        yield f"{each.orig_filename!r} is no name that every system understands alike"
    if each.flag_bits & _ENCRYPTED or each.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        yield f"{each.filename} is encrypted or packed in a way of its own"
    if each.is_dir() and each.file_size:
        yield f"{each.filename} is a folder with content"


def _places(found: ZipFile, raw: IO[bytes], size: int) -> Iterator[str]:
    """Say where entries overlap or leave bytes between them that no program shows."""
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
        _, name, extra = _LOCAL.unpack(heading)
        at = each.header_offset + _LOCAL.size + name + extra + each.compress_size
    if not at <= found.start_dir <= at + _DESCRIPTOR or found.comment:
        yield "the archive has bytes that are of no entry, or a comment"
    if found.start_dir >= size:
        yield "the archive ends before its list of entries"
