"""What a run sees before each decision: the shelf first, then the provider's keys.

In this order, a key of the shelf that is not listed is gone, and not merely younger than the list.
What the shelf calls spent stays spent, however old the look is (`machine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from keyaudit.rotation.parties import Run
from keyaudit.rotation.sight import Key, Place, Quiet, Shelf, Sight
from keyaudit.rotation.steps import Order
from keyaudit.times import MINUTE, parse_instant

_EARLIER = 5 * MINUTE
"""How far a provider's clock may be behind ours, in what it says of a key's creation."""
_LATER = 5 * MINUTE
"""How late a key may be made after it was asked for, by clocks that may differ as well."""


def look(run: Run, order: Order) -> Sight:
    """Give what one decision is made from; raises RotationError where it cannot be seen."""
    shelf = run.parties.store.look()
    keys = run.parties.issuer.keys()
    shelf = _named(run, order, shelf, keys)
    entries = [] if run.parties.issuer.names_keys else run.journal.entries()
    newest = _newest(shelf)
    return Sight(
        shelf=shelf,
        keys=keys,
        alive=None if newest is None else run.alive.get(newest.version),
        quiet=_quiet(run, shelf),
        quiet_known=run.parties.silence is not None,
        gone=_gone(entries),
        suspects=_suspects(entries, keys or (), shelf) - order.keep - order.discard,
    )


def _quiet(run: Run, shelf: Shelf) -> Quiet | None:
    """Give what was said of the old key's silence, once, and only of the key that is old now."""
    (version, quiet), run.quiet = run.quiet or (None, None), None
    return quiet if shelf.previous is not None and shelf.previous.version == version else None


def _newest(shelf: Shelf) -> Place | None:
    """Give the place of the value that the rotation under way brought, wherever it is by now."""
    return next((place for place in shelf.places if place.token == shelf.token), None)


def _named(run: Run, order: Order, shelf: Shelf, keys: tuple[Key, ...] | None) -> Shelf:
    """Find out which key a value is, where the store was never told."""

    def named(place: Place | None) -> Place | None:
        if place is None or place.key_id is not None or place.token is not None:
            return place
        return replace(place, key_id=order.old_key_id or _recognised(run, place, keys))

    return replace(shelf, current=named(shelf.current), previous=named(shelf.previous))


def _recognised(run: Run, place: Place, keys: tuple[Key, ...] | None) -> str | None:
    parts = run.parties.shape.read(run.parties.store.read(place.version))
    found = run.parties.issuer.recognise(parts, keys)
    # A provider that lists nothing revokes by the hand of a human, who is told which value it is.
    return f"version:{place.version}" if found is None and keys is None else found


def _gone(entries: Sequence[dict[str, Any]]) -> frozenset[str]:
    """Give the keys that were revoked according to the record, for providers that list nothing."""
    return frozenset(
        entry["detail"]["key_id"]
        for entry in entries
        if entry["event"] == "result" and entry["step"] in {"revoke", "discard"}
    )


def _suspects(entries: Sequence[dict[str, Any]], keys: Sequence[Key], shelf: Shelf) -> frozenset[str]:
    """Give the nameless keys made when a run of ours died between asking for a key and storing it."""
    minting = {}
    for entry in (entry for entry in entries if entry["step"] == "provision"):
        if entry["event"] == "intent":
            minting[entry["token"]] = entry["at"]
        elif entry["event"] == "result":
            minting.pop(entry["token"], None)
    shelved = {place.key_id for place in shelf.places}
    asked = [parse_instant(at) for at in minting.values()]
    return frozenset(
        key.id
        for key in keys
        if key.active and key.id not in shelved and key.created_at is not None
        if any(at - _EARLIER <= key.created_at <= at + _LATER for at in asked)
    )
