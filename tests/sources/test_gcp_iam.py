"""Every field and trap of Google's service-account keys, and what listing them costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from google.cloud import iam_admin_v1 as iam

from keyaudit import policy
from keyaudit.audit import audit
from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Version
from keyaudit.rules import CATALOGUE
from keyaudit.sources import Pulled
from keyaudit.times import DAY, HOUR, parse_instant
from servers.fault_proxy import Fault
from servers.google_iam import KeyType, timestamp
from sources.gcp_iam_case import BROKEN, HEALTHY, NOW, GcpIamCase

PROJECT = "acme-new"
NEVER_ASKED = ("created_at", "last_changed_at", "last_rotated_at")


def at(text: str) -> int:
    return parse_instant(text)


def pull(case: GcpIamCase, **settings) -> Pulled:
    return case.pull(projects=[PROJECT], **settings)


def only(pulled: Pulled) -> Credential:
    (row,) = pulled.rows
    return row


def versions(case: GcpIamCase) -> list[tuple]:
    found = only(pull(case)).versions
    assert found is not None
    return [(each.id, each.state, each.authenticates, each.superseded_at, each.retired_at) for each in found]


@pytest.fixture
def account(gcp_iam: GcpIamCase) -> str:
    return gcp_iam.plant(PROJECT, "payments")


def test_an_account_is_a_credential_and_its_keys_are_the_versions(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "old", made=at("2025-03-01T00:00:00.123456Z"))
    gcp_iam.google.put(account, "new", made=NOW - 20 * DAY, until=timestamp(NOW + 70 * DAY))
    gcp_iam.google.sign_in(account, "old", NOW - 9 * DAY)
    gcp_iam.google.sign_in(account, "old", NOW - 33 * DAY)
    gcp_iam.google.sign_in(account, "new", NOW - 2 * DAY - HOUR)
    name = f"projects/{PROJECT}/serviceAccounts/payments@{PROJECT}.iam.gserviceaccount.com"
    assert only(pull(gcp_iam)) == Credential(
        source="gcp-iam",
        scope=f"projects/{PROJECT}",
        id=name,
        name=f"payments@{PROJECT}.iam.gserviceaccount.com",
        cls="api-key",
        provider="gcp",
        last_used_at=NOW - 3 * DAY,
        never_used=False,
        expires_at=NOW + 70 * DAY,
        versions=[
            Version(
                id="old",
                state="superseded",
                created_at=at("2025-03-01T00:00:00.123456Z"),
                superseded_at=NOW - 20 * DAY,
                authenticates=True,
                last_used_at=NOW - 10 * DAY,
            ),
            Version(
                id="new",
                state="current",
                created_at=NOW - 20 * DAY,
                authenticates=True,
                last_used_at=NOW - 3 * DAY,
            ),
        ],
    )


def test_a_key_of_the_year_9999_never_expires(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "k", made=NOW - DAY)
    assert only(pull(gcp_iam)).expires_at is None


def test_googles_own_keys_are_neither_asked_for_nor_taken(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "k", made=NOW - DAY)
    assert [each[0] for each in versions(gcp_iam)] == ["k"]
    (asked,) = gcp_iam.server.asked("ListServiceAccountKeys")
    request = iam.ListServiceAccountKeysRequest.deserialize(asked.body)
    assert list(request.key_types) == [KeyType.USER_MANAGED]
    gcp_iam.google.ignores_key_types = True
    assert [each[0] for each in versions(gcp_iam)] == ["k"]


def test_the_newest_key_that_works_is_in_use_and_each_older_one_was_replaced_by_the_next(
    gcp_iam: GcpIamCase, account: str
) -> None:
    for key, age in (("c", 10), ("a", 300), ("b", 100)):
        gcp_iam.google.put(account, key, made=NOW - age * DAY)
    assert versions(gcp_iam) == [
        ("a", "superseded", True, NOW - 100 * DAY, None),
        ("b", "superseded", True, NOW - 10 * DAY, None),
        ("c", "current", True, None, None),
    ]


def test_a_disabled_key_does_not_work_and_nobody_knows_since_when(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "a", made=NOW - 300 * DAY, disabled=True)
    gcp_iam.google.put(account, "b", made=NOW - 100 * DAY)
    gcp_iam.google.put(account, "c", made=NOW - 10 * DAY, disabled=True)
    assert versions(gcp_iam) == [
        ("a", "disabled", False, NOW - 100 * DAY, None),
        ("b", "current", True, None, None),
        ("c", "disabled", False, None, None),
    ]


def test_an_expired_key_does_not_work_since_it_expired(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "gone", made=NOW - 300 * DAY, until=timestamp(NOW))
    gcp_iam.google.put(account, "going", made=NOW - 300 * DAY, until=timestamp(NOW + 1))
    assert versions(gcp_iam) == [
        ("going", "current", True, None, None),
        ("gone", "disabled", False, None, NOW),
    ]
    assert only(pull(gcp_iam)).expires_at == NOW + 1


def found_by(pulled: Pulled, rule: str) -> dict[str, str]:
    """Give the verdicts of a rule, by the credential's id, where it speaks at all."""
    inventory = from_rows(pulled.rows, pulled.coverage, NOW, pulled.columns)
    report = audit(inventory, policy.load(None, rules=CATALOGUE, frameworks={}), [], NOW)
    return {each.credential.id: each.verdict for each in report.findings if each.rule == rule}


