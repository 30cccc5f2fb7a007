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
from keyaudit.rotation.steps import Action, Blocked, Done, Drop, Goal, Mint, Order, Outcome, Step, Wait
from keyaudit.rotation.stores.protocol import LostRaceError

_MOST_RACES = 100


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: `Done`, or `Wait`/`Blocked` with what stood in the way, and the last sight."""

    step: Done | Wait | Blocked
    sight: Sight


class Runner:
    """Runs one rotation as far as an order says."""

    def __init__(self, parties: Parties, journal: Journal, around: Surroundings) -> None:
        self._run = Run(parties, journal, around)
        self._around = around
        self._ending: Outcome | None = None
        self._agreed = False

    def run(self, order: Order) -> Ending:
        """Go on until the machine has nothing more to do; raises RotationError where a party refuses."""
        self._write("requested", order=order)
        races = 0
        while True:
            sight = look(self._run, order)
            step = self._asked(decide(sight, order, self._around.now()), sight)
            self._around.tell(step, sight)
            if isinstance(step, Wait):
                if self._around.sleep(step.until):
                    continue
                return self._ended(step, sight, order)
            if isinstance(step, Done | Blocked):
                return self._ended(step, sight, order)
            try:
                self._perform(step, sight)
            except LostRaceError:
                races += 1
                if races > _MOST_RACES:
                    raise RotationError(
                        "another run keeps changing the shelf", hint="let it finish"
                    ) from None
                minted = isinstance(step, Mint) and order.goal is Goal.FORWARD
            else:
                # Of an emergency too: a provider whose new keys are all dead would be asked for ever.
                minted = isinstance(step, Mint)
            order = replace(order, begin=order.begin and not minted)

    def _perform(self, step: Action, sight: Sight) -> None:
        self._write("intent", step)
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
        if isinstance(step, Wait | Blocked | Done) or not step.irreversible or self._agreed:
            return step
        if not self._around.agrees(step, sight):
            return Blocked("it was not confirmed", "say yes when asked, or give --yes")
        self._agreed = True
        return step

    def _ended(self, step: Done | Wait | Blocked, sight: Sight, order: Order) -> Ending:
        if isinstance(step, Done) and self._ending and step.outcome is Outcome.NOTHING:
            step = Done(self._ending, "the rotation is at its end")
        if isinstance(step, Done):
            outcome = str(step.outcome)
        else:
            outcome = "waiting" if isinstance(step, Wait) else "blocked"
        self._write("ended", order=order, outcome=outcome, detail={"why": step.why}, token=sight.shelf.token)
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
