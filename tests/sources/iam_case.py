"""AWS IAM for the contract: two accounts, and a proxy in front of them that breaks the first."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from keyaudit.sources import Pulled
from keyaudit.times import DAY, HOUR, parse_instant
from servers.aws_query_dialect import AwsQuery
from servers.fault_proxy import Fault, FaultProxy
from servers.iam import OWN, Account, Iam, Key
from sources.aws_proxied import AwsProxied

OTHER = "444455556666"
NOBODY_THERE = "777788889999"
NOW = parse_instant("2026-05-01T12:00:00Z")

REPORT = ("GenerateCredentialReport", "GetCredentialReport")
EVERYTHING = (*REPORT, "ListUsers", "ListAccessKeys", "GetAccessKeyLastUsed")
LISTS = ("GenerateCredentialReport", "ListUsers")


def on(kind: str, *operations: str, **how: Any) -> tuple[Fault, ...]:
    return tuple(Fault(kind, operation, **how) for operation in operations)


class IamCase(AwsProxied):
    """Access keys of users in two accounts; each has one user whose two keys the report does not tell apart."""

    strikes = OWN

    lists = ("access-keys",)
    broken = OWN
    healthy = OTHER
    clock_at = NOW
    PLANS = {
        "denied": on("denied", *EVERYTHING),
        "report-denied": on("denied", *REPORT),
        "report-not-to-be-had": on("limit", "GenerateCredentialReport"),
        "report-garbled": on("garbled", "GetCredentialReport"),
        "keys-denied": on("denied", "ListAccessKeys"),
        "one-user-s-keys-denied": on("denied", "ListAccessKeys", times=1),
        "last-use-denied": on("denied", "GetAccessKeyLastUsed"),
        "throttled": on("throttled", *LISTS),
        "throttled-by-status": on("too-many", *LISTS),
        "throttled-once": on("throttled", "GenerateCredentialReport", times=1),
        "server-error": on("server-error", *LISTS),
        "server-error-once": on("server-error", "GenerateCredentialReport", times=1),
        "timeout": on("silent", *LISTS, seconds=1.5),
        "reset": on("reset", *LISTS),
        "reset-once": on("reset", "GetCredentialReport", times=1),
        "truncated": on("truncated", "GetCredentialReport", "ListUsers"),
        "truncated-once": on("truncated", "GetCredentialReport", times=1),
        "bad-json": on("bad-json", *LISTS),
        "no-list": on("denied", *REPORT) + on("no-list", "ListUsers"),
        "wrong-shape": on("denied", *REPORT) + on("wrong-shape", "ListUsers"),
        "unreadable-entry": on("bad-row", "ListAccessKeys", times=3),
        "unreadable-time": on("bad-time", "ListAccessKeys"),
        "expired-at-once": on("expired", "GenerateCredentialReport"),
        "expired-half-way": on("expired", "ListAccessKeys", after=1),
        "bad-signature": on("bad-signature", "GenerateCredentialReport"),
        "hostile-code": on("hostile-code", *LISTS),
        "slow": on("slow", "GetCredentialReport"),
        "empty-page": on("empty-page", "ListAccessKeys", times=1),
        "duplicate-page": on("duplicate-page", "ListAccessKeys", times=1),
        "repeated-token": on("repeated-token", "ListAccessKeys"),
        "no-token": on("no-token", "ListAccessKeys"),
        "users-listed-twice": on("denied", *REPORT) + on("duplicate-page", "ListUsers", times=1),
    }
    FAULTS = {
        "denied": "failed",
        "report-denied": "partial",
        "report-not-to-be-had": "partial",
        "report-garbled": "partial",
        "keys-denied": "partial",
        "one-user-s-keys-denied": "partial",
        "last-use-denied": "partial",
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
        "bad-signature": "failed",
        "hostile-code": "failed",
        "slow": "complete",
        "empty-page": "complete",
        "duplicate-page": "partial",
        "repeated-token": "partial",
        "no-token": "partial",
        "users-listed-twice": "partial",
    }
    CANNOT_HAPPEN: dict[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self.iam = Iam(NOW)
        self.cache_dir = folder / "cache"
        self._timeout = "30s"

    def __enter__(self) -> Self:
        for account in (OWN, OTHER):
            self.plant(self.iam.account(account))
        self.iam.__enter__()
        self.proxy = FaultProxy(self.iam.url, AwsQuery())
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self.iam.__exit__()

    def plant(self, account: Account) -> None:
        for number in range(4):
            used = NOW - number * DAY
            key = Key(f"AKIA{account.id}{number}", NOW - (90 + number) * DAY, used=used)
            account.put(f"user{number}", NOW - (90 + number) * DAY, key)
        keys = (
            Key(f"AKIA{account.id}B", NOW - 200 * DAY, used=NOW - DAY, changed=NOW - HOUR),
            Key(f"AKIA{account.id}A", NOW - 20 * DAY, used=NOW - HOUR, changed=NOW - 2 * HOUR),
        )
        account.put("two-keys", NOW - 300 * DAY, *keys)
        account.put("no-keys", NOW - 300 * DAY)

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "aws-iam",
            "lists": list(self.lists),
            "accounts": [OWN, OTHER],
            "endpoint_url": self.proxy.url,
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            **settings,
        }

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        self.iam.account(NOBODY_THERE)
        scope = self.broken.replace(OWN, NOBODY_THERE)
        return self.pull(accounts=[OWN, OTHER, NOBODY_THERE]), scope


class ServiceSpecificCase(IamCase):
    """Bedrock keys and Git passwords of users in two accounts."""

    lists = ("service-specific",)
    broken = f"{OWN}/service-specific"
    healthy = f"{OTHER}/service-specific"
    _LIST = "ListServiceSpecificCredentials"
    PLANS = {
        "denied": on("denied", _LIST),
        "users-denied": on("denied", "ListUsers"),
        "throttled": on("throttled", _LIST),
        "throttled-once": on("throttled", _LIST, times=1),
        "server-error": on("server-error", _LIST),
        "server-error-once": on("server-error", _LIST, times=1),
        "timeout": on("silent", _LIST, seconds=1.5),
        "reset": on("reset", _LIST),
        "reset-once": on("reset", _LIST, times=1),
        "truncated": on("truncated", _LIST),
        "truncated-once": on("truncated", _LIST, times=1),
        "bad-json": on("bad-json", _LIST),
        "no-list": on("no-list", _LIST),
        "wrong-shape": on("wrong-shape", _LIST),
        "unreadable-entry": on("bad-row", _LIST),
        "unreadable-time": on("bad-time", _LIST),
        "expired-at-once": on("expired", _LIST),
        "expired-half-way": on("duplicate-page", _LIST, times=1) + on("expired", _LIST),
        "hostile-code": on("hostile-code", _LIST),
        "slow": on("slow", _LIST),
        "empty-page": on("empty-page", _LIST, times=1),
        "duplicate-page": on("duplicate-page", _LIST, times=1),
        "repeated-token": on("repeated-token", _LIST),
        "no-token": on("no-token", _LIST),
    }
    FAULTS = {
        "denied": "failed",
        "users-denied": "partial",
        "throttled": "failed",
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
        "unreadable-time": "failed",
        "expired-at-once": "failed",
        "expired-half-way": "partial",
        "hostile-code": "failed",
        "slow": "complete",
        "empty-page": "complete",
        "duplicate-page": "partial",
        "repeated-token": "partial",
        "no-token": "failed",
    }

    def plant(self, account: Account) -> None:
        for number in range(3):
            name = f"BedrockAPIKey-{number}"
            account.put(name, NOW - 50 * DAY)
            account.put_service(
                name,
                "bedrock",
                f"ACCA{account.id}{number}",
                NOW - 50 * DAY,
                ServiceCredentialAlias=f"{name}-at",
            )
        account.put("committer", NOW - 500 * DAY)
        account.put_service(
            "committer", "codecommit", f"ACCB{account.id}", NOW - 9 * DAY, ServiceUserName="c-at"
        )
