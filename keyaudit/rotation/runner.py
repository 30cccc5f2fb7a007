"""A run: look, let the machine decide, write the intent down, do it, write down what came of it.

Running again after a crash is running. Two runs at once go on with the same rotation: where one is
slower, it is told so by the store and looks again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from keyaudit.errors import RotationError
from keyaudit.rotation import performing
from keyaudit.rotation.journal import Entry, Journal
from keyaudit.rotation.looking import look
from keyaudit.rotation.machine import decide
from keyaudit.rotation.parties import Parties, Run, Surroundings
from keyaudit.rotation.sight import Sight
from keyaudit.rotation.steps import (
    Action,
    Blocked,
    Decide,
    Done,
    Drop,
    Goal,
    Mint,
    Order,
    Outcome,
    Step,
    Wait,
)
from keyaudit.rotation.stores.protocol import LostRaceError
from keyaudit.times import SECOND

_MOST_RACES = 100
_MOST_REPEATED = 5
"""Times: half a minute in all, for lists that are behind."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: `Done`, or `Wait`/`Blocked` with what stood in the way, and the last sight."""

    step: Done | Wait | Blocked
    sight: Sight


def _ends_beginning(step: Action, order: Order, *, lost: bool) -> bool:
    """Say whether a run may begin no further rotation after this: it makes one key, or ends one rotation.

    An emergency may have to end a rotation before it begins its own. Where another run was faster,
    the one key is still to be made.
    """
    if isinstance(step, Mint):
        return not lost or order.goal is Goal.FORWARD
    return isinstance(step, Drop) and not lost and order.goal is Goal.FORWARD


class Runner:
    """Runs one rotation as far as an order says."""

    def __init__(self, parties: Parties, journal: Journal, around: Surroundings) -> None:
        self._run = Run(parties, journal, around)
        self._around = around
        self._ending: Outcome | None = None
        self._agreed = set[Step]()
        self._order = Order()
        self._races = 0
        self._last: Action | None = None
        self._repeated = 0

    def run(self, order: Order) -> Ending:
        """Go on until the machine has nothing more to do; raises RotationError where a party refuses."""
        self._order, self._run.emergency = order, order.goal is Goal.EMERGENCY
        self._write("requested", order=order)
        while True:
            sight = look(self._run, self._order)
            step = self._asked(decide(sight, self._order, self._around.now()), sight)
            self._around.tell(step, sight)
            if isinstance(step, Wait) and self._around.sleep(step.until):
                self._last = None
                continue
            if isinstance(step, Wait | Done | Blocked):
                return self._ended(step, sight)
            self._refuse_vanity(step)
            lost = not self._performed(step, sight)
            if _ends_beginning(step, self._order, lost=lost):
                self._order = replace(self._order, begin=False)

    def _performed(self, step: Action, sight: Sight) -> bool:
        """Do it; False where another run was faster, which happens a limited number of times."""
        try:
            self._perform(step, sight)
        except LostRaceError:
            self._races += 1
            if self._races > _MOST_RACES:
                raise RotationError("another run keeps changing the shelf", hint="let it finish") from None
            return False
        return True

    def _refuse_vanity(self, step: Action) -> None:
        """Give a party that shows no trace of what was done a little time, and not for ever."""
        if step != self._last:
            self._last, self._repeated = step, 0
            return
        self._repeated += 1
        later = self._around.now() + SECOND * 2**self._repeated
        if self._repeated > _MOST_REPEATED or not self._around.sleep(later):
            raise RotationError(
                f"{step.name} was done and does not show yet", hint="run it again in a minute"
            )

    def _perform(self, step: Action, sight: Sight) -> None:
        self._write("intent", step, detail=performing.about(step, sight))
        try:
            detail = performing.PERFORMED[type(step)](self._run, step, sight)
        except (LostRaceError, RotationError) as error:
            why = "another run was faster" if isinstance(error, LostRaceError) else str(error)
            self._write("failed", step, outcome=why)
            raise
        self._write("result", step, outcome="done", detail=detail)
        if isinstance(step, Drop):
            back = step.place == "pending" or sight.shelf.final is False
            self._ending = Outcome.ROLLED_BACK if back else Outcome.ROTATED

    def _asked(self, step: Step, sight: Sight) -> Step:
        if isinstance(step, Wait | Blocked | Done) or not step.irreversible or step in self._agreed:
            return step
        # What an emergency still has to settle once its keys are dead takes nothing more from anybody.
        if self._agreed and self._run.emergency and isinstance(step, Decide):
            return step
        if not self._around.agrees(step, sight):
            return Blocked("it was not confirmed", "say yes when asked, or give --yes")
        self._agreed.add(step)
        return step

    def _ended(self, step: Done | Wait | Blocked, sight: Sight) -> Ending:
        if isinstance(step, Done) and self._ending and step.outcome is Outcome.NOTHING:
            step = Done(self._ending, "the rotation is at its end")
        if isinstance(step, Done):
            outcome = str(step.outcome)
        else:
            outcome = "waiting" if isinstance(step, Wait) else "blocked"
        self._write(
            "ended", order=self._order, outcome=outcome, detail={"why": step.why}, token=sight.shelf.token
        )
        return Ending(step, sight)

    def _write(
        self,
        event: str,
        step: Action | None = None,
        *,
        order: Order | None = None,
        outcome: str | None = None,
        detail: dict[str, Any] | None = None,
        token: str | None = None,
    ) -> None:
        said = {} if step is None else performing.said(step)
        self._run.journal.append(
            Entry(
                at=self._around.now(),
                event=event,
                token=said.pop("token", token),
                step=None if step is None else step.name,
                outcome=outcome,
                goal=None if order is None else str(order.goal),
                detail=said
                | (detail or {})
                | (performing.asked_for(order) if event == "requested" and order else {}),
            )
        )
