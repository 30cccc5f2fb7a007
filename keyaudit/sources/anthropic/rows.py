"""Anthropic's fields as inventory rows, trap by trap.

* `inactive` can be switched on again, `archived` cannot, `expired` is past its date: none of them
  works now. When a key was switched off is not told. Where an `expired` one was used after its
  date, one of the two is wrong, so it stands as a key that may work.
* A service account is one credential, its keys are the versions; any other key is one of its own.
* A workspace key has no owner: who created it may be long gone, and it goes on working.
* `workspace_id` is null for the default workspace and for keys without one; only `scope` tells which.
* Last use comes from the report on messages: a day, and nothing about files, models or anything
  older. So "never used" cannot be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from keyaudit.inventory.rows import Credential
from keyaudit.sources.anthropic.api import ApiKey
from keyaudit.sources.pulling.keys import Key, incomplete, used_after, with_keys
from keyaudit.times import parse_instant

SOURCE = "anthropic"
_ENDED: dict[str, Literal["disabled", "destroyed"]] = {
    "inactive": "disabled",
    "expired": "disabled",
    "archived": "destroyed",
}


@dataclass
class Names:
    """What else was learnt of the organization, by id."""

    workspaces: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    used: Mapping[str, int] = field(default_factory=dict)


def workspace_of(entry: ApiKey) -> str | None:
    """Give the workspace that a key belongs to, in either shape."""
    return (entry.scope.workspace_id if entry.scope else None) or entry.workspace_id


def person_of(entry: ApiKey) -> str | None:
    """Give the person whom a key acts as."""
    return entry.principal.user_id if entry.principal else None


def creator_of(entry: ApiKey) -> str | None:
    """Give the person who created a key."""
    by = entry.created_by
    return by.id if by and by.type == "user" else None


def _account_of(entry: ApiKey) -> str | None:
    return entry.principal.service_account_id if entry.principal else None


def key_rows(entries: Iterable[ApiKey], names: Names, *, scope: str, whole: bool) -> list[Credential]:
    """Map the keys of an organization; `whole` says that no key is missing."""
    rows = []
    accounts: dict[str, list[ApiKey]] = {}
    for entry in entries:
        account = _account_of(entry)
        if account:
            accounts.setdefault(account, []).append(entry)
        else:
            rows.append(_own_row(entry, names, scope))
    for account, held in accounts.items():
        row = _account_row(account, held, names, scope)
        if not whole:
            incomplete(row).reach = None
        rows.append(row)
    return rows


def _own_row(entry: ApiKey, names: Names, scope: str) -> Credential:
    key = _key(entry, names)
    person, creator = person_of(entry), creator_of(entry)
    labels = _workspace_labels([entry], names) | {"key_type": "personal" if person else "workspace"}
    if creator and not person:
        labels["created_by"] = names.people.get(creator, creator)
    row = Credential(
        source=SOURCE,
        scope=scope,
        id=entry.id,
        name=entry.name or entry.id,
        owner=names.people.get(person, person) if person else None,
        labels=labels,
        reach=_reach([entry]),
        created_at=key.created_at,
    )
    return with_keys(row, [key])


def _account_row(account: str, held: Sequence[ApiKey], names: Names, scope: str) -> Credential:
    """Map a service account, whose name only another kind of token may read."""
    keys = [_key(entry, names) for entry in held]
    working = {key.id for key in keys if key.ended is None}
    telling = [entry for entry in held if entry.id in working] or held
    row = Credential(
        source=SOURCE,
        scope=scope,
        id=account,
        name=account,
        labels=_workspace_labels(telling, names) | {"key_type": "service_account"},
        reach=_reach(telling),
    )
    return with_keys(row, keys)


def _key(entry: ApiKey, names: Names) -> Key:
    """Map one key; a day of use counts from its start, or from the key's creation on that day."""
    created = parse_instant(entry.created_at)
    day = names.used.get(entry.id)
    last = None if day is None else max(day, created)
    expires = None if entry.expires_at is None else parse_instant(entry.expires_at)
    outlived = entry.status == "expired" and used_after(last, expires)
    return Key(
        id=entry.id,
        created_at=created,
        last_used_at=last,
        expires_at=expires,
        ended=None if outlived else _ENDED.get(entry.status),
        # A status of which this program has not heard may mean anything.
        authenticates=True if entry.status == "active" else None,
    )


def _workspace_labels(entries: Sequence[ApiKey], names: Names) -> dict[str, str]:
    found = {workspace_of(entry) for entry in entries}
    workspace = found.pop() if len(found) == 1 else None
    if not workspace:
        return {}
    name = names.workspaces.get(workspace)
    return {"workspace_id": workspace, **({"workspace": name} if name else {})}


def _reach(entries: Sequence[ApiKey]) -> str | None:
    """Give the widest reach of some keys, None where one of them does not tell."""
    found = {_reach_of(entry) for entry in entries}
    if "organization" in found:
        return "organization"
    return None if None in found else "project"


def _reach_of(entry: ApiKey) -> str | None:
    if entry.scope is not None and entry.scope.type == "organization":
        return "organization"
    return "project" if workspace_of(entry) else None
