"""The local OpenAI, through its own client: keys are minted, honoured, used, reported and revoked."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import openai
import pytest
import requests
from openai import OpenAI

from keyaudit.times import DAY, HOUR, MINUTE, SECOND
from servers.admin_api import ADMIN, NOON, UNKNOWN, Call
from servers.issued_keys import Lag
from servers.openai import KEY, OpenAi, service_account, user

CHAT = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
PROJECT = "proj_web"
NOW = NOON // SECOND


@pytest.fixture
def server() -> Iterator[OpenAi]:
    with OpenAi() as running:
        running.put_project(PROJECT)
        yield running


@pytest.fixture
def admin(server: OpenAi) -> Iterator[OpenAI]:
    with OpenAI(admin_api_key=KEY, base_url=f"{server.url}/v1", max_retries=0) as client:
        yield client


def application(server: OpenAi, key: str, **more: object) -> OpenAI:
    return OpenAI(api_key=key, base_url=f"{server.url}/v1", **{"max_retries": 0, **more})


def alive(server: OpenAi, key: str) -> bool:
    with application(server, key) as client:
        try:
            client.chat.completions.create(**CHAT)
        except openai.AuthenticationError:
            return False
        return True


def refusal(server: OpenAi, key: str, method: str = "models", **more: object) -> openai.APIStatusError:
    with application(server, key, **more) as client, pytest.raises(openai.APIStatusError) as caught:
        client.models.list() if method == "models" else client.chat.completions.create(**CHAT)
    return caught.value


def minted(admin: OpenAI, **more: object) -> object:
    projects = admin.admin.organization.projects
    account = projects.service_accounts.create(PROJECT, name="web", create_service_account_only=True)
    return projects.service_accounts.api_keys.create(account.id, project_id=PROJECT, **more)


def test_a_service_account_comes_with_a_key_that_works_unless_it_is_wanted_alone(
    server: OpenAi, admin: OpenAI
) -> None:
    accounts = admin.admin.organization.projects.service_accounts
    web = accounts.create(PROJECT, name="web", expires_in_seconds=3600)
    alone = accounts.create(PROJECT, name="batch", create_service_account_only=True)
    assert (web.role, alone.role, alone.api_key) == ("member", "none", None)
    assert (web.api_key.created_at, web.api_key.expires_at) == (NOW, NOW + 3600)
    assert alive(server, web.api_key.value)
    assert [each.id for each in accounts.list(PROJECT)] == [web.id, alone.id]
    server.clock.advance(HOUR)
    assert not alive(server, web.api_key.value)


def test_one_account_has_two_keys_at_once_and_losing_one_leaves_the_other(
    server: OpenAi, admin: OpenAI
) -> None:
    projects = admin.admin.organization.projects
    account = projects.service_accounts.create(PROJECT, name="web")
    second = projects.service_accounts.api_keys.create(account.id, project_id=PROJECT, name="token-2")
    assert (second.name, second.object) == ("token-2", "organization.project.service_account.api_key")
    assert alive(server, account.api_key.value)
    assert alive(server, second.value)
    gone = projects.api_keys.delete(account.api_key.id, project_id=PROJECT)
    assert (gone.id, gone.deleted) == (account.api_key.id, True)
    assert not alive(server, account.api_key.value)
    assert alive(server, second.value)
    with pytest.raises(openai.NotFoundError):
        projects.api_keys.delete(account.api_key.id, project_id=PROJECT)


def test_a_value_is_shown_once_and_listed_never(server: OpenAi, admin: OpenAI) -> None:
    new = minted(admin)
    asked = requests.get(
        f"{server.url}/v1/organization/projects/{PROJECT}/api_keys",
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=5,
    )
    assert new.id in asked.text
    assert "CANARY" in new.value
    assert new.value not in asked.text


def test_an_account_that_is_deleted_takes_its_keys_along(server: OpenAi, admin: OpenAI) -> None:
    accounts = admin.admin.organization.projects.service_accounts
    web = accounts.create(PROJECT, name="web")
    assert accounts.delete(web.id, project_id=PROJECT).deleted
    assert not alive(server, web.api_key.value)
    assert server.issued.live() == []


def test_an_organization_may_demand_that_keys_expire(server: OpenAi, admin: OpenAI) -> None:
    server.longest_lifetime = 90 * 86_400
    with pytest.raises(openai.BadRequestError) as caught:
        minted(admin)
    assert caught.value.param == "expires_in_seconds"
    with pytest.raises(openai.BadRequestError):
        minted(admin, expires_in_seconds=91 * 86_400)
    assert minted(admin, expires_in_seconds=86_400).expires_at == NOW + 86_400


@pytest.mark.parametrize("seconds", [0, 31_536_001])
def test_a_lifetime_is_a_second_to_a_year(server: OpenAi, admin: OpenAI, seconds: int) -> None:
    with pytest.raises(openai.BadRequestError):
        minted(admin, expires_in_seconds=seconds)
    assert server.keys[PROJECT] == []


def test_an_expiry_that_is_set_again_counts_from_the_request(server: OpenAi, admin: OpenAI) -> None:
    new = minted(admin)
    server.clock.advance(HOUR)
    keys = admin.admin.organization.projects.api_keys
    assert keys.update(new.id, project_id=PROJECT, expires_in_seconds=60).expires_at == NOW + 3660
    server.clock.advance(MINUTE)
    assert not alive(server, new.value)
    with pytest.raises(openai.BadRequestError):
        keys.update(new.id, project_id=PROJECT, expires_in_seconds=60)


def test_without_any_the_list_leaves_out_owners_who_lost_access(server: OpenAi, admin: OpenAI) -> None:
    for number in range(45):
        access = "inactive" if number % 3 == 0 else "active"
        server.put_key(PROJECT, f"key_{number:02}", created_at=NOW, owner=user(), owner_project_access=access)
    keys = admin.admin.organization.projects.api_keys
    assert len(list(keys.list(PROJECT))) == 30
    server.calls.clear()
    assert len(list(keys.list(PROJECT, owner_project_access="any"))) == 45
    assert len(server.calls) == 3


def test_a_key_put_there_for_an_account_is_the_accounts(server: OpenAi, admin: OpenAI) -> None:
    value = server.put_key(PROJECT, "key_old", created_at=NOW - 86_400, owner=service_account("ci"))
    assert alive(server, value)
    [account] = admin.admin.organization.projects.service_accounts.list(PROJECT)
    [key] = admin.admin.organization.projects.api_keys.list(PROJECT)
    assert (account.id, key.owner.service_account.id) == ("svc_acct_ci", "svc_acct_ci")


def test_a_dead_key_meets_a_refusal_that_shows_its_ends(server: OpenAi) -> None:
    server.put_key(PROJECT, "key_1", created_at=NOW)
    server.remove_key(PROJECT, "key_1")
    error = refusal(server, "sk-proj-CANARY-key_1")
    assert (error.status_code, error.code, error.type) == (401, "invalid_api_key", "invalid_request_error")
    assert error.body["message"] == "Incorrect API key provided: sk-proj-********ey_1."
    assert refusal(server, "sk-never-issued").code == "invalid_api_key"
    assert [each.key for each in server.calls] == ["key_1", UNKNOWN]


def test_a_key_without_the_scope_is_alive_and_refused_differently_by_path(server: OpenAi) -> None:
    reads = server.put_key(PROJECT, "key_reads", created_at=NOW, scopes=("api.all.read",))
    asks = server.put_key(PROJECT, "key_asks", created_at=NOW, scopes=("model.request",))
    models, chat = refusal(server, asks), refusal(server, reads, "chat")
    assert (models.status_code, models.code) == (403, "insufficient_permissions")
    assert (chat.status_code, chat.code) == (401, "missing_scope")
    server.models.terse = True
    assert isinstance(refusal(server, asks).response.json()["error"], str)


@pytest.mark.parametrize("code", ["ip_not_authorized", "no_organization"])
def test_a_live_key_is_refused_from_elsewhere_and_the_code_says_so(server: OpenAi, code: str) -> None:
    value = server.put_key(PROJECT, "key_1", created_at=NOW)
    server.models.elsewhere = code
    error = refusal(server, value)
    assert (error.status_code, error.code) == (401, code)
    assert refusal(server, "sk-never-issued").code == "invalid_api_key"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"organization": "org-other"}, "mismatched_organization"),
        ({"project": "proj_other"}, "mismatched_project"),
    ],
)
def test_headers_of_the_environment_kill_no_key_but_look_as_if(
    server: OpenAi, header: dict, code: str
) -> None:
    value = server.put_key(PROJECT, "key_1", created_at=NOW)
    error = refusal(server, value, **header)
    assert (error.status_code, error.code) == (401, code)
    with application(server, value, organization="org-acme", project=PROJECT) as client:
        assert list(client.models.list())


def test_a_new_key_is_refused_at_first(server: OpenAi, admin: OpenAI) -> None:
    server.issued.waits = Lag(calls=2)
    value = minted(admin).value
    assert [alive(server, value) for _ in range(4)] == [False, False, True, True]
    server.issued.waits = Lag(seconds=30)
    value = minted(admin).value
    assert not alive(server, value)
    server.clock.advance(30 * SECOND)
    assert alive(server, value)


def test_a_deleted_key_goes_on_for_a_while(server: OpenAi, admin: OpenAI) -> None:
    server.issued.lingers = Lag(calls=2)
    new = minted(admin)
    admin.admin.organization.projects.api_keys.delete(new.id, project_id=PROJECT)
    assert server.issued.live() == []
    assert [alive(server, new.value) for _ in range(4)] == [True, True, False, False]
    server.issued.lingers = Lag(seconds=30)
    new = minted(admin)
    admin.admin.organization.projects.api_keys.delete(new.id, project_id=PROJECT)
    server.clock.advance(29 * SECOND)
    assert alive(server, new.value)
    server.clock.advance(SECOND)
    assert not alive(server, new.value)


def test_a_lag_concerns_only_keys_that_are_minted_or_die_from_then_on(server: OpenAi, admin: OpenAI) -> None:
    before, dead = minted(admin), minted(admin)
    admin.admin.organization.projects.api_keys.delete(dead.id, project_id=PROJECT)
    server.issued.waits = server.issued.lingers = Lag(calls=1, seconds=60)
    assert (alive(server, before.value), alive(server, dead.value)) == (True, False)


def test_a_key_that_is_used_has_a_last_use_and_one_that_is_refused_has_none(
    server: OpenAi, admin: OpenAI
) -> None:
    used = server.put_key(PROJECT, "key_used", created_at=NOW)
    server.put_key(PROJECT, "key_refused", created_at=NOW, scopes=("api.files.read",))
    server.clock.advance(MINUTE)
    assert alive(server, used)
    refusal(server, "sk-proj-CANARY-key_refused")
    found = {each.id: each.last_used_at for each in admin.admin.organization.projects.api_keys.list(PROJECT)}
    assert found == {"key_used": NOW + 60, "key_refused": None}


@pytest.mark.parametrize(("counts", "last_use"), [(True, NOW), (False, None)])
def test_looking_at_the_models_may_count_as_use_but_never_costs(
    server: OpenAi, admin: OpenAI, counts: bool, last_use: int | None
) -> None:
    value = server.put_key(PROJECT, "key_1", created_at=NOW)
    server.models.look_counts = counts
    with application(server, value) as client:
        client.models.list()
    assert server.keys[PROJECT][0]["last_used_at"] == last_use
    day = NOW // 86_400 * 86_400
    report = admin.admin.organization.usage.completions(start_time=day, group_by=["api_key_id"])
    assert [each.results for each in report.data] == [[]]


def test_use_is_reported_by_key_and_minute_late(server: OpenAi, admin: OpenAI) -> None:
    old, new = (server.put_key(PROJECT, name, created_at=NOW) for name in ("key_old", "key_new"))
    for value in (old, old, new):
        assert alive(server, value)
    server.reports.delay = 300
    server.clock.advance(2 * MINUTE)
    assert alive(server, new)

    def seen(**more: object) -> list[list[tuple[str, int]]]:
        report = admin.admin.organization.usage.completions(
            start_time=NOW, bucket_width="1m", group_by=["api_key_id"], **more
        )
        return [[(each.api_key_id, each.num_model_requests) for each in one.results] for one in report.data]

    assert seen() == [[], []]
    server.clock.advance(5 * MINUTE)
    assert seen() == [[("key_new", 1), ("key_old", 2)], [], [("key_new", 1)], [], [], [], []]
    assert seen(api_key_ids=["key_old"])[:3] == [[("key_old", 2)], [], []]
    assert seen(end_time=NOW + 120) == [[("key_new", 1), ("key_old", 2)], []]


def test_without_a_group_nobody_is_named(server: OpenAi, admin: OpenAI) -> None:
    assert alive(server, server.put_key(PROJECT, "key_1", created_at=NOW))
    day = NOW // 86_400 * 86_400
    [bucket] = admin.admin.organization.usage.costs(start_time=day).data
    assert [(each.api_key_id, each.amount.value) for each in bucket.results] == [(None, 0.12)]
    [bucket] = admin.admin.organization.usage.costs(start_time=day, group_by=["api_key_id"]).data
    assert [each.api_key_id for each in bucket.results] == ["key_1"]


@pytest.mark.parametrize(
    ("width", "usual", "most"), [("1m", 60, 1440), ("1h", 24, 168), ("1d", 7, 31)], ids=["1m", "1h", "1d"]
)
def test_a_page_of_use_has_as_many_buckets_as_its_width_allows(
    server: OpenAi, admin: OpenAI, width: str, usual: int, most: int
) -> None:
    usage, start = admin.admin.organization.usage, NOW - 60 * 86_400
    first = usage.completions(start_time=start, bucket_width=width)
    assert (len(first.data), first.has_more) == (usual, True)
    more = usage.completions(start_time=start, bucket_width=width, limit=most, page=first.next_page)
    assert more.data[0].start_time == first.data[-1].end_time
    with pytest.raises(openai.BadRequestError):
        usage.completions(start_time=start, bucket_width=width, limit=most + 1)


def test_costs_come_by_the_day_only(server: OpenAi, admin: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        admin.admin.organization.usage.costs(start_time=NOW, bucket_width="1h")


def test_a_request_may_fail_before_it_has_done_anything(server: OpenAi, admin: OpenAI) -> None:
    server.fail("POST", ".*/api_keys", 500)
    with pytest.raises(openai.InternalServerError):
        minted(admin)
    assert server.issued.live() == []
    assert minted(admin).id in server.issued.live()


def test_an_answer_may_be_lost_after_the_key_was_minted(server: OpenAi, admin: OpenAI) -> None:
    server.fail("POST", ".*/api_keys", None, after=True)
    with pytest.raises(openai.APIConnectionError):
        minted(admin, name="token-1")
    [orphan] = admin.admin.organization.projects.api_keys.list(PROJECT, owner_project_access="any")
    assert orphan.name == "token-1"
    assert server.issued.live() == [orphan.id]


def test_the_clients_own_retries_mint_a_second_key(server: OpenAi, admin: OpenAI) -> None:
    server.fail("POST", ".*/api_keys", None, after=True)
    kept = minted(admin.with_options(max_retries=1))
    assert len(server.issued.live()) == 2
    assert kept.id in server.issued.live()


def test_what_is_denied_stays_denied_until_it_heals(server: OpenAi, admin: OpenAI) -> None:
    new = minted(admin)
    server.deny("DELETE", ".*")
    for _ in range(2):
        with pytest.raises(openai.PermissionDeniedError):
            admin.admin.organization.projects.api_keys.delete(new.id, project_id=PROJECT)
    assert alive(server, new.value)
    server.heal()
    assert admin.admin.organization.projects.api_keys.delete(new.id, project_id=PROJECT).deleted


def test_one_key_alone_may_fail(server: OpenAi) -> None:
    old, new = (server.put_key(PROJECT, name, created_at=NOW) for name in ("key_old", "key_new"))
    server.fail("*", "/v1/.*", 429, key="key_old", times=None)
    assert refusal(server, old).status_code == 429
    assert alive(server, new)


def test_calls_say_who_asked_for_what_in_order(server: OpenAi, admin: OpenAI) -> None:
    new = minted(admin)
    alive(server, new.value)
    alive(server, "sk-other")
    requests.get(f"{server.url}/v1/models", timeout=5)
    accounts = f"/v1/organization/projects/{PROJECT}/service_accounts"
    chat = "/v1/chat/completions"
    assert server.calls == [
        Call("POST", accounts, ADMIN),
        Call("POST", f"{accounts}/svc_acct_0001/api_keys", ADMIN),
        Call("POST", chat, new.id),
        Call("POST", chat, UNKNOWN),
        Call("GET", "/v1/models", None),
    ]
    assert server.calls_of(new.id) == [Call("POST", chat, new.id)]


def test_neither_side_takes_the_others_keys(server: OpenAi) -> None:
    value = server.put_key(PROJECT, "key_1", created_at=NOW)
    with (
        OpenAI(admin_api_key=value, base_url=f"{server.url}/v1", max_retries=0) as client,
        pytest.raises(openai.PermissionDeniedError),
    ):
        client.admin.organization.projects.api_keys.list(PROJECT)
    assert refusal(server, KEY).status_code == 403
    assert refusal(server, KEY, "chat").code == "missing_scope"


def test_an_admin_key_is_minted_works_and_dies(server: OpenAi, admin: OpenAI) -> None:
    keys = admin.admin.organization.admin_api_keys
    new = keys.create(name="second")
    with OpenAI(admin_api_key=new.value, base_url=f"{server.url}/v1", max_retries=0) as second:
        assert [each.id for each in second.admin.organization.admin_api_keys.list()] == [new.id]
        keys.delete(new.id)
        with pytest.raises(openai.AuthenticationError):
            second.admin.organization.admin_api_keys.list()


def test_threads_that_mint_at_once_get_keys_of_their_own(server: OpenAi, admin: OpenAI) -> None:
    accounts = admin.admin.organization.projects.service_accounts
    account = accounts.create(PROJECT, name="web", create_service_account_only=True)
    found: list[str] = []

    def mint() -> None:
        found.append(accounts.api_keys.create(account.id, project_id=PROJECT).value)

    threads = [threading.Thread(target=mint) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 16
    assert len(server.issued.live()) == len(server.keys[PROJECT]) == 16


def test_a_report_reaches_back_as_far_as_it_is_asked_to(server: OpenAi, admin: OpenAI) -> None:
    value = server.put_key(PROJECT, "key_1", created_at=NOW)
    server.clock.set(NOON - 40 * DAY)
    assert alive(server, value)
    server.clock.set(NOON)
    asked = {"group_by": ["api_key_id"], "limit": 180}
    spent = [
        [each.api_key_id for each in bucket.results]
        for bucket in admin.admin.organization.usage.costs(start_time=NOW - 50 * 86_400, **asked).data
    ]
    assert (len(spent), [row for row in spent if row]) == (51, [["key_1"]])
