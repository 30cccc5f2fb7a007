"""What the servers of AI providers share: routes, who may ask what, lists by the last id, and a log."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from servers.loopback import Loopback

Entry = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `query` has every value of a parameter."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]

    def one(self, name: str, default: str | None = None) -> str | None:
        return self.query.get(name, [default])[0]


class Refused(Exception):
    """An answer that is an error; `code` and `message` are put into words by the provider's server."""

    def __init__(self, status: int, code: str, message: str = "no") -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class AdminApi(Loopback):
    """A provider's server subclasses this: `routes`, `check` and `error`."""

    def __init__(self) -> None:
        self.log: list[Asked] = []
        super().__init__()

    def routes(self) -> Sequence[tuple[str, str, Callable[..., Any]]]:
        """Give method, path (a regular expression whose groups are arguments) and what answers."""
        raise NotImplementedError

    def check(self, asked: Asked) -> None:
        """Refuse who may not ask."""
        raise NotImplementedError

    def error(self, refused: Refused) -> Any:
        """Put an error into the provider's words."""
        raise NotImplementedError

    def asked(self, path: str) -> list[Asked]:
        return [each for each in self.log if re.fullmatch(path, each.path)]

    def respond(self, asked: Asked) -> tuple[int, Any]:
        self.log.append(asked)
        try:
            self.check(asked)
            for method, path, answer in self.routes():
                if method == asked.method and (match := re.fullmatch(path, asked.path)):
                    return 200, answer(asked, *match.groups())
            raise Refused(404, "not_found")
        except Refused as refused:
            return refused.status, self.error(refused)

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                self.rfile.read(int(self.headers.get("content-length") or 0))
                url = urlsplit(self.path)
                asked = Asked(self.command, url.path, parse_qs(url.query), self.headers)
                status, body = server.respond(asked)
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        return Handler


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


def reported(buckets: Sequence[Entry], asked: Asked, *, most: int) -> Entry:
    """Give one page of a report in daily buckets, which goes on by a token; 7 buckets unless told."""
    limit = asked.one("limit", "7")
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
