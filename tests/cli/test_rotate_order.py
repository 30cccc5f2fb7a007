"""Staging goes first: what lets a rotation begin, and what is said where it may not."""

from __future__ import annotations

import pytest

from keyaudit.cli.rotate.order import NotYet, not_yet, under_way
from keyaudit.rotation.settings import RotationSettings
from keyaudit.rotation.sight import Place, Shelf
from keyaudit.times import DAY

PARTY = {"kind": "any"}
PRODUCTION = RotationSettings.model_validate(
    {"name": "prod", "after": "staging", "apart": "7d", "store": PARTY, "issuer": PARTY, "probe": PARTY}
)
NOW = 1000 * DAY
OWN = Shelf("own", Place("1", "key-1", since=NOW - 90 * DAY))


def staging(since: int | None, token: str | None = "rotated") -> Shelf:
    return Shelf("next", Place("2", "key-2", token, since))


ALLOWED = [
    ("exactly a week ago", OWN, staging(NOW - 7 * DAY)),
    ("long ago, and after production's last change", OWN, staging(NOW - 89 * DAY)),
    ("nobody knows when production changed", Shelf("own", Place("1")), staging(NOW - 400 * DAY)),
    ("production holds nothing yet", Shelf("own", None), staging(NOW - 400 * DAY)),
]
REFUSED = [
    ("a microsecond too early", OWN, staging(NOW - 7 * DAY + 1), "7 d must lie between"),
    ("before production's own", OWN, staging(NOW - 90 * DAY), "older than the one here"),
    ("never rotated by a rotation", OWN, staging(NOW - 30 * DAY, None), "no rotation put its value there"),
    ("since when is not known", OWN, staging(None), "no rotation put its value there"),
    ("nothing there", OWN, Shelf("next", None), "no rotation put its value there"),
    (
        "staged there",
        OWN,
        Shelf("t", Place("2", "b", "x", NOW - 30 * DAY), Place("3", "c", "t")),
        "is being rotated itself",
    ),
    (
        "not retired there",
        OWN,
        Shelf("t", Place("3", "c", "t", NOW - 30 * DAY), previous=Place("2", "b")),
        "is being rotated itself",
    ),
    (
        "somebody else rotates there",
        OWN,
        Shelf("t", Place("3", "c", "x", NOW - 30 * DAY), foreign="a Lambda"),
        "is being rotated itself",
    ),
]


@pytest.mark.parametrize(("own", "before"), [row[1:] for row in ALLOWED], ids=[row[0] for row in ALLOWED])
def test_production_may_begin(own: Shelf, before: Shelf) -> None:
    assert not_yet(PRODUCTION, own, before, [], NOW) is None


@pytest.mark.parametrize(
    ("own", "before", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_production_waits_for_staging(own: Shelf, before: Shelf, said: str) -> None:
    refusal = not_yet(PRODUCTION, own, before, [], NOW)
    assert refusal is not None
    assert said in refusal.why


def test_where_only_time_is_missing_the_date_is_said() -> None:
    refusal = not_yet(PRODUCTION, OWN, staging(NOW - 6 * DAY), [], NOW)
    assert refusal == NotYet(
        "staging was rotated 1972-09-21T00:00:00Z, and 7 d must lie between: not before"
        " 1972-09-28T00:00:00Z (1 d)",
        NOW + DAY,
    )
    assert not_yet(PRODUCTION, OWN, staging(NOW - 6 * DAY), [], NOW + DAY) is None


def test_a_rotation_of_staging_that_was_rolled_back_is_none() -> None:
    entries = [{"event": "ended", "outcome": outcome} for outcome in ("rotated", "rolled-back", "nothing")]
    refusal = not_yet(PRODUCTION, OWN, staging(NOW - 30 * DAY), entries, NOW)
    assert refusal is not None
    assert "rolled back" in refusal.why
    assert not_yet(PRODUCTION, OWN, staging(NOW - 30 * DAY), entries[:1], NOW) is None


def test_a_rotation_is_under_way_from_staging_until_the_old_value_is_dropped() -> None:
    old, new = Place("1", "a"), Place("2", "b", "t")
    assert not under_way(Shelf("t", old))
    assert under_way(Shelf("t", old, pending=new))
    assert under_way(Shelf("t", new, previous=old))
    assert under_way(Shelf("t", old, previous=new, final=False)), "the way back is one too"
    assert not under_way(Shelf("t", Place("2", "b", "before"), previous=old)), (
        "somebody else's previous value"
    )
