"""Is a key alive at a provider of models: every row of the table, through the local providers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from keyaudit.rotation.probes.models import Anthropic as AnthropicProbe
from keyaudit.rotation.sight import Liveness
from rotation.parties import opened
from servers.anthropic import KEY as ANTHROPIC_ADMIN
from servers.anthropic import Anthropic
from servers.issued_keys import Lag
from servers.loopback import Loopback
from servers.model_lists import Gemini, Groq, Mistral
from servers.open_router import KEY as MANAGEMENT
from servers.open_router import OpenRouter
from servers.openai import KEY as ADMIN
from servers.openai import OpenAi

ALIVE, RESTRICTED, DEAD, UNKNOWN = Liveness
SERVERS = {
    "openai": OpenAi,
    "anthropic": Anthropic,
    "groq": Groq,
    "mistral": Mistral,
    "gemini": Gemini,
    "openrouter": OpenRouter,
}
KINDS = sorted(SERVERS)


def put(server: Any, **more: Any) -> str:
    """Give the value of a live key with the id `key_1`, or whatever the provider calls it."""
    if isinstance(server, OpenAi):
        return server.put_key("proj_web", "key_1", created_at=0, **more)
    if isinstance(server, Anthropic):
        return server.put_key("key_1", created_at="2026-01-01T00:00:00Z", **more)
    if isinstance(server, OpenRouter):
        return server.issued.by_id(server.put_key("key_1", **more)["hash"]).value
    return server.put_key("key_1", **more)


def tried(server: Any, value: str, kind: str | None = None) -> Liveness:
    kind = kind or next(name for name, each in SERVERS.items() if isinstance(server, each))
    return opened("probe", {"kind": kind, "endpoint": server.url, "timeout": "5s"}).ask({"key": value})


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_alive_until_it_is_dead(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with SERVERS[kind]() as server:
        value = put(server)
        assert tried(server, value) is ALIVE
        server.issued.kill(server.issued.named(value).id)
        assert tried(server, value) is DEAD
        assert tried(server, "CANARY-never-issued") is DEAD
        assert len(server.calls) == 3
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize("kind", KINDS)
def test_one_free_call_is_made_with_the_key_in_a_header(kind: str) -> None:
    with SERVERS[kind]() as server:
        value = put(server)
        probe = opened("probe", {"kind": kind, "endpoint": server.url})
        probe.ask({"key": value})
        [asked] = server.log
        assert probe.calls == (f"{asked.method} {asked.path}",)
        assert value not in str(asked.query)
        assert [use.tokens for use in server.issued.uses] == [None], "it costs nothing"


@pytest.mark.parametrize("kind", KINDS)
def test_what_says_nothing_of_the_key_is_unknown(kind: str) -> None:
    with SERVERS[kind]() as server:
        value = put(server)
        for status in (402, 404, 408, 429, 500, 503, 529, None):
            server.calls.clear()
            server.fail("GET", ".*", status)
            assert tried(server, value) is UNKNOWN, status
            assert len(server.calls) == 1, status
        assert tried(server, value) is ALIVE


class Stranger(Loopback):
    """Somebody between us and the provider, who answers for it."""

    def __init__(self, status: int, body: bytes = b"<html>Log in</html>") -> None:
        self.status, self.body = status, body
        super().__init__()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        stranger = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(stranger.status)
                self.send_header("Content-Length", str(len(stranger.body)))
                self.end_headers()
                self.wfile.write(stranger.body)

            def log_message(self, *_):
                pass

        return Handler


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_somebody_else_is_unknown(kind: str) -> None:
    with Stranger(200) as server:
        for server.status in (200, 302, 400, 401, 403):
            for server.body in (b"<html>Log in</html>", b"{}", b"[" * 100_000, b"[]", b""):
                found = tried(server, "CANARY-value", kind)
                assert found is UNKNOWN, (server.status, server.body[:20])


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_there_no_key_and_a_key_that_cannot_be_sent_are_unknown(kind: str) -> None:
    probe = opened("probe", {"kind": kind, "endpoint": "http://127.0.0.1:9", "timeout": "1s"})
    for parts in ({"key": "CANARY"}, {"key": ""}, {}, {"key": "CANARY\n"}):
        assert probe.ask(parts) is UNKNOWN


def openai_terse(server: OpenAi) -> str:
    server.models.terse = True
    return put(server, scopes=("model.request",))


def openai_elsewhere(code: str) -> Callable[[OpenAi], str]:
    def prepare(server: OpenAi) -> str:
        server.models.elsewhere = code
        return put(server)

    return prepare


def restricted(server: Any) -> str:
    value = put(server)
    (server.models.restricted if isinstance(server, Anthropic) else server.restricted).add("key_1")
    return value


def on_hold(server: Anthropic) -> str:
    server.models.on_hold = True
    return put(server)


def refused(status: int, code: str) -> Callable[[Any], str]:
    def prepare(server: Any) -> str:
        server.fail("GET", ".*", status, code=code)
        return put(server)

    return prepare


def gateway(server: Mistral) -> str:
    server.gateway = True
    return "CANARY-dead"


def newer(server: Gemini) -> str:
    server.newer = True
    return "AQ.CANARY-dead"


@pytest.mark.parametrize(
    ("kind", "prepare", "found"),
    [
        ("openai", lambda server: put(server, scopes=("model.request",)), RESTRICTED),
        ("openai", openai_terse, RESTRICTED),
        ("openai", refused(401, "missing_scope"), RESTRICTED),
        ("openai", openai_elsewhere("ip_not_authorized"), UNKNOWN),
        ("openai", openai_elsewhere("no_organization"), UNKNOWN),
        ("openai", refused(401, "mismatched_organization"), UNKNOWN),
        ("openai", refused(403, "unsupported_country_region_territory"), UNKNOWN),
        ("openai", lambda server: ADMIN, RESTRICTED),
        ("anthropic", restricted, RESTRICTED),
        ("anthropic", on_hold, UNKNOWN),
        ("anthropic", lambda server: ANTHROPIC_ADMIN, DEAD),
        ("groq", restricted, RESTRICTED),
        ("mistral", restricted, RESTRICTED),
        ("mistral", gateway, DEAD),
        ("gemini", restricted, UNKNOWN),
        ("gemini", refused(403, "API_KEY_IP_ADDRESS_BLOCKED"), RESTRICTED),
        ("gemini", refused(403, "API_KEY_HTTP_REFERRER_BLOCKED"), RESTRICTED),
        ("gemini", refused(403, "SERVICE_DISABLED"), UNKNOWN),
        ("gemini", refused(403, "CONSUMER_SUSPENDED"), UNKNOWN),
        ("gemini", refused(400, "SOMETHING_ELSE"), UNKNOWN),
        ("gemini", newer, UNKNOWN),
        ("openrouter", lambda server: MANAGEMENT, UNKNOWN),
        ("openrouter", refused(403, "forbidden"), RESTRICTED),
    ],
    ids=[
        "openai, a scope is missing",
        "openai, in one string",
        "openai, as 401",
        "openai, the address",
        "openai, the organization",
        "openai, another organization",
        "openai, the country",
        "openai, an admin key",
        "anthropic, a permission",
        "anthropic, on hold",
        "anthropic, an admin key",
        "groq, a permission",
        "mistral, a permission",
        "mistral, by its gateway",
        "gemini, the service is not the key's",
        "gemini, the address",
        "gemini, the referrer",
        "gemini, the service is off",
        "gemini, the project is suspended",
        "gemini, a bad request",
        "gemini, the newer kind",
        "openrouter, a management key",
        "openrouter, a permission",
    ],
)
def test_a_refusal_says_what_it_says_at_its_provider(kind: str, prepare: Callable, found: Liveness) -> None:
    with SERVERS[kind]() as server:
        assert tried(server, prepare(server)) is found


@pytest.mark.parametrize(
    ("kind", "status", "body", "found"),
    [
        (
            "openai",
            401,
            b'{"error": {"message": "Missing scopes: api.model.read.", "code": null}}',
            RESTRICTED,
        ),
        ("openai", 401, b'{"error": {"message": "Your key has expired", "code": "expired_api_key"}}', DEAD),
        ("openai", 401, b'{"error": {"message": "You did not provide an API key", "code": null}}', UNKNOWN),
        ("anthropic", 403, b'{"error": {"type": "forbidden", "message": "Request not allowed"}}', UNKNOWN),
        ("anthropic", 401, b'{"error": {"type": "other"}}', UNKNOWN),
        ("groq", 403, b'{"error": {"message": "Forbidden"}}', UNKNOWN),
        ("gemini", 400, b'{"error": {"details": "API_KEY_INVALID"}}', UNKNOWN),
        ("gemini", 400, b'{"error": {"details": ["API_KEY_INVALID"]}}', UNKNOWN),
        (
            "gemini",
            403,
            b'{"error": {"status": "PERMISSION_DENIED", "message": "reported as leaked"}}',
            UNKNOWN,
        ),
    ],
    ids=range(9),
)
def test_a_refusal_as_it_was_seen_says_what_it_says(
    kind: str, status: int, body: bytes, found: Liveness
) -> None:
    with Stranger(status, body) as server:
        assert tried(server, "CANARY-value", kind) is found


def test_the_environment_has_no_say_in_whose_key_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "org-somebody-else")
    with OpenAi() as server:
        assert tried(server, put(server)) is ALIVE
        assert not {"OpenAI-Organization", "OpenAI-Project"} & set(server.log[0].headers)


def test_a_new_key_that_is_not_known_everywhere_yet_looks_dead_at_first() -> None:
    with OpenAi() as server:
        server.issued.waits = Lag(calls=1)
        value = put(server, minted=True)
        assert [tried(server, value) for _ in range(2)] == [DEAD, ALIVE]


def test_a_probe_at_anthropic_is_in_no_report() -> None:
    assert AnthropicProbe.calls == ("GET /v1/models",)
    with Anthropic() as server:
        tried(server, put(server))
        assert all(use.path == "/v1/models" for use in server.issued.uses)
