"""A bundle that somebody else made, opened without believing anything of it.

Names are looked at before anything is read: each must mean the same file to every program and on every
system, inside the bundle. Whatever is no plain file or folder is a problem, and is never followed.
"""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Self

from keyaudit.errors import UsageError
from keyaudit.evidence import archive, layout

MOST_FILES = 100_000
LONGEST_NAME, DEEPEST = 255, 16
CHUNK = 1 << 20
LARGEST_DOCUMENT = 256 << 20
"""Bytes of a file that is read as a whole: manifests, signatures, the recipe."""
_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\x9f\\:*?\"<>|/]+")


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle: its files by name (`/` between folders), and what is wrong with its structure.

    `open_file` gives a file's content, as a stream.
    """

    name: str
    names: frozenset[str]
    problems: tuple[str, ...]
    open_file: Callable[[str], archive.Stream]

    def read(self, name: str) -> bytes:
        """Read a file whole; raises OSError for one that is missing, damaged or unreasonably large."""
        with closing(self.open_file(name)) as stream:
            content = stream.read(LARGEST_DOCUMENT + 1)
        if len(content) > LARGEST_DOCUMENT:
            raise OSError(f"has more than {LARGEST_DOCUMENT >> 20} MiB")
        return content

    def digest(self, name: str, copy: Path | None = None) -> str:
        """Give a file's SHA-256 in hex; with `copy`, the bytes that were counted are there afterwards.

        Raises OSError for a file that cannot be read, UsageError where there is no room for a copy of it:
        that says nothing of the bundle.
        """
        counted = sha256()
        with (
            closing(self.open_file(name)) as stream,
            nullcontext() if copy is None else _Copy(copy) as target,
        ):
            while chunk := stream.read(CHUNK):
                counted.update(chunk)
                if target is not None:
                    target.write(chunk)
        return counted.hexdigest()


class _Copy:
    """A new file among the temporary ones; it has every byte that was written as soon as `write` returns."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise no_room(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, content: bytes) -> None:
        left = memoryview(content)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise no_room(error) from None


def no_room(error: OSError) -> UsageError:
    """Say that the folder for temporary files is of no use."""
    hint = "a bundle is copied there before it is audited again: TMPDIR names another, --no-replay needs none"
    return UsageError(f"the folder for temporary files: {error.strerror or error}", hint=hint)


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Open a bundle, a folder or a .zip; raises UsageError for what is not there or no bundle at all."""
    try:
        found = path.stat()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if stat.S_ISDIR(found.st_mode):
        yield _is_bundle(path, _folder(path))
    elif stat.S_ISREG(found.st_mode):
        with archive.unpacked(path) as (names, problems, read):
            found_in = Opened(path.name, frozenset(names), (*problems, *_problems(names)), read)
            yield _is_bundle(path, found_in)
    else:
        raise UsageError(f"{path}: is neither a folder nor a file", hint="give a bundle: a folder or a .zip")


def _is_bundle(path: Path, found: Opened) -> Opened:
    if layout.MANIFEST in found.names or found.problems:
        return found
    hint = "a bundle is what scan --bundle writes; one without a manifest was never finished"
    raise UsageError(f"{path}: is no bundle: there is no {layout.MANIFEST} in it", hint=hint)


def _folder(root: Path) -> Opened:
    names, problems = list[str](), list[str]()
    waiting, folders = [""], list[str]()
    while waiting:
        under = waiting.pop()
        for entry in _entries(root, under, problems):
            name = f"{under}{os.fsencode(entry.name).decode('utf-8', 'backslashreplace')}"
            if entry.is_dir(follow_symlinks=False) and name.count("/") < DEEPEST:
                waiting.append(f"{name}/")
                folders.append(f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                names.append(name)
            else:
                problems.append(f"{name} is {_kind(entry)}, not a file")
            if len(names) + len(folders) > MOST_FILES:
                raise UsageError(f"{root}: has more than {MOST_FILES:,} files: no bundle has so many")
    found = (*problems, *_problems(names), *archive.idle(folders, names))
    return Opened(root.name or str(root), frozenset(names), found, lambda name: _plain_file(root / name))


def _entries(root: Path, under: str, problems: list[str]) -> list[os.DirEntry[str]]:
    """List a folder; one inside that cannot be listed is a problem, for nobody knows what is in it."""
    try:
        with os.scandir(root / under) as entries:
            return list(entries)
    except OSError as error:
        if not under:
            raise UsageError(f"{root}: {error.strerror}") from None
        problems.append(f"{under} cannot be looked into: {error.strerror}")
        return []


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "a symbolic link"
    return "a folder too deep" if entry.is_dir(follow_symlinks=False) else "a device, a pipe or a socket"


def _plain_file(path: Path) -> IO[bytes]:
    """Open a file that is no link; one that became a pipe meanwhile does not make us wait."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("is no plain file")
    return os.fdopen(descriptor, "rb")


def _problems(names: Iterable[str]) -> Iterator[str]:
    """Say which names a bundle cannot have: alone, and beside each other."""
    seen = dict[str, str]()
    names = sorted(names)
    for name in names:
        if not sound(name):
            yield f"{name!r} is no name that every system understands alike"
        folded = unicodedata.normalize("NFC", name).casefold()
        if (other := seen.setdefault(folded, name)) != name:
            yield f"{name} and {other} are one file where capitals do not count"
    for folded, name in seen.items():
        parents = folded.split("/")[:-1]
        if any("/".join(parents[: k + 1]) in seen for k in range(len(parents))):
            yield f"{name} lies in a folder that is a file as well"


def sound(name: str) -> bool:
    """Say whether a name stays inside the bundle and is read alike everywhere: no `..`, no backslash."""
    parts = name.split("/")
    return (
        len(name.encode("utf-8", "replace")) <= LONGEST_NAME * 4
        and len(parts) <= DEEPEST
        and all(
            _PLAIN.fullmatch(part) is not None
            and part == part.strip()
            and not part.endswith(".")
            and part.isprintable()
            and len(part.encode("utf-8", "replace")) <= LONGEST_NAME
            for part in parts
        )
    )
