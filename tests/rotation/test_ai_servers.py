"""Both sides of the local providers at once: an application asks while its key is replaced, and an audit looks on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import openai
from openai import OpenAI

from keyaudit.client import ResilientClient
from keyaudit.sources import open_source
from keyaudit.times import DAY, SECOND
from servers.admin_api import NOON
from servers.anthropic import KEY as ANTHROPIC_KEY
from servers.anthropic import Anthropic
from servers.clock import Clock
from servers.issued_keys import Lag
from servers.open_router import OpenRouter
from servers.openai import KEY, OpenAi

CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}


def asks_throughout(client: Any, meanwhile: Callable[[Callable[[], None]], None]) -> int:
    """Ask again and again while something happens, which may wait for more answers; gives how many there were."""
    answered, done = threading.Condition(), threading.Event()
    failures: list[BaseException] = []
    count = 0

    def ask() -> None:
        nonlocal count
        while not done.is_set():
            try:
                client.chat.completions.create(**CHAT)
            except openai.OpenAIError as error:
                failures.append(error)
            with answered:
                count += 1
                answered.notify()

    def more_answers() -> None:
        with answered:
            enough = count + 4
            assert answered.wait_for(lambda: count >= enough, timeout=20)

    application = threading.Thread(target=ask)
    application.start()
    try:
        meanwhile(more_answers)
        more_answers()
    finally:
        done.set()
        application.join()
    assert failures == []
    return count


def test_an_application_is_answered_throughout_while_its_key_is_replaced() -> None:
    with OpenAi() as server, OpenAI(admin_api_key=KEY, base_url=f"{server.url}/v1") as admin:
        server.put_project("proj_web")
        projects = admin.admin.organization.projects
        old = projects.service_accounts.create("proj_web", name="web")
        keys = [old.api_key.value]
        server.issued.waits = server.issued.lingers = Lag(calls=2)

        def replace(more_answers: Callable[[], None]) -> None:
            more_answers()
            new = projects.service_accounts.api_keys.create(old.id, project_id="proj_web")
            assert [works(new.value) for _ in range(3)] == [False, False, True]
            keys.insert(0, new.value)
            more_answers()
            projects.api_keys.delete(old.api_key.id, project_id="proj_web")
            more_answers()

        def given(*, fresh: bool = False) -> tuple[str, ...]:
            return tuple(keys)

        def make(key: str) -> OpenAI:
            return OpenAI(api_key=key, base_url=f"{server.url}/v1", max_retries=0)

        def works(key: str) -> bool:
            with make(key) as probe:
                try:
                    return bool(list(probe.models.list()))
                except openai.AuthenticationError:
                    return False

        with ResilientClient(make, given, retry_dead_after=0) as client:
            assert asks_throughout(client, replace) >= 16
        assert server.issued.live() == ["key_0003"]
        assert {use.key for use in server.issued.uses} == {old.api_key.id, "key_0003"}


def listed(kind: str, server: Any, **environment: str) -> dict[str, list[tuple[str, str, bool | None]]]:
    source = open_source(
        {"name": "tested", "kind": kind, "endpoint": server.url, "cache": False},
        clock=lambda: NOON,
        environment=environment,
    )
    return {
        row.id: [(each.id, each.state, each.authenticates) for each in row.versions]
        for row in source.pull(lambda _: None).rows
    }


def test_an_audit_of_openai_sees_the_old_key_until_it_is_gone() -> None:
    with OpenAi() as server, OpenAI(admin_api_key=KEY, base_url=f"{server.url}/v1") as admin:
        server.put_project("proj_web")
        server.put_admin_key("key_admin", created_at=(NOON - DAY) // SECOND)
        server.clock.advance(-DAY)
        projects = admin.admin.organization.projects
        account = projects.service_accounts.create("proj_web", name="web")
        server.clock.advance(DAY // 2)
        projects.service_accounts.api_keys.create(account.id, project_id="proj_web")
        old, new = server.issued.live()[-2:]
        both = listed("openai", server, OPENAI_ADMIN_KEY=KEY)[account.id]
        assert both == [(new, "current", True), (old, "superseded", True)]
        projects.api_keys.delete(old, project_id="proj_web")
        assert listed("openai", server, OPENAI_ADMIN_KEY=KEY)[account.id] == [(new, "current", True)]


def test_an_audit_of_anthropic_sees_a_key_that_was_switched_off() -> None:
    with Anthropic() as server:
        server.put_key("apikey_1", created_at="2026-11-01T00:00:00Z")
        assert listed("anthropic", server, ANTHROPIC_ADMIN_KEY=ANTHROPIC_KEY) == {
            "apikey_1": [("apikey_1", "current", True)]
        }
        server.keys[0]["status"] = "inactive"
        assert listed("anthropic", server, ANTHROPIC_ADMIN_KEY=ANTHROPIC_KEY) == {
            "apikey_1": [("apikey_1", "disabled", False)]
        }


def test_servers_may_share_a_clock_and_one_that_nobody_set_runs() -> None:
    shared = Clock(NOON)
    with OpenAi(shared) as one, Anthropic(clock=shared) as two, OpenRouter(shared) as three:
        shared.advance(DAY)
        assert {each.issued.now() for each in (one, two, three)} == {(NOON + DAY) / SECOND}
    with OpenRouter(Clock()) as running, OpenRouter() as still:
        assert running.put_key("a")["created_at"] != still.put_key("a")["created_at"]
        assert still.issued.now() == NOON / SECOND
