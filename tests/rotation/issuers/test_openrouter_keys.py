"""Keys of OpenRouter, through the local one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.issuers.openrouter import OpenRouterKeys
from keyaudit.times import HOUR
from rotation.parties import listed, opened
from servers.admin_api import NOON
from servers.open_router import KEY, OpenRouter

TOKEN = "6d5e3f0a-4a52-5f6b-8a43-9d0c5a4f6b1f"


@pytest.fixture
def server() -> Iterator[OpenRouter]:
    with OpenRouter() as running:
        yield running


def issuer(server: OpenRouter, **more: object) -> OpenRouterKeys:
    settings = {"kind": "openrouter", "endpoint": server.url, **more}
    return opened("issuer", settings, clock=server.clock, environment={"OPENROUTER_MANAGEMENT_KEY": KEY})


def test_a_minted_key_bears_the_token_and_the_limits_of_the_settings(server: OpenRouter) -> None:
    made = issuer(server, limit=100, limit_reset="monthly", expires_in="1h").mint(TOKEN, set())
    [entry] = server.keys
    assert (entry["limit"], entry["limit_reset"], entry["include_byok_in_limit"]) == (100, "monthly", False)
    assert made.key_id == hashlib.sha256(made.parts["key"].encode()).hexdigest()
    party = issuer(server)
    assert [(key.id, key.token, key.active, key.created_at) for key in listed(party)] == [
        (made.key_id, TOKEN, True, NOON)
    ]
    server.clock.advance(HOUR)
    assert [key.active for key in listed(party)] == [False]


def test_a_disabled_key_is_listed_and_not_active(server: OpenRouter) -> None:
    server.put_key("old", disabled=True)
    server.put_key("new")
    assert [key.active for key in listed(issuer(server))] == [False, True]


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_every_key_is_listed_once_however_many_there_are(server: OpenRouter, count: int) -> None:
    ids = [server.put_key(f"key {number}")["hash"] for number in range(count)]
    assert [key.id for key in listed(issuer(server))] == ids


def test_a_key_that_is_deleted_while_the_list_is_read_lets_no_other_slip_through(server: OpenRouter) -> None:
    for number in range(205):
        server.put_key(f"key {number}")
    party, deleted = issuer(server), threading.Event()
    listing = server._list

    def list_and_delete(asked):
        answer = listing(asked)
        if not deleted.is_set():
            deleted.set()
            del server.keys[0]
        return answer

    server._list = list_and_delete
    assert [key.id for key in listed(party)] == [each["hash"] for each in server.keys]


def test_a_list_that_never_stands_still_is_none(server: OpenRouter) -> None:
    for number in range(205):
        server.put_key(f"key {number}")
    listing = server._list

    def list_and_delete(asked):
        answer = listing(asked)
        del server.keys[0]
        return answer

    server._list = list_and_delete
    with pytest.raises(RotationError, match="changed while it was read"):
        issuer(server).keys()


def test_revoking_deletes_one_key_and_again_is_success(server: OpenRouter) -> None:
    party = issuer(server)
    old, new = server.put_key("old")["hash"], party.mint(TOKEN, set()).key_id
    party.revoke(old)
    party.revoke(old)
    assert server.issued.live() == [new]
    server.deny("DELETE", ".*")
    with pytest.raises(RotationError, match="denied"):
        party.revoke(new)


def test_a_value_is_recognised_by_its_hash_or_by_its_ends(server: OpenRouter) -> None:
    old = server.put_key("old", value="sk-or-v1-CANARY-abcdef-0001")["hash"]
    party = issuer(server)
    keys = party.keys()
    assert party.recognise({"key": "sk-or-v1-CANARY-abcdef-0001"}, keys) == old
    server.keys[0]["hash"] = "no-hash-of-it"
    assert party.recognise({"key": "sk-or-v1-CANARY-abcdef-0001"}, party.keys()) == "no-hash-of-it"
    assert party.recognise({"key": "sk-or-v1-CANARY-abcdef-0002"}, party.keys()) is None


def test_an_answer_that_was_lost_leaves_a_key_that_is_found_by_its_token(server: OpenRouter) -> None:
    party = issuer(server)
    server.fail("POST", ".*", None, after=True)
    with pytest.raises(RotationError):
        party.mint(TOKEN, set())
    assert [key.token for key in listed(party)] == [TOKEN]
    assert [call.method for call in server.calls].count("POST") == 1


def test_each_method_makes_the_calls_that_it_says_and_no_other(server: OpenRouter) -> None:
    party = issuer(server)
    party.keys()
    made = party.mint(TOKEN, set())
    party.revoke(made.key_id)
    shown = [f"{call.method} {call.path}" for call in server.calls]
    said = [each for method in ("keys", "mint", "revoke") for each in party.calls[method]]
    assert shown == [call.format(key=made.key_id) for call in said]
