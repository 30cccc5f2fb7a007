"""Vault's database engine: static roles, whose passwords Vault alone sets, by itself or when told to.

    database = server.mount("database", Database(DatabaseServer({"svc-billing": "first"})))

After path_roles.go, path_creds_create.go and path_rotate_credentials.go of both projects:

* Making a role rotates its password at once; after that every `rotation_period`, or by RotateRole.
* There is one password: the old one is dead when the new one is there.
* A rotation that fails is a 500, and the old password stays. Older versions of Vault answer 204 all the same
  (`silent_failures`): only `last_vault_rotation` tells.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from keyaudit.times import SECOND
from servers.database_server import DatabaseDown, DatabaseServer
from servers.vault_engines import CANARY, Roles
from servers.vault_refusals import EMPTY, Refused
from servers.vault_stamps import instant, stamp

SHORTEST_PERIOD = 5


class Database(Roles):
    """`entries` has the roles, planted ones too; the passwords are those of the database."""

    def __init__(self, connection: DatabaseServer) -> None:
        super().__init__("database", "static-roles", "static-roles", "static-creds")
        self._connection = connection
        self._passwords: dict[str, str] = {}
        self.silent_failures = False

    def exists(self, path: str) -> bool:
        kind, _, name = path.strip("/").partition("/")
        return kind != "static-roles" or name in self.entries

    def handle(self, verb, path, query, body):
        kind, _, name = path.strip("/").partition("/")
        self._rotate_what_is_due()
        match "POST" if verb == "PUT" else verb, kind:
            case "POST", "static-roles":
                return self._write(name, body)
            case "DELETE", "static-roles":
                self.entries.pop(name, None)
                self._passwords.pop(name, None)
                return None
            case "POST", "rotate-role":
                return self._rotate_now(name)
            case "GET", "static-creds":
                return self._credentials(name)
            case "GET", "static-roles" if name not in self.entries:
                raise EMPTY
        return super().handle(verb, path, query, body)

    def _write(self, name: str, body: Mapping[str, Any]) -> None:
        before = self.entries.get(name)
        if before is None and not {"username", "rotation_period"} <= body.keys():
            raise Refused(400, "username and rotation_period are required to create static accounts")
        role = {
            "credential_type": "password",
            "db_name": "",
            "last_vault_rotation": stamp(self.clock()),
            "rotation_statements": [],
            **(before or {}),
            **{field: body[field] for field in body if field in _FIELDS},
        }
        if before is not None and role["username"] != before["username"]:
            raise Refused(400, "cannot update static account username")
        if not role["db_name"] or int(role["rotation_period"]) < SHORTEST_PERIOD:
            raise Refused(400, "database name is required, and rotation_period must be 5 seconds or more")
        self.entries[name] = role
        if before is None and not self._rotate(name):
            del self.entries[name]
            raise _FAILED

    def _rotate_now(self, name: str) -> None:
        if name not in self.entries:
            raise Refused(400, "no static role found for role name")
        if not self._rotate(name) and not self.silent_failures:
            raise _FAILED

    def _rotate(self, name: str) -> bool:
        """Set a new password; says whether the database took it."""
        password = f"{CANARY}-{secrets.token_urlsafe(16)}"
        role = self.entries[name]
        try:
            self._connection.set_password(role["username"], password)
        except DatabaseDown:
            return False
        self._passwords[name] = password
        self.entries[name] = {**role, "last_vault_rotation": stamp(self.clock())}
        return True

    def _rotate_what_is_due(self) -> None:
        for name in list(self.entries):
            if self._left(name) <= 0:
                self._rotate(name)

    def _left(self, name: str) -> int:
        """Say how many seconds a password has left."""
        role = self.entries[name]
        ends = instant(role["last_vault_rotation"]) + int(role["rotation_period"]) * SECOND
        return (ends - self.clock()) // SECOND

    def _credentials(self, name: str) -> dict[str, Any]:
        if name not in self.entries:
            raise Refused(400, f"unknown role: {name}")
        role = self.entries[name]
        return {
            "username": role["username"],
            "password": self._passwords.get(name, f"{CANARY}-password"),
            "ttl": max(self._left(name), 0),
            "rotation_period": role["rotation_period"],
            "last_vault_rotation": role["last_vault_rotation"],
        }


_FIELDS = {"credential_type", "db_name", "rotation_period", "rotation_statements", "username"}
_FAILED = Refused(
    500,
    "1 error occurred:\n\t* unable to finish rotating credentials; retries will continue in the background "
    "but it is also safe to retry manually: CANARY-connection-string\n\n",
)
