"""All that is wrong with the documents of one reading: every problem counted, the first hundred kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from keyaudit.errors import MOST_PROBLEMS_SHOWN, InventoryError, Problem


@dataclass
class Problems:
    """What is wrong with one file so far."""

    file: str
    shown: list[Problem] = field(default_factory=list)
    total: int = 0

    def add(
        self, message: str, *, line: int | None = None, column: int | None = None, field: str | None = None
    ) -> None:
        """Count one problem, and keep it if it is among the first."""
        self.total += 1
        if len(self.shown) < MOST_PROBLEMS_SHOWN:
            self.shown.append(Problem(self.file, line, column, field, message))


def refuse(files: list[Problems]) -> None:
    """Raise InventoryError with the problems of all files, if there are any."""
    total = sum(problems.total for problems in files)
    if total:
        raise InventoryError([problem for problems in files for problem in problems.shown], total=total)
