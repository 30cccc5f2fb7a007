"""Where a rotation stands, as a document (`keyaudit/rotation-status/1`) and in words.

Everything is what the store and the provider show now; nothing is remembered but what the record says.
The new key is not tried and the old one not used: only its last use is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keyaudit.cli.clock import now
from keyaudit.errors import RotationError
from keyaudit.times import describe_duration, format_instant

if TYPE_CHECKING:
    from keyaudit.cli.rotate.going import Opening
    from keyaudit.rotation.secret import Secret
    from keyaudit.rotation.sight import Key, Place, Quiet, Shelf, Sight
    from keyaudit.rotation.steps import Order, Step
    from keyaudit.rotation.stores.protocol import Store

SCHEMA = "keyaudit/rotation-status/1"
MOST_RECORDS = 5
PLACES = ("current", "pending", "previous")

Document = Mapping[str, Any]


class _Reading:
    """A store, and which of its values were read."""

    def __init__(self, store: Store) -> None:
        self._store, self.read_versions = store, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def read(self, version: str) -> Secret:
        self.read_versions.append(version)
        return self._store.read(version)


def standing(opening: Opening, order: Order) -> Document:
    """Look, without changing anything, and give what there is; raises RotationError where that fails."""
    from keyaudit.rotation.recorded import escape_since, unfinished

    rotation, at = opening.rotation, now()
    entries = rotation.journal.entries()
    left = unfinished(entries)
    if left is not None:
        order = replace(order, goal=left.goal, compromised=left.compromised)
    sight, reads = _looked(opening, order)
    quiet = _quiet(opening, sight)
    credential = rotation.parties.store.credential
    return {
        "schema": SCHEMA,
        "name": rotation.name,
        "as_of": format_instant(at),
        "environment": rotation.settings.environment,
        "credential": {name: getattr(credential, name) for name in ("source", "scope", "id", "name")},
        "under_way": left.goal if left is not None and left.goal == "emergency" else _under_way(sight.shelf),
        "token": sight.shelf.token,
        "places": {
            name: _place(getattr(sight.shelf, name), at) for name in ("current", "pending", "previous")
        },
        "decisions": {"promote": sight.shelf.forward, "retire": sight.shelf.final},
        "overtaken": sight.shelf.overtaken,
        "foreign": sight.shelf.foreign,
        "keys": None if sight.keys is None else [_key(key, sight, at) for key in sight.keys],
        "last_use": None if quiet is None else _last_use(quiet),
        "grace_seconds": order.grace // 1_000_000,
        "grace_decided_by": opening.grace.decided_by if opening.grace else None,
        "window_seconds": order.window // 1_000_000,
        "next": list(_next(sight, order, quiet, at)),
        "escape_to_look_into": escape_since(entries),
        "values_read": reads,
        "record": [_entry(entry) for entry in entries[-MOST_RECORDS:]],
    }


def _looked(opening: Opening, order: Order) -> tuple[Sight, list[str]]:
    from typing import cast

    from keyaudit.cli.rotate.foreground import Foreground
    from keyaudit.rotation.looking import look
    from keyaudit.rotation.parties import Run

    rotation = opening.rotation
    store = _Reading(rotation.parties.store)
    parties = replace(rotation.parties, store=cast("Store", store))
    around = Foreground(opening.view, wait=False, yes=False)
    return look(Run(parties, rotation.journal, around), order), store.read_versions


def _quiet(opening: Opening, sight: Sight) -> Quiet | None:
    """Ask for the old key's last use while two keys live; None if nobody can tell."""
    shelf, silence = sight.shelf, opening.rotation.parties.silence
    old = shelf.previous
    if silence is None or old is None or shelf.current is None:
        return None
    try:
        return silence.ask(old.key_id, old.version, shelf.current.since)
    except RotationError:
        return None  # the next step says that it is not known


def _under_way(shelf: Shelf) -> str | None:
    from keyaudit.cli.rotate.order import under_way

    if not under_way(shelf):
        return None
    return "back" if shelf.forward is False or shelf.final is False else "forward"


def _next(sight: Sight, order: Order, quiet: Quiet | None, at: int) -> Iterator[dict[str, Any]]:
    """Say what comes next, and what after it if a probe finds the new key alive."""
    from keyaudit.cli.rotate.words import doing
    from keyaudit.rotation import steps
    from keyaudit.rotation.machine import decide
    from keyaudit.rotation.sight import Liveness

    seen = sight
    for _ in range(3):
        step = decide(seen, order, at)
        yield {
            "step": _named(step),
            "says": doing(step, seen),
            "not_before": format_instant(step.until) if isinstance(step, steps.Wait) else None,
        }
        if isinstance(step, steps.Verify):
            seen = replace(seen, alive=Liveness.ALIVE)
        elif isinstance(step, steps.Watch) and quiet is not None:
            seen = replace(seen, quiet=quiet)
        else:
            return


