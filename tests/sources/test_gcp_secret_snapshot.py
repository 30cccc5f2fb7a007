"""Secret Manager by way of Cloud Asset Inventory: the same rows for a call in 1,000, and its lag said."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import asset_v1
from google.cloud import secretmanager_v1 as sm

from keyaudit.inventory import from_rows, read, write
from keyaudit.sources import Pulled
from keyaudit.sources.gcp.assets import PER_SECOND
from keyaudit.times import DAY
from servers.fault_proxy import Fault
from servers.google_secret_manager import timestamp
from servers.grpc_server import Method
from sources.contract import CANARY
from sources.gcp_secret_manager_case import BARE, BROKEN, HEALTHY, NOW, NUMBERS, GcpSecretManagerCase

ORGANIZATION = "organizations/9"
PROD, STAGING = f"projects/{BROKEN}", f"projects/{HEALTHY}"
SNAPSHOT = "from the snapshot of 2026-05-01T12:00:00Z, which may lack what changed in the hours before"
NO_REGIONAL = "no regional secret was listed, and Google does not say that any would be"
USUAL = f"{SNAPSHOT}; {NO_REGIONAL}"


def bulk(case: GcpSecretManagerCase, parent: str | None = ORGANIZATION, **settings: Any) -> Pulled:
    """Pull what is below `parent`; None for the case's own two projects."""
    places = {} if parent is None else {"projects": None, "parent": parent}
    return case.pull(via="asset-inventory", **places, **settings)


def covered(pulled: Pulled) -> dict[str, tuple[str, int | None, int | None, str | None]]:
    return {
        each.scope: (each.status.value, each.credentials, each.calls, each.reason) for each in pulled.coverage
    }


def full_name(name: str, project: str = BROKEN) -> str:
    return f"projects/{NUMBERS[project]}/secrets/{name}"


def plant_all_sorts(case: GcpSecretManagerCase) -> None:
    secret = case.plant(
        "sorted",
        project=BROKEN,
        labels={"env": "production", "keyaudit_class": "api-key"},
        annotations={"keyaudit_owner": "a@b.example"},
        rotation={"next_rotation_time": timestamp(NOW + 9 * DAY), "rotation_period": "7776000s"},
        version_aliases={"current": 2, "previous": 1},
        expire_time=timestamp(NOW + 300 * DAY + 123_456),
    )
    case.add_version(secret, days_old=9)
    case.add_version(secret, days_old=8, state="DISABLED", scheduled_destroy_time=timestamp(NOW + DAY))
    case.add_version(secret, days_old=7, state="DESTROYED", destroy_time=timestamp(NOW - DAY))
    case.plant("regional", project=BROKEN, location="europe-west1")


def test_both_ways_give_the_same_rows(gcp_secrets: GcpSecretManagerCase) -> None:
    plant_all_sorts(gcp_secrets)
    gcp_secrets.store.locations = ["europe-west1"]
    asked, kept = gcp_secrets.pull(), bulk(gcp_secrets)
    assert len(asked.rows) == 8
    assert list(kept.rows) == list(asked.rows)
    assert kept.columns == asked.columns
    assert {each.cannot_know for each in kept.coverage} == {each.cannot_know for each in asked.coverage}


def test_a_parent_says_what_it_cost_and_each_project_what_it_has(gcp_secrets: GcpSecretManagerCase) -> None:
    assert covered(bulk(gcp_secrets)) == {
        ORGANIZATION: ("complete", 0, 2, USUAL),
        PROD: ("complete", 4, None, f"listed with {ORGANIZATION}; {USUAL}"),
        STAGING: ("complete", 2, None, f"listed with {ORGANIZATION}; {USUAL}"),
    }
    assert [each.versions for each in bulk(gcp_secrets).coverage] == [0, 8, 4]
    assert list(covered(bulk(gcp_secrets, "folders/7"))) == ["folders/7", STAGING]


def test_projects_that_were_named_are_asked_one_by_one(gcp_secrets: GcpSecretManagerCase) -> None:
    assert covered(bulk(gcp_secrets, None)) == {
        PROD: ("complete", 4, 1, USUAL),
        STAGING: ("complete", 2, 1, USUAL),
    }


