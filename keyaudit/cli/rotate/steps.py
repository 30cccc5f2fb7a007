"""keyaudit rotate run, and the same step by step: begin, verify, promote, drain, retire, rollback, resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from keyaudit.cli.rotate.ending import EXIT_CODES
from keyaudit.cli.rotate.options import Given, changing


@dataclass(frozen=True, slots=True)
class _Way:
    """One command: how far it goes, and whether it may begin a rotation."""

    name: str
    summary: str
    help: str
    until: str = "RETIRE"
    begins: bool = False
    back: bool = False
    examples: str = ""


_WAYS = (
    _Way(
        "run",
        "Rotate a credential, from a new key to the end of the old one.",
        "Rotate NAME: have a new key made, store it beside the old one, try it, give it to applications,"
        " wait until nobody uses the old key, and revoke that. Both keys work until then, and there is a way"
        " back. Running it again goes on from where it is, whoever ran it before, and wherever.",
        begins=True,
        examples="""
  keyaudit rotate run openai-prod --dry-run          each call it would make
  keyaudit rotate run openai-prod --ticket CHG-812   wait for the end, at a terminal
  keyaudit rotate run openai-prod --no-wait --yes    in a job that runs every hour until it gives 0""",
    ),
    _Way(
        "begin",
        "Make a new key and store it where applications do not look.",
        "Have a new key made for NAME, and stage its value beside the one in use.",
        until="STAGE",
        begins=True,
    ),
    _Way(
        "verify",
        "Try the new key.",
        "Ask the provider whether the staged value of NAME works. Begins nothing: 1 if nothing is under way.",
        until="VERIFY",
    ),
    _Way(
        "promote",
        "Give applications the new key; the old one goes on working.",
        "Give applications the new value of NAME, after it was found to work. Begins nothing: 1 if nothing is"
        " under way.",
        until="PROMOTE",
    ),
    _Way(
        "drain",
        "Wait until nobody uses the old key.",
        "Wait until the old key of NAME was silent for the whole window, without ever using it. Begins"
        " nothing: 1 if nothing is under way.",
        until="DRAIN",
    ),
    _Way(
        "retire",
        "Revoke the old key, once it is silent.",
        "Bring the rotation of NAME to its end: the old key is revoked. Begins nothing: 1 if nothing is under"
        " way, where `resume` gives 0.",
    ),
    _Way(
        "rollback",
        "Go back to the old key, which is possible until it is given up.",
        "Give applications of NAME the old value again, and revoke the new key once nobody uses it.",
        back=True,
    ),
)


def _command(way: _Way) -> click.Command:
    def go(name: str, **given: Any) -> int:
        from keyaudit.cli.rotate import going
        from keyaudit.rotation.steps import Goal, Stage

        opening = going.Opening(name, Given(**given))
        goal = Goal.BACK if way.back else Goal.FORWARD
        order = going.order_of(opening, until=Stage[way.until], begin=way.begins, goal=goal)
        return going.go(opening, order, goes_on=not (way.begins or way.back))

    return _made(
        way.name, way.summary, way.help, way.examples, go, begins=way.begins, retires=way.until == "RETIRE"
    )


def _made(
    name: str,
    summary: str,
    text: str,
    examples: str,
    function: Callable[..., int],
    *,
    begins: bool,
    retires: bool,
) -> click.Command:
    shown = examples or f"\n  keyaudit rotate {name} openai-prod"
    epilog = f"\b\nExamples:{shown}\n\n{EXIT_CODES}"
    decorated = changing(begins=begins, retires=retires)(function)
    made: click.Command = click.command(name, help=text, short_help=summary, epilog=epilog)(decorated)
    return made


def _resumed(name: str, **given: Any) -> int:
    from keyaudit.cli.rotate import emergency, going
    from keyaudit.rotation.recorded import unfinished
    from keyaudit.rotation.steps import Goal

    opening = going.Opening(name, Given(**given))
    left = unfinished(opening.rotation.journal.entries())
    if left is not None and left.goal is Goal.EMERGENCY:
        return emergency.carried_out(opening, left.compromised)
    goal = Goal.FORWARD if left is None else left.goal
    return going.go(opening, going.order_of(opening, goal=goal, begin=False))


run, begin, verify, promote, drain, retire, rollback = map(_command, _WAYS)
resume = _made(
    "resume",
    "Go on with what was begun and not ended.",
    "Bring to its end what is under way for NAME: a rotation, a way back, or an emergency, as the record"
    " says. Begins nothing: 0 if nothing is under way.",
    "",
    _resumed,
    begins=False,
    retires=True,
)
