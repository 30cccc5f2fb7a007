"""Running a rotation: what every command of `keyaudit rotate` does that changes something."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from keyaudit.cli.clock import now
from keyaudit.cli.outputs import log, tell
from keyaudit.cli.rotate import words
from keyaudit.cli.rotate.ending import HUMAN, INTERRUPTED, UNFINISHED, code_of
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.cli.rotate.foreground import View
    from keyaudit.cli.rotate.grace import Grace
    from keyaudit.cli.rotate.opening import Opened
    from keyaudit.cli.rotate.options import Given
    from keyaudit.rotation.rehearsal import Call
    from keyaudit.rotation.sight import Shelf
    from keyaudit.rotation.steps import Order


class Opening:
    """A rotation that a command was asked for, with its view and whoever can be asked."""

    def __init__(self, name: str, given: Given) -> None:
        """Open the rotation; raises what `opening.opened` does."""
        from keyaudit.cli.rotate.asking import Human
        from keyaudit.cli.rotate.opening import opened
        from keyaudit.cli.rotate.view import Lines, Panel

        seen = sys.stderr.isatty() and not log().as_json and not given.dry_run
        self.given = given
        self.wait = sys.stderr.isatty() if given.wait is None else given.wait
        self.view: View = Panel(name) if seen else Lines(name)
        human = Human(self.view, new_value=given.new_value, done=given.done)
        self.rotation: Opened = opened(name, given, human.ask)
        if isinstance(self.view, Panel):
            self.view.title = _title(self.rotation)
        self.grace: Grace | None = None
        self.before: list[Call] = []
        """What was asked of anybody before the run itself."""


def _title(rotation: Opened) -> str:
    parties = rotation.parties
    return (
        f"{rotation.name}: {parties.issuer.kind} key in {parties.store.kind} {parties.store.credential.name}"
    )


def order_of(opening: Opening, **more: object) -> Order:
    """Make the order of what the options say; `more` are further fields of it."""
    from dataclasses import replace

    from keyaudit.cli.rotate.grace import grace
    from keyaudit.rotation.steps import Goal, Order

    rotation, given = opening.rotation, opening.given
    settings = rotation.settings
    allowed = opening.grace = grace(
        settings,
        rotation.parties.store.credential,
        rotation.rotations.configuration,
        given.policy,
        emergency=more.get("goal") is Goal.EMERGENCY,
    )
    order = Order(
        window=settings.window,
        grace=allowed.period,
        settle=settings.settle,
        fresh=0 if given.again else settings.fresh,
        discard=frozenset(given.discard),
        keep=frozenset(given.keep),
        old_key_id=given.old_key_id,
        confirmed_silent=given.confirm_silent,
    )
    return replace(order, **more)  # type: ignore[arg-type]


def go(opening: Opening, order: Order, *, goes_on: bool = False) -> int:
    """Carry an order out as far as it goes, or rehearse it; gives the exit code.

    `goes_on` if there must be something under way to go on with.
    """
    from keyaudit.rotation.steps import Goal

    begins = order.begin and order.goal is Goal.FORWARD
    if begins and (code := _refused(opening, order)) is not None:
        return code
    if opening.given.dry_run:
        from keyaudit.cli.rotate.dry_run import rehearsed

        terms = _terms(opening, order)
        return rehearsed(
            opening.rotation, order, terms, before=opening.before, wait=opening.wait, goes_on=goes_on
        )
    return _ran(opening, order, goes_on=goes_on)


def _ran(opening: Opening, order: Order, *, goes_on: bool) -> int:
    from keyaudit.cli.rotate.foreground import Foreground
    from keyaudit.rotation.runner import Runner

    rotation = opening.rotation
    around = Foreground(opening.view, wait=opening.wait, yes=opening.given.yes)
    tell(f"{rotation.name}: {_terms(opening, order)}", "rotation-terms", name=rotation.name)
    try:
        ending = Runner(rotation.parties, rotation.journal, around).run(order)
    except (KeyboardInterrupt, click.Abort):
        opening.view.close()
        for line in _interrupted(rotation.name, around):
            tell(line, "interrupted")
        return INTERRUPTED
    finally:
        opening.view.close()
    code = code_of(ending, order, goes_on=goes_on)
    for line in words.ending(ending.step, ending.sight, rotation.name, around.now(), goes_on=goes_on):
        tell(line, "rotation-ended", name=rotation.name, exit_code=code)
    return code


def _terms(opening: Opening, order: Order) -> str:
    """Say how long both keys live, and who decided that."""
    from keyaudit.times import format_duration

    decided = f" ({opening.grace.decided_by})" if opening.grace else ""
    return f"grace {format_duration(order.grace)}{decided}, window of silence {format_duration(order.window)}"


def _interrupted(name: str, around: object) -> Iterator[str]:
    sight = getattr(around, "latest", None)
    yield f"{name}: interrupted" + (f"; when last looked at, {words.where(sight)}" if sight else "")
    yield f"hint: keyaudit rotate status {name} looks again, keyaudit rotate resume {name} goes on"


def _refused(opening: Opening, order: Order) -> int | None:
    """Say that another rotation goes first, where one does and none is under way here."""
    from keyaudit.cli.rotate.order import not_yet, under_way
    from keyaudit.rotation.rehearsal import heard_store

    rotation, given = opening.rotation, opening.given
    if given.out_of_order and not (given.reason or "").strip():
        raise UsageError("--out-of-order needs a --reason", hint="it is kept in the rotation record")
    if rotation.settings.after is None or given.out_of_order:
        return None
    own = heard_store(rotation.parties.store, opening.before.append).look()
    if under_way(own):
        return None
    before, recorded = _before(opening)
    refusal = not_yet(rotation.settings, own, before, recorded, now())
    if refusal is None or _nothing_to_begin(opening, order):
        return None
    tell(f"{rotation.name}: not begun: {refusal.why}", "out-of-order", name=rotation.name)
    tell(
        (
            "hint: run it again then"
            if refusal.allowed_at
            else f"hint: keyaudit rotate run {rotation.settings.after}"
        )
        + "; --out-of-order with a --reason does not wait, and is recorded",
        "hint",
    )
    return HUMAN if refusal.allowed_at is None else UNFINISHED


def _nothing_to_begin(opening: Opening, order: Order) -> bool:
    """Say whether a run would do nothing anyway, as one does whose value was rotated a moment ago."""
    from keyaudit.cli.rotate.foreground import Foreground
    from keyaudit.rotation.looking import look
    from keyaudit.rotation.machine import decide
    from keyaudit.rotation.parties import Run
    from keyaudit.rotation.rehearsal import heard
    from keyaudit.rotation.steps import Done

    rotation = opening.rotation
    parties = heard(rotation.parties, opening.before.append)
    around = Foreground(opening.view, wait=False, yes=False)
    return isinstance(decide(look(Run(parties, rotation.journal, around), order), order, now()), Done)


def _before(opening: Opening) -> tuple[Shelf, list[dict[str, object]]]:
    """Look at the store of the rotation that goes first, and at its record where it is kept here."""
    from keyaudit.cli.rotate.opening import record_of
    from keyaudit.rotation.journal import FileJournal, Request
    from keyaudit.rotation.rehearsal import heard_store
    from keyaudit.rotation.settings import open_store

    rotation, given = opening.rotation, opening.given
    settings = rotation.rotations.named(str(rotation.settings.after))
    store = heard_store(open_store(settings, rotation.means), opening.before.append)
    record = record_of(settings.name, rotation.rotations, given)
    journal = FileJournal(record, settings.name, store.credential, Request())
    return store.look(), journal.entries()
