"""Google Secret Manager for the contract: two projects on one gRPC server, and a relay that cuts lines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from google.cloud import secretmanager_v1 as sm

from keyaudit.sources import Pulled, least_privilege, open_source
from keyaudit.times import DAY, parse_instant
from servers.cutting_relay import CuttingRelay
from servers.fault_proxy import Fault
from servers.google_assets import Assets
from servers.google_secret_manager import SecretManager
from servers.grpc_server import GrpcServer
from sources.contract import CANARY, nobody

KIND = "gcp-secret-manager"
BROKEN, HEALTHY, BARE = "acme-prod", "acme-staging", "acme-sandbox"
NUMBERS = {BROKEN: 424242, HEALTHY: 434343, BARE: 444444}
ORGANIZATION = "organizations/9"
NOW = parse_instant("2026-05-01T12:00:00Z")
LISTED = f"projects/{BROKEN}\x10".encode()
"""How a request for the broken project's secrets looks on the wire: its parent, then a page size."""


def _list(kind: str, **how: Any) -> Fault:
    return Fault(kind, "ListSecrets", f"projects/{BROKEN}", **how)


def _versions(kind: str, **how: Any) -> Fault:
    return Fault(kind, "ListSecretVersions", f"projects/{NUMBERS[BROKEN]}", **how)


_PLANS: dict[str, tuple[Fault, ...]] = {
    "denied": (_list("denied"),),
    "versions-denied": (_versions("denied"),),
    "one-version-list-denied": (_versions("denied", times=1),),
    "one-secret-gone": (_versions("gone", times=1),),
    "no-such-project": (_list("gone"),),
    "api-off": (_list("not-enabled", headers={"consumer": f"projects/{BROKEN}"}),),
    "api-off-where-calls-are-charged": (_list("not-enabled", headers={"consumer": "projects/1"}),),
    "locations-denied": (Fault("denied", "ListLocations", f"projects/{BROKEN}"),),
    "throttled": (_list("throttled", headers={"hold": "0"}),),
    "throttled-once": (_list("throttled", times=1),),
    "versions-throttled-once": (_versions("throttled", times=1),),
    "server-error": (_list("server-error"),),
    "server-error-once": (_list("server-error", times=1),),
    "unavailable": (_list("unavailable"),),
    "timeout": (_list("silent", seconds=1.5),),
    "bad-json": (_list("bad-message"),),
    "bad-message-once": (_list("bad-message", times=1),),
    "expired-at-once": (_list("expired"),),
    "expired-half-way": (_list("duplicate-page", times=1), _list("expired")),
    "expired-in-the-versions": (_versions("expired", after=1),),
    "hostile-code": (_list("hostile-code"),),
    "slow": (_list("slow", seconds=0.2),),
    "empty-page": (_list("empty-page", times=2),),
    "duplicate-page": (_list("duplicate-page", times=1),),
    "repeated-token": (_list("repeated-token", after=0),),
    "refused-token": (_list("duplicate-page", times=1), _list("token-refused")),
    "duplicate-version-page": (_versions("duplicate-page", times=1),),
    "repeated-version-token": (_versions("repeated-token"),),
    "reset": (),
    "reset-once": (),
    "truncated": (),
    "truncated-once": (),
}
_CUTS: dict[str, dict[str, int]] = {
    "reset": {},
    "reset-once": {"times": 1},
    "truncated": {"reply": 30},
    "truncated-once": {"reply": 30, "times": 1},
}


