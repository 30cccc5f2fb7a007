"""AWS Secrets Manager for the contract: a moto server, and a proxy in front of it that breaks things."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from keyaudit.sources import Pulled
from keyaudit.times import DAY, SECOND
from servers.aws_dialect import AwsJson
from servers.fault_proxy import Asked, Fault, FaultProxy
from sources.aws_proxied import AwsProxied
from sources.contract import CANARY

ACCOUNT = "123456789012"
OTHER = "444455556666"
BROKEN, HEALTHY = "us-east-1", "eu-west-1"
NOW = int(time.time()) * SECOND // DAY * DAY + DAY // 2
"""Noon of today: moto stamps its own clock on what is planted."""

_PLANS: dict[str, tuple[Fault, ...]] = {
    "denied": (Fault("denied", "ListSecrets"),),
    "versions-denied": (Fault("denied", "ListSecretVersionIds"),),
    "one-version-list-denied": (Fault("denied", "ListSecretVersionIds", times=1),),
    "throttled": (Fault("throttled", "ListSecrets", headers={"Retry-After": "0"}),),
    "throttled-by-status": (Fault("too-many", "ListSecrets"),),
    "throttled-once": (Fault("throttled", "ListSecrets", times=1),),
    "server-error": (Fault("server-error", "ListSecrets"),),
    "server-error-once": (Fault("server-error", "ListSecrets", times=1),),
    "timeout": (Fault("silent", "ListSecrets", seconds=1.5),),
    "reset": (Fault("reset", "ListSecrets"),),
    "reset-once": (Fault("reset", "ListSecrets", times=1),),
    "truncated": (Fault("truncated", "ListSecrets"),),
    "truncated-once": (Fault("truncated", "ListSecrets", times=1),),
    "bad-json": (Fault("bad-json", "ListSecrets"),),
    "no-list": (Fault("no-list", "ListSecrets"),),
    "wrong-shape": (Fault("wrong-shape", "ListSecrets"),),
    "unreadable-entry": (Fault("bad-row", "ListSecrets"),),
    "unreadable-time": (Fault("bad-time", "ListSecrets"),),
    "expired-at-once": (Fault("expired", "ListSecrets"),),
    "expired-half-way": (Fault("duplicate-page", "ListSecrets", times=1), Fault("expired", "ListSecrets")),
    "expired-in-the-versions": (Fault("expired", "ListSecretVersionIds", after=1),),
    "bad-signature": (Fault("bad-signature", "ListSecrets"),),
    "hostile-code": (Fault("hostile-code", "ListSecrets"),),
    "scope-not-enabled": (Fault("region-disabled", "ListSecrets"),),
    "slow": (Fault("slow", "ListSecrets"),),
    "empty-page": (Fault("empty-page", "ListSecrets", times=2),),
    "duplicate-page": (Fault("duplicate-page", "ListSecrets", times=1),),
    "repeated-token": (Fault("repeated-token", "ListSecrets", after=0),),
    "refused-token": (Fault("duplicate-page", "ListSecrets", times=1), Fault("token-refused", "ListSecrets")),
}


@contextmanager
def moto_server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


class AwsCase(AwsProxied):
    """Secrets in two regions of one account, and a fresh proxy for every test."""

    strikes = BROKEN
    PLANS = _PLANS

    FAULTS = {
        "denied": "failed",
        "versions-denied": "partial",
        "one-version-list-denied": "partial",
        "throttled": "failed",
        "throttled-by-status": "failed",
        "throttled-once": "complete",
        "server-error": "failed",
        "server-error-once": "complete",
        "timeout": "failed",
        "reset": "failed",
        "reset-once": "complete",
        "truncated": "failed",
        "truncated-once": "complete",
        "bad-json": "failed",
        "no-list": "failed",
        "wrong-shape": "failed",
        "unreadable-entry": "partial",
        "unreadable-time": "partial",
        "expired-at-once": "failed",
        "expired-half-way": "partial",
        "expired-in-the-versions": "partial",
        "bad-signature": "failed",
        "hostile-code": "failed",
        "scope-not-enabled": "failed",
        "slow": "complete",
        "empty-page": "complete",
        "duplicate-page": "partial",
        "repeated-token": "partial",
        "refused-token": "partial",
    }
    CANNOT_HAPPEN: dict[str, str] = {}

    broken = f"{ACCOUNT}/{BROKEN}"
    healthy = f"{ACCOUNT}/{HEALTHY}"
    clock_at = NOW

    def __init__(self, moto: str, folder: Path) -> None:
        self.proxy = FaultProxy(moto, AwsJson("SecretList"), self._mend)
        self.cache_dir = folder / "cache"
        self._timeout = "30s"

    def __enter__(self) -> Self:
        from moto.backends import get_backend

        get_backend("secretsmanager").reset()
        for region, count in ((BROKEN, 4), (HEALTHY, 2)):
            for number in range(count):
                self.plant(f"app/{region}/{number}", region=region)
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()

    def _mend(self, asked: Asked, body: bytes) -> bytes:
        """Give version lists the dates that moto keeps but does not tell: it says "now" for all of them."""
        if asked.operation != "ListSecretVersionIds":
            return body
        answer = json.loads(body)
        account = json.loads(asked.body)["SecretId"].split(":")[4]
        kept = self.backend(asked.scope, account).secrets[answer["Name"]].versions
        for version in answer["Versions"]:
            version["CreatedDate"] = kept[version["VersionId"]]["createdate"]
            del version["LastAccessedDate"]
        return json.dumps(answer).encode()

    def backend(self, region: str = HEALTHY, account: str = ACCOUNT) -> Any:
        from moto.backends import get_backend

        return get_backend("secretsmanager")[account][region]

    def plant(
        self, name: str, *, region: str = HEALTHY, account: str = ACCOUNT, days_old: int = 100, **tags: str
    ):
        """Create a secret through moto's backend and date it back; gives moto's own object, to bend."""
        backend = self.backend(region, account)
        backend.create_secret(
            name=name,
            secret_string=f"{CANARY}-value-of-{name}",
            secret_binary=None,
            description=f"{CANARY}-description",
            tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )
        secret = backend.secrets[name]
        then = NOW // SECOND - days_old * 86_400
        secret.created_date = secret.last_changed_date = then
        for version in secret.versions.values():
            version["createdate"] = then
        return secret

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "aws-secrets-manager",
            "regions": [BROKEN, HEALTHY],
            "endpoint_url": self.proxy.url,
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            **settings,
        }

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        return self.pull(regions=["ap-southeast-2", BROKEN, HEALTHY]), f"{ACCOUNT}/ap-southeast-2"
