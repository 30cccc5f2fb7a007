"""Probes of a user's own: one request, or one program."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from pydantic import ValidationError

from keyaudit.rotation.probes.http import RequestSettings
from keyaudit.rotation.sight import Liveness
from rotation.parties import opened
from servers.loopback import Loopback

VALUE = "CANARY-value-0123"


class Answering(Loopback):
    """Answers every request with one status; remembers them."""

    def __init__(self) -> None:
        self.status = 200
        self.heard: list[tuple[str, str, dict[str, str]]] = []
        super().__init__()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.heard.append((self.command, self.path, dict(self.headers)))
                self.send_response(server.status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_POST = do_GET

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def server() -> Iterator[Answering]:
    with Answering() as running:
        yield running


def request(server: Answering, **more: object) -> object:
    headers = {"X-Key": "token {key}", "Accept": "text/plain"}
    return opened("probe", {"kind": "http", "url": f"{server.url}/v1/me?a=1&b=2", "headers": headers, **more})


@pytest.mark.parametrize(
    ("status", "found"),
    [
        (200, Liveness.ALIVE),
        (204, Liveness.ALIVE),
        (401, Liveness.DEAD),
        (403, Liveness.RESTRICTED),
        (201, Liveness.UNKNOWN),
        (302, Liveness.UNKNOWN),
        (400, Liveness.UNKNOWN),
        (404, Liveness.UNKNOWN),
        (429, Liveness.UNKNOWN),
        (500, Liveness.UNKNOWN),
        (503, Liveness.UNKNOWN),
    ],
)
def test_a_status_says_what_the_settings_make_of_it(server: Answering, status: int, found: Liveness) -> None:
    server.status = status
    assert request(server).ask({"key": VALUE}) is found
    assert len(server.heard) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_key_goes_in_its_header_and_nowhere_else(
    server: Answering, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    probe = request(server, method=method)
    assert probe.ask({"key": VALUE}) is Liveness.ALIVE
    [(asked, path, headers)] = server.heard
    assert (asked, path, headers["X-Key"], headers["Accept"]) == (
        method,
        "/v1/me?a=1&b=2",
        f"token {VALUE}",
        "text/plain",
    )
    assert "CANARY" not in path + caplog.text
    assert probe.calls == (f"{method} /v1/me",)


def test_statuses_may_mean_something_else(server: Answering) -> None:
    server.status = 418
    assert request(server, dead=[418]).ask({"key": VALUE}) is Liveness.DEAD


def test_nobody_there_a_key_that_cannot_be_sent_and_no_key_at_all_are_unknown(server: Answering) -> None:
    probe = request(server)
    assert probe.ask({"key": "CANARY\r\nX-Other: 1"}) is Liveness.UNKNOWN
    assert probe.ask({"password": VALUE}) is Liveness.UNKNOWN
    assert server.heard == []
    nobody = opened(
        "probe", {"kind": "http", "url": "http://127.0.0.1:9/", "headers": {"X": "{key}"}, "timeout": "1s"}
    )
    assert nobody.ask({"key": VALUE}) is Liveness.UNKNOWN


GOOD = {"kind": "http", "url": "https://api.acme.example/me", "headers": {"Authorization": "Bearer {key}"}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "https://api.acme.example/me?key={key}"}, "lands in logs"),
        ({"url": "http://api.acme.example/me"}, "neither https"),
        ({"url": "https://somebody@api.acme.example/me"}, "neither https"),
        ({"headers": {"Authorization": "Bearer"}}, "exactly once"),
        ({"headers": {"A": "{key}", "B": "{key}"}}, "exactly once"),
        ({"headers": {"A": "{key}{key}"}}, "exactly once"),
        ({"headers": {"A B": "{key}"}}, "no header"),
        ({"headers": {"A": "{key}\nB: c"}}, "no header"),
        ({"alive": [200, 401]}, "two things"),
        ({"dead": [200]}, "two things"),
        ({"dead": []}, "which dead"),
        ({"alive": [99]}, "greater than or equal to 100"),
        ({"method": "DELETE"}, "GET"),
    ],
)
def test_settings_that_cannot_be_obeyed_are_refused(wrong: dict, said: str) -> None:
    assert RequestSettings.model_validate(GOOD)
    with pytest.raises(ValidationError, match=said):
        RequestSettings.model_validate({**GOOD, **wrong})


def program(code: str, **more: object) -> object:
    return opened("probe", {"kind": "command", "argv": [sys.executable, "-c", code], **more})


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import sys; sys.exit(0)", Liveness.ALIVE),
        ("import sys; sys.exit(3)", Liveness.RESTRICTED),
        ("import sys; sys.exit(4)", Liveness.DEAD),
        ("raise RuntimeError('it crashed')", Liveness.UNKNOWN),
        ("import sys; sys.exit(2)", Liveness.UNKNOWN),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", Liveness.UNKNOWN),
    ],
)
def test_a_programs_exit_code_is_its_answer(code: str, found: Liveness) -> None:
    assert program(code).ask({"key": VALUE}) is found


def test_a_program_gets_the_parts_on_its_stdin() -> None:
    code = (
        "import json, sys; sys.exit(4 if json.loads(sys.stdin.read()) == {'key': 'CANARY-value-0123'} else 1)"
    )
    assert program(code).ask({"key": VALUE}) is Liveness.DEAD


def test_a_program_that_hangs_or_is_not_there_is_unknown() -> None:
    assert program("import time; time.sleep(60)", timeout="200ms").ask({"key": VALUE}) is Liveness.UNKNOWN
    nowhere = opened("probe", {"kind": "command", "argv": ["./nowhere"]})
    assert nowhere.ask({"key": VALUE}) is Liveness.UNKNOWN
