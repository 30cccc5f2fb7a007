"""OpenAI, field by field and call by call, against a server that answers as its reference says."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from keyaudit import policy
from keyaudit.audit import audit
from keyaudit.errors import MissingExtraError, SourceError
from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Version
from keyaudit.model import ScopeStatus
from keyaudit.rules import CATALOGUE
from keyaudit.sources import Pulled, check_settings, least_privilege, open_source
from keyaudit.sources.openai.api import OpenAi
from keyaudit.sources.openai.settings import OpenAiSettings
from keyaudit.sources.protocol import OperationRefusedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.times import SECOND
from servers.fault_proxy import Fault
from servers.openai import KEY, service_account, user
from sources.openai_case import BROKEN, DAY, HEALTHY, KEYS, NOW, OpenAiCase

PROJECTS = "GET /v1/organization/projects"
ADMIN = "GET /v1/organization/admin_api_keys"
DENIED = "denied (HTTP 403, insufficient_permissions)"
COSTS = "GET /v1/organization/costs"


@pytest.fixture
def acme(openai: OpenAiCase) -> OpenAiCase:
    """An organization with nothing in it yet."""
    openai.server.projects.clear()
    openai.server.keys.clear()
    return openai


def pull(acme: OpenAiCase, **settings: Any) -> Pulled:
    return acme.pull(**{"projects": "all", **settings})


def rows(acme: OpenAiCase, **settings: Any) -> dict[str, Credential]:
    return {row.id: row for row in pull(acme, **settings).rows}


def told(acme: OpenAiCase, **settings: Any) -> dict[str, tuple[str, str | None]]:
    return {each.scope: (each.status, each.reason) for each in pull(acme, **settings).coverage}


def version(identifier: str, created: int, state: str = "current", **fields: Any) -> Version:
    return Version(
        id=identifier,
        state=state,
        created_at=created * SECOND,
        **{"authenticates": True, **fields},
    )


def test_a_persons_key_is_a_credential_of_its_own(acme: OpenAiCase) -> None:
    acme.server.put_project("proj_a", name="Checkout")
    acme.server.put_key(
        "proj_a",
        "key_1",
        created_at=NOW - 100 * DAY,
        last_used_at=NOW - 3,
        expires_at=NOW + DAY,
        owner=user(7, email="ana@acme.example"),
        name="laptop",
    )
    assert list(pull(acme).rows) == [
        Credential(
            source="openai",
            scope="acme/proj_a",
            id="key_1",
            name="laptop",
            cls="api-key",
            provider="openai",
            owner="ana@acme.example",
            labels={"project": "Checkout", "project_id": "proj_a", "owner_type": "user"},
            reach="project",
            created_at=(NOW - 100 * DAY) * SECOND,
            last_used_at=(NOW - 3) * SECOND,
            never_used=False,
            expires_at=(NOW + DAY) * SECOND,
            versions=[version("key_1", NOW - 100 * DAY, last_used_at=(NOW - 3) * SECOND)],
        )
    ]


def test_a_service_account_is_one_credential_and_its_keys_are_the_versions(acme: OpenAiCase) -> None:
    owner = service_account("ci", created_at=NOW - 300 * DAY)
    acme.server.put_project("proj_a", name="Checkout")
    for identifier, days, more in (
        ("key_old", 60, {"last_used_at": NOW - 2 * DAY}),
        ("key_new", 10, {"last_used_at": NOW - DAY, "expires_at": NOW + 50 * DAY}),
        ("key_gone", 200, {"expires_at": NOW - 100 * DAY}),
    ):
        acme.server.put_key("proj_a", identifier, created_at=NOW - days * DAY, owner=owner, **more)
    assert list(pull(acme).rows) == [
        Credential(
            source="openai",
            scope="acme/proj_a",
            id="svc_acct_ci",
            name="ci",
            cls="api-key",
            provider="openai",
            labels={"project": "Checkout", "project_id": "proj_a", "owner_type": "service_account"},
            reach="project",
            created_at=(NOW - 300 * DAY) * SECOND,
            last_used_at=(NOW - DAY) * SECOND,
            never_used=False,
            expires_at=(NOW + 50 * DAY) * SECOND,
            versions=[
                version("key_new", NOW - 10 * DAY, last_used_at=(NOW - DAY) * SECOND),
                version(
                    "key_old",
                    NOW - 60 * DAY,
                    "superseded",
                    superseded_at=(NOW - 10 * DAY) * SECOND,
                    last_used_at=(NOW - 2 * DAY) * SECOND,
                ),
                version(
                    "key_gone",
                    NOW - 200 * DAY,
                    "disabled",
                    superseded_at=(NOW - 60 * DAY) * SECOND,
                    authenticates=False,
                ),
            ],
        )
    ]


def test_an_admin_key_reaches_the_whole_organization(acme: OpenAiCase) -> None:
    acme.server.put_admin_key("key_admin", created_at=NOW - 9 * DAY, last_used_at=NOW - 1, name=None)
    assert list(pull(acme, admin_keys=True).rows) == [
        Credential(
            source="openai",
            scope="acme/admin-keys",
            id="key_admin",
            name="key_admin",
            cls="api-key",
            provider="openai",
            owner="Olga Owner",
            labels={},
            reach="organization",
            created_at=(NOW - 9 * DAY) * SECOND,
            last_used_at=(NOW - 1) * SECOND,
            never_used=False,
            versions=[version("key_admin", NOW - 9 * DAY, last_used_at=(NOW - 1) * SECOND)],
        )
    ]


def test_a_list_of_admin_keys_without_even_our_own_is_empty_not_complete(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    assert told(acme, admin_keys=True)["acme/admin-keys"] == (ScopeStatus.EMPTY, None)


def test_a_last_use_that_openai_does_not_know_is_not_taken_for_never(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW - 100 * DAY)
    acme.server.put_key("proj_a", "key_2", created_at=NOW - 100 * DAY, last_used_at=NOW - 200 * DAY)
    found = rows(acme)
    assert [(each.last_used_at, each.never_used) for each in found.values()] == [(None, None)] * 2


def test_an_owner_who_lost_access_leaves_open_whether_the_key_works(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW - DAY, owner_project_access="inactive")
    [row] = rows(acme).values()
    assert row.versions == [version("key_1", NOW - DAY, authenticates=None)]
    assert row.labels["owner_project_access"] == "inactive"


def test_a_key_past_its_expiry_does_not_work_and_one_at_the_instant_neither(acme: OpenAiCase) -> None:
    for identifier, expires in (("key_a", NOW), ("key_b", NOW + 1)):
        acme.server.put_key("proj_a", identifier, created_at=NOW - DAY, expires_at=expires)
    found = rows(acme)
    assert [(each.versions[0].state, each.expires_at) for each in found.values()] == [
        ("disabled", None),
        ("current", (NOW + 1) * SECOND),
    ]


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (user(1, email=None, name="Ana"), "Ana"),
        (user(1, email="", name=""), None),
        ({"type": "user"}, None),
        ({}, None),
        ({"type": "robot", "robot": {"id": "r"}}, None),
    ],
)
def test_an_owner_is_named_as_well_as_openai_does(acme: OpenAiCase, owner: dict, name: str | None) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW, owner=owner)
    acme.server.keys["proj_a"][0]["owner"] = owner
    assert rows(acme)["key_1"].owner == name


@pytest.mark.parametrize(
    "broken",
    [
        {"expires_at": NOW - 200 * DAY},
        {"created_at": None},
        {"created_at": "yesterday"},
        {"created_at": -1},
        {"last_used_at": 10**15},
        {"id": "key/../x"},
        {"owner": service_account("x") | {"service_account": {"id": "svc"}}},
    ],
)
def test_a_key_that_makes_no_sense_costs_itself_and_is_counted(acme: OpenAiCase, broken: dict) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW - 100 * DAY)
    acme.server.put_key("proj_a", "key_2", **{"created_at": NOW - 100 * DAY} | broken)
    acme.server.keys["proj_a"][1].update(broken)
    pulled = pull(acme)
    assert [row.id for row in pulled.rows] == ["key_1"]
    assert [(each.status, each.reason) for each in pulled.coverage] == [
        (ScopeStatus.PARTIAL, "1 entries could not be read")
    ]


def test_where_a_key_may_be_missing_nothing_is_said_of_a_service_accounts_keys(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW, last_used_at=NOW, owner=service_account("ci"))
    acme.server.put_key("proj_a", "key_2", created_at=NOW, last_used_at=NOW, owner=user())
    acme.server.put_key("proj_a", "key_3", created_at=-1)
    found = rows(acme)
    account, own = found["svc_acct_ci"], found["key_2"]
    assert (account.versions, account.last_used_at, account.expires_at) == (None, None, None)
    assert (len(own.versions), own.last_used_at) == (1, NOW * SECOND)


@pytest.mark.parametrize("breakage", ["duplicate-page", "expired-half-way"])
def test_a_list_that_is_not_whole_leaves_a_service_accounts_keys_open(
    openai: OpenAiCase, breakage: str
) -> None:
    openai.break_with(breakage)
    found = {row.id: row for row in openai.pull().rows}
    assert found[f"svc_acct_{BROKEN}_ci"].versions is None
    assert len(found[f"svc_acct_{HEALTHY}_ci"].versions) == 2


def test_every_key_of_every_owner_is_asked_for_a_hundred_at_a_time(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW, owner_project_access="inactive")
    acme.server.put_admin_key("key_admin", created_at=NOW)
    assert set(rows(acme, admin_keys=True)) == {"key_1", "key_admin"}
    assert [(each.path, each.query) for each in sorted(acme.server.log, key=lambda each: each.path)] == [
        ("/v1/organization/admin_api_keys", {"limit": ["100"]}),
        ("/v1/organization/projects", {"limit": ["100"]}),
        (
            "/v1/organization/projects/proj_a/api_keys",
            {"limit": ["100"], "owner_project_access": ["any"]},
        ),
    ]


def test_200_projects_cost_about_205_calls(acme: OpenAiCase) -> None:
    for number in range(200):
        for key in range(250 if number == 7 else 1):
            acme.server.put_key(f"proj_{number:03}", f"key_{number}_{key}", created_at=NOW)
    for number in range(3):
        acme.server.put_admin_key(f"key_admin_{number}", created_at=NOW)
    pulled = pull(acme, admin_keys=True)
    assert len(pulled.rows) == 199 + 250 + 3
    assert {each.status for each in pulled.coverage} == {ScopeStatus.COMPLETE}
    assert len(acme.server.log) == 2 + 199 + 3 + 1
    assert sum(each.calls for each in pulled.coverage) == 199 + 3 + 1


def test_a_project_without_keys_is_complete_unless_it_was_declared(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    acme.server.put_project("proj_b")
    assert told(acme)["acme/proj_b"] == (ScopeStatus.COMPLETE, None)
    assert told(acme, projects=["proj_a", "proj_b"])["acme/proj_b"] == (ScopeStatus.EMPTY, None)


def test_archived_projects_are_listed_only_if_asked_for_and_leave_open_what_works(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    acme.server.put_project("proj_old", status="archived")
    acme.server.put_key("proj_old", "key_old", created_at=NOW - DAY)
    assert set(rows(acme)) == {"key_1"}
    row = rows(acme, include_archived=True)["key_old"]
    assert row.labels["project_status"] == "archived"
    assert row.versions == [version("key_old", NOW - DAY, authenticates=None)]
    assert rows(acme, projects="proj_old")["key_old"].labels["project"] == "old"


def test_where_projects_cannot_be_listed_something_is_missing_and_says_so(acme: OpenAiCase) -> None:
    acme.server.put_admin_key("key_admin", created_at=NOW)
    acme.proxy.plan(Fault("denied", PROJECTS))
    assert told(acme, admin_keys=True, usage=True) == {
        "acme/*": (
            ScopeStatus.FAILED,
            "the projects could not be listed: denied (HTTP 403, permission_error)",
        ),
        "acme/admin-keys": (ScopeStatus.COMPLETE, None),
    }
    assert not acme.server.asked("/v1/organization/costs")


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (
            [Fault("duplicate-page", PROJECTS, times=1), Fault("expired", PROJECTS)],
            "the credentials are not valid here (HTTP 401, authentication_error)",
        ),
        (
            [Fault("duplicate-page", PROJECTS, times=1)],
            "1 entries could not be read or were listed twice",
        ),
        ([Fault("bad-row", PROJECTS)], "1 entries could not be read or were listed twice"),
    ],
    ids=["broken-off", "repeated", "unreadable"],
)
def test_a_list_of_projects_that_is_not_whole_is_a_scope_that_failed(
    acme: OpenAiCase, faults: list[Fault], reason: str
) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    acme.proxy.plan(*faults)
    found = told(acme)
    assert found["acme/*"] == (ScopeStatus.FAILED, f"the projects could not be listed: {reason}")
    assert found.get("acme/proj_a", (ScopeStatus.COMPLETE, None)) == (ScopeStatus.COMPLETE, None)


@pytest.mark.parametrize(("archived", "kind"), [(False, "project that is not archived"), (True, "project")])
def test_a_list_without_projects_is_not_taken_for_an_audit(
    acme: OpenAiCase, archived: bool, kind: str
) -> None:
    nothing = (ScopeStatus.EMPTY, f"no {kind} was listed; an admin key of another organization sees none")
    assert told(acme, include_archived=archived) == {"acme/*": nothing}
    acme.server.put_admin_key("key_admin", created_at=NOW)
    assert told(acme, include_archived=archived, admin_keys=True) == {
        "acme/*": nothing,
        "acme/admin-keys": (ScopeStatus.COMPLETE, None),
    }


def test_a_project_whose_id_no_path_can_hold_is_one_that_cannot_be_read(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a\n", "key_1", created_at=NOW)
    found = told(acme)
    assert set(found) == {"acme/*"}
    assert found["acme/*"][0] is ScopeStatus.FAILED


def test_projects_that_were_named_need_no_list_but_miss_their_names(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    acme.proxy.plan(Fault("denied", PROJECTS))
    pulled = pull(acme, projects=["proj_a"])
    assert pulled.rows[0].labels == {"project_id": "proj_a", "owner_type": "user"}
    assert [(each.status, each.reason) for each in pulled.coverage] == [
        (
            ScopeStatus.COMPLETE,
            "the project's name could not be read: denied (HTTP 403, permission_error)",
        )
    ]


def test_a_named_project_that_does_not_exist_failed(acme: OpenAiCase) -> None:
    assert told(acme, projects=["proj_nowhere"])["acme/proj_nowhere"] == (
        ScopeStatus.FAILED,
        "deleted meanwhile (HTTP 404, not_found)",
    )


def test_the_cost_report_may_know_of_a_later_use(acme: OpenAiCase) -> None:
    today = NOW // DAY * DAY
    acme.server.put_key("proj_a", "key_later", created_at=NOW - 90 * DAY, last_used_at=today - 5 * DAY)
    acme.server.put_key("proj_a", "key_earlier", created_at=NOW - 90 * DAY, last_used_at=NOW - 7)
    acme.server.put_key("proj_a", "key_young", created_at=NOW - 60)
    acme.server.put_key("proj_a", "key_free", created_at=NOW - 90 * DAY)
    for key in ("key_later", "key_earlier", "key_young", None):
        acme.server.put_cost(today - DAY if key == "key_earlier" else today, key)
    acme.server.put_cost(today, "key_free", value=0)
    found = {identifier: row.last_used_at for identifier, row in rows(acme, usage=True).items()}
    assert found == {
        "key_later": today * SECOND,
        "key_earlier": (NOW - 7) * SECOND,
        "key_young": (NOW - 60) * SECOND,
        "key_free": None,
    }
    [asked] = acme.server.asked("/v1/organization/costs")
    assert asked.query == {
        "start_time": [str(today - 30 * DAY)],
        "bucket_width": ["1d"],
        "group_by": ["api_key_id"],
        "limit": ["31"],
    }


def test_without_the_permission_for_costs_the_list_is_as_complete_and_says_so(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW, last_used_at=NOW)
    acme.server.permissions.discard("api.usage.read")
    assert told(acme, usage=True) == {
        "acme/proj_a": (
            ScopeStatus.COMPLETE,
            f"last use is that of the list alone; the cost report: {DENIED}",
        )
    }


def test_a_key_without_the_permission_is_denied_everywhere(acme: OpenAiCase) -> None:
    acme.server.permissions.clear()
    assert told(acme, projects=["proj_a"], admin_keys=True) == {
        "acme/proj_a": (ScopeStatus.FAILED, f"{DENIED}; the project's name could not be read: {DENIED}"),
        "acme/admin-keys": (ScopeStatus.FAILED, DENIED),
    }


def test_the_environment_has_no_say_in_where_requests_go_and_for_whom(
    acme: OpenAiCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "CANARY-of-somebody-else")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    assert told(acme) == {"acme/proj_a": (ScopeStatus.COMPLETE, None)}
    for asked in acme.server.log:
        sent = {name.lower() for name in asked.headers} - {"connection", "content-length"}
        assert sent == {"host", "user-agent", "accept", "accept-encoding", "authorization"}
        assert asked.headers["authorization"] == f"Bearer {KEY}"


def test_an_organization_is_sent_along_only_if_the_settings_name_it(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    assert told(acme, organization_id="org-acme") == {"acme/proj_a": (ScopeStatus.COMPLETE, None)}
    assert {each.headers.get("OpenAI-Organization") for each in acme.server.log} == {"org-acme"}
    assert told(acme, organization_id="org-other")["acme/*"][0] is ScopeStatus.FAILED


def test_without_a_key_nothing_begins() -> None:
    source = open_source({"name": "ai", "kind": "openai"}, clock=lambda: 0, environment={"OTHER": "x"})
    with pytest.raises(SourceError, match="source ai: the environment variable OPENAI_ADMIN_KEY is not set"):
        source.pull(lambda _: None)


def test_without_requests_one_line_says_what_to_install(
    acme: OpenAiCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    with pytest.raises(MissingExtraError) as caught:
        pull(acme)
    assert caught.value.hint == "pip install 'keyaudit[openai]'"


def test_opening_a_source_imports_no_client() -> None:
    program = (
        "import sys; from keyaudit.sources import open_source;"
        "[open_source({'name': 'a', 'kind': kind}, clock=int) for kind in ('openai', 'anthropic')];"
        "sys.exit('requests' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


REFUSED = [
    ("POST", "/v1/organization/projects/proj_a/service_accounts"),
    ("POST", "/v1/organization/projects/proj_a/service_accounts/svc_1/api_keys"),
    ("POST", "/v1/organization/projects/proj_a/api_keys/key_1"),
    ("DELETE", "/v1/organization/projects/proj_a/api_keys/key_1"),
    ("POST", "/v1/organization/admin_api_keys"),
    ("DELETE", "/v1/organization/admin_api_keys/key_1"),
    ("POST", "/v1/organization/projects"),
    ("GET", "/v1/organization/projects/proj_a"),
    ("GET", "/v1/organization/projects/proj_a/api_keys/key_1"),
    ("GET", "/v1/organization/projects/../../v1/files"),
    ("GET", "/v1/organization/audit_logs"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
]


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_other_requests_are_refused_and_the_server_hears_nothing(
    acme: OpenAiCase, method: str, path: str
) -> None:
    import threading

    settings = OpenAiSettings.model_validate(acme.entry())
    door = OpenAi(settings, KEY, Meter(Pace(1000, threading.Event())))
    with pytest.raises(OperationRefusedError, match="nothing was sent"):
        door._http.request(method, settings.endpoint + path)
    door.close()
    assert acme.server.log == []


def test_a_pull_asks_for_four_things_at_most(acme: OpenAiCase) -> None:
    acme.server.put_key("proj_a", "key_1", created_at=NOW)
    pull(acme, admin_keys=True, usage=True)
    assert acme.operations() == {PROJECTS, KEYS, ADMIN, COSTS} == acme.granted()


def test_the_printed_steps_ask_for_no_more_than_the_settings_need() -> None:
    entry = {"name": "a", "kind": "openai", "admin_keys": False, "key_variable": "AUDIT_KEY"}
    text = least_privilege("openai", [entry])
    assert "AUDIT_KEY" in text
    assert "api.management.read" in text
    for absent in ("admin_api_keys", "costs", "api.usage.read", "OPENAI_ADMIN_KEY"):
        assert absent not in text
    gateway = least_privilege("openai", [entry | {"endpoint": "https://gateway.example/ai", "usage": True}])
    assert "GET https://gateway.example/ai/v1/organization/costs" in gateway
    assert "api.usage.read" in gateway


def found_by(pulled: Pulled, rule: str) -> dict[str, str]:
    """Give the verdicts of a rule, by the credential's id, where it speaks at all."""
    inventory = from_rows(pulled.rows, pulled.coverage, NOW * SECOND, pulled.columns)
    report = audit(inventory, policy.load(None, rules=CATALOGUE, frameworks={}), [], NOW * SECOND)
    return {each.credential.id: each.verdict for each in report.findings if each.rule == rule}


