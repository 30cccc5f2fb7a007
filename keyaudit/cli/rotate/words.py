"""What a rotation does, in sentences: before each step, before what cannot be undone, at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keyaudit.times import SECOND, describe_duration, format_instant

if TYPE_CHECKING:
    from keyaudit.rotation.sight import Place, Shelf, Sight
    from keyaudit.rotation.steps import Action, Blocked, Decide, Done, Step, Wait, Watch

AFTER_AN_ESCAPE = (
    "find out how it escaped: the commit, log, screen, laptop or chat it was seen in",
    "look through the provider's own log for uses by others, from the day it escaped",
    "give every consumer the new value, and look for copies: CI variables, images, backups, caches",
    "have a pre-commit hook refuse keys, and the forge scan what is pushed (gitleaks, secret scanning)",
    "have logs redact what looks like a key",
)
"""What is left to do when a compromised key is dead; `rotate emergency NAME --audited` records it."""


def moment(instant: int, *, later: bool = False) -> str:
    """Write an instant for people, to the second; what must not be too early is rounded up."""
    return format_instant((instant + (SECOND - 1 if later else 0)) // SECOND * SECOND)


def lasted(duration: int) -> str:
    """Write how long something has lasted, or is to last, for people, to the second."""
    return describe_duration(max(duration, 0) // SECOND * SECOND)


def key(place: Place | None) -> str:
    """Name the key of a place."""
    if place is None:
        return "no key"
    return f"key {place.key_id}" if place.key_id else f"the key of version {place.version}"


def newest(shelf: Shelf) -> Place | None:
    """Give the place of the value that the rotation under way brought."""
    return next((place for place in shelf.places if place.token == shelf.token), None)


def oldest(shelf: Shelf) -> Place | None:
    """Give the place of the value that the rotation under way replaces, or replaced."""
    return next(
        (place for place in (shelf.previous, shelf.current) if place and place.token != shelf.token), None
    )


def doing(step: Step, sight: Sight) -> str:
    """Say what is about to be done, or why nothing is."""
    from keyaudit.rotation import steps

    shelf = sight.shelf
    match step:
        case steps.Wait():
            late = "; its grace period is over" if step.late else ""
            return f"waiting until {moment(step.until, later=True)}: {step.why}{late}"
        case steps.Blocked():
            return f"blocked: {step.why}"
        case steps.Done():
            return f"done: {step.why}"
        case steps.Decide():
            return f"decide: {_decision(step, shelf)}"
        case _:
            return f"{step.name}: {_action(step, sight)}"


def _decision(step: Decide, shelf: Shelf) -> str:
    if step.question == "forward":
        if step.answer:
            return f"the new value is good; {key(newest(shelf))} is to be promoted"
        return f"the new value is not wanted; {key(newest(shelf))} is to be given up"
    if step.answer:
        return f"{key(oldest(shelf))} is to be retired"
    return f"applications are to get {key(oldest(shelf))} again"


def _action(step: Action, sight: Sight) -> str:
    from keyaudit.rotation import steps

    shelf = sight.shelf
    match step:
        case steps.Mint():
            return f"have a new key made, and its value stored beside {key(shelf.current)}"
        case steps.Void():
            return "close the token under which a key was made whose value was lost"
        case steps.Discard():
            return f"revoke key {step.key_id}, which no application was ever given"
        case steps.Verify():
            return f"ask the provider whether the value of version {step.version} works"
        case steps.Promote():
            dead = shelf.current is not None and sight.works(shelf.current.key_id) is False
            goes_on = "is dead" if dead else "goes on working"
            return f"give applications {key(shelf.pending)}; {key(shelf.current)} {goes_on}"
        case steps.Restore():
            return f"give applications {key(shelf.previous)} again"
        case steps.Watch():
            return f"ask when {_watched(step)} was last used, without using it"
        case steps.Revoke():
            return f"have the provider end key {step.key_id}"
        case steps.Drop():
            return f"take the value of version {step.version} off the shelf"
        case steps.Decide():
            return _decision(step, shelf)


def _watched(step: Watch) -> str:
    return f"key {step.key_id}" if step.key_id else f"the key of version {step.version}"


def irreversible(step: Step, sight: Sight, now: int) -> str:
    """Say exactly what will happen that cannot be undone."""
    from keyaudit.rotation import steps

    if isinstance(step, steps.Revoke):
        return (
            f"key {step.key_id} is revoked NOW: every application that holds it fails until it has the new"
            " value, which is made after that"
        )
    shelf = sight.shelf
    old, new = oldest(shelf), newest(shelf)
    return f"{key(old)} is revoked for good: {last_use(sight)}; {key(new)} serves {_since(new, now)}"


def last_use(sight: Sight) -> str:
    """Say what is known of the old key's last use."""
    if sight.quiet is None:
        works = sight.works(place.key_id) if (place := oldest(sight.shelf)) else None
        return "it is dead already" if works is False else "nobody can tell when it was last used"
    seen = f"as far as {sight.quiet.source} shows, until {moment(sight.quiet.seen_until)}"
    if sight.quiet.last_used_at is None:
        return f"no use of it was seen, {seen}"
    return f"last used {moment(sight.quiet.last_used_at)}, {seen}"


def _since(place: Place | None, now: int) -> str:
    if place is None or place.since is None:
        return "since it is not known when"
    return f"since {moment(place.since)} ({lasted(now - place.since)})"


def ending(
    step: Done | Wait | Blocked, sight: Sight, name: str, now: int, *, goes_on: bool = False
) -> Iterator[str]:
    """Say how a run ended, what holds now, and how to go on; `goes_on` if it was to go on with something."""
    from keyaudit.rotation import steps

    if isinstance(step, steps.Wait):
        left = lasted(step.until - now)
        yield f"{name}: not finished; nothing to do before {moment(step.until, later=True)} ({left})"
        yield f"{name}: {where(sight)}"
        yield f"hint: keyaudit rotate resume {name} goes on then; nothing is lost in between"
    elif isinstance(step, steps.Blocked):
        yield f"{name}: blocked: {step.why}"
        yield f"{name}: {where(sight)}"
        yield f"hint: {step.hint}"
    else:
        nothing = step.outcome is steps.Outcome.NOTHING
        yield f"{name}: {'nothing to do' if nothing else step.outcome}: {step.why}"
        yield f"{name}: {where(sight)}"
        if dead_in_use(sight) and step.outcome is not steps.Outcome.ROTATED:
            yield f"hint: applications fail if that key is dead: keyaudit rotate run {name} replaces it"
        elif nothing and goes_on:
            yield f"hint: keyaudit rotate begin {name}, or keyaudit rotate run {name}, begins one"


def dead_in_use(sight: Sight) -> str:
    """Say that the key in use does not work, as far as its provider's list shows; "" if it does, or may."""
    current = sight.shelf.current
    if current is None or sight.works(current.key_id) is not False:
        return ""
    return ", which is revoked" if sight.ended(current.key_id) else ", which its provider does not list"


def where(sight: Sight) -> str:
    """Say in one sentence what applications are given, and what is beside it."""
    shelf = sight.shelf
    if shelf.current is None:
        return "the store holds no value"
    said = [f"applications are given {key(shelf.current)}{dead_in_use(sight)}"]
    if shelf.pending is not None:
        said.append(f"{key(shelf.pending)} is staged")
    if shelf.previous is not None:
        works = sight.works(shelf.previous.key_id)
        state = {True: "still works", False: "is revoked", None: "is kept"}[works]
        said.append(f"{key(shelf.previous)} {state}")
    return "; ".join(said)
