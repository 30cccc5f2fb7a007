"""OpenAI as its reference describes it: the administration of its keys, and the models that honour them.

Serves projects, their keys (with and without `owner_project_access`), admin keys and reports of
use; mints keys with values and revokes them (`openai_keys`); answers whoever has a live one
(`openai_models`). Answers 401 with a masked key, as the real one does, and 403 where the key lacks
a permission. Every value has CANARY in it.
"""

from __future__ import annotations

import re
from typing import Any

from servers.admin_api import AdminApi, Asked, Entry, Refused, Routes, listed, masked
from servers.clock import Clock
from servers.openai_keys import KeyChanges
from servers.openai_models import Models
from servers.openai_reports import Reports

KEY = "sk-admin-CANARY-1234567890"
ORGANIZATION = "org-acme"
_PROJECT = "/v1/organization/projects/([^/]+)"
_LIVE = "/v1/(models|chat/completions)"


def user(number: int = 1, **more: Any) -> Entry:
    person = {
        "object": "organization.project.user",
        "id": f"user-{number}",
        "email": f"user{number}@acme.example",
        "name": f"User {number}",
        "role": "member",
        "created_at": 1_700_000_000,
        **more,
    }
    return {"type": "user", "user": person}


def service_account(name: str, *, created_at: int = 1_700_000_000) -> Entry:
    account = {
        "object": "organization.project.service_account",
        "id": f"svc_acct_{name}",
        "name": name,
        "role": "member",
        "created_at": created_at,
    }
    return {"type": "service_account", "service_account": account}


