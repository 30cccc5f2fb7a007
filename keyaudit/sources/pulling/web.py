"""The one door to plain HTTP: requests, guarded, paced, retried, and told nothing it need not know.

    http = open_session(ALLOWED, meter, attempts=10, timeout=30.0, headers={"x-api-key": key})
    body = get(http, "https://api.example.com/v1/keys", {"limit": "100"})

What the environment may add is kept out: no `.netrc` (it would replace our Authorization), no
cookies. Proxies and certificate bundles of the environment are honoured.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from keyaudit import __version__
from keyaudit.errors import MissingExtraError
from keyaudit.sources.protocol import OperationRefusedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import TRANSIENT, Kind, RefusedError
from keyaudit.sources.pulling.retrying import persistently

if TYPE_CHECKING:
    import requests

Allowed = Sequence[tuple[str, re.Pattern[str]]]
"""Method and path (without query) of what may be asked; the whole path must match."""

Judge = Callable[[int, Mapping[str, str]], Kind | None]
"""Gives what a status means where it differs from `judge`, None where it is an answer for the caller."""

_BROKEN = {
    "ConnectTimeout": "timed out",
    "ReadTimeout": "timed out",
    "SSLError": "TLS failed",
    "ProxyError": "the proxy refused",
    "ChunkedEncodingError": "the connection broke",
    "ConnectionError": "the connection broke",
}


def judge(status: int, headers: Mapping[str, str]) -> Kind | None:
    """Say which statuses are worth asking again; any other answer goes to the caller."""
    if status == 429 or (status == 503 and retry_after(headers) is not None):
        return Kind.THROTTLED
    return Kind.SERVER if status >= 500 else None


def open_session(
    allowed: Allowed,
    meter: Meter,
    *,
    extra: str,
    attempts: int,
    timeout: float,
    headers: Mapping[str, str],
    judge: Judge = judge,
    again: Collection[Kind] = TRANSIENT,
    connections: int = 8,
) -> requests.Session:
    """Open a session that asks for nothing but what `allowed` names.

    `extra` is the one of ours that brings requests. `timeout` is seconds for one answer. Sending
    raises OperationRefusedError before a byte leaves, RefusedError, StoppedError.
    """
    try:
        import requests
        from requests.adapters import HTTPAdapter
    except ModuleNotFoundError:
        raise MissingExtraError(extra, "listing over HTTP") from None

    class Door(HTTPAdapter):
        """Every request of the session passes here, redirects included."""

        def send(self, request: Any, *_: Any, **options: Any) -> Any:
            refuse_others(allowed, request.method, urlsplit(request.url).path)
            options |= {"timeout": timeout, "stream": False}

            def once() -> Any:
                return _sent(lambda: super(Door, self).send(request, **options), judge)

            return persistently(once, meter, attempts, again=again)

    session = requests.Session()
    session.headers = requests.structures.CaseInsensitiveDict(
        {"User-Agent": f"keyaudit/{__version__}", "Accept": "application/json", **headers}
    )
    session.auth = lambda request: request
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.max_redirects = 3
    for scheme in ("https://", "http://"):
        session.mount(scheme, Door(pool_maxsize=connections, max_retries=0))
    return session


def refuse_others(allowed: Allowed, method: str, path: str) -> None:
    """Raise OperationRefusedError unless a request is on the list."""
    if not any(method == verb and pattern.fullmatch(path) for verb, pattern in allowed):
        shown = re.sub(r"[^\w/.*-]", "?", path)[:100]
        raise OperationRefusedError(f"{method} {shown} is not on the read-only list; nothing was sent")


def _sent(send: Callable[[], requests.Response], judge: Judge) -> requests.Response:
    """Send once and read the answer to its end; raises RefusedError."""
    import requests

    try:
        response = send()
        _ = response.content
    except requests.RequestException as error:
        detail = _BROKEN.get(type(error).__name__, type(error).__name__)
        raise RefusedError(Kind.UNREACHABLE, detail) from None
    kind = judge(response.status_code, response.headers)
    if kind is not None:
        raise RefusedError(kind, f"HTTP {response.status_code}", hold=retry_after(response.headers))
    return response


def get(session: requests.Session, url: str, params: Mapping[str, Any] | None = None) -> bytes:
    """Give the body of a good answer; raises RefusedError.

    A redirect is refused: the header with the key would go along.
    """
    response = session.get(url, params=params, allow_redirects=False)
    status = response.status_code
    if status == 200:
        return response.content
    kinds = {401: Kind.CREDENTIALS, 403: Kind.DENIED, 404: Kind.GONE}
    raise RefusedError(kinds.get(status, Kind.OTHER), f"HTTP {status}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that `Retry-After` asks for; its other form, a date, is left to our own backoff."""
    text = str(headers.get("Retry-After", "")).strip()
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text, re.ASCII) else None