class GcpSecretManagerCase:
    """Secrets in two projects; a third has none."""

    FAULTS = {
        "denied": "failed",
        "versions-denied": "partial",
        "one-version-list-denied": "partial",
        "one-secret-gone": "partial",
        "no-such-project": "failed",
        "api-off": "empty",
        "api-off-where-calls-are-charged": "failed",
        "locations-denied": "partial",
        "throttled": "failed",
        "throttled-once": "complete",
        "versions-throttled-once": "complete",
        "server-error": "failed",
        "server-error-once": "complete",
        "unavailable": "failed",
        "timeout": "failed",
        "reset": "failed",
        "reset-once": "complete",
        "truncated": "failed",
        "truncated-once": "complete",
        "bad-json": "failed",
        "bad-message-once": "complete",
        "expired-at-once": "failed",
        "expired-half-way": "partial",
        "expired-in-the-versions": "partial",
        "hostile-code": "failed",
        "slow": "complete",
        "empty-page": "complete",
        "duplicate-page": "partial",
        "repeated-token": "partial",
        "refused-token": "partial",
        "duplicate-version-page": "partial",
        "repeated-version-token": "partial",
    }
    CANNOT_HAPPEN: dict[str, str] = {}

    broken = f"projects/{BROKEN}"
    healthy = f"projects/{HEALTHY}"
    clock_at = NOW

    def __init__(self, folder: Path) -> None:
        self.store = SecretManager(NUMBERS)
        self.assets = Assets(self.store, {ORGANIZATION: list(NUMBERS), "folders/7": [HEALTHY]}, now=NOW)
        self.server = GrpcServer({**self.store.methods(), **self.assets.methods()})
        self.relay = CuttingRelay(self.server.port)
        self.cache_dir = folder / "cache"
        self._timeout = "30s"

    def __enter__(self) -> Self:
        for project, count in ((BROKEN, 4), (HEALTHY, 2)):
            for number in range(count):
                secret = self.plant(f"app-{number}", project=project)
                self.add_version(secret, days_old=10)
        self.server.__enter__()
        self.relay.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.relay.__exit__()
        self.server.__exit__()

    def plant(self, name: str, *, project: str = HEALTHY, days_old: int = 100, **fields: Any) -> sm.Secret:
        """Create a secret whose value, and notes of all sorts, nobody may see again."""
        notes = {"note": f"{CANARY}-annotation", **fields.pop("annotations", {})}
        return self.store.plant(
            name,
            project=project,
            created=NOW - days_old * DAY,
            value=f"{CANARY}-value-of-{name}".encode(),
            annotations=notes,
            **fields,
        )

    def add_version(self, secret: sm.Secret, *, days_old: int, **fields: Any) -> sm.SecretVersion:
        value = f"{CANARY}-newer-value".encode()
        return self.store.add_version(secret, created=NOW - days_old * DAY, value=value, **fields)

    def entry(self, **settings: Any) -> dict[str, Any]:
        chosen = {
            "name": "tested",
            "kind": KIND,
            "projects": [BROKEN, HEALTHY],
            "endpoint": self.relay.address,
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            **settings,
        }
        return {name: value for name, value in chosen.items() if value is not None}

    def source(self, **settings: Any) -> Any:
        return open_source(self.entry(**settings), clock=lambda: self.clock_at, cache_dir=self.cache_dir)

    def pull(self, **settings: Any) -> Pulled:
        return self.source(**settings).pull(nobody)

    def break_with(self, fault: str) -> None:
        if fault == "timeout":
            self._timeout = "1s"
        self.server.plan(*(replace(each, seen=0) for each in _PLANS[fault]))
        if fault in _CUTS:
            self.relay.cut(LISTED, **_CUTS[fault])

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        return self.pull(projects=[BARE, BROKEN, HEALTHY]), f"projects/{BARE}"

    def requests(self) -> int:
        return len(self.server.log)

    def asked(self) -> list[str]:
        return [each.operation for each in self.server.log]

    def operations(self) -> set[str]:
        return {_PERMISSIONS.get(each, each) for each in self.asked()}

    def granted(self) -> set[str]:
        return permissions_of(least_privilege(KIND))


_PERMISSIONS = {
    "ListAssets": "cloudasset.assets.listResource",
    "ListLocations": "secretmanager.locations.list",
    "ListSecrets": "secretmanager.secrets.list",
    "ListSecretVersions": "secretmanager.versions.list",
    "AccessSecretVersion": "secretmanager.versions.access",
}


def permissions_of(role: str) -> set[str]:
    """Read the permissions of a custom role as gcloud would."""
    import yaml

    return set(yaml.safe_load(role)["includedPermissions"])
