"""The one door to Vault: hvac over a guarded session, and what its answers mean.

A 403 says the same of a path that is denied and of a token that has ended; only newer servers add
which. `sys/health`, where 429 means "standby", is never asked: here 429 is always a rate limit.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from keyaudit.errors import MissingExtraError
from keyaudit.sources.pulling import web
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.vault.settings import VaultSettings, origin
from keyaudit.times import SECOND

_ENDED = b"invalid token"
_NO_SUCH_PATH = (b"unsupported path", b"no handler for route")
"""What a 404 says that is not about an empty list: an older engine, or no mount at all."""
_KINDS = {401: Kind.CREDENTIALS, 403: Kind.DENIED, 404: Kind.GONE}
_SAYING = {
    472: "asked a standby of disaster recovery, which answers nothing",
    473: "asked a standby, which answers nothing",
    501: "the server is not initialised",
}
_ELSEWHERE = "sent on to another address"


def _adapters() -> Any:
    """Import hvac's adapters: unlike its client they read nothing from the environment."""
    try:
        return importlib.import_module("hvac.adapters")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] in {"hvac", "requests"}:
            raise MissingExtraError("vault", "listing Vault") from None
        raise


def judge(status: int, headers: Mapping[str, str]) -> Kind | None:
    """Say what a status means for a retry: a sealed server stays sealed, a standby catches up (412)."""
    if status in {501, 503} and web.retry_after(headers) is None:
        return Kind.SEALED if status == 503 else None
    return Kind.SERVER if status == 412 else web.judge(status, headers)


class Vault:
    """Asks one server about one namespace."""

    def __init__(
        self, settings: VaultSettings, token: str, namespace: str, allowed: web.Allowed, meter: Meter
    ) -> None:
        """Nothing is sent yet; raises MissingExtraError."""
        session = web.open_session(
            allowed,
            meter,
            extra="vault",
            attempts=settings.attempts,
            timeout=settings.timeout / SECOND,
            headers={"X-Vault-Token": token},
            judge=judge,
            connections=settings.calls_per_scope,
        )
        if settings.ca_cert is not None:
            session.verify = str(settings.ca_cert)
        address = settings.address.rstrip("/")
        self._prefix = urlsplit(address).path
        self._home = urlsplit(address).hostname
        self._standbys = frozenset(origin(each) for each in settings.standbys)
        self._session = session
        self._adapter = _adapters().RawAdapter(
            base_uri=address,
            token=token,
            session=session,
            namespace=namespace.encode() or None,
            allow_redirects=False,
        )

    def ask(self, verb: str, path: str, **options: Any) -> bytes:
        """Give the body of a good answer; `options` are hvac's.

        Raises RefusedError, OperationRefusedError, StoppedError.
        """
        return _body(self.response(verb, path, **options))

    def response(self, verb: str, path: str, **options: Any) -> Any:
        """Give the answer (of requests) whatever its status, where that is not worth asking again.

        Raises as `ask` does.
        """
        response = self._adapter.request(verb, f"/v1/{path}", raise_exception=False, **options)
        if response.status_code in {301, 302, 307, 308}:
            self._follow(response)
            response = self._adapter.request(verb, f"/v1/{path}", raise_exception=False, **options)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _follow(self, response: Any) -> None:
        """Ask the active node from now on, if a standby named it, as Vault's own client does.

        The token goes along: so only to the host of the settings and to the standbys that they name,
        only for the path that was asked, and with TLS where there was TLS before.
        """
        asked = urlsplit(response.url)
        status = f"HTTP {response.status_code}"
        try:
            target = urlsplit(urljoin(response.url, response.headers.get("Location", "")))
            there = origin(target.geturl())
        except ValueError:
            raise RefusedError(Kind.OTHER, status, saying=_ELSEWHERE) from None
        if (target.path, target.query) != (asked.path, asked.query) or "@" in target.netloc:
            raise RefusedError(Kind.OTHER, status, saying=_ELSEWHERE)
        if target.scheme != "https" and (asked.scheme, target.scheme) != ("http", "http"):
            raise RefusedError(Kind.OTHER, status, saying="sent on without TLS, where no token goes")
        if target.hostname != self._home and there not in self._standbys:
            raise RefusedError(Kind.OTHER, status, saying=f"{_ELSEWHERE}, which `standbys` does not name")
        self._adapter.base_uri = f"{target.scheme}://{target.netloc}{self._prefix}"


def _body(response: Any) -> bytes:
    status: int = response.status_code
    if status == 200:
        return bytes(response.content)
    if status == 403 and _ENDED in response.content:
        raise RefusedError(Kind.EXPIRED, "HTTP 403", saying="the token is not valid, or no longer")
    if status == 404 and any(each in response.content for each in _NO_SUCH_PATH):
        raise RefusedError(Kind.NOT_ENABLED, "HTTP 404", saying="the server has nothing at this path")
    kind = _KINDS.get(status, Kind.OTHER)
    raise RefusedError(kind, f"HTTP {status}", saying=_SAYING.get(status))