def test_a_key_that_was_used_after_it_expired_is_not_called_dead(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "old", made=NOW - 300 * DAY, until=timestamp(NOW - 30 * DAY))
    gcp_iam.google.sign_in(account, "old", NOW - 2 * DAY)
    assert versions(gcp_iam) == [("old", "current", None, None, None)]
    pulled = pull(gcp_iam)
    assert only(pulled).expires_at == NOW - 30 * DAY
    assert found_by(pulled, "KA109") == {account: "fail"}


def test_an_old_key_that_was_used_after_it_expired_is_still_an_old_key_in_use(
    gcp_iam: GcpIamCase, account: str
) -> None:
    gcp_iam.google.put(account, "old", made=NOW - 300 * DAY, until=timestamp(NOW - 30 * DAY))
    gcp_iam.google.put(account, "new", made=NOW - 40 * DAY)
    gcp_iam.google.sign_in(account, "old", NOW - 2 * DAY)
    assert versions(gcp_iam) == [
        ("old", "superseded", None, NOW - 40 * DAY, None),
        ("new", "current", True, None, None),
    ]
    assert found_by(pull(gcp_iam), "KA203") == {account: "fail"}


def test_a_disabled_key_that_was_used_after_it_expired_is_as_disabled(
    gcp_iam: GcpIamCase, account: str
) -> None:
    gcp_iam.google.put(account, "old", made=NOW - 300 * DAY, until=timestamp(NOW - 30 * DAY), disabled=True)
    gcp_iam.google.sign_in(account, "old", NOW - 2 * DAY)
    assert versions(gcp_iam) == [("old", "disabled", False, None, None)]


def test_a_disabled_account_leaves_no_key_that_works(gcp_iam: GcpIamCase) -> None:
    account = gcp_iam.plant(PROJECT, "retired", disabled=True)
    gcp_iam.google.put(account, "a", made=NOW - 300 * DAY)
    gcp_iam.google.put(account, "b", made=NOW - 200 * DAY, until=timestamp(NOW - DAY))
    assert versions(gcp_iam) == [
        ("a", "disabled", False, NOW - 200 * DAY, None),
        ("b", "disabled", False, None, NOW - DAY),
    ]
    assert only(pull(gcp_iam)).expires_at is None


def test_the_dates_of_an_uploaded_key_are_its_users_choice(gcp_iam: GcpIamCase, account: str) -> None:
    uploaded = {"key_origin": iam.ServiceAccountKeyOrigin.USER_PROVIDED}
    gcp_iam.google.put(account, "a", made=NOW - 300 * DAY)
    gcp_iam.google.put(account, "b", made=NOW - 200 * DAY, **uploaded)
    gcp_iam.google.put(account, "c", made=NOW + DAY, **uploaded)
    found = {each.id: each for each in only(pull(gcp_iam)).versions or ()}
    assert versions(gcp_iam) == [
        ("a", "superseded", True, None, None),
        ("b", "current", True, None, None),
        ("c", "pending", False, None, None),
    ]
    assert [found[key].created_at for key in "abc"] == [NOW - 300 * DAY, None, None]


