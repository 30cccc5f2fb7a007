"""AWS Parameter Store for the contract: parameters in two regions, and a proxy in front that breaks one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from keyaudit.sources import Pulled
from keyaudit.times import DAY, parse_instant
from servers.aws_dialect import AwsJson
from servers.fault_proxy import Fault, FaultProxy
from servers.parameters import ACCOUNT, Parameters
from sources.aws_proxied import AwsProxied

BROKEN, HEALTHY = "us-east-1", "eu-west-1"
NOW = parse_instant("2026-05-01T12:00:00Z")
LIST, TAGS = "DescribeParameters", "ListTagsForResource"

_PLANS: dict[str, tuple[Fault, ...]] = {
    "denied": (Fault("denied", LIST),),
    "tags-denied": (Fault("denied", TAGS),),
    "tags-of-one-denied": (Fault("denied", TAGS, times=1),),
    "throttled": (Fault("throttled", LIST, headers={"Retry-After": "0"}),),
    "throttled-by-status": (Fault("too-many", LIST),),
    "throttled-once": (Fault("throttled", LIST, times=1),),
    "server-error": (Fault("server-error", LIST),),
    "server-error-once": (Fault("server-error", LIST, times=1),),
    "timeout": (Fault("silent", LIST, seconds=1.5),),
    "reset": (Fault("reset", LIST),),
    "reset-once": (Fault("reset", LIST, times=1),),
    "truncated": (Fault("truncated", LIST),),
    "truncated-once": (Fault("truncated", LIST, times=1),),
    "bad-json": (Fault("bad-json", LIST),),
    "no-list": (Fault("no-list", LIST),),
    "wrong-shape": (Fault("wrong-shape", LIST),),
    "unreadable-entry": (Fault("bad-row", LIST),),
    "unreadable-time": (Fault("bad-time", LIST),),
    "unreadable-tags": (Fault("bad-json", TAGS),),
    "expired-at-once": (Fault("expired", LIST),),
    "expired-half-way": (Fault("duplicate-page", LIST, times=1), Fault("expired", LIST)),
    "expired-in-the-tags": (Fault("expired", TAGS, after=1),),
    "bad-signature": (Fault("bad-signature", LIST),),
    "hostile-code": (Fault("hostile-code", LIST),),
    "scope-not-enabled": (Fault("region-disabled", LIST),),
    "slow": (Fault("slow", LIST),),
    "empty-page": (Fault("empty-page", LIST, times=2),),
    "duplicate-page": (Fault("duplicate-page", LIST, times=1),),
    "repeated-token": (Fault("repeated-token", LIST),),
    "refused-token": (Fault("duplicate-page", LIST, times=1), Fault("token-refused", LIST)),
}


class SsmCase(AwsProxied):
    """Parameters in two regions of one account, their tags asked for; a page has two of them."""

    strikes = BROKEN
    PLANS = _PLANS

    FAULTS = {
        "denied": "failed",
        "tags-denied": "partial",
        "tags-of-one-denied": "partial",
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
        "unreadable-tags": "partial",
        "expired-at-once": "failed",
        "expired-half-way": "partial",
        "expired-in-the-tags": "partial",
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

    def __init__(self, folder: Path) -> None:
        self.parameters = Parameters(page=2)
        self.proxy = FaultProxy(self.parameters.url, AwsJson("Parameters", time="LastModifiedDate"))
        self.cache_dir = folder / "cache"
        self._timeout = "30s"

    def __enter__(self) -> Self:
        for region, count in ((BROKEN, 4), (HEALTHY, 3)):
            for number in range(count):
                self.parameters.put(
                    f"/app/{region}/{number}",
                    changed=NOW - (number + 1) * DAY,
                    version=number + 1,
                    region=region,
                    tags={"environment": "production"},
                )
            self.parameters.put(f"/app/{region}/url", changed=NOW, version=1, region=region, Type="String")
        self.parameters.__enter__()
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self.parameters.__exit__()

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "aws-ssm",
            "regions": [BROKEN, HEALTHY],
            "endpoint_url": self.proxy.url,
            "tags": True,
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            **settings,
        }

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        return self.pull(regions=["ap-southeast-2", BROKEN, HEALTHY]), f"{ACCOUNT}/ap-southeast-2"
