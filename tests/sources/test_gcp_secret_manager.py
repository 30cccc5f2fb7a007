"""Secret Manager over the real client against a gRPC server: scopes, calls, refusals, resumption."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.cloud import secretmanager_v1 as sm
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from keyaudit import policy
from keyaudit.audit import audit
from keyaudit.errors import PolicyError
from keyaudit.inventory import from_rows
from keyaudit.model import Coverage
from keyaudit.rules import CATALOGUE
from keyaudit.sources import Pulled, ScopeProgress, check_settings, least_privilege
from keyaudit.sources.gcp.caller import Caller
from keyaudit.sources.gcp.clients import open_client
from keyaudit.sources.gcp.secret_manager.service import endpoint
from keyaudit.sources.protocol import OperationRefusedError
from keyaudit.sources.pulling.meter import Meter
from keyaudit.times import DAY, parse_instant
from servers.fault_proxy import Fault
from servers.google_secret_manager import timestamp
from sources.contract import CANARY
from sources.gcp_secret_manager_case import (
    BARE,
    BROKEN,
    HEALTHY,
    KIND,
    NOW,
    NUMBERS,
    GcpSecretManagerCase,
    permissions_of,
)

PROD = f"projects/{BROKEN}"


def covered(pulled: Pulled) -> dict[str, tuple[str, int | None, str | None]]:
    return {each.scope: (each.status.value, each.credentials, each.reason) for each in pulled.coverage}


def one(pulled: Pulled, scope: str) -> Coverage:
    return next(each for each in pulled.coverage if each.scope == scope)


def named(pulled: Pulled) -> dict[tuple[str, str], Any]:
    return {(row.scope, row.name): row for row in pulled.rows}


def test_a_secret_comes_with_the_name_that_google_gives_it_and_all_its_versions(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    secret = gcp_secrets.plant(
        "openai", labels={"team": "search"}, annotations={"keyaudit_owner": "a@b.example"}
    )
    gcp_secrets.add_version(secret, days_old=5)
    gcp_secrets.add_version(secret, days_old=4, state="DISABLED")
    gcp_secrets.add_version(secret, days_old=3, state="DESTROYED", destroy_time=timestamp(NOW - DAY))
    row = named(gcp_secrets.pull())[f"projects/{HEALTHY}", "openai"]
    assert row.id == f"projects/{NUMBERS[HEALTHY]}/secrets/openai"
    assert (row.owner, row.labels) == ("a@b.example", {"team": "search", "keyaudit_owner": "a@b.example"})
    assert [(each.id, each.state, each.superseded_at, each.retired_at) for each in row.versions] == [
        ("4", "destroyed", None, NOW - DAY),
        ("3", "disabled", None, None),
        ("2", "current", None, None),
        ("1", "superseded", NOW - 5 * DAY, None),
    ]


def test_a_pull_costs_a_call_for_the_list_and_one_for_each_secret(gcp_secrets: GcpSecretManagerCase) -> None:
    for number in range(996):
        gcp_secrets.plant(f"more-{number}", project=BROKEN)
    pulled = gcp_secrets.pull(projects=[BROKEN])
    assert len(pulled.rows) == 1000
    asked = gcp_secrets.asked()
    assert {name: asked.count(name) for name in set(asked)} == {
        "ListLocations": 1,
        "ListSecrets": 1,
        "ListSecretVersions": 1000,
    }
    assert (one(pulled, PROD).calls, one(pulled, PROD).pages) == (1002, 1)


def test_depth_list_asks_only_for_the_list_and_says_that_versions_are_not_collected(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    for number in range(2_497):
        gcp_secrets.plant(f"more-{number}", project=BROKEN)
    pulled = gcp_secrets.pull(projects=[BROKEN], depth="list", locations="none")
    assert gcp_secrets.asked() == ["ListSecrets", "ListSecrets"]
    assert len(pulled.rows) == 2_501
    assert {row.versions for row in pulled.rows} == {None}
    assert not [name for name in pulled.columns if name.startswith("versions")]
    assert "versions" in one(pulled, PROD).cannot_know
    assert (one(pulled, PROD).pages, one(pulled, PROD).versions) == (2, None)


def test_short_pages_are_followed_to_the_end(gcp_secrets: GcpSecretManagerCase) -> None:
    secret = gcp_secrets.plant("busy", project=BROKEN)
    for days in range(9, 0, -1):
        gcp_secrets.add_version(secret, days_old=days)
    gcp_secrets.store.largest_page = 3
    pulled = gcp_secrets.pull()
    assert covered(pulled)[PROD] == ("complete", 5, None)
    assert one(pulled, PROD).pages == 2
    assert [each.id for each in named(pulled)[PROD, "busy"].versions] == [str(n) for n in range(10, 0, -1)]


def test_regional_secrets_are_looked_for_in_every_location_of_a_project(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.store.locations = ["europe-west1", "us-east1", "global", "eu", "asia-east1"]
    gcp_secrets.plant("here", project=BROKEN, location="us-east1")
    pulled = gcp_secrets.pull(projects=[BROKEN])
    assert covered(pulled) == {
        PROD: ("complete", 4, None),
        f"{PROD}/locations/asia-east1": ("complete", 0, None),
        f"{PROD}/locations/eu": ("complete", 0, None),
        f"{PROD}/locations/europe-west1": ("complete", 0, None),
        f"{PROD}/locations/us-east1": ("complete", 1, None),
    }
    row = named(pulled)[f"{PROD}/locations/us-east1", "here"]
    assert row.id == f"projects/{NUMBERS[BROKEN]}/locations/us-east1/secrets/here"
    assert [each.state for each in row.versions] == ["current"]
    assert gcp_secrets.asked().count("ListLocations") == 2


def test_each_location_has_a_host_of_its_own() -> None:
    assert endpoint("europe-west1") == "secretmanager.europe-west1.rep.googleapis.com"
    meter = Meter(None)  # type: ignore[arg-type]
    settings = _Real()
    client = open_client(sm.SecretManagerServiceClient, Caller(None), settings, meter, host=endpoint("eu"))
    assert client.transport.host == "secretmanager.eu.rep.googleapis.com:443"
    client.transport.close()


class _Real:
    endpoint, attempts, timeout = None, 1, 1_000_000


def test_a_project_with_only_regional_secrets_is_not_empty(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.store.locations = ["europe-west1", "us-east1"]
    gcp_secrets.plant("here", project=BARE, location="us-east1")
    bare = f"projects/{BARE}"
    assert {scope: found[0] for scope, found in covered(gcp_secrets.pull(projects=[BARE])).items()} == {
        bare: "complete",
        f"{bare}/locations/europe-west1": "complete",
        f"{bare}/locations/us-east1": "complete",
    }


def test_of_an_empty_project_only_the_project_is_called_empty(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.store.locations = ["europe-west1", "us-east1"]
    bare = f"projects/{BARE}"
    assert {scope: found[0] for scope, found in covered(gcp_secrets.pull(projects=[BARE])).items()} == {
        bare: "empty",
        f"{bare}/locations/europe-west1": "complete",
        f"{bare}/locations/us-east1": "complete",
    }


def test_declared_locations_are_not_searched_and_an_empty_one_is_said(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.plant("here", project=BROKEN, location="us-east1")
    found = covered(gcp_secrets.pull(projects=[BROKEN], locations=["us-east1", "europe-west1"]))
    assert found == {
        PROD: ("complete", 4, None),
        f"{PROD}/locations/europe-west1": ("empty", 0, None),
        f"{PROD}/locations/us-east1": ("complete", 1, None),
    }
    assert "ListLocations" not in gcp_secrets.asked()


def test_regional_secrets_that_nobody_asked_for_are_said(gcp_secrets: GcpSecretManagerCase) -> None:
    pulled = gcp_secrets.pull(projects=[BROKEN], locations="none")
    assert covered(pulled) == {PROD: ("complete", 4, "regional secrets were not asked for")}
    assert "ListLocations" not in gcp_secrets.asked()


def test_locations_that_cannot_be_listed_make_the_project_partial(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.break_with("locations-denied")
    assert covered(gcp_secrets.pull())[PROD] == (
        "partial",
        4,
        (
            "regional secrets were not looked for: the locations are denied "
            "(PERMISSION_DENIED, IAM_PERMISSION_DENIED)"
        ),
    )


@pytest.mark.parametrize("hostile", ["evil.example/", "us-east1.evil.example#", "", "US"])
def test_no_credentials_go_to_a_host_that_is_no_location(
    gcp_secrets: GcpSecretManagerCase, hostile: str
) -> None:
    gcp_secrets.store.locations = ["us-east1", hostile]
    found = covered(gcp_secrets.pull(projects=[BROKEN]))
    assert list(found) == [PROD]
    assert found[PROD][0] == "partial"


def test_a_project_whose_api_is_off_is_empty_and_says_why(gcp_secrets: GcpSecretManagerCase) -> None:
    off = {"consumer": PROD, "service": "secretmanager.googleapis.com"}
    gcp_secrets.server.plan(
        Fault("not-enabled", "ListLocations", PROD, headers=off),
        Fault("not-enabled", "ListSecrets", PROD, headers=off),
    )
    assert covered(gcp_secrets.pull())[PROD] == (
        "empty",
        0,
        "the API is not enabled (secretmanager.googleapis.com) in this project, so nothing in it is in use",
    )


def test_a_project_that_does_not_exist_fails(gcp_secrets: GcpSecretManagerCase) -> None:
    found = covered(gcp_secrets.pull(projects=["no-such-project"]))["projects/no-such-project"]
    assert found[:2] == ("failed", 0)
    assert "denied (PERMISSION_DENIED, CONSUMER_INVALID)" in found[2]


def test_one_secret_whose_versions_are_denied_is_counted_and_not_guessed(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.break_with("one-version-list-denied")
    pulled = gcp_secrets.pull()
    assert covered(pulled)[PROD] == (
        "partial",
        4,
        "1 of 4 version lists: denied (PERMISSION_DENIED, IAM_PERMISSION_DENIED)",
    )
    lists = [row.versions for row in pulled.rows if row.scope == PROD]
    assert lists.count(None) == 1


def test_a_secret_that_is_counted_and_not_listed_makes_the_list_partial(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.store.unlisted = {f"projects/{NUMBERS[BROKEN]}/secrets/app-2"}
    assert covered(gcp_secrets.pull())[PROD] == ("partial", 3, "the service counts 4 secrets and listed 3")


def test_a_version_that_is_counted_and_not_listed_leaves_all_of_the_secret_unknown(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.store.unlisted = {f"projects/{NUMBERS[BROKEN]}/secrets/app-2/versions/2"}
    pulled = gcp_secrets.pull()
    assert covered(pulled)[PROD] == (
        "partial",
        4,
        "1 of 4 version lists: the answer could not be read (not as many versions as the service counts)",
    )
    assert named(pulled)[PROD, "app-2"].versions is None


def test_versions_of_another_secret_are_not_taken_for_ones_own(gcp_secrets: GcpSecretManagerCase) -> None:
    store = gcp_secrets.store
    first, second = (f"projects/{NUMBERS[BROKEN]}/secrets/app-{number}" for number in (1, 2))
    store.versions[first] = store.versions[second]
    pulled = gcp_secrets.pull()
    assert covered(pulled)[PROD][0] == "partial"
    assert named(pulled)[PROD, "app-1"].versions is None


def test_a_secret_that_cannot_be_read_costs_only_itself(gcp_secrets: GcpSecretManagerCase) -> None:
    broken = gcp_secrets.plant("odd", project=BROKEN)
    broken.create_time = timestamp(10**18 * 5)
    assert covered(gcp_secrets.pull())[PROD] == ("partial", 4, "1 entries could not be read")


def test_nothing_is_reused_between_pulls_because_no_list_says_what_changed(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.pull(cache=True)
    once = gcp_secrets.requests()
    secret = gcp_secrets.store.secrets[f"projects/{NUMBERS[BROKEN]}/secrets/app-0"]
    gcp_secrets.add_version(secret, days_old=1)
    pulled = gcp_secrets.pull(cache=True)
    assert gcp_secrets.requests() == 2 * once
    assert named(pulled)[PROD, "app-0"].versions[0].created_at == NOW - DAY


def test_a_pull_that_was_killed_amid_the_versions_asks_only_for_the_others(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    for number in range(146):
        gcp_secrets.plant(f"more-{number}", project=BROKEN)
    whole = gcp_secrets.pull(projects=[BROKEN])

    def kill(report: ScopeProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gcp_secrets.source(projects=[BROKEN], cache=True).pull(kill)
    kept = [file.read_text() for file in gcp_secrets.cache_dir.rglob("*.json")]
    assert kept
    assert not [text for text in kept if CANARY in text]
    gcp_secrets.server.log.clear()
    again = gcp_secrets.pull(projects=[BROKEN], cache=True)
    assert gcp_secrets.asked().count("ListSecretVersions") == 50
    assert list(again.rows) == list(whole.rows)
    assert covered(again)[PROD] == (
        "complete",
        150,
        "100 answers are those of a pull that was interrupted",
    )


def test_values_are_there_for_whoever_asks_and_we_cannot_ask(gcp_secrets: GcpSecretManagerCase) -> None:
    latest = f"projects/{BROKEN}/secrets/app-0/versions/latest"
    channel = grpc.insecure_channel(gcp_secrets.server.address)
    theirs = sm.SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
    assert CANARY.encode() in theirs.access_secret_version(name=latest).payload.data
    theirs.transport.close()
    source = gcp_secrets.source()
    gcp_secrets.server.log.clear()
    ours = open_client(sm.SecretManagerServiceClient, Caller(None), source.settings, Meter(source.pace()))
    parent = f"projects/{BROKEN}"
    attempts = (
        lambda: ours.access_secret_version(name=latest),
        lambda: ours.get_secret(name=f"{parent}/secrets/app-0"),
        lambda: ours.get_secret_version(name=latest),
        lambda: ours.add_secret_version(parent=f"{parent}/secrets/app-0", payload={"data": b"x"}),
        lambda: ours.create_secret(parent=parent, secret_id="new", secret={}),
        lambda: ours.update_secret(secret={"name": f"{parent}/secrets/app-0"}),
        lambda: ours.disable_secret_version(name=latest),
        lambda: ours.destroy_secret_version(name=latest),
        lambda: ours.delete_secret(name=f"{parent}/secrets/app-0"),
    )
    for attempt in attempts:
        with pytest.raises(OperationRefusedError):
            attempt()
    ours.transport.close()
    assert gcp_secrets.server.log == []


def test_a_server_is_only_ever_asked_to_list(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.pull()
    gcp_secrets.pull(projects=None, parent="organizations/9", via="asset-inventory")
    assert set(gcp_secrets.asked()) == {"ListAssets", "ListLocations", "ListSecrets", "ListSecretVersions"}


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, {"secretmanager.locations.list", "secretmanager.secrets.list", "secretmanager.versions.list"}),
        ({"locations": "none"}, {"secretmanager.secrets.list", "secretmanager.versions.list"}),
        ({"locations": ["us-east1"], "depth": "list"}, {"secretmanager.secrets.list"}),
        ({"via": "asset-inventory"}, {"cloudasset.assets.listResource"}),
    ],
)
def test_the_role_has_just_what_the_settings_need(
    gcp_secrets: GcpSecretManagerCase, settings: dict[str, Any], needed: set[str]
) -> None:
    assert permissions_of(least_privilege(KIND, [gcp_secrets.entry(**settings)])) == needed
    gcp_secrets.pull(**settings)
    assert gcp_secrets.operations() <= needed


def test_values_are_denied_to_the_account_whatever_else_it_may_do() -> None:
    assert "secretmanager.googleapis.com/versions.access" in least_privilege(KIND)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"projects": []}, "says nowhere to look: set `projects` or `parent`"),
        ({"projects": ["12345"]}, "a project's number; write its id, such as acme-prod"),
        ({"locations": []}, "name at least one location, or write `all` or `none`"),
        ({"locations": ["us-east1", "us-east1"]}, "lists one thing twice"),
        ({"locations": "evil.example/"}, "not a location such as europe-west1"),
        ({"parent": "organizations/9"}, "`parent` and `read_time` are for `via: asset-inventory`"),
        ({"read_time": "2026-04-01T00:00:00Z"}, "`parent` and `read_time` are for `via: asset-inventory`"),
        (
            {"via": "asset-inventory", "locations": "all"},
            "`locations` is for `via: secret-manager`; a snapshot is of all of them",
        ),
        (
            {"via": "asset-inventory", "parent": "organizations/9"},
            "`parent` and `projects` exclude each other: a project would be listed twice",
        ),
        (
            {"via": "asset-inventory", "projects": [], "parent": "projects/acme-prod"},
            "neither organizations/NUMBER nor folders/NUMBER; projects go under `projects`",
        ),
        ({"via": "asset-inventory", "read_time": "yesterday"}, "not an RFC 3339 time such as"),
        ({"depth": "values"}, "Input should be 'versions' or 'list'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], message: str) -> None:
    entry = {"name": "x", "kind": KIND, "projects": [BROKEN], **settings}
    assert message in "; ".join(problem.message for problem in check_settings(entry))


def test_settings_are_read_as_people_write_them(gcp_secrets: GcpSecretManagerCase) -> None:
    assert gcp_secrets.source().settings.locations is None
    assert gcp_secrets.source(locations="all").settings.locations is None
    assert gcp_secrets.source(locations="none").settings.locations == ()
    assert gcp_secrets.source(locations="us-east1").settings.locations == ("us-east1",)
    past = gcp_secrets.source(via="asset-inventory", read_time="2026-04-01T00:00:00Z")
    assert past.settings.read_time == parse_instant("2026-04-01T00:00:00Z")
    with pytest.raises(PolicyError):
        gcp_secrets.source(parent="organizations/9")


def test_rules_take_a_schedule_for_the_reminder_that_it_is(gcp_secrets: GcpSecretManagerCase) -> None:
    def plant(name: str, *, days_old: int, next_in: int, **rotation: Any) -> None:
        gcp_secrets.plant(
            name,
            project=BARE,
            days_old=days_old,
            rotation={"next_rotation_time": timestamp(NOW + next_in * DAY), **rotation},
        )

    monthly = {"rotation_period": "2592000s"}
    active = {"managed_rotation_status": {"state": sm.Rotation.ManagedRotationStatus.State.ACTIVE}}
    plant("ignored", days_old=200, next_in=10, **monthly)
    plant("answered", days_old=19, next_in=10, **monthly)
    plant("once-ignored", days_old=200, next_in=-10)
    plant("once-answered", days_old=9, next_in=-10)
    plant("managed", days_old=200, next_in=10, **monthly, **active)
    pulled = gcp_secrets.pull(projects=[BARE])
    inventory = from_rows(pulled.rows, pulled.coverage, NOW, pulled.columns)
    report = audit(inventory, policy.load(None, rules=CATALOGUE, frameworks={}), [], NOW)
    missed = {each.credential.name: each.verdict for each in report.findings if each.rule == "KA105"}
    assert missed == {"ignored": "fail", "once-ignored": "fail"}
    [unknown_rhythm, also] = [each for each in report.findings if each.rule == "KA106"]
    assert {unknown_rhythm.credential.name, also.credential.name} == {"once-ignored", "once-answered"}
    assert {unknown_rhythm.verdict, also.verdict} == {"unknown"}
