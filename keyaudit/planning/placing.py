"""Where each rotation comes to lie: a pure function of the candidates and the terms.

- What is overdue is today, however many that are: a plan never postpones what is overdue.
- The others follow in the order of their last days. Each lies where it is wished, or where that day is full
  on the nearest one before, within its window; only if none is left there, on a later one before it is due.
- A due date outranks the order of staging and production: what has no day with room that keeps both keeps
  its due date, and is said not to fit. What has none before its due date lies after it, and neither does it
  fit.
- Past its due date is overdue: a policy's `overdue_tolerance` says from when lateness counts, and moves none.
- What a store rotates by itself in time keeps the store's day, and takes nobody's place.
"""

from __future__ import annotations

from collections.abc import Iterable

from keyaudit.planning import reasons
from keyaudit.planning.days import Days
from keyaudit.planning.grouping import sort
from keyaudit.planning.model import Candidate, Plan, Planned, Terms
from keyaudit.planning.windows import Window, windows


def schedule(candidates: Iterable[Candidate], terms: Terms) -> Plan:
    """Give every rotation that falls due within the terms its day; the same for any order of candidates."""
    found = sort(candidates, terms)
    chosen = windows(found.rotations, terms)
    days = Days(terms.per_day)
    for one in chosen:
        if one.rotation.overdue:
            days.take(terms.today)
    placed = [Planned(one.rotation, _settled(one), reasons.settled(one)) for one in chosen if one.settled]
    for one in sorted((one for one in chosen if not one.settled), key=_urgency):
        placed.append(_place(one, days, terms))
        days.take(_settled(one))
    ordered = sorted(placed, key=lambda one: (one.day, one.rotation.due_from, one.rotation.first.key))
    dated = sum(len(rotation.candidates) for rotation in found.rotations)
    in_plan = sum(len(one.rotation.candidates) for one in chosen)
    return Plan(terms, tuple(ordered), found.unplanned, dated - in_plan, found.without)


def _urgency(window: Window) -> tuple[int, bool, int, int, tuple[str, str, str]]:
    """Order by last days; of equals, what goes first goes first."""
    rotation = window.rotation
    return window.last, bool(window.before), window.wish, rotation.due_from, rotation.first.key


def _settled(window: Window) -> int:
    assert window.day is not None, "it was given its day"
    return window.day


def _place(window: Window, days: Days, terms: Terms) -> Planned:
    """Find a day, and say why it is this one."""
    first = max([window.first, *(one.day + terms.gap for one in window.before if one.day is not None)])
    last = min([window.last, *(one.day - terms.gap for one in window.after if one.day is not None)])
    wish = min(max(first, window.wish), last)
    window.day, problem = _with_room(days, first, wish, last), None
    if window.day is None:
        taken = {one.day for one in [*window.before, *window.after]}
        window.day = _keeping(days, terms.today, window.due, taken)
        wish = window.wish
    if window.day is None:
        window.day, problem = days.at_least(window.due + 1), reasons.full(terms)
    problem = problem or reasons.too_close(window, terms)
    why = reasons.why(window, wish, terms) if problem is None else tuple(reasons.own(window.rotation))
    return Planned(window.rotation, window.day, why, problem)


def _with_room(days: Days, first: int, wish: int, last: int) -> int | None:
    """Give the nearest day with room: backwards from the wished one, else onwards."""
    if first > last:
        return None
    if (day := days.at_most(wish)) >= first:
        return day
    return day if (day := days.at_least(wish)) <= last else None


def _keeping(days: Days, today: int, due: int, taken: set[int | None]) -> int | None:
    """Give the last day with room that keeps the due date, if possible none of a relative's."""
    best = day = days.at_most(due)
    while day >= today and day in taken:
        day = days.at_most(day - 1)
    chosen = day if day >= today else best
    return chosen if chosen >= today else None
