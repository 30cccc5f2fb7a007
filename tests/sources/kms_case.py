"""AWS KMS for the contract: keys in two regions, and a proxy in front of them that breaks the first."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from keyaudit.sources import Pulled
from keyaudit.times import DAY, parse_instant
from servers.fault_proxy import Fault, FaultProxy
from servers.iam import OWN
from servers.kms import Kms, KmsJson
from sources.aws_proxied import AwsProxied

BROKEN, HEALTHY = "us-east-1", "eu-west-1"
NOW = parse_instant("2026-05-01T12:00:00Z")


def on(kind: str, operation: str = "ListKeys", **how: Any) -> tuple[Fault, ...]:
    return (Fault(kind, operation, **how),)


class KmsCase(AwsProxied):
    """A rotated, a new, a signing and a disabled key in each of two regions."""

    strikes = BROKEN

    PLANS = {
        "denied": on("denied"),
        "aliases-denied": on("denied", "ListAliases"),
        "aliases-broken": on("other-list-broken", "ListAliases"),
        "descriptions-denied": on("denied", "DescribeKey"),
        "one-description-denied": on("denied", "DescribeKey", times=1),
        "settings-denied": on("denied", "GetKeyRotationStatus"),
        "rotations-denied": on("denied", "ListKeyRotations"),
        "tags-denied": on("denied", "ListResourceTags"),
        "throttled": on("throttled"),
        "throttled-by-status": on("too-many"),
        "throttled-once": on("throttled", times=1),
        "server-error": on("server-error"),
        "server-error-once": on("server-error", times=1),
        "timeout": on("silent", seconds=1.5),
        "reset": on("reset"),
        "reset-once": on("reset", "DescribeKey", times=1),
        "truncated": on("truncated"),
        "truncated-once": on("truncated", "DescribeKey", times=1),
        "bad-json": on("bad-json"),
        "descriptions-bad-json": on("bad-json", "DescribeKey"),
        "no-list": on("no-list"),
        "no-rotations": on("other-list-broken", "ListKeyRotations"),
        "wrong-shape": on("wrong-shape"),
        "unreadable-entry": on("bad-row"),
        "unreadable-time": on("bad-time", "DescribeKey", times=1),
        "expired-at-once": on("expired"),
        "expired-in-the-aliases": on("expired", "ListAliases"),
        "expired-half-way": on("expired", "ListKeyRotations"),
        "bad-signature": on("bad-signature"),
        "hostile-code": on("hostile-code"),
        "scope-not-enabled": on("region-disabled"),
        "slow": on("slow"),
        "empty-page": on("empty-page", times=2),
        "duplicate-page": on("duplicate-page", times=1),
        "repeated-token": on("repeated-token"),
        "refused-token": on("duplicate-page", times=1) + on("marker-refused"),
        "no-token": on("no-token"),
    }
    FAULTS = {
        "denied": "failed",
        "aliases-denied": "partial",
        "aliases-broken": "partial",
        "descriptions-denied": "partial",
        "one-description-denied": "partial",
        "settings-denied": "partial",
        "rotations-denied": "partial",
        "tags-denied": "partial",
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
        "descriptions-bad-json": "partial",
        "no-list": "failed",
        "no-rotations": "partial",
        "wrong-shape": "failed",
        "unreadable-entry": "partial",
        "unreadable-time": "partial",
        "expired-at-once": "failed",
        "expired-in-the-aliases": "failed",
        "expired-half-way": "partial",
        "bad-signature": "failed",
        "hostile-code": "failed",
        "scope-not-enabled": "failed",
        "slow": "complete",
        "empty-page": "complete",
        "duplicate-page": "partial",
        "repeated-token": "partial",
        "refused-token": "partial",
        "no-token": "failed",
    }
    CANNOT_HAPPEN: dict[str, str] = {}

    broken = f"{OWN}/{BROKEN}"
    healthy = f"{OWN}/{HEALTHY}"
    clock_at = NOW

    def __init__(self, folder: Path) -> None:
        self.kms = Kms()
        self.cache_dir = folder / "cache"
        self._timeout = "30s"

    def __enter__(self) -> Self:
        for region in (BROKEN, HEALTHY):
            self.plant(region)
        self.kms.__enter__()
        self.proxy = FaultProxy(self.kms.url, KmsJson())
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self.kms.__exit__()

    def plant(self, region: str) -> None:
        ago = [NOW - days * DAY for days in (900, 500, 135)]
        tags = {"owner": "platform@acme.example", "environment": "production"}
        self.kms.put("app/data", created=ago[0], rotated=ago[1:], period=365, region=region, tags=tags)
        self.kms.put("app/new", created=NOW - DAY, region=region)
        signing = {"KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_P256"}
        self.kms.put("app/tokens", created=ago[1], region=region, **signing)
        self.kms.put(None, created=ago[0], region=region, KeyState="Disabled")
        self.kms.put("aws/s3", created=ago[0], region=region, KeyManager="AWS", period=365)

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "aws-kms",
            "regions": [BROKEN, HEALTHY],
            "endpoint_url": self.proxy.url,
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            **settings,
        }

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        return self.pull(regions=["ap-southeast-2", BROKEN, HEALTHY]), f"{OWN}/ap-southeast-2"