def test_a_key_that_was_used_after_it_expired_is_not_called_dead(acme: OpenAiCase) -> None:
    expired = {"created_at": NOW - 90 * DAY, "expires_at": NOW - 40 * DAY}
    acme.server.put_key("proj_a", "key_dead", **expired, last_used_at=NOW - 40 * DAY)
    acme.server.put_key("proj_a", "key_undead", **expired, last_used_at=NOW - 40 * DAY + 1)
    pulled = pull(acme)
    dead, undead = pulled.rows
    assert (dead.expires_at, undead.expires_at) == (None, (NOW - 40 * DAY) * SECOND)
    last = {"last_used_at": (NOW - 40 * DAY + 1) * SECOND}
    assert undead.versions == [version("key_undead", NOW - 90 * DAY, authenticates=None, **last)]
    assert found_by(pulled, "KA109") == {"key_undead": "fail"}


def test_an_old_key_that_was_used_after_it_expired_is_still_an_old_key_in_use(acme: OpenAiCase) -> None:
    owner = service_account("ci")
    acme.server.put_key("proj_a", "key_new", created_at=NOW - 30 * DAY, owner=owner)
    acme.server.put_key(
        "proj_a",
        "key_old",
        created_at=NOW - 90 * DAY,
        expires_at=NOW - 29 * DAY,
        last_used_at=NOW - DAY,
        owner=owner,
    )
    pulled = pull(acme)
    assert pulled.rows[0].versions[1] == version(
        "key_old",
        NOW - 90 * DAY,
        "superseded",
        superseded_at=(NOW - 30 * DAY) * SECOND,
        authenticates=None,
        last_used_at=(NOW - DAY) * SECOND,
    )
    assert found_by(pulled, "KA203") == {"svc_acct_ci": "fail"}


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("projects", [], "name at least one project, or write `all`"),
        ("projects", ["proj_a", "proj_a"], "lists one thing twice"),
        ("projects", ["../x"], "not an id such as proj_abc123"),
        ("projects", ["proj_a\n"], "not an id such as proj_abc123"),
        ("organization", "a/b", "not a name for scopes: no slash, no line break"),
        ("organization", " a", "not a name for scopes: no slash, no line break"),
        ("organization_id", "org acme", "not an id such as proj_abc123"),
        ("key_variable", "sk-admin-123", "not the name of an environment variable; a key itself never"),
        ("endpoint", "http://api.openai.com", "neither https://HOST nor http:// on this machine"),
        ("key", "sk-admin-123", "unknown setting"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(setting: str, value: object, message: str) -> None:
    [problem] = check_settings({"name": "a", "kind": "openai", setting: value})
    assert problem.message.startswith(message)


def test_archived_projects_are_not_left_out_where_projects_are_named() -> None:
    entry = {"name": "a", "kind": "openai", "projects": ["proj_a"]}
    [problem] = check_settings({**entry, "include_archived": False})
    assert problem.message == (
        "`include_archived: false` is for `projects: all`; those that are named are listed, archived or not"
    )
    for fine in ({}, {"include_archived": True}, {"include_archived": False, "projects": "all"}):
        assert not check_settings({**entry, **fine})


def test_defaults_are_modest() -> None:
    settings = OpenAiSettings.model_validate({"name": "openai-prod", "kind": "openai"})
    assert (settings.label, settings.projects, settings.requests_per_second) == ("openai-prod", (), 5)
    assert (settings.concurrency, settings.usage, settings.admin_keys) == (4, False, True)
    assert settings.endpoint == "https://api.openai.com"
