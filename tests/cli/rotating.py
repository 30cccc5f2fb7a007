"""A folder in which a key can be rotated: a .env file, and a provider that is a program of the user's own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CANARY = "CANARY-value"
"""Every value has it, so that one that got out is found."""

PROVIDER = """
import json, pathlib, sys

here = pathlib.Path(__file__).parent
state = here / "provider.json"
keys = json.loads(state.read_text())
asked = json.load(sys.stdin)
op = asked.get("op", "probe")
with (here / "asked.log").open("a") as log:
    print(op, file=log)
value = asked.get("key") or asked.get("parts", {}).get("key")
found = [key for key in keys if key["value"] == value]
if op == "probe":
    sys.exit(0 if found and found[0]["active"] else 4)
if op == "list":
    names = ("id", "active", "token", "created_at")
    print(json.dumps({"keys": [{name: key[name] for name in names} for key in keys if key["active"]]}))
elif op == "mint":
    number = len(keys) + 1
    made = {"id": f"key-{number}", "active": not (here / "broken").exists(), "token": asked["token"]}
    made |= {"value": f"CANARY-value-{number}", "created_at": "2026-01-01T00:00:00Z"}
    keys.append(made)
    print(json.dumps({"id": made["id"], "parts": {"key": made["value"]}}))
elif op == "recognise":
    print(json.dumps({"key_id": found[0]["id"] if found else None}))
elif op == "revoke":
    keys = [{**key, "active": key["active"] and key["id"] != asked["key_id"]} for key in keys]
    print("{}")
state.write_text(json.dumps(keys))
"""


def entry(name: str = "demo", variable: str = "DEMO_KEY", **settings: Any) -> dict[str, Any]:
    """One rotation; what is None is left out."""
    program = [sys.executable, "provider.py"]
    parties = {
        "store": {"kind": "dotenv", "path": ".env", "variable": variable},
        "issuer": {"kind": "command", "argv": program},
        "probe": {"kind": "command", "argv": program},
    }
    said = {"name": name, "environment": "production", "propagation": "0s", **parties, **settings}
    return {key: value for key, value in said.items() if value is not None}


def prepare(folder: Path, *entries: dict[str, Any], **settings: Any) -> None:
    """Write a .env with a key that the provider honours, and a keyaudit.yaml that says how to rotate it."""
    document = {**settings, "rotations": list(entries or (entry(),))}
    (folder / "keyaudit.yaml").write_text(json.dumps(document, indent=1), "utf-8")
    (folder / "provider.py").write_text(PROVIDER, "utf-8")
    first = {"id": "key-1", "value": f"{CANARY}-1", "active": True, "token": None}
    (folder / "provider.json").write_text(json.dumps([first | {"created_at": "2025-01-01T00:00:00Z"}]))
    (folder / ".env").write_text(f"# ours\nOTHER=1\nDEMO_KEY={CANARY}-1\n")


def asked(folder: Path) -> list[str]:
    """Give what the provider was asked since this was asked last."""
    log = folder / "asked.log"
    lines = log.read_text().split() if log.exists() else []
    log.write_text("")
    return lines


def alive(folder: Path) -> list[str]:
    """Give the ids of the keys that the provider honours."""
    return [key["id"] for key in json.loads((folder / "provider.json").read_text()) if key["active"]]


def served(folder: Path, variable: str = "DEMO_KEY") -> str:
    """Give the value as an application gets it that starts now."""
    lines = (folder / ".env").read_text().splitlines()
    return next(line.partition("=")[2].strip("'\"") for line in lines if line.startswith(f"{variable}="))


def record(folder: Path, name: str = "demo") -> list[dict[str, Any]]:
    """Give the rotation record."""
    file = folder / ".keyaudit" / "rotations" / f"{name}.ndjson"
    return [json.loads(line) for line in file.read_text().splitlines()]
