"""OpenAI's administration API as its reference describes it.

Serves projects, their keys (with and without `owner_project_access`), admin keys and the cost
report; would also mint keys, with values, if anybody asked. Answers 401 with a masked key, as the
real one does, and 403 where the key lacks a permission.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from servers.admin_api import AdminApi, Asked, Entry, Refused, listed, reported

KEY = "sk-admin-CANARY-1234567890"
ORGANIZATION = "org-acme"
_PROJECT = "/v1/organization/projects/([^/]+)"


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
    def __init__(self) -> None:
        self.projects: dict[str, Entry] = {}
        self.keys: dict[str, list[Entry]] = {}
        self.admin: list[Entry] = []
        self.costs: list[Entry] = []
        self.permissions = {"api.management.read", "api.usage.read", "api.management.write"}
        super().__init__()

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
        self, project: str, identifier: str, *, created_at: int, owner: Entry | None = None, **fields: Any
    ) -> None:
        if project not in self.projects:
            self.put_project(project)
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

    def put_admin_key(self, identifier: str, *, created_at: int, **fields: Any) -> None:
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

    def routes(self) -> Sequence[tuple[str, str, Callable[..., Any]]]:
        return (
            ("GET", "/v1/organization/projects", self._projects),
            ("GET", f"{_PROJECT}/api_keys", self._keys),
            ("GET", "/v1/organization/admin_api_keys", self._admin),
            ("GET", "/v1/organization/costs", self._costs),
            ("POST", f"{_PROJECT}/service_accounts", self._mint),
            ("POST", f"{_PROJECT}/service_accounts/[^/]+/api_keys", self._mint),
            ("POST", "/v1/organization/admin_api_keys", self._mint),
            ("DELETE", ".*", lambda asked, *_: {"deleted": True}),
        )

    def check(self, asked: Asked) -> None:
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            raise Refused(401, "invalid_api_key", "Incorrect API key provided: sk-admin*****CANARY.")
        if asked.headers.get("OpenAI-Organization", ORGANIZATION) != ORGANIZATION:
            raise Refused(401, "mismatched_organization", "OpenAI-Organization header should match")
        if "OpenAI-Project" in asked.headers:
            raise Refused(401, "mismatched_project", "OpenAI-Project header should match")
        usage = asked.path.endswith("/costs")
        needed = f"api.{'usage' if usage else 'management'}.{'read' if asked.method == 'GET' else 'write'}"
        if needed not in self.permissions:
            raise Refused(403, "insufficient_permissions", f"Missing scopes: {needed}")

    def error(self, refused: Refused) -> Entry:
        return {
            "error": {
                "message": refused.message,
                "type": "invalid_request_error",
                "param": None,
                "code": refused.code,
            }
        }

    def _projects(self, asked: Asked) -> Entry:
        every = asked.one("include_archived") == "true"
        found = [each for each in self.projects.values() if every or each["status"] == "active"]
        return {"object": "list", **listed(found, asked, after="after", most=100)}

    def _keys(self, asked: Asked, project: str) -> Entry:
        if project not in self.projects:
            raise Refused(404, "not_found", f"Project {project} not found")
        wanted = {None: {"active"}, "any": {"active", "inactive"}}.get(
            asked.one("owner_project_access"), {asked.one("owner_project_access")}
        )
        found = [each for each in self.keys[project] if each["owner_project_access"] in wanted]
        return {"object": "list", **listed(found, asked, after="after", most=100)}

    def _admin(self, asked: Asked) -> Entry:
        return {"object": "list", **listed(self.admin, asked, after="after", most=100)}

    def _costs(self, asked: Asked) -> Entry:
        if asked.one("bucket_width") != "1d" or asked.query.get("group_by") != ["api_key_id"]:
            raise Refused(400, "invalid_request_error")
        since = int(asked.one("start_time"))
        found = [each for each in self.costs if each["start_time"] >= since]
        return {"object": "page", **reported(found, asked, most=180)}

    def _mint(self, asked: Asked, *_: str) -> Entry:
        return {"id": "key_new", "value": "sk-proj-CANARY-minted", "api_key": {"value": "sk-CANARY-minted"}}
