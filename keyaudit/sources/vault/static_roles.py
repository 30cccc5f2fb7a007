"""Accounts that Vault found somewhere and rotates by itself: databases, LDAP, AWS users, Google accounts.

* The role tells when it was rotated last; the neighbouring path that gives the password is never read.
* An engine looks every few seconds for what is due, so a rotation counts as missed a minute later; one
  with a schedule may use the whole window that the role allows it.
* AWS roles and Google accounts tell no dates: how old their keys are is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from keyaudit.columns import VERSIONS
from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.sources.vault.answers import StaticRole, asked, batches, decoder, duration, instant
from keyaudit.sources.vault.mounts import quoted
from keyaudit.sources.vault.scope import NO_USE, MountScope
from keyaudit.times import MINUTE, SECOND, from_datetime

LATEST = MINUTE
"""How late a rotation may be before it was missed."""

_ROLE = decoder(StaticRole)
_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kind:
    """Where an engine lists its roles, where it tells of one, and what its roles are."""

    listed: str
    told: str
    cls: str | None
    provider: str | None = None


KINDS: dict[str, Kind] = {
    "database": Kind("static-roles", "static-roles", "service-password"),
    "ldap": Kind("static-role", "static-role", "service-password"),
    "aws": Kind("static-roles", "static-roles", "api-key", "aws"),
    "gcp": Kind("static-accounts", "static-account", "api-key", "gcp"),
}

_CLASSES = {"client_certificate": "certificate", "rsa_private_key": None}
"""By `credential_type` of a database role, where it is no password."""


class StaticRoles(MountScope):
    """The roles of a database mount, which tell when they were rotated."""

    unknowable: ClassVar[tuple[str, ...]] = (
        *NO_USE,
        "created_at",
        "last_changed_at",
        "expires_at",
        "versions.authenticates",
        "versions.superseded_at",
        "versions.stages",
    )

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        kind = KINDS[self.mount.engine]
        strange = 0
        with self.workers() as workers:
            reads = self.reads(self._role, workers, "roles", kind.listed)
            try:
                for found in self.walk(kind.listed, workers):
                    for some in batches(found, _AT_ONCE):
                        for name, role in reads.there(some):
                            strange += not self._take(name, role, kind)
                        self.moved()
            finally:
                self.account(reads)
                if strange:
                    self.miss(f"{strange:,} roles could not be read")

    def _role(self, name: str) -> StaticRole:
        path = self.path(KINDS[self.mount.engine].told, quoted(name))
        return self.answers.once(name, StaticRole, lambda: asked(self.vault, "GET", path, _ROLE))

    def _take(self, name: str, role: StaticRole | None, kind: Kind) -> bool:
        """Take a role; False if it made no sense, and was taken with its name alone."""
        row = self.row(f"{kind.told}/{name}", name)
        row.cls, row.provider, row.labels = kind.cls, kind.provider, {}
        sound = True
        if role is not None:
            try:
                self.fill(row, role)
            except ValueError:
                row.versions, row.rotation, sound = None, None, False
        self.add(row)
        return sound

    def fill(self, row: Credential, role: StaticRole) -> None:
        """Put into a row what its role says. Raises ValueError for what makes no sense."""
        rotated = instant(role.last_vault_rotation or role.last_openbao_rotation)
        if role.credential_type in _CLASSES:
            row.cls = _CLASSES[role.credential_type]
        row.rotation = rotation(role, rotated)
        row.last_rotated_at = rotated
        row.versions = [Version(id="current", state="current", created_at=rotated)]


class LdapRoles(StaticRoles):
    """The roles of an LDAP mount, which may lie in folders."""

    folders = True


class UndatedRoles(StaticRoles):
    """The roles of an AWS or Google mount, which tell no dates."""

    unknowable = (
        *NO_USE[:2],
        "created_at",
        "last_changed_at",
        "last_rotated_at",
        "expires_at",
        "rotation_next_at",
        "versions",
        *(f"versions.{name}" for name in VERSIONS),
    )

    def fill(self, row: Credential, role: StaticRole) -> None:
        """See `StaticRoles.fill`. A Google account with keys of its own mints one for each reader."""
        if self.mount.engine == "aws":
            row.rotation = rotation(role, None)
        elif role.secret_type == "service_account_key":
            row.cls = "dynamic-secret"


def rotation(role: StaticRole, rotated: int | None) -> Rotation:
    """Say how a role rotates. Raises ValueError where it does not say, or gives a duration that is none."""
    period = duration(role.rotation_period)
    schedule = role.rotation_schedule or None
    if role.rotation_period is None and not schedule and not role.disable_automated_rotation:
        raise ValueError("a role rotates in some way, or says that it does not")
    if role.disable_automated_rotation or not (period or schedule):
        return Rotation(enabled=False)
    next_at = None
    if rotated is not None:
        planned = rotated + period if schedule is None else _next_run(schedule, rotated)
        if planned is not None:
            next_at = planned + LATEST + (duration(role.rotation_window) if schedule else 0)
    return Rotation(enabled=True, schedule=schedule or f"{period // SECOND}s", next_at=next_at, by="service")


def _next_run(schedule: str, after: int) -> int | None:
    """Give the first run of a cron schedule after an instant: Vault reads it in UTC, with five fields."""
    from croniter import croniter
    from croniter.croniter import CroniterError

    if len(schedule.split()) != 5:
        return None
    try:
        ticks = croniter(schedule, _EPOCH + timedelta(microseconds=after))
        return from_datetime(ticks.get_next(datetime))
    except (CroniterError, ValueError, KeyError, IndexError, OverflowError):
        return None