def test_regional_secrets_have_their_location_in_the_scope(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.plant("regional", project=BROKEN, location="europe-west1")
    found = covered(bulk(gcp_secrets, None))
    assert found[f"{PROD}/locations/europe-west1"] == ("complete", 1, None, f"listed with {PROD}; {SNAPSHOT}")
    assert found[PROD] == ("complete", 4, 1, SNAPSHOT)


def test_a_parent_without_secrets_is_empty(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.assets.parents["folders/8"] = [BARE]
    assert covered(bulk(gcp_secrets, "folders/8")) == {"folders/8": ("empty", 0, 2, SNAPSHOT)}


def test_a_thousand_resources_cost_one_call(gcp_secrets: GcpSecretManagerCase) -> None:
    for number in range(994):
        secret = gcp_secrets.plant(f"more-{number}", project=BROKEN)
        gcp_secrets.add_version(secret, days_old=2)
        gcp_secrets.add_version(secret, days_old=1)
    pulled = bulk(gcp_secrets)
    versions = sum(len(row.versions) for row in pulled.rows)
    assert (len(pulled.rows), versions) == (1000, 2994)
    assert gcp_secrets.asked() == ["ListAssets"] * 5  # the projects, then 3,994 resources
    assert covered(pulled)[ORGANIZATION][:3] == ("complete", 0, 5)


def test_the_request_asks_for_what_is_in_the_resources_of_just_these_types(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    bulk(gcp_secrets)
    bulk(gcp_secrets, depth="list")
    requests = [asset_v1.ListAssetsRequest.deserialize(each.body) for each in gcp_secrets.server.log]
    assert {request.content_type.name for request in requests} == {"RESOURCE"}
    assert {(request.parent, request.page_size) for request in requests} == {(ORGANIZATION, 1000)}
    project = "cloudresourcemanager.googleapis.com/Project"
    secret, version = (f"secretmanager.googleapis.com/{kind}" for kind in ("Secret", "SecretVersion"))
    kinds = [list(request.asset_types) for request in requests]
    assert kinds == [[project], [secret, version], [project], [secret]]


def test_depth_list_leaves_versions_uncollected(gcp_secrets: GcpSecretManagerCase) -> None:
    pulled = bulk(gcp_secrets, depth="list")
    assert {row.versions for row in pulled.rows} == {None}
    assert {each.versions for each in pulled.coverage} == {None}
    assert covered(pulled)[ORGANIZATION][3] == USUAL


def test_a_snapshot_of_the_past_is_asked_for_and_said(gcp_secrets: GcpSecretManagerCase) -> None:
    pulled = bulk(gcp_secrets, read_time="2026-04-01T00:00:00.123456Z")
    assert "from the snapshot of 2026-04-01T00:00:00.123456Z," in covered(pulled)[ORGANIZATION][3]
    requests = [
        asset_v1.ListAssetsRequest.pb(asset_v1.ListAssetsRequest.deserialize(each.body))
        for each in gcp_secrets.server.log
    ]
    assert {request.read_time.nanos for request in requests} == {123_456_000}


def test_versions_whose_secret_is_not_listed_make_the_parent_partial(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.assets.lagging = {full_name("app-3")}
    pulled = bulk(gcp_secrets)
    said = "2 versions belong to 1 secrets that were not listed"
    assert covered(pulled)[ORGANIZATION] == ("partial", 0, 2, f"{said}; {USUAL}")
    assert covered(pulled)[PROD] == ("partial", 3, None, f"listed with {ORGANIZATION}; {said}; {USUAL}")


def test_a_secret_without_listed_versions_has_unknown_ones_not_none(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    gcp_secrets.assets.lagging = {f"{full_name('app-3')}/versions/{number}" for number in (1, 2)}
    pulled = bulk(gcp_secrets)
    assert [row.versions for row in pulled.rows if row.id == full_name("app-3")] == [None]
    said = "1 secrets have no version in the snapshot, so theirs are not known"
    assert covered(pulled)[ORGANIZATION] == ("complete", 0, 2, f"{said}; {USUAL}")


def test_of_a_list_that_broke_off_no_secret_has_known_versions(gcp_secrets: GcpSecretManagerCase) -> None:
    for number in range(1000):
        gcp_secrets.plant(f"more-{number}", project=BROKEN)
    gcp_secrets.server.plan(Fault("denied", "ListAssets", ORGANIZATION, after=2))
    pulled = bulk(gcp_secrets)
    assert len(pulled.rows) > 400
    assert {row.versions for row in pulled.rows} == {None}
    status, credentials, calls, reason = covered(pulled)[ORGANIZATION]
    assert (status, credentials, calls) == ("partial", 0, 3)
    assert reason.startswith("the list broke off after 1 page: denied")
    assert {each.status.value for each in pulled.coverage} == {"partial"}


def test_a_project_whose_id_was_not_listed_stands_under_its_number(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.assets.lagging = {f"projects/{NUMBERS[HEALTHY]}"}
    pulled = bulk(gcp_secrets)
    assert {each.scope for each in pulled.coverage} == {ORGANIZATION, PROD, f"projects/{NUMBERS[HEALTHY]}"}
    assert "1 projects stand under their number, because their id was not listed" in (
        covered(pulled)[ORGANIZATION][3] or ""
    )


@pytest.mark.parametrize("called", ["acme\n-prod", "\u202e", "x/../y", "A" * 5_000], ids=range(4))
def test_a_project_whose_id_is_none_stands_under_its_number(
    gcp_secrets: GcpSecretManagerCase, called: str
) -> None:
    gcp_secrets.assets.misnamed = {HEALTHY: called}
    assert {each.scope for each in bulk(gcp_secrets).coverage} == {
        ORGANIZATION,
        PROD,
        f"projects/{NUMBERS[HEALTHY]}",
    }


def test_a_page_that_comes_twice_is_noticed(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.server.plan(Fault("duplicate-page", "ListAssets", ORGANIZATION, after=1, times=1))
    status, _, _, reason = covered(bulk(gcp_secrets))[ORGANIZATION]
    assert status == "partial"
    assert "6 entries were listed twice" in reason
    assert "12 versions were listed twice" in reason


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        ("denied", "failed"),
        ("not-enabled", "failed"),
        ("throttled", "failed"),
        ("server-error", "failed"),
        ("expired", "failed"),
        ("bad-message", "failed"),
        ("gone", "failed"),
        ("repeated-token", "failed"),
    ],
)
def test_a_refusal_fails_the_parent_and_is_never_empty(
    gcp_secrets: GcpSecretManagerCase, refusal: str, status: str
) -> None:
    gcp_secrets.server.plan(Fault(refusal, "ListAssets", ORGANIZATION))
    pulled = bulk(gcp_secrets)
    assert [each.scope for each in pulled.coverage] == [ORGANIZATION]
    assert covered(pulled)[ORGANIZATION][:2] == (status, 0)
    assert CANARY not in repr(pulled)


def test_a_resource_that_cannot_be_read_costs_only_itself(gcp_secrets: GcpSecretManagerCase) -> None:
    gcp_secrets.store.versions[full_name("app-3")][1].state = sm.SecretVersion.State.STATE_UNSPECIFIED
    pulled = bulk(gcp_secrets)
    assert [row.id for row in pulled.rows if row.versions is None] == [full_name("app-3")]
    assert covered(pulled)[ORGANIZATION] == ("partial", 0, 2, f"1 entries could not be read; {USUAL}")


def test_an_inventory_of_an_organization_can_be_written_and_read_again(
    gcp_secrets: GcpSecretManagerCase, tmp_path
) -> None:
    plant_all_sorts(gcp_secrets)
    pulled = bulk(gcp_secrets)
    inventory = from_rows(pulled.rows, pulled.coverage, NOW, pulled.columns)
    path = tmp_path / "inventory.json"
    path.write_bytes(write(inventory, "json"))
    again = read([path])
    assert again.coverage == tuple(pulled.coverage)
    assert again.credentials.collect().height == len(pulled.rows)


def test_the_pace_stays_under_the_quota_of_asset_inventory_unless_told_otherwise(
    gcp_secrets: GcpSecretManagerCase,
) -> None:
    assert PER_SECOND * 60 < 100
    source = gcp_secrets.source(via="asset-inventory", requests_per_second=None)
    [first, second] = source._snapshots(_nobody())
    assert first.meter._pace is second.meter._pace
    assert first.meter._pace._limit == PER_SECOND
    [told, _] = gcp_secrets.source(via="asset-inventory", requests_per_second=5)._snapshots(_nobody())
    assert told.meter._pace._limit == 5
    for scope in (first, second, told):
        scope.closed()


def _nobody():
    from keyaudit.sources.gcp.caller import Caller

    return Caller(None)


def test_content_that_is_no_json_is_a_resource_that_cannot_be_read(gcp_secrets: GcpSecretManagerCase) -> None:
    answer = gcp_secrets.assets.list_assets

    def odd(request: Any) -> Any:
        found = answer(request)
        for asset in found.assets:
            if asset.name.endswith("/secrets/app-1"):
                asset.resource.data["weight"] = float("nan")
        return found

    path = "/google.cloud.asset.v1.AssetService/ListAssets"
    gcp_secrets.server._methods[path] = Method(asset_v1.ListAssetsRequest, odd)
    status, _, _, reason = covered(bulk(gcp_secrets, None))[PROD]
    assert status == "partial"
    assert reason.startswith("1 entries could not be read; 2 versions belong to 1 secrets")
