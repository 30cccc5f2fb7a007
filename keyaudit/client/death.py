"""Which errors mean that the key itself is dead. Read off an error's attributes; no SDK is imported.

| answer | is it the key? |
|---|---|
| 401 | yes, unless it is about the caller's address, organization or project: another key fares no better |
| 401 for a scope that the key lacks (OpenAI, with code missing_scope or none) | no: as 403 |
| 400 with reason API_KEY_INVALID (Gemini) | yes |
| 403 | no: a permission, a region; a new key with fewer scopes must be noticed, not papered over |
| 402, 429, 5xx, timeout, lost connection | no: the same with any key, and it may have been executed |

Established with openai 1.109 and 3.52, anthropic 0.125 and 2.11.
"""

from __future__ import annotations

import json
from typing import Any

_SURELY_THE_KEY = frozenset({"invalid_api_key", "authentication_error", "expired_api_key"})
_ABOUT_THE_CALLER = ("ip address", "ip not authorized", "ip_not_authorized", "organization", "project")
_ABOUT_A_SCOPE = ("missing_scope", "missing scopes")


def dead_key(error: BaseException) -> bool:
    """Say whether the provider refused the key itself, so that another key is worth trying."""
    status = getattr(error, "status_code", None)
    if status == 401:
        code = code_of(error)
        said = f"{code or ''} {getattr(error, 'message', '')}".lower()
        return code in _SURELY_THE_KEY or not any(
            word in said for word in (*_ABOUT_THE_CALLER, *_ABOUT_A_SCOPE)
        )
    return status == 400 and "API_KEY_INVALID" in _text(getattr(error, "body", None))


def code_of(error: BaseException) -> str | None:
    """Give the provider's code for an error: `invalid_api_key`, `authentication_error`, or nothing."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    named = inner.get("code") or inner.get("type") if isinstance(inner, dict) else None
    code = getattr(error, "code", None) or named
    return code if isinstance(code, str) else None


def _text(body: Any) -> str:
    try:
        return json.dumps(body)
    except (TypeError, ValueError):
        return str(body)
