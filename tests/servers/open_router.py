"""OpenRouter as its documentation describes it: keys minted and switched off by a management key, and who is answered.

A dead key meets 401 "User not found.", as does a management key that asks for a chat; the list of
models is public. Costs are dollars; `usage` and `last_used_at` of a key move with each chat.
"""

from __future__ import annotations

import hashlib

from keyaudit.times import SECOND, format_instant, parse_instant
from servers.admin_api import AdminApi, Asked, Created, Entry, Refused, Routes
from servers.clock import Clock
from servers.issued_keys import Issued

KEY = "sk-or-v1-CANARY-management"
PRICE = 0.25
"""Dollars a chat here."""
_KEYS = "/api/v1/keys"
_USAGE = [
    f"{kind}{span}" for kind in ("usage", "byok_usage") for span in ("", "_daily", "_weekly", "_monthly")
]
_MAY_CHANGE = {"name", "disabled", "limit", "limit_reset", "include_byok_in_limit"}


class OpenRouter(AdminApi):
    def __init__(self, clock: Clock | None = None) -> None:
        self.keys: list[Entry] = []
        self._count = 0
        super().__init__(clock)

    def put_key(
        self, name: str, *, value: str | None = None, minted: bool = False, **fields: object
    ) -> Entry:
        """Add a key, as somebody does on the web site; gives what the list says of it."""
        self._count += 1
        value = value or f"sk-or-v1-CANARY-{self._count:04}"
        now = format_instant(self.clock())
        entry = {
            "hash": hashlib.sha256(value.encode()).hexdigest(),
            "name": name,
            "label": f"{value[:12]}...{value[-4:]}",
            "disabled": False,
            "limit": None,
            "limit_remaining": None,
            "limit_reset": None,
            "include_byok_in_limit": False,
            **dict.fromkeys(_USAGE, 0.0),
            "created_at": now,
            "updated_at": now,
            "expires_at": None,
            "last_used_at": None,
            "creator_user_id": "user_1",
            "workspace_id": "0df9e665-0000-4000-8000-000000000001",
            **fields,
        }
        ends = entry["expires_at"]
        self.issued.add(
            entry["hash"],
            value,
            minted=minted,
            expires_at=parse_instant(str(ends)) / SECOND if ends else None,
        )
        self.keys.append(entry)
        return entry

    def routes(self) -> Routes:
        return (
            ("GET", _KEYS, self._list),
            ("POST", f"{_KEYS}/?", self._create),
            ("GET", f"{_KEYS}/([^/]+)", self._get),
            ("PATCH", f"{_KEYS}/([^/]+)", self._change),
            ("DELETE", f"{_KEYS}/([^/]+)", self._delete),
            ("GET", "/api/v1/(?:auth/)?key", self._own),
            ("GET", "/api/v1/models", lambda asked: {"data": [{"id": "openai/gpt-5", "name": "GPT-5"}]}),
            ("POST", "/api/v1/chat/completions", self._chat),
        )

    def is_admin(self, value: str) -> bool:
        return value == KEY

    def check(self, asked: Asked) -> None:
        """Let everybody see the models, and only management keys the keys."""
        if asked.path == "/api/v1/models":
            return
        if asked.bearer is None:
            raise Refused(401, None, "No auth credentials found")
        if asked.path.startswith(_KEYS) and asked.bearer != KEY:
            raise Refused(401, None, "Invalid management key")

    def error(self, refused: Refused) -> Entry:
        return {"error": {"message": refused.message, "code": refused.status}}

    def _list(self, asked: Asked) -> Entry:
        """List a hundred, those that are disabled only if asked for."""
        every = asked.one("include_disabled") == "true"
        offset = int(asked.one("offset") or "0")
        found = [each for each in self.keys if every or not each["disabled"]]
        return {"data": found[offset : offset + 100]}

    def _create(self, asked: Asked) -> Entry:
        name = asked.body.get("name")
        if not isinstance(name, str) or not name:
            raise Refused(400, None, "name is required")
        given = {key: asked.body[key] for key in (*_MAY_CHANGE, "expires_at") if key in asked.body}
        if "limit" in given:
            given["limit_remaining"] = given["limit"]
        entry = self.put_key(**{**given, "name": name, "minted": True})
        return Created(data=entry, key=self.issued.by_id(entry["hash"]).value)

    def _entry(self, identifier: str) -> Entry:
        found = [each for each in self.keys if each["hash"] == identifier]
        if not found:
            raise Refused(404, None, "API key not found")
        return found[0]

    def _get(self, asked: Asked, identifier: str) -> Entry:
        return {"data": self._entry(identifier)}

    def _change(self, asked: Asked, identifier: str) -> Entry:
        entry = self._entry(identifier)
        before = entry["disabled"]
        entry.update({key: value for key, value in asked.body.items() if key in _MAY_CHANGE})
        entry["updated_at"] = format_instant(self.clock())
        if before != entry["disabled"]:
            (self.issued.kill if entry["disabled"] else self.issued.revive)(identifier)
        return {"data": entry}

    def _delete(self, asked: Asked, identifier: str) -> Entry:
        self.keys.remove(self._entry(identifier))
        self.issued.kill(identifier)
        return {"deleted": True}

    def _honoured(self, asked: Asked) -> Issued:
        issued = self.issued.honoured(asked.bearer)
        if issued is None:
            raise Refused(401, None, "User not found.")
        return issued

    def _own(self, asked: Asked) -> Entry:
        """Say what a key may know of itself; a management key may as well."""
        manages = asked.bearer == KEY
        entry = self._own_entry(asked)
        shown = {
            name: entry.get(name)
            for name in (*_USAGE, "label", "limit", "limit_remaining", "limit_reset", "expires_at")
        }
        more = {"is_free_tier": False, "is_management_key": manages, "is_provisioning_key": manages}
        return {"data": {**shown, **more, "include_byok_in_limit": False, "creator_user_id": "user_1"}}

    def _own_entry(self, asked: Asked) -> Entry:
        if asked.bearer == KEY:
            return {**dict.fromkeys(_USAGE, 0.0), "label": f"{KEY[:12]}...{KEY[-4:]}"}
        issued = self._honoured(asked)
        self.issued.used(issued, asked.path)
        return self._of(issued)

    def _of(self, issued: Issued) -> Entry:
        """Give what is listed of a key; one that was deleted and lingers is listed no more."""
        found = [each for each in self.keys if each["hash"] == issued.id]
        return found[0] if found else dict.fromkeys(_USAGE, 0.0)

    def _chat(self, asked: Asked) -> Entry:
        issued = self._honoured(asked)
        entry = self._of(issued)
        for name in _USAGE[:4]:
            entry[name] += PRICE
        entry["last_used_at"] = format_instant(self.clock())
        if entry.get("limit") is not None:
            entry["limit_remaining"] = entry["limit"] - entry["usage"]
        self.issued.used(issued, asked.path, (9, 3))
        message = {"role": "assistant", "content": "hello"}
        return {
            "id": f"gen-{len(self.issued.uses)}",
            "object": "chat.completion",
            "created": int(self.issued.now()),
            "model": asked.body.get("model"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "cost": PRICE},
        }
