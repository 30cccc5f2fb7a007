"""The real SDKs, a provider on this machine, and keys that die while they are used."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from keyaudit.client import NoKeyError, ResilientClient, Switch
from servers.model_provider import ModelProvider

BLUE, GREEN = "sk-CANARY-blue-0001", "sk-CANARY-green-0002"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider(BLUE, GREEN) as provider:
        yield provider


@pytest.fixture
def switches() -> list[Switch]:
    return []


@pytest.fixture
def client(provider: ModelProvider, switches: list[Switch]) -> Iterator[ResilientClient]:
    def make(key: str) -> openai.OpenAI:
        return openai.OpenAI(api_key=key, base_url=f"{provider.url}/v1", max_retries=1)

    with ResilientClient(make, [BLUE, GREEN], on_switch=switches.append) as client:
        yield client


@pytest.fixture
def claude(provider: ModelProvider, switches: list[Switch]) -> Iterator[ResilientClient]:
    # Its package takes seconds to import: only whoever runs this test pays for it.
    from anthropic import Anthropic

    def make(key: str) -> Anthropic:
        return Anthropic(api_key=key, base_url=provider.url, max_retries=1)

    with ResilientClient(make, [BLUE, GREEN], on_switch=switches.append) as client:
        yield client


def said(client: ResilientClient) -> str:
    return client.chat.completions.create(**ASKED).choices[0].message.content


def test_while_the_key_lives_it_alone_is_used(client, provider, switches) -> None:
    assert [said(client), said(client)] == ["hello", "hello"]
    assert provider.keys_heard() == [BLUE, BLUE]
    assert switches == []


def test_a_dead_key_costs_one_call_once_and_the_next_one_stays(client, provider, switches) -> None:
    provider.live = {GREEN}
    assert [said(client) for _ in range(3)] == ["hello"] * 3
    assert provider.keys_heard() == [BLUE, GREEN, GREEN, GREEN]
    assert switches == [Switch(before=1, after=2, keys=2, status=401, code="invalid_api_key")]


def test_it_goes_back_when_the_second_dies_and_the_first_was_revived(provider, switches) -> None:
    now = [0.0]
    client = ResilientClient(
        lambda key: openai.OpenAI(api_key=key, base_url=f"{provider.url}/v1", max_retries=0),
        [BLUE, GREEN],
        on_switch=switches.append,
    )
    client._ring._monotonic = lambda: now[0]
    provider.live = {GREEN}
    said(client)
    provider.live = set()
    for _ in range(5):
        with pytest.raises(openai.AuthenticationError):
            said(client)
    assert provider.keys_heard().count(BLUE) == 1, "a dead key is not hammered"
    provider.live = {BLUE}
    now[0] = 61
    assert said(client) == "hello"
    assert [(each.before, each.after) for each in switches] == [(1, 2), (2, 1)]


def test_when_every_key_is_dead_the_first_refusal_is_raised_as_it_came(client, provider, switches) -> None:
    provider.live = set()
    with pytest.raises(openai.AuthenticationError) as caught:
        said(client)
    assert f"…{BLUE[-4:]}" in str(caught.value)
    assert provider.keys_heard() == [BLUE, GREEN]
    assert switches == []


@pytest.mark.parametrize(
    ("status", "error", "calls"),
    [
        (400, openai.BadRequestError, 1),
        (402, openai.APIStatusError, 1),
        (403, openai.PermissionDeniedError, 1),
        (404, openai.NotFoundError, 1),
        (429, openai.RateLimitError, 2),
        (500, openai.InternalServerError, 2),
        (503, openai.InternalServerError, 2),
    ],
)
def test_what_is_not_about_the_key_never_moves_to_another(client, provider, status, error, calls) -> None:
    provider.fail(status)
    with pytest.raises(error):
        said(client)
    assert provider.keys_heard() == [BLUE] * calls


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ip_not_authorized", "Your IP address is not authorized"),
        ("mismatched_organization", "The OpenAI-Organization header does not match the key"),
        (None, "OpenAI-Project header should match project for API key"),
    ],
)
def test_a_401_about_the_caller_is_raised_at_once(client, provider, code, message) -> None:
    provider.fail(401, code=code or "mismatch", message=message)
    with pytest.raises(openai.AuthenticationError):
        said(client)
    assert provider.keys_heard() == [BLUE]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("missing_scope", "You have insufficient permissions for this operation."),
        (None, "You have insufficient permissions for this operation. Missing scopes: model.request."),
    ],
)
def test_a_scope_that_a_key_lacks_is_noticed_and_not_papered_over(client, provider, code, message) -> None:
    provider.fail(401, code=code or "invalid_request_error", message=message)
    with pytest.raises(openai.AuthenticationError):
        said(client)
    assert provider.keys_heard() == [BLUE]


def test_a_timeout_is_not_repeated_with_another_key(provider) -> None:
    from servers.loopback import Loopback

    class Nobody(Loopback):
        def handler(self):
            from http.server import BaseHTTPRequestHandler

            class Silent(BaseHTTPRequestHandler):
                def do_POST(self):
                    heard.append(self.headers["authorization"])
                    threading.Event().wait(1)

                def log_message(self, *_):
                    pass

            return Silent

    heard: list[str] = []
    with Nobody() as server:
        client = ResilientClient(
            lambda key: openai.OpenAI(api_key=key, base_url=server.url, timeout=0.2, max_retries=0),
            [BLUE, GREEN],
        )
        with pytest.raises(openai.APITimeoutError):
            said(client)
    assert heard == [f"Bearer {BLUE}"]


def test_gemini_says_400_for_a_dead_key(client, provider, switches) -> None:
    provider.fail(400, code="API_KEY_INVALID", key=BLUE)
    assert said(client) == "hello"
    assert len(switches) == 1


def test_a_stream_falls_back_before_its_first_byte_and_is_never_begun_again(client, provider) -> None:
    provider.live = {GREEN}
    stream = client.chat.completions.create(stream=True, **ASKED)
    received = []
    with pytest.raises(openai.APIError, match="broke off"):
        received += [chunk.choices[0].delta.content for chunk in stream]
    assert provider.keys_heard() == [BLUE, GREEN]


def test_streams_that_are_entered_fall_back_when_they_are_entered(claude, provider, switches) -> None:
    provider.live = {GREEN}
    with claude.messages.stream(max_tokens=5, **ASKED) as stream:
        assert stream.get_final_text() == "hello"
    assert claude.messages.create(max_tokens=5, **ASKED).content[0].text == "hello"
    assert provider.keys_heard() == [BLUE, GREEN, GREEN]
    assert switches == [Switch(1, 2, 2, 401, "authentication_error")]


def test_raw_responses_and_derived_clients_fall_back_too(client, provider) -> None:
    provider.live = {GREEN}
    raw = client.chat.completions.with_raw_response.create(**ASKED)
    assert raw.http_response.status_code == 200
    assert said(client.with_options(timeout=5)) == "hello"
    with client.chat.completions.with_streaming_response.create(**ASKED) as response:
        assert response.status_code == 200
    assert [model.id for model in client.models.list()] == ["m"]
    assert provider.keys_heard() == [BLUE] + [GREEN] * 4


def test_plain_attributes_are_those_of_the_sdk(client, provider) -> None:
    assert str(client.base_url) == f"{provider.url}/v1/"
    assert client.max_retries == 1
    with pytest.raises(AttributeError):
        _ = client.nothing_of_the_kind


def test_many_threads_meet_one_dead_key_and_make_one_switch(client, provider, switches) -> None:
    said(client)
    provider.live = {GREEN}
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda _: said(client), range(64))) == ["hello"] * 64
    assert len(switches) == 1
    assert provider.keys_heard().count(BLUE) <= 1 + 16


def test_no_key_is_ever_shown(client, provider, caplog, switches) -> None:
    provider.live = {GREEN}
    with caplog.at_level("DEBUG", logger="keyaudit"):
        said(client)
    shown = f"{client!r} {client.chat!r} {switches!r} {caplog.text}"
    assert "CANARY" not in shown


def test_no_key_at_all_is_said_without_asking_anybody(provider) -> None:
    with pytest.raises(NoKeyError, match="no key was given"):
        said(ResilientClient(lambda key: openai.OpenAI(api_key=key), []))
