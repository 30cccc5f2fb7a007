"""What the record of a rotation says of orders that were given and not carried out to the end.

The shelf shows how far a rotation is; what it cannot show is what was *asked for*: that a key is
compromised, or that the way back was wanted. Entries are as `Journal.entries` gives them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from keyaudit.rotation.steps import Goal

_FINISHED = frozenset({"rotated", "rolled-back", "reached", "nothing"})
_REPLACED = frozenset({"rotated"})
"""Whatever else an emergency ended with, its dead key is still what applications are given."""

AUDITED = "audited"
"""The outcome of an `ended` entry by which a human says that an escape was looked into; `reason` says how."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An order that was given and not carried out; `compromised` are the keys of an emergency."""

    goal: Goal
    compromised: frozenset[str]
    since: str


def unfinished(entries: Iterable[dict[str, Any]]) -> Unfinished | None:
    """Give the order that is still to be carried out; an emergency stays one whatever is asked later."""
    found: Unfinished | None = None
    for entry in entries:
        goal = entry["goal"]
        if entry["event"] == "requested" and goal in set(Goal):
            found = _taken(found, entry, Goal(goal))
        elif entry["event"] == "ended" and found is not None:
            finished = _REPLACED if found.goal is Goal.EMERGENCY else _FINISHED
            ended = entry["outcome"] in finished and goal == found.goal
            found = None if ended else found
    return found


def _taken(found: Unfinished | None, entry: dict[str, Any], goal: Goal) -> Unfinished:
    keys = frozenset(entry["detail"].get("compromised", ()))
    if found is None or found.goal is not Goal.EMERGENCY:
        return Unfinished(goal, keys, entry["at"])
    return Unfinished(Goal.EMERGENCY, found.compromised | keys, found.since)


def escape_since(entries: Iterable[dict[str, Any]]) -> str | None:
    """Give when the emergency was asked for whose escape nobody has looked into yet (RFC 3339)."""
    since: str | None = None
    for entry in entries:
        if entry["outcome"] == AUDITED:
            since = None
        elif entry["event"] == "requested" and entry["goal"] == Goal.EMERGENCY:
            since = since or entry["at"]
    return since


def last_outcome(entries: Iterable[dict[str, Any]]) -> str | None:
    """Give how the last rotation that came to an end ended: `rotated` or `rolled-back`."""
    ends = [entry["outcome"] for entry in entries if entry["event"] == "ended"]
    return next((outcome for outcome in reversed(ends) if outcome in {"rotated", "rolled-back"}), None)