class OpenAi(AdminApi):
    """`longest_lifetime` (seconds): the organization demands that keys expire by then."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.projects: dict[str, Entry] = {}
        self.keys: dict[str, list[Entry]] = {}
        self.accounts: dict[str, list[Entry]] = {}
        self.longest_lifetime: int | None = None
        self.admin: list[Entry] = []
        self.costs: list[Entry] = []
        self.permissions = {"api.management.read", "api.usage.read", "api.management.write"}
        self.changes, self.models, self.reports = KeyChanges(self), Models(self), Reports(self)
        super().__init__(clock)

    def put_project(self, identifier: str, *, status: str = "active", **fields: Any) -> None:
        self.keys.setdefault(identifier, [])
        self.projects[identifier] = {
            "object": "organization.project",
            "id": identifier,
            "name": identifier.removeprefix("proj_"),
            "created_at": 1_700_000_000,
            "archived_at": 1_780_000_000 if status == "archived" else None,
            "status": status,
            **fields,
        }

    def put_key(
        self,
        project: str,
        identifier: str,
        *,
        created_at: int,
        owner: Entry | None = None,
        value: str | None = None,
        minted: bool = False,
        scopes: tuple[str, ...] = (),
        **fields: Any,
    ) -> str:
        """Add a key, as somebody does on the web site; gives its value."""
        if project not in self.projects:
            self.put_project(project)
        value = value or f"sk-proj-CANARY-{identifier}"
        ends = fields.get("expires_at")
        self.issued.add(identifier, value, minted=minted, place=project, scopes=scopes, expires_at=ends)
        self._know(project, (owner or {}).get("service_account"))
        self.keys[project].append(
            {
                "object": "organization.project.api_key",
                "id": identifier,
                "name": f"name of {identifier}",
                "redacted_value": "sk-proj-********CANARY",
                "created_at": created_at,
                "last_used_at": None,
                "expires_at": None,
                "owner": owner or user(),
                "owner_project_access": "active",
                **fields,
            }
        )
        return value

    def _know(self, project: str, account: Entry | None) -> None:
        known = self.accounts.setdefault(project, [])
        if account is not None and account["id"] not in {each["id"] for each in known}:
            known.append(account)

    def remove_key(self, project: str, identifier: str) -> None:
        """Delete a key, as somebody does on the web site."""
        self.keys[project] = [each for each in self.keys[project] if each["id"] != identifier]
        self.issued.kill(identifier)

    def touch(self, identifier: str) -> None:
        """Note that a key was used just now."""
        for entry in [each for keys in self.keys.values() for each in keys if each["id"] == identifier]:
            entry["last_used_at"] = int(self.issued.now())

    def put_admin_key(
        self, identifier: str, *, created_at: int, value: str | None = None, **fields: Any
    ) -> None:
        value = value or f"sk-admin-CANARY-{identifier}"
        self.issued.add(identifier, value, place="admin", expires_at=fields.get("expires_at"))
        owner = {
            "object": "organization.user",
            "type": "user",
            "id": "user-9",
            "name": "Olga Owner",
            "role": "owner",
            "created_at": 1_700_000_000,
        }
        self.admin.append(
            {
                "object": "organization.admin_api_key",
                "id": identifier,
                "name": f"name of {identifier}",
                "redacted_value": "sk-admin-********CANARY",
                "created_at": created_at,
                "last_used_at": None,
                "expires_at": None,
                "owner": owner,
                **fields,
            }
        )

    def put_cost(self, day: int, key: str | None, value: float = 0.06) -> None:
        """Add a bucket for a day (its first second) with one result."""
        result = {
            "object": "organization.costs.result",
            "amount": {"value": value, "currency": "usd"},
            "line_item": None,
            "project_id": None,
            "api_key_id": key,
        }
        bucket = {"object": "bucket", "start_time": day, "end_time": day + 86_400, "results": [result]}
        self.costs.append(bucket)

    def routes(self) -> Routes:
        return (
            ("GET", "/v1/organization/projects", self._projects),
            ("GET", f"{_PROJECT}/api_keys", self._keys),
            ("GET", "/v1/organization/admin_api_keys", self._admin),
            *self.changes.routes(),
            *self.reports.routes(),
            *self.models.routes(),
        )

    def is_admin(self, value: str) -> bool:
        issued = self.issued.named(value)
        return value == KEY or (issued is not None and issued.place == "admin")

    def check(self, asked: Asked) -> None:
        if re.fullmatch(_LIVE, asked.path):
            return
        value, write = asked.bearer or "", asked.method != "GET"
        issued = self.issued.honoured(value)
        if value != KEY and issued is None:
            raise Refused(401, "invalid_api_key", f"Incorrect API key provided: {masked(value)}.")
        self.check_headers(asked, None)
        usage = "/usage/" in asked.path or asked.path.endswith("/costs")
        needed = f"api.{'usage' if usage else 'management'}.{'write' if write else 'read'}"
        if needed not in self.permissions or not self.is_admin(value):
            raise Refused(403, "insufficient_permissions", f"Missing scopes: {needed}")

    def check_headers(self, asked: Asked, project: str | None) -> None:
        """Refuse headers for anybody else; a key of the whole organization has no project."""
        if asked.headers.get("OpenAI-Organization", ORGANIZATION) != ORGANIZATION:
            raise Refused(
                401,
                "mismatched_organization",
                "OpenAI-Organization header should match organization for API key",
            )
        if asked.headers.get("OpenAI-Project", project) != project:
            raise Refused(401, "mismatched_project", "OpenAI-Project header should match project for API key")

    def error(self, refused: Refused) -> Entry:
        if refused.status == 403 and self.models.terse:
            return {"error": refused.message}
        return {
            "error": {
                "message": refused.message,
                "type": "invalid_request_error",
                "param": refused.about,
                "code": refused.code,
            }
        }

    def _projects(self, asked: Asked) -> Entry:
        every = asked.one("include_archived") == "true"
        found = [each for each in self.projects.values() if every or each["status"] == "active"]
        return {"object": "list", **listed(found, asked, after="after", most=100)}

    def project(self, identifier: str) -> Entry:
        if identifier not in self.projects:
            raise Refused(404, "not_found", f"Project {identifier} not found")
        return self.projects[identifier]

    def _keys(self, asked: Asked, project: str) -> Entry:
        self.project(project)
        wanted = {None: {"active"}, "any": {"active", "inactive"}}.get(
            asked.one("owner_project_access"), {asked.one("owner_project_access")}
        )
        found = [each for each in self.keys[project] if each["owner_project_access"] in wanted]
        return {"object": "list", **listed(found, asked, after="after", most=100)}

    def _admin(self, asked: Asked) -> Entry:
        return {"object": "list", **listed(self.admin, asked, after="after", most=100)}
