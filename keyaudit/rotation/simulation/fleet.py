"""Whose keys are rotated in a simulation: credentials, what a policy asks of each, who uses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from keyaudit.times import DAY, HOUR, MINUTE


@dataclass(frozen=True, slots=True)
class Habit:
    """How an application holds a key: fetched anew every `refresh`, and `again` after a refusal.

    `again` None: it waits for its next refresh, however many of its requests are refused.
    """

    name: str
    refresh: int
    again: int | None
    share: float


HABITS: Sequence[Habit] = (
    Habit("service", 5 * MINUTE, MINUTE, 0.6),
    Habit("worker", HOUR, MINUTE, 0.3),
    Habit("nightly", DAY, None, 0.1),
)
"""A service asks its store every few minutes, as `keyaudit.client.from_store` does; what is started
once a day reads its key then. Shares are a guess."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One credential under one policy; durations in microseconds.

    `age` is how old its value is when the simulation starts. `applications` use it.
    """

    name: str
    environment: str | None
    schedule: str
    rotation_period: int
    grace_period: int | None
    age: int
    applications: int = 1


ENVIRONMENTS: Sequence[tuple[str, int | None, float]] = (
    ("production", 1, 0.1),
    ("production", 2, 0.4),
    ("staging", None, 0.2),
    ("development", None, 0.3),
)
"""Environment, tier and share of an invented fleet."""


def invented(number: int, seed: int) -> list[dict[str, object]]:
    """Invent credentials, as flat columns of an inventory that a policy can be asked about."""
    draw = Random(f"{seed}|fleet")  # noqa: S311 - a game of chance, not a secret
    weights = [share for _, _, share in ENVIRONMENTS]
    rows: list[dict[str, object]] = []
    for place in range(1, number + 1):
        environment, tier, _ = draw.choices(ENVIRONMENTS, weights)[0]
        rows.append(
            {
                "source": "invented",
                "scope": "fleet",
                "id": f"{environment}/key-{place}",
                "name": f"{environment}/key-{place}",
                "class": "api-key",
                "provider": "invented",
                "environment": environment,
                "tier": tier,
                "reach": "organization" if draw.random() < 0.1 else "project",
                "exposure": "public" if draw.random() < 0.2 else "internal",
                "consumers": draw.choices((1, 2, 3, 5), (0.4, 0.3, 0.2, 0.1))[0],
                "user_owned": False,
                "labels": None,
            }
        )
    return rows


def habits_of(name: str, number: int, seed: int) -> list[tuple[Habit, int]]:
    """Draw the habit of each application of a credential, and when in its round it refreshes."""
    draw = Random(f"{seed}|{name}|applications")  # noqa: S311 - a game of chance, not a secret
    weights: Mapping[Habit, float] = {habit: habit.share for habit in HABITS}
    drawn = draw.choices(list(weights), list(weights.values()), k=number)
    return [(habit, draw.randrange(habit.refresh)) for habit in drawn]
