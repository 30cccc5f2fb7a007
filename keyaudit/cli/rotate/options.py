"""Options of `keyaudit rotate`, said once, and what was given of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from keyaudit.cli import options

NAME: options.Decorator = click.argument("name", metavar="NAME")

_JOURNAL: options.Decorator = click.option(
    "--journal",
    metavar="DIR",
    help="Where the rotation record is kept, a file a rotation.  "
    "[default: .keyaudit/rotations beside keyaudit.yaml]",
)
_WHERE = (options.config, options.policy, _JOURNAL, options.log_format)

_WHO = (
    click.option(
        "--requested-by", metavar="WHO", help="Who asks for this, for the record.  [default: user@host]"
    ),
    click.option("--approved-by", metavar="WHO", help="Who allowed it, for the record."),
    click.option("--ticket", metavar="ID", help="The change or incident it belongs to, for the record."),
    click.option("--reason", metavar="TEXT", help="Why, for the record. Never write a value there."),
)

_HOW = (
    click.option("--dry-run", is_flag=True, help="Print each call it would make, and change nothing."),
    click.option("--yes", is_flag=True, help="Agree beforehand to what cannot be undone."),
    click.option(
        "--wait/--no-wait",
        default=None,
        help="Wait for as long as it takes, or leave with 3 and be run again.  [default: wait at a terminal]",
    ),
    click.option(
        "--old-key-id",
        metavar="KEY",
        help="Which of the provider's keys is in use, where the store cannot say.",
    ),
    click.option(
        "--discard",
        metavar="KEY",
        multiple=True,
        help="Revoke a key that a run which died has left, and that is stored nowhere. Repeat for several.",
    ),
    click.option(
        "--keep",
        metavar="KEY",
        multiple=True,
        help="Leave such a key alone: somebody else made it. Repeat for several.",
    ),
    click.option(
        "--new-value",
        type=click.Choice(["-"]),
        help="For keys made by hand: read the new value from stdin, a line, or a JSON object where it has "
        "several parts.  [default: typed at the terminal, not shown]",
    ),
    click.option(
        "--done", is_flag=True, help="What the last run asked for at the provider's console is done."
    ),
)

_RETIRING = click.option(
    "--confirm-silent", is_flag=True, help="Nobody uses the old key any more: your word, for the record."
)
_BEGINNING = (
    click.option("--again", is_flag=True, help="Rotate even what was rotated a moment ago."),
    click.option(
        "--out-of-order",
        is_flag=True,
        help="Begin although the rotation that goes first is not done; needs --reason, which is recorded.",
    ),
)


@dataclass(frozen=True, slots=True)
class Given:
    """What the options of one command said; the names are those of the options."""

    config: str | None = None
    policy: str | None = None
    journal: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    ticket: str | None = None
    reason: str | None = None
    dry_run: bool = False
    yes: bool = False
    wait: bool | None = None
    old_key_id: str | None = None
    discard: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    new_value: str | None = None
    done: bool = False
    confirm_silent: bool = False
    again: bool = False
    out_of_order: bool = False


def where(function: Callable[..., Any]) -> Callable[..., Any]:
    """Take what says which rotation, under which policy, with which record."""
    return _applied(function, NAME, *_WHERE)


def changing(*, begins: bool, retires: bool) -> options.Decorator:
    """Take what a command may be told that changes something."""
    more = (*(_BEGINNING if begins else ()), *((_RETIRING,) if retires else ()))

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return _applied(function, NAME, *_HOW, *more, *_WHO, *_WHERE)

    return decorate


def _applied(function: Callable[..., Any], *decorators: options.Decorator) -> Callable[..., Any]:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function
