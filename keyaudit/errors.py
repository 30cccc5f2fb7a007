"""Every deliberate exception, and the exit code it ends in.

    KeyauditError            4  something of ours is broken; no audit was made
    ├── UsageError           2  the command line or keyaudit.yaml asks for something impossible
    ├── InputError           2  a document was refused; carries every problem found in it
    │   ├── InventoryError
    │   └── PolicyError         policies, framework files, keyaudit.yaml
    ├── MissingExtraError    2  an optional package is needed; names the extra
    ├── SourceError          2  a live source could not be started at all
    └── RotationError        3  a rotation could not go on here; what was done is kept, run it again

What a *running* source cannot read is not an exception: its scope becomes `partial` or
`failed` and the audit goes on (exit 3, or 1 when there are findings as well).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

MOST_PROBLEMS_SHOWN = 100


def did_you_mean(word: object, choices: Iterable[str]) -> str:
    """Give `; did you mean 'x'?` for the nearest of some words, or nothing."""
    near = nearest(word, choices)
    return f"; did you mean {near!r}?" if near else ""


def nearest(word: object, choices: Iterable[str]) -> str | None:
    """Give the nearest of some words, if one is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(str(word)[:80], list(choices), n=1, cutoff=0.6)), None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a document.

    `line` and `column` count from 1; `line` is None where a format has no lines (Parquet) and
    `column` where only the line is known. `field` is a dotted path such as
    `credentials[3].versions[0].created_at`.
    """

    file: str
    line: int | None
    column: int | None
    field: str | None
    message: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        if not self.field:
            return f"{place}: {self.message}"
        # A field is named by the keys of a document, which may hold anything, line ends included.
        field = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in self.field)
        return f"{place}: {field}: {self.message}"


class KeyauditError(Exception):
    """Base of every expected failure; `hint` is one line saying what to do about it."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Keep the message for `str()` and the hint beside it."""
        super().__init__(message)
        self.hint = hint


class UsageError(KeyauditError):
    """The command line, or the configuration behind it, asks for something impossible."""

    exit_code = 2


class InputError(KeyauditError):
    """A document was refused whole.

    `problems` holds the first `MOST_PROBLEMS_SHOWN`; `total` counts all of them.
    """

    exit_code = 2

    def __init__(self, problems: list[Problem], *, total: int | None = None, hint: str | None = None) -> None:
        """Sum the problems up in the message, one a line."""
        self.problems = tuple(problems[:MOST_PROBLEMS_SHOWN])
        self.total = len(problems) if total is None else total
        lines = [str(problem) for problem in self.problems]
        if self.total > len(self.problems):
            lines.append(f"… and {self.total - len(self.problems):,} more problems like these")
        super().__init__("\n".join(lines), hint=hint)


class InventoryError(InputError):
    """An inventory document has rows that cannot be read; none of it was used."""


class PolicyError(InputError):
    """A policy, a framework file or keyaudit.yaml says something that cannot be obeyed."""


class MissingExtraError(KeyauditError):
    """An optional package is not installed."""

    exit_code = 2

    def __init__(self, extra: str, needed_for: str) -> None:
        """Name the extra that brings the package."""
        super().__init__(
            f"{needed_for} needs an extra that is not installed", hint=f"pip install 'keyaudit[{extra}]'"
        )


class SourceError(KeyauditError):
    """A live source could not be started: no credentials, an unknown profile, a bad setting."""

    exit_code = 2


class RotationError(KeyauditError):
    """A store or a provider refused a step of a rotation, or could not be asked.

    Everything done so far is kept and visible: the same command goes on from there.
    """

    exit_code = 3


class SlotsFullError(RotationError):
    """The provider allows no further key beside those there are."""
