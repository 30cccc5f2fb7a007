"""The walks through a rotation that tests of stores take, and what they see on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from keyaudit.rotation.secret import Secret
from keyaudit.rotation.sight import Place, Shelf
from keyaudit.rotation.stores.protocol import Store
from rotation.stores.contract import CANARY, StoreCase

OLD, NEW, OTHER, HAND = (f"{CANARY}-{name}-5f1c90d7" for name in ("old", "new", "other", "by-hand"))

Call = Callable[[Store, str], object]


def base_of(store: Store, key_id: str | None = None) -> Place:
    """Give what a value is made for: the current place, with the key that it is if the store does not know."""
    current = store.look().current or Place("no value")
    return replace(current, key_id=current.key_id or key_id)


CALLS: Mapping[str, Call] = {
    "stage": lambda store, token: store.stage(token, Secret(NEW), "key-1", base=base_of(store, "key-0")),
    "stage another": lambda store, token: store.stage(
        token, Secret(OTHER), "key-9", base=base_of(store, "key-0")
    ),
    "void": lambda store, token: store.void(token),
    "go": lambda store, token: store.decide(token, "forward", answer=True),
    "give up": lambda store, token: store.decide(token, "forward", answer=False),
    "promote": lambda store, token: store.promote(token),
    "retire": lambda store, token: store.decide(token, "final", answer=True),
    "want back": lambda store, token: store.decide(token, "final", answer=False),
    "restore": lambda store, token: store.restore(token),
    "drop pending": lambda store, token: store.drop("pending", token),
    "drop previous": lambda store, token: store.drop("previous", token),
}
"""Everything that can be asked of a store under a token. The first value is `key-0`."""

WALKS: Mapping[str, tuple[str, ...]] = {
    "forward": ("stage", "go", "promote", "retire", "drop previous"),
    "back": ("stage", "go", "promote", "want back", "restore", "drop previous"),
    "abandoned": ("stage", "give up", "drop pending"),
    "voided": ("void",),
}

METHODS = {
    "stage": "stage", "void": "void", "go": "decide", "give up": "decide", "promote": "promote",
    "retire": "decide", "want back": "decide", "restore": "restore", "drop pending": "drop",
    "drop previous": "drop",
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """What an observer sees: the shelf without versions and instants, and what applications get."""

    shelf: Shelf
    served: str
    in_reach: tuple[str, ...]


def seen(case: StoreCase, store: Store) -> Seen:
    shelf = store.look()

    def bare(place: Place | None) -> Place | None:
        return None if place is None else replace(place, since=None)

    return Seen(
        replace(
            shelf, current=bare(shelf.current), pending=bare(shelf.pending), previous=bare(shelf.previous)
        ),
        case.served(),
        tuple(sorted(case.in_reach())),
    )


def walk(store: Store, token: str, *steps: str) -> None:
    for step in steps:
        CALLS[step](store, token)


def rotate(store: Store, value: str, key_id: str) -> str:
    """Go through a whole rotation, and give its token."""
    shelf = store.look()
    assert shelf.current is not None
    store.stage(shelf.token, Secret(value), key_id, base=base_of(store, "key-0"))
    walk(store, shelf.token, *WALKS["forward"][1:])
    return shelf.token
