"""What rotation records tell of versions: made, promoted, taken back, and their keys revoked.

A record is about a credential in its store, whose versions have the names of whoever lists it
(`value_names`). Its keys are versions of another credential too: the one at their provider, which forgets
a key as soon as it is revoked. That one is found by a key that is listed there, or was; keys that
replaced each other in a rotation belong to the same one. A provider that lists every key by itself has
no such credential.

A file with any problem tells nothing: what was changed in one place may have been in another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from keyaudit.columns import PROVIDERS
from keyaudit.history.events import Event, Told
from keyaudit.history.record_steps import CHANGES, Identity, Place, Step, done, text
from keyaudit.history.value_names import Lists, Names, in_use_since, listed_versions, versions_of
from keyaudit.rotation_record import RecordFile

if TYPE_CHECKING:
    from keyaudit.model import Inventory

BASIS = "record"


def recorded(files: Iterable[RecordFile], inventory: Inventory) -> tuple[Event, ...]:
    """Give what sound files tell as events of the inventory's credentials, in the order of time.

    A value is called what the inventory, or what it recalls, calls it; one that neither lists has the name
    that its store, or its provider, has for such values.
    """
    steps = done(files)
    homes = _homes(steps, inventory)
    listed = listed_versions(inventory, {*(step.identity for step in steps), *homes.values()})
    names = Names(steps, listed)
    own = defaultdict[Identity, list[Step]](list)
    for step in steps:
        own[step.identity].append(step)
    events = {event for step in steps for event in _told(step, own[step.identity], homes, names)}
    events |= {event for step in steps for event in _was_in_use(step, homes, names, listed)}
    return tuple(sorted(events, key=_order))


def _order(event: Event) -> tuple[object, ...]:
    return (
        event.at,
        event.source,
        event.scope,
        event.id,
        event.version,
        event.told,
        event.file,
        event.reference,
    )


def _homes(steps: Iterable[Step], inventory: Inventory) -> Mapping[str, Identity]:
    """Give, for each key, the credential at its provider; without those that may belong to two."""
    links = defaultdict[str, set[str]](set)
    for step in steps:
        new, old = step.place("pending").key or step.key, step.place("current").key
        old = old or text(step.record.detail.get("old_key_id"))
        if step.record.step == "restore":
            new = step.place("previous").key
        if new and old and step.record.step in {"provision", *CHANGES}:
            links[new].add(old)
            links[old].add(new)
    listed = _listed(inventory, {*links, *(step.key for step in steps if step.key)})
    reached = defaultdict[str, set[Identity]](set)
    for key, home in listed.items():
        reached[key].add(home)
        waiting, seen = [key], {key}
        while waiting:
            for other in links[waiting.pop()] - seen:
                seen.add(other)
                if other not in listed:
                    reached[other].add(home)
                    waiting.append(other)
    return {key: next(iter(homes)) for key, homes in reached.items() if len(homes) == 1}


def _listed(inventory: Inventory, keys: set[str]) -> Mapping[str, Identity]:
    """Find the keys that providers list, or did, as one of several values of a credential."""
    import polars as pl

    frame = inventory.credentials.filter(pl.col("source").is_in(PROVIDERS))
    ids = versions_of(frame).list.eval(pl.element().struct.field("id"))
    one = frame.select("source", "scope", "id", key=ids).explode("key")
    rows = one.filter(pl.col("key").is_in(sorted(keys)) & (pl.col("key") != pl.col("id"))).collect()
    found = defaultdict[str, set[Identity]](set)
    for source, scope, id_, key in rows.iter_rows():
        found[key].add((source, scope, id_))
    return {key: next(iter(homes)) for key, homes in found.items() if len(homes) == 1}


def _told(step: Step, steps: Iterable[Step], homes: Mapping[str, Identity], names: Names) -> Iterator[Event]:
    """Give what one of a credential's `steps` tells, of it and of the one at its provider."""
    for place, told in _said(step, steps):
        named = names.find(step.identity, place)
        if named is not None and (named.own or told not in _OF_THE_VALUE):
            yield _event(step, step.identity, named.version, told, step.record.at)
        home = homes.get(place.key or "")
        if home is not None and place.key is not None:
            yield _event(step, home, place.key, told, step.record.at)


_OF_THE_VALUE = (Told.CREATED, Told.SUPERSEDED)


def _event(step: Step, identity: Identity, version: str, told: Told, at: int) -> Event:
    return Event(*identity, version, told, at, BASIS, step.record.file, f"line {step.record.line}")


def _was_in_use(step: Step, homes: Mapping[str, Identity], names: Names, listed: Lists) -> Iterator[Event]:
    """Say since when a key that its provider forgot was in use at least: since the store has its value.

    The record says which version of the store the key was, and the store since when that was in use.
    """
    old = step.place("current")
    home = homes.get(old.key or "")
    named = names.find(step.identity, old)
    if step.record.step != "promote" or home is None or old.key is None or named is None or not named.own:
        return
    since = in_use_since(listed.get(step.identity, {}), named.version)
    if since is not None and since < step.record.at and old.key not in listed.get(home, {}):
        yield _event(step, home, old.key, Told.IN_USE, since)


def _said(step: Step, steps: Iterable[Step]) -> list[tuple[Place, Told]]:
    """Say what became of which value by one step.

    A store takes a value back by a copy that has another name: only its key is known to be in use again.
    """
    match step.record.step:
        case "provision":
            same = [each for each in steps if each.follows(step) and each.record.step == "promote"]
            version = next((each.place("pending").version for each in same), None)
            return [(Place(version, step.key, step.record.token), Told.CREATED)]
        case "promote":
            return [(step.place("current"), Told.SUPERSEDED), (step.place("pending"), Told.IN_USE)]
        case "restore":
            back = Place(None, step.place("previous").key)
            return [(step.place("current"), Told.SUPERSEDED), (back, Told.IN_USE)]
        case "revoke":
            return [(place, Told.RETIRED) for place in _holding(step, steps)]
        case _:
            return []


def _holding(revoked: Step, steps: Iterable[Step]) -> list[Place]:
    """Give the key that was revoked, with each name under which its store had it."""
    if revoked.key is None:
        return []
    places = [step.place(name) for step in steps for name in ("current", "pending", "previous")]
    names = sorted({place.version for place in places if place.key == revoked.key and place.version})
    return [Place(None, revoked.key), *(Place(name, None) for name in names)]
