"""The door to plain HTTP, with the real client against a server that misbehaves."""

from __future__ import annotations

import contextlib
import gzip
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest
import requests

from keyaudit.errors import SourceError
from keyaudit.sources.protocol import OperationRefusedError, StoppedError
from keyaudit.sources.pulling import web
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from servers import breakages
from servers.fault_proxy import Fault
from servers.loopback import Loopback

KEY = "Bearer CANARY-admin-key"
ALLOWED = [("GET", re.compile(r"/v1/keys"))]
Say = Callable[[BaseHTTPRequestHandler], None]


class Scripted(Loopback):
    """Answers as `say` does, and remembers the headers of every request."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.say: Say = answer()
        super().__init__()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.seen.append((self.command, self.path, dict(self.headers)))
                server.say(self)

            do_POST = do_DELETE = do_CONNECT = do_GET

            def log_message(self, *_):
                pass

        return Handler


def answer(body: bytes = b"{}", status: int = 200, **headers: str) -> Say:
    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return say


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as running:
        yield running


@pytest.fixture
def meter() -> Meter:
    return Meter(Pace(10_000, threading.Event()))


@pytest.fixture
def session(meter: Meter) -> Iterator[requests.Session]:
    with opened(meter) as open_one:
        yield open_one


def opened(
    meter: Meter, *, attempts: int = 2, timeout: float = 5.0, key: str = KEY, longest: float | None = None
) -> requests.Session:
    return web.open_session(
        ALLOWED,
        meter,
        extra="openai",
        attempts=attempts,
        timeout=timeout,
        longest=longest,
        headers={"Authorization": key},
    )


def refused(session: requests.Session, server: Scripted) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        web.get(session, f"{server.url}/v1/keys")
    return caught.value


def test_a_good_answer_is_its_body_and_one_call(
    server: Scripted, session: requests.Session, meter: Meter
) -> None:
    server.say = answer(b'{"data": []}')
    assert web.get(session, f"{server.url}/v1/keys", {"limit": "100"}) == b'{"data": []}'
    assert [path for _, path, _ in server.seen] == ["/v1/keys?limit=100"]
    assert (meter.calls, meter.throttled) == (1, 0)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/keys"),
        ("DELETE", "/v1/keys"),
        ("GET", "/v1/keys/x"),
        ("GET", "/v1"),
        ("GET", "/V1/KEYS"),
    ],
)
def test_what_is_not_on_the_list_is_refused_and_the_server_hears_nothing(
    server: Scripted, session: requests.Session, meter: Meter, method: str, path: str
) -> None:
    with pytest.raises(OperationRefusedError, match="nothing was sent"):
        session.request(method, server.url + path)
    assert (server.seen, meter.calls) == ([], 0)


def test_a_redirect_is_refused_so_the_key_goes_nowhere_else(
    server: Scripted, session: requests.Session
) -> None:
    with Scripted() as elsewhere:
        server.say = answer(status=307, Location=f"{elsewhere.url}/v1/keys")
        assert str(refused(session, server)) == "refused (HTTP 307)"
        assert elsewhere.seen == []


@pytest.mark.parametrize("location", ["http://[::1", "http://127.0.0.1:99999/v1/keys", "/v1/\xff", "//", ""])
def test_a_redirect_to_no_address_is_refused_like_any_other(
    server: Scripted, session: requests.Session, location: str
) -> None:
    server.say = answer(status=307, Location=location)
    assert str(refused(session, server)) == "refused (HTTP 307)"


def test_a_followed_redirect_keeps_to_the_list_and_takes_no_key_to_another_host(
    server: Scripted, session: requests.Session, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other password CANARY-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Scripted() as elsewhere:
        there = elsewhere.url.replace("127.0.0.1", "localhost")
        server.say = answer(status=307, Location=f"{there}/v1/keys")
        assert session.get(f"{server.url}/v1/keys").status_code == 200
        assert "Authorization" not in elsewhere.seen[0][2]
        server.say = answer(status=307, Location=f"{there}/v1/secrets")
        with pytest.raises(OperationRefusedError):
            session.get(f"{server.url}/v1/keys")
        assert len(elsewhere.seen) == 1


def test_a_netrc_does_not_replace_the_key(
    server: Scripted, session: requests.Session, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password CANARY-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    web.get(session, f"{server.url}/v1/keys")
    assert server.seen[0][2]["Authorization"] == KEY


def test_cookies_are_not_given_back(server: Scripted, session: requests.Session) -> None:
    server.say = answer(Set_Cookie="session=abc; Path=/")
    for _ in range(2):
        web.get(session, f"{server.url}/v1/keys")
    assert not [headers for _, _, headers in server.seen if "Cookie" in headers]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Kind.CREDENTIALS),
        (403, Kind.DENIED),
        (404, Kind.GONE),
        (400, Kind.OTHER),
        (204, Kind.OTHER),
    ],
)
def test_an_answer_that_is_not_good_is_asked_for_once(
    server: Scripted, session: requests.Session, status: int, kind: Kind
) -> None:
    server.say = answer(b"" if status == 204 else b"CANARY: your key is sk-abcd", status=status)
    error = refused(session, server)
    assert (error.refusal.kind, str(error)[-10:]) == (kind, f"(HTTP {status})"[-10:])
    assert len(server.seen) == 1


def test_only_the_code_of_an_error_is_repeated(server: Scripted, session: requests.Session) -> None:
    server.say = answer(b"insufficient_permissions", status=403)
    with pytest.raises(RefusedError, match=r"^denied \(HTTP 403, insufficient_permissions\)$"):
        web.get(session, f"{server.url}/v1/keys", code=lambda body: body.decode())
    with pytest.raises(RefusedError, match=r"^denied \(HTTP 403, an unnamed error\)$"):
        web.get(session, f"{server.url}/v1/keys", code=lambda body: "no: \x1b[31m")


@pytest.mark.parametrize(
    ("say", "kind", "detail"),
    [
        (answer(status=500), Kind.SERVER, "HTTP 500"),
        (answer(status=503), Kind.SERVER, "HTTP 503"),
        (answer(status=503, Retry_After="0"), Kind.THROTTLED, "HTTP 503"),
        (answer(status=429, Retry_After="0"), Kind.THROTTLED, "HTTP 429"),
        (lambda handler: breakages.reset(None, handler, b"", None), Kind.UNREACHABLE, "the connection broke"),
        (answer(b"{}", Content_Encoding="gzip"), Kind.UNREADABLE, "badly packed"),
    ],
    ids=["500", "503", "503-with-a-hold", "429", "reset", "badly-packed"],
)
def test_what_may_pass_is_asked_for_again(
    server: Scripted, session: requests.Session, meter: Meter, say: Say, kind: Kind, detail: str
) -> None:
    server.say = say
    error = refused(session, server)
    assert (error.refusal.kind, error.refusal.reason.endswith(f"({detail})")) == (kind, True)
    assert len(server.seen) == meter.calls == 2
    assert meter.throttled == (2 if kind is Kind.THROTTLED else 0)


def test_a_cut_off_body_is_no_answer(server: Scripted, session: requests.Session) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "400")
        handler.end_headers()
        handler.wfile.write(b'{"data": []}')
        handler.close_connection = True

    server.say = cut
    assert refused(session, server).refusal.reason == "no answer (the connection broke)"
    assert len(server.seen) == 2


def test_a_cut_off_chunked_body_is_no_answer(server: Scripted, session: requests.Session) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b'c\r\n{"data": []}\r\n')
        handler.close_connection = True

    server.say = cut
    assert refused(session, server).refusal.reason == "no answer (the connection broke)"


def test_a_bomb_is_not_unpacked_to_its_end(server: Scripted, session: requests.Session) -> None:
    server.say = answer(gzip.compress(bytes(web.LARGEST_ANSWER * 4)), Content_Encoding="gzip")
    assert refused(session, server).refusal.reason == "the answer was far too large"
    assert len(server.seen) == 1


def test_a_silent_server_is_given_up(server: Scripted, meter: Meter) -> None:
    server.say = lambda handler: breakages.silent(None, handler, b"", Fault("silent", "", seconds=0.5))
    with opened(meter, timeout=0.2) as session:
        assert refused(session, server).refusal.reason == "no answer (timed out)"


def test_nothing_that_is_raised_or_logged_holds_the_key(
    server: Scripted, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    server.say = lambda handler: breakages.reset(None, handler, b"", None)
    with caplog.at_level(logging.DEBUG):
        error: BaseException | None = refused(session, server)
    assert error is not None
    assert (error.__context__, error.__cause__) == (None, None)
    assert "CANARY" not in repr(vars(error)) + caplog.text


@pytest.mark.parametrize("key", ["Bearer CANARY\nX: y", "Bearer CANARY-’", "Bearer CANARY\x00", " CANARY"])
def test_a_key_that_no_header_can_carry_is_refused_without_quoting_it(meter: Meter, key: str) -> None:
    with pytest.raises(SourceError) as caught:
        opened(meter, key=key)
    assert "CANARY" not in f"{caught.value} {caught.value.hint}"
    assert (caught.value.__context__, meter.calls) == (None, 0)


DATE = "Sat, 21 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "９"}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT", "Date": DATE}, 30.0),
        ({"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT"}, None),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:30", "Date": DATE}, None),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "86400"}, 86_400.0),
        ({"Retry-After": "9" * 12}, 1e9),
        ({"Retry-After": "Sat, 1 Jan 99999999999 00:00:00 GMT", "Date": DATE}, None),
        ({"Retry-After": DATE, "Date": "Sat, 1 Jan 99999999999 00:00:00 GMT"}, None),
    ],
)
def test_a_server_says_how_long_to_stay_away_in_many_ways(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert web.retry_after(headers) == seconds


def test_an_answer_of_no_known_time_is_still_an_answer(
    server: Scripted, session: requests.Session, meter: Meter
) -> None:
    server.say = answer(Date="Sat, 1 Jan 99999999999 00:00:00 GMT")
    assert web.get(session, f"{server.url}/v1/keys") == b"{}"


def test_a_gateway_may_serve_the_same_paths_beneath_its_own() -> None:
    beneath = web.beneath("https://gateway.example/openai.eu/", ALLOWED)
    web.refuse_others(beneath, "GET", "/openai.eu/v1/keys")
    for path in ("/v1/keys", "/openai-eu/v1/keys", "/openai.eu/v1/keys/x"):
        with pytest.raises(OperationRefusedError):
            web.refuse_others(beneath, "GET", path)


def dripping(part: bytes, *, first: bytes = b"", seconds: float = 0.05) -> Say:
    """Send bytes for as long as anybody listens, often enough that no silence is one."""

    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + first)
            for _ in range(round(8 / seconds)):
                handler.wfile.write(part)
                time.sleep(seconds)

    return say


DRIPS = {
    "headers": dripping(b"X: y\r\n"),
    "one-header": dripping(b"x", first=b"X: "),
    "body": dripping(b" ", first=b"Content-Length: 1000000\r\n\r\n"),
    "chunks": dripping(b"1\r\nx\r\n", first=b"Transfer-Encoding: chunked\r\n\r\n"),
    "size-of-a-chunk": dripping(b"0", first=b"Transfer-Encoding: chunked\r\n\r\n"),
}


@pytest.mark.parametrize("say", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_has_an_end(server: Scripted, meter: Meter, say: Say) -> None:
    server.say = say
    started = time.monotonic()
    with opened(meter, timeout=2.0, longest=1.0) as session:
        assert refused(session, server).refusal.reason == "the answer took longer than 1 s"
    assert time.monotonic() - started < 3
    assert len(server.seen) == 1


@pytest.mark.parametrize("say", [DRIPS["body"], lambda _: time.sleep(5)], ids=["dripping", "silent"])
def test_a_pull_that_is_stopped_waits_for_no_answer(server: Scripted, say: Say) -> None:
    stop = threading.Event()
    server.say = say
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    with opened(Meter(Pace(10_000, stop)), timeout=30) as session, pytest.raises(StoppedError):
        web.get(session, f"{server.url}/v1/keys")
    assert time.monotonic() - started < 3
