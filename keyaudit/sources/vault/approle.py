"""AppRole: each role is a credential, its secret ids are the versions, all of them valid at once.

* Vault honours these itself: what it lists and has not expired, logs in.
* An accessor is no secret, but it is a handle that can destroy one. Only a hash of it is kept.
* The lookup of an accessor is the one POST there is; `secret-id` without a suffix would make one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from keyaudit.inventory.rows import Rotation, Version
from keyaudit.sources.pulling.each import Each
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.vault.answers import SecretId, asked, batches, decoder, instant, names
from keyaudit.sources.vault.mounts import segment
from keyaudit.sources.vault.reads import PATIENT, Reads
from keyaudit.sources.vault.scope import NO_USE, MountScope

_ID = decoder(SecretId)
_AT_ONCE = 100

Accessor = tuple[str, str]
"""A role and one of its accessors."""
Dated = tuple[str, int | None, int | None]
"""The id of a version, when it was created, and when it expires."""


class AppRoles(MountScope):
    """The roles of an AppRole mount and their secret ids."""

    unknowable = (*NO_USE, "created_at", "last_changed_at", "last_rotated_at", "versions.stages")

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        self._strange = 0
        with self.workers() as workers:
            lists = Each(self._accessors, workers, "lists of secret ids", patience=PATIENT)
            lookups = Reads(
                self._secret_id,
                workers,
                "secret ids",
                place=lambda one: one[0],
                listed=lambda role: [(role, accessor) for accessor in self._accessors(role)],
            )
            try:
                for found in self.walk("role", workers):
                    for some in batches(found, _AT_ONCE):
                        self._take_all(some, lists, lookups)
                        self.moved()
            finally:
                self.settle(lists)
                self.account(lookups)
                if self._strange:
                    self.miss(f"the secret ids of {self._strange:,} roles could not be read")

    def _accessors(self, role: str) -> list[str]:
        """List the secret ids of a role, which are not found where it has none."""
        try:
            found = names(self.vault, self.path("role", segment(role), "secret-id"))
        except RefusedError as error:
            if error.refusal.kind is Kind.GONE:
                return []
            raise
        if len(set(found)) < len(found):
            raise RefusedError(Kind.UNREADABLE)
        return found

    def _secret_id(self, one: Accessor) -> SecretId:
        role, accessor = one
        path = self.path("role", segment(role), "secret-id-accessor", "lookup")
        return self.answers.once(
            handle(f"{role}/{accessor}"),
            SecretId,
            lambda: asked(self.vault, "POST", path, _ID, json={"secret_id_accessor": accessor}),
        )

    def _take_all(
        self, roles: Sequence[str], lists: Each[str, list[str]], lookups: Reads[Accessor, SecretId]
    ) -> None:
        listed = list(zip(roles, lists.fetch(roles), strict=True))
        wanted = [(role, accessor) for role, accessors in listed for accessor in accessors or ()]
        ids: dict[str, dict[str, SecretId | None]] = {role: {} for role in roles}
        for (role, accessor), found in lookups.there(wanted):
            ids[role][accessor] = found
        for role, accessors in listed:
            self._take(role, None if accessors is None else ids[role])

    def _take(self, role: str, ids: dict[str, SecretId | None] | None) -> None:
        """Take a role; with one unknown secret id, it is not known which one came last."""
        row = self.row(f"role/{role}", role)
        row.cls, row.labels, row.rotation = "service-password", {}, Rotation(enabled=False)
        if ids is not None and not any(each is None for each in ids.values()):
            try:
                there = [dated(accessor, each) for accessor, each in ids.items()]
                row.versions = versions(there, self.asking.now)
                row.expires_at = _expiry(there, row.versions)
            except ValueError:
                self._strange += 1
                row.versions = None
        self.add(row)


def handle(accessor: str) -> str:
    """Give a name for an accessor from which nobody gets it back."""
    return hashlib.sha256(accessor.encode()).hexdigest()[:16]


def dated(accessor: str, found: SecretId | None) -> Dated:
    """Give the times of a secret id; raises ValueError for what is none."""
    if found is None or (created := instant(found.creation_time)) is None:
        raise ValueError("no time of creation")
    return handle(accessor), created, instant(found.expiration_time)


def versions(ids: Sequence[Dated], now: int) -> list[Version]:
    """Put secret ids in order: the newest that is valid is current, those before it were replaced."""
    ordered = sorted(ids, key=lambda each: (each[1] or 0, each[0]))
    valid = [each for each in ordered if each[2] is None or each[2] > now]
    found = []
    for one in ordered:
        later = valid[valid.index(one) + 1 :] if one in valid else []
        state = "disabled" if one not in valid else "superseded" if later else "current"
        found.append(
            Version(
                id=one[0],
                state=state,
                created_at=one[1],
                superseded_at=later[0][1] if later else None,
                authenticates=one in valid,
            )
        )
    return found


def _expiry(ids: Sequence[Dated], rows: Sequence[Version]) -> int | None:
    current = {row.id for row in rows if row.state == "current"}
    return next((expires for name, _, expires in ids if name in current), None)
