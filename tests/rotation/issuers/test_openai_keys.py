"""Keys of an OpenAI service account, through the local OpenAI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyaudit.errors import RotationError, UsageError
from keyaudit.rotation.issuers.ends import fits
from keyaudit.rotation.issuers.naming import key_name, token_of
from keyaudit.rotation.issuers.openai import OpenAiKeys
from keyaudit.rotation.sight import Key
from keyaudit.times import HOUR, SECOND
from rotation.parties import listed, opened
from servers.admin_api import ADMIN, NOON
from servers.openai import KEY, OpenAi, service_account, user

TOKEN = "6d5e3f0a-4a52-5f6b-8a43-9d0c5a4f6b1f"
PLACE = "proj_web/svc_acct_web"


@pytest.fixture
def server() -> Iterator[OpenAi]:
    with OpenAi() as running:
        running.put_key("proj_web", "key_old", created_at=NOON // SECOND, owner=service_account("web"))
        yield running


def issuer(server: OpenAi, **more: object) -> OpenAiKeys:
    settings = {
        "kind": "openai",
        "project": "proj_web",
        "service_account": "svc_acct_web",
        "endpoint": server.url,
        **more,
    }
    return opened("issuer", settings, clock=server.clock, environment={"OPENAI_ADMIN_KEY": KEY})


def test_only_the_keys_of_the_service_account_are_its_keys(server: OpenAi) -> None:
    server.put_key("proj_web", "key_other", created_at=1, owner=service_account("other"))
    server.put_key("proj_web", "key_human", created_at=1, owner=user())
    server.put_key("proj_shop", "key_far", created_at=1, owner=service_account("web"))
    assert issuer(server).keys() == (Key("key_old", active=True, token=None, created_at=NOON),)


def test_a_minted_key_bears_the_token_and_works_beside_the_old_one(server: OpenAi) -> None:
    party = issuer(server)
    made = party.mint(TOKEN, {"key_old"})
    assert made.created_at == NOON
    assert server.issued.honoured(made.parts["key"]).id == made.key_id
    assert "CANARY" not in repr(made)
    assert [(key.id, key.token) for key in listed(party)] == [("key_old", None), (made.key_id, TOKEN)]
    assert server.issued.live() == ["key_old", made.key_id]


def test_the_list_is_read_to_its_end_and_has_owners_without_access(server: OpenAi) -> None:
    for number in range(230):
        access = "inactive" if number % 2 else "active"
        server.put_key(
            "proj_web",
            f"key_{number}",
            created_at=1,
            owner=service_account("web"),
            owner_project_access=access,
        )
    assert len(issuer(server).keys()) == 231
    assert len(server.calls) == 3


def test_half_a_list_is_none(server: OpenAi) -> None:
    server.put_key("proj_web", "key_bad", created_at=-5, owner=service_account("web"))
    with pytest.raises(RotationError, match="could not be read"):
        issuer(server).keys()


def test_a_key_past_its_end_is_not_active(server: OpenAi) -> None:
    party = issuer(server, expires_in="1h")
    made = party.mint(TOKEN, set())
    assert [key.active for key in listed(party)] == [True, True]
    server.clock.advance(HOUR)
    assert [(key.id, key.active) for key in listed(party)] == [("key_old", True), (made.key_id, False)]


def test_an_organization_that_demands_an_end_is_told_how_to_give_one(server: OpenAi) -> None:
    server.longest_lifetime = 86_400
    with pytest.raises(RotationError) as caught:
        issuer(server).mint(TOKEN, set())
    assert caught.value.hint == "an organization may demand that keys expire: issuer.expires_in"
    assert issuer(server, expires_in="1d").mint(TOKEN, set()).key_id in server.issued.live()


def test_the_new_key_may_do_what_settings_say(server: OpenAi) -> None:
    made = issuer(server, scopes=["model.request"]).mint(TOKEN, set())
    assert server.issued.by_id(made.key_id).scopes == ("model.request",)


def test_revoking_deletes_one_key_and_again_is_success(server: OpenAi) -> None:
    party = issuer(server)
    made = party.mint(TOKEN, set())
    party.revoke("key_old")
    party.revoke("key_old")
    assert server.issued.live() == [made.key_id]


def test_an_answer_that_was_lost_leaves_a_key_that_is_found_by_its_token(server: OpenAi) -> None:
    party = issuer(server)
    server.fail("POST", ".*", None, after=True)
    with pytest.raises(RotationError):
        party.mint(TOKEN, set())
    [orphan] = [key for key in listed(party) if key.token == TOKEN]
    assert [call.method for call in server.calls].count("POST") == 1
    assert orphan.id in server.issued.live()


def test_a_denied_admin_key_is_named_by_its_variable(server: OpenAi) -> None:
    server.permissions.remove("api.management.write")
    with pytest.raises(RotationError, match=r"denied \(HTTP 403, insufficient_permissions\)") as caught:
        issuer(server).revoke("key_old")
    assert "OPENAI_ADMIN_KEY" in caught.value.hint
    with pytest.raises(UsageError, match="OPENAI_ADMIN_KEY is not set"):
        opened("issuer", {"kind": "openai", "project": "p", "service_account": "s"})


def test_each_method_makes_the_calls_that_it_says_and_no_other(server: OpenAi) -> None:
    party = issuer(server)
    keys = party.keys()
    party.recognise({"key": "sk-x"}, keys)
    made = party.mint(TOKEN, set())
    party.revoke(made.key_id)
    shown = [f"{call.method} {call.path}" for call in server.calls]
    at = {"project": "proj_web", "service_account": "svc_acct_web", "key": made.key_id}
    said = [call.format(**at) for method in ("keys", "mint", "revoke") for call in party.calls[method]]
    assert shown == said
    assert {call.key for call in server.calls} == {ADMIN}


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (["sk-proj-***y_1", "sk-proj-...abcd"], "key_1"),
        (["sk-proj-...y_1", "sk-proj-...y_1"], None),
        (["sk-proj-...zzz", "sk-...abcd"], None),
        ([None, "no ends at all"], None),
        (["sk-proj-...1", "sk-...abcd"], None),
    ],
    ids=["one", "both", "none", "not shown", "too short an end"],
)
def test_a_value_is_recognised_by_its_ends_if_only_one_has_them(
    server: OpenAi, shown: list[str | None], found: str | None
) -> None:
    server.keys["proj_web"].clear()
    for number, ends in enumerate(shown, 1):
        owner = service_account("web")
        server.put_key("proj_web", f"key_{number}", created_at=1, owner=owner, redacted_value=ends)
    party = issuer(server)
    before = len(server.calls)
    keys = party.keys()
    assert party.recognise({"key": "sk-proj-CANARY-key_1"}, keys) == found
    assert len(server.calls) == before + 1, "recognising uses no key and asks nobody"


def test_ends_that_would_overlap_show_nothing() -> None:
    assert fits("sk-ab...bcd", "sk-abXbcd")
    assert not fits("sk-ab...bcd", "sk-abcd")
    assert not fits("sk-...bcd", "sk-abcd and more")


def test_a_name_gives_its_token_back_at_its_own_place_only() -> None:
    assert token_of(key_name(TOKEN, PLACE), PLACE) == TOKEN
    assert token_of(key_name(TOKEN, PLACE), "proj_web/other") is None
    assert token_of(f" {key_name(TOKEN)} ") == TOKEN
    assert token_of("keyaudit-a b") is None
    assert token_of("web") is None
    assert token_of(None) is None
    assert len(key_name(TOKEN, PLACE)) < 64