@pytest.mark.parametrize(
    ("made", "never"),
    [
        (NOW - 42 * DAY - 1, None),
        (NOW - 42 * DAY, True),
        (NOW - 3 * HOUR, True),
        (NOW - 3 * HOUR + 1, None),
    ],
    ids=["older than memory", "as old as memory", "as young as the lag", "younger than the lag"],
)
def test_a_key_was_never_used_only_if_monitoring_saw_its_whole_life(
    gcp_iam: GcpIamCase, account: str, made: int, never: bool | None
) -> None:
    gcp_iam.google.put(account, "k", made=made)
    row = only(pull(gcp_iam))
    assert (row.never_used, row.last_used_at, row.versions[0].last_used_at) == (never, None, None)


def test_an_account_was_never_used_only_if_that_is_sure_of_all_its_keys(
    gcp_iam: GcpIamCase, account: str
) -> None:
    gcp_iam.google.put(account, "young", made=NOW - DAY)
    gcp_iam.google.put(account, "old", made=NOW - 50 * DAY)
    assert only(pull(gcp_iam)).never_used is None


def test_nobody_knows_when_an_uploaded_key_began_so_not_that_it_was_never_used(
    gcp_iam: GcpIamCase, account: str
) -> None:
    gcp_iam.google.put(account, "k", made=NOW - DAY, key_origin=iam.ServiceAccountKeyOrigin.USER_PROVIDED)
    assert only(pull(gcp_iam)).never_used is None


def test_use_of_keys_that_are_not_listed_says_nothing_about_those_that_are(
    gcp_iam: GcpIamCase, account: str
) -> None:
    other = gcp_iam.plant(PROJECT, "other")
    gcp_iam.google.put(account, "k", made=NOW - 30 * DAY)
    for whose, key in ((account, "google0"), (account, "deleted"), (other, "k")):
        gcp_iam.google.sign_in(whose, key, NOW - 5 * DAY)
    row = only(pull(gcp_iam))
    assert (row.last_used_at, row.never_used) == (None, True)


