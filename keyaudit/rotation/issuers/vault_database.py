"""Two accounts of a database whose passwords Vault sets: one in use, the other for the next rotation.

    issuer:
      kind: vault-database
      address: https://vault.acme.example:8200   # and what else `keyaudit.rotation.doors.vault` names
      mount: database
      roles: [app-blue, app-green]  # static roles, each for a database user of its own
      lasting: 90d                  # how long Vault must leave a password alone

A static role has one password, and setting a new one kills the old at once. So with one role there is
no moment at which both work; with two, the next rotation sets a new password for the one that is not
in use, and applications change user and password together. Both users need the same rights.

A key is `ROLE@INSTANT`, the instant at which Vault last set its password. Revoking is setting the
password again, to one that nobody is given. A rotation that failed is told by that instant, which did
not move: older servers answer as if it had gone well. Vault itself sets the password of every role
from time to time, which would cut applications off: a role where that happens within `lasting` is
refused. The parts are `username` and `password`; say where each belongs in `store.fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Annotated, Any, Self

import msgspec
from pydantic import AfterValidator, Field

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.doors.vault import VaultAccess, VaultDoor
from keyaudit.rotation.issuers.protocol import Minted
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Key
from keyaudit.sources.pulling.settings import Duration
from keyaudit.sources.vault.answers import StaticRole, duration, instant
from keyaudit.sources.vault.settings import Path_
from keyaudit.times import DAY, HOUR, format_instant


def _two(roles: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(roles)) != 2 or len(roles) != 2:
        raise ValueError(
            "name two roles: setting a password kills the one before, so with one role there is no overlap"
        )
    return roles


Role = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$")]


class VaultDatabaseSettings(PartySettings, VaultAccess):
    """Checked settings of one pair of roles."""

    mount: Path_ = "database"
    roles: Annotated[tuple[Role, ...], AfterValidator(_two)]
    lasting: Annotated[Duration, Field(ge=HOUR)] = 90 * DAY


class _Told(StaticRole, frozen=True):
    """What a role tells, and whom it is for."""

    username: str = ""


class VaultDatabase:
    """A pair of static roles; see above."""

    kind = "vault-database"
    whole = "password"
    names_keys = True
    """They bear no token, and nothing is lost by that: a password that a run died with is overwritten
    by the next, for its role is still the one that is not in use."""
    Settings = VaultDatabaseSettings
    calls: Mapping[str, tuple[str, ...]]

    def __init__(self, settings: VaultDatabaseSettings, means: Means) -> None:
        """Ask nothing yet."""
        self._settings = settings
        read, rotate, creds = (
            tuple(call.format(mount=settings.mount, role=role) for role in settings.roles)
            for call in (_READ, _ROTATE, _CREDENTIALS)
        )
        self.calls = {
            "keys": read,
            "mint": (*read, *rotate, *creds),
            "revoke": (*read, *rotate),
            "recognise": (*read, *creds),
        }
        self._revoked: dict[str, str] = {}
        every = {call for calls in self.calls.values() for call in calls}
        self._door = VaultDoor(settings, means, sorted(every), settings.timeout)

    @classmethod
    def opened(cls, settings: VaultDatabaseSettings, means: Means) -> Self:
        """Open the issuer that settings describe."""
        return cls(settings, means)

    def keys(self) -> tuple[Key, ...] | None:
        """See `Issuer.keys`: the password of each role that works now."""
        told = {role: self._told(role) for role in self._settings.roles}
        return tuple(
            Key(_key_id(role, at := _set_at(role, each)), created_at=at) for role, each in told.items()
        )

    def mint(self, token: str, in_use: AbstractSet[str]) -> Minted:
        """See `Issuer.mint`."""
        del token
        taken = {key_id.rpartition("@")[0] for key_id in in_use}
        free = [role for role in self._settings.roles if role not in taken]
        if not free or not taken & set(self._settings.roles):
            raise SlotsFullError(
                f"neither of {' and '.join(self._settings.roles)} is known to be free",
                hint="let the rotation under way finish; the stored username must be one of theirs",
            )
        role = free[0]
        told = self._told(role)
        self._check_lasting(role, told)
        self._rotate(role, _set_at(role, told))
        data = self._credentials(role)
        at = _set_at(role, _read(data))
        parts = {"username": str(data["username"]), "password": str(data["password"])}
        return Minted(_key_id(role, at), parts, at)

    def revoke(self, key_id: str) -> None:
        """See `Issuer.revoke`. A password that Vault has replaced already is left alone.

        Between looking and setting there is a moment in which another run could set a new one, and this
        would end that; Vault has no way to say which password is meant.
        """
        role = key_id.rpartition("@")[0]
        if role not in self._settings.roles:
            raise RotationError(f"{key_id} is none of {' and '.join(self._settings.roles)}")
        at = _set_at(role, self._told(role))
        if _key_id(role, at) == key_id:
            self._rotate(role, at)
            self._revoked[role] = key_id

    def recognise(self, parts: Parts, keys: tuple[Key, ...] | None) -> str | None:
        """See `Issuer.recognise`: by the username, which each role has its own of, and by the password.

        One that Vault has replaced is `ROLE@replaced`, or what this run has revoked: it works no more.
        """
        for key in keys or ():
            role = key.id.rpartition("@")[0]
            if self._told(role).username == parts.get("username"):
                if self._credentials(role)["password"] == parts.get("password"):
                    return key.id
                return self._revoked.get(role, f"{role}@replaced")
        return None

    def _rotate(self, role: str, before: int) -> None:
        """Set a new password, once, and make sure that it was set."""
        answer = self._door.ask(_ROTATE.format(mount=self._settings.mount, role=role), {})
        if answer.status == 404 or _set_at(role, self._told(role)) == before:
            raise RotationError(
                f"Vault: the password of role {role} was not set", hint="see the database's own log"
            )

    def _credentials(self, role: str) -> Mapping[str, Any]:
        answer = self._door.ask(_CREDENTIALS.format(mount=self._settings.mount, role=role))
        if answer.status != 200 or not {"username", "password"} <= answer.data.keys():
            raise RotationError(f"Vault: role {role} gives no username and password")
        return answer.data

    def _told(self, role: str) -> _Told:
        answer = self._door.ask(_READ.format(mount=self._settings.mount, role=role))
        if answer.status != 200:
            raise RotationError(f"Vault: there is no static role {role} in {self._settings.mount}")
        return _read(answer.data)

    def _check_lasting(self, role: str, told: _Told) -> None:
        if told.disable_automated_rotation:
            return
        try:
            period = duration(told.rotation_period)
        except ValueError:
            period = 0
        if told.rotation_schedule or period < self._settings.lasting:
            raise RotationError(
                f"Vault itself sets the password of role {role} sooner than `lasting` allows,"
                " which would cut applications off",
                hint="give both roles a longer rotation_period, or disable_automated_rotation",
            )


_READ = "read {mount}/static-roles/{role}"
_ROTATE = "update {mount}/rotate-role/{role}"
_CREDENTIALS = "read {mount}/static-creds/{role}"


def _key_id(role: str, at: int) -> str:
    return f"{role}@{format_instant(at)}"


def _read(data: Mapping[str, Any]) -> _Told:
    try:
        return msgspec.convert(data, _Told, strict=False)
    except msgspec.ValidationError:
        pass
    raise RotationError("Vault: the answer could not be read")


def _set_at(role: str, told: _Told) -> int:
    """Give when the password of a role was set, in microseconds."""
    at = None
    with suppress(ValueError):
        at = instant(told.last_vault_rotation or told.last_openbao_rotation)
    if at is None:
        raise RotationError(f"Vault does not say when the password of role {role} was set")
    return at
