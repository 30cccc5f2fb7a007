"""Parties as settings open them, on a clock that a test sets, and a run of them without a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keyaudit.rotation.party import Means
from keyaudit.rotation.settings import _class
from keyaudit.rotation.sight import Key, Sight
from keyaudit.rotation.steps import Step
from servers.clock import Clock


def opened(
    role: str,
    settings: Mapping[str, Any],
    *,
    clock: Callable[[], int] = lambda: 0,
    environment: Mapping[str, str] | None = None,
    folder: Path = Path(),
    ask: Any = None,
) -> Any:
    """Open a party by its kind, as keyaudit.yaml would have it opened."""
    kind = _class(role, settings["kind"])
    means = Means(clock, environment or {}, folder, ask)
    return kind.opened(kind.Settings.model_validate(settings), means)


def listed(issuer: Any) -> list[Key]:
    return list(issuer.keys())


class Alone:
    """Nobody watches; waiting moves the clock, and whoever is given is called at each step."""

    def __init__(self, clock: Clock, at_step: Callable[[Step], None] = lambda step: None) -> None:
        self.clock, self.at_step = clock, at_step
        self.steps: list[Step] = []

    def now(self) -> int:
        return self.clock()

    def sleep(self, until: int) -> bool:
        self.clock.advance(max(until - self.clock(), 0))
        return True

    def agrees(self, step: Step, sight: Sight) -> bool:
        return True

    def tell(self, step: Step, sight: Sight) -> None:
        self.steps.append(step)
        self.at_step(step)