def test_use_is_read_to_the_last_page(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.points_a_page = 2
    for number in range(3):
        gcp_iam.google.put(account, f"k{number}", made=NOW - (40 - number) * DAY)
        for days in (20, 10, 5):
            gcp_iam.google.sign_in(account, f"k{number}", NOW - (days + number) * DAY)
    used = [each.last_used_at for each in only(pull(gcp_iam)).versions or ()]
    assert used == [NOW - 6 * DAY, NOW - 7 * DAY, NOW - 8 * DAY]
    assert len(gcp_iam.server.asked("ListTimeSeries")) == 6


@pytest.mark.parametrize(
    ("failing", "headers", "reason"),
    [
        ("denied", {}, "denied (PERMISSION_DENIED, IAM_PERMISSION_DENIED)"),
        (
            "not-enabled",
            {"service": "monitoring.googleapis.com"},
            "the API is not enabled (monitoring.googleapis.com)",
        ),
        ("unavailable", {}, "no answer (UNAVAILABLE)"),
        ("repeated-token", {}, "a page token was refused or came twice, so the list could not be finished"),
    ],
)
def test_without_monitoring_the_list_is_complete_and_last_use_not_known(
    gcp_iam: GcpIamCase, account: str, failing: str, headers: dict[str, str], reason: str
) -> None:
    gcp_iam.google.put(account, "k", made=NOW - 30 * DAY)
    gcp_iam.google.sign_in(account, "k", NOW - DAY)
    gcp_iam.server.plan(Fault(failing, "ListTimeSeries", headers=headers))
    pulled = pull(gcp_iam)
    row, (covered,) = only(pulled), pulled.coverage
    assert (covered.status, covered.reason) == ("complete", f"last use is not known: {reason}")
    assert (row.last_used_at, row.never_used, row.versions[0].last_used_at) == (None, None, None)
    assert pulled.columns >= {"last_used_at", "never_used", "versions.last_used_at"}
    assert covered.cannot_know == NEVER_ASKED


def test_an_answer_that_says_it_lacks_something_is_no_answer(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "k", made=NOW - 30 * DAY)
    gcp_iam.google.incomplete = True
    pulled = pull(gcp_iam)
    assert only(pulled).never_used is None
    assert pulled.coverage[0].reason == (
        "last use is not known: the service failed (some of the time series are missing)"
    )


def test_last_use_is_not_asked_for_where_the_settings_say_so(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "k", made=NOW - 30 * DAY)
    pulled = pull(gcp_iam, last_use=False)
    use = {"last_used_at", "never_used", "versions.last_used_at"}
    assert gcp_iam.server.asked("ListTimeSeries") == []
    assert not pulled.columns & use
    assert set(pulled.coverage[0].cannot_know) == {*NEVER_ASKED, *use}
    assert pulled.coverage[0].reason is None


def test_a_project_whose_accounts_have_no_keys_of_their_own_is_complete_not_empty(
    gcp_iam: GcpIamCase, account: str
) -> None:
    pulled = pull(gcp_iam)
    (covered,) = pulled.coverage
    assert (covered.status, covered.credentials, covered.versions) == ("complete", 0, 0)
    assert covered.reason == "service accounts seen: 1; none has a key that users made"
    assert gcp_iam.server.asked("ListTimeSeries") == []


def test_accounts_that_are_listed_twice_are_a_sign_that_others_were_left_out(
    gcp_iam: GcpIamCase, account: str
) -> None:
    gcp_iam.server.plan(Fault("duplicate-page", "ListServiceAccounts", times=1))
    covered = pull(gcp_iam).coverage[0]
    assert (covered.status, covered.credentials) == ("partial", 0)
    assert "1 service accounts were listed twice, so others may have been left out" in (covered.reason or "")
    assert len(gcp_iam.server.asked("ListServiceAccountKeys")) == 1


def test_an_account_that_is_deleted_while_it_is_listed_is_no_gap(gcp_iam: GcpIamCase, account: str) -> None:
    gcp_iam.google.put(account, "k", made=NOW - DAY)
    gone = gcp_iam.plant(PROJECT, "gone")
    del gcp_iam.google.keys[gone]
    pulled = pull(gcp_iam)
    assert only(pulled).id == account
    assert pulled.coverage[0].status == "complete"
    assert pulled.coverage[0].reason == "1 of 2 key lists was deleted while they were listed"


@pytest.mark.parametrize("name", ["", "x\n", "\u202e", "a b", "x" * 501], ids=range(5))
def test_an_account_or_key_without_sense_is_counted_as_missing(
    gcp_iam: GcpIamCase, account: str, name: str
) -> None:
    gcp_iam.google.put(account, "k", made=NOW - DAY)
    gcp_iam.google.accounts[f"projects/{PROJECT}"].append(iam.ServiceAccount(name=name, email="x"))
    odd = gcp_iam.plant(PROJECT, "odd")
    gcp_iam.google.put(odd, "k", made=NOW, until=None)
    gcp_iam.google.keys[odd][-1].name = f"{odd}/keys/{name}"
    pulled = pull(gcp_iam)
    (covered,) = pulled.coverage
    assert only(pulled).id == account
    assert (covered.status, covered.reason) == (
        "partial",
        "1 entries could not be read; 1 of 2 key lists: the answer could not be read",
    )


@pytest.mark.parametrize(
    ("consumer", "reason"),
    [
        ({"consumer": f"projects/{BROKEN}"}, "in this project"),
        ({"consumer": "projects/1234", "containerInfo": BROKEN}, "in this project"),
        ({"consumer": "projects/1234"}, "in this project, or in the one that calls are charged to"),
        ({}, "in this project, or in the one that calls are charged to"),
    ],
    ids=["by id", "by number and id", "by number", "not said"],
)
def test_while_the_api_is_off_keys_made_before_still_work_so_nobody_knows_what_is_there(
    gcp_iam: GcpIamCase, consumer: dict[str, str], reason: str
) -> None:
    details = {"service": "iam.googleapis.com", **consumer}
    gcp_iam.server.plan(Fault("not-enabled", "ListServiceAccounts", headers=details))
    covered = gcp_iam.pull(projects=[BROKEN]).coverage[0]
    assert (covered.status, covered.reason) == (
        "failed",
        f"the API is not enabled (iam.googleapis.com) {reason}",
    )


def test_a_project_that_does_not_exist_is_called_that(gcp_iam: GcpIamCase) -> None:
    gcp_iam.break_with("no-such-project")
    assert gcp_iam.pull().coverage[0].reason == "no such project"


def test_a_project_that_goes_away_meanwhile_did_exist(gcp_iam: GcpIamCase) -> None:
    gcp_iam.server.plan(
        Fault("duplicate-page", "ListServiceAccounts", times=1), Fault("gone", "ListServiceAccounts")
    )
    covered = gcp_iam.pull(projects=[BROKEN]).coverage[0]
    assert (covered.status, covered.credentials) == ("partial", 4)
    assert covered.reason == "the list broke off after 1 page: deleted meanwhile (NOT_FOUND)"


def test_a_scope_closes_its_lines(gcp_iam: GcpIamCase) -> None:
    with ThreadPoolExecutor(1) as pool:
        (scope,) = gcp_iam.source(projects=[BROKEN]).plan(pool).scopes
    scope.run(lambda: NOW, lambda credentials, meter: None)
    assert len(scope._transports) == 2
    for transport in scope._transports:
        with pytest.raises(ValueError, match="closed channel"):
            transport.grpc_channel.unary_unary("/google.iam.admin.v1.IAM/ListServiceAccounts")(b"")


def test_a_pull_costs_a_call_for_a_hundred_accounts_one_for_each_and_one_for_their_use(
    gcp_iam: GcpIamCase,
) -> None:
    for number in range(250):
        account = gcp_iam.plant(PROJECT, f"app-{number:03}")
        gcp_iam.google.put(account, f"k{number}", made=NOW - 30 * DAY)
    pulled = pull(gcp_iam)
    assert len(pulled.rows) == 250
    asked = {
        name: len(gcp_iam.server.asked(name))
        for name in ("ListServiceAccounts", "ListServiceAccountKeys", "ListTimeSeries")
    }
    assert asked == {"ListServiceAccounts": 3, "ListServiceAccountKeys": 250, "ListTimeSeries": 1}
    assert (pulled.coverage[0].calls, pulled.coverage[0].pages) == (254, 3)


def test_a_project_that_was_broken_off_is_not_asked_again_about_accounts_already_seen(
    gcp_iam: GcpIamCase,
) -> None:
    for number in range(130):
        account = gcp_iam.plant(PROJECT, f"app-{number:03}")
        gcp_iam.google.put(account, f"k{number}", made=NOW - 30 * DAY, **gcp_iam.material())
    whole = pull(gcp_iam)

    def interrupt(report) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gcp_iam.source(projects=[PROJECT], cache=True).pull(interrupt)
    gcp_iam.server.log.clear()
    again = gcp_iam.source(projects=[PROJECT], cache=True).pull(lambda report: None)
    assert list(again.rows) == list(whole.rows)
    assert len(gcp_iam.server.asked("ListServiceAccountKeys")) == 30


def test_what_a_broken_off_pull_keeps_holds_names_and_dates_only(gcp_iam: GcpIamCase) -> None:
    from keyaudit.sources.gcp.iam.entries import Key, key_of

    account = gcp_iam.plant(PROJECT, "a")
    gcp_iam.google.put(account, "k", made=NOW, **gcp_iam.material())
    message = gcp_iam.google.keys[account][-1]
    kept = key_of(type(message).pb(message))
    assert kept == Key(id="k", valid_after=NOW, valid_before=None, disabled=False, uploaded=False)
    assert b"CANARY" not in msgspec.json.encode(kept)


def test_two_projects_are_two_scopes_that_do_not_share_a_quota_unless_it_is_named(
    gcp_iam: GcpIamCase,
) -> None:
    def paces(**settings) -> int:
        with ThreadPoolExecutor(1) as pool:
            plan = gcp_iam.source(**settings).plan(pool)
        return len({id(scope.meter._pace) for scope in plan.scopes})

    assert paces() == 2
    assert paces(quota_project="acme-audit") == 1
    assert [each.scope for each in gcp_iam.pull().coverage] == [f"projects/{BROKEN}", f"projects/{HEALTHY}"]
