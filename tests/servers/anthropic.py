"""Anthropic as its reference describes it: the Admin API, in both shapes of a key, and the models.

Serves keys, workspaces, people, the organization and the report on messages; switches keys on and
off, and mints none: `put_key` is what somebody does in the Console. Answers whoever has a live key
(`anthropic_models`). Everything needs `anthropic-version`; a key may come as `x-api-key`, as the
client before 2.0 sent it, or as a bearer token, as it does since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keyaudit.times import SECOND, parse_instant
from servers.admin_api import AdminApi, Asked, Entry, Refused, Routes, listed
from servers.anthropic_models import Models
from servers.anthropic_reports import Reports, spoke
from servers.clock import Clock

__all__ = ["KEY", "ORGANIZATION", "Anthropic", "spoke", "workspace"]

KEY = "sk-ant-admin01-CANARY-1234567890"
ORGANIZATION = "12345678-1234-5678-1234-567812345678"
VERSIONS = {"2023-06-01", "2026-10-21"}
_BASE = "/v1/organizations"
_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
_DETAILED = {"organization_on_hold", "org_api_key_limit_exceeded", "workspace_api_key_limit_exceeded"}


def workspace(identifier: str) -> Entry:
    return {"type": "workspace", "workspace_id": identifier}


class Anthropic(AdminApi):
    """`flat` serves keys as they were before `scope` and `principal`.

    `most_active`: how many keys may be active at once, which a key that is switched on again meets.
    `final`: an archived key stays so, which is not documented.
    """

    def __init__(self, *, flat: bool = False, clock: Clock | None = None) -> None:
        self.flat = flat
        self.most_active: int | None = None
        self.final = True
        self.keys: list[Entry] = []
        self.workspaces: list[Entry] = []
        self.people: list[Entry] = []
        self.usage: list[Entry] = []
        self.hidden: set[str] = set()
        self.models, self.reports = Models(self), Reports(self)
        super().__init__(clock)

    def put_key(
        self,
        identifier: str,
        *,
        created_at: str,
        status: str = "active",
        value: str | None = None,
        minted: bool = False,
        **fields: Any,
    ) -> str:
        """Add a key, as somebody does in the Console; gives its value."""
        value = value or f"sk-ant-api03-CANARY-{identifier}"
        ends = fields.get("expires_at")
        self.issued.add(
            identifier, value, minted=minted, expires_at=parse_instant(ends) / SECOND if ends else None
        )
        if status != "active":
            self.issued.kill(identifier)
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
        return value

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

    def routes(self) -> Routes:
        return (
            ("GET", f"{_BASE}/me", self._me),
            ("GET", f"{_BASE}/api_keys", self._keys),
            ("GET", f"{_BASE}/api_keys/([^/]+)", lambda asked, identifier: self._key(identifier)),
            ("POST", f"{_BASE}/api_keys/([^/]+)", self._update),
            ("GET", f"{_BASE}/workspaces", self._workspaces),
            ("GET", f"{_BASE}/users", self._people),
            *self.reports.routes(),
            *self.models.routes(),
        )

    def key_of(self, asked: Asked) -> str | None:
        return asked.headers.get("x-api-key") or asked.bearer

    def is_admin(self, value: str) -> bool:
        return value == KEY

    def check(self, asked: Asked) -> None:
        if asked.headers.get("anthropic-version") not in VERSIONS:
            raise Refused(400, "invalid_request_error", "anthropic-version: is not a valid version")
        if not asked.path.startswith(f"{_BASE}/"):
            return
        if self.key_of(asked) != KEY:
            raise self.unknown(asked)
        if asked.path in self.hidden:
            raise Refused(403, "permission_error")

    def unknown(self, asked: Asked) -> Refused:
        said = "invalid x-api-key" if "x-api-key" in asked.headers else "Invalid bearer token"
        return Refused(401, "authentication_error", f"{said} {(self.key_of(asked) or '')[:20]}")

    def error(self, refused: Refused) -> Entry:
        kind = _TYPES.get(refused.status, "invalid_request_error")
        details = {"details": {"error_code": refused.code}} if refused.code in _DETAILED else {}
        return {
            "type": "error",
            "error": {"type": kind, "message": refused.message, **details},
            "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
        }

    def _me(self, asked: Asked) -> Entry:
        return {"id": ORGANIZATION, "type": "organization", "name": "Acme"}

    def _keys(self, asked: Asked) -> Entry:
        for entry in self.keys:
            self._expire(entry)
        wanted = [(name, of) for name, of in _FILTERS.items() if asked.one(name) is not None]
        found = [each for each in self.keys if all(of(each) == asked.one(name) for name, of in wanted)]
        return listed(found, asked, after="after_id", most=1000)

    def _expire(self, entry: Entry) -> None:
        issued = self.issued.by_id(entry["id"])
        over = issued is not None and issued.expires_at is not None and issued.expires_at <= self.issued.now()
        if over and entry["status"] == "active":
            entry["status"] = "expired"

    def _key(self, identifier: str) -> Entry:
        found = [each for each in self.keys if each["id"] == identifier]
        if not found:
            raise Refused(404, "not_found_error", f"API key {identifier} not found")
        self._expire(found[0])
        return found[0]

    def _update(self, asked: Asked, identifier: str) -> Entry:
        entry = self._key(identifier)
        status = asked.body.get("status") or entry["status"]
        if "status" in asked.body and status not in {"active", "inactive", "archived"}:
            raise Refused(
                400, "invalid_request_error", "status: Input should be active, inactive or archived"
            )
        if status != entry["status"]:
            self._may_become(entry, status)
            entry["status"] = status
            (self.issued.revive if status == "active" else self.issued.kill)(identifier)
        entry["name"] = asked.body.get("name") or entry["name"]
        return entry

    def _may_become(self, entry: Entry, status: str) -> None:
        if entry["status"] == "expired" or (entry["status"] == "archived" and self.final):
            raise Refused(400, "invalid_request_error", f"An {entry['status']} key cannot become {status}")
        active = sum(each["status"] == "active" for each in self.keys)
        if status == "active" and self.most_active is not None and active >= self.most_active:
            raise Refused(400, "org_api_key_limit_exceeded", "too many active keys")

    def _workspaces(self, asked: Asked) -> Entry:
        every = asked.one("include_archived") == "true"
        found = [each for each in self.workspaces if every or each["archived_at"] is None]
        return listed(found, asked, after="after_id", most=1000)

    def _people(self, asked: Asked) -> Entry:
        return listed(self.people, asked, after="after_id", most=1000)


def _workspace_of(entry: Entry) -> str | None:
    """Give a key's workspace in either shape."""
    return (entry.get("scope") or entry).get("workspace_id")


_FILTERS: dict[str, Callable[[Entry], str | None]] = {
    "status": lambda entry: entry["status"],
    "created_by_user_id": lambda entry: (entry["created_by"] or {}).get("id"),
    "workspace_id": _workspace_of,
}
