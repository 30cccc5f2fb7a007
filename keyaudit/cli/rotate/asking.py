"""What only a human can give: a value that was made in a console, and the word that something is done.

A value is typed without being shown, or comes over stdin (`--new-value -`): one line for a key, a JSON
object of the parts for a credential of several. It is never an argument, where every process sees it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import click

from keyaudit.errors import UsageError


class Pausing(Protocol):
    """What has a terminal of its own, and gives it back for a question."""

    def paused(self) -> AbstractContextManager[None]:
        """Keep still for as long as a human is asked something."""
        ...


def at_a_terminal() -> bool:
    """Say whether a human can be asked: one who types, and sees the question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


class Human:
    """Whoever runs this; `ask` is what `party.Means` wants."""

    def __init__(self, view: Pausing, *, new_value: str | None, done: bool) -> None:
        """`new_value` is "-" where values come over stdin; `done` is the word that a request was met."""
        self._view, self._from_stdin, self._done = view, new_value == "-", done

    def ask(self, text: str, parts: tuple[str, ...]) -> Mapping[str, str] | None:
        """Show instructions and give the new parts, or {} for what was done; None if nobody answers."""
        with self._view.paused():
            return self._asked(text, parts)

    def _asked(self, text: str, parts: tuple[str, ...]) -> Mapping[str, str] | None:
        if not parts and self._done:
            return {}
        if parts and self._from_stdin:
            return _from_stdin(parts)
        if self._from_stdin or not at_a_terminal():
            _show(text)
            return None
        _show(text)
        if not parts:
            return {} if click.confirm("Is that done?", default=False, err=True) else None
        return {
            part: click.prompt(f"{part} (not shown)", hide_input=True, err=True).strip() for part in parts
        }


def _show(text: str) -> None:
    from keyaudit.cli.outputs import tell

    for line in text.splitlines():
        tell(line, "instructions")


def _from_stdin(parts: tuple[str, ...]) -> Mapping[str, str]:
    """Read one line, or an object of the parts; what is wrong with it is said without it."""
    given = sys.stdin.read().strip()
    if not given:
        raise UsageError("--new-value -: nothing came over stdin")
    if len(parts) == 1:
        return {parts[0]: given}
    try:
        read = json.loads(given)
    except ValueError:
        read = None
    if (
        not isinstance(read, dict)
        or set(read) != set(parts)
        or not all(isinstance(v, str) for v in read.values())
    ):
        raise UsageError(f"--new-value -: expected a JSON object with {', '.join(parts)}")
    return read
