"""Google service-account keys for the contract: two projects behind a relay that can cut the line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Self

import yaml

from keyaudit.sources import Pulled, least_privilege, open_source
from keyaudit.times import DAY, parse_instant
from servers.cutting_relay import CuttingRelay
from servers.fault_proxy import Fault
from servers.google_iam import GoogleIam
from servers.grpc_server import GrpcServer
from sources.contract import CANARY, nobody

BROKEN, HEALTHY = "acme-prod", "acme-staging"
NOW = parse_instant("2026-05-01T12:00:00Z")

PERMISSIONS = {
    "/google.iam.admin.v1.IAM/ListServiceAccounts": "iam.serviceAccounts.list",
    "/google.iam.admin.v1.IAM/ListServiceAccountKeys": "iam.serviceAccountKeys.list",
    "/google.iam.admin.v1.IAM/CreateServiceAccountKey": "iam.serviceAccountKeys.create",
    "/google.monitoring.v3.MetricService/ListTimeSeries": "monitoring.timeSeries.list",
}

_ACCOUNTS, _KEYS = "ListServiceAccounts", "ListServiceAccountKeys"
_PLANS: dict[str, tuple[Fault, ...]] = {
    "denied": (Fault("denied", _ACCOUNTS),),
    "keys-denied": (Fault("denied", _KEYS),),
    "one-key-list-denied": (Fault("denied", _KEYS, times=1),),
    "throttled": (Fault("throttled", _ACCOUNTS, headers={"hold": "0"}),),
    "throttled-once": (Fault("throttled", _ACCOUNTS, times=1, headers={"hold": "0.01"}),),
    "server-error": (Fault("server-error", _ACCOUNTS),),
    "server-error-once": (Fault("server-error", _ACCOUNTS, times=1),),
    "unavailable": (Fault("unavailable", _ACCOUNTS),),
    "timeout": (Fault("silent", _ACCOUNTS, seconds=1.5),),
    "bad-json": (Fault("bad-message", _ACCOUNTS),),
    "bad-json-once": (Fault("bad-message", _ACCOUNTS, times=1),),
    "expired-at-once": (Fault("expired", _ACCOUNTS),),
    "expired-half-way": (Fault("duplicate-page", _ACCOUNTS, times=1), Fault("expired", _ACCOUNTS)),
    "expired-in-the-keys": (Fault("expired", _KEYS, after=1),),
    "api-off": (Fault("not-enabled", _ACCOUNTS, headers={"consumer": f"projects/{BROKEN}"}),),
    "api-off-elsewhere": (Fault("not-enabled", _ACCOUNTS, headers={"consumer": "projects/123456789"}),),
    "no-such-project": (Fault("gone", _ACCOUNTS),),
    "hostile-code": (Fault("hostile-code", _ACCOUNTS),),
    "slow": (Fault("slow", _ACCOUNTS),),
    "empty-page": (Fault("empty-page", _ACCOUNTS, times=2),),
    "duplicate-page": (Fault("duplicate-page", _ACCOUNTS, times=1),),
    "repeated-token": (Fault("repeated-token", _ACCOUNTS),),
    "refused-token": (Fault("duplicate-page", _ACCOUNTS, times=1), Fault("token-refused", _ACCOUNTS)),
}
_CUTS: dict[str, dict[str, int]] = {"reset": {}, "reset-once": {"times": 1}, "truncated": {"reply": 60}}


class GcpIamCase:
    """Four accounts with keys in one project, two in the other, and one that has none."""

    FAULTS = {
        "denied": "failed",
        "keys-denied": "partial",
        "one-key-list-denied": "partial",
        "throttled": "failed",
        "throttled-once": "complete",
        "server-error": "failed",
        "server-error-once": "complete",
        "unavailable": "failed",
        "timeout": "failed",
        "reset": "failed",
        "reset-once": "complete",
        "truncated": "failed",
        "bad-json": "failed",
        "bad-json-once": "complete",
        "expired-at-once": "failed",
        "expired-half-way": "partial",
        "expired-in-the-keys": "partial",
        "api-off": "failed",
        "api-off-elsewhere": "failed",
        "no-such-project": "failed",
        "hostile-code": "failed",
        "slow": "complete",
        "empty-page": "complete",
        "duplicate-page": "partial",
        "repeated-token": "partial",
        "refused-token": "partial",
    }
    CANNOT_HAPPEN: dict[str, str] = {}

    broken = f"projects/{BROKEN}"
    healthy = f"projects/{HEALTHY}"
    clock_at = NOW

    def __init__(self, folder: Path) -> None:
        self.google = GoogleIam(BROKEN, HEALTHY, "acme-new")
        self.server = GrpcServer(self.google.methods())
        self.relay = CuttingRelay(self.server.port)
        self.cache_dir = folder / "cache"
        self._timeout = "30s"
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for project, count in ((BROKEN, 4), (HEALTHY, 2)):
            for number in range(count):
                account = self.plant(project, f"app-{number}")
                self.google.put(account, f"{number}a", made=NOW - 400 * DAY, **self.material())
                self.google.put(account, f"{number}b", made=NOW - 30 * DAY, **self.material())
                self.google.sign_in(account, f"{number}b", NOW - number * DAY - DAY)
        self.plant(HEALTHY, "keyless")
        self._open.enter_context(self.server)
        self._open.enter_context(self.relay)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def plant(self, project: str, account: str, **fields: Any) -> str:
        return self.google.add(
            project,
            account,
            display_name=f"{CANARY}-display-name",
            description=f"{CANARY}-description",
            **fields,
        )

    def material(self) -> dict[str, bytes]:
        """Serve what the API never lists, in case anybody looks."""
        return {
            "private_key_data": f"{CANARY}-private-key".encode(),
            "public_key_data": f"{CANARY}-public-key".encode(),
        }

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "gcp-iam",
            "projects": [BROKEN, HEALTHY],
            "endpoint": self.relay.address,
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            **settings,
        }

    def source(self, **settings: Any) -> Any:
        return open_source(self.entry(**settings), clock=lambda: self.clock_at, cache_dir=self.cache_dir)

    def pull(self, **settings: Any) -> Pulled:
        return self.source(**settings).pull(nobody)

    def break_with(self, fault: str) -> None:
        if fault in _CUTS:
            self.relay.cut(self.broken.encode(), **_CUTS[fault])
            return
        if fault == "timeout":
            self._timeout = "1s"
        self.server.plan(
            *(Fault(**{**vars(each), "scope": self.broken, "seen": 0}) for each in _PLANS[fault])
        )

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        return self.pull(projects=["acme-new", BROKEN, HEALTHY]), "projects/acme-new"

    def requests(self) -> int:
        return len(self.server.log)

    def operations(self) -> set[str]:
        return {PERMISSIONS[each.method] for each in self.server.log}

    def granted(self) -> set[str]:
        return set(yaml.safe_load(least_privilege("gcp-iam"))["includedPermissions"])
