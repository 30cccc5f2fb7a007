"""What the exit code says of a run of `keyaudit rotate`.

0  reached what was asked         3  unfinished: waiting, or somebody could not be asked; run it again
1  rolled back, or a human is needed        2  usage or configuration        4  internal error

To go on with what was never begun is 1 as well: whoever runs `verify` means to hear that something was
verified. `resume` and `rollback` have what they want where nothing is left: 0, unless applications are
left with a key that their provider calls dead, or does not list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyaudit.rotation.runner import Ending
    from keyaudit.rotation.steps import Done, Order

REACHED, HUMAN, UNFINISHED, INTERRUPTED = 0, 1, 3, 130

EXIT_CODES = """\b
Exit codes:
  0  reached what was asked, or nothing was left to do
  1  rolled back by itself, blocked, or nothing was under way: a human is needed
  2  usage or configuration; nothing was done
  3  unfinished: waiting, or somebody could not be asked; run it again
  4  internal error; running it again goes on from what the store shows"""


def code_of(ending: Ending, order: Order, *, goes_on: bool = False) -> int:
    """Give the exit code of a run that came to an end; `goes_on` if it was asked to go on with one."""
    from keyaudit.rotation.steps import Done, Wait

    if isinstance(ending.step, Wait):
        return UNFINISHED
    if not isinstance(ending.step, Done):
        return HUMAN
    if _unwanted(ending.step, order, goes_on=goes_on) or _left_dead(ending):
        return HUMAN
    return REACHED


def _left_dead(ending: Ending) -> bool:
    from keyaudit.cli.rotate.words import dead_in_use
    from keyaudit.rotation.steps import Done, Outcome

    nothing = isinstance(ending.step, Done) and ending.step.outcome is Outcome.NOTHING
    return nothing and bool(dead_in_use(ending.sight))


def _unwanted(step: Done, order: Order, *, goes_on: bool) -> bool:
    from keyaudit.rotation.steps import Goal, Outcome

    if step.outcome is Outcome.NOTHING:
        return goes_on
    return step.outcome is Outcome.ROLLED_BACK and order.goal is not Goal.BACK
