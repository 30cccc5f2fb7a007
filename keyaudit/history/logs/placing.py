"""To which credential of an inventory each thing belongs that a log tells.

A log may name a credential by an id, as the inventory lists it, or by the name that people use. A name
belongs to one credential at a time: to the one made last of those that were there by then. What
could be about two, or about a credential that nobody lists, is left out, and counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyaudit.history.events import Event, Told
from keyaudit.history.logs.happening import Subject
from keyaudit.history.logs.noted import AuditLogs, Noted
from keyaudit.times import MINUTE

if TYPE_CHECKING:
    from keyaudit.model import Inventory

Identity = tuple[str, str, str]
"""Source, scope and id of a credential."""
BASIS = "audit-log"
_PINS = "current"
"""The alias that pins the version in use, where a store has aliases."""
_ROUNDED = MINUTE
"""How much earlier than the making of its credential an event may be dated: clocks, and whole seconds."""
_CLUSTERED = "vault"
"""The source whose scopes begin with a cluster."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The events, in the order of time.

    `unknown` counts entries about a credential that is not known, `ambiguous` those that may be about two.
    """

    events: tuple[Event, ...]
    unknown: int
    ambiguous: int


@dataclass(frozen=True, slots=True)
class _Listed:
    """What an inventory says of one credential."""

    identity: Identity
    name: str
    created_at: int | None
    versions: frozenset[str]
    pinned: bool


def placed(logs: AuditLogs, inventory: Inventory) -> Placed:
    """Give what the logs tell as events of the inventory's credentials.

    Better of an inventory that recalls its history: then the logs of credentials that are no longer
    listed find their place too.
    """
    if not logs.noted:
        return Placed((), 0, 0)
    places = _Places(inventory, [each.happening.subject for each in logs.noted])
    found: list[tuple[Identity, Noted]] = []
    unknown, ambiguous = set[tuple[str, str]](), set[tuple[str, str]]()
    for noted in sorted(logs.noted, key=lambda each: each.happening.at):
        try:
            identity = places.of(noted.happening.subject, noted.happening.at)
        except _AmbiguousError:
            ambiguous.add((noted.file, noted.reference))
            continue
        if identity is None:
            unknown.add((noted.file, noted.reference))
        else:
            found.append((identity, noted))
    return Placed(tuple(_events(found, places)), len(unknown), len(ambiguous))


def _events(found: list[tuple[Identity, Noted]], places: _Places) -> Iterator[Event]:
    """Give the events of what was placed, without what is not sure.

    A request that is sent again makes no second version and moves nothing: its repetition is left out.
    """
    sure = {(identity, noted.happening.version) for identity, noted in found if not noted.happening.if_known}
    made = dict[tuple[Identity, str | None], str]()
    for identity, noted in found:
        happening, version = noted.happening, (identity, noted.happening.version)
        listed = places.listed(identity)
        known = version in sure or (listed is not None and happening.version in listed.versions)
        unsure = happening.if_newest and (listed is None or listed.pinned)
        if unsure or (happening.if_known and not known):
            continue
        if happening.told is Told.CREATED:
            made.setdefault(version, noted.reference)
        takes = noted.makes and happening.told in {Told.CREATED, Told.IN_USE}
        repeated = takes and made.get(version, noted.reference) != noted.reference
        if not repeated:
            yield Event(
                *identity, happening.version, happening.told, happening.at, BASIS, noted.file, noted.reference
            )


class _AmbiguousError(Exception):
    """What a log names may be more than one credential."""


class _Places:
    """The credentials of an inventory that logs may be about, by id and by name."""

    def __init__(self, inventory: Inventory, subjects: Sequence[Subject]) -> None:
        self._by_id = defaultdict[tuple[str, str], list[_Listed]](list)
        self._by_name = defaultdict[Identity, list[_Listed]](list)
        self._listed: dict[Identity, _Listed] = {}
        for row in _rows(inventory, subjects):
            source, _, id_ = row.identity
            self._listed[row.identity] = row
            self._by_id[source, id_].append(row)
            self._by_name[source, _where(row.identity), row.name].append(row)
        scopes = {each.scope for each in inventory.coverage if each.source == _CLUSTERED}
        scopes |= {scope for source, scope, _ in self._listed if source == _CLUSTERED}
        self._clusters = defaultdict[str, list[str]](list)
        for scope in sorted(scopes):
            self._clusters[_where((_CLUSTERED, scope, ""))].append(scope)

    def listed(self, identity: Identity) -> _Listed | None:
        """Give what the inventory says of a credential; None for one that it does not have."""
        return self._listed.get(identity)

    def of(self, subject: Subject, at: int) -> Identity | None:
        """Say which credential a log was about at an instant; None for one that nobody knows.

        Raises _AmbiguousError.
        """
        named = [row for id_ in subject.ids for row in self._by_id.get((subject.source, id_), ())]
        near = [row for row in named if _where(row.identity) == subject.where] or named
        if near:
            return _one([row.identity for row in near])
        if subject.name is not None:
            rows = self._by_name.get((subject.source, subject.where, subject.name), [])
            if then := [row for row in rows if row.created_at is None or row.created_at <= at + _ROUNDED]:
                return _latest(then)
        if not subject.exact:
            return None
        if subject.source != _CLUSTERED:
            return subject.source, subject.where, subject.ids[0]
        scopes = self._clusters.get(subject.where, [])
        return _one([(subject.source, scope, subject.ids[0]) for scope in scopes]) if scopes else None


def _one(identities: Sequence[Identity]) -> Identity:
    if len(set(identities)) > 1:
        raise _AmbiguousError
    return identities[0]


def _latest(rows: Sequence[_Listed]) -> Identity:
    """Give the credential made last, whose the name is by then."""
    dated = [row for row in rows if row.created_at is not None]
    if len(dated) < len(rows):
        return _one([row.identity for row in rows])
    newest = max(row.created_at or 0 for row in dated)
    return _one([row.identity for row in dated if row.created_at == newest])


def _where(identity: Identity) -> str:
    """Give a scope as logs can spell it: those of Vault do not know their cluster."""
    source, scope, _ = identity
    return scope.partition("/")[2] if source == _CLUSTERED else scope


def _rows(inventory: Inventory, subjects: Sequence[Subject]) -> Iterator[_Listed]:
    """Give the rows that a subject may be, by its ids or its name."""
    import polars as pl

    frame = inventory.credentials
    columns = frame.collect_schema()
    ids = sorted({id_ for each in subjects for id_ in each.ids})
    names = sorted({each.name for each in subjects if each.name is not None})
    wanted = pl.col("source").is_in(sorted({each.source for each in subjects}))
    wanted &= pl.col("id").is_in(ids) | pl.col("name").is_in(names)
    past = [pl.col("past").list.eval(pl.element().struct.field("id"))] if "past" in columns else []
    found = frame.filter(wanted).select(
        "source",
        "scope",
        "id",
        "name",
        "created_at",
        versions=pl.col("versions").list.eval(pl.element().struct.field("id")),
        stages=pl.col("versions").list.eval(pl.element().struct.field("stages").list.join(" ")),
        **({"past": past[0]} if past else {}),
    )
    for row in found.collect().iter_rows(named=True):
        yield _Listed(
            identity=(row["source"], row["scope"], row["id"]),
            name=row["name"],
            created_at=row["created_at"],
            versions=frozenset([*(row["versions"] or ()), *(row.get("past") or ())]),
            pinned=any(_PINS in (stages or "").split() for stages in row["stages"] or ()),
        )
