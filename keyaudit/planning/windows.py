"""Between which days each rotation may lie, before anybody looks at which days are full.

- Overdue: today. By its own store: the day on which that will do it. Both are settled.
- The last day is the last whole one before the due date, or today if there is none: whatever the hour,
  the value is replaced in time. The wished one lies `ahead` before the due date.
- Of staging and production whichever is wished for first goes first, and the other one at least `gap` days
  later: staging first, unless its own due date leaves it to the next round. So staging may be wished for
  earlier than for its own sake, even if it falls due after the plan's end.
- Production does not go sooner than `apart` after the value that staging has now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from keyaudit.planning.counterparts import pairs
from keyaudit.planning.model import Rotation, Terms
from keyaudit.times import DAY


@dataclass(slots=True, eq=False)
class Window:
    """A rotation on its way to a day: `first` and `last` bound it, `wish` is where it would best lie.

    `due` is the last day for its own sake; `last` may be an earlier one, for the sake of what follows.
    `before` go first, `after` follow, both by `gap` days. `settled` has its day from the outset.
    `waits_for` is the staging rotation whose present value bounds `first`. What is `pulled` goes earlier than
    its own due date asks, for the sake of what follows.
    """

    rotation: Rotation
    first: int
    wish: int
    last: int
    due: int
    settled: bool = False
    day: int | None = None
    before: list[Window] = field(default_factory=list)
    after: list[Window] = field(default_factory=list)
    waits_for: Rotation | None = None
    pulled: bool = False


def windows(rotations: Sequence[Rotation], terms: Terms) -> list[Window]:
    """Give a window for each rotation that is in the plan, in their order."""
    every = [_window(rotation, terms) for rotation in rotations]
    ahead = {id(one.rotation) for one in every if _falls_due(one.rotation, terms)}
    if terms.apart is not None:
        of = {id(one.rotation): one for one in every}
        found = [(of[id(one)], of[id(other)]) for one, other in pairs(rotations)]
        ahead |= {
            id(staging.rotation)
            for staging, production in found
            if _pulled(staging, production, ahead, terms)
        }
        for staging, production in found:
            if id(production.rotation) in ahead:
                _wait(staging, production, terms)
        _order([pair for pair in found if all(id(one.rotation) in ahead for one in pair)], terms)
    return [one for one in every if id(one.rotation) in ahead]


def _falls_due(rotation: Rotation, terms: Terms) -> bool:
    return rotation.overdue or rotation.due_from <= terms.until


def _window(rotation: Rotation, terms: Terms) -> Window:
    today = terms.today
    if rotation.overdue:
        return Window(rotation, today, today, today, today, settled=True, day=today)
    if rotation.by_store and rotation.next_at is not None:
        day = rotation.next_at // DAY
        return Window(rotation, day, day, day, day, settled=True, day=day)
    last = max(today, rotation.due_from // DAY - 1)
    wished = (rotation.due_from - terms.ahead_of(rotation.period)) // DAY
    return Window(rotation, today, min(max(today, wished), last), last, last)


def _pulled(staging: Window, production: Window, ahead: set[int], terms: Terms) -> bool:
    """Say whether staging is to go before a planned production although its own turn comes after the end."""
    if production.rotation.overdue or id(production.rotation) not in ahead or id(staging.rotation) in ahead:
        return False
    return not staging.settled and _staging_first(staging, production, terms)


def _staging_first(staging: Window, production: Window, terms: Terms) -> bool:
    """Say who goes first.

    Staging that has gone since production last did may wait for the next round, where both would not fit
    otherwise.
    """
    gap, follows = terms.gap, production.wish + terms.gap
    if staging.wish >= follows:
        return False
    if production.settled:
        return staging.first <= production.wish - gap
    went, came = staging.rotation.made_at, production.rotation.made_at
    if went is None or came is None or went <= came:
        return True
    if staging.settled:
        return staging.wish + gap <= production.last or staging.wish - gap < production.first
    return follows > staging.last


def _wait(staging: Window, production: Window, terms: Terms) -> None:
    """Let production wait until staging has run `apart` on the value that it has."""
    made = staging.rotation.made_at
    if made is None or production.settled:
        return
    ready = -(-(made + (terms.apart or 0)) // DAY)
    if ready > production.first:
        production.first, production.waits_for = ready, staging.rotation


def _order(found: Iterable[tuple[Window, Window]], terms: Terms) -> None:
    """Note who goes before whom, and move what goes first out of the way of the other's due date."""
    for staging, production in found:
        if staging.settled and production.settled:
            continue
        first = _staging_first(staging, production, terms)
        one, other = (staging, production) if first else (production, staging)
        one.after.append(other)
        other.before.append(one)
        if not one.settled:
            one.last = max(terms.today, min(one.last, other.last - terms.gap))
            earlier = min(one.wish, one.last, other.wish - terms.gap if first else one.wish)
            one.pulled = one.pulled or earlier < one.wish
            one.wish = max(terms.today, earlier)
