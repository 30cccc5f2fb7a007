"""A bundle while it is made: a hidden folder beside its target, locked by the run that fills it.

The lock ends with the process, however it ends. So a folder of this kind that nobody locks was left by a
run that was killed: it is no bundle, and the next run beside it takes it away.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from keyaudit.errors import UsageError
from keyaudit.evidence.layout import is_zip
from keyaudit.files import sync_folder

FOLDER, FILE = 0o700, 0o600
"""Permissions: a bundle tells which keys are old."""
_SUFFIX = ".unfinished"
_FIRST_YEAR = 1980
"""Of a time in a ZIP archive."""


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """Give a folder to fill; it is gone afterwards, unless `publish` made it the target.

    Raises UsageError where nothing can be written beside the target.
    """
    clean(target)
    folder, lock = _begin(target)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _begin(target: Path) -> tuple[Path, int]:
    while True:
        folder = target.with_name(f".{target.name}.{secrets.token_hex(6)}{_SUFFIX}")
        try:
            folder.mkdir(mode=FOLDER)
            lock = os.open(folder, os.O_RDONLY)
        except OSError as error:
            raise UsageError(f"--bundle {target}: cannot be written beside: {error.strerror}") from None
        if _locked(lock) and folder.exists():
            return folder, lock
        os.close(lock)  # between its making and its lock, another run took it for a dead one's


def clean(target: Path) -> None:
    """Take away what runs that were killed left beside the target; those under way keep their own."""
    for folder in sorted(target.parent.glob(f".{_literal(target.name)}.*{_SUFFIX}")):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            if _locked(lock):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _literal(name: str) -> str:
    return "".join(f"[{each}]" if each in "*?[" else each for each in name)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def put(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files under a folder and have them on the disk; raises OSError."""
    folders = {folder}
    for name, content in contents.items():
        path = folder / name
        above = [each for each in path.parents if each.is_relative_to(folder)]
        for each in reversed(above):  # with parents=True, those in between would be open to others
            each.mkdir(mode=FOLDER, exist_ok=True)
        folders |= set(above)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
    for each in sorted(folders):
        sync_folder(each)


def refuse_existing(target: Path) -> None:
    """Raise UsageError for a bundle that would take the place of anything, or cannot be put there."""
    if target.is_symlink() or target.exists():
        hint = "a bundle is never overwritten: give it another name, such as one with the date"
        raise UsageError(f"--bundle {target}: already there", hint=hint)
    if not target.parent.is_dir():
        raise UsageError(f"--bundle {target}: there is no folder {target.parent}")
    if not os.access(target.parent, os.W_OK):
        raise UsageError(f"--bundle {target}: the folder {target.parent} is not writable")


def publish(folder: Path, target: Path, year_to_second: tuple[int, int, int, int, int, int]) -> None:
    """Give a finished folder its name, or make it the archive of that name, in one step.

    Files of an archive bear the time that is given. Raises UsageError for what is there already, OSError.
    """
    if not is_zip(target.name):
        refuse_existing(target)
        folder.rename(target)
    else:
        archive = folder / "bundle"
        _pack(folder, archive, year_to_second)
        try:
            os.link(archive, target)  # unlike a rename, it replaces nothing
        except FileExistsError:
            refuse_existing(target)
        except OSError:  # a file system without hard links
            refuse_existing(target)
            archive.rename(target)
    sync_folder(target.parent)


def _pack(folder: Path, archive: Path, time: tuple[int, int, int, int, int, int]) -> None:
    """Pack all files in the order of their names, every one alike but for its content."""
    names = sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file())
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
    with os.fdopen(descriptor, "wb") as handle:
        with ZipFile(handle, "w", ZIP_DEFLATED) as packed:
            for name in names:
                entry = ZipInfo(name, max(time, (_FIRST_YEAR, 1, 1, 0, 0, 0)))
                entry.compress_type, entry.create_system = ZIP_DEFLATED, 3
                entry.external_attr = (0o100000 | FILE) << 16
                entry.file_size = (folder / name).stat().st_size  # more than 2 GiB need wider headings
                with packed.open(entry, "w") as into, (folder / name).open("rb") as content:
                    shutil.copyfileobj(content, into)
        handle.flush()
        os.fsync(handle.fileno())
