"""Google Secret Manager behind its own client, with an application that reads the alias `current`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import grpc
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from keyaudit.rotation.party import Means
from keyaudit.rotation.stores.gcp_secret_manager import GcpSecret
from keyaudit.rotation.stores.protocol import Credential, Store
from keyaudit.sources import open_source
from rotation.stores.contract import Moment
from servers.clock import Clock
from servers.google_secret_manager import SERVICE, SecretManager
from servers.grpc_errors import Refused
from servers.grpc_server import GrpcServer, Method
from sources.contract import nobody

AT = 1_780_000_000_000_000
PERMISSIONS = {
    "GetSecret": "secretmanager.secrets.get",
    "UpdateSecret": "secretmanager.secrets.update",
    "AddSecretVersion": "secretmanager.versions.add",
    "ListSecretVersions": "secretmanager.versions.list",
    "AccessSecretVersion": "secretmanager.versions.access",
    "DisableSecretVersion": "secretmanager.versions.disable",
    "DestroySecretVersion": "secretmanager.versions.destroy",
}
"""The permission that each method needs, as Google's reference of the methods has it."""
CHANGES = {"UpdateSecret", "AddSecretVersion", "DisableSecretVersion", "DestroySecretVersion"}


class GcpSecretCase:
    """One project on one server."""

    FAULTS: frozenset[Moment] = frozenset({"before", "after"})
    CANNOT: Mapping[str, str] = {"foreign": "the service has no rotations of its own for such secrets"}
    VALUE_CALLS = frozenset({"secretmanager.versions.access"})
    RARE: frozenset[str] = frozenset()
    RACES = 5

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock(AT)
        self.manager = SecretManager({"acme-prod": 424242}, clock=self.clock)
        self.settings = settings
        self.server = GrpcServer(
            {name: self._breakable(name, method) for name, method in self.manager.methods().items()}
        )
        self._names = count(1)
        self._moment: Moment | None = None
        self._passing = 0
        self._meanwhile: Callable[[], None] | None = None
        self._heard = 0
        self.name = ""

    @classmethod
    @contextmanager
    def started(cls, **settings: Any) -> Iterator[GcpSecretCase]:
        case = cls(**settings)
        with case.server:
            channel = grpc.insecure_channel(case.server.address)
            case.client = sm.SecretManagerServiceClient(
                transport=SecretManagerServiceGrpcTransport(channel=channel)
            )
            yield case
            case.client.transport.close()

    def _breakable(self, name: str, method: Method) -> Method:
        if name.rpartition("/")[2] not in CHANGES or SERVICE not in name:
            return method

        def answer(request: Any) -> Any:
            action, self._meanwhile = self._meanwhile, None
            if action is not None:
                action()
            moment = None
            if self._moment is not None and self._passing == 0:
                moment, self._moment = self._moment, None
            self._passing -= self._passing > 0
            if moment == "before":
                raise Refused("UNAVAILABLE")
            found = method.answer(request)
            if moment == "after":
                raise Refused("UNAVAILABLE")
            return found

        return replace(method, answer=answer)

    def fresh(self, text: str, fields: Mapping[str, str] | None = None) -> Store:
        self.name = f"secret-{next(self._names)}"
        secret = self.manager.plant(self.name, project="acme-prod", created=AT, value=text.encode())
        secret.version_aliases["current"] = 1
        self._fields = fields or {}
        return self.again()

    def again(self) -> GcpSecret:
        settings = GcpSecret.Settings(
            kind="gcp-secret-manager",
            project="acme-prod",
            secret=self.name,
            endpoint=self.server.address,
            fields=self._fields,
            **self.settings,
        )
        return GcpSecret.opened(settings, Means(self.now))

    @property
    def full_name(self) -> str:
        return f"projects/424242/secrets/{self.name}"

    def served(self) -> str:
        found = self.client.access_secret_version(name=f"{self.full_name}/versions/current")
        return str(found.payload.data.decode())

    def in_reach(self) -> list[str]:
        return [
            self.manager.payloads[version.name].decode()
            for version in self.manager.versions[self.full_name]
            if version.state == sm.SecretVersion.State.ENABLED
        ]

    def put(self, text: str) -> None:
        version = self.client.add_secret_version(parent=self.full_name, payload={"data": text.encode()})
        secret = self.client.get_secret(name=self.full_name)
        aliases = {**secret.version_aliases, "current": int(version.name.rpartition("/")[2])}
        self.client.update_secret(
            secret={"name": self.full_name, "version_aliases": aliases},
            update_mask={"paths": ["version_aliases"]},
        )

    def interfere(self) -> None:
        raise AssertionError(self.CANNOT["foreign"])

    def now(self) -> int:
        return self.clock()

    def advance(self, by: int) -> None:
        self.clock.advance(by)

    def fail(self, moment: Moment | None, *, after: int = 0) -> None:
        self._moment, self._passing = moment, after

    def failed(self) -> bool:
        """Say whether what was to fail has failed."""
        return self._moment is None

    def meanwhile(self, action: Callable[[], None]) -> None:
        self._meanwhile = action

    def listed(self) -> Credential:
        entry = {
            "name": "tested",
            "kind": "gcp-secret-manager",
            "projects": ["acme-prod"],
            "endpoint": self.server.address,
            "locations": "none",
            "requests_per_second": 10_000,
        }
        rows = open_source(entry, clock=self.now, environment={}).pull(nobody).rows
        row = next(row for row in rows if row.name == self.name)
        return Credential(row.source, row.scope, row.id, row.name)

    def operations(self) -> set[str]:
        heard, self._heard = self.server.calls[self._heard :], len(self.server.calls)
        return {PERMISSIONS[each] for each in heard if each in PERMISSIONS}
