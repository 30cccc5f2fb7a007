"""Where bytes go: stdout is a document, stderr is for messages, files appear whole or not at all."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from keyaudit.cli.clock import now
from keyaudit.errors import UsageError

LONGEST_MESSAGE = 2000
LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True)
class Log:
    """How stderr is written: a line for people, or one JSON object a line for machines."""

    as_json: bool = False

    def say(self, message: str | None, event: str = "message", **fields: object) -> None:
        """Say that something happened; people are shown `message`, if there is one.

        Names in it may come from a stranger: control characters are shown, not sent.
        """
        if self.as_json:
            spoken = {} if message is None else {"message": message}
            self._put(_as_json({"time": _instant(), "event": event, **fields, **spoken}))
        elif message is not None:
            from keyaudit.formats.visible import visible

            self._put(visible(message, longest=LONGEST_MESSAGE))

    @staticmethod
    def _put(line: str) -> None:
        try:
            click.echo(line, err=True)
        except BrokenPipeError:
            _close(sys.stderr)


_FOR_PEOPLE = Log()
_LOG: ContextVar[Log] = ContextVar("log", default=_FOR_PEOPLE)


def log() -> Log:
    """Give how this run writes stderr. A thread that is to write takes it along: contexts stay behind."""
    return _LOG.get()


def log_as(form: str) -> None:
    """Write stderr in one of `LOG_FORMATS` until this run ends."""
    _LOG.set(Log(as_json=form == "json"))


def tell(message: str, event: str = "message", **fields: object) -> None:
    """Say one line on stderr; see `Log.say`."""
    log().say(message, event, **fields)


def _instant() -> str:
    from keyaudit.times import format_instant

    return format_instant(now())


def _as_json(fields: Mapping[str, object]) -> str:
    """Keep to ASCII: what could move a cursor or reorder a line is escaped, and nothing is lost."""
    return json.dumps(fields, default=str)


def print_document(content: bytes) -> None:
    """Put a document on stdout. A reader who went away (`| head`) changes no verdict and no exit code."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _close(sys.stdout)
    except OSError as error:
        raise UsageError(f"cannot write to stdout: {error.strerror}") from None


def print_text(text: str) -> None:
    """Put text on stdout, as UTF-8 whatever the locale says, with a newline at its end."""
    print_document(f"{text.rstrip()}\n".encode("utf-8", "backslashreplace"))


def _close(stream: Any) -> None:
    """Let what is still buffered go nowhere, so that Python's own flush at exit stays silent."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def prepare_folder(folder: Path) -> None:
    """Make the folder that reports go to, before any work is done; raises UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--output {folder}: {error.strerror}", hint="give a folder, or - for stdout"
        ) from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"--output {folder}: not writable")


def prepare_file(path: Path) -> None:
    """Look whether a file can be written, before any work is done; raises UsageError."""
    if path.is_dir():
        raise UsageError(f"--output {path}: is a folder", hint="give a file, or - for stdout")
    if not path.parent.is_dir():
        raise UsageError(f"--output {path}: there is no folder {path.parent}")
    if not _leads_elsewhere(path) and not os.access(path.parent, os.W_OK):
        raise UsageError(f"--output {path}: the folder {path.parent} is not writable")


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write each file whole or not at all and say where it is; raises UsageError."""
    for name, content in contents.items():
        write_file(folder / name, content)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all and say where it is; raises UsageError."""
    from keyaudit.files import write_atomically

    try:
        if _leads_elsewhere(path):
            path.write_bytes(content)
        else:
            write_atomically(path, content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
    tell(f"wrote {path}", "written", path=str(path))


def _leads_elsewhere(path: Path) -> bool:
    """Say whether a name is a link, a device or a pipe: written through, for replaced it were gone for all.

    Whoever may replace /dev/stdout or /dev/null, as root may in a container, would take it from everybody.
    """
    return path.is_symlink() or (path.exists() and not path.is_file())


def is_terminal() -> bool:
    """Say whether a person looks at stdout."""
    return sys.stdout.isatty()
