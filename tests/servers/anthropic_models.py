"""Anthropic where its keys are used: the list of models, and messages.

A live key is answered. One that is switched off, archived, past its end or unknown meets 401; one
in `restricted` (ids) meets 403; and everybody 400 while the organization is `on_hold`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from servers.admin_api import Asked, Entry, Refused, Routes, listed
from servers.issued_keys import Issued

if TYPE_CHECKING:
    from servers.anthropic import Anthropic

MODELS = ("claude-opus-5", "claude-sonnet-5")
TOKENS = (11, 4)


class Models:
    def __init__(self, server: Anthropic) -> None:
        self._server = server
        self.restricted: set[str] = set()
        self.on_hold = False

    def routes(self) -> Routes:
        return (("GET", "/v1/models", self._models), ("POST", "/v1/messages", self._message))

    def _caller(self, asked: Asked) -> Issued:
        issued = self._server.issued.honoured(self._server.key_of(asked))
        if issued is None:
            raise self._server.unknown(asked)
        if self.on_hold:
            raise Refused(400, "organization_on_hold", "This organization has been disabled.")
        if issued.id in self.restricted:
            raise Refused(403, "permission_error", "Your API key does not have permission to use this.")
        return issued

    def _models(self, asked: Asked) -> Entry:
        issued = self._caller(asked)
        self._server.issued.used(issued, asked.path)
        models = [
            {
                "type": "model",
                "id": name,
                "display_name": name.title(),
                "created_at": "2026-02-04T00:00:00Z",
                "lifecycle": "active",
            }
            for name in MODELS
        ]
        return listed(models, asked, after="after_id", most=1000)

    def _message(self, asked: Asked) -> Entry:
        issued = self._caller(asked)
        if not {"model", "messages", "max_tokens"} <= set(asked.body):
            raise Refused(400, "invalid_request_error", "max_tokens: Field required")
        self._server.issued.used(issued, asked.path, TOKENS)
        return {
            "id": f"msg_{len(self._server.issued.uses):04}",
            "type": "message",
            "role": "assistant",
            "model": asked.body["model"],
            "content": [{"type": "text", "text": "hello"}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": TOKENS[0], "output_tokens": TOKENS[1]},
        }
