"""Doing what the machine said: each action is one call to a store or a provider, or two for a new key.

A new key's value exists only between the provider's answer and the store's, in this process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from keyaudit.errors import RotationError
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.parties import Run
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Liveness, Place, Sight
from keyaudit.rotation.steps import (
    Action,
    Decide,
    Discard,
    Drop,
    Mint,
    Order,
    Promote,
    Restore,
    Revoke,
    Verify,
    Void,
    Watch,
)
from keyaudit.rotation.stores.protocol import LostRaceError
from keyaudit.times import SECOND, format_instant

Detail = dict[str, Any]


def _mint(run: Run, step: Mint, sight: Sight) -> Detail:
    store, issuer = run.parties.store, run.parties.issuer
    current = sight.shelf.current
    assert current is not None  # the machine mints beside a value only
    text = store.read(current.version)
    _refuse_unlisted(run, sight, current, text)
    in_use = {place.key_id for place in sight.shelf.places if place.key_id}
    minted = issuer.mint(step.token, in_use)
    _refuse_the_old(run, text, minted)
    try:
        store.stage(step.token, run.parties.shape.write(text, minted.parts), minted.key_id, base=current)
    except LostRaceError:
        issuer.revoke(minted.key_id)
        raise
    except RotationError:
        _give_up(run, step, minted)
        raise
    return {"key_id": minted.key_id, "old_key_id": current.key_id}


def _refuse_unlisted(run: Run, sight: Sight, place: Place, text: Secret | None = None) -> None:
    """Refuse to take a key for gone that works: its provider lists another account's keys than its own.

    In an emergency it may just have been revoked, and go on for a moment in its provider's caches.
    """
    if run.emergency or sight.keys is None or place.key_id is None or sight.key(place.key_id) is not None:
        return
    try:
        parts = run.parties.shape.read(text or run.parties.store.read(place.version))
    except RotationError:
        return  # there is no such value, so nobody was given it
    if run.parties.probe.ask(parts) in {Liveness.ALIVE, Liveness.RESTRICTED}:
        raise RotationError(
            f"{run.parties.issuer.kind} does not list key {place.key_id}, and its value works",
            hint="does `issuer` name the account of that key? If it was deleted just now, run it again in a"
            " minute",
        )


def _refuse_the_old(run: Run, text: Secret, minted: Minted) -> None:
    """Refuse a new value that is the one in use: whoever was asked for a new key gave the old one again.

    It is not revoked: it is what applications use.
    """
    try:
        old = run.parties.shape.read(text)
    except RotationError:
        return  # the store holds no such value yet
    if {part: old.get(part) for part in minted.parts} == dict(minted.parts):
        raise RotationError("the new value is the one in use", hint="nothing was stored; make a new key")


def _give_up(run: Run, step: Mint, minted: Minted) -> None:
    """Revoke a key that could not be stored, if it is certain that it was not."""
    try:
        run.parties.store.void(step.token)
        run.parties.issuer.revoke(minted.key_id)
    except (LostRaceError, RotationError):
        return  # the next run finds the key by its token, and decides with what it sees then


def _void(run: Run, step: Void, _: Sight) -> Detail:
    run.parties.store.void(step.token)
    return {}


def _discard(run: Run, step: Discard, _: Sight) -> Detail:
    run.parties.issuer.revoke(step.key_id)
    return {}


def _verify(run: Run, step: Verify, _: Sight) -> Detail:
    """Probe, and give a new key the time that its provider needs to know it everywhere."""
    parts = run.parties.shape.read(run.parties.store.read(step.version))
    deadline = run.around.now() + run.parties.propagation
    pause = SECOND
    while True:
        alive = run.parties.probe.ask(parts)
        again = run.around.now() + pause
        if alive not in {Liveness.DEAD, Liveness.UNKNOWN} or again > deadline or not run.around.sleep(again):
            break
        pause = min(pause * 2, 10 * SECOND)
    run.alive[step.version] = alive
    return {"liveness": str(alive), "probe": run.parties.probe.kind}


def _decide(run: Run, step: Decide, sight: Sight) -> Detail:
    if step.question == "final" and step.answer and sight.shelf.previous is not None:
        _refuse_unlisted(run, sight, sight.shelf.previous)
    held = run.parties.store.decide(step.token, step.question, step.answer)
    return {"held": held}


def _promote(run: Run, step: Promote, sight: Sight) -> Detail:
    run.parties.store.promote(step.token)
    return _versions(sight)


def _restore(run: Run, step: Restore, sight: Sight) -> Detail:
    run.parties.store.restore(step.token)
    return _versions(sight)


def _versions(sight: Sight) -> Detail:
    shelf = sight.shelf
    places = {"current": shelf.current, "pending": shelf.pending, "previous": shelf.previous}
    return {
        name: {"version": place.version, "key_id": place.key_id} for name, place in places.items() if place
    }


def _watch(run: Run, step: Watch, sight: Sight) -> Detail:
    assert run.parties.silence is not None  # the machine watches only where somebody can tell
    since = sight.shelf.current.since if sight.shelf.current else None
    quiet = run.parties.silence.ask(step.key_id, step.version, since)
    run.quiet = (step.version, quiet)
    used = None if quiet.last_used_at is None else format_instant(quiet.last_used_at)
    return {"last_used_at": used, "seen_until": format_instant(quiet.seen_until), "source": quiet.source}


def _revoke(run: Run, step: Revoke, _: Sight) -> Detail:
    run.parties.issuer.revoke(step.key_id)
    return {}


def _drop(run: Run, step: Drop, sight: Sight) -> Detail:
    place = next(place for place in sight.shelf.places if place.version == step.version)
    if place.key_id is not None and sight.keys is not None and sight.key(place.key_id) is None:
        # Not listed is gone; or minted a moment ago, and not in every list yet.
        run.parties.issuer.revoke(place.key_id)
    run.parties.store.drop(step.place, step.token)
    return {"key_id": place.key_id}


PERFORMED: Mapping[type[Action], Callable[..., Detail]] = {
    Mint: _mint,
    Void: _void,
    Discard: _discard,
    Verify: _verify,
    Decide: _decide,
    Promote: _promote,
    Restore: _restore,
    Watch: _watch,
    Revoke: _revoke,
    Drop: _drop,
}


def about(step: Action, sight: Sight) -> Detail:
    """Give what a change of the value in use is about, before it is made.

    A run that is killed then, and is found to have made it, has no later line that says so.
    """
    return _versions(sight) if isinstance(step, Promote | Restore) else {}


def said(step: Action) -> Detail:
    """Give an action's own words for the record."""
    return {field.name: getattr(step, field.name) for field in fields(step)}


def asked_for(order: Order) -> Detail:
    """Give what a human ordered, for the record."""
    return {
        "until": order.until.name.lower(),
        "compromised": sorted(order.compromised),
        "confirmed_silent": order.confirmed_silent,
        "discard": sorted(order.discard),
    }
