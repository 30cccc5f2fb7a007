"""HashiCorp Vault and OpenBao: every namespace that was named, every mount in it, a scope for each.

A pull costs one or two calls a namespace to find its mounts: without the server's word for which engine
a mount is, nothing below it is asked. One more, in the first namespace, asks what the token is called. Then
KV costs one call a folder and one a secret, or one for `scan_page` secrets and one more where OpenBao's bulk
list is granted; static roles and transit keys one call a mount and one a role or key; AppRole one a mount,
one a role, one a secret id. Where what was listed is not found, its list is asked for once more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

from keyaudit.columns import CREDENTIALS, VERSIONS
from keyaudit.errors import SourceError
from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage
from keyaudit.sources.labels import TAGGED, tagged
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.source import Plan, PullingSource
from keyaudit.sources.vault.allowed import allowed
from keyaudit.sources.vault.approle import AppRoles
from keyaudit.sources.vault.caller import display_name
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.finding import Found, below, every_namespace, find
from keyaudit.sources.vault.kv import Kv1Scope, Kv2Scope
from keyaudit.sources.vault.mounts import ANY, Mount, scope_of
from keyaudit.sources.vault.scope import SOURCE, Asking, MountScope
from keyaudit.sources.vault.settings import EVERY, Engine, VaultSettings
from keyaudit.sources.vault.static_roles import LdapRoles, StaticRoles, UndatedRoles
from keyaudit.sources.vault.transit import TransitKeys

SCOPES: dict[Engine, type[MountScope]] = {
    "kv": Kv2Scope,
    "kv-v1": Kv1Scope,
    "database": StaticRoles,
    "ldap": LdapRoles,
    "aws": UndatedRoles,
    "gcp": UndatedRoles,
    "transit": TransitKeys,
    "approle": AppRoles,
}

NOWHERE = {"last_used_at", "never_used", "compromised_at", "managed_by", "replica_of"}
"""What no engine tells."""
COLUMNS = frozenset(CREDENTIALS) - TAGGED - NOWHERE
VERSION_COLUMNS = frozenset(("versions", *(f"versions.{name}" for name in VERSIONS))) - {
    "versions.last_used_at",
    "versions.retired_at",
}


class NoMounts(ScopePull):
    """A namespace in which nothing is mounted that is listed here; it would be missing from the coverage."""

    source = SOURCE

    def collect(self) -> None:
        """Ask nothing: the list of mounts said it all."""


class VaultSource(PullingSource[VaultSettings]):
    """The source that `kind: vault` configures."""

    kind = SOURCE
    Settings = VaultSettings

    def plan(self, pool: Executor) -> Plan:
        """See `PullingSource.plan`."""
        self._token = self.key(self.settings.token_variable)
        if self.settings.ca_cert is not None and not self.settings.ca_cert.is_file():
            raise SourceError(f"source {self.name}: there is no file {self.settings.ca_cert} (ca_cert)")
        pace = self.pace()
        lost: list[Coverage] = []
        namespaces = list(self._namespaces(pace, lost))
        self._first = namespaces[0]
        scopes: list[ScopePull] = []
        caller: str | None = None
        for namespace, found in zip(
            namespaces, pool.map(lambda each: self._found(each, pace), namespaces), strict=True
        ):
            lost += [
                self._lost(namespace, path, reason, engine) for path, (reason, engine) in found.lost.items()
            ]
            scopes += self._scopes(namespace, found, pace)
            caller = caller or found.caller
        for scope in scopes:
            scope.identity = caller
        return Plan(scopes, lost)

    def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
        """See `PullingSource.columns`."""
        return COLUMNS | VERSION_COLUMNS | tagged(rows)

    def _namespaces(self, pace: Pace, lost: list[Coverage]) -> Iterator[str]:
        """Give the namespaces that were named, or all, from the token's own down."""
        if self.settings.namespaces != EVERY:
            yield from self.settings.namespaces
            return
        missing: dict[str, str] = {}
        yield from every_namespace(lambda namespace: self._below(namespace, pace), missing)
        for above, reason in missing.items():
            lost.append(self._lost("/".join(filter(None, (above, ANY))), ANY, reason, None))

    def _below(self, namespace: str, pace: Pace) -> list[str]:
        vault = self._vault(namespace, Meter(pace))
        try:
            return below(vault)
        finally:
            vault.close()

    def _found(self, namespace: str, pace: Pace) -> Found:
        vault = self._vault(namespace, Meter(pace))
        try:
            found = find(vault, self.settings, namespace)
            if namespace == self._first and (found.mounts or not found.lost):
                found.caller = display_name(vault, self._token)
            return found
        finally:
            vault.close()

    def _vault(self, namespace: str, meter: Meter, *mounts: Mount) -> Vault:
        """Open a door: to what finds mounts, or to the mounts that were found."""
        may = allowed(self.settings.address, mounts, finding=not mounts)
        return Vault(self.settings, self._token, namespace, may, meter)

    def _scopes(self, namespace: str, found: Found, pace: Pace) -> list[ScopePull]:
        scopes: list[ScopePull] = []
        for mount in found.mounts:
            meter = Meter(pace)
            vault = self._vault(mount.namespace, meter, mount)
            asking = Asking(self.settings, vault, meter, self.clock())
            declared = self.settings.mounts != EVERY
            scopes.append(SCOPES[mount.engine](mount, asking, declared=declared))
        if not scopes and not found.lost:
            where = scope_of(self.settings.place, namespace, ANY)
            declared = self.settings.namespaces != EVERY
            scopes.append(NoMounts(where, Meter(pace), group=self.settings.place, declared=declared))
            scopes[0].remark("no engine that is listed here is mounted")
        if scopes and found.note:
            scopes[0].remark(found.note)
        return scopes

    def _lost(self, namespace: str, path: str, reason: str, engine: Engine | None) -> Coverage:
        scope = scope_of(self.settings.place, namespace, path)
        return self.failed(scope, reason, cannot_know=() if engine is None else SCOPES[engine].unknowable)
