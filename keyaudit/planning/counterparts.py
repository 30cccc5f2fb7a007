"""Which staging credential belongs to which of production, as KA501 rotated-together reads it.

By name: the environment's own word exchanged, or the same name in another scope. A lineage that they
share says it as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keyaudit.planning.model import Candidate, Rotation

PRODUCTION = ("production", "prod")
STAGING = ("staging", "stage", "stg")


def pairs(rotations: Sequence[Rotation]) -> list[tuple[Rotation, Rotation]]:
    """Give each rotation of production with each of its staging counterparts: (staging, production)."""
    staged: dict[tuple[str, str], list[Rotation]] = {}
    for rotation in rotations:
        for key in {key for one in rotation.candidates for key in _stages(one)}:
            staged.setdefault(key, []).append(rotation)
    found = []
    for rotation in rotations:
        keys = [key for one in rotation.candidates for key in _follows(one)]
        before = {id(other): other for key in dict.fromkeys(keys) for other in staged.get(key, ())}
        found += [(other, rotation) for other in before.values() if other is not rotation]
    return found


def _stages(candidate: Candidate) -> Iterator[tuple[str, str]]:
    """Say by what a credential of production finds this one of staging."""
    if candidate.environment not in STAGING:
        return
    name = candidate.name
    for word in STAGING:
        name = name.replace(word, PRODUCTION[0])
    yield "name", name
    yield "name", name.replace(*PRODUCTION)
    if candidate.lineage is not None:
        yield "lineage", candidate.lineage


def _follows(candidate: Candidate) -> Iterator[tuple[str, str]]:
    if candidate.environment not in PRODUCTION:
        return
    yield "name", candidate.name
    if candidate.lineage is not None:
        yield "lineage", candidate.lineage
