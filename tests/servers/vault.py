"""A Vault, or an OpenBao, on this machine: namespaces, mounts, policies, a seal, a rate limit, a standby.

    with VaultServer() as server:
        server.mount("secret", Kv2()).entries["app/db"] = metadata(...)
        server.token("t", 'path "secret/metadata/*" { capabilities = ["read", "list"] }')

Routes, fields, errors and status codes follow the API documentation of both projects; policies decide as
the server decides them. To try things by hand: `python -m servers.vault --secrets 1000`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from keyaudit.times import SECOND
from servers.clock import Clock
from servers.loopback import Loopback
from servers.vault_engines import CANARY, EMPTY, AppRole, Engine, Kv2, Refused
from servers.vault_operations import MERGE_PATCH, VERBS, Request, operation
from servers.vault_policy import Policy, allows, parse, touches
from servers.vault_stamps import stamp

ROOT = f"{CANARY}-root-token"
_DENIED = Refused(403, "1 error occurred:\n\t* permission denied\n\n")
_INVALID = Refused(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")


def metadata(
    *created: int, custom: Mapping[str, str] | None = None, oldest: int = 0, **others: Any
) -> dict[str, Any]:
    """Give a secret's metadata with a version for each time, numbered on from `oldest`."""
    first = max(oldest, 1)
    versions = {
        str(first + index): {"created_time": stamp(each), "deletion_time": "", "destroyed": False}
        for index, each in enumerate(created)
    }
    return {
        "cas_required": False,
        "created_time": stamp(created[0]),
        "current_version": first + len(created) - 1,
        "custom_metadata": custom,
        "delete_version_after": "0s",
        "max_versions": 0,
        "oldest_version": oldest,
        "updated_time": stamp(created[-1]),
        "versions": versions,
        **others,
    }


@dataclass
class Space:
    """A namespace: its mounts by path, those of auth methods under `auth/`."""

    mounts: dict[str, Engine] = field(default_factory=dict)


