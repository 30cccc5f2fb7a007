"""keyaudit rotate emergency: a key has escaped. Revoke it at once, then replace it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli.clock import now
from keyaudit.cli.outputs import tell
from keyaudit.cli.rotate import words
from keyaudit.cli.rotate.ending import EXIT_CODES, REACHED
from keyaudit.cli.rotate.going import Opening, go, order_of
from keyaudit.cli.rotate.options import Given, changing
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.rotation.sight import Sight

EPILOG = f"""\b
Examples:
  keyaudit rotate emergency openai-prod --ticket INC-77 --reason "key in a public repository"
  keyaudit rotate emergency openai-prod --key-id key_abc --key-id key_def
  keyaudit rotate emergency openai-prod --audited "provider log read back to the leak: no foreign use"

{EXIT_CODES}"""


@click.command(
    "emergency", epilog=EPILOG, short_help="Revoke a compromised key at once, then replace it: an outage."
)
@click.option(
    "--key-id",
    "key_ids",
    metavar="KEY",
    multiple=True,
    help="A compromised key, by the provider's id. Repeat for several.  [default: the key in use]",
)
@click.option(
    "--audited",
    metavar="TEXT",
    help="Record that the escape was looked into, and what came of it; nothing else is done.",
)
@changing(begins=False, retires=False)
def command(name: str, key_ids: tuple[str, ...], audited: str | None, **given: Any) -> int:
    """Revoke the compromised key of NAME now, accept the outage, then make, store and promote a new one.

    No grace, no window, no order of environments. An emergency that did not come to its end is carried
    on with the keys that it began with.
    """
    from dataclasses import replace

    if audited is not None:
        return _record_audit(Opening(name, replace(Given(**given), reason=audited)))
    opening = Opening(name, Given(**given))
    return carried_out(opening, _compromised(opening, key_ids), frozenset(key_ids))


def carried_out(opening: Opening, compromised: frozenset[str], named: frozenset[str] = frozenset()) -> int:
    """Revoke and replace; `compromised` empty: the key in use. Then say what a machine cannot do.

    `named` are those that a human has just named.
    """
    from keyaudit.rotation.steps import Goal

    sight = _sight(opening)
    _refuse_unknown(opening, sight, named)
    compromised = compromised or frozenset({_in_use(opening, sight)})
    old = _old_key(sight, compromised)
    unseen = _unlisted(opening, sight, compromised)
    for key in sorted(unseen):
        tell(
            f"{opening.rotation.name}: key {key} is not listed by its provider, so it cannot be revoked here:"
            " should `issuer` name another account than its own, it still works",
            "not-listed",
        )
    in_use = {place.key_id for place in sight.shelf.places} | {old}
    code = go(opening, order_of(opening, goal=Goal.EMERGENCY, compromised=compromised, old_key_id=old))
    if code == REACHED and not opening.given.dry_run:
        name = opening.rotation.name
        done = _done(compromised, unseen, in_use)
        said = f"{name}: {done}. What is left is to find out about its escape:"
        for line in (said, *(f"  - {item}" for item in words.AFTER_AN_ESCAPE)):
            tell(line, "checklist")
        audit = f'keyaudit rotate emergency {name} --audited "what came of it"'
        tell(f"hint: {audit} records that it is done", "hint")
    return code


def _done(compromised: frozenset[str], unseen: frozenset[str], in_use: set[str | None]) -> str:
    """Say what came of it, and no more than that."""
    if unseen:
        return f"make sure that {', '.join(sorted(unseen))} is dead; it is replaced"
    if not compromised & in_use:
        return "the key is dead; it was not the one in use here, and nothing was replaced"
    return "the key is dead and replaced"


def _refuse_unknown(opening: Opening, sight: Sight, named: frozenset[str]) -> None:
    """Refuse a key that is nobody's: a slip of the pen would leave the one that escaped alive."""
    current = sight.shelf.current
    if sight.keys is None or current is None or current.key_id is None:
        return  # then the key that was named is taken for the one in use
    unknown = named - {place.key_id for place in sight.shelf.places}
    if unknown := _unlisted(opening, sight, unknown):
        listed = ", ".join(sorted(key.id for key in sight.keys)) or "none"
        raise UsageError(
            f"{opening.rotation.name}: no key is called {', '.join(sorted(unknown))}; nothing was revoked",
            hint=f"its provider lists {listed}; in use is {current.key_id}",
        )


