"""The local Anthropic, through its own client and without: keys are switched, honoured, used and reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from keyaudit.times import HOUR, MINUTE, SECOND, format_instant
from lazily import Lazily
from servers.admin_api import ADMIN, NOON, UNKNOWN, Call
from servers.anthropic import KEY, Anthropic, workspace
from servers.issued_keys import Lag

if TYPE_CHECKING:
    import anthropic
    from anthropic import Anthropic as Client
else:
    anthropic = Lazily("anthropic")

MESSAGE = {"model": "claude-opus-5", "max_tokens": 8, "messages": [{"role": "user", "content": "hello"}]}
CREATED = "2026-11-01T10:00:00Z"
REPORT = "/v1/organizations/usage_report/messages"


@pytest.fixture
def server() -> Iterator[Anthropic]:
    with Anthropic() as running:
        yield running


@pytest.fixture
def admin(server: Anthropic) -> Iterator[Client]:
    with anthropic.Anthropic(api_key=KEY, base_url=server.url, max_retries=0) as client:
        yield client


def refusal(server: Anthropic, key: str, what: str = "models") -> anthropic.APIStatusError:
    with (
        anthropic.Anthropic(api_key=key, base_url=server.url, max_retries=0) as client,
        pytest.raises(anthropic.APIStatusError) as caught,
    ):
        client.models.list(limit=1) if what == "models" else client.messages.create(**MESSAGE)
    return caught.value


def alive(server: Anthropic, key: str) -> bool:
    with anthropic.Anthropic(api_key=key, base_url=server.url, max_retries=0) as client:
        try:
            client.messages.create(**MESSAGE)
        except anthropic.AuthenticationError:
            return False
        return True


def test_a_live_key_is_answered_as_either_header(server: Anthropic) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    with anthropic.Anthropic(api_key=value, base_url=server.url, max_retries=0) as client:
        assert [each.id for each in client.models.list(limit=1).data] == ["claude-opus-5"]
        assert client.messages.create(**MESSAGE).usage.output_tokens == 4
    for header in ({"x-api-key": value}, {"Authorization": f"Bearer {value}"}):
        answer = requests.get(
            f"{server.url}/v1/models?limit=1",
            headers={**header, "anthropic-version": "2023-06-01"},
            timeout=5,
        )
        assert (answer.status_code, len(answer.json()["data"])) == (200, 1)
    assert {each.key for each in server.calls} == {"apikey_1"}


def test_no_request_goes_without_a_version(server: Anthropic) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    answer = requests.get(f"{server.url}/v1/models", headers={"x-api-key": value}, timeout=5)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("header", "said"),
    [("x-api-key", "invalid x-api-key"), ("Authorization", "Invalid bearer token")],
    ids=["x-api-key", "bearer"],
)
def test_a_dead_key_is_told_in_the_words_of_its_header(server: Anthropic, header: str, said: str) -> None:
    value = "sk-ant-never-issued"
    sent = {header: f"Bearer {value}" if header == "Authorization" else value}
    answer = requests.get(
        f"{server.url}/v1/models", headers={**sent, "anthropic-version": "2023-06-01"}, timeout=5
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (401, "authentication_error")
    assert error["message"].startswith(said)


def test_an_inactive_key_is_dead_until_it_is_switched_on_again(server: Anthropic, admin: Client) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    keys = admin.organization.api_keys
    assert keys.update("apikey_1", status="inactive").status == "inactive"
    assert refusal(server, value).type == "authentication_error"
    assert not alive(server, value)
    assert keys.update("apikey_1", status="active").status == "active"
    assert alive(server, value)


def test_an_archived_key_is_dead_for_good(server: Anthropic, admin: Client) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    keys = admin.organization.api_keys
    keys.update("apikey_1", status="archived")
    with pytest.raises(anthropic.BadRequestError):
        keys.update("apikey_1", status="active")
    assert not alive(server, value)
    server.final = False
    keys.update("apikey_1", status="active")
    assert alive(server, value)


def test_a_key_may_be_renamed_and_stays_what_it_was(server: Anthropic, admin: Client) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    assert admin.organization.api_keys.update("apikey_1", name="retired").name == "retired"
    assert admin.organization.api_keys.retrieve("apikey_1").status == "active"
    assert alive(server, value)
    with pytest.raises(anthropic.NotFoundError):
        admin.organization.api_keys.update("apikey_2", status="inactive")


def test_there_is_no_way_to_mint_a_key(server: Anthropic) -> None:
    headers = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
    answer = requests.post(
        f"{server.url}/v1/organizations/api_keys", headers=headers, json={"name": "x"}, timeout=5
    )
    assert answer.status_code == 405
    assert server.keys == []


def test_a_key_past_its_end_is_expired_in_the_list_and_dead(server: Anthropic, admin: Client) -> None:
    value = server.put_key(
        "apikey_1", created_at=CREATED, expires_at=format_instant(NOON + HOUR), scope=workspace("wrkspc_a")
    )
    assert alive(server, value)
    server.clock.advance(HOUR)
    assert not alive(server, value)
    assert [each.id for each in admin.organization.api_keys.list(status="expired")] == ["apikey_1"]
    assert list(admin.organization.api_keys.list(status="active")) == []
    with pytest.raises(anthropic.BadRequestError):
        admin.organization.api_keys.update("apikey_1", status="active")


def test_a_list_is_of_one_status_or_workspace(server: Anthropic, admin: Client) -> None:
    server.put_key("apikey_a", created_at=CREATED, scope=workspace("wrkspc_a"))
    server.put_key("apikey_b", created_at=CREATED, scope=workspace("wrkspc_b"), status="inactive")
    keys = admin.organization.api_keys
    assert [each.id for each in keys.list(workspace_id="wrkspc_a")] == ["apikey_a"]
    assert [each.id for each in keys.list(status="inactive")] == ["apikey_b"]
    assert [each.id for each in keys.list(limit=1)] == ["apikey_a", "apikey_b"]
    assert not alive(server, "sk-ant-api03-CANARY-apikey_b")


def test_a_key_that_is_switched_on_meets_the_limit_of_the_organization(
    server: Anthropic, admin: Client
) -> None:
    server.put_key("apikey_1", created_at=CREATED)
    server.put_key("apikey_2", created_at=CREATED, status="inactive")
    server.most_active = 1
    with pytest.raises(anthropic.BadRequestError) as caught:
        admin.organization.api_keys.update("apikey_2", status="active")
    assert caught.value.error_code == "org_api_key_limit_exceeded"


def test_a_restricted_key_and_an_organization_on_hold_are_no_dead_keys(server: Anthropic) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    server.models.restricted.add("apikey_1")
    error = refusal(server, value)
    assert (error.status_code, error.type) == (403, "permission_error")
    server.models.restricted.clear()
    server.models.on_hold = True
    error = refusal(server, value, "messages")
    assert (error.status_code, error.type) == (400, "invalid_request_error")
    assert error.error_code == "organization_on_hold"


def test_a_change_takes_a_while_to_be_heard_of(server: Anthropic, admin: Client) -> None:
    server.issued.lingers, server.issued.waits = Lag(calls=1), Lag(seconds=60)
    value = server.put_key("apikey_1", created_at=CREATED, minted=True)
    assert not alive(server, value)
    server.clock.advance(60 * SECOND)
    assert alive(server, value)
    admin.organization.api_keys.update("apikey_1", status="inactive")
    assert [alive(server, value) for _ in range(3)] == [True, False, False]


def test_messages_are_reported_by_key_late_and_a_look_at_the_models_is_not(
    server: Anthropic, admin: Client
) -> None:
    old, new = (server.put_key(name, created_at=CREATED) for name in ("apikey_old", "apikey_new"))
    for value in (old, new, new):
        assert alive(server, value)
    with anthropic.Anthropic(api_key=old, base_url=server.url) as client:
        client.models.list()
    server.reports.delay = 300

    def seen(**more: object) -> list[list[tuple[str, int]]]:
        asked = {"starting_at": format_instant(NOON), "bucket_width": "1m", "group_by": ["api_key_id"]}
        report = admin.get(REPORT, cast_to=object, options={"params": {**asked, **more}})
        return [
            [(each["api_key_id"], each["output_tokens"]) for each in one["results"]] for one in report["data"]
        ]

    server.clock.advance(2 * MINUTE)
    assert seen() == [[], []]
    server.clock.advance(5 * MINUTE)
    assert seen() == [[("apikey_new", 8), ("apikey_old", 4)], *[[]] * 6]
    assert seen(api_key_ids=["apikey_old"])[0] == [("apikey_old", 4)]
    assert seen(ending_at=format_instant(NOON + MINUTE)) == [[("apikey_new", 8), ("apikey_old", 4)]]


def test_a_list_whose_name_has_brackets_already_is_not_understood(server: Anthropic, admin: Client) -> None:
    assert alive(server, server.put_key("apikey_1", created_at=CREATED))
    named = []
    for group in ({"group_by[]": ["api_key_id"]}, {"group_by[]": "api_key_id"}, {"group_by": ["api_key_id"]}):
        asked = {"starting_at": "2026-11-21T00:00:00Z", **group}
        [bucket] = admin.get(REPORT, cast_to=object, options={"params": asked})["data"]
        named.append(bucket["results"][0]["api_key_id"])
    assert named == [None, "apikey_1", "apikey_1"]


@pytest.mark.parametrize(
    ("width", "usual", "most"), [("1m", 60, 1440), ("1h", 24, 168), ("1d", 7, 31)], ids=["1m", "1h", "1d"]
)
def test_a_page_of_the_report_has_as_many_buckets_as_its_width_allows(
    server: Anthropic, admin: Client, width: str, usual: int, most: int
) -> None:
    asked = {"starting_at": "2026-09-01T00:00:00Z", "bucket_width": width}
    report = admin.get(REPORT, cast_to=object, options={"params": asked})
    assert (len(report["data"]), report["has_more"]) == (usual, True)
    with pytest.raises(anthropic.BadRequestError):
        admin.get(REPORT, cast_to=object, options={"params": {**asked, "limit": most + 1}})


def test_an_answer_may_be_lost_after_the_key_was_switched_off(server: Anthropic, admin: Client) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    server.fail("POST", ".*/api_keys/apikey_1", 529, after=True)
    with pytest.raises(anthropic.InternalServerError):
        admin.organization.api_keys.update("apikey_1", status="inactive")
    assert not alive(server, value)
    server.fail("POST", ".*/api_keys/apikey_1", None)
    with pytest.raises(anthropic.APIConnectionError):
        admin.organization.api_keys.update("apikey_1", status="active")
    assert not alive(server, value)


def test_neither_side_takes_the_others_keys(server: Anthropic) -> None:
    value = server.put_key("apikey_1", created_at=CREATED)
    with (
        anthropic.Anthropic(api_key=value, base_url=server.url, max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.organization.api_keys.list()
    assert refusal(server, KEY).status_code == 401
    assert refusal(server, "sk-ant-other").status_code == 401
    keys = "/v1/organizations/api_keys"
    assert server.calls == [
        Call("GET", keys, "apikey_1"),
        Call("GET", "/v1/models", ADMIN),
        Call("GET", "/v1/models", UNKNOWN),
    ]
