"""What the exit code says of a run of `keyaudit rotate`.

0  reached what was asked         3  unfinished: waiting, or somebody could not be asked; run it again
1  rolled back, or a human is needed        2  usage or configuration        4  internal error
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyaudit.rotation.runner import Ending
    from keyaudit.rotation.steps import Order

REACHED, HUMAN, UNFINISHED, INTERRUPTED = 0, 1, 3, 130

EXIT_CODES = """\b
Exit codes:
  0  reached what was asked, or nothing was left to do
  1  rolled back by itself, or blocked: a human is needed
  2  usage or configuration; nothing was done
  3  unfinished: waiting, or somebody could not be asked; run it again
  4  internal error; running it again goes on from what the store shows"""


def code_of(ending: Ending, order: Order) -> int:
    """Give the exit code of a run that came to an end."""
    from keyaudit.rotation.steps import Done, Goal, Outcome, Wait

    if isinstance(ending.step, Wait):
        return UNFINISHED
    if not isinstance(ending.step, Done):
        return HUMAN
    unwanted = ending.step.outcome is Outcome.ROLLED_BACK and order.goal is not Goal.BACK
    return HUMAN if unwanted else REACHED
