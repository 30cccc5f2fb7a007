"""HTTP connections on which an answer must end: a server that drips is as good as a silent one.

A socket's own timeout starts anew with every byte, so a byte every second would keep a pull, and
whoever tries to interrupt it, for ever. Here the clock of an answer starts when the question has
left, and runs over its status, its headers and its body.

    adapter.poolmanager.pool_classes_by_scheme = pools(meter, longest=300.0)
"""

from __future__ import annotations

import io
import socket
import time
from typing import Any

from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import Kind, RefusedError

_LOOK_UP = 0.2
"""Seconds after which a waiting thread notices that the pull was told to stop."""


def pools(meter: Meter, *, longest: float) -> dict[str, Any]:
    """Give urllib3's pools by scheme, whose answers must end within `longest` seconds.

    Reading raises RefusedError for one that does not, and StoppedError once the pull was told to stop.
    """
    import http.client

    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Answer(http.client.HTTPResponse):
        """One answer, read under the deadline."""

        def __init__(self, sock: Any, *more: Any, **options: Any) -> None:
            super().__init__(sock, *more, **options)
            file: Any = self.fp
            self.fp = io.BufferedReader(_Watched(file.detach(), sock, meter, longest))

    class Plain(HTTPConnection):
        """A connection without TLS, or one that a proxy carries on."""

        response_class = Answer

    class Secure(HTTPSConnection):
        """A connection with TLS."""

        response_class = Answer

    class PlainPool(HTTPConnectionPool):
        """Connections of the first kind."""

        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        """Connections of the second kind."""

        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class _Watched(io.RawIOBase):
    """The bytes of one answer; looks at the clock and for an interrupt before it takes any."""

    def __init__(self, raw: Any, line: Any, meter: Meter, longest: float) -> None:
        self._raw = raw
        self._line = line
        self._meter = meter
        self._longest = longest
        self._ends = time.monotonic() + longest

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int | None:
        silence = self._line.gettimeout()
        self._wait(self._ends if silence is None else time.monotonic() + silence)
        count: int | None = self._raw.readinto(into)
        return count

    def _wait(self, patient_until: float) -> None:
        """Return once there is something to read; raises TimeoutError after a silence."""
        while True:
            self._meter.rest(0)
            now = time.monotonic()
            if now >= self._ends:
                raise RefusedError(Kind.OTHER, saying=f"the answer took longer than {self._longest:,.0f} s")
            if now >= patient_until:
                raise TimeoutError("timed out")
            if self._readable(min(_LOOK_UP, patient_until - now, self._ends - now)):
                return

    def _readable(self, seconds: float) -> bool:
        """Say whether reading would not wait; what TLS has unpacked does not show at the socket."""
        from urllib3.util.wait import wait_for_read

        if not isinstance(self._line, socket.socket):
            return True  # TLS within TLS, whose bytes may wait anywhere: its own timeout must do
        pending = getattr(self._line, "pending", None)
        return bool(pending is not None and pending()) or wait_for_read(self._line, seconds)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
