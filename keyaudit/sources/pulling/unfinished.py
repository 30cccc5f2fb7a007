"""What an interrupted pull had already seen, so that the next one resumes where it stopped.

One folder a source, its settings and who asked; one file a scope. A finished scope is kept whole until the
pull ends; of a scope that costs one call an item, the answers are kept as they come. When the
pull ends, however complete, the folder goes. What is older than `WITHIN` is not used: it would
tell of another day, and so is what anybody else could have written. Only what an inventory holds
anyway is kept: ids, labels and dates.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from keyaudit.files import read_own, write_atomically
from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage
from keyaudit.sources.pulling.outcome import ScopeOutcome
from keyaudit.times import HOUR, format_instant

SCHEMA = "keyaudit/unfinished-pull/1"
WITHIN = 2 * HOUR
CHECKPOINT = 500
"""Answers that a killed pull may have to ask for again, at least."""

Answer = TypeVar("Answer")


class _Finished(msgspec.Struct, frozen=True):
    rows: list[Credential]
    coverage: Coverage
    replicated: list[str]


class _File(msgspec.Struct, frozen=True):
    schema: str
    started: int
    answers: dict[str, msgspec.Raw] = {}
    finished: _Finished | None = None


class Answers:
    """Answers about single items of one scope, by key; without a file nothing is remembered."""

    def __init__(self, path: Path | None = None, *, started: int = 0) -> None:
        """Begin with none."""
        self._path = path
        self._started = started
        self._lock = threading.Lock()
        self._known: dict[str, msgspec.Raw] = {}
        self._unsaved = 0
        self.recalled = 0

    def load(self, file: _File) -> None:
        """Take what an interrupted pull had; its start stays the start."""
        self._known, self._started = dict(file.answers), file.started

    def once(self, key: str, kind: type[Answer], ask: Callable[[], Answer]) -> Answer:
        """Give the answer about an item that was kept; else ask, and keep what is answered.

        What another release of ours kept in another shape is asked for again.
        """
        kept = self.recall(key)
        if kept is not None:
            try:
                return msgspec.json.decode(kept, type=kind)
            except msgspec.ValidationError:
                pass
        answer = ask()
        self.keep(key, msgspec.json.encode(answer))
        return answer

    def recall(self, key: str) -> bytes | None:
        """Give the answer about an item, as it was kept."""
        with self._lock:
            answer = self._known.get(key)
            self.recalled += answer is not None
        return None if answer is None else bytes(answer)

    def keep(self, key: str, answer: bytes) -> None:
        """Remember an answer, which must be JSON; written now and then."""
        if self._path is None:
            return
        with self._lock:
            self._known[key] = msgspec.Raw(answer)
            self._unsaved += 1
            if self._unsaved >= max(CHECKPOINT, len(self._known) // 10):
                self._write()

    def save(self) -> None:
        """Write what is not written yet: the scope was broken off."""
        with self._lock:
            if self._unsaved:
                self._write()

    def _write(self) -> None:
        assert self._path is not None
        self._unsaved = 0
        _write(self._path, _File(SCHEMA, self._started, self._known))


class Unfinished:
    """The scopes of one source's pull that an interrupted one left behind."""

    def __init__(self, folder: Path | None, settings: str, identity: str, *, now: int) -> None:
        """Begin; `settings` is any text that changes with them, `identity` one that says who asks.

        Without `folder` nothing is kept. What one identity saw is never taken for what another would.
        """
        self._now = now
        self._folder = None
        if folder is not None:
            digest = hashlib.sha256(f"{settings}\0{identity}".encode()).hexdigest()
            self._folder = folder / "unfinished" / digest[:32]

    def recall(self, scope: str) -> ScopeOutcome | None:
        """Give a scope that was finished, with the times and costs of then."""
        file = self._read(scope)
        if file is None or file.finished is None:
            return None
        kept = file.finished
        return ScopeOutcome(kept.coverage, kept.rows, frozenset(kept.replicated))

    def answers(self, scope: str) -> Answers:
        """Give the answers about a scope that was not finished, to go on with."""
        path = self._path(scope)
        answers = Answers(path, started=self._now)
        file = self._read(scope)
        if file is not None:
            answers.load(file)
        return answers

    def keep(self, outcome: ScopeOutcome) -> None:
        """Remember a scope that was listed to its end; one that was not is asked again."""
        path = self._path(outcome.coverage.scope)
        if path is None or outcome.coverage.status not in {"complete", "empty"}:
            return
        started = outcome.coverage.started_at
        finished = _Finished(outcome.rows, outcome.coverage, sorted(outcome.replicated))
        _write(path, _File(SCHEMA, self._now if started is None else started, finished=finished))

    def close(self) -> None:
        """Forget everything: the pull has ended."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, scope: str) -> Path | None:
        if self._folder is None:
            return None
        return self._folder / f"{hashlib.sha256(scope.encode()).hexdigest()[:24]}.json"

    def _read(self, scope: str) -> _File | None:
        path = self._path(scope)
        if path is None:
            return None
        try:
            file = msgspec.json.decode(read_own(path), type=_File)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        fits = file.schema == SCHEMA and 0 <= self._now - file.started <= WITHIN
        return file if fits else None


def resumed(outcome: ScopeOutcome) -> ScopeOutcome:
    """Give an outcome of the interrupted pull, saying that this one did not ask again."""
    coverage = outcome.coverage
    when = "earlier" if coverage.finished_at is None else f"at {format_instant(coverage.finished_at)}"
    note = f"listed {when} by a pull that was then interrupted"
    reason = "; ".join(filter(None, (coverage.reason, note)))
    return replace(outcome, coverage=replace(coverage, reason=reason))


def _write(path: Path, file: _File) -> None:
    """Write; a folder that cannot be written costs only the next pull's time."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.encode(file), mode=0o600)
    except OSError:
        return
