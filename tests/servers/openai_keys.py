"""What changes keys at OpenAI: service accounts, keys minted with their value, expiries, deletions.

As the client openai 3.52 and its documentation describe it. An organization may demand that keys
expire (`longest_lifetime`, in seconds); how it words the refusal is not documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from servers.admin_api import Asked, Entry, Refused, Routes, listed

if TYPE_CHECKING:
    from servers.openai import OpenAi

_PROJECT = "/v1/organization/projects/([^/]+)"
_ACCOUNTS = f"{_PROJECT}/service_accounts"
_ADMIN = "/v1/organization/admin_api_keys"
_YEAR = 31_536_000


class KeyChanges:
    def __init__(self, server: OpenAi) -> None:
        self._server = server
        self._count = 0

    def routes(self) -> Routes:
        return (
            ("GET", _ACCOUNTS, self._accounts),
            ("POST", _ACCOUNTS, self._create_account),
            ("GET", f"{_ACCOUNTS}/([^/]+)", self._account),
            ("DELETE", f"{_ACCOUNTS}/([^/]+)", self._delete_account),
            ("POST", f"{_ACCOUNTS}/([^/]+)/api_keys", self._create_key),
            ("GET", f"{_PROJECT}/api_keys/([^/]+)", lambda asked, *ids: self._key(*ids)),
            ("POST", f"{_PROJECT}/api_keys/([^/]+)", self._update_key),
            ("DELETE", f"{_PROJECT}/api_keys/([^/]+)", self._delete_key),
            ("POST", _ADMIN, self._create_admin_key),
            ("DELETE", f"{_ADMIN}/([^/]+)", self._delete_admin_key),
        )

    def _accounts(self, asked: Asked, project: str) -> Entry:
        return {"object": "list", **listed(self._accounts_of(project), asked, after="after", most=100)}

    def _accounts_of(self, project: str) -> list[Entry]:
        self._server.project(project)
        return self._server.accounts.setdefault(project, [])

    def _account_of(self, project: str, account: str) -> Entry:
        found = [each for each in self._accounts_of(project) if each["id"] == account]
        if not found:
            raise Refused(404, "not_found", f"Service account {account} not found")
        return found[0]

    def _account(self, asked: Asked, project: str, account: str) -> Entry:
        return self._account_of(project, account)

    def _create_account(self, asked: Asked, project: str) -> Entry:
        name, alone = asked.body.get("name"), bool(asked.body.get("create_service_account_only"))
        if not isinstance(name, str) or not name:
            raise Refused(400, "missing_required_parameter", "Missing name", about="name")
        accounts = self._accounts_of(project)
        if alone and asked.body.get("expires_in_seconds") is not None:
            raise Refused(400, "invalid_value", "No key is created", about="expires_in_seconds")
        expires_at = None if alone else self._expiry(asked)
        account = {
            "object": "organization.project.service_account",
            "id": f"svc_acct_{self._next():04}",
            "name": name,
            "role": "none" if alone else "member",
            "created_at": int(self._server.issued.now()),
        }
        accounts.append(account)
        key = None if alone else self._mint(project, account, "Secret Key", expires_at)
        return {**account, "api_key": key}

    def _delete_account(self, asked: Asked, project: str, account: str) -> Entry:
        self._accounts_of(project).remove(self._account_of(project, account))
        owned = [
            each["id"]
            for each in self._server.keys[project]
            if each["owner"].get("service_account", {}).get("id") == account
        ]
        for identifier in owned:
            self._server.remove_key(project, identifier)
        return {"object": "organization.project.service_account.deleted", "id": account, "deleted": True}

    def _create_key(self, asked: Asked, project: str, account: str) -> Entry:
        owner = self._account_of(project, account)
        name = asked.body.get("name") or "Secret Key"
        return self._mint(project, owner, name, self._expiry(asked), tuple(asked.body.get("scopes") or ()))

    def _mint(
        self, project: str, account: Entry, name: str, expires_at: int | None, scopes: tuple[str, ...] = ()
    ) -> Entry:
        number, now = self._next(), int(self._server.issued.now())
        identifier, value = f"key_{number:04}", f"sk-svcacct-CANARY-{number:04}-{project}"
        self._server.put_key(
            project,
            identifier,
            created_at=now,
            owner={"type": "service_account", "service_account": account},
            value=value,
            minted=True,
            scopes=scopes,
            name=name,
            expires_at=expires_at,
        )
        return {
            "object": "organization.project.service_account.api_key",
            "id": identifier,
            "name": name,
            "created_at": now,
            "value": value,
            "expires_at": expires_at,
        }

    def _expiry(self, asked: Asked) -> int | None:
        wanted, longest = asked.body.get("expires_in_seconds"), self._server.longest_lifetime
        if wanted is None:
            if longest is not None:
                raise Refused(
                    400, None, "API keys of this organization must expire", about="expires_in_seconds"
                )
            return None
        if not isinstance(wanted, int) or not 1 <= wanted <= min(_YEAR, longest or _YEAR):
            raise Refused(400, "invalid_value", "Not a permitted lifetime", about="expires_in_seconds")
        return int(self._server.issued.now()) + wanted

    def _key(self, project: str, identifier: str) -> Entry:
        self._server.project(project)
        found = [each for each in self._server.keys[project] if each["id"] == identifier]
        if not found:
            raise Refused(404, "not_found", f"No API key found with ID {identifier}")
        return found[0]

    def _update_key(self, asked: Asked, project: str, identifier: str) -> Entry:
        entry, issued = self._key(project, identifier), self._server.issued.by_id(identifier)
        if not {"scopes", "expires_in_seconds"} & set(asked.body):
            raise Refused(400, "missing_required_parameter", "Nothing to change")
        if entry["expires_at"] is not None and entry["expires_at"] <= self._server.issued.now():
            raise Refused(400, "invalid_value", "The key has expired")
        if "expires_in_seconds" in asked.body:
            entry["expires_at"] = issued.expires_at = self._expiry(asked)
        if "scopes" in asked.body:
            issued.scopes = tuple(asked.body["scopes"])
        return entry

    def _delete_key(self, asked: Asked, project: str, identifier: str) -> Entry:
        self._key(project, identifier)
        self._server.remove_key(project, identifier)
        return {"object": "organization.project.api_key.deleted", "id": identifier, "deleted": True}

    def _create_admin_key(self, asked: Asked) -> Entry:
        number, expires_at = self._next(), self._expiry(asked)
        identifier, now = f"key_admin_{number:04}", int(self._server.issued.now())
        value = f"sk-admin-CANARY-{number:04}"
        name = asked.body.get("name")
        self._server.put_admin_key(identifier, created_at=now, name=name, expires_at=expires_at, value=value)
        return {**self._server.admin[-1], "value": value}

    def _delete_admin_key(self, asked: Asked, identifier: str) -> Entry:
        found = [each for each in self._server.admin if each["id"] == identifier]
        if not found:
            raise Refused(404, "not_found", f"No admin API key found with ID {identifier}")
        self._server.admin.remove(found[0])
        self._server.issued.kill(identifier)
        return {"object": "organization.admin_api_key.deleted", "id": identifier, "deleted": True}

    def _next(self) -> int:
        self._count += 1
        return self._count
