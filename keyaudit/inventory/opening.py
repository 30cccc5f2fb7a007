"""Bytes of a document: where they come from, and what can be said of them before they are parsed."""

from __future__ import annotations

import hashlib
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from keyaudit.errors import UsageError

STDIN = "-"
SUFFIXES = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".parquet": "parquet",
}
FORMATS = ("json", "yaml", "ndjson", "csv", "parquet")

_BOM = b"\xef\xbb\xbf"
_SIGNATURES = (
    (b"\x1f\x8b", "compressed with gzip: unpack it first"),
    (b"PK\x03\x04", "a ZIP archive (or a spreadsheet): export it as CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard: unpack it first"),
    (b"PAR1", "a Parquet file: name it .parquet"),
    (b"\xff\xfe", "UTF-16 text: save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as UTF-8"),
)
_BODY = re.compile(rb'"credentials"\s*:\s*\[')
_BLOCK = 1 << 20


def format_of(path: str | Path, forced: str | None) -> str | None:
    """Say in which format a document is, by its suffix unless `forced`; raises UsageError.

    None for standard input and pipes, which have no suffix: `format_of_bytes` looks at it.
    """
    if forced is not None:
        if forced not in FORMATS:
            raise UsageError(f"no format is called {forced!r}", hint=f"formats: {', '.join(FORMATS)}")
        return forced
    if is_stream(path):
        return None
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(
            f"{path}: cannot tell its format by its name", hint=f"name it one of {', '.join(SUFFIXES)}"
        )
    return SUFFIXES[suffix]


def is_stream(path: str | Path) -> bool:
    """Say whether a document can be read only once: standard input, a pipe (`<(command)` in a shell)."""
    return str(path) == STDIN or Path(path).is_fifo()


def format_of_bytes(data: bytes) -> str:
    """Tell the format of a document that has no name by how it begins; YAML if by nothing else."""
    if data.startswith(b"PAR1"):
        return "parquet"
    first = data.removeprefix(_BOM).lstrip().partition(b"\n")[0]
    if first.startswith(b"{"):
        return "ndjson" if first.rstrip().endswith(b"}") and not _BODY.search(first) else "json"
    named = b"," in first and b"source" in first and b":" not in first
    return "csv" if first.startswith(b'"# {') or named else "yaml"


def read_bytes(path: str | Path) -> bytes:
    """Read a whole file, or standard input for "-"; raises UsageError if it cannot be read."""
    try:
        return sys.stdin.buffer.read() if str(path) == STDIN else Path(path).read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: str | Path, error: OSError) -> UsageError:
    """Say in one line why a file could not be read."""
    reason = error.strerror or str(error)
    return UsageError(f"{path}: {reason[:1].lower()}{reason[1:]}", hint="check the path and its permissions")


def text_of(data: bytes) -> bytes:
    """Take a byte order mark off a text document; raises ValueError, in a sentence, for what is no text."""
    if not data.strip():
        raise ValueError("the file is empty")
    for signature, message in _SIGNATURES:
        if data.startswith(signature):
            raise ValueError(message)
    if b"\0" in data[:4096]:
        raise ValueError("binary data, not text")
    return data.removeprefix(_BOM)


def name_of(path: str | Path) -> str:
    """Name a document in problems."""
    return "<stdin>" if str(path) == STDIN else str(path)


def digest_of_bytes(data: bytes) -> Callable[[], str]:
    """Hash a document that is in memory."""
    digest = hashlib.sha256(data).hexdigest()
    return lambda: digest


def digest_of_file(path: Path) -> Callable[[], str]:
    """Hash a large file on a thread beside the reading (hashlib lets other threads run meanwhile)."""
    found: list[str | OSError] = []

    def work() -> None:
        try:
            with path.open("rb") as handle:
                digest = hashlib.sha256()
                while block := handle.read(_BLOCK):
                    digest.update(block)
            found.append(digest.hexdigest())
        except OSError as error:
            found.append(error)

    thread = threading.Thread(target=work, name="inventory digest", daemon=True)
    thread.start()

    def wait() -> str:
        thread.join()
        if isinstance(found[0], OSError):
            raise unreadable(path, found[0])
        return found[0]

    return wait
