"""What a rotation is called in every plan that it is in."""

from __future__ import annotations

from keyaudit.planning.model import Rotation
from keyaudit.report.findings import fingerprint


def identity(rotation: Rotation) -> str:
    """Name the replacing of this value of this credential: the same in tomorrow's plan, on whatever day.

    A calendar moves the event then, rather than have it twice. The next value's replacing is another one.
    """
    first = rotation.first
    made = "" if first.made_at is None else str(first.made_at)
    return fingerprint("plan", first.source, first.scope, first.id, made)
