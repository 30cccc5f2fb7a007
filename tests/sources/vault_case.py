"""Vault for the contract: a server whose token has the shipped policy and no more, and a proxy that breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from keyaudit.sources import Pulled, least_privilege, open_source
from keyaudit.times import DAY, parse_instant
from servers.fault_proxy import Fault, FaultProxy
from servers.vault import VaultServer, metadata, stamp
from servers.vault_dialect import VaultApi
from servers.vault_engines import Kv2, database
from servers.vault_policy import allows, parse
from sources.contract import CANARY, nobody

NOW = parse_instant("2026-05-01T12:00:00Z")
TOKEN = f"{CANARY}-token"
CLUSTER = "test"

_PLANS: dict[str, tuple[Fault, ...]] = {
    "denied": (Fault("denied", "ListFolder"),),
    "folder-denied": (Fault("denied", "ListFolder", after=1, times=1),),
    "secrets-denied": (Fault("denied", "ReadMetadata"),),
    "one-secret-denied": (Fault("denied", "ReadMetadata", times=1),),
    "throttled": (Fault("throttled", "ListFolder", headers={"Retry-After": "0"}),),
    "throttled-once": (Fault("throttled", "ReadMetadata", times=1),),
    "server-error": (Fault("server-error", "ListFolder"),),
    "server-error-once": (Fault("server-error", "ReadMetadata", times=1),),
    "standby-behind-once": (Fault("behind", "ReadMetadata", times=1),),
    "sealed": (Fault("sealed", "ListFolder"),),
    "sealed-half-way": (Fault("sealed", "ReadMetadata", after=1),),
    "timeout": (Fault("silent", "ListFolder", seconds=1.5),),
    "reset": (Fault("reset", "ListFolder"),),
    "reset-once": (Fault("reset", "ReadMetadata", times=1),),
    "truncated": (Fault("truncated", "ListFolder"),),
    "truncated-once": (Fault("truncated", "ReadMetadata", times=1),),
    "bad-json": (Fault("bad-json", "ListFolder"),),
    "bad-json-once": (Fault("bad-json", "ReadMetadata", times=1),),
    "no-list": (Fault("no-list", "ListFolder"),),
    "wrong-shape": (Fault("wrong-shape", "ListFolder"),),
    "unreadable-entry": (Fault("bad-row", "ReadMetadata", times=3),),
    "unreadable-time": (Fault("bad-time", "ReadMetadata", times=1),),
    "odd-names": (Fault("odd-names", "ListFolder"),),
    "expired-at-once": (Fault("expired", "ListFolder"),),
    "expired-half-way": (Fault("expired", "ReadMetadata", after=1),),
    "slow": (Fault("slow", "ListFolder"),),
    "duplicate-page": (Fault("duplicate-page", "ListFolder", times=1),),
    "repeated-token": (Fault("repeated-token", "Scan"),),
    "scan-works": (),
    "scan-not-offered": (Fault("unknown-verb", "Scan"),),
    "scan-denied": (Fault("denied", "Scan"),),
    "scan-denied-half-way": (Fault("denied", "Scan", after=1),),
    "scan-throttled": (Fault("throttled", "Scan"),),
    "scan-odd-names": (Fault("odd-names", "Scan", times=1),),
}
_SCANS = {name for name in _PLANS if name.startswith("scan-")} | {"repeated-token"}


class VaultCase:
    """Secrets in folders and database roles, and a fresh server and proxy for every test."""

    FAULTS = {
        **dict.fromkeys(_PLANS, "complete"),
        **dict.fromkeys(
            (
                "denied",
                "throttled",
                "server-error",
                "sealed",
                "timeout",
                "reset",
                "truncated",
                "bad-json",
                "no-list",
                "wrong-shape",
                "expired-at-once",
                "scan-throttled",
            ),
            "failed",
        ),
        **dict.fromkeys(
            (
                "folder-denied",
                "secrets-denied",
                "one-secret-denied",
                "sealed-half-way",
                "unreadable-entry",
                "unreadable-time",
                "odd-names",
                "expired-half-way",
                "duplicate-page",
                "repeated-token",
                "scan-denied-half-way",
                "scan-odd-names",
            ),
            "partial",
        ),
    }
    CANNOT_HAPPEN: dict[str, str] = {}

    broken = f"{CLUSTER}/secret"
    healthy = f"{CLUSTER}/database"
    clock_at = NOW

    def __init__(self, folder: Path) -> None:
        self.server = VaultServer(openbao=True)
        self.proxy = FaultProxy(self.server.url, VaultApi())
        self.cache_dir = folder / "cache"
        self.scan = False
        self._timeout = "30s"

    def __enter__(self) -> Self:
        self.server.__enter__()
        self.kv = self.server.mount("secret", Kv2())
        self.roles = self.server.mount("database", database())
        for name in ("top", "app/db", "app/api/openai", "app/api/stripe"):
            self.kv.entries[name] = metadata(
                NOW - 200 * DAY, NOW - 100 * DAY, custom={"owner": "a@acme.example"}
            )
        for name in ("billing", "orders"):
            self.roles.entries[name] = {
                "credential_type": "password",
                "db_name": "postgres",
                "last_vault_rotation": stamp(NOW - DAY // 2),
                "rotation_period": 86400,
                "rotation_statements": [],
                "username": f"svc-{name}",
            }
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self.server.__exit__()

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "vault",
            "address": self.proxy.url,
            "cluster": CLUSTER,
            "mounts": {"kv": ["secret"], "database": ["database"]},
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            "scan": self.scan,
            "scan_page": 2,
            **settings,
        }

    def source(self, **settings: Any) -> Any:
        entry = self.entry(**settings)
        self.server.token(TOKEN, least_privilege("vault", [entry]))
        return open_source(
            entry,
            clock=lambda: self.clock_at,
            cache_dir=self.cache_dir,
            environment={"VAULT_TOKEN": TOKEN},
        )

    def pull(self, **settings: Any) -> Pulled:
        return self.source(**settings).pull(nobody)

    def break_with(self, fault: str) -> None:
        self.scan = fault in _SCANS
        if fault == "timeout":
            self._timeout = "1s"
        self.proxy.plan(*(Fault(**{**vars(each), "scope": "secret", "seen": 0}) for each in _PLANS[fault]))

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        self.server.mount("empty", Kv2())
        mounts = {"kv": ["secret", "empty"], "database": ["database"]}
        return self.pull(mounts=mounts), f"{CLUSTER}/empty"

    def requests(self) -> int:
        return len(self.proxy.log)

    def operations(self) -> set[str]:
        return {each.key for each in self.proxy.log}

    def granted(self) -> set[str]:
        policy = parse(least_privilege("vault", [self.entry()]), openbao=True)
        return {each for each in self.operations() if allows(policy, *each.split(" ", 1))}
