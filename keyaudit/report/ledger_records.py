"""What rotation records say of the taking over of a version, for the entries of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from keyaudit.facts.promotions import Match
from keyaudit.model import Recorded
from keyaudit.report.ledger_entries import Row

Matches = Mapping[tuple[int, str], Match]
"""The record of each version, by row and version."""


def records_of(ask: Callable[[], Matches], within: int) -> Callable[[Row, str], Recorded | None]:
    """Give who asked and who agreed, by credential and version.

    The records are those by which `rotation-undocumented` judges, asked for when the first one is wanted:
    one that lies farther than `within` microseconds away is of another rotation. That a value was given
    up is no record of a rotation.
    """
    asked = cache(ask)

    def recorded(row: Row, version: str) -> Recorded | None:
        match = asked().get((row["row"], version))
        if match is None or match.distance > within or not match.promotion.served:
            return None
        found = match.promotion
        return Recorded(found.at, found.token, found.requested_by, found.approved_by, found.ticket)

    return recorded
