"""Counting by group while one report is gone through."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from keyaudit.trend.series import CHANGES, Figures, Group

NOBODY = ("no credential",)
"""Whose findings are about a scope, a waiver or the policy: they are in the total only."""
Of = str | None | tuple[str]

_SUMS = ("credentials", "aged", "age_total", "overdue", "overdue_unseen", "failing", "failing_unseen")
_FLOWS = ("opened", "first_seen", "closed", "gone", "waived", "rotated_later")


class Tally:
    """Counts by group, times to rotate and highest ages."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.counts: defaultdict[str, Counter[Of]] = defaultdict(Counter)
        self.rotated: defaultdict[Of, list[int]] = defaultdict(list)
        self.worst_age: dict[Of, int] = {}

    def count(self, what: str, of: Of) -> None:
        """Count one more of `what`, a field of `Figures`."""
        self.counts[what][of] += 1

    def figures(self) -> tuple[Figures, dict[Group, Figures]]:
        """Give the total and the groups."""
        everyone: set[Of] = {of for counter in self.counts.values() for of in counter}
        groups = {of: self._of(of) for of in everyone}
        shown = {of: figures for of, figures in groups.items() if not isinstance(of, tuple)}
        return total(groups.values()), shown

    def _of(self, of: Of) -> Figures:
        counted = {name: self.counts[name][of] for name in (*_SUMS, *_FLOWS)}
        return Figures(worst_age=self.worst_age.get(of), rotated=tuple(sorted(self.rotated[of])), **counted)


def total(parts: Iterable[Figures]) -> Figures:
    """Add figures of one instant up."""
    held = list(parts)
    sums: Mapping[str, int] = {name: sum(getattr(part, name) for part in held) for name in (*_SUMS, *_FLOWS)}
    ages = [part.worst_age for part in held if part.worst_age is not None]
    rotated = sorted(time for part in held for time in part.rotated)
    return Figures(worst_age=max(ages, default=None), rotated=tuple(rotated), **sums)


def following(earlier: Figures, later: Figures) -> Figures:
    """Take the levels of the later figures and the changes of both."""
    changes = {name: getattr(earlier, name) + getattr(later, name) for name in CHANGES}
    changes["rotated"] = tuple(sorted(changes["rotated"]))
    levels = {name: getattr(later, name) for name in Figures.__slots__ if name not in CHANGES}
    return Figures(**levels, **changes)