class VaultServer(Loopback):
    def __init__(self, *, openbao: bool = False, latency: float = 0.0) -> None:
        self.openbao = openbao
        self.sealed = False
        self.latency = latency
        self.clock = Clock()
        self.spaces: dict[str, Space] = {"": Space()}
        self.tokens: dict[str, Policy | None] = {ROOT: None}
        self.limited: list[Mapping[str, str]] = []
        """Headers of the 429s that the next requests get."""
        self.redirect: str | None = None
        """Where a standby sends everybody."""
        self.called: dict[str, Any] = {}
        """The display names of tokens."""
        self.log: list[Request] = []
        self.written: Callable[[str], str] = str
        """What becomes of an answer's text before it is sent."""
        self._lock = threading.Lock()
        self._denied: frozenset[str] = frozenset()
        super().__init__()

    def mount(self, path: str, engine: Engine, namespace: str = "") -> Any:
        while namespace not in self.spaces:
            self.spaces[namespace] = Space()
        if isinstance(engine, Kv2):
            engine.scan = self.openbao
        engine.clock = self.clock
        self.spaces[namespace].mounts[f"{path}/"] = engine
        return engine

    def token(self, token: str, policy: str) -> str:
        self.tokens[token] = parse(policy, openbao=self.openbao)
        return token

    def asked(self, verb: str) -> list[str]:
        return [each.path for each in self.log if each.verb == verb]

    @property
    def calls(self) -> list[str]:
        """The operations that were asked for, in order, by the names of `vault_operations.py`."""
        return [self._found(each)[2] for each in self.log]

    def deny(self, *operations: str) -> None:
        """Refuse these operations, and only these, to every token."""
        self._denied = frozenset(operations)

    def answer(self, request: Request, query: Mapping[str, str], body: Mapping[str, Any]) -> Any:
        """Give the `data` of an answer, or raise Refused."""
        if self.sealed:
            raise Refused(503, "Vault is sealed")
        with self._lock:
            if self.limited:
                raise Refused(429, "rate limit quota exceeded", headers=self.limited.pop(0))
        if request.verb not in VERBS or (request.verb == "SCAN" and not self.openbao):
            raise Refused(405)
        policy = self._policy(request)
        space = self.spaces.get(request.namespace)
        if space is None:
            raise Refused(404, f'no handler for route "{request.path}". route entry not found.')
        if request.path.startswith("sys/"):
            return self._system(request, space, policy)
        if request.path == "auth/token/lookup-self" and request.verb == "GET":
            return self._itself(request, policy)
        engine, below, called = self._found(request)
        capability, path = request.needs
        if capability == "update" and engine is not None and not engine.exists(below):
            capability = "create"
        if called in self._denied or (policy is not None and not allows(policy, capability, path)):
            raise _DENIED
        if engine is None:
            raise Refused(404, f'no handler for route "{request.path}". route entry not found.')
        if request.verb == "PATCH" and request.content_type != MERGE_PATCH:
            raise Refused(415)
        with self._lock:
            return engine.handle(request.verb, below, query, body)

    def _found(self, request: Request) -> tuple[Engine | None, str, str]:
        """Give the engine that a request is for, the path below its mount and the operation."""
        space = self.spaces.get(request.namespace, Space())
        for path, engine in space.mounts.items():
            if f"{request.path}/".startswith(path):
                below = request.path[len(path) :]
                return engine, below, operation(request.verb, below)
        return None, request.path, request.verb

    def _policy(self, request: Request) -> Policy | None:
        token = request.headers.get("X-Vault-Token")
        if token is None:
            raise _DENIED
        if token not in self.tokens:
            raise _INVALID
        return self.tokens[token]

    def _system(self, request: Request, space: Space, policy: Policy | None) -> Any:
        if request.path == "sys/internal/ui/mounts" and request.verb == "GET":
            return self._visible(request, space, policy)
        if policy is not None and not allows(policy, *request.needs):
            raise _DENIED
        if request.verb == "GET" and request.path == "sys/mounts":
            return {**_BUILT_IN, **_listed(space, auth=False)}
        if request.verb == "GET" and request.path == "sys/auth":
            return {"token/": _info("token", None), **_listed(space, auth=True)}
        if request.verb == "LIST" and request.path.rstrip("/") == "sys/namespaces" and len(self.spaces) > 1:
            return self._namespaces(request.namespace)
        raise Refused(404, "1 error occurred:\n\t* unsupported path\n\n")

    def _itself(self, request: Request, policy: Policy | None) -> Any:
        """Give what a token is told of itself, which the policy `default` would grant."""
        if policy is not None and not allows(policy, *request.needs):
            raise _DENIED
        token = request.headers["X-Vault-Token"]
        return {
            "accessor": f"{CANARY}-accessor",
            "creation_time": 1_767_225_600,
            "creation_ttl": 2_764_800,
            "display_name": self.called.get(token, "root" if token == ROOT else "token"),
            "entity_id": "",
            "expire_time": "2026-06-02T00:00:00.123456789Z",
            "explicit_max_ttl": 0,
            "id": token,
            "issue_time": "2026-05-01T00:00:00.123456789Z",
            "meta": {"note": f"{CANARY}-meta"},
            "num_uses": 0,
            "orphan": True,
            "path": "auth/token/create",
            "policies": ["default", f"{CANARY}-policy"],
            "renewable": True,
            "ttl": 2_764_790,
            "type": "service",
        }

    def _visible(self, request: Request, space: Space, policy: Policy | None) -> Any:
        def seen(auth: bool) -> dict[str, Any]:
            prefix = f"{request.namespace}/" if request.namespace else ""
            return {
                path: info
                for path, info in _listed(space, auth=auth).items()
                if policy is None or touches(policy, prefix + ("auth/" if auth else "") + path)
            }

        return {"auth": seen(auth=True), "secret": seen(auth=False)}

    def _namespaces(self, namespace: str) -> Any:
        prefix = f"{namespace}/" if namespace else ""
        below = [name for name in self.spaces if name.startswith(prefix) and name != namespace]
        keys = sorted({name[len(prefix) :].partition("/")[0] + "/" for name in below})
        if not keys:
            raise EMPTY
        return {"keys": keys, "key_info": {key: {"id": "HWmNL", "path": prefix + key} for key in keys}}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65536

            def do_GET(self):
                content = self.rfile.read(int(self.headers.get("content-length") or 0))
                url = urlsplit(self.path)
                namespace = namespace_of(self.headers)
                query = dict(parse_qsl(url.query))
                # A real server decodes the path before anything else looks at it.
                path = unquote(url.path).removeprefix("/v1/")
                request = Request(self.command, path, namespace, dict(self.headers.items()))
                server.log.append(request)
                time.sleep(server.latency)
                if server.redirect is not None:
                    return self.say(307, {"Location": server.redirect + self.path}, b"")
                try:
                    data = server.answer(request, query, json.loads(content or b"{}"))
                except Refused as refused:
                    content = {"errors": refused.errors} if refused.data is None else _envelope(refused.data)
                    return self.say(refused.status, refused.headers, json.dumps(content).encode())
                if data is None:
                    return self.say(204, {}, b"")
                return self.say(200, {}, server.written(json.dumps(_envelope(data))).encode())

            do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = do_SCAN = do_GET

            def say(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
                self.send_response(status)
                sent = {"Content-Type": "application/json", **headers, "Content-Length": str(len(content))}
                for name, value in sent.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        return Handler


def namespace_of(headers: Mapping[str, str]) -> str:
    """Give the namespace of a request: UTF-8, which http.server reads as if it were Latin-1."""
    return (headers.get("X-Vault-Namespace") or "").strip("/").encode("latin-1").decode()


def _envelope(data: Any) -> dict[str, Any]:
    head = {"request_id": str(uuid.uuid4()), "lease_id": "", "renewable": False, "lease_duration": 0}
    return {**head, "data": data, "wrap_info": None, "warnings": None, "auth": None}


def _info(kind: str, options: Mapping[str, str] | None) -> dict[str, Any]:
    return {
        "accessor": f"{kind}_3f1c",
        "config": {"default_lease_ttl": 0, "max_lease_ttl": 0},
        "description": f"{CANARY}-description",
        "local": False,
        "options": options,
        "type": kind,
    }


_BUILT_IN = {
    "cubbyhole/": _info("cubbyhole", None),
    "identity/": _info("identity", None),
    "sys/": _info("system", None),
}


def _listed(space: Space, *, auth: bool) -> dict[str, Any]:
    return {
        path.removeprefix("auth/"): _info(engine.type, engine.options)
        for path, engine in space.mounts.items()
        if path.startswith("auth/") is auth
    }


def fleet(secrets: int, *, folders: int = 500, latency: float = 0.0, openbao: bool = False) -> VaultServer:
    """Make a server with so many secrets of three versions each, in so many folders."""
    server = VaultServer(openbao=openbao, latency=latency)
    kv = server.mount("secret", Kv2())
    now = int(time.time()) * SECOND
    for number in range(secrets):
        age = (number % 300 + 1) * 86_400 * SECOND
        created = [now - age * step for step in (3, 2, 1)]
        kv.entries[f"team-{number % folders}/app-{number}"] = metadata(
            *created, custom={"owner": "a@b.example"}
        )
    return server


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--secrets", type=int, default=1000)
    parser.add_argument("--folders", type=int, default=50)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--openbao", action="store_true", help="offer the bulk list")
    chosen = parser.parse_args(arguments)
    with fleet(
        chosen.secrets, folders=chosen.folders, latency=chosen.latency, openbao=chosen.openbao
    ) as server:
        server.mount("auth/approle", AppRole())
        sys.stdout.write(f"{server.url}\n{ROOT}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
