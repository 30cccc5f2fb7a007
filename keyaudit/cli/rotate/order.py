"""Staging first: whether a rotation may begin, by what the store of the one before it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyaudit.cli.rotate.words import lasted, moment
from keyaudit.times import describe_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyaudit.rotation.settings import RotationSettings
    from keyaudit.rotation.sight import Shelf


@dataclass(frozen=True, slots=True)
class NotYet:
    """Why a rotation may not begin; `allowed_at` is when it may, where time alone is missing."""

    why: str
    allowed_at: int | None = None


def under_way(shelf: Shelf) -> bool:
    """Say whether a rotation has begun and not ended."""
    return shelf.pending is not None or (
        shelf.previous is not None and (shelf.promoted or shelf.final is False)
    )


def not_yet(
    settings: RotationSettings,
    own: Shelf,
    before: Shelf,
    recorded_before: Iterable[Mapping[str, Any]],
    now: int,
) -> NotYet | None:
    """Say why a rotation may not begin; `before` is the shelf of the one that it comes after.

    That one must have ended, with a value that a rotation put there after this one's last change, and
    `apart` ago.
    """
    from keyaudit.rotation.recorded import last_outcome

    after, current = settings.after, before.current
    if under_way(before) or before.foreign:
        return NotYet(f"{after} is being rotated itself: first it must end")
    if current is None or current.token is None or current.since is None:
        return NotYet(f"{after} goes first, and no rotation put its value there")
    if last_outcome([dict(entry) for entry in recorded_before]) == "rolled-back":
        return NotYet(f"{after} goes first, and its last rotation was rolled back")
    since = own.current.since if own.current else None
    if since is not None and current.since <= since:
        return NotYet(f"{after} goes first: its value is of {moment(current.since)}, older than the one here")
    if now < (allowed := current.since + settings.apart):
        left = lasted(allowed - now)
        return NotYet(
            f"{after} was rotated {moment(current.since)}, and {describe_duration(settings.apart)}"
            f" must lie between: not before {moment(allowed, later=True)} ({left})",
            allowed,
        )
    return None
