"""Anthropic, field by field and call by call, against a server that answers as its reference says."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from keyaudit.errors import MissingExtraError, SourceError
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import ScopeStatus
from keyaudit.sources import Pulled, check_settings, least_privilege, open_source
from keyaudit.sources.anthropic.api import Anthropic as Door
from keyaudit.sources.anthropic.settings import AnthropicSettings
from keyaudit.sources.protocol import OperationRefusedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.times import parse_instant
from servers.anthropic import KEY, ORGANIZATION, spoke, workspace
from servers.fault_proxy import Fault
from sources.anthropic_case import KEYS, AnthropicCase

BASE = "GET /v1/organizations"
CREATED = "2026-03-01T10:00:00.123456Z"
PERSON = {"type": "user_actor", "user_id": "user_1"}
ACCOUNT = {"type": "service_account_actor", "service_account_id": "svac_ci"}


@pytest.fixture
def acme(anthropic: AnthropicCase) -> Iterator[AnthropicCase]:
    """An organization with nothing in it yet."""
    for kept in (
        anthropic.server.keys,
        anthropic.server.workspaces,
        anthropic.server.people,
        anthropic.server.usage,
    ):
        kept.clear()
    return anthropic


def at(text: str) -> int:
    return parse_instant(text)


def rows(acme: AnthropicCase, **settings: Any) -> dict[str, Credential]:
    return {row.id: row for row in acme.pull(**settings).rows}


def told(pulled: Pulled) -> tuple[str, str | None]:
    [coverage] = pulled.coverage
    assert coverage.scope == "acme"
    return coverage.status, coverage.reason


def test_a_workspace_key_has_no_owner_but_somebody_created_it(acme: AnthropicCase) -> None:
    acme.server.put_workspace("wrkspc_prod", "Production")
    acme.server.put_person("user_1", "ana@acme.example")
    acme.server.put_key(
        "apikey_1",
        created_at=CREATED,
        scope=workspace("wrkspc_prod"),
        workspace_id="wrkspc_prod",
        expires_at="2026-12-01T00:00:00Z",
        name="checkout",
    )
    assert list(acme.pull().rows) == [
        Credential(
            source="anthropic",
            scope="acme",
            id="apikey_1",
            name="checkout",
            cls="api-key",
            provider="anthropic",
            labels={
                "workspace": "Production",
                "workspace_id": "wrkspc_prod",
                "key_type": "workspace",
                "created_by": "ana@acme.example",
            },
            reach="project",
            created_at=at(CREATED),
            expires_at=at("2026-12-01T00:00:00Z"),
            versions=[
                Version(id="apikey_1", state="current", created_at=at(CREATED), authenticates=True),
            ],
        )
    ]


def test_a_personal_key_belongs_to_whom_it_acts_as(acme: AnthropicCase) -> None:
    acme.server.put_person("user_1", "ana@acme.example")
    for identifier, person in (("apikey_1", "user_1"), ("apikey_2", "user_gone")):
        principal = {"type": "user_actor", "user_id": person}
        acme.server.put_key(
            identifier, created_at=CREATED, principal=principal, scope={"type": "organization"}
        )
    found = rows(acme)
    assert [(row.owner, row.reach, row.labels) for row in found.values()] == [
        ("ana@acme.example", "organization", {"key_type": "personal"}),
        ("user_gone", "organization", {"key_type": "personal"}),
    ]


def test_a_service_account_is_one_credential_and_its_keys_are_the_versions(acme: AnthropicCase) -> None:
    for identifier, created, status, scope in (
        ("apikey_archived", "2026-01-01T00:00:00Z", "archived", {"type": "organization"}),
        ("apikey_old", "2026-02-01T00:00:00Z", "active", workspace("wrkspc_prod")),
        ("apikey_new", "2026-10-01T00:00:00Z", "active", workspace("wrkspc_prod")),
        ("apikey_off", "2026-11-01T00:00:00Z", "inactive", workspace("wrkspc_other")),
    ):
        acme.server.put_key(identifier, created_at=created, status=status, principal=ACCOUNT, scope=scope)
    acme.server.put_usage("2026-11-20T00:00:00Z", spoke("apikey_old"))
    acme.server.put_usage("2026-11-21T00:00:00Z", spoke("apikey_new"))
    february, october = at("2026-02-01T00:00:00Z"), at("2026-10-01T00:00:00Z")
    assert list(acme.pull().rows) == [
        Credential(
            source="anthropic",
            scope="acme",
            id="svac_ci",
            name="svac_ci",
            cls="api-key",
            provider="anthropic",
            labels={"workspace_id": "wrkspc_prod", "key_type": "service_account"},
            reach="project",
            last_used_at=at("2026-11-21T00:00:00Z"),
            never_used=False,
            versions=[
                Version(
                    id="apikey_off",
                    state="disabled",
                    created_at=at("2026-11-01T00:00:00Z"),
                    authenticates=False,
                ),
                Version(
                    id="apikey_new",
                    state="current",
                    created_at=october,
                    authenticates=True,
                    last_used_at=at("2026-11-21T00:00:00Z"),
                ),
                Version(
                    id="apikey_old",
                    state="superseded",
                    created_at=february,
                    superseded_at=october,
                    authenticates=True,
                    last_used_at=at("2026-11-20T00:00:00Z"),
                ),
                Version(
                    id="apikey_archived",
                    state="destroyed",
                    created_at=at("2026-01-01T00:00:00Z"),
                    superseded_at=february,
                    authenticates=False,
                ),
            ],
        )
    ]


@pytest.mark.parametrize(
    ("status", "state", "authenticates"),
    [
        ("active", "current", True),
        ("inactive", "disabled", False),
        ("archived", "destroyed", False),
        ("expired", "disabled", False),
        ("suspended", "current", None),
    ],
)
def test_only_an_active_key_is_said_to_work(
    acme: AnthropicCase, status: str, state: str, authenticates: bool | None
) -> None:
    expires = "2026-11-01T00:00:00Z" if status == "expired" else None
    acme.server.put_key("apikey_1", created_at=CREATED, status=status, expires_at=expires)
    [version] = rows(acme)["apikey_1"].versions
    assert (version.state, version.authenticates) == (state, authenticates)


@pytest.mark.parametrize(
    ("fields", "reach", "labels"),
    [
        (
            {"workspace_id": "wrkspc_prod"},
            "project",
            {"workspace": "Production", "workspace_id": "wrkspc_prod"},
        ),
        ({"workspace_id": None}, None, {}),
    ],
)
def test_the_older_shape_tells_no_default_workspace_from_none(
    acme: AnthropicCase, fields: dict, reach: str | None, labels: dict
) -> None:
    acme.server.flat = True
    acme.server.put_workspace("wrkspc_prod", "Production", archived_at="2026-01-01T00:00:00Z")
    acme.server.put_key("apikey_1", created_at=CREATED, created_by=None, **fields)
    row = rows(acme)["apikey_1"]
    assert (row.reach, row.owner, row.labels) == (reach, None, {"key_type": "workspace", **labels})


def test_a_service_accounts_reach_is_the_widest_of_its_keys_that_work(acme: AnthropicCase) -> None:
    for number, scope in enumerate((workspace("wrkspc_a"), {"type": "organization"})):
        acme.server.put_key(f"apikey_{number}", created_at=CREATED, principal=ACCOUNT, scope=scope)
    row = rows(acme)["svac_ci"]
    assert (row.reach, row.labels) == ("organization", {"key_type": "service_account"})


def test_a_day_of_use_counts_from_its_start_but_not_before_the_key_was_there(acme: AnthropicCase) -> None:
    acme.server.put_key("apikey_1", created_at="2026-11-20T15:00:00Z")
    acme.server.put_key("apikey_2", created_at=CREATED)
    acme.server.put_usage("2026-11-20T00:00:00Z", spoke("apikey_1"), spoke("apikey_2"))
    found = rows(acme)
    assert found["apikey_1"].last_used_at == at("2026-11-20T15:00:00Z")
    assert found["apikey_2"].last_used_at == at("2026-11-20T00:00:00Z")


@pytest.mark.parametrize(
    ("status", "state", "works"),
    [("expired", "current", None), ("inactive", "disabled", False), ("archived", "destroyed", False)],
)
def test_a_key_that_was_used_after_it_expired_is_not_called_dead(
    acme: AnthropicCase, status: str, state: str, works: bool | None
) -> None:
    ends = "2026-11-10T00:00:00Z"
    for number in (1, 2):
        acme.server.put_key(f"apikey_{number}", created_at=CREATED, status=status, expires_at=ends)
    acme.server.put_usage("2026-11-10T00:00:00Z", spoke("apikey_1"))
    acme.server.put_usage("2026-11-11T00:00:00Z", spoke("apikey_2"))
    found = rows(acme)
    [dead] = found["apikey_1"].versions
    [undead] = found["apikey_2"].versions
    assert (dead.state, dead.authenticates) == ("destroyed" if status == "archived" else "disabled", False)
    assert (undead.state, undead.authenticates) == (state, works)
    assert found["apikey_2"].expires_at == (at(ends) if works is None else None)


def test_a_key_that_sent_no_message_in_a_month_may_still_have_been_used(acme: AnthropicCase) -> None:
    acme.server.put_key("apikey_1", created_at="2026-11-20T15:00:00Z")
    acme.server.put_usage("2026-11-20T00:00:00Z", spoke(None), spoke("apikey_other"))
    row = rows(acme)["apikey_1"]
    assert (row.last_used_at, row.never_used) == (None, None)


def test_the_last_31_days_are_asked_for_by_day_and_key(acme: AnthropicCase) -> None:
    acme.server.put_key("apikey_1", created_at=CREATED)
    acme.pull()
    [asked] = acme.server.asked("/v1/organizations/usage_report/messages")
    assert asked.query == {
        "starting_at": ["2026-10-22T00:00:00Z"],
        "bucket_width": ["1d"],
        "group_by[]": ["api_key_id"],
        "limit": ["31"],
    }


def test_last_use_that_is_not_asked_for_is_not_collected(acme: AnthropicCase) -> None:
    acme.server.put_key("apikey_1", created_at=CREATED)
    pulled = acme.pull(last_use=False)
    asked_of = {"last_used_at", "never_used", "versions.last_used_at"}
    assert not asked_of & pulled.columns
    assert asked_of <= set(pulled.coverage[0].cannot_know)
    assert not acme.server.asked("/v1/organizations/usage_report/messages")
    assert asked_of <= acme.pull().columns


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/v1/organizations/workspaces", "the names of workspaces"),
        ("/v1/organizations/users", "the addresses of people"),
        ("/v1/organizations/usage_report/messages", "last use"),
    ],
)
def test_what_only_adds_to_the_list_is_missed_but_the_list_is_complete(
    anthropic: AnthropicCase, path: str, what: str
) -> None:
    whole = anthropic.pull()
    anthropic.server.hidden.add(path)
    pulled = anthropic.pull()
    reason = f"{what} could not be read: denied (HTTP 403, permission_error)"
    assert told(pulled) == (ScopeStatus.COMPLETE, reason)
    assert [row.id for row in pulled.rows] == [row.id for row in whole.rows]
    if what == "last use":
        assert {row.last_used_at for row in pulled.rows} == {None}


def test_a_report_that_breaks_off_tells_no_last_use_at_all(acme: AnthropicCase) -> None:
    acme.server.put_key("apikey_1", created_at=CREATED)
    for day in range(1, 22):
        for _ in range(2):
            acme.server.put_usage(f"2026-11-{day:02}T00:00:00Z", spoke("apikey_1"))
    assert rows(acme)["apikey_1"].last_used_at == at("2026-11-21T00:00:00Z")
    acme.proxy.plan(Fault("server-error", f"{BASE}/usage_report/messages", after=1))
    pulled = acme.pull()
    assert pulled.rows[0].last_used_at is None
    assert told(pulled) == (
        ScopeStatus.COMPLETE,
        "last use could not be read: the service failed (HTTP 500)",
    )


def test_3000_keys_cost_three_calls_and_three_more_for_what_they_name(acme: AnthropicCase) -> None:
    for number in range(3000):
        acme.server.put_key(f"apikey_{number}", created_at=CREATED)
    pulled = acme.pull()
    assert len(pulled.rows) == 3000
    assert [each.path.removeprefix("/v1/organizations") for each in acme.server.log] == [
        *["/api_keys"] * 3,
        "/workspaces",
        "/users",
        "/usage_report/messages",
    ]
    assert {each.one("limit") for each in acme.server.asked("/v1/organizations/api_keys")} == {"1000"}
    assert (pulled.coverage[0].calls, pulled.coverage[0].pages) == (6, 3)


def test_an_organization_without_keys_costs_one_call(acme: AnthropicCase) -> None:
    assert told(acme.pull()) == (ScopeStatus.EMPTY, None)
    assert len(acme.server.log) == 1


def test_a_list_that_is_not_whole_leaves_a_service_accounts_keys_open(anthropic: AnthropicCase) -> None:
    for breakage in ("duplicate-page", "unreadable-entry", "expired-half-way"):
        anthropic.break_with(breakage)
        found = rows(anthropic)
        account = found["svac_ci"]
        assert (account.versions, account.last_used_at, account.reach) == (None, None, None)
        assert len(found["apikey_personal"].versions) == 1


def test_with_a_refused_key_no_more_is_asked(anthropic: AnthropicCase) -> None:
    anthropic.break_with("expired-half-way")
    reason = "the list broke off after 1 page: the credentials are not valid here"
    status, told_reason = told(anthropic.pull())
    assert (status, told_reason.startswith(reason)) == (ScopeStatus.PARTIAL, True)
    assert anthropic.operations() == {KEYS}


@pytest.mark.parametrize(
    "broken",
    [
        {"created_at": None},
        {"created_at": "2026-03-01"},
        {"expires_at": "soon"},
        {"id": ""},
        {"id": "apikey\n1"},
        {"principal": {"type": "service_account_actor", "service_account_id": "svac\n1"}},
        {"scope": {"type": "workspace", "workspace_id": "\u202e"}},
        {"status": None},
        {"scope": "all"},
    ],
)
def test_a_key_that_makes_no_sense_costs_itself_and_is_counted(acme: AnthropicCase, broken: dict) -> None:
    acme.server.put_key("apikey_1", created_at=CREATED)
    acme.server.put_key("apikey_2", created_at=CREATED)
    acme.server.keys[1].update(broken)
    pulled = acme.pull()
    assert [row.id for row in pulled.rows] == ["apikey_1"]
    assert told(pulled) == (ScopeStatus.PARTIAL, "1 entries could not be read")


def test_the_organization_can_be_made_sure_of(acme: AnthropicCase) -> None:
    acme.server.put_key("apikey_1", created_at=CREATED)
    assert told(acme.pull(organization_id=ORGANIZATION)) == (ScopeStatus.COMPLETE, None)
    assert acme.server.log[0].path == "/v1/organizations/me"
    acme.server.log.clear()
    assert told(acme.pull(organization_id="another")) == (
        ScopeStatus.FAILED,
        "the admin key belongs to another organization",
    )
    assert len(acme.server.log) == 1
    acme.proxy.plan(Fault("bad-json", f"{BASE}/me"))
    assert told(acme.pull(organization_id=ORGANIZATION)) == (
        ScopeStatus.FAILED,
        "the answer could not be read",
    )


@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_the_version_of_the_api_is_pinned_and_the_environment_has_no_say(
    acme: AnthropicCase, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_ADMIN_KEY"):
        monkeypatch.setenv(name, "CANARY-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    acme.server.put_key("apikey_1", created_at=CREATED)
    assert told(acme.pull(api_version=version)) == (ScopeStatus.COMPLETE, None)
    for asked in acme.server.log:
        sent = {name.lower() for name in asked.headers} - {"connection", "content-length"}
        assert sent == {
            "host",
            "user-agent",
            "accept",
            "accept-encoding",
            "x-api-key",
            "anthropic-version",
        }
        assert (asked.headers["x-api-key"], asked.headers["anthropic-version"]) == (KEY, version)


def test_without_a_key_nothing_begins() -> None:
    source = open_source({"name": "ai", "kind": "anthropic"}, clock=lambda: 0, environment={})
    with pytest.raises(SourceError, match="the environment variable ANTHROPIC_ADMIN_KEY is not set"):
        source.pull(lambda _: None)


def test_without_requests_one_line_says_what_to_install(
    acme: AnthropicCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(MissingExtraError) as caught:
        acme.pull()
    assert caught.value.hint == "pip install 'keyaudit[anthropic]'"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/organizations/api_keys/apikey_1"),
        ("POST", "/v1/organizations/api_keys"),
        ("GET", "/v1/organizations/api_keys/apikey_1"),
        ("POST", "/v1/organizations/workspaces"),
        ("POST", "/v1/organizations/workspaces/wrkspc_1/archive"),
        ("DELETE", "/v1/organizations/users/user_1"),
        ("POST", "/v1/organizations/users/user_1"),
        ("POST", "/v1/organizations/invites"),
        ("GET", "/v1/organizations/cost_report"),
        ("GET", "/v1/models"),
        ("POST", "/v1/messages"),
    ],
)
def test_other_requests_are_refused_and_the_server_hears_nothing(
    acme: AnthropicCase, method: str, path: str
) -> None:
    settings = AnthropicSettings.model_validate(acme.entry())
    door = Door(settings, KEY, Meter(Pace(1000, threading.Event())))
    with pytest.raises(OperationRefusedError, match="nothing was sent"):
        door._http.request(method, settings.endpoint + path)
    door.close()
    assert acme.server.log == []


def test_a_pull_asks_for_five_things_at_most(anthropic: AnthropicCase) -> None:
    anthropic.pull(organization_id=ORGANIZATION)
    asked = {"/me", "/api_keys", "/workspaces", "/users", "/usage_report/messages"}
    assert anthropic.operations() == {BASE + path for path in asked} == anthropic.granted()


def test_the_printed_steps_name_no_more_than_the_settings_need() -> None:
    entry = {"name": "a", "kind": "anthropic", "last_use": False, "key_variable": "AUDIT_KEY"}
    text = least_privilege("anthropic", [entry])
    assert "AUDIT_KEY" in text
    assert "/api_keys" in text
    for absent in ("usage_report", "/me", "ANTHROPIC_ADMIN_KEY"):
        assert absent not in text


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("api_version", "latest", "not a version such as 2023-06-01"),
        ("organization", "a/b", "not a name for scopes: no slash, no line break"),
        ("organization_id", "a b", "not the id of an organization"),
        ("key_variable", "sk-ant-admin01-x", "not the name of an environment variable; a key itself never"),
        ("endpoint", "http://api.anthropic.com", "neither https://HOST nor http:// on this machine"),
        ("workspaces", "all", "unknown setting"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(setting: str, value: object, message: str) -> None:
    [problem] = check_settings({"name": "a", "kind": "anthropic", setting: value})
    assert problem.message.startswith(message)


def test_defaults() -> None:
    settings = AnthropicSettings.model_validate({"name": "claude", "kind": "anthropic"})
    assert (settings.label, settings.last_use, settings.api_version) == ("claude", True, "2023-06-01")
    assert (settings.endpoint, settings.requests_per_second) == ("https://api.anthropic.com", 5)
