"""The rotation record of a function: one chain for each invocation, written to its log.

A function has no disk that lasts, so every line goes to the log as soon as it is made, and what is
announced by it is done afterwards. The log's lines of one invocation, in a file of their own, are a
record that `keyaudit verify` and `keyaudit scan` read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.stores.protocol import Credential


class LoggedRecord:
    """A journal that says each line to `say`; use it as a context manager, once for each invocation."""

    def __init__(
        self, name: str, credential: Credential, request: Request, say: Callable[[str], None]
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="keyaudit-")
        self._file = Path(self._folder.name) / "record.ndjson"
        self._journal = FileJournal(self._file, name, credential, request)
        self._say, self._said = say, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def append(self, entry: Entry) -> None:
        """Write one line, and say it."""
        self._journal.append(entry)
        with self._file.open(encoding="utf-8") as file:
            file.seek(self._said)
            line = file.read()
        self._said += len(line.encode())
        self._say(line.rstrip("\n"))

    def entries(self) -> list[dict[str, Any]]:
        """Give what this invocation wrote; what earlier ones did is in the log only."""
        return self._journal.entries()