def _named(step: Step) -> str:
    from keyaudit.rotation import steps

    match step:
        case steps.Wait():
            return "wait"
        case steps.Blocked():
            return "blocked"
        case steps.Done():
            return "nothing"
        case _:
            return step.name


def _place(place: Place | None, at: int) -> dict[str, Any] | None:
    if place is None:
        return None
    since = None if place.since is None else format_instant(place.since)
    return {"version": place.version, "key_id": place.key_id, "token": place.token, "since": since} | _age(
        place.since, at, "held_seconds"
    )


def _age(instant: int | None, at: int, name: str) -> dict[str, int | None]:
    return {name: None if instant is None else max(at - instant, 0) // 1_000_000}


def _key(key: Key, sight: Sight, at: int) -> dict[str, Any]:
    created = None if key.created_at is None else format_instant(key.created_at)
    return {
        "id": key.id,
        "active": key.active,
        "is": _standing_of(key, sight),
        "token": key.token,
        "created_at": created,
    } | _age(key.created_at, at, "age_seconds")


def _standing_of(key: Key, sight: Sight) -> str:
    from keyaudit.rotation.machine import strays, unaccounted

    shelf = sight.shelf
    for name, place in (("in use", shelf.current), ("staged", shelf.pending), ("previous", shelf.previous)):
        if place is not None and place.key_id == key.id:
            return name
    if not key.active:
        return "revoked"
    if any(each.id == key.id for each in strays(sight)):
        return "orphan"
    if any(each.id == key.id for each in unaccounted(sight)):
        return "unaccounted"
    return "minted, not stored"


def _last_use(quiet: Quiet) -> dict[str, Any]:
    used = None if quiet.last_used_at is None else format_instant(quiet.last_used_at)
    return {"at": used, "seen_until": format_instant(quiet.seen_until), "source": quiet.source}


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("at", "event", "step", "outcome", "goal")}


def in_words(found: Document) -> Iterator[str]:
    """Say it for people, names made visible; nothing is longer than its own names make it."""
    from keyaudit.formats.visible import visible

    for line in _lines(found):
        yield visible(line, longest=1000)


def _lines(found: Document) -> Iterator[str]:
    credential = found["credential"]
    yield f"{found['name']}  ({credential['source']} {credential['scope']} {credential['name']})"
    yield f"  under way: {found['under_way'] or 'nothing'}"
    for name, place in found["places"].items():
        if place is not None:
            since = _ago(place["held_seconds"])
            yield f"  {name}: {place['key_id'] or 'key not known'}, version {place['version']}, for {since}"
    yield from _keys_in_words(found)
    grace = describe_duration(found["grace_seconds"] * 1_000_000)
    yield f"  grace: {grace} ({found['grace_decided_by']})"
    for question, answer in found["decisions"].items():
        if answer is not None:
            yield f"  decided: {question}: {'yes' if answer else 'no'}"
    if (used := found["last_use"]) is not None:
        said = f"last used {used['at']}" if used["at"] else "no use seen"
        yield f"  old key: {said}, as {used['source']} shows until {used['seen_until']}"
    for index, step in enumerate(found["next"]):
        yield f"  {'next' if index == 0 else 'then'}: {step['says']}"
    if found["escape_to_look_into"]:
        yield f"  open: the escape of {found['escape_to_look_into']} is still to be looked into (--audited)"
    for version in found["values_read"]:
        yield f"  the value of version {version} was read, to tell which key it is"
    for entry in found["record"]:
        said = " ".join(str(entry[name]) for name in ("event", "step", "outcome") if entry[name])
        yield f"  record: {entry['at']}  {said}"


def _keys_in_words(found: Document) -> Iterator[str]:
    if found["keys"] is None:
        yield "  the provider does not list its keys"
        return
    for key in found["keys"]:
        works = "works" if key["active"] else "revoked"
        if key["is"] != "revoked":
            yield f"  key {key['id']}: {key['is']}, {works}, made {_ago(key['age_seconds'])} ago"
    listed = {key["id"] for key in found["keys"]}
    for name, place in found["places"].items():
        if place is not None and place["key_id"] is not None and place["key_id"] not in listed:
            yield f"  key {place['key_id']}: {name}, not listed by its provider: dead, or of another account"


def _ago(seconds: int | None) -> str:
    return "a time not known" if seconds is None else describe_duration(seconds * 1_000_000)
