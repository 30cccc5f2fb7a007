"""The one door to HTTP: what leaves, what is repeated, and what is said of a refusal."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from keyaudit.errors import RotationError, SourceError
from keyaudit.rotation.doors.web import Answer, Web
from keyaudit.times import SECOND
from servers.admin_api import ADMIN
from servers.loopback import Loopback
from servers.openai import KEY, OpenAi

LIST = "GET /v1/organization/projects/{project}/api_keys"
CREATE = "POST /v1/organization/projects/{project}/service_accounts/{service_account}/api_keys"
DELETE = "DELETE /v1/organization/projects/{project}/api_keys/{key}"
AT = {"project": "proj_web"}


@pytest.fixture
def server() -> Iterator[OpenAi]:
    with OpenAi() as running:
        running.put_project("proj_web")
        yield running


def door(url: str, *calls: str, key: str = KEY, **more: object) -> Web:
    settings = {"timeout": 5 * SECOND, "extra": "openai", "variable": "THE_KEY", **more}
    return Web("OpenAI", url, calls or (LIST, CREATE, DELETE), {"Authorization": f"Bearer {key}"}, **settings)


def test_a_good_answer_is_given_and_a_list_is_whole(server: OpenAi) -> None:
    body = json.loads(door(server.url).get(LIST, {"limit": "100"}, at=AT))
    assert body["data"] == []
    assert server.calls[0].key == ADMIN


@pytest.mark.parametrize("status", [429, 500, 503, None])
def test_a_question_is_repeated_until_it_is_answered(server: OpenAi, status: int | None) -> None:
    server.fail("GET", ".*", status, times=2)
    door(server.url).get(LIST, at=AT)
    assert len(server.calls) == 3


def test_a_question_is_not_repeated_for_ever(server: OpenAi) -> None:
    server.fail("GET", ".*", 500, times=None)
    with pytest.raises(RotationError, match="the service failed"):
        door(server.url, attempts=2).get(LIST, at=AT)
    assert len(server.calls) == 2


@pytest.mark.parametrize("call", [CREATE, DELETE])
@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("status", [429, 500, None])
def test_what_changes_something_is_never_repeated(
    server: OpenAi, call: str, status: int | None, after: bool
) -> None:
    server.put_key("proj_web", "key_1", created_at=0)
    server.accounts["proj_web"].append({"id": "svc", "object": "x", "name": "web"})
    server.fail("*", ".*", status, after=after)
    with pytest.raises(RotationError) as caught:
        door(server.url).ask(call, body={}, at={**AT, "service_account": "svc", "key": "key_1"})
    assert len(server.calls) == 1
    assert "run it again" in caught.value.hint


def test_a_refusal_is_told_by_its_code_and_never_in_the_servers_words(
    server: OpenAi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RotationError) as caught:
        door(server.url, key="sk-dead-CANARY-0123456789").get(LIST, at=AT)
    assert str(caught.value) == "OpenAI: the key that asks is refused (HTTP 401, invalid_api_key)"
    assert caught.value.hint == "is the key in THE_KEY alive, and may it do this?"
    assert caught.value.__cause__ is None
    assert "CANARY" not in f"{caught.value!r}{caplog.text}"


def test_only_what_is_on_the_list_leaves(server: OpenAi) -> None:
    web = door(server.url, LIST)
    for call, at in (
        (DELETE, {**AT, "key": "key_1"}),
        (LIST, {"project": ".."}),
        (LIST, {"project": "a/b"}),
        (LIST, {"project": ""}),
        (LIST, {"project": "a?b"}),
    ):
        with pytest.raises(RotationError, match="nothing was sent"):
            web.ask(call, at=at)
    assert server.calls == []


def test_a_key_that_no_request_can_carry_is_refused_without_being_shown() -> None:
    with pytest.raises(SourceError) as caught:
        door("http://127.0.0.1:9", key="sk-CANARY\n").get(LIST, at=AT)
    assert "CANARY" not in str(caught.value)


class Odd(Loopback):
    """Answers as `how` says: somewhere else, or a byte at a time."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.heard: list[tuple[str, str | None]] = []
        super().__init__()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        odd = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                odd.heard.append((self.path, self.headers["Authorization"]))
                if odd.how == "elsewhere":
                    self.send_response(302)
                    self.send_header("Location", "/v1/elsewhere")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                for _ in range(1000):
                    self.wfile.write(b" ")
                    time.sleep(0.05)

            def log_message(self, *_):
                pass

        return Handler


def test_a_redirect_is_not_followed_with_the_key() -> None:
    with Odd("elsewhere") as server:
        with pytest.raises(RotationError, match="HTTP 302"):
            door(server.url).get(LIST, at=AT)
        assert len(server.heard) == 1


def test_an_answer_that_drips_ends() -> None:
    with Odd("drips") as server:
        began = time.monotonic()
        with pytest.raises(RotationError, match="took longer"):
            door(server.url, timeout=SECOND // 2, attempts=1).get(LIST, at=AT)
        assert time.monotonic() - began < 5


def test_nothing_of_a_netrc_goes_along(
    server: OpenAi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("OPENAI_ORG_ID", "org-other")
    door(server.url).get(LIST, at=AT)
    assert server.log[0].headers["Authorization"] == f"Bearer {KEY}"
    assert "OpenAI-Organization" not in server.log[0].headers


def test_an_answer_does_not_show_what_it_holds() -> None:
    assert repr(Answer(200, b"CANARY")) == "Answer(status=200)"
