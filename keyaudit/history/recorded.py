"""What rotation records tell of versions: made, promoted, taken back, and their keys revoked.

A record is about a credential in its store, where versions have the store's names. Its keys are versions
of another credential too: the one at their provider, which forgets a key as soon as it is revoked. That one
is found by a key that the inventory still lists there; keys that replaced each other in a rotation
belong to the same one. A provider that lists every key by itself has no such credential.

A file with any problem tells nothing: what was changed in one place may have been in another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from keyaudit.columns import PROVIDERS
from keyaudit.history.events import Event, Told
from keyaudit.rotation_record import Record, RecordFile

if TYPE_CHECKING:
    from keyaudit.model import Inventory

BASIS = "record"
Identity = tuple[str, str, str]
"""Source, scope and id of a credential."""
_CHANGES = ("promote", "restore")
_REMEMBERED = frozenset({"provision", "revoke", "void", "drop", *_CHANGES})


@dataclass(frozen=True, slots=True)
class _Place:
    """A value by the name that its store has for it, and by its provider's; None where not said."""

    version: str | None
    key: str | None


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a rotation that was done: by the line that says so."""

    record: Record

    @property
    def identity(self) -> Identity:
        """The credential in its store."""
        return self.record.source, self.record.scope, self.record.id

    @property
    def key(self) -> str | None:
        """The key that a step is about, of those that name one."""
        return _text(self.record.detail.get("key_id"))

    def place(self, name: str) -> _Place:
        """Give the value in a place before the step: `current`, `pending` or `previous`."""
        held = self.record.detail.get(name)
        found: Mapping[str, Any] = held if isinstance(held, dict) else {}
        return _Place(_text(found.get("version")), _text(found.get("key_id")))


def recorded(files: Iterable[RecordFile], inventory: Inventory) -> tuple[Event, ...]:
    """Give what sound files tell as events of the inventory's credentials, in the order of time.

    A rotation's promotion took place where it has a result, or an intent that neither failed nor was given
    up: a run that was killed in between may have left no other line.
    """
    steps = _done(files)
    homes = _homes(steps, inventory)
    own = defaultdict[Identity, list[_Step]](list)
    for step in steps:
        own[step.identity].append(step)
    events = (event for step in steps for event in _told(step, own[step.identity], homes))
    return tuple(sorted(set(events), key=_order))


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


def _done(files: Iterable[RecordFile]) -> list[_Step]:
    """Give the steps that were done, each once, dated by its result; what was made, by its intent."""
    found: dict[tuple[Any, ...], Record] = {}
    begun: dict[tuple[Any, ...], Record] = {}
    for record in (record for file in files if not file.problems for record in file.records):
        if record.step not in _REMEMBERED:
            continue
        about = record.source, record.scope, record.id, record.token or (record.file, record.line)
        key = *about, record.step, str(record.detail.get("place"))
        if record.event == "intent":
            begun[key] = record
        elif record.event == "failed":
            begun.pop(key, None)
        elif record.event == "result":
            began = begun.get(key)
            if record.step == "provision" and began is not None:
                record = replace(record, at=began.at)  # noqa: PLW2901 - a value is not younger than that
            found.setdefault(key if record.step != "revoke" else (*key, record.file, record.line), record)
    given_up = {key[:4] for key, record in found.items() if _gives_up(record)}
    for key, record in begun.items():
        if record.step in _CHANGES and key not in found and key[:4] not in given_up:
            found[key] = record
    return sorted((_Step(record) for record in found.values()), key=lambda step: step.record.at)


def _gives_up(record: Record) -> bool:
    """Say whether a record is of the end of a value that nobody was given."""
    return record.step == "void" or (record.step == "drop" and record.detail.get("place") == "pending")


def _homes(steps: Iterable[_Step], inventory: Inventory) -> Mapping[str, Identity]:
    """Give, for each key, the credential at its provider; without those that may belong to two."""
    links = defaultdict[str, set[str]](set)
    for step in steps:
        new, old = step.place("pending").key or step.key, step.place("current").key
        old = old or _text(step.record.detail.get("old_key_id"))
        if step.record.step == "restore":
            new = step.place("previous").key
        if new and old and step.record.step in {"provision", *_CHANGES}:
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
    """Find the keys that providers list as one of several values of a credential."""
    import polars as pl

    frame = inventory.credentials.filter(pl.col("source").is_in(PROVIDERS))
    ids = pl.col("versions").list.eval(pl.element().struct.field("id"))
    one = frame.select("source", "scope", "id", key=ids).explode("key")
    rows = one.filter(pl.col("key").is_in(sorted(keys)) & (pl.col("key") != pl.col("id"))).collect()
    found = defaultdict[str, set[Identity]](set)
    for source, scope, id_, key in rows.iter_rows():
        found[key].add((source, scope, id_))
    return {key: next(iter(homes)) for key, homes in found.items() if len(homes) == 1}


def _told(step: _Step, steps: Iterable[_Step], homes: Mapping[str, Identity]) -> Iterator[Event]:
    """Give what one of a credential's `steps` tells, of it and of the one at its provider."""
    for place, told in _said(step, steps):
        at = step.record.at
        for identity, version in ((step.identity, place.version), (homes.get(place.key or ""), place.key)):
            if identity is not None and version is not None:
                reference = f"line {step.record.line}"
                yield Event(*identity, version, told, at, BASIS, step.record.file, reference)


def _said(step: _Step, steps: Iterable[_Step]) -> list[tuple[_Place, Told]]:
    """Say what became of which value by one step.

    A store takes a value back by a copy that has another name: only its key is known to be in use again.
    """
    match step.record.step:
        case "provision":
            same = [each for each in steps if _same_rotation(each, step) and each.record.step == "promote"]
            version = next((each.place("pending").version for each in same), None)
            return [(_Place(version, step.key), Told.CREATED)]
        case "promote":
            return [(step.place("current"), Told.SUPERSEDED), (step.place("pending"), Told.IN_USE)]
        case "restore":
            back = _Place(None, step.place("previous").key)
            return [(step.place("current"), Told.SUPERSEDED), (back, Told.IN_USE)]
        case "revoke":
            return [(place, Told.RETIRED) for place in _holding(step, steps)]
        case _:
            return []


def _same_rotation(one: _Step, other: _Step) -> bool:
    return one.record.token is not None and one.record.token == other.record.token


def _holding(revoked: _Step, steps: Iterable[_Step]) -> list[_Place]:
    """Give the key that was revoked, with each name under which its store had it."""
    if revoked.key is None:
        return []
    places = [step.place(name) for step in steps for name in ("current", "pending", "previous")]
    names = sorted({place.version for place in places if place.key == revoked.key and place.version})
    return [_Place(None, revoked.key), *(_Place(name, None) for name in names)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