def _unlisted(opening: Opening, sight: Sight, keys: frozenset[str]) -> frozenset[str]:
    """Give the keys that their provider does not list, and that no run of ours has revoked."""
    if sight.keys is None:
        return frozenset()
    ended = {
        entry["detail"].get("key_id")
        for entry in opening.rotation.journal.entries()
        if entry["event"] in {"intent", "result"} and entry["step"] in {"revoke", "discard"}
    }
    return keys - {key.id for key in sight.keys} - ended


def _old_key(sight: Sight, compromised: frozenset[str]) -> str | None:
    """Name the key in use before it is revoked: one that its provider lists no more is not recognised."""
    current = sight.shelf.current
    if current is None or current.key_id is not None:
        return current.key_id if current else None
    if len(compromised) > 1:
        raise UsageError(
            "which of these keys is in use is not known any more", hint="name the one: --old-key-id"
        )
    return next(iter(compromised))


def _compromised(opening: Opening, key_ids: tuple[str, ...]) -> frozenset[str]:
    """Give the keys to revoke: those named, and those of an emergency under way."""
    from keyaudit.rotation.recorded import unfinished
    from keyaudit.rotation.steps import Goal

    left = unfinished(opening.rotation.journal.entries())
    begun = left.compromised if left is not None and left.goal is Goal.EMERGENCY else frozenset()
    return frozenset(key_ids) | begun


def _sight(opening: Opening) -> Sight:
    from keyaudit.cli.rotate.foreground import Foreground
    from keyaudit.rotation.looking import look
    from keyaudit.rotation.parties import Run
    from keyaudit.rotation.rehearsal import heard
    from keyaudit.rotation.steps import Order

    rotation = opening.rotation
    parties = heard(rotation.parties, opening.before.append)
    around = Foreground(opening.view, wait=False, yes=False)
    order = Order(old_key_id=opening.given.old_key_id)
    return look(Run(parties, rotation.journal, around), order)


def _in_use(opening: Opening, sight: Sight) -> str:
    """Name the key in use, unless a rotation has just put it there: then another may have escaped."""
    current, settings = sight.shelf.current, opening.rotation.settings
    if current is None or current.key_id is None:
        raise UsageError(
            "which of the provider's keys is in use is not known", hint="name the compromised one: --key-id"
        )
    moment_ago = current.since is not None and now() - current.since < settings.fresh
    if current.token is not None and moment_ago:
        raise UsageError(
            f"key {current.key_id} was put in use by a rotation a moment ago: did this one escape, or the one"
            " before it?",
            hint=f"name the compromised one: --key-id {current.key_id}, or another",
        )
    return current.key_id


def _record_audit(opening: Opening) -> int:
    from keyaudit.rotation.journal import Entry
    from keyaudit.rotation.recorded import AUDITED, escape_since
    from keyaudit.rotation.steps import Goal

    rotation = opening.rotation
    since = escape_since(rotation.journal.entries())
    if since is None:
        raise UsageError(
            f"{rotation.name}: the record knows no emergency whose escape is still to be looked into"
        )
    if not (opening.given.reason or "").strip():
        raise UsageError("--audited: say what came of it")
    rotation.journal.append(
        Entry(now(), "ended", outcome=AUDITED, goal=str(Goal.EMERGENCY), detail={"emergency": since})
    )
    tell(f"{rotation.name}: recorded that the escape of {since} was looked into", "audited")
    return REACHED
