"""Vault's engines as the fake keeps them: what is listed, what is told, and what gives values away.

`handle(verb, path, query, body)` answers one request below a mount with the `data` of the answer, None for
one without content. Every value that a real server would give is a canary, but for those that a test wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from servers.clock import Clock
from servers.vault_refusals import EMPTY, UNSUPPORTED, UNSUPPORTED_PATH, Refused
from servers.vault_versions import Versions

CANARY = "CANARY"


def level(paths: Iterable[str], folder: str) -> list[str]:
    """Give the names at one level, folders with a slash, as every LIST does."""
    below = [path[len(folder) :] for path in paths if path.startswith(folder) and path != folder]
    return sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in below})


def listing(paths: Iterable[str], folder: str = "") -> dict[str, Any]:
    folder = folder.strip("/")
    keys = level(paths, f"{folder}/" if folder else "")
    if not keys:
        raise EMPTY
    return {"keys": keys}


class Engine:
    type: str
    options: dict[str, str] | None = None

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.hidden: set[str] = set()
        """What is listed and yet not found."""
        self.clock = Clock()

    def now(self) -> int:
        """Tell the time by the clock of the server that this engine was mounted on."""
        return self.clock()

    def exists(self, path: str) -> bool:
        """Say whether writing there would update: without a check of its own, an engine's path always would."""
        return True

    def handle(self, verb: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def entry(self, name: str) -> dict[str, Any]:
        if name not in self.entries or name in self.hidden:
            raise EMPTY
        return self.entries[name]


class Kv2(Engine):
    type = "kv"
    options = {"version": "2"}

    def __init__(self) -> None:
        super().__init__()
        self.scan = False
        self.most: int | None = None
        """How many entries a page of the bulk list has at most, whatever is asked for."""
        self.versions = versions = Versions(self.entries, CANARY, self.now)
        self._writes = {
            ("POST", "data"): versions.write,
            ("PATCH", "data"): versions.patch,
            ("POST", "delete"): versions.delete,
            ("POST", "undelete"): versions.undelete,
            ("POST", "destroy"): versions.destroy,
            ("POST", "metadata"): versions.write_metadata,
            ("PATCH", "metadata"): versions.patch_metadata,
        }
        self._removals = {
            ("DELETE", "data"): versions.delete_latest,
            ("DELETE", "metadata"): versions.delete_metadata,
        }

    def exists(self, path):
        kind, _, name = path.partition("/")
        return kind not in {"data", "metadata"} or name.strip("/") in self.entries

    def handle(self, verb, path, query, body):
        kind, _, name = path.partition("/")
        name, asked = name.strip("/"), ("POST" if verb == "PUT" else verb, kind)
        if asked in self._writes and name:
            return self._writes[asked](name, body)
        if asked in self._removals and name:
            return self._removals[asked](name)
        return self._read(verb, kind, name, query)

    def _read(self, verb, kind, name, query):
        if kind == "metadata" and verb == "LIST":
            return listing(self.entries, name)
        if kind == "metadata" and verb == "GET":
            return self.entry(name)
        if kind == "detailed-metadata" and self.scan and verb in {"LIST", "SCAN"}:
            return self._detailed(verb, name, query)
        if kind == "data" and verb == "GET":
            return self.versions.read(self.entry(name), name, query.get("version", ""))
        if kind == "subkeys" and verb == "GET":
            return self.entry(name) and {"subkeys": {f"{CANARY}-field": None}, "metadata": {}}
        raise UNSUPPORTED_PATH if kind not in {"metadata", "data", "subkeys"} else UNSUPPORTED

    def _detailed(self, verb, folder, query):
        prefix = f"{folder}/" if folder else ""
        below = sorted(path[len(prefix) :] for path in self.entries if path.startswith(prefix))
        keys = below if verb == "SCAN" else level(self.entries, prefix)
        keys = [key for key in keys if key > query.get("after", "")]
        limit = int(query.get("limit", 0))
        keys = keys[:limit] if limit > 0 else keys
        keys = keys[: self.most]
        if not keys:
            raise EMPTY
        info = {key: self.entries[prefix + key] for key in keys if prefix + key in self.entries}
        return {"keys": keys, "key_info": info}


class Kv1(Engine):
    type = "kv"
    options = {"version": "1"}

    def handle(self, verb, path, query, body):
        if verb == "LIST":
            return listing(self.entries, path)
        if verb == "GET":
            return self.entry(path)
        raise UNSUPPORTED


class Roles(Engine):
    """Static roles: `told` gives a role, `value` its password."""

    def __init__(self, kind: str, listed: str, told: str, value: str) -> None:
        super().__init__()
        self.type, self._listed, self._told, self._value = kind, listed, told, value

    def handle(self, verb, path, query, body):
        kind, _, name = path.strip("/").partition("/")
        if verb == "LIST" and kind == self._listed:
            return listing(self.entries, name)
        if verb == "GET" and kind == self._told and name in self.hidden:
            raise EMPTY
        if verb == "GET" and kind == self._told and name.removesuffix("/key") in self.entries:
            secret = {"private_key_data": f"{CANARY}-minted"}
            return secret if name.endswith("/key") else self.entries[name]
        if verb == "GET" and kind in {self._value, "creds"}:
            return {"password": f"{CANARY}-password", "last_password": f"{CANARY}-old"}
        raise EMPTY if kind == self._told and verb == "GET" else UNSUPPORTED_PATH


def database() -> Roles:
    return Roles("database", "static-roles", "static-roles", "static-creds")


def ldap() -> Roles:
    return Roles("ldap", "static-role", "static-role", "static-cred")


def aws() -> Roles:
    return Roles("aws", "static-roles", "static-roles", "static-creds")


def gcp() -> Roles:
    return Roles("gcp", "static-accounts", "static-account", "key")


class Transit(Engine):
    type = "transit"

    def handle(self, verb, path, query, body):
        kind, _, name = path.strip("/").partition("/")
        if kind == "keys" and verb == "LIST" and not name:
            return listing(self.entries)
        if kind == "keys" and verb == "GET":
            return self.entry(name)
        if kind in {"export", "backup"} and verb == "GET":
            return {"keys": {"1": f"{CANARY}-key-material"}}
        raise UNSUPPORTED_PATH


class AppRole(Engine):
    """`entries` has a role's secret ids by accessor; `minted` counts those that a careless POST made."""

    type = "approle"

    def __init__(self) -> None:
        super().__init__()
        self.minted = 0

    def handle(self, verb, path, query, body):
        parts = path.strip("/").split("/")
        if verb == "LIST" and parts == ["role"]:
            return listing(self.entries)
        if len(parts) < 3 or parts[0] != "role":
            raise UNSUPPORTED_PATH
        ids, rest = self.entry(parts[1]), parts[2:]
        if verb == "LIST" and rest == ["secret-id"]:
            return listing(ids)
        if verb == "POST" and rest == ["secret-id"]:
            self.minted += 1
            return {"secret_id": f"{CANARY}-secret-id", "secret_id_accessor": "new"}
        if verb == "GET" and rest == ["role-id"]:
            return {"role_id": f"{CANARY}-role-id"}
        if verb == "POST" and rest == ["secret-id-accessor", "lookup"]:
            accessor = body.get("secret_id_accessor", "")
            if accessor not in ids or accessor in self.hidden:
                raise Refused(404, f"failed to find accessor entry for secret_id_accessor: {accessor!r}")
            return {"secret_id_accessor": accessor, **ids[accessor]}
        raise UNSUPPORTED_PATH
