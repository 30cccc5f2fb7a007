"""What the servers of AI providers share: routes, who may ask what, lists by the last id, a log, and failures to order.

`calls` has every request in order, with the id of the key that it came with; `fail` breaks the next
ones, before they have done anything or after, with an error or with a connection that is cut.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from keyaudit.times import SECOND
from servers.clock import Clock
from servers.issued_keys import IssuedKeys
from servers.loopback import Loopback

Entry = dict[str, Any]
Routes = Sequence[tuple[str, str, Callable[..., Any]]]
NOON = 1_795_262_400 * SECOND
"""2026-11-21T12:00:00Z."""
ADMIN, UNKNOWN = "admin", "unknown"
"""How `calls` names the administrator's own key, and a key that was never issued."""


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `query` has every value of a parameter."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: Entry = field(default_factory=dict)

    def many(self, name: str) -> list[str]:
        """Give all values of a list, which clients write as `name` or as `name[]`."""
        return [*self.query.get(name, []), *self.query.get(f"{name}[]", [])]

    @property
    def bearer(self) -> str | None:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        return value if kind == "Bearer" and value else None

    def one(self, name: str, default: str | None = None) -> str | None:
        return self.query.get(name, [default])[0]


class Refused(Exception):
    """An answer that is an error; `code` and `message` are put into words by the provider's server."""

    def __init__(
        self, status: int, code: str | None, message: str = "no", *, about: str | None = None
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.about = status, code, message, about


class Cut(Exception):
    """The connection ends without an answer."""


class Call(NamedTuple):
    """One request: `key` is the id of the key it came with, ADMIN, UNKNOWN, or None without any."""

    method: str
    path: str
    key: str | None


class Created(dict[str, Any]):
    """An answer with status 201."""


@dataclass
class Failure:
    """What to do to the next `times` requests (None: to all); `status` None cuts the connection."""

    method: str
    path: str
    status: int | None
    code: str
    after: bool
    times: int | None
    key: str | None

    def meets(self, call: Call, *, after: bool) -> bool:
        return (
            self.after == after
            and self.times != 0
            and self.method in {"*", call.method}
            and self.key in {None, call.key}
            and re.fullmatch(self.path, call.path) is not None
        )


class AdminApi(Loopback):
    """A provider's server subclasses this: `routes`, `check` and `error`, and where a request has its key.

    Its clock stands still at NOON; give it another one to share.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.log: list[Asked] = []
        self.calls: list[Call] = []
        self.clock = clock or Clock(NOON)
        self.dates_answers = clock is not None
        """Whether an answer's `Date` is by that clock, and not the wall's."""
        self.issued = IssuedKeys(self.clock)
        self.lock = threading.RLock()
        self.faults: list[Exception] = []
        self._failures: list[Failure] = []
        super().__init__()

    def __exit__(self, *details: object) -> None:
        """Stop; a mistake of the server itself is no answer, and fails the test."""
        super().__exit__(*details)
        if self.faults:
            raise self.faults[0]

    def routes(self) -> Routes:
        """Give method, path (a regular expression whose groups are arguments) and what answers."""
        raise NotImplementedError

    def key_of(self, asked: Asked) -> str | None:
        """Give the value of the key that a request came with."""
        return asked.bearer

    def is_admin(self, value: str) -> bool:
        return False

    def fail(
        self,
        method: str,
        path: str,
        status: int | None = 500,
        *,
        code: str = "server_error",
        after: bool = False,
        times: int | None = 1,
        key: str | None = None,
    ) -> None:
        """Answer requests (a method or *, a path as a regular expression) with an error, or cut them off.

        `after`: only once they have done what they were sent for. `key`: those of one key, by its id.
        """
        with self.lock:
            self._failures.append(Failure(method, path, status, code, after, times, key))

    def deny(self, method: str, path: str) -> None:
        """Refuse requests with 403 from now on."""
        self.fail(method, path, 403, code="permission_denied", times=None)

    def heal(self) -> None:
        """Forget every failure and denial."""
        with self.lock:
            self._failures.clear()

    def calls_of(self, key: str | None) -> list[Call]:
        return [each for each in self.calls if each.key == key]

    def check(self, asked: Asked) -> None:
        """Refuse who may not ask."""
        raise NotImplementedError

    def error(self, refused: Refused) -> Any:
        """Put an error into the provider's words."""
        raise NotImplementedError

    def asked(self, path: str) -> list[Asked]:
        return [each for each in self.log if re.fullmatch(path, each.path)]

    def respond(self, asked: Asked) -> tuple[int, Any]:
        with self.lock:
            call = Call(asked.method, asked.path, self._caller(asked))
            self.log.append(asked)
            self.calls.append(call)
            try:
                self._break(call, after=False)
                answer = self._answer(asked)
                self._break(call, after=True)
            except Refused as refused:
                return refused.status, self.error(refused)
            return 201 if isinstance(answer, Created) else 200, answer

    def _answer(self, asked: Asked) -> Any:
        self.check(asked)
        known = False
        for method, path, answer in self.routes():
            if match := re.fullmatch(path, asked.path):
                if method == asked.method:
                    return answer(asked, *match.groups())
                known = True
        raise Refused(405, "method_not_allowed", "Method Not Allowed") if known else Refused(404, "not_found")

    def _caller(self, asked: Asked) -> str | None:
        value = self.key_of(asked)
        if not value:
            return None
        if self.is_admin(value):
            return ADMIN
        issued = self.issued.named(value)
        return issued.id if issued else UNKNOWN

    def _break(self, call: Call, *, after: bool) -> None:
        failure = next((each for each in self._failures if each.meets(call, after=after)), None)
        if failure is None:
            return
        if failure.times is not None:
            failure.times -= 1
        if failure.status is None:
            raise Cut
        raise Refused(failure.status, failure.code)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                sent = self.rfile.read(int(self.headers.get("content-length") or 0))
                url = urlsplit(self.path)
                asked = Asked(self.command, url.path, parse_qs(url.query), self.headers, body_of(sent))
                try:
                    status, body = server.respond(asked)
                except Cut:
                    return self.cut()
                except Exception as fault:
                    server.faults.append(fault)
                    raise
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                return None

            def date_time_string(self, timestamp=None):
                now = server.clock() / SECOND if server.dates_answers else None
                return super().date_time_string(now if timestamp is None else timestamp)

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

            def cut(self):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()

            def log_message(self, *_):
                pass

        return Handler


def body_of(sent: bytes) -> Entry:
    """Read a request's body; one that is no JSON object counts as none."""
    try:
        found = json.loads(sent or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def masked(value: str) -> str:
    """Show a key as providers do in their errors: its ends."""
    return f"{value[:8]}{'*' * 8}{value[-4:]}"


def listed(entries: Sequence[Entry], asked: Asked, *, after: str, most: int) -> Entry:
    """Give one page of a list, which goes on after an id; 20 entries unless told."""
    limit = asked.one("limit", "20")
    if not limit.isdigit() or not 1 <= int(limit) <= most:
        raise Refused(400, "invalid_request_error", f"limit must be 1 to {most}")
    start = 0
    if (last := asked.one(after)) is not None:
        ids = [entry["id"] for entry in entries]
        if last not in ids:
            raise Refused(400, "invalid_request_error", "no such cursor")
        start = ids.index(last) + 1
    page = entries[start : start + int(limit)]
    return {
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": start + len(page) < len(entries),
    }


def reported(buckets: Sequence[Entry], asked: Asked, *, most: int, usual: int = 7) -> Entry:
    """Give one page of a report, which goes on by a token; `usual` buckets unless told."""
    limit = asked.one("limit", str(usual))
    if not limit.isdigit() or not 1 <= int(limit) <= most:
        raise Refused(400, "invalid_request_error", f"limit must be 1 to {most}")
    start = int((asked.one("page") or "page_0").removeprefix("page_"))
    page = buckets[start : start + int(limit)]
    goes_on = start + len(page) < len(buckets)
    return {
        "data": page,
        "has_more": goes_on,
        "next_page": f"page_{start + len(page)}" if goes_on else None,
    }
