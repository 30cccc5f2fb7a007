"""A .env file under a lock: read, and replaced whole if nobody else changed it."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from keyaudit.errors import RotationError
from keyaudit.files import replace_unchanged
from keyaudit.rotation.stores.dotenv_text import DotenvText, read_text

LARGEST = 1 << 20
"""Bytes."""
_PAUSE = 0.01
_TEMPORARY = re.compile(r"[a-z0-9_]{8}")
"""What `tempfile` puts behind the beginning of a name."""


@dataclass(frozen=True, slots=True)
class LockedFile:
    """The file while its lock is held."""

    path: Path

    def read(self) -> tuple[DotenvText, os.stat_result]:
        """Give the text, and what the file was then."""
        return read(self.path)

    def replace(self, text: str, seen: os.stat_result) -> bool:
        """Write the file anew; False if it is not what was seen any more."""
        try:
            return replace_unchanged(self.path, text.encode("utf-8", "surrogateescape"), seen)
        except OSError as error:
            raise _refused(self.path, "written", error) from None


def read(path: Path) -> tuple[DotenvText, os.stat_result]:
    """Read a file that is no link; raises RotationError."""
    try:
        descriptor = _opened(path)
        with os.fdopen(descriptor, "rb") as file:
            seen = os.fstat(file.fileno())
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise _refused(path, "read", error) from None
    if len(content) > LARGEST:
        raise RotationError(f"{path} is larger than {LARGEST:,} bytes: it is no .env file")
    return read_text(content.decode("utf-8", "surrogateescape")), seen


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[LockedFile]:
    """Hold the lock of a file, waiting for it `timeout` seconds; raises RotationError."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            descriptor = _opened(path)
        except OSError as error:
            raise _refused(path, "read", error) from None
        try:
            _lock(path, descriptor, deadline)
            # Whoever had the lock may have put another file in its place: then this one is nobody's.
            if _is_still(path, descriptor):
                _sweep(path)
                yield LockedFile(path)
                return
        finally:
            os.close(descriptor)


def _opened(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no file with one name")
    return descriptor


def _lock(path: Path, descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RotationError(
                    f"another run keeps the lock of {path}", hint="let it finish, then run again"
                ) from None
            time.sleep(_PAUSE)
        except OSError as error:
            raise _refused(path, "locked", error) from None
        else:
            return


def _is_still(path: Path, descriptor: int) -> bool:
    ours = os.fstat(descriptor)
    try:
        there = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _sweep(path: Path) -> None:
    """Remove what a run left that was killed while it wrote (`files`): it holds every value of the file.

    Only who has the lock writes, so nobody is writing one now.
    """
    for left in path.parent.glob(f".{escape(path.name)}.*"):
        if _TEMPORARY.fullmatch(left.name.removeprefix(f".{path.name}.")) and not left.is_symlink():
            with suppress(OSError):
                left.unlink()


def _refused(path: Path, what: str, error: OSError) -> RotationError:
    if error.errno == errno.ELOOP:
        return RotationError(f"{path} is a link", hint="name the file that it points to")
    if error.errno == errno.ENOENT:
        return RotationError(f"there is no {path}", hint="write it with the first value, then rotate that")
    return RotationError(f"{path} cannot be {what}: {error.strerror}")
