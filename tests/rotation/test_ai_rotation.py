"""Keys of OpenAI and OpenRouter from the first step to the last, while an application goes on asking."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import openai
import pytest
from openai import OpenAI as Client

from keyaudit.errors import RotationError
from keyaudit.rotation.journal import MemoryJournal
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Ending, Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Liveness
from keyaudit.rotation.steps import Decide, Done, Goal, Order, Outcome, Promote, Revoke, Stage, Step
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.times import HOUR
from rotation.parties import Alone, opened
from servers.admin_api import ADMIN, NOON
from servers.clock import Clock
from servers.issued_keys import Lag
from servers.open_router import KEY as MANAGEMENT
from servers.open_router import OpenRouter
from servers.openai import KEY, OpenAi, service_account

CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
OLD = "sk-svcacct-CANARY-old"
ENVIRONMENT = {"OPENAI_ADMIN_KEY": KEY, "OPENROUTER_MANAGEMENT_KEY": MANAGEMENT}


class Application:
    """Asks again and again, with whatever key the store serves at that moment, through the client of OpenAI."""

    def __init__(self, base: str, store: MemoryStore) -> None:
        self._client = Client(api_key=lambda: store.served().reveal(), base_url=base, max_retries=0)
        self._answered, self._done = threading.Condition(), threading.Event()
        self.failures: list[BaseException] = []
        self.count = 0

    def _ask(self) -> None:
        while not self._done.is_set():
            try:
                self._client.chat.completions.create(**CHAT)
            except openai.OpenAIError as error:
                self.failures.append(error)
            with self._answered:
                self.count += 1
                self._answered.notify()

    def at_step(self, _: Step) -> None:
        """Let a few more requests begin and end before the next step is done."""
        with self._answered:
            enough = self.count + 3
            assert self._answered.wait_for(lambda: self.count >= enough, timeout=20)

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()
            self._client.close()


@pytest.fixture
def server() -> Iterator[OpenAi]:
    with OpenAi(Clock(NOON)) as running:
        running.put_key(
            "proj_web",
            "key_old",
            created_at=1_700_000_000,
            owner=service_account("web"),
            value=OLD,
            redacted_value="sk-svcacct-...old",
        )
        yield running


def parties_of(server: OpenAi, store: MemoryStore, **more: Any) -> Parties:
    project = {"kind": "openai", "project": "proj_web", "endpoint": server.url}
    given = {"clock": server.clock, "environment": ENVIRONMENT}
    parties = Parties(
        store,
        opened("issuer", {**project, "service_account": "svc_acct_web"}, **given),
        opened("probe", {"kind": "openai", "endpoint": server.url}, **given),
        opened("silence", project, **given),
        Shape({}),
    )
    return replace(parties, **more)


def store_of(server: OpenAi, value: str = OLD) -> MemoryStore:
    return MemoryStore("prod/openai", Secret(value), clock=server.clock)


def run(parties: Parties, server: Any, order: Order | None = None) -> Ending:
    return Runner(parties, MemoryJournal(), Alone(server.clock)).run(order or Order())


def test_no_request_fails_while_openais_key_is_rotated(
    server: OpenAi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "urllib3")
    server.issued.waits = server.issued.lingers = Lag(calls=2)
    store, journal = store_of(server), MemoryJournal()
    application = Application(f"{server.url}/v1", store)
    around = Alone(server.clock, application.at_step)
    with application.asking():
        ending = Runner(parties_of(server, store), journal, around).run(Order())
    assert ending.step == Done(Outcome.ROTATED, "the rotation is at its end")
    assert application.failures == []
    assert application.count >= 3 * len(around.steps)
    [new] = server.issued.live()
    assert server.issued.named(store.served().reveal()).id == new != "key_old"
    assert "CANARY" not in repr(journal.entries()) + caplog.text
    assert server.issued.by_id("key_old").died is not None


def test_the_old_key_is_never_used_by_the_rotation_itself(server: OpenAi) -> None:
    store = store_of(server)
    run(parties_of(server, store), server)
    assert server.calls_of("key_old") == []
    assert {call.key for call in server.calls} == {ADMIN, *server.issued.live()}


def test_the_old_key_lives_until_it_was_silent_for_the_whole_window(server: OpenAi) -> None:
    store, used = store_of(server), []

    def straggler(step: Step) -> None:
        """Somebody goes on with the old key for two hours after the new one took over."""
        since = store.look().current.since
        if store.look().promoted and server.clock() < since + 2 * HOUR:
            used.append(server.clock())
            with Client(api_key=OLD, base_url=f"{server.url}/v1", max_retries=0) as client:
                client.chat.completions.create(**CHAT)

    journal = MemoryJournal()
    runner = Runner(parties_of(server, store), journal, Alone(server.clock, straggler))
    assert isinstance(runner.run(Order(window=HOUR)).step, Done)
    died = server.issued.by_id("key_old").died * 1_000_000
    assert len(used) > 2
    assert died >= max(used) + HOUR


@pytest.mark.parametrize("after", [True, False], ids=["answer lost", "request lost"])
def test_a_key_whose_value_was_lost_on_the_way_is_discarded_by_the_next_run(
    server: OpenAi, after: bool
) -> None:
    store = store_of(server)
    server.fail("POST", ".*/api_keys", None, after=after)
    with pytest.raises(RotationError, match="the connection broke"):
        run(parties_of(server, store), server)
    assert len(server.issued.live()) == 1 + after
    assert store.served() == Secret(OLD)
    assert isinstance(run(parties_of(server, store), server).step, Done)
    assert [server.issued.named(store.served().reveal()).id] == server.issued.live()
    posts = [call for call in server.calls if call.method == "POST" and call.path.endswith("/api_keys")]
    assert len(posts) == 2


class Dying(MemoryStore):
    """A store at which a run dies, once, before or after the value is staged."""

    dies: str | None = None

    def stage(self, *given: Any, **named: Any) -> None:
        how, self.dies = self.dies, None
        if how != "before":
            super().stage(*given, **named)
        if how is not None:
            raise KeyboardInterrupt


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_dies_about_staging_leaves_nothing_that_the_next_one_does_not_find(
    server: OpenAi, when: str
) -> None:
    store = Dying("prod/openai", Secret(OLD), clock=server.clock)
    store.dies = when
    with pytest.raises(KeyboardInterrupt):
        run(parties_of(server, store), server)
    orphan = server.issued.live()[-1]
    assert isinstance(run(parties_of(server, store), server).step, Done)
    served = server.issued.named(store.served().reveal()).id
    assert server.issued.live() == [served]
    assert (orphan == served) == (when == "after")


def test_a_deletion_whose_answer_was_lost_is_done_again_without_harm(server: OpenAi) -> None:
    store = store_of(server)
    server.fail("DELETE", ".*", None, after=True)
    with pytest.raises(RotationError):
        run(parties_of(server, store), server)
    assert isinstance(run(parties_of(server, store), server, Order(begin=False)).step, Done)
    assert server.issued.live() == [server.issued.named(store.served().reveal()).id]


def test_a_new_key_that_does_not_work_is_discarded_and_the_old_one_stays(server: OpenAi) -> None:
    store = store_of(server)
    server.issued.waits = Lag(calls=10_000)
    ending = run(parties_of(server, store), server)
    assert ending.step.outcome is Outcome.ROLLED_BACK
    assert server.issued.live() == ["key_old"]
    assert store.served() == Secret(OLD)


def test_a_new_key_with_fewer_scopes_is_restricted_and_taken(server: OpenAi) -> None:
    store = store_of(server)
    settings = {"kind": "openai", "project": "proj_web", "endpoint": server.url, "scopes": ["model.request"]}
    given = {"clock": server.clock, "environment": ENVIRONMENT}
    issuer = opened("issuer", {**settings, "service_account": "svc_acct_web"}, **given)
    journal = MemoryJournal()
    Runner(parties_of(server, store, issuer=issuer), journal, Alone(server.clock)).run(Order())
    verified = [each["detail"] for each in journal.entries() if each["step"] == "verify"]
    assert verified[-1]["liveness"] == Liveness.RESTRICTED


def test_a_rollback_gives_the_old_key_back_and_ends_the_new_one(server: OpenAi) -> None:
    store = store_of(server)
    run(parties_of(server, store), server, Order(until=Stage.PROMOTE))
    assert store.served() != Secret(OLD)
    ending = run(parties_of(server, store), server, Order(goal=Goal.BACK))
    assert ending.step.outcome is Outcome.ROLLED_BACK
    assert server.issued.live() == ["key_old"]


def test_a_stored_value_that_no_listed_key_has_stops_before_anything_is_made(server: OpenAi) -> None:
    ending = run(parties_of(server, store_of(server, "sk-svcacct-CANARY-another")), server)
    assert "which of the provider's keys is in use is not known" in ending.step.why
    assert server.issued.live() == ["key_old"]


def test_a_provider_that_does_not_say_whether_the_new_key_works_stops_before_it_is_served(
    server: OpenAi,
) -> None:
    store = store_of(server)
    server.models.elsewhere = "ip_not_authorized"
    ending = run(parties_of(server, store), server)
    assert "could not be told" in ending.step.why
    assert store.served() == Secret(OLD)
    server.models.elsewhere = None
    assert isinstance(run(parties_of(server, store), server).step, Done)


def test_no_request_fails_while_open_routers_key_is_rotated() -> None:
    with OpenRouter(Clock(NOON)) as server:
        old = server.issued.by_id(server.put_key("web")["hash"])
        for number in range(120):
            server.put_key(f"somebody else's {number}")
        store = MemoryStore("prod/openrouter", Secret(old.value), clock=server.clock)
        given = {"clock": server.clock, "environment": ENVIRONMENT}
        issuer, probe, silence = (
            opened(role, {"kind": "openrouter", "endpoint": server.url}, **given)
            for role in ("issuer", "probe", "silence")
        )
        parties = Parties(store, issuer, probe, silence, Shape({}))
        application = Application(f"{server.url}/api/v1", store)
        around = Alone(server.clock, application.at_step)
        journal = MemoryJournal()
        with application.asking():
            ending = Runner(parties, journal, around).run(Order(window=HOUR))
        assert isinstance(ending.step, Done)
        assert application.failures == []
        assert server.calls_of(old.id)[0].path == "/api/v1/chat/completions"
        live = server.issued.live()
        assert old.id not in live
        assert len(live) == 121
        assert server.issued.named(store.served().reveal()).id in live
        assert "CANARY" not in repr(journal.entries())


def test_the_steps_come_in_the_order_that_keeps_both_keys_alive(server: OpenAi) -> None:
    store = store_of(server)
    around = Alone(server.clock)
    Runner(parties_of(server, store), MemoryJournal(), around).run(Order())
    done = [type(step) for step in around.steps]
    assert done.index(Promote) < done.index(Revoke)
    assert [step.question for step in around.steps if isinstance(step, Decide)] == ["forward", "final"]
