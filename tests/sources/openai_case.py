"""OpenAI for the contract: two projects of an organization, and a proxy that breaks the first."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self

from keyaudit.sources import Pulled, least_privilege, open_source
from keyaudit.times import SECOND
from servers.fault_proxy import Fault, FaultProxy
from servers.json_dialect import JsonApi
from servers.openai import KEY, OpenAi, service_account, user
from sources.contract import nobody

BROKEN, HEALTHY, EMPTY = "proj_broken", "proj_healthy", "proj_empty"
NOW = 1_795_262_400
"""2026-11-21T12:00:00Z, in seconds."""
DAY = 86_400
KEYS = "GET /v1/organization/projects/{project_id}/api_keys"
DIALECT = JsonApi([(r"/v1/organization/projects/([^/]+)/api_keys", KEYS.removeprefix("GET "))])

_ALWAYS = {"throttled": {"Retry-After": "0"}}
_ONCE = {"throttled", "server-error", "reset", "truncated", "bad-json"}


def plans(operation: str, scope: str | None) -> dict[str, tuple[Fault, ...]]:
    """Give the faults that a list by the last id can meet."""

    def fault(kind: str, **more: Any) -> Fault:
        return Fault(kind, operation, scope=scope, headers=_ALWAYS.get(kind, {}), **more)

    every = {kind: (fault(kind),) for kind in DIALECT.breakages}
    every |= {f"{kind}-once": (fault(kind, times=1),) for kind in _ONCE}
    again = fault("duplicate-page", times=1)
    return every | {
        "timeout": (fault("silent", seconds=1.0),),
        "slow": (fault("slow"),),
        "expired-at-once": (fault("expired"),),
        "expired-half-way": (again, fault("expired")),
        "empty-page": (fault("empty-page", times=2),),
        "duplicate-page": (fault("duplicate-page", times=1),),
        "unreadable-entry": (fault("bad-row"),),
        "unreadable-time": (fault("bad-time"),),
    }


LIST_FAULTS = {
    "denied": "failed",
    "throttled": "failed",
    "throttled-once": "complete",
    "server-error": "failed",
    "server-error-once": "complete",
    "overloaded": "failed",
    "timeout": "failed",
    "reset": "failed",
    "reset-once": "complete",
    "truncated": "failed",
    "truncated-once": "complete",
    "bad-json": "failed",
    "bad-json-once": "complete",
    "no-list": "failed",
    "no-end": "failed",
    "wrong-shape": "failed",
    "redirect": "failed",
    "unreadable-entry": "partial",
    "unreadable-time": "partial",
    "expired-at-once": "failed",
    "expired-half-way": "partial",
    "hostile-code": "failed",
    "slow": "complete",
    "empty-page": "complete",
    "duplicate-page": "partial",
    "repeated-token": "partial",
    "nowhere-to-go-on": "failed",
}
"""What a list by the last id comes to, by fault."""


class OpenAiCase:
    """People's keys and service accounts' in two projects, and a fresh server for every test."""

    FAULTS = {**LIST_FAULTS, "gone": "failed"}
    CANNOT_HAPPEN: dict[str, str] = {}

    broken = f"acme/{BROKEN}"
    healthy = f"acme/{HEALTHY}"
    clock_at = NOW * SECOND

    def __init__(self, folder: Path) -> None:
        self.server = OpenAi()
        self.proxy = FaultProxy(self.server.url, DIALECT)
        self.cache_dir = folder / "cache"
        self._timeout = "30s"

    def __enter__(self) -> Self:
        for project, count in ((BROKEN, 3), (HEALTHY, 2)):
            for number in range(count):
                self.server.put_key(
                    project, f"key_{project}_{number}", created_at=NOW - 90 * DAY, owner=user(number)
                )
            for number in range(2):
                self.server.put_key(
                    project,
                    f"key_{project}_ci_{number}",
                    created_at=NOW - (40 - 30 * number) * DAY,
                    owner=service_account(f"{project}_ci", created_at=NOW - 200 * DAY),
                    last_used_at=NOW - DAY,
                )
        self.server.__enter__()
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self.server.__exit__()

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "openai",
            "organization": "acme",
            "projects": [BROKEN, HEALTHY],
            "admin_keys": False,
            "endpoint": self.proxy.url,
            "requests_per_second": 10_000,
            "attempts": 2,
            "timeout": self._timeout,
            "cache": False,
            **settings,
        }

    def source(self, **settings: Any) -> Any:
        return open_source(
            self.entry(**settings),
            clock=lambda: self.clock_at,
            cache_dir=self.cache_dir,
            environment={"OPENAI_ADMIN_KEY": KEY},
        )

    def pull(self, **settings: Any) -> Pulled:
        return self.source(**settings).pull(nobody)

    def break_with(self, fault: str) -> None:
        if fault == "timeout":
            self._timeout = "500ms"
        self.proxy.plan(*plans(KEYS, BROKEN)[fault])

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        self.server.put_project(EMPTY)
        return self.pull(projects=[BROKEN, EMPTY, HEALTHY]), f"acme/{EMPTY}"

    def requests(self) -> int:
        return len(self.server.log)

    def operations(self) -> set[str]:
        return {each.operation for each in self.proxy.log}

    def granted(self) -> set[str]:
        text = least_privilege("openai")
        return {
            f"GET {path}" for path in re.findall(r"^ +GET https://api\.openai\.com(\S+)$", text, re.MULTILINE)
        }
