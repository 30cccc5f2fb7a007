"""Files appear whole or not at all, and what others could have written is not believed."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `content` so that a reader, or a crash, sees the old file or the new one.

    Raises OSError. The folder must exist. Permissions are set before the file gets its name.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def replace_unchanged(path: Path, content: bytes, seen: os.stat_result) -> bool:
    """Replace a file that is still what was seen, keeping mode and owner; False if somebody changed it.

    `seen` is what `os.stat` said before it was read. Whoever writes between this function's last look
    and the replacement (microseconds) without a lock is overwritten. Raises OSError.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            ours = os.fstat(handle.fileno())
            if (ours.st_uid, ours.st_gid) != (seen.st_uid, seen.st_gid):
                os.fchown(handle.fileno(), seen.st_uid, seen.st_gid)
            os.fchmod(handle.fileno(), stat.S_IMODE(seen.st_mode))
            os.fsync(handle.fileno())
        if _mark(os.stat(path, follow_symlinks=False)) != _mark(seen):
            os.unlink(temporary)
            return False
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_folder(path.parent)
    return True


def _mark(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def sync_folder(folder: Path) -> None:
    """Have a new name in a folder on the disk, too; raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_own(path: Path) -> bytes:
    """Read a file that nobody else could have written; raises OSError for any other, or none.

    File and folder must be ours and closed to other writers, and the file no link.
    """
    _only_ours(os.stat(path.parent, follow_symlinks=False))
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        _only_ours(os.fstat(file.fileno()))
        return file.read()


def _only_ours(found: os.stat_result) -> None:
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError("somebody else can write it")
