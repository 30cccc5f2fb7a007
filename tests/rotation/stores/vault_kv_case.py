"""Vault's KV behind hvac, with an application that reads the newest version of a path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import hvac

from keyaudit.rotation.party import Means
from keyaudit.rotation.stores.protocol import Credential, Store
from keyaudit.rotation.stores.vault_kv import VaultKv
from keyaudit.sources import open_source
from rotation.stores.contract import CANARY, Moment
from servers.vault import ROOT, VaultServer
from servers.vault_engines import Kv2
from servers.vault_operations import Request
from servers.vault_refusals import Refused
from servers.vault_stamps import instant
from sources.contract import nobody

AT = 1_780_000_000_000_000


class BreakableVault(VaultServer):
    """Fails, or lets somebody else act, at the next request that changes something."""

    def __init__(self) -> None:
        super().__init__()
        self.moment: Moment | None = None
        self.passing = 0
        self.meanwhile: Callable[[], None] | None = None

    def answer(self, request: Request, query: Mapping[str, str], body: Mapping[str, Any]) -> Any:
        if request.verb == "GET":
            return super().answer(request, query, body)
        action, self.meanwhile = self.meanwhile, None
        if action is not None:
            action()
        moment = None
        if self.moment is not None and self.passing == 0:
            moment, self.moment = self.moment, None
        self.passing -= self.passing > 0
        if moment == "before":
            raise Refused(500, f"{CANARY}-internal error")
        found = super().answer(request, query, body)
        if moment == "after":
            raise Refused(500, f"{CANARY}-internal error")
        return found


class VaultKvCase:
    """One mount on one server."""

    FAULTS: frozenset[Moment] = frozenset({"before", "after"})
    CANNOT: Mapping[str, str] = {"foreign": "KV has no rotations of its own"}
    RARE: frozenset[str] = frozenset()
    RACES = 5

    def __init__(self, **settings: Any) -> None:
        self.server = BreakableVault()
        self.server.clock.set(AT)
        self.engine: Kv2 = self.server.mount("secret", Kv2())
        self.settings = settings
        self.token = ROOT
        self._heard = 0
        self.path = "app/openai"
        self._fields: Mapping[str, str] = {}

    @classmethod
    @contextmanager
    def started(cls, **settings: Any) -> Iterator[VaultKvCase]:
        case = cls(**settings)
        with case.server:
            case.kv = hvac.Client(url=case.server.url, token=ROOT).secrets.kv.v2
            yield case

    @property
    def VALUE_CALLS(self) -> frozenset[str]:  # noqa: N802
        return frozenset({f"read secret/data/{self.path}", f"read secret/data/{self.path}.keyaudit/pending"})

    def fresh(self, text: str, fields: Mapping[str, str] | None = None) -> Store:
        self._fields = fields or {}
        for old in list(self.engine.entries):
            self.kv.delete_metadata_and_all_versions(old)
        data = json.loads(text) if fields else {"api_key": text, "region": "eu", "retries": 3}
        self.kv.create_or_update_secret(self.path, data)
        self._heard = len(self.server.log)
        return self.again()

    def again(self) -> VaultKv:
        where = {"fields": self._fields} if self._fields else {"field": "api_key"}
        settings = VaultKv.Settings(
            kind="vault-kv",
            address=self.server.url,
            cluster="test",
            path=self.path,
            **where,
            **self.settings,
        )
        return VaultKv.opened(settings, Means(self.now, {"VAULT_TOKEN": self.token}))

    def served(self) -> str:
        answer = self.kv.read_secret_version(self.path, raise_on_deleted_version=True)
        data = answer["data"]["data"]
        if self._fields:
            return json.dumps(data)
        assert (data["region"], data["retries"]) == ("eu", 3)
        return str(data["api_key"])

    def in_reach(self) -> list[str]:
        found = []
        for path in (self.path, f"{self.path}.keyaudit/pending"):
            for number, version in self.engine.entries.get(path, {"versions": {}})["versions"].items():
                deleted = version["deletion_time"]
                if not version["destroyed"] and not (deleted and instant(deleted) <= self.now()):
                    answer = self.kv.read_secret_version(path, version=number, raise_on_deleted_version=True)
                    found.append(answer["data"]["data"]["api_key"])
        return list(dict.fromkeys(found))

    def put(self, text: str) -> None:
        data = self.kv.read_secret_version(self.path, raise_on_deleted_version=True)["data"]["data"]
        self.kv.create_or_update_secret(self.path, {**data, "api_key": text})

    def interfere(self) -> None:
        raise AssertionError(self.CANNOT["foreign"])

    def now(self) -> int:
        return self.server.clock()

    def advance(self, by: int) -> None:
        self.server.clock.advance(by)

    def fail(self, moment: Moment | None, *, after: int = 0) -> None:
        self.server.moment, self.server.passing = moment, after

    def failed(self) -> bool:
        """Say whether what was to fail has failed."""
        return self.server.moment is None

    def meanwhile(self, action: Callable[[], None]) -> None:
        self.server.meanwhile = action

    def listed(self) -> Credential:
        entry = {
            "name": "tested",
            "kind": "vault",
            "address": self.server.url,
            "cluster": "test",
            "mounts": {"kv": ["secret"]},
            "requests_per_second": 10_000,
        }
        rows = open_source(entry, clock=self.now, environment={"VAULT_TOKEN": ROOT}).pull(nobody).rows
        row = next(row for row in rows if row.name == self.path)
        return Credential(row.source, row.scope, row.id, row.name)

    def operations(self) -> set[str]:
        heard, self._heard = self.server.log[self._heard :], len(self.server.log)
        return {" ".join(each.needs) for each in heard}
