"""One request of your own choice that says by its status whether a key is alive.

    probe:
      kind: http
      url: https://api.acme.example/v1/me
      method: GET                        # or HEAD, POST: choose what costs and changes nothing
      headers:
        Authorization: Bearer {key}      # `{key}` stands once, here and nowhere else
        Accept: application/json
      alive: [200, 204]                  # statuses
      restricted: [403]
      dead: [401]
      timeout: 30s

Any other status, and no answer at all, is unknown. The key is never part of the URL, which lands in
logs; redirects are not followed, and a POST has no body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, model_validator

from keyaudit.errors import KeyauditError
from keyaudit.rotation.doors.web import Web
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Liveness
from keyaudit.sources.pulling.settings import distinct

_PLACE = "{key}"
_URL = re.compile(
    r"https://[^/\s@?#{}\\]+(/[^\s#{}\\]*)?|http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/[^\s#{}\\]*)?",
    re.ASCII,
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_TEXT = re.compile(r"[!-~]([ -~]*[!-~])?")


def _url(text: str) -> str:
    if _PLACE in text:
        raise ValueError("a key in a URL lands in logs: put {key} into a header")
    if not _URL.fullmatch(text):
        raise ValueError("neither https://HOST/… nor http:// on this machine")
    return text


Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[tuple[Status, ...], AfterValidator(distinct)]


class RequestSettings(PartySettings):
    """Checked settings."""

    kind: Literal["http"]
    url: Annotated[str, AfterValidator(_url)]
    method: Literal["GET", "HEAD", "POST"] = "GET"
    headers: Mapping[str, str]
    alive: Statuses = (200, 204)
    restricted: Statuses = (403,)
    dead: Statuses = (401,)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        texts = list(self.headers.values())
        if sum(text.count(_PLACE) for text in texts) != 1:
            raise ValueError("`{key}` must stand exactly once in the headers")
        if not all(map(_NAME.fullmatch, self.headers)) or not all(map(_TEXT.fullmatch, texts)):
            raise ValueError("a header is no header that a request can carry")
        statuses = [*self.alive, *self.restricted, *self.dead]
        if len(set(statuses)) != len(statuses):
            raise ValueError("one status means two things")
        if not self.alive or not self.dead:
            raise ValueError("say which statuses mean alive, and which dead")
        return self


class Request:
    """Sends one request and looks at its status."""

    kind = "http"
    Settings = RequestSettings

    def __init__(self, settings: RequestSettings) -> None:
        self._settings = settings
        url = urlsplit(settings.url)
        self._endpoint = f"{url.scheme}://{url.netloc}"
        self.calls: tuple[str, ...] = (f"{settings.method} {url.path or '/'}",)
        self._query = parse_qsl(url.query, keep_blank_values=True)
        self._meaning = {
            **dict.fromkeys(settings.alive, Liveness.ALIVE),
            **dict.fromkeys(settings.restricted, Liveness.RESTRICTED),
            **dict.fromkeys(settings.dead, Liveness.DEAD),
        }

    @classmethod
    def opened(cls, settings: RequestSettings, means: Means) -> Self:
        """Open it."""
        del means
        return cls(settings)

    def ask(self, parts: Parts) -> Liveness:
        """Ask once; what goes wrong on the way is unknown."""
        key = parts.get("key")
        if not key:
            return Liveness.UNKNOWN
        headers = {name: text.replace(_PLACE, key) for name, text in self._settings.headers.items()}
        try:
            web = Web(
                self.kind,
                self._endpoint,
                self.calls,
                headers,
                timeout=self._settings.timeout,
                extra="http",
                attempts=1,
            )
            answer = web.ask(self.calls[0], self._query)
        except KeyauditError:
            return Liveness.UNKNOWN
        return self._meaning.get(answer.status, Liveness.UNKNOWN)
