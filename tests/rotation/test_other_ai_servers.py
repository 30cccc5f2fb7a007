"""The local OpenRouter, Groq, Mistral and Gemini: what a live key, a restricted one and a dead one meet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import openai
import pytest
import requests
from openai import OpenAI

from keyaudit.times import DAY, HOUR, MINUTE, format_instant
from servers.admin_api import ADMIN, NOON, Call
from servers.issued_keys import Lag
from servers.model_lists import Gemini, Groq, Mistral, ModelList
from servers.open_router import KEY, PRICE, OpenRouter

CHAT = {"model": "openai/gpt-5", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def router() -> Iterator[OpenRouter]:
    with OpenRouter() as running:
        yield running


def ask(server: Any, path: str, key: str | None = KEY, method: str = "GET", **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return requests.request(method, server.url + path, headers=headers, timeout=5, **more)


def mint(router: OpenRouter, **fields: Any) -> dict:
    answer = ask(router, "/api/v1/keys", method="POST", json={"name": "web", **fields})
    assert answer.status_code == 201
    return answer.json()


def test_open_router_gives_a_keys_value_once_and_names_it_by_its_hash(router: OpenRouter) -> None:
    new = mint(router)
    assert new["data"]["hash"] == hashlib.sha256(new["key"].encode()).hexdigest()
    listed = ask(router, "/api/v1/keys")
    assert [each["hash"] for each in listed.json()["data"]] == [new["data"]["hash"]]
    assert new["key"] not in listed.text
    assert ask(router, "/api/v1/keys", method="POST", json={}).status_code == 400


def test_open_routers_counters_move_with_use(router: OpenRouter) -> None:
    new = mint(router, limit=10)
    with OpenAI(api_key=new["key"], base_url=f"{router.url}/api/v1", max_retries=0) as client:
        for _ in range(2):
            client.chat.completions.create(**CHAT)
    one = ask(router, f"/api/v1/keys/{new['data']['hash']}").json()["data"]
    assert (one["usage"], one["usage_daily"], one["byok_usage"]) == (2 * PRICE, 2 * PRICE, 0)
    assert one["limit_remaining"] == 10 - 2 * PRICE
    own = ask(router, "/api/v1/key", new["key"]).json()["data"]
    assert (own["usage"], own["is_management_key"]) == (2 * PRICE, False)


def test_open_router_revokes_reversibly_and_for_good(router: OpenRouter) -> None:
    new = mint(router)
    path = f"/api/v1/keys/{new['data']['hash']}"

    def status() -> int:
        return ask(router, "/api/v1/key", new["key"]).status_code

    assert status() == 200
    router.clock.advance(MINUTE)
    changed = ask(router, path, method="PATCH", json={"disabled": True}).json()["data"]
    assert (changed["disabled"], changed["updated_at"]) == (True, format_instant(NOON + MINUTE))
    assert status() == 401
    assert ask(router, "/api/v1/keys").json()["data"] == []
    assert len(ask(router, "/api/v1/keys?include_disabled=true").json()["data"]) == 1
    ask(router, path, method="PATCH", json={"disabled": False})
    assert status() == 200
    assert ask(router, path, method="DELETE").json() == {"deleted": True}
    assert status() == 401
    assert ask(router, path, method="DELETE").status_code == 404


def test_open_router_shows_its_models_to_a_dead_key_as_well(router: OpenRouter) -> None:
    for key in (None, "sk-or-dead", KEY):
        assert ask(router, "/api/v1/models", key).status_code == 200
    dead = ask(router, "/api/v1/key", "sk-or-dead")
    assert (dead.status_code, dead.json()) == (401, {"error": {"message": "User not found.", "code": 401}})
    assert ask(router, "/api/v1/key", None).status_code == 401


def test_open_routers_management_key_chats_with_nobody_and_no_other_key_manages(router: OpenRouter) -> None:
    assert ask(router, "/api/v1/key").json()["data"]["is_management_key"] is True
    with (
        OpenAI(api_key=KEY, base_url=f"{router.url}/api/v1", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(**CHAT)
    new = mint(router)
    assert ask(router, "/api/v1/keys", new["key"]).status_code == 401


def test_open_router_lists_a_hundred_keys_at_a_time(router: OpenRouter) -> None:
    for number in range(130):
        router.put_key(f"key {number}")
    pages = [len(ask(router, f"/api/v1/keys?offset={offset}").json()["data"]) for offset in (0, 100, 200)]
    assert pages == [100, 30, 0]


def test_open_routers_keys_end_when_they_were_told_to(router: OpenRouter) -> None:
    new = mint(router, expires_at=format_instant(NOON + DAY))
    assert ask(router, "/api/v1/key", new["key"]).status_code == 200
    router.clock.advance(DAY)
    assert ask(router, "/api/v1/key", new["key"]).status_code == 401


def test_open_router_may_lose_the_answer_and_keep_the_key(router: OpenRouter) -> None:
    router.fail("POST", "/api/v1/keys", None, after=True)
    with pytest.raises(requests.ConnectionError):
        mint(router, name="token-1")
    [orphan] = ask(router, "/api/v1/keys").json()["data"]
    assert orphan["name"] == "token-1"
    assert router.calls[-1] == Call("GET", "/api/v1/keys", ADMIN)


def looked(server: ModelList, key: str | None, **params: Any) -> requests.Response:
    name = "x-goog-api-key" if isinstance(server, Gemini) else "Authorization"
    headers = {name: key if isinstance(server, Gemini) else f"Bearer {key}"} if key else {}
    return requests.get(server.url + server.path, headers=headers, params=params, timeout=5)


DEAD = {
    Groq: (
        401,
        {
            "error": {
                "message": "Invalid API Key",
                "type": "invalid_request_error",
                "code": "invalid_api_key",
            }
        },
    ),
    Mistral: (401, {"detail": "Unauthorized"}),
}


@pytest.mark.parametrize("kind", [Groq, Mistral, Gemini])
def test_a_key_works_until_it_is_dropped_on_the_web_site(kind: type[ModelList]) -> None:
    with kind() as server:
        value = server.put_key("blue")
        assert looked(server, value).status_code == 200
        server.restricted.add("blue")
        assert looked(server, value).status_code == 403
        server.restricted.clear()
        server.issued.lingers = Lag(seconds=3600)
        server.drop_key("blue")
        assert looked(server, value).status_code == 200
        server.clock.advance(HOUR)
        assert looked(server, value).status_code == (400 if kind is Gemini else 401)
        assert [each.key for each in server.calls] == ["blue"] * 4


@pytest.mark.parametrize("kind", DEAD)
def test_a_dead_key_is_refused_as_users_reported(kind: type[ModelList]) -> None:
    with kind() as server:
        answer = looked(server, "CANARY-dead")
        assert (answer.status_code, answer.json()) == DEAD[kind]


def test_groq_speaks_to_the_client_of_openai() -> None:
    with Groq() as server, OpenAI(api_key=server.put_key("a"), base_url=f"{server.url}/openai/v1") as client:
        assert [each.id for each in client.models.list()] == ["model-1"]


def test_mistrals_gateway_words_it_differently() -> None:
    with Mistral() as server:
        server.gateway = True
        assert looked(server, "CANARY-dead").json()["message"] == "Unauthorized"


def test_gemini_calls_a_dead_key_a_bad_request_and_a_restricted_one_blocked() -> None:
    with Gemini() as server:
        dead = looked(server, "CANARY-dead")
        error = dead.json()["error"]
        assert (dead.status_code, error["status"]) == (400, "INVALID_ARGUMENT")
        assert error["details"][0]["reason"] == "API_KEY_INVALID"
        value = server.put_key("blue")
        server.restricted.add("blue")
        blocked = looked(server, value)
        assert (blocked.status_code, blocked.json()["error"]["details"][0]["reason"]) == (
            403,
            "API_KEY_SERVICE_BLOCKED",
        )
        server.newer = True
        newer = looked(server, "AQ.CANARY-dead")
        assert newer.status_code == 401
        assert newer.json()["error"]["details"][0]["reason"] == "ACCESS_TOKEN_TYPE_UNSUPPORTED"
        assert looked(server, None).status_code == 403


def test_gemini_gives_as_many_models_as_a_page_is_asked_to_have() -> None:
    with Gemini() as server:
        value = server.put_key("blue")
        page = looked(server, value, pageSize=1).json()
        assert (len(page["models"]), "nextPageToken" in page) == (1, True)
        assert "nextPageToken" not in looked(server, value).json()
