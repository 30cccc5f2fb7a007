"""Anthropic for the contract: one organization, whose list of keys is one scope, and a proxy that breaks it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self

from keyaudit.sources import Pulled, least_privilege, open_source
from keyaudit.times import parse_instant
from servers.anthropic import KEY, Anthropic, spoke, workspace
from servers.fault_proxy import FaultProxy
from servers.json_dialect import JsonApi
from sources.contract import nobody
from sources.openai_case import LIST_FAULTS, plans

KEYS = "GET /v1/organizations/api_keys"
NOW = "2026-11-21T12:00:00Z"


class AnthropicCase:
    """Keys of people, of a workspace and of a service account, and a fresh server for every test."""

    FAULTS = LIST_FAULTS
    CANNOT_HAPPEN: dict[str, str] = {}

    broken = "acme"
    healthy = None
    clock_at = parse_instant(NOW)

    def __init__(self, folder: Path) -> None:
        self.server = Anthropic()
        self.proxy = FaultProxy(self.server.url, JsonApi())
        self.cache_dir = folder / "cache"
        self._timeout = "30s"

    def __enter__(self) -> Self:
        server = self.server
        server.put_workspace("wrkspc_prod", "Production")
        server.put_person("user_1", "ana@acme.example")
        server.put_key("apikey_plain", created_at="2026-03-01T10:00:00.123456Z")
        server.put_key(
            "apikey_personal",
            created_at="2026-04-01T10:00:00Z",
            principal={"type": "user_actor", "user_id": "user_1"},
            scope={"type": "organization"},
        )
        for number, created in enumerate(("2026-05-01T10:00:00Z", "2026-11-01T10:00:00Z")):
            server.put_key(
                f"apikey_ci_{number}",
                created_at=created,
                principal={"type": "service_account_actor", "service_account_id": "svac_ci"},
                scope=workspace("wrkspc_prod"),
            )
        server.put_usage("2026-11-20T00:00:00Z", spoke("apikey_ci_0"), spoke(None))
        self.server.__enter__()
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self.server.__exit__()

    def entry(self, **settings: Any) -> dict[str, Any]:
        return {
            "name": "tested",
            "kind": "anthropic",
            "organization": "acme",
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
            environment={"ANTHROPIC_ADMIN_KEY": KEY},
        )

    def pull(self, **settings: Any) -> Pulled:
        return self.source(**settings).pull(nobody)

    def break_with(self, fault: str) -> None:
        if fault == "timeout":
            self._timeout = "500ms"
        self.proxy.plan(*plans(KEYS, None)[fault])

    def with_an_empty_scope(self) -> tuple[Pulled, str]:
        self.server.keys.clear()
        return self.pull(), "acme"

    def requests(self) -> int:
        return len(self.server.log)

    def operations(self) -> set[str]:
        return {each.operation for each in self.proxy.log}

    def granted(self) -> set[str]:
        text = least_privilege("anthropic")
        found = re.findall(r"^ +GET https://api\.anthropic\.com(\S+)$", text, re.MULTILINE)
        return {f"GET {path}" for path in found}
