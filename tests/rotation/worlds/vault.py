"""A secret of Vault's KV with the password of one of two static roles of a database."""

from __future__ import annotations

import sys
from typing import Any

import hvac
import requests

from keyaudit.cli.clock import now
from keyaudit.rotation.doors.vault_grants import least_privilege
from keyaudit.rotation.party import Means
from keyaudit.rotation.settings import open_parties, read_settings
from keyaudit.sources import least_privilege as audit_policy
from rotation.worlds.world import Fetched, World
from servers.database_server import DatabaseServer
from servers.vault import ROOT, VaultServer
from servers.vault_database import Database
from servers.vault_engines import CANARY, Kv2

PATH, ROLES = "app/db", ["app-blue", "app-green"]
ROTATES, AUDITS = f"{CANARY}-rotating", f"{CANARY}-auditing"
LOGIN = """
import base64, json, sys, urllib.error, urllib.request

parts = json.load(sys.stdin)
pair = base64.b64encode(f"{parts['username']}:{parts['password']}".encode()).decode()
try:
    urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers={"Authorization": f"Basic {pair}"}))
except urllib.error.HTTPError as error:
    sys.exit(4 if error.code == 401 else 1)
"""


class VaultDatabase(World):
    """Who rotates and who audits have a token each, with the least that each needs."""

    listed = ("vault",)
    names = "version"
    pause = 0.01
    refusals = (hvac.exceptions.VaultError, requests.RequestException)

    def start(self) -> None:
        self.users = self.stack.enter_context(DatabaseServer({"svc-blue": "a", "svc-green": "b"}))
        self.server = self.stack.enter_context(VaultServer())
        self.server.mount("secret", Kv2())
        self.server.mount("database", Database(self.users))
        self.client = hvac.Client(url=self.server.url, token=ROOT)
        self.stack.callback(self.client.adapter.close)
        (self.folder / "try_login.py").write_text(LOGIN)
        with self.planted(self.server.clock):
            self._plant()
        parties = open_parties(
            read_settings({"name": "db", **self.rotation()}), Means(now, {"ROTATE_TOKEN": ROOT}, self.folder)
        )
        self._needed = least_privilege([parties.store, parties.issuer])
        self.server.token(ROTATES, self._needed)
        self.server.token(AUDITS, audit_policy("vault", self.sources()))
        self.environment = {"ROTATE_TOKEN": ROTATES, "AUDIT_TOKEN": AUDITS}

    def _plant(self) -> None:
        for role, user in zip(ROLES, ("svc-blue", "svc-green"), strict=True):
            body = {"username": user, "db_name": "orders", "rotation_period": 365 * 86_400}
            self.client.adapter.request("post", f"/v1/database/static-roles/{role}", json=body)
        made = self.client.adapter.request("get", "/v1/database/static-creds/app-blue")
        found = (made if isinstance(made, dict) else made.json())["data"]
        held = {"user": found["username"], "password": found["password"], "host": "db.example"}
        self.client.secrets.kv.v2.create_or_update_secret(PATH, held)

    def sources(self) -> list[dict[str, Any]]:
        where = {"address": self.server.url, "cluster": "test", "mounts": {"kv": ["secret"]}}
        return [{"name": "vault", "kind": "vault", "token_variable": "AUDIT_TOKEN", **where}]

    def rotation(self) -> dict[str, Any]:
        where = {"address": self.server.url, "cluster": "test", "token_variable": "ROTATE_TOKEN"}
        fields = {"username": "user", "password": "password"}
        return {
            "store": {"kind": "vault-kv", "path": PATH, "fields": fields, **where},
            "issuer": {"kind": "vault-database", "roles": ROLES, **where},
            "probe": {
                "kind": "command",
                "argv": [sys.executable, "try_login.py", f"{self.users.url}/whoami"],
            },
        }

    def fetch(self) -> Fetched:
        answer = self.client.secrets.kv.v2.read_secret_version(PATH, raise_on_deleted_version=True)
        return Fetched(str(answer["data"]["metadata"]["version"]), answer["data"]["data"])

    def use(self, value: Any) -> None:
        pair = (value["user"], value["password"])
        requests.get(f"{self.users.url}/whoami", auth=pair, timeout=20).raise_for_status()

    def live(self) -> list[str]:
        """Give the user whose password is stored, if it works."""
        value = self.fetch().value
        self.use(value)
        return [value["user"]]

    def deny_writes(self) -> None:
        self.server.token(ROTATES, audit_policy("vault", self.sources()))

    def allow_writes(self) -> None:
        self.server.token(ROTATES, self._needed)
