"""What a run of a rotation has around it here: a clock, patience, a human, a view."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import click

from keyaudit.cli.clock import now as wall_clock
from keyaudit.cli.outputs import tell
from keyaudit.cli.rotate import words
from keyaudit.cli.rotate.asking import at_a_terminal
from keyaudit.times import MINUTE, SECOND

if TYPE_CHECKING:
    from keyaudit.rotation.sight import Sight
    from keyaudit.rotation.steps import Step

PATIENCE = 15 * SECOND
"""What is waited out at a time even with --no-wait: a provider that gets to know its new key."""
MOST_PATIENCE = 2 * MINUTE
"""The same in all, but for what ends by itself: a log that stands still would be waited for without end."""


class View(Protocol):
    """Where a rotation is shown; see `view`."""

    def tell(self, step: Step, sight: Sight, now: int) -> None:
        """Show what is about to be done."""
        ...

    def tick(self, now: int) -> None:
        """Show that time has passed."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """Keep still while somebody else writes."""
        ...

    def close(self) -> None:
        """Show nothing more."""
        ...


class Patience:
    """How long somebody still wants to wait: as long as it takes, or a little each time and in all."""

    def __init__(self, *, endless: bool) -> None:
        self._endless, self._left = endless, MOST_PATIENCE
        self._counts = False

    def told(self, step: Step) -> None:
        """Hear what is next: asking anew within a step ends by itself, a step that is a wait may not."""
        from keyaudit.rotation.steps import Wait

        self._counts = isinstance(step, Wait)

    def lasts(self, duration: int) -> bool:
        """Say whether a duration, in microseconds, is to be waited out."""
        if self._endless or duration <= 0:
            return True
        if duration > PATIENCE or (self._counts and duration > self._left):
            return False
        self._left -= duration if self._counts else 0
        return True


class Foreground:
    """The surroundings of a run that somebody, or something, has started and looks at."""

    def __init__(
        self,
        view: View,
        *,
        wait: bool,
        yes: bool,
        clock: Callable[[], int] = wall_clock,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`wait` for as long as it takes; `yes` to what cannot be undone, without being asked."""
        self._view, self._yes = view, yes
        self._clock, self._pause = clock, pause
        self._patience = Patience(endless=wait)
        self.latest: Sight | None = None

    def now(self) -> int:
        """Give the time in microseconds, UTC."""
        return self._clock()

    def sleep(self, until: int) -> bool:
        """Wait until an instant, unless that takes longer than somebody wants to wait."""
        if not self._patience.lasts(until - self._clock()):
            return False
        while (left := until - self._clock()) > 0:
            self._view.tick(self._clock())
            self._pause(min(left / SECOND, 1.0))
        return True

    def agrees(self, step: Step, sight: Sight) -> bool:
        """Say exactly what will happen that cannot be undone, and ask for it."""
        with self._view.paused():
            tell(words.irreversible(step, sight, self._clock()), "irreversible")
            if self._yes:
                return True
            return at_a_terminal() and click.confirm("Go on?", default=False, err=True)

    def tell(self, step: Step, sight: Sight) -> None:
        """Show what is about to be done."""
        self.latest = sight
        self._patience.told(step)
        self._view.tell(step, sight, self._clock())


class Rehearsed:
    """The surroundings of a rehearsal: waiting moves a clock of its own, and everything is agreed to."""

    def __init__(self, told: Callable[[Step, Sight, int], None], *, wait: bool, start: int) -> None:
        """`told` hears of each step; `wait` as the real run would."""
        self._told, self._now = told, start
        self._patience = Patience(endless=wait)

    def now(self) -> int:
        """Give the rehearsal's own time in microseconds, UTC."""
        return self._now

    def sleep(self, until: int) -> bool:
        """Let the time pass at once, where the real run would wait."""
        if not self._patience.lasts(until - self._now):
            return False
        self._now = max(self._now, until)
        return True

    def agrees(self, step: Step, sight: Sight) -> bool:
        """Agree: the step that follows says that it would have been asked about."""
        del step, sight
        return True

    def tell(self, step: Step, sight: Sight) -> None:
        """Pass on what would be done."""
        self._patience.told(step)
        self._told(step, sight, self._now)
