"""The name of a key that a rotation minted: whoever lists the keys can tell which rotation that was.

keyaudit-<token>                 keyaudit-<8 hexadecimal digits of a place>-<token>
"""

from __future__ import annotations

import hashlib
import re

LOST = "run it again: a key that was made is found by its name and revoked"
"""What to do where the answer with a new key cannot be read."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def key_name(token: str, place: str | None = None) -> str:
    """Give the name of the key that a rotation mints; `place` tells two places apart for a reader."""
    return f"{_begins(place)}{token}"


def token_of(name: str | None, place: str | None = None) -> str | None:
    """Give the token of the rotation that a key is named after; None for any other name."""
    name, begins = (name or "").strip(), _begins(place)
    token = name.removeprefix(begins)
    return token if name.startswith(begins) and _TOKEN.fullmatch(token) else None


def _begins(place: str | None) -> str:
    if place is None:
        return "keyaudit-"
    return f"keyaudit-{hashlib.sha256(place.encode()).hexdigest()[:8]}-"
