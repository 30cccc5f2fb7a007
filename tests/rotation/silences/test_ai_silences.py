"""When a key was last used, as OpenAI, Anthropic and OpenRouter tell it; none of them uses the key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI as Client

from keyaudit.errors import RotationError
from keyaudit.rotation.sight import Quiet
from keyaudit.times import DAY, HOUR, MINUTE, SECOND, format_instant, parse_instant
from rotation.parties import opened
from servers.admin_api import ADMIN, NOON
from servers.anthropic import KEY as ANTHROPIC_ADMIN
from servers.anthropic import Anthropic
from servers.clock import Clock
from servers.open_router import KEY as MANAGEMENT
from servers.open_router import OpenRouter
from servers.openai import KEY, OpenAi

CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
MESSAGE = {"model": "claude-opus-5", "max_tokens": 8, "messages": [{"role": "user", "content": "hello"}]}
DELAY = 10 * MINUTE


@pytest.fixture
def openai() -> Iterator[OpenAi]:
    with OpenAi(Clock(NOON)) as server:
        server.put_key("proj_web", "key_old", created_at=0)
        server.put_key("proj_web", "key_new", created_at=0)
        yield server


@pytest.fixture
def claude() -> Iterator[Anthropic]:
    with Anthropic(clock=Clock(NOON)) as server:
        server.put_key("apikey_old", created_at="2026-01-01T00:00:00Z")
        server.put_key("apikey_new", created_at="2026-01-01T00:00:00Z")
        yield server


@pytest.fixture
def router() -> Iterator[OpenRouter]:
    with OpenRouter(Clock(NOON)) as server:
        server.put_key("old")
        yield server


def of_openai(server: OpenAi, clock: Clock | None = None, **more: Any) -> Any:
    settings = {"kind": "openai", "project": "proj_web", "endpoint": server.url, **more}
    return opened("silence", settings, clock=clock or server.clock, environment={"OPENAI_ADMIN_KEY": KEY})


def of_anthropic(server: Anthropic, clock: Clock | None = None, **more: Any) -> Any:
    settings = {"kind": "anthropic", "endpoint": server.url, **more}
    return opened(
        "silence", settings, clock=clock or server.clock, environment={"ANTHROPIC_ADMIN_KEY": ANTHROPIC_ADMIN}
    )


def of_router(server: OpenRouter, clock: Clock | None = None, **more: Any) -> Any:
    settings = {"kind": "openrouter", "endpoint": server.url, **more}
    return opened(
        "silence",
        settings,
        clock=clock or server.clock,
        environment={"OPENROUTER_MANAGEMENT_KEY": MANAGEMENT},
    )


def chats(server: OpenAi | OpenRouter, value: str, base: str = "/v1") -> None:
    with Client(api_key=value, base_url=server.url + base, max_retries=0) as client:
        client.chat.completions.create(**CHAT)


def writes(server: Anthropic, value: str) -> None:
    # Its package takes seconds to import.
    from anthropic import Anthropic as Asking

    with Asking(api_key=value, base_url=server.url, max_retries=0) as client:
        client.messages.create(**MESSAGE)


def unlisted(server: OpenAi) -> None:
    """Leave the last use out of the list: what is left is what the reports say."""
    for entry in server.keys["proj_web"]:
        entry["last_used_at"] = None


OLD, NEW = "sk-proj-CANARY-key_old", "sk-proj-CANARY-key_new"


def test_openais_list_gives_the_last_use_to_the_second(openai: OpenAi) -> None:
    chats(openai, OLD)
    openai.clock.advance(HOUR)
    chats(openai, NEW)
    quiet = of_openai(openai, usage=[]).ask("key_old", "1", NOON - HOUR)
    assert quiet == Quiet(NOON + HOUR - DELAY, NOON, "openai: last use listed")


def test_a_key_that_openai_never_saw_has_no_last_use(openai: OpenAi) -> None:
    quiet = of_openai(openai).ask("key_old", "1", NOON - HOUR)
    assert quiet == Quiet(NOON - DELAY, None, "openai: last use listed, completions")


def test_openais_report_gives_the_end_of_the_minute_and_never_the_future(openai: OpenAi) -> None:
    chats(openai, OLD)
    unlisted(openai)
    silence = of_openai(openai)
    openai.clock.advance(20 * SECOND)
    assert silence.ask("key_old", "1", NOON - HOUR).last_used_at == NOON + 20 * SECOND
    openai.clock.advance(HOUR)
    assert silence.ask("key_old", "1", NOON - HOUR).last_used_at == NOON + MINUTE
    assert silence.ask("key_new", "1", NOON - HOUR).last_used_at is None


@pytest.mark.parametrize("ahead", [2 * HOUR, 30 * DAY])
def test_a_clock_that_is_ahead_of_the_providers_lets_no_key_in_use_look_silent(
    openai: OpenAi, claude: Anthropic, router: OpenRouter, ahead: int
) -> None:
    value = router.issued.by_id(first(router)["hash"]).value
    chats(openai, OLD)
    writes(claude, "sk-ant-api03-CANARY-apikey_old")
    chats(router, value, "/api/v1")
    for silence, key, server in (
        (of_openai, "key_old", openai),
        (of_anthropic, "apikey_old", claude),
        (of_router, first(router)["hash"], router),
    ):
        server.clock.advance(HOUR)
        ours = Clock(NOON + HOUR + ahead)
        quiet = silence(server, clock=ours).ask(key, "1", NOON - HOUR)
        assert quiet.seen_until < NOON + HOUR, "not what our clock says"
        assert quiet.last_used_at >= NOON


def test_openais_report_that_is_late_is_not_taken_for_silence(openai: OpenAi) -> None:
    openai.reports.delay = 300
    chats(openai, OLD)
    unlisted(openai)
    openai.clock.advance(MINUTE)
    early = of_openai(openai).ask("key_old", "1", NOON - HOUR)
    assert early.last_used_at is None
    assert early.seen_until < NOON, "what it says does not reach the use that it did not hear of"
    openai.clock.advance(5 * MINUTE)
    assert of_openai(openai).ask("key_old", "1", NOON - HOUR).last_used_at == NOON + MINUTE


@pytest.mark.parametrize("later", [HOUR, 23 * HOUR, 25 * HOUR, 3 * DAY, 40 * DAY])
def test_a_use_after_the_successor_took_over_is_found_however_long_ago_that_was(
    openai: OpenAi, later: int
) -> None:
    chats(openai, OLD)
    unlisted(openai)
    openai.clock.advance(later)
    used = of_openai(openai).ask("key_old", "1", NOON - HOUR).last_used_at
    assert NOON < used <= NOON + DAY, "its end, by the minute or by the day"
    if later < DAY - MINUTE:
        assert used == NOON + MINUTE


def test_openais_costs_know_the_day_and_every_surface(openai: OpenAi) -> None:
    chats(openai, OLD)
    unlisted(openai)
    silence = of_openai(openai, usage=[], costs=True)
    openai.clock.advance(HOUR)
    assert silence.ask("key_old", "1", NOON).last_used_at == NOON + HOUR
    openai.clock.advance(DAY)
    assert silence.ask("key_old", "1", NOON).last_used_at == NOON + 12 * HOUR
    assert silence.ask("key_new", "1", NOON).last_used_at is None


def test_a_last_use_at_midnight_may_mean_the_whole_day(openai: OpenAi) -> None:
    midnight = NOON - 12 * HOUR
    openai.keys["proj_web"][0]["last_used_at"] = midnight // SECOND
    silence = of_openai(openai, usage=[])
    assert silence.ask("key_old", "1", NOON).last_used_at == NOON
    openai.clock.advance(DAY)
    assert silence.ask("key_old", "1", NOON).last_used_at == midnight + DAY


@pytest.mark.parametrize("key_id", ["key_elsewhere", None, "version:1"])
def test_of_a_key_that_is_not_listed_openai_knows_nothing(openai: OpenAi, key_id: str | None) -> None:
    with pytest.raises(RotationError, match="does not list the old key"):
        of_openai(openai).ask(key_id, "1", NOON)


@pytest.mark.parametrize("path", [".*/api_keys", ".*/usage/completions", ".*/costs"])
def test_what_openai_refuses_to_tell_is_not_silence(openai: OpenAi, path: str) -> None:
    openai.deny("GET", path)
    with pytest.raises(RotationError, match="denied"):
        of_openai(openai, costs=True).ask("key_old", "1", NOON)


def test_openai_is_asked_by_the_admin_key_what_the_party_says(openai: OpenAi) -> None:
    silence = of_openai(openai, costs=True)
    silence.ask("key_old", "1", NOON - HOUR)
    shown = {f"{call.method} {call.path}" for call in openai.calls}
    assert shown == {each.format(project="proj_web", surface="completions") for each in silence.calls["ask"]}
    assert {call.key for call in openai.calls} == {ADMIN}


def test_anthropics_report_gives_the_end_of_the_minute(claude: Anthropic) -> None:
    writes(claude, "sk-ant-api03-CANARY-apikey_old")
    claude.clock.advance(HOUR)
    writes(claude, "sk-ant-api03-CANARY-apikey_new")
    silence = of_anthropic(claude)
    quiet = silence.ask("apikey_old", "1", NOON - HOUR)
    assert quiet == Quiet(NOON + HOUR - DELAY, NOON + MINUTE, "anthropic: messages reported")
    claude.clock.advance(3 * DAY)
    assert NOON < silence.ask("apikey_old", "1", NOON - HOUR).last_used_at <= NOON + DAY
    assert silence.ask("apikey_old", "1", NOON + 2 * DAY).last_used_at is None


def test_looking_at_anthropics_models_is_in_no_report(claude: Anthropic) -> None:
    probe = opened("probe", {"kind": "anthropic", "endpoint": claude.url})
    probe.ask({"key": "sk-ant-api03-CANARY-apikey_old"})
    assert of_anthropic(claude).ask("apikey_old", "1", NOON - HOUR).last_used_at is None


@pytest.mark.parametrize("key_id", ["apikey_elsewhere", None, "version:1", "keyaudit-6d5e3f0a"])
def test_of_a_key_that_anthropic_does_not_know_it_tells_nothing(
    claude: Anthropic, key_id: str | None
) -> None:
    with pytest.raises(RotationError):
        of_anthropic(claude).ask(key_id, "1", NOON)


def test_what_anthropic_refuses_to_tell_is_not_silence(claude: Anthropic) -> None:
    claude.hidden.add("/v1/organizations/usage_report/messages")
    with pytest.raises(RotationError, match="denied"):
        of_anthropic(claude).ask("apikey_old", "1", NOON)


def test_anthropic_is_asked_by_the_admin_key_what_the_party_says(claude: Anthropic) -> None:
    silence = of_anthropic(claude)
    silence.ask("apikey_old", "1", NOON - HOUR)
    assert [f"{call.method} {call.path}" for call in claude.calls] == [
        each.format(key="apikey_old") for each in silence.calls["ask"]
    ]
    assert {call.key for call in claude.calls} == {ADMIN}


def first(router: OpenRouter) -> dict:
    return router.keys[0]


def test_open_router_tells_the_last_use(router: OpenRouter) -> None:
    value = router.issued.by_id(first(router)["hash"]).value
    chats(router, value, "/api/v1")
    router.clock.advance(HOUR)
    quiet = of_router(router).ask(first(router)["hash"], "1", NOON)
    assert quiet == Quiet(NOON + HOUR - DELAY, NOON, "openrouter: last use listed, costs")
    assert {call.key for call in router.calls[1:]} == {ADMIN}


def test_a_key_that_open_router_never_saw_has_no_last_use(router: OpenRouter) -> None:
    assert of_router(router).ask(first(router)["hash"], "1", NOON).last_used_at is None


@pytest.mark.parametrize(
    ("counter", "last_used", "behind"),
    [
        ("usage_daily", "2026-11-20T23:59:59Z", True),
        ("usage_daily", "2026-11-21T00:00:01Z", False),
        ("byok_usage_daily", "2026-11-20T23:59:59Z", True),
        ("usage_weekly", "2026-11-15T23:59:59Z", True),
        ("usage_weekly", "2026-11-16T00:00:01Z", False),
        ("usage_monthly", "2026-10-31T23:59:59Z", True),
        ("usage_monthly", "2026-11-01T00:00:01Z", False),
        ("usage", None, True),
        ("usage", "2020-01-01T00:00:00Z", False),
    ],
)
def test_costs_that_came_after_the_last_use_say_that_it_is_behind(
    router: OpenRouter, counter: str, last_used: str | None, behind: bool
) -> None:
    first(router).update({counter: 0.25, "last_used_at": last_used})
    used = of_router(router).ask(first(router)["hash"], "1", NOON).last_used_at
    assert used == (NOON if behind else parse_instant(str(last_used)))


def test_where_open_router_does_not_tell_it_nobody_can(router: OpenRouter) -> None:
    del first(router)["last_used_at"]
    with pytest.raises(RotationError, match="does not say when"):
        of_router(router).ask(first(router)["hash"], "1", NOON)
    with pytest.raises(RotationError, match="HTTP 404"):
        of_router(router).ask("nohash", "1", NOON)
    assert format_instant(NOON) == "2026-11-21T12:00:00Z"
