"""Keys that a human makes: what whoever does it is told, and what is done with the value that is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from pydantic import ValidationError

from keyaudit.errors import RotationError
from keyaudit.rotation.issuers.manual import Manual, ManualSettings
from keyaudit.rotation.journal import MemoryJournal
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.steps import Done, Order, Outcome, Wait
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.times import DAY, MINUTE, format_instant
from rotation.parties import Alone, listed, opened
from servers.admin_api import NOON
from servers.anthropic import KEY, Anthropic
from servers.clock import Clock

TOKEN = "6d5e3f0a-4a52-5f6b-8a43-9d0c5a4f6b1f"
NAME = f"keyaudit-{TOKEN}"
NEW = "sk-ant-api03-CANARY-new"


class Human:
    """Does what the instructions say, in `does`, and gives `gives`."""

    def __init__(self, gives: str | None = NEW, does: object = lambda text: None) -> None:
        self.gives, self.does = gives, does
        self.told: list[str] = []

    def __call__(self, text: str, parts: tuple[str, ...]) -> Mapping[str, str] | None:
        self.told.append(text)
        self.does(text)
        if self.gives is None:
            return None
        return dict.fromkeys(parts, self.gives)


@pytest.fixture
def server() -> Iterator[Anthropic]:
    with Anthropic() as running:
        running.put_key(
            "apikey_old",
            created_at="2026-01-01T00:00:00Z",
            value="sk-ant-api03-CANARY-old",
            partial_key_hint="sk-ant-api03-CAN...-old",
        )
        yield running


def made_in_the_console(server: Anthropic, name: str = NAME, **more: object) -> None:
    now = format_instant(server.clock())
    fields = {"value": NEW, "partial_key_hint": "sk-ant-api03-CAN...-new", **more}
    server.put_key("apikey_new", created_at=now, name=name, minted=True, **fields)


def by_hand(provider: str = "other", ask: object = None, **more: object) -> Manual:
    url = {"url": "https://keys.acme.example/"} if provider == "other" else {}
    return opened("issuer", {"kind": "manual", "provider": provider, **url, **more}, ask=ask)


def with_admin(server: Anthropic, ask: object = None, **more: object) -> Manual:
    settings = {
        "kind": "manual",
        "provider": "anthropic",
        "key_variable": "ANTHROPIC_ADMIN_KEY",
        "endpoint": server.url,
        **more,
    }
    return opened("issuer", settings, clock=server.clock, environment={"ANTHROPIC_ADMIN_KEY": KEY}, ask=ask)


@pytest.mark.parametrize(
    ("provider", "page"),
    [
        ("anthropic", "https://console.anthropic.com/settings/keys"),
        ("openai", "https://platform.openai.com/api-keys"),
        ("other", "https://keys.acme.example/"),
    ],
)
def test_whoever_makes_a_key_is_told_where_and_by_which_name(provider: str, page: str) -> None:
    human = Human()
    made = by_hand(provider, human, place="the workspace Production").mint(TOKEN, set())
    [text] = human.told
    assert f"Open {page}, in the workspace Production." in text
    assert f"this name exactly: {NAME}" in text
    assert "Leave the old key alone" in text
    assert (made.key_id, made.parts) == (NAME, {"key": NEW})
    assert "CANARY" not in repr(made)


def test_whoever_revokes_a_key_is_told_which_one_and_says_that_it_is_done() -> None:
    human = Human()
    party = by_hand("openai", human)
    party.revoke(NAME)
    party.revoke("version:1")
    assert f"Find the key named {NAME}." in human.told[0]
    assert "version 1 in the store" in human.told[1]
    with pytest.raises(RotationError, match="is not revoked yet"):
        by_hand("openai", Human(gives=None)).revoke(NAME)


@pytest.mark.parametrize(
    "given", [None, "", "short", "sk-CANARY with a space", "sk-CANARY-0000\n", "sk-CANARY-ä-00"]
)
def test_what_cannot_be_a_key_is_not_stored_and_not_shown(given: str | None) -> None:
    with pytest.raises(RotationError) as caught:
        by_hand("openai", Human(given)).mint(TOKEN, set())
    assert "CANARY" not in f"{caught.value}{caught.value.hint}"


def test_where_no_human_is_it_says_how_to_give_the_value() -> None:
    for act in (lambda party: party.mint(TOKEN, set()), lambda party: party.revoke("x")):
        with pytest.raises(RotationError) as caught:
            act(by_hand())
        assert "stdin" in caught.value.hint


def test_without_an_admin_key_nothing_is_listed_or_asked() -> None:
    party = by_hand("anthropic")
    assert party.keys() is None
    assert party.recognise({"key": NEW}, None) is None
    assert not party.names_keys
    assert set(party.calls.values()) == {()}


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "other"},
        {"provider": "other", "url": "http://keys.acme.example/"},
        {"provider": "openai", "key_variable": "OPENAI_ADMIN_KEY"},
        {"provider": "anthropic", "key_variable": "sk-ant-admin01-x"},
        {"provider": "elsewhere"},
    ],
)
def test_settings_that_cannot_be_obeyed_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        ManualSettings.model_validate({"kind": "manual", **wrong})


def test_anthropics_list_knows_the_new_key_by_its_ends(server: Anthropic) -> None:
    human = Human(does=lambda text: made_in_the_console(server))
    party = with_admin(server, human)
    made = party.mint(TOKEN, {"apikey_old"})
    assert made.key_id == "apikey_new"
    assert [(key.id, key.token) for key in listed(party)] == [("apikey_old", None), ("apikey_new", TOKEN)]


def test_a_key_that_was_given_another_name_is_renamed(server: Anthropic) -> None:
    human = Human(does=lambda text: made_in_the_console(server, name="my new key"))
    party = with_admin(server, human)
    party.mint(TOKEN, {"apikey_old"})
    assert [key.token for key in listed(party)] == [None, TOKEN]


@pytest.mark.parametrize(
    ("gives", "how"),
    [
        ("sk-ant-api03-CANARY-old", {}),
        ("sk-ant-api03-CANARY-typo", {}),
        (NEW, {"status": "inactive"}),
        (NEW, {"name": "keyaudit-another-rotation"}),
    ],
    ids=["the old one", "no key", "switched off", "another rotation's"],
)
def test_a_value_that_is_not_the_new_keys_is_refused(server: Anthropic, gives: str, how: dict) -> None:
    human = Human(gives, does=lambda text: made_in_the_console(server, **how))
    with pytest.raises(RotationError) as caught:
        with_admin(server, human).mint(TOKEN, {"apikey_old"})
    assert "CANARY" not in f"{caught.value}{caught.value.hint}"


def test_two_keys_with_the_same_ends_are_told_apart_by_the_name_alone(server: Anthropic) -> None:
    server.put_key(
        "apikey_twin", created_at="2026-01-01T00:00:00Z", partial_key_hint="sk-ant-api03-CAN...-new"
    )
    party = with_admin(server, Human(does=lambda text: made_in_the_console(server)))
    assert party.mint(TOKEN, {"apikey_old"}).key_id == "apikey_new"
    assert party.recognise({"key": NEW}, party.keys()) is None


def test_a_key_is_switched_off_by_the_api_and_by_nobodys_hand(server: Anthropic) -> None:
    party = with_admin(server)
    party.revoke("apikey_old")
    party.revoke("apikey_old")
    party.revoke("apikey_gone")
    assert server.issued.live() == []
    assert server.keys[0]["status"] == "inactive"
    with_admin(server, retire="archived").revoke("apikey_old")
    assert server.keys[0]["status"] == "archived"


def test_a_value_is_recognised_by_the_ends_that_anthropic_shows(server: Anthropic) -> None:
    party = with_admin(server)
    assert party.recognise({"key": "sk-ant-api03-CANARY-old"}, party.keys()) == "apikey_old"
    assert party.recognise({"key": "sk-ant-api03-CANARY-xxx"}, party.keys()) is None


class Probe:
    kind, calls = "anthropic", ()

    def __init__(self, server: Anthropic) -> None:
        self._real = opened("probe", {"kind": "anthropic", "endpoint": server.url})

    def ask(self, parts: Mapping[str, str]) -> object:
        return self._real.ask(parts)


def rotation(server: Anthropic, party: Manual, clock: Clock) -> tuple[Runner, MemoryStore, MemoryJournal]:
    store = MemoryStore("web", Secret("sk-ant-api03-CANARY-old"), clock=clock)
    silence = opened(
        "silence",
        {"kind": "anthropic", "endpoint": server.url},
        clock=clock,
        environment={"ANTHROPIC_ADMIN_KEY": KEY},
    )
    journal = MemoryJournal()
    parties = Parties(store, party, Probe(server), silence, Shape({}))
    return Runner(parties, journal, Alone(clock)), store, journal


def test_anthropics_key_is_rotated_to_its_end_with_one_visit_to_the_console(server: Anthropic) -> None:
    def does(text: str) -> None:
        name = text.partition("exactly: ")[2].splitlines()[0]
        made_in_the_console(server, name=name)

    human = Human(does=does)
    run, store, journal = rotation(server, with_admin(server, human), server.clock)
    ending = run.run(Order())
    assert ending.step == Done(Outcome.ROTATED, "the rotation is at its end")
    assert store.served() == Secret(NEW)
    assert {key["id"]: key["status"] for key in server.keys} == {
        "apikey_old": "inactive",
        "apikey_new": "active",
    }
    assert len(human.told) == 1
    assert "CANARY" not in repr(journal.entries())


def test_a_key_whose_value_was_never_given_is_found_by_its_name_and_switched_off(server: Anthropic) -> None:
    names: list[str] = []

    def interrupted(text: str) -> None:
        names.append(text.partition("exactly: ")[2].splitlines()[0])
        made_in_the_console(server, name=names[-1])
        raise KeyboardInterrupt

    run, store, _ = rotation(server, with_admin(server, Human(does=interrupted)), server.clock)
    with pytest.raises(KeyboardInterrupt):
        run.run(Order())
    server.keys[-1]["id"] = "apikey_lost"

    def does(text: str) -> None:
        name = text.partition("exactly: ")[2].splitlines()[0]
        assert name not in names, "the token of a lost value never comes back"
        server.put_key(
            "apikey_new",
            created_at=format_instant(server.clock()),
            name=name,
            value=f"{NEW}2",
            partial_key_hint="sk-ant-api03-CAN...new2",
        )

    again = Runner(
        Parties(store, with_admin(server, Human(f"{NEW}2", does)), Probe(server), None, Shape({})),
        MemoryJournal(),
        Alone(server.clock),
    )
    ending = again.run(Order(confirmed_silent=True))
    assert isinstance(ending.step, Done)
    assert {key["id"]: key["status"] for key in server.keys} == {
        "apikey_old": "inactive",
        "apikey_lost": "inactive",
        "apikey_new": "active",
    }


def test_without_any_list_the_record_remembers_what_a_human_revoked() -> None:
    clock, human = Clock(NOON), Human()
    store = MemoryStore("web", Secret("sk-CANARY-old-value"), clock=clock)

    class Alive:
        kind, calls = "told", ()

        def ask(self, parts: Mapping[str, str]) -> object:
            from keyaudit.rotation.sight import Liveness

            return Liveness.ALIVE

    journal = MemoryJournal()
    run = Runner(Parties(store, by_hand("openai", human), Alive(), None, Shape({})), journal, Alone(clock))
    ending = run.run(Order(grace=DAY))
    assert not isinstance(ending.step, Wait | Done), "nobody can tell that the old key is silent"
    ending = run.run(Order(confirmed_silent=True, begin=False))
    assert isinstance(ending.step, Done)
    assert store.served() == Secret(NEW)
    assert [text.splitlines()[0] for text in human.told] == [
        "Make the new key by hand:",
        "Revoke a key by hand, for good:",
    ]
    clock.advance(30 * DAY + MINUTE)
    human.gives = NEW
    with pytest.raises(RotationError, match="the new value is the one in use"):
        run.run(Order())
    assert store.served() == Secret(NEW)
