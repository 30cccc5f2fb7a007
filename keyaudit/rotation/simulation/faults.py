"""What goes wrong in a simulated year, and how often.

    new-key-dead         the provider gives a key that never works
    revoked-early        somebody revokes a key that applications are using
    partial-rollout      an application does not fetch the new key for up to two weeks
    runner-killed        a run dies before or after any one of its calls
    propagation-lag      a new key works only after a while
    leak                 the key in use leaks, and somebody notices: an emergency
    manager-unreachable  the secret manager is away, for applications and runs
    provider-down        the provider's management interface is away, for runs

What happens to a rotation is drawn for it, the rest in time, each from the seed and a name alone: the
same under every policy, on every machine.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from keyaudit.times import DAY, HOUR, MINUTE, SECOND

YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely each is: the first five of each rotation, a leak of each credential a year.

    Outages are counted a year, for the whole fleet.
    """

    new_key_dead: float = 0
    revoked_early: float = 0
    partial_rollout: float = 0
    runner_killed: float = 0
    propagation_lag: float = 0
    leak: float = 0
    manager_outages: int = 0
    provider_outages: int = 0


FAULTS: Mapping[str, Faults] = {
    "none": Faults(),
    "some": Faults(0.01, 0.005, 0.03, 0.02, 0.1, 0.02, 6, 12),
    "many": Faults(0.05, 0.03, 0.15, 0.2, 0.3, 0.1, 40, 60),
}
"""By the names of `--faults`. Guesses that make each recovery happen; no statistics of anybody."""


@dataclass(frozen=True, slots=True)
class Luck:
    """What happens to one rotation; None where it does not. Durations in microseconds."""

    broken: bool
    lag: int
    revoked_after: int | None
    """How long after the new key took over somebody revokes it (`key_in_use`), or the old one."""
    key_in_use: bool
    stuck_for: int | None
    kill_at: int | None
    """The call, counted from 1, about which the run dies."""
    after: bool
    """Whether that call is still answered by the other side."""


def luck_of(faults: Faults, seed: int, name: str, rotation: int) -> Luck:
    """Draw what happens to a credential's n-th rotation; everything is drawn, so that nothing shifts."""
    draw = Random(f"{seed}|{name}|{rotation}")  # noqa: S311 - a game of chance, not a secret
    chance = [draw.random() for _ in range(5)]
    lag, early, in_use = draw.randint(1, 90) * SECOND, draw.random(), draw.random() < 0.5
    stuck, kill_at, after = draw.randint(HOUR, 14 * DAY), draw.randint(1, 40), draw.random() < 0.5
    revoked = int(early * (20 * DAY if in_use else 10 * MINUTE))
    return Luck(
        broken=chance[0] < faults.new_key_dead,
        lag=lag if chance[4] < faults.propagation_lag else 0,
        revoked_after=revoked if chance[1] < faults.revoked_early else None,
        key_in_use=in_use,
        stuck_for=stuck if chance[2] < faults.partial_rollout else None,
        kill_at=kill_at if chance[3] < faults.runner_killed else None,
        after=after,
    )


def leaks_of(faults: Faults, seed: int, name: str, days: int) -> list[int]:
    """Draw when a credential leaks, at most once a year, in microseconds from the start."""
    draw = Random(f"{seed}|{name}|leak")  # noqa: S311 - a game of chance, not a secret
    drawn = [(draw.random(), year + draw.randrange(YEAR)) for year in range(0, days * DAY, YEAR)]
    return [when for chance, when in drawn if chance < faults.leak]


class Outages:
    """When something cannot be reached."""

    def __init__(self, number: int, seed: int, name: str, start: int, days: int = 365) -> None:
        """Draw so many a year, each of 5 minutes to 2 hours; overlapping ones are one."""
        draw = Random(f"{seed}|{name}")  # noqa: S311 - a game of chance, not a secret
        drawn = sorted(
            (start + year + draw.randrange(YEAR), draw.randint(5 * MINUTE, 2 * HOUR))
            for year in range(0, days * DAY, YEAR)
            for _ in range(number)
        )
        self._begins: list[int] = []
        self._ends: list[int] = []
        for begin, length in drawn:
            if self._ends and begin <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], begin + length)
            else:
                self._begins.append(begin)
                self._ends.append(begin + length)

    def up_from(self, instant: int) -> int:
        """Give the first instant from this one at which it can be reached."""
        place = bisect_right(self._begins, instant) - 1
        return max(instant, self._ends[place]) if place >= 0 else instant
