"""Why a rotation lies on its day and what does not fit, in sentences; names are as stores have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keyaudit import times
from keyaudit.formats.wording import plural
from keyaudit.planning import wording

if TYPE_CHECKING:
    from keyaudit.planning.model import Rotation, Terms
    from keyaudit.planning.windows import Window


def settled(window: Window) -> tuple[str, ...]:
    """Say why a day stood from the outset."""
    rotation = window.rotation
    if not rotation.overdue:
        assert rotation.next_at is not None, "only what a store rotates is settled otherwise"
        return (f"by its store on {times.format_instant(rotation.next_at)}",)
    said = ["now"]
    if window.after:
        said.append(f"its staging goes after it this time: {_called(window.after[0].rotation)}")
    return (*said, *own(rotation))


def why(window: Window, wish: int, terms: Terms) -> tuple[str, ...]:
    """Say why a rotation lies on the day that was found for it; `wish` is where it would best have lain."""
    rotation, day = window.rotation, window.day
    assert day is not None, "it was placed"
    ahead = terms.ahead_of(rotation.period)
    wished = (rotation.due_from - ahead) // times.DAY
    if day != wish:
        said = f"moved {'earlier' if day < wish else 'later'}: {wording.date(wish)} has no room"
    elif window.pulled:
        apart = times.describe_duration(terms.apart or 0)
        said = f"goes first: {_called(window.after[0].rotation)} follows, {apart} later at least"
    elif day > window.wish:
        said = _waits(window, terms)
    elif day == wished:
        said = f"{times.describe_duration(ahead)} before it falls due"
    elif day > wished:
        said = f"as early as may be: less than {times.describe_duration(ahead)} are left"
    else:
        said = "the last whole day before it falls due"
    return (said, *own(rotation))


def _waits(window: Window, terms: Terms) -> str:
    apart = times.describe_duration(terms.apart or 0)
    goes = [one for one in window.before if one.day is not None and one.day + terms.gap == window.day]
    if goes and goes[0].day is not None:
        return f"{apart} after {_called(goes[0].rotation)}, which goes on {wording.date(goes[0].day)}"
    staging = window.waits_for
    if staging is None or staging.made_at is None:
        return "as early as its neighbours leave it"
    return f"{apart} after {_called(staging)} got its value on {times.format_date(staging.made_at)}"


def own(rotation: Rotation) -> Iterator[str]:
    """Say what else somebody should know who rotates it."""
    if rotation.next_at is not None:
        when = times.format_instant(rotation.next_at)
        yield f"its store would rotate it on {when}, after it falls due"
    waivers = sorted({one.waiver for one in rotation.candidates if one.waiver is not None})
    if waivers and rotation.overdue:
        yield f"waived by {', '.join(waivers)}"
    if rotation.theirs:
        yield "a customer's own: remind them"


def too_close(window: Window, terms: Terms) -> str | None:
    """Say what does not fit where a day lies closer than `apart` to a relative's; None where none does."""
    day, gap = window.day, terms.gap
    assert day is not None, "it was placed"
    apart = times.describe_duration(terms.apart or 0)
    late = "and no day before it falls due keeps both"
    for one in window.before:
        if one.day is not None and day < one.day + gap:
            other = _called(one.rotation)
            return f"does not fit: {other} goes first, on {wording.date(one.day)}, {apart} before it, {late}"
    for one in window.after:
        if one.day is not None and day > one.day - gap:
            other = _called(one.rotation)
            return f"does not fit: {other} follows on {wording.date(one.day)}, {apart} after it, {late}"
    staging = window.waits_for
    if day < window.first and staging is not None and staging.made_at is not None:
        made = times.format_date(staging.made_at)
        return f"does not fit: {_called(staging)} got its value on {made}, {apart} must pass, {late}"
    return None


def full(terms: Terms) -> str:
    """Say that no day before the due date has room."""
    return f"does not fit: every day before it falls due has {plural(terms.per_day or 0, 'rotation')} already"


def _called(rotation: Rotation) -> str:
    return rotation.first.name
