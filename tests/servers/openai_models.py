"""OpenAI where its keys are used: the list of models, and chat. What is refused, and how, was seen on the real one.

| who asks | GET /v1/models | POST /v1/chat/completions |
|---|---|---|
| a live key | 200 | 200 |
| no key that was ever issued, or a dead one | 401 invalid_api_key | the same |
| a key without the scope | 403, and its whole `error` may be one string | **401** missing_scope |
| a live key from elsewhere (`elsewhere`) | 401 ip_not_authorized, no_organization | the same |
| with another's OpenAI-Organization or -Project | 401 mismatched_organization, mismatched_project | the same |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from servers.admin_api import Asked, Entry, Refused, Routes, masked
from servers.issued_keys import Issued

if TYPE_CHECKING:
    from servers.openai import OpenAi

MODEL = "gpt-5"
TOKENS = (9, 3)
_MODELS, _CHAT = "/v1/models", "/v1/chat/completions"
_NEEDED = {_MODELS: ("api.model.read", "api.all.read"), _CHAT: ("model.request",)}
_ELSEWHERE = {
    "ip_not_authorized": "Your IP is not authorized to access this organization.",
    "no_organization": "You must be a member of an organization to use the API.",
}


class Models:
    """`elsewhere`: the code of the refusal of every key, whoever's; a key of _ELSEWHERE.

    `terse`: an answer 403 has one string for its `error`, as it was seen at times.
    `look_counts`: whether asking for the models moves a key's last use; not documented.
    """

    def __init__(self, server: OpenAi) -> None:
        self._server = server
        self.elsewhere: str | None = None
        self.look_counts = True
        self.terse = False

    def routes(self) -> Routes:
        return (("GET", _MODELS, self._models), ("POST", _CHAT, self._chat))

    def _caller(self, asked: Asked, refused: int) -> Issued:
        value = asked.bearer
        if value is None:
            raise Refused(401, None, "You didn't provide an API key.")
        if self._server.is_admin(value):
            raise self._lacking(refused, asked.path)
        issued = self._server.issued.honoured(value)
        if issued is None:
            raise Refused(401, "invalid_api_key", f"Incorrect API key provided: {masked(value)}.")
        if self.elsewhere is not None:
            raise Refused(401, self.elsewhere, _ELSEWHERE[self.elsewhere])
        self._server.check_headers(asked, issued.place)
        if not issued.may(*_NEEDED[asked.path]):
            raise self._lacking(refused, asked.path)
        return issued

    def _lacking(self, status: int, path: str) -> Refused:
        code = "missing_scope" if status == 401 else "insufficient_permissions"
        needed = _NEEDED[path][0]
        return Refused(
            status, code, f"You have insufficient permissions for this operation. Missing scopes: {needed}."
        )

    def _models(self, asked: Asked) -> Entry:
        issued = self._caller(asked, 403)
        if self.look_counts:
            self._server.touch(issued.id)
        self._server.issued.used(issued, _MODELS)
        model = {"id": MODEL, "object": "model", "created": 1_700_000_000, "owned_by": "system"}
        return {"object": "list", "data": [model]}

    def _chat(self, asked: Asked) -> Entry:
        issued = self._caller(asked, 401)
        if "model" not in asked.body or not asked.body.get("messages"):
            raise Refused(400, "missing_required_parameter", "you must provide a model and messages")
        self._server.touch(issued.id)
        self._server.issued.used(issued, _CHAT, TOKENS)
        message = {"role": "assistant", "content": "hello", "refusal": None}
        return {
            "id": f"chatcmpl-{len(self._server.issued.uses)}",
            "object": "chat.completion",
            "created": int(self._server.issued.now()),
            "model": asked.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {
                "prompt_tokens": TOKENS[0],
                "completion_tokens": TOKENS[1],
                "total_tokens": sum(TOKENS),
            },
        }
