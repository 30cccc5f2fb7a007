"""Anthropic's Admin API as its reference describes it, in both shapes of a key.

Serves keys, workspaces, people, the organization and the report on messages; would also change
keys if anybody asked. Everything needs `anthropic-version` and an admin key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from servers.admin_api import AdminApi, Asked, Entry, Refused, listed, reported

KEY = "sk-ant-admin01-CANARY-1234567890"
ORGANIZATION = "12345678-1234-5678-1234-567812345678"
VERSIONS = {"2023-06-01", "2026-10-21"}
_BASE = "/v1/organizations"
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error"}


def workspace(identifier: str) -> Entry:
    return {"type": "workspace", "workspace_id": identifier}


class Anthropic(AdminApi):
    """`flat` serves keys as they were before `scope` and `principal`."""

    def __init__(self, *, flat: bool = False) -> None:
        self.flat = flat
        self.keys: list[Entry] = []
        self.workspaces: list[Entry] = []
        self.people: list[Entry] = []
        self.usage: list[Entry] = []
        self.hidden: set[str] = set()
        super().__init__()

    def put_key(self, identifier: str, *, created_at: str, status: str = "active", **fields: Any) -> None:
        entry = {
            "type": "api_key",
            "id": identifier,
            "created_at": created_at,
            "created_by": {"id": "user_1", "type": "user"},
            "expires_at": None,
            "name": f"name of {identifier}",
            "partial_key_hint": "sk-ant-api03-R2D...CANARY",
            "principal": None,
            "scope": workspace("wrkspc_default"),
            "workspace_id": None,
            "status": status,
            **fields,
        }
        if self.flat:
            del entry["principal"], entry["scope"]
        self.keys.append(entry)

    def put_workspace(self, identifier: str, name: str, *, archived_at: str | None = None) -> None:
        self.workspaces.append(
            {
                "type": "workspace",
                "id": identifier,
                "name": name,
                "created_at": "2024-10-30T23:58:27.427722Z",
                "archived_at": archived_at,
                "display_color": "#6C5BB9",
            }
        )

    def put_person(self, identifier: str, email: str) -> None:
        added = "2024-10-30T23:58:27.427722Z"
        person = {"type": "user", "id": identifier, "email": email, "name": "A person", "role": "developer"}
        self.people.append({**person, "added_at": added})

    def put_usage(self, starting_at: str, *results: Entry) -> None:
        self.usage.append({"starting_at": starting_at, "ending_at": starting_at, "results": list(results)})

    def routes(self) -> Sequence[tuple[str, str, Callable[..., Any]]]:
        return (
            ("GET", f"{_BASE}/me", self._me),
            ("GET", f"{_BASE}/api_keys", self._keys),
            ("GET", f"{_BASE}/workspaces", self._workspaces),
            ("GET", f"{_BASE}/users", self._people),
            ("GET", f"{_BASE}/usage_report/messages", self._usage),
            ("POST", ".*", lambda asked, *_: {"key": "sk-ant-CANARY-minted", "status": "archived"}),
            ("DELETE", ".*", lambda asked, *_: {"type": "deleted"}),
        )

    def check(self, asked: Asked) -> None:
        if asked.headers.get("x-api-key") != KEY or "authorization" in asked.headers:
            raise Refused(401, "authentication_error", "invalid x-api-key sk-ant-admin01-CANARY")
        if asked.headers.get("anthropic-version") not in VERSIONS:
            raise Refused(400, "invalid_request_error", "anthropic-version: is not a valid version")
        if asked.path in self.hidden:
            raise Refused(403, "permission_error")

    def error(self, refused: Refused) -> Entry:
        kind = _TYPES.get(refused.status, "invalid_request_error")
        return {
            "type": "error",
            "error": {"type": kind, "message": refused.message},
            "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
        }

    def _me(self, asked: Asked) -> Entry:
        return {"id": ORGANIZATION, "type": "organization", "name": "Acme"}

    def _keys(self, asked: Asked) -> Entry:
        status = asked.one("status")
        found = [each for each in self.keys if status in {None, each["status"]}]
        return listed(found, asked, after="after_id", most=1000)

    def _workspaces(self, asked: Asked) -> Entry:
        every = asked.one("include_archived") == "true"
        found = [each for each in self.workspaces if every or each["archived_at"] is None]
        return listed(found, asked, after="after_id", most=1000)

    def _people(self, asked: Asked) -> Entry:
        return listed(self.people, asked, after="after_id", most=1000)

    def _usage(self, asked: Asked) -> Entry:
        if asked.one("bucket_width", "1d") != "1d" or asked.query.get("group_by[]") != ["api_key_id"]:
            raise Refused(400, "invalid_request_error")
        since = asked.one("starting_at") or ""
        found = [each for each in self.usage if each["starting_at"] >= since]
        return reported(found, asked, most=31)


def spoke(key: str | None, *, output: int = 500, **more: Any) -> Entry:
    """One result of the report, as it is when grouped by key."""
    return {
        "uncached_input_tokens": 0,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0},
        "api_key_id": key,
        "workspace_id": None,
        "model": None,
        "service_tier": None,
        "context_window": None,
        **more,
    }
