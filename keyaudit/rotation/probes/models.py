"""Is a key alive at a provider of models? One free GET, with the key in a header and nothing else of ours.

    probe:
      kind: openai                       # anthropic, gemini, groq, mistral, openrouter
      endpoint: https://api.openai.com   # mistral: https://codestral.mistral.ai for keys of Codestral
      timeout: 30s

| provider | asked | alive | restricted | dead |
|---|---|---|---|---|
| openai | /v1/models | 200 | 403; 401 for a missing scope | 401 invalid_api_key |
| anthropic | /v1/models | 200 | 403 permission_error | 401 authentication_error |
| gemini | /v1beta/models | 200 | 403 by address, referrer or application | **400** API_KEY_INVALID |
| groq | /openai/v1/models | 200 | 403 with a code | 401 |
| mistral | /v1/models | 200 | 403 | 401 |
| openrouter | /api/v1/key (the models are public) | 200 | 403 | 401 |

Anything else is unknown: throttled, broken, cut off; a region that is blocked; an address or an
organization that OpenAI's 401 is about; a Gemini project that is suspended or has the service
disabled, where a live key is of no use to anybody; an OpenRouter management key, which chats with
nobody; and an answer that is no JSON, which is somebody else's. Nothing of the environment goes
along, OPENAI_ORG_ID least of all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from keyaudit.errors import KeyauditError
from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.extras import EXTRAS
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Liveness
from keyaudit.sources.pulling.settings import Endpoint

_Said = Mapping[str, Any]
_Judge = Callable[[int, _Said], Liveness]

_EXPIRED = frozenset({"invalid_api_key", "expired_api_key"})
_SCOPES = "Missing scopes"
_BY_CALLER = frozenset(
    {
        "API_KEY_HTTP_REFERRER_BLOCKED",
        "API_KEY_IP_ADDRESS_BLOCKED",
        "API_KEY_ANDROID_APP_BLOCKED",
        "API_KEY_IOS_APP_BLOCKED",
    }
)
"""It depends on who asks: applications may be answered where this machine is not."""


def _error(said: _Said) -> _Said:
    error = said.get("error")
    return error if isinstance(error, Mapping) else {}


def _code(said: _Said) -> str:
    error = _error(said)
    return str(error.get("code") or error.get("type") or "")


def _openai(status: int, said: _Said) -> Liveness:
    code = _code(said)
    if status == 401:
        # OpenAI gives no code, or this one, where a live key lacks a scope; its words are not repeated.
        if code == "missing_scope" or _SCOPES in str(_error(said).get("message", "")):
            return Liveness.RESTRICTED
        return Liveness.DEAD if code in _EXPIRED else Liveness.UNKNOWN
    blocked = code.startswith("unsupported_country")
    return Liveness.RESTRICTED if status == 403 and "error" in said and not blocked else Liveness.UNKNOWN


def _anthropic(status: int, said: _Said) -> Liveness:
    meaning = {(401, "authentication_error"): Liveness.DEAD, (403, "permission_error"): Liveness.RESTRICTED}
    return meaning.get((status, str(_error(said).get("type"))), Liveness.UNKNOWN)


def _gemini(status: int, said: _Said) -> Liveness:
    details = _error(said).get("details")
    reasons = {
        str(each.get("reason"))
        for each in (details if isinstance(details, list) else [])
        if isinstance(each, Mapping)
    }
    if status == 400 and "API_KEY_INVALID" in reasons:
        return Liveness.DEAD
    return Liveness.RESTRICTED if status == 403 and reasons & _BY_CALLER else Liveness.UNKNOWN


def _groq(status: int, said: _Said) -> Liveness:
    if status == 401 and _error(said):
        return Liveness.DEAD
    # Without a code it is an address or a region that is blocked.
    return Liveness.RESTRICTED if status == 403 and _code(said) else Liveness.UNKNOWN


def _plain(status: int, said: _Said) -> Liveness:
    meaning = {401: Liveness.DEAD, 403: Liveness.RESTRICTED}
    return meaning.get(status, Liveness.UNKNOWN) if said else Liveness.UNKNOWN


@dataclass(frozen=True, slots=True)
class _How:
    """How one provider is asked, what a good answer holds, and what any other means."""

    judge: _Judge
    header: str = "Authorization"
    begins: str = "Bearer "
    more: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    holds: str = "data"


class _Settings(PartySettings):
    endpoint: Endpoint


class _Models:
    kind: ClassVar[str]
    calls: ClassVar[tuple[str, ...]]
    Settings: ClassVar[type[_Settings]]
    _how: ClassVar[_How]

    def __init__(self, settings: _Settings) -> None:
        self._settings = settings

    @classmethod
    def opened(cls, settings: _Settings, means: Means) -> Self:
        """Open it."""
        del means
        return cls(settings)

    def ask(self, parts: Parts) -> Liveness:
        """Ask once; what goes wrong on the way is unknown."""
        how = self._how
        if not parts.get("key"):
            return Liveness.UNKNOWN
        try:
            web = Web(
                self.kind,
                self._settings.endpoint,
                self.calls,
                {how.header: how.begins + parts["key"], **how.more},
                timeout=self._settings.timeout,
                extra=EXTRAS[self.kind] or "http",
                attempts=1,
            )
            answer = web.ask(self.calls[0], how.params)
        except KeyauditError:
            return Liveness.UNKNOWN
        said = _object(answer.body)
        if answer.status == 200:
            return self._alive(said) if how.holds in said else Liveness.UNKNOWN
        return how.judge(answer.status, said)

    def _alive(self, said: _Said) -> Liveness:
        del said
        return Liveness.ALIVE


def _object(body: bytes) -> _Said:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


class OpenAiSettings(_Settings):
    """Checked settings."""

    kind: Literal["openai"]
    endpoint: Endpoint = "https://api.openai.com"


class OpenAi(_Models):
    """Asks OpenAI for its models."""

    kind = "openai"
    Settings = OpenAiSettings
    calls = ("GET /v1/models",)
    _how = _How(_openai)


class AnthropicSettings(_Settings):
    """Checked settings."""

    kind: Literal["anthropic"]
    endpoint: Endpoint = "https://api.anthropic.com"


class Anthropic(_Models):
    """Asks Anthropic for one of its models, which no usage report shows."""

    kind = "anthropic"
    Settings = AnthropicSettings
    calls = ("GET /v1/models",)
    _how = _How(
        _anthropic,
        header="x-api-key",
        begins="",
        more={"anthropic-version": "2023-06-01"},
        params={"limit": "1"},
    )


class GeminiSettings(_Settings):
    """Checked settings."""

    kind: Literal["gemini"]
    endpoint: Endpoint = "https://generativelanguage.googleapis.com"


class Gemini(_Models):
    """Asks Gemini for one of its models, with the key in a header: a parameter would land in logs."""

    kind = "gemini"
    Settings = GeminiSettings
    calls = ("GET /v1beta/models",)
    _how = _How(_gemini, header="x-goog-api-key", begins="", params={"pageSize": "1"}, holds="models")


class GroqSettings(_Settings):
    """Checked settings."""

    kind: Literal["groq"]
    endpoint: Endpoint = "https://api.groq.com"


class Groq(_Models):
    """Asks Groq for its models."""

    kind = "groq"
    Settings = GroqSettings
    calls = ("GET /openai/v1/models",)
    _how = _How(_groq)


class MistralSettings(_Settings):
    """Checked settings."""

    kind: Literal["mistral"]
    endpoint: Endpoint = "https://api.mistral.ai"


class Mistral(_Models):
    """Asks Mistral for its models."""

    kind = "mistral"
    Settings = MistralSettings
    calls = ("GET /v1/models",)
    _how = _How(_plain)


class OpenRouterSettings(_Settings):
    """Checked settings."""

    kind: Literal["openrouter"]
    endpoint: Endpoint = "https://openrouter.ai"


class OpenRouter(_Models):
    """Asks OpenRouter what the key may know of itself: its list of models is for everybody."""

    kind = "openrouter"
    Settings = OpenRouterSettings
    calls = ("GET /api/v1/key",)
    _how = _How(_plain)

    def _alive(self, said: _Said) -> Liveness:
        data = said["data"]
        manages = isinstance(data, Mapping) and (
            data.get("is_management_key") or data.get("is_provisioning_key")
        )
        return Liveness.UNKNOWN if manages else Liveness.ALIVE
