"""Where bytes go: stdout is a document, stderr is for messages, files appear whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from keyaudit.errors import UsageError

LONGEST_MESSAGE = 2000


def tell(message: str) -> None:
    """Say one line on stderr. Names in it may come from a stranger: control characters are shown."""
    from keyaudit.formats.visible import visible

    try:
        click.echo(visible(message, longest=LONGEST_MESSAGE), err=True)
    except BrokenPipeError:
        _close(sys.stderr)


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


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write each file whole or not at all and say where it is; raises UsageError."""
    from keyaudit.files import write_atomically

    for name, content in contents.items():
        path = folder / name
        try:
            write_atomically(path, content)
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror}") from None
        tell(f"wrote {path}")


def is_terminal() -> bool:
    """Say whether a person looks at stdout."""
    return sys.stdout.isatty()
