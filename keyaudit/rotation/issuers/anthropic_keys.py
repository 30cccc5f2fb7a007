"""Anthropic's keys as its Admin API lists them and switches them off; it makes none (`manual`)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from keyaudit.rotation.doors.web import Web
from keyaudit.sources.pulling.json_lists import Id
from keyaudit.times import parse_instant

LIST = "GET /v1/organizations/api_keys"
UPDATE = "POST /v1/organizations/api_keys/{key}"
VERSION = "2023-06-01"


class ListedKey(msgspec.Struct, frozen=True):
    """One key. `partial_key_hint` shows its ends: it is compared with, never passed on."""

    id: Id
    created_at: str
    status: str
    name: str | None = None
    partial_key_hint: str | None = None
    expires_at: str | None = None

    def __post_init__(self) -> None:
        """Refuse times that make no sense."""
        for text in (self.created_at, self.expires_at):
            _ = text is not None and parse_instant(text)


def admin_door(endpoint: str, key: str, calls: tuple[str, ...], *, timeout: int, variable: str) -> Web:
    """Open the door to Anthropic's Admin API; `timeout` in microseconds."""
    return Web(
        "Anthropic",
        endpoint,
        calls,
        {"x-api-key": key, "anthropic-version": VERSION},
        timeout=timeout,
        extra="anthropic",
        variable=variable,
    )


def listed_keys(web: Web) -> list[ListedKey]:
    """List the keys of all workspaces, whatever their status, whole."""
    return web.list(
        lambda after: web.get(LIST, {"limit": "1000"} | ({"after_id": after} if after else {})), ListedKey
    )


def update(web: Web, key_id: str, change: Mapping[str, str]) -> None:
    """Change a key's `status` or `name`; it being gone is no error. Raises RotationError."""
    answer = web.ask(UPDATE, body=change, at={"key": key_id})
    if not answer.good and answer.status != 404:
        raise web.refused(answer)
