"""The one door to plain HTTP: requests, guarded, paced, retried, and told nothing it need not know.

    http = open_session(ALLOWED, meter, attempts=10, timeout=30.0, headers={"x-api-key": key})
    body = get(http, "https://api.example.com/v1/keys", {"limit": "100"})

What the environment may add is kept out: no `.netrc` (it would replace our Authorization), no
cookies. Proxies and certificate bundles of the environment are honoured. What goes wrong leaves
as `RefusedError`, without the request that it happened to: its headers hold the key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from keyaudit import __version__
from keyaudit.errors import MissingExtraError, SourceError
from keyaudit.sources.protocol import OperationRefusedError
from keyaudit.sources.pulling.deadline import pools
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import TRANSIENT, Kind, RefusedError, clean
from keyaudit.sources.pulling.retrying import persistently

if TYPE_CHECKING:
    import requests

Allowed = Sequence[tuple[str, re.Pattern[str]]]
"""Method and path (without query) of what may be asked; the whole path must match."""

Judge = Callable[[int, Mapping[str, str]], Kind | None]
"""Gives what a status means where it differs from `judge`, None where it is an answer for the caller."""

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes, unpacked. A page of a thousand keys is well under one of these mebibytes."""

PATIENCE = 60.0
"""Seconds that a whole answer may take, however short `timeout` is."""

LONGEST_AWAY = 1e9
"""Seconds, thirty years: more than that nobody means."""

_BROKEN = {
    "ConnectTimeout": (Kind.UNREACHABLE, "timed out"),
    "ReadTimeout": (Kind.UNREACHABLE, "timed out"),
    "SSLError": (Kind.UNREACHABLE, "TLS failed"),
    "ProxyError": (Kind.UNREACHABLE, "the proxy refused"),
    "ChunkedEncodingError": (Kind.UNREACHABLE, "the connection broke"),
    "ConnectionError": (Kind.UNREACHABLE, "the connection broke"),
    "ContentDecodingError": (Kind.UNREADABLE, "badly packed"),
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
    longest: float | None = None,
) -> requests.Session:
    """Open a session that asks for nothing but what `allowed` names.

    `extra` is the one of ours that brings requests. `timeout` is how many seconds a server may stay
    silent, `longest` how many a whole answer may take: ten times as many, and `PATIENCE` at least,
    unless told. Raises SourceError for a key that no header can carry. Sending raises
    OperationRefusedError before a byte leaves, RefusedError, StoppedError. Close it in the end.
    """
    try:
        import requests
    except ModuleNotFoundError:
        raise MissingExtraError(extra, "asking over HTTP") from None
    _refuse_unsendable(headers)

    def deliver(send: Callable[[], requests.Response], method: str, url: str) -> requests.Response:
        refuse_others(allowed, method, urlsplit(url).path)
        response = persistently(lambda: _sent(send, judge), meter, attempts, again=again)
        meter.heard(response.headers.get("Date"))
        return response

    session = _guarded()
    session.headers = requests.structures.CaseInsensitiveDict(
        {"User-Agent": f"keyaudit/{__version__}", "Accept": "application/json", **headers}
    )
    session.auth = lambda request: request
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.max_redirects = 3
    watched = pools(meter, longest=longest or max(PATIENCE, 10 * timeout))
    for scheme in ("https://", "http://"):
        session.mount(scheme, _door(deliver, watched, timeout, connections))
    return session


def _guarded() -> requests.Session:
    import requests

    class Guarded(requests.Session):
        """Looks nothing up in a `.netrc`, where a redirect leads somewhere else either."""

        def get_redirect_target(self, resp: Any) -> str | None:
            """Give where a redirect leads, None where that is no address: requests would raise."""
            try:
                target: str | None = super().get_redirect_target(resp)
                _ = urlsplit(target or "").port
            except ValueError:
                return None
            return target

        def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
            """Drop the key where a request would go to another host."""
            moved = self.should_strip_auth(  # type: ignore[no-untyped-call]
                response.request.url, prepared_request.url
            )
            if moved:
                prepared_request.headers.pop("Authorization", None)

    return Guarded()


