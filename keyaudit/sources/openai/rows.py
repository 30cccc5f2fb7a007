"""OpenAI's fields as inventory rows, trap by trap.

* A service account is one credential, its keys are the versions; a person's key is a credential
  of its own, for people do not share a rotation.
* `last_used_at: null` may mean never or not known: OpenAI does not say, so neither do we.
* A key whose owner lost access to the project is still listed as enabled. Whether it works is not
  said; it does again as soon as the owner is let in.
* A key that is past its expiry stays listed and is refused. Where it was used after that, one of
  the two times is wrong, so it stands as a key that may work.
* Deleted keys leave no trace, so when one was retired cannot be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from keyaudit.inventory.rows import Credential
from keyaudit.sources.openai.api import AdminKey, Project, ProjectKey
from keyaudit.sources.pulling.json_lists import instant
from keyaudit.sources.pulling.keys import Key, incomplete, used_after, with_keys
from keyaudit.times import SECOND

SOURCE = "openai"
ADMIN_SCOPE = "admin-keys"


def project_rows(
    keys: Sequence[ProjectKey],
    project: Project,
    *,
    scope: str,
    now: int,
    used: Mapping[str, int],
    whole: bool,
) -> list[Credential]:
    """Map a project's keys; `used` has days of use by key id, `whole` says that no key is missing."""
    people = [key for key in keys if key.owner.service_account is None]
    rows = [_own_row(key, project, scope, now, used) for key in people]
    accounts: dict[str, list[ProjectKey]] = {}
    for key in keys:
        if key.owner.service_account is not None:
            accounts.setdefault(key.owner.service_account.id, []).append(key)
    for held in accounts.values():
        row = _account_row(held, project, scope, now, used)
        rows.append(row if whole else incomplete(row))
    return rows


def _own_row(
    entry: ProjectKey, project: Project, scope: str, now: int, used: Mapping[str, int]
) -> Credential:
    user = entry.owner.user
    key = _key(entry, now, used.get(entry.id), sure=_sure(entry, project))
    row = Credential(
        source=SOURCE,
        scope=scope,
        id=entry.id,
        name=entry.name or entry.id,
        owner=(user.email or user.name or None) if user else None,
        labels=_labels(entry, project, "user"),
        reach="project",
        created_at=key.created_at,
    )
    return with_keys(row, [key])


def _account_row(
    held: Sequence[ProjectKey], project: Project, scope: str, now: int, used: Mapping[str, int]
) -> Credential:
    account = held[0].owner.service_account
    assert account is not None
    row = Credential(
        source=SOURCE,
        scope=scope,
        id=account.id,
        name=account.name or account.id,
        labels=_labels(held[0], project, "service_account"),
        reach="project",
        created_at=instant(account.created_at),
    )
    keys = [_key(entry, now, used.get(entry.id), sure=_sure(entry, project)) for entry in held]
    return with_keys(row, keys)


def admin_rows(entries: Iterable[AdminKey], *, scope: str, now: int) -> list[Credential]:
    """Map the admin keys; each reaches the whole organization."""
    return [_admin_row(entry, scope, now) for entry in entries]


def _admin_row(entry: AdminKey, scope: str, now: int) -> Credential:
    key = _key(entry, now, None, sure=True)
    row = Credential(
        source=SOURCE,
        scope=scope,
        id=entry.id,
        name=entry.name or entry.id,
        owner=entry.owner.name or None,
        labels={},
        reach="organization",
        created_at=key.created_at,
    )
    return with_keys(row, [key])


def _labels(entry: ProjectKey, project: Project, owner_type: str) -> dict[str, str]:
    labels = {"project_id": project.id, "owner_type": owner_type}
    if project.name:
        labels["project"] = project.name
    if project.status == "archived":
        labels["project_status"] = "archived"
    if entry.owner_project_access == "inactive":
        labels["owner_project_access"] = "inactive"
    return labels


def _sure(entry: ProjectKey, project: Project) -> bool:
    return entry.owner_project_access != "inactive" and project.status != "archived"


def _key(entry: ProjectKey | AdminKey, now: int, day_of_use: int | None, *, sure: bool) -> Key:
    """Map one key; a day of use counts from its start, or from the key's creation on that day."""
    created = entry.created_at * SECOND
    listed = instant(entry.last_used_at)
    expires = instant(entry.expires_at)
    used = []
    if listed is not None and listed >= created:
        used.append(listed)
    if day_of_use is not None:
        used.append(max(day_of_use, created))
    last = max(used, default=None)
    expired = expires is not None and expires <= now
    outlived = used_after(last, expires)
    return Key(
        id=entry.id,
        created_at=created,
        last_used_at=last,
        expires_at=expires,
        ended="disabled" if expired and not outlived else None,
        authenticates=True if sure and not outlived else None,
    )
