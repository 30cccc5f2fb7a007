#!/usr/bin/env python3
"""Makes, lists, tries and revokes the API keys of a service of one's own, for `kind: command`.

The service looks keys up in keys.json by their SHA-256, so the file holds none of them. Whoever
adapts this keeps three things: the token is stored with the key and given back by `list`, `revoke`
of a key that is gone succeeds, and values are read from stdin and written to stdout only.
"""

import fcntl
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEYS = Path("keys.json")
MOST = 5

Json = dict[str, Any]


def digest(value: str) -> str:
    """Give what the service knows of a key."""
    return hashlib.sha256(value.encode()).hexdigest()


@contextmanager
def locked() -> Iterator[None]:
    """Let one process at a time change the file."""
    with Path("keys.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read() -> list[Json]:
    """Give the keys that the service has."""
    keys: list[Json] = json.loads(KEYS.read_text())
    return keys


def write(keys: list[Json]) -> None:
    """Replace the file at once: the service never reads half of it."""
    new = KEYS.with_suffix(".new")
    with new.open("w") as file:
        json.dump(keys, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    new.replace(KEYS)


def listed(_: Json) -> Json:
    """List the keys, those that were revoked too."""
    shown = ("id", "active", "token", "created_at")
    return {"keys": [{name: key[name] for name in shown} for key in read()]}


def mint(asked: Json) -> Json:
    """Make a key; its value is in this answer and nowhere else."""
    with locked():
        keys = read()
        if sum(key["active"] for key in keys) >= MOST:
            return {"full": True}
        value, now = f"acme-{secrets.token_urlsafe(32)}", datetime.now(UTC).isoformat(timespec="seconds")
        new = {
            "id": secrets.token_hex(8),
            "active": True,
            "token": asked["token"],
            "created_at": now,
            "sha256": digest(value),
        }
        write([*keys, new])
    return {"id": new["id"], "parts": {"key": value}, "created_at": now}


def revoke(asked: Json) -> Json:
    """End a key, whether or not it still works."""
    with locked():
        write([key | {"active": key["active"] and key["id"] != asked["key_id"]} for key in read()])
    return {}


def recognise(asked: Json) -> Json:
    """Say which key a value is."""
    wanted = digest(asked["parts"]["key"])
    found = [key["id"] for key in read() if key["sha256"] == wanted and key["id"] in asked["keys"]]
    return {"key_id": found[0] if found else None}


def probe(parts: Json) -> int:
    """Say by the exit code whether a value works: 0 alive, 4 dead."""
    wanted = digest(parts["key"])
    return 0 if any(key["active"] and key["sha256"] == wanted for key in read()) else 4


OPERATIONS = {"list": listed, "mint": mint, "revoke": revoke, "recognise": recognise}

if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    if sys.argv[1:] == ["probe"]:
        sys.exit(probe(given))
    json.dump(OPERATIONS[given["op"]](given), sys.stdout)
