"""Groq, Mistral and Gemini as far as a key can be tried there: the list of models, for whoever has a live one.

None has an interface to its keys: `put_key` and `drop_key` are what somebody does on the web site.
Errors are as users of the real ones reported them.
"""

from __future__ import annotations

from servers.admin_api import AdminApi, Asked, Entry, Refused, Routes
from servers.clock import Clock
from servers.issued_keys import Issued


class ModelList(AdminApi):
    """One provider's list at `path`; `restricted` has the ids of keys that may not ask for it."""

    path = ""
    prefix = ""

    def __init__(self, clock: Clock | None = None) -> None:
        self.restricted: set[str] = set()
        super().__init__(clock)

    def put_key(self, identifier: str, value: str | None = None, *, minted: bool = False) -> str:
        """Add a key; gives its value."""
        return self.issued.add(identifier, value or f"{self.prefix}CANARY-{identifier}", minted=minted).value

    def drop_key(self, identifier: str) -> None:
        self.issued.kill(identifier)

    def routes(self) -> Routes:
        return (("GET", self.path, self._models),)

    def check(self, asked: Asked) -> None:
        """Leave it to the list: nothing else is served."""

    def _models(self, asked: Asked) -> Entry:
        issued = self.caller(asked)
        if issued.id in self.restricted:
            raise self.forbidden()
        self.issued.used(issued, self.path)
        return self.shown(asked)

    def caller(self, asked: Asked) -> Issued:
        issued = self.issued.honoured(self.key_of(asked))
        if issued is None:
            raise self.dead()
        return issued

    def dead(self) -> Refused:
        return Refused(401, "invalid_api_key", "Invalid API Key")

    def forbidden(self) -> Refused:
        return Refused(403, "permission_denied", "not allowed")

    def shown(self, asked: Asked) -> Entry:
        model = {"id": "model-1", "object": "model", "created": 1_700_000_000, "owned_by": "us"}
        return {"object": "list", "data": [model]}


class Groq(ModelList):
    path = "/openai/v1/models"
    prefix = "gsk_"

    def error(self, refused: Refused) -> Entry:
        return {
            "error": {
                "message": refused.message,
                "type": "invalid_request_error",
                "code": refused.code,
            }
        }


class Mistral(ModelList):
    """`gateway`: the refusal is that of the gateway before it, which is worded differently."""

    path = "/v1/models"
    gateway = False

    def dead(self) -> Refused:
        return Refused(401, None, "Unauthorized")

    def error(self, refused: Refused) -> Entry:
        if self.gateway:
            return {"message": refused.message, "request_id": "c61f2f15feca71626a990e3740f99245"}
        return {"detail": refused.message}


class Gemini(ModelList):
    """Takes a key as `x-goog-api-key`, or as a parameter, which lands in logs. A dead one is **400**.

    `newer`: keys of the newer kind, which were seen refused with 401 as if they were tokens.
    """

    path = "/v1beta/models"
    prefix = "AIza"
    newer = False
    _STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}

    def key_of(self, asked: Asked) -> str | None:
        return asked.headers.get("x-goog-api-key") or asked.one("key")

    def caller(self, asked: Asked) -> Issued:
        if not self.key_of(asked):
            raise Refused(403, "", "Method doesn't allow unregistered callers")
        return super().caller(asked)

    def dead(self) -> Refused:
        if self.newer:
            return Refused(
                401, "ACCESS_TOKEN_TYPE_UNSUPPORTED", "Request had invalid authentication credentials."
            )
        return Refused(400, "API_KEY_INVALID", "API key not valid. Please pass a valid API key.")

    def forbidden(self) -> Refused:
        return Refused(403, "API_KEY_SERVICE_BLOCKED", "Requests to this API are blocked.")

    def error(self, refused: Refused) -> Entry:
        reason = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": refused.code,
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }
        said = {
            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US",
            "message": refused.message,
        }
        status = self._STATUS.get(refused.status, "INTERNAL")
        details = [reason, said] if refused.code else []
        return {
            "error": {
                "code": refused.status,
                "message": refused.message,
                "status": status,
                "details": details,
            }
        }

    def shown(self, asked: Asked) -> Entry:
        names = [{"name": f"models/gemini-{number}", "displayName": f"Gemini {number}"} for number in (2, 3)]
        size = int(asked.one("pageSize") or "50")
        more = {"nextPageToken": str(size)} if size < len(names) else {}
        return {"models": names[:size], **more}
