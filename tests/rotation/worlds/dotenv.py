"""A .env file with a key that a program of one's own has made at OpenAI."""

from __future__ import annotations

import json
import sys
from typing import Any

import openai
from dotenv import dotenv_values

from keyaudit.times import SECOND, format_instant
from rotation.worlds.aws import OpenAiProject
from rotation.worlds.world import Fetched, now
from servers.openai import KEY

PROGRAM = """
import json, os, pathlib, signal, sys, urllib.error, urllib.request

url, here = sys.argv[1], pathlib.Path(__file__).parent
keys_of = f"{url}/v1/organization/projects/proj_web"
asked = json.load(sys.stdin)


def send(method, address, key=os.environ.get("OPENAI_ADMIN_KEY"), body=None):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data, headers, method=method)) as answer:
        return json.load(answer)


def die_if_wanted(when):
    kill = here / "kill"
    if kill.exists() and kill.read_text() == f"{asked.get('op', 'probe')} {when}":
        kill.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
        sys.exit(1)


die_if_wanted("before")
match asked.get("op"):
    case None:
        try:
            send("GET", f"{url}/v1/models", asked["key"])
        except urllib.error.HTTPError as error:
            sys.exit(4 if error.code == 401 else 1)
        said = {}
    case "list":
        found = send("GET", f"{keys_of}/api_keys?limit=100")["data"]
        names = [(key["id"], key["name"].removeprefix("rotation-")) for key in found]
        ours = [(id, token if len(token) < len(key["name"]) else None) for (id, token), key in zip(names, found)]
        said = {"keys": [{"id": id, "active": True, "token": token} for id, token in ours]}
    case "mint":
        body = {"name": f"rotation-{asked['token']}"}
        made = send("POST", f"{keys_of}/service_accounts/svc_acct_web/api_keys", body=body)
        said = {"id": made["id"], "parts": {"key": made["value"]}}
    case "recognise":
        found = send("GET", f"{keys_of}/api_keys?limit=100")["data"]
        ends = [key["id"] for key in found if asked["parts"]["key"].endswith(key["redacted_value"][-5:])]
        said = {"key_id": ends[0] if len(ends) == 1 else None}
    case "revoke":
        try:
            send("DELETE", f"{keys_of}/api_keys/{asked['key_id']}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
        said = {}
die_if_wanted("after")
print(json.dumps(said))
"""
"""It kills who runs it, where the file `kill` names a request and a moment."""


class DotenvCommand(OpenAiProject):
    """No source lists a file: its credential is declared by hand, with the dates of the provider's keys."""

    listed = ("dotenv", "openai")
    inventory = "declared.json"
    refusals = (openai.OpenAIError,)

    def start(self) -> None:
        self.open_provider()
        self.environment = {"OPENAI_ADMIN_KEY": KEY}
        self._made: dict[str, int] = {}
        (self.folder / "program.py").write_text(PROGRAM)
        self.file = self.folder / ".env"
        self.file.write_text(f"OTHER=1\nDEMO_KEY={self.first}\n")

    def sources(self) -> list[dict[str, Any]]:
        return [self.provider_source()]

    def rotation(self) -> dict[str, Any]:
        program = {"kind": "command", "argv": [sys.executable, "program.py", self.provider.url]}
        return {
            "store": {"kind": "dotenv", "path": ".env", "variable": "DEMO_KEY"},
            "issuer": {**program, "variables": ["OPENAI_ADMIN_KEY"]},
            "probe": program,
        }

    def fetch(self) -> Fetched:
        value = dotenv_values(self.file)["DEMO_KEY"]
        return Fetched(self.provider.issued.named(value).id, value)

    def declare(self) -> None:
        live, current = self.live(), self.fetch().name
        self._made |= {key["id"]: key["created_at"] for key in self.provider.keys["proj_web"]}
        states = {True: "superseded", False: "destroyed"}
        versions = [
            {
                "id": key,
                "state": "current" if key == current else states[key in live],
                "created_at": format_instant(made * SECOND),
            }
            for key, made in self._made.items()
        ]
        where = {"source": "dotenv", "scope": str(self.folder.resolve())}
        row = {**where, "id": f"{self.file.resolve()}#DEMO_KEY", "name": "DEMO_KEY", "versions": versions}
        row["created_at"] = versions[0]["created_at"]
        document = {
            "schema": "keyaudit/inventory/1",
            "collected_at": format_instant(now()),
            "credentials": [row],
        }
        document["coverage"] = [{**where, "status": "complete", "credentials": 1, "cannot_know": []}]
        (self.folder / "declared.json").write_text(json.dumps(document))

    def deny_writes(self) -> None:
        self.deny_provider_writes()

    def allow_writes(self) -> None:
        self.provider.heal()
