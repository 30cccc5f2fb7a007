"""A whole organisation, folder or project out of Cloud Asset Inventory: a call for 1,000 resources.

The index follows the service with some lag and lists secrets and versions mixed. So nothing is
said of any secret's versions before the list has ended; and where a secret has none in it, they
are not known, because the index may only not have seen them yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keyaudit.sources.gcp.assets import Asset, Assets
from keyaudit.sources.gcp.caller import Caller
from keyaudit.sources.gcp.secret_manager.entries import SECRET, Secret, SecretVersion, read, secret_of
from keyaudit.sources.gcp.secret_manager.rows import SOURCE, credential_row, version_rows
from keyaudit.sources.gcp.secret_manager.scope import cannot_know
from keyaudit.sources.gcp.secret_manager.settings import GcpSecretManagerSettings
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.times import format_instant

SECRETS = "secretmanager.googleapis.com/Secret"
VERSIONS = "secretmanager.googleapis.com/SecretVersion"


class SnapshotScope(ScopePull):
    """Lists what is below one parent; the rows carry the scopes of their projects."""

    source = SOURCE

    def __init__(self, parent: str, caller: Caller, settings: GcpSecretManagerSettings, meter: Meter) -> None:
        """Nothing is asked before `run`."""
        super().__init__(parent, meter, cannot_know=cannot_know(settings))
        self._caller = caller
        self._kinds = [SECRETS] if settings.depth == "list" else [SECRETS, VERSIONS]
        self._assets = Assets(caller, settings, meter, read_time=settings.read_time)
        self._ids: Mapping[str, str] = {}
        self._secrets: dict[str, Secret] = {}
        self._versions: dict[str, dict[str, SecretVersion]] = {}
        self._spoilt: set[str] = set()
        self._twice = 0

    def asked_as(self) -> str | None:
        """See `ScopePull.asked_as`."""
        return self._caller.email

    def closed(self) -> None:
        """See `ScopePull.closed`."""
        self._assets.close()

    def collect(self) -> None:
        """See `ScopePull.collect`."""
        if not self.scope.startswith("projects/"):
            self._ids = self._assets.projects(self.scope)
        try:
            for page in self._assets.pages(self.scope, self._kinds):
                unreadable = self._take(page.entries)
                self.page(unreadable=unreadable)
            if VERSIONS in self._kinds:
                self._put_versions()
        finally:
            self._say()

    def _take(self, assets: Iterable[Asset]) -> int:
        """Take a page's resources; gives how many could not be read."""
        unreadable = 0
        for asset in assets:
            try:
                if asset.kind == VERSIONS:
                    self._take_version(read(asset.content, SecretVersion))
                else:
                    secret = read(asset.content, Secret)
                    if self.add(credential_row(secret, self._scope_of(secret.name))):
                        self._secrets[secret.name] = secret
            except ValueError:
                unreadable += 1
                self._spoil(asset)
        return unreadable

    def _spoil(self, asset: Asset) -> None:
        """Leave the versions of a secret unknown if one cannot be read: it may be the one in use."""
        if asset.kind == VERSIONS:
            self._spoilt.add(asset.name.rpartition("/versions/")[0])

    def _take_version(self, version: SecretVersion) -> None:
        known = self._versions.setdefault(secret_of(version), {})
        self._twice += version.name in known
        known[version.name] = version

    def _scope_of(self, name: str) -> str:
        found = SECRET.fullmatch(name)
        assert found is not None, "read() has seen to it"
        number, location = found[1], found[2]
        if self.scope.startswith("projects/"):
            project = self.scope
        else:
            project = f"projects/{self._ids.get(number, number)}"
        return f"{project}/locations/{location}" if location else project

    def _put_versions(self) -> None:
        bare = unreadable = 0
        for name, secret in self._secrets.items():
            versions = self._versions.pop(name, None)
            if name in self._spoilt:
                continue
            if versions is None:
                bare += 1
                continue
            try:
                self.rows[name].versions = version_rows(secret, versions.values())
            except ValueError:
                unreadable += 1
        if unreadable:
            self.miss(f"{unreadable:,} version lists could not be read")
        if bare:
            self.remark(f"{bare:,} secrets have no version in the snapshot, so theirs are not known")
        if self._twice:
            self.miss(f"{self._twice:,} versions were listed twice, so others may have been left out")
        if self._versions:
            count = sum(map(len, self._versions.values()))
            self.miss(f"{count:,} versions belong to {len(self._versions):,} secrets that were not listed")

    def _say(self) -> None:
        if self._assets.read_time is not None:
            when = format_instant(self._assets.read_time)
            self.remark(f"from the snapshot of {when}, which may lack what changed in the hours before")
        nameless = {row.scope for row in self.rows.values() if _numbered(row.scope)} - {self.scope}
        if nameless:
            self.remark(
                f"{len(nameless):,} projects stand under their number, because their id was not listed"
            )
        if self.rows and not any("/locations/" in row.scope for row in self.rows.values()):
            self.remark("no regional secret was listed, and Google does not say that any would be")


def _numbered(scope: str) -> bool:
    return scope.split("/")[1].isdigit()
