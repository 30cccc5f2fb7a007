"""The one door to plain HTTP for parties of a rotation: a list of calls, and nothing else leaves.

    web = Web("OpenAI", settings.endpoint, (LIST, DELETE), {"Authorization": f"Bearer {key}"}, …)
    body = web.get(LIST, {"limit": "100"}, at={"project": "proj_abc"})
    answer = web.ask(DELETE, at={"project": "proj_abc", "key": "key_1"})

A call is written as a provider's own documentation does, `DELETE /v1/projects/{project}/api_keys/{key}`.
It is what may be asked, what is asked, and what `--dry-run` prints.

A GET is repeated while a server is throttled or broken, as far as its Retry-After allows. Nothing
else is ever repeated: of a POST that was cut off nobody knows whether it made a key. Redirects are
not followed, no `.netrc` is read, and answers end: within `timeout`, and within 64 MiB.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from keyaudit.errors import RotationError
from keyaudit.sources.protocol import OperationRefusedError
from keyaudit.sources.pulling.decoding import decoded
from keyaudit.sources.pulling.json_lists import entries, error_code
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.pages import whole
from keyaudit.sources.pulling.refusals import RefusedError, clean
from keyaudit.sources.pulling.web import Allowed, beneath, open_session
from keyaudit.times import SECOND

Params = Mapping[str, Any] | Sequence[tuple[str, str]] | None
"""What stands after the question mark; a list where a name stands there twice."""

_PER_SECOND = 10.0
_TOLERATED = 5 * SECOND
"""An answer's date has whole seconds, and was on its way."""
_PLACE = re.compile(r"\\\{[a-z_]+\\\}")
_ID = r"[A-Za-z0-9_-][A-Za-z0-9._~-]{0,199}"
"""No slash, and neither `.` nor `..`: what an id cannot do is lead to another path."""

_SAYING = {401: "the key that asks is refused", 403: "denied", 404: "not there"}

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The body may hold a new key: it is not shown."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Answer(status={self.status})"

    @property
    def good(self) -> bool:
        """Say whether what was asked for was done."""
        return 200 <= self.status < 300


class Web:
    """Asks one provider, as the owner of one key."""

    def __init__(
        self,
        whom: str,
        endpoint: str,
        calls: Iterable[str],
        headers: Mapping[str, str],
        *,
        timeout: int,
        extra: str,
        variable: str | None = None,
        attempts: int = 5,
    ) -> None:
        """`timeout` is in microseconds; `variable` is where the key came from, for hints.

        `attempts` is how often a GET is sent at most.

        Raises MissingExtraError, and SourceError for a key that no request can carry, when first asked.
        """
        self._whom, self._endpoint, self._headers = whom, endpoint, headers
        self._allowed = beneath(endpoint, _allowed(calls))
        self._timeout, self._extra, self._variable = timeout / SECOND, extra, variable
        self._attempts = attempts
        self._meter = Meter(Pace(_PER_SECOND, threading.Event()))

    def ask(
        self,
        call: str,
        params: Params = None,
        body: Mapping[str, Any] | None = None,
        *,
        at: Mapping[str, str] | None = None,
    ) -> Answer:
        """Give what was answered, whatever its status below 500 but 429; `at` fills the path.

        Raises RotationError where there was no answer, or that the server is throttled or broken.
        """
        method, _, template = call.partition(" ")
        path = template.format(**{name: quote(place, safe="") for name, place in (at or {}).items()})
        tries = self._attempts if method == "GET" else 1
        try:
            with closing(self._session(tries)) as session:
                url = self._endpoint.rstrip("/") + path
                got = session.request(method, url, params=params, json=body, allow_redirects=False)
                return Answer(got.status_code, got.content)
        except RefusedError as error:
            reason = error.refusal.reason
        except OperationRefusedError:
            raise RotationError(f"{self._whom}: an id that is none; nothing was sent") from None
        raise RotationError(f"{self._whom}: {reason}", hint=None if method == "GET" else _MAYBE_DONE)

    def get(self, call: str, params: Params = None, *, at: Mapping[str, str] | None = None) -> bytes:
        """Give the body of a good answer; raises RotationError for any other."""
        answer = self.ask(call, params, at=at)
        if not answer.good:
            raise self.refused(answer)
        return answer.body

    def time(self, now: int) -> int:
        """Give `now`, or what time it is at the provider where our clock is ahead of that.

        What a provider says of the last use is in its own time: by a clock that is ahead, a key in use
        would look silent. Known from the first answer on.
        """
        there = self._meter.server_time()
        return now if there is None or there + _TOLERATED >= now else there

    def refused(self, answer: Answer, *, hint: str | None = None) -> RotationError:
        """Say that an answer is a refusal: its status and code, and never the server's own words."""
        code = error_code(answer.body)
        detail = f"HTTP {answer.status}, {clean(code)}" if code else f"HTTP {answer.status}"
        if hint is None and answer.status in {401, 403} and self._variable:
            hint = f"is the key in {self._variable} alive, and may it do this?"
        return RotationError(f"{self._whom}: {_SAYING.get(answer.status, 'refused')} ({detail})", hint=hint)

    def list(self, ask: Callable[[str | None], bytes], kind: type[Entry]) -> list[Entry]:
        """Give a list that goes on after the last id of a page, whole; raises RotationError otherwise."""
        return self.read(lambda: whole(entries(ask, kind)))

    def decode(self, body: bytes, decoder: msgspec.json.Decoder[Entry], *, hint: str | None = None) -> Entry:
        """Give what an answer says; raises RotationError with a hint where it cannot be read."""
        try:
            return decoded(body, decoder)
        except RefusedError as error:
            reason = error.refusal.reason
        raise RotationError(f"{self._whom}: {reason}", hint=hint)

    def read(self, reading: Callable[[], Entry]) -> Entry:
        """Give what is read of answers; raises RotationError where they make no sense."""
        try:
            return reading()
        except RefusedError as error:
            reason = error.refusal.reason
        raise RotationError(f"{self._whom}: {reason}")

    def _session(self, attempts: int) -> Any:
        return open_session(
            self._allowed,
            self._meter,
            extra=self._extra,
            attempts=attempts,
            timeout=self._timeout,
            longest=self._timeout,
            headers=self._headers,
            connections=1,
        )


_MAYBE_DONE = "it may have been done all the same: run it again, which looks before it does anything"


def _allowed(calls: Iterable[str]) -> Allowed:
    """Give the paths of some calls; `{name}` stands for one id."""
    return [
        (method, re.compile(_PLACE.sub(_ID.replace("\\", "\\\\"), re.escape(path))))
        for method, _, path in (call.partition(" ") for call in calls)
    ]