def _door(
    deliver: Callable[..., requests.Response], watched: Mapping[str, Any], timeout: float, connections: int
) -> Any:
    from requests.adapters import HTTPAdapter

    class Door(HTTPAdapter):
        """Every request of the session passes here, redirects included."""

        def send(self, request: Any, *_: Any, **options: Any) -> Any:
            options |= {"timeout": timeout, "stream": False}
            return deliver(lambda: super(Door, self).send(request, **options), request.method, request.url)

        def init_poolmanager(self, *settings: Any, **more: Any) -> None:
            """Open connections on which no answer lasts for ever."""
            super().init_poolmanager(*settings, **more)
            self.poolmanager.pool_classes_by_scheme = watched

        def proxy_manager_for(self, proxy: Any, **more: Any) -> Any:
            """Open such connections by way of a proxy too."""
            manager = super().proxy_manager_for(proxy, **more)
            manager.pool_classes_by_scheme = watched
            return manager

    return Door(pool_maxsize=connections, max_retries=0)


def beneath(endpoint: str, allowed: Allowed) -> Allowed:
    """Give the same list for an endpoint whose paths begin with one of its own (a gateway)."""
    prefix = re.escape(urlsplit(endpoint).path.rstrip("/"))
    return [(method, re.compile(prefix + pattern.pattern)) for method, pattern in allowed]


def refuse_others(allowed: Allowed, method: str, path: str) -> None:
    """Raise OperationRefusedError unless a request is on the list."""
    if not any(method == verb and pattern.fullmatch(path) for verb, pattern in allowed):
        shown = re.sub(r"[^\w/.*-]", "?", path)[:100]
        raise OperationRefusedError(f"{method} {shown} is not on the read-only list; nothing was sent")


def _refuse_unsendable(headers: Mapping[str, str]) -> None:
    """Raise before requests does: its own exception quotes the value of the header."""
    if not all(re.fullmatch(r"([!-~]([ -~]*[!-~])?)?", value) for value in headers.values()):
        raise SourceError(
            "a key holds a line break or another character that no request can carry",
            hint="set the variable again, with the key and nothing else",
        )


def _sent(send: Callable[[], requests.Response], judge: Judge) -> requests.Response:
    """Send once and read the answer to its end; raises RefusedError."""
    import requests

    broken: str | None = None
    try:
        response = send()
        _read(response)
    except requests.RequestException as error:
        broken = type(error).__name__
    # Raised out here, or the exception of requests, with the headers it sent, would come along.
    if broken is not None:
        kind, detail = _BROKEN.get(broken, (Kind.UNREACHABLE, broken))
        raise RefusedError(kind, detail)
    found = judge(response.status_code, response.headers)
    if found is not None:
        raise RefusedError(found, f"HTTP {response.status_code}", hold=retry_after(response.headers))
    return response


def _read(response: requests.Response) -> None:
    """Take the body, unless it is too large to be an answer, packed or not."""
    body = bytearray()
    for part in response.iter_content(64 * 1024):
        body += part
        if len(body) > LARGEST_ANSWER:
            response.close()
            raise RefusedError(Kind.OTHER, saying="the answer was far too large")
    response._content = bytes(body)  # noqa: SLF001 - where requests keeps what it has read


def get(
    session: requests.Session,
    url: str,
    params: Mapping[str, Any] | None = None,
    *,
    code: Callable[[bytes], str | None] = lambda _: None,
) -> bytes:
    """Give the body of a good answer; raises RefusedError.

    `code` finds an error's code in the body of a bad one. A redirect is refused: the header with
    the key would go along.
    """
    response = session.get(url, params=params, allow_redirects=False)
    status = response.status_code
    if status == 200:
        return response.content
    kinds = {401: Kind.CREDENTIALS, 403: Kind.DENIED, 404: Kind.GONE}
    found = code(response.content)
    detail = f"HTTP {status}, {clean(found)}" if found else f"HTTP {status}"
    raise RefusedError(kinds.get(status, Kind.OTHER), detail)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Give the seconds that a server asks us to stay away, if it does.

    `Retry-After` is in seconds or a date, which is held against the server's own `Date`: our clock
    may differ. `Retry-After-Ms` is OpenAI's finer one.
    """
    for name, unit in (("Retry-After-Ms", 0.001), ("Retry-After", 1.0)):
        text = str(headers.get(name, "")).strip()
        if re.fullmatch(r"\d{1,100}(\.\d{1,6})?", text, re.ASCII):
            return min(float(text) * unit, LONGEST_AWAY)
    try:
        until, now = (parsedate_to_datetime(str(headers.get(name, ""))) for name in ("Retry-After", "Date"))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None
