"""IAM's users, keys and reports, trap by trap, over real HTTP with the real botocore."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator

import pytest

from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Version
from keyaudit.sources import check_settings, least_privilege, open_source
from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.iam.access_keys import FRESH, MOST_ASKED
from keyaudit.sources.aws.iam.report import POLL_EVERY, WAIT_AT_MOST, fetch_report
from keyaudit.sources.aws.iam.settings import AwsIamSettings
from keyaudit.sources.protocol import OperationRefusedError, StoppedError
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.times import DAY, HOUR, MINUTE, SECOND, parse_instant
from servers.fault_proxy import Fault
from servers.iam import OWN, Account, Iam, Key
from sources.iam_case import NOW, OTHER, IamCase

SERVICE = f"{OWN}/service-specific"


@pytest.fixture
def server() -> Iterator[Iam]:
    with Iam(NOW) as server:
        yield server


@pytest.fixture
def account(server: Iam) -> Account:
    return server.account(OWN)


def source(server: Iam, clock_at: int = NOW, **settings: object):
    entry = {
        "name": "tested",
        "kind": "aws-iam",
        "endpoint_url": server.url,
        "requests_per_second": 10_000,
        "attempts": 2,
        "cache": False,
        **settings,
    }
    return open_source(entry, clock=lambda: clock_at)


def pull(server: Iam, **settings: object):
    return source(server, **settings).pull(lambda report: None)


def keys_only(server: Iam, **settings: object):
    return pull(server, lists=["access-keys"], **settings)


def calls(server: Iam) -> list[str]:
    return [operation for _, operation, _ in server.log if operation != "GetCallerIdentity"]


def client(server: Iam):
    settings = AwsIamSettings.model_validate({"name": "t", "kind": "aws-iam", "endpoint_url": server.url})
    return Session(settings).client("iam", "us-east-1")


class TestAccessKeys:
    def test_every_field_of_a_user_in_the_middle_of_a_rotation(self, server: Iam, account: Account) -> None:
        made = parse_instant("2025-01-10T09:00:00Z")
        old = Key("AKIAOLD000000000", made, used=NOW - 3 * HOUR)
        new = Key("AKIANEW000000000", NOW - 20 * DAY, used=NOW - HOUR)
        account.put("deploy", made - 5 * SECOND, new, old, path="/ci/")
        pulled = keys_only(server)
        assert list(pulled.rows) == [
            Credential(
                source="aws-iam",
                scope=OWN,
                id=f"arn:aws:iam::{OWN}:user/ci/deploy",
                name="deploy",
                cls="api-key",
                provider="aws",
                created_at=made - 5 * SECOND,
                last_used_at=NOW - HOUR,
                never_used=False,
                versions=[
                    Version(
                        id="AKIANEW000000000",
                        state="current",
                        created_at=NOW - 20 * DAY,
                        authenticates=True,
                        last_used_at=NOW - HOUR,
                    ),
                    Version(
                        id="AKIAOLD000000000",
                        state="superseded",
                        created_at=made,
                        superseded_at=NOW - 20 * DAY,
                        authenticates=True,
                        last_used_at=NOW - 3 * HOUR,
                    ),
                ],
            )
        ]
        (coverage,) = pulled.coverage
        assert (coverage.scope, coverage.status, coverage.versions, coverage.pages) == (OWN, "complete", 2, 1)

    @pytest.mark.parametrize(
        ("statuses", "states", "superseded"),
        [
            (("Active",), ["current"], [None]),
            (("Inactive",), ["disabled"], [None]),
            (("Expired",), ["disabled"], [None]),
            (("Active", "Active"), ["superseded", "current"], [2, None]),
            (("Inactive", "Active"), ["disabled", "current"], [2, None]),
            (("Active", "Inactive"), ["current", "disabled"], [None, None]),
            (("Inactive", "Inactive"), ["disabled", "disabled"], [None, None]),
            (("Active", "Inactive", "Active"), ["superseded", "disabled", "current"], [3, 3, None]),
        ],
    )
    def test_the_newest_active_key_is_current(
        self, server: Iam, account: Account, statuses, states, superseded
    ) -> None:
        keys = [
            Key(f"AKIA{number:012}", NOW - (9 - number) * DAY, status)
            for number, status in enumerate(statuses, 1)
        ]
        account.put("ann", NOW - 9 * DAY, *keys)
        (row,) = keys_only(server).rows
        oldest_first = row.versions[::-1]
        assert [each.state for each in oldest_first] == states
        assert [each.authenticates for each in oldest_first] == [status == "Active" for status in statuses]
        assert [each.superseded_at for each in oldest_first] == [
            None if number is None else NOW - (9 - number) * DAY for number in superseded
        ]

    def test_only_users_who_have_keys_are_credentials(self, server: Iam, account: Account) -> None:
        account.put("console-only", NOW - DAY)
        account.put("with-key", NOW - DAY, Key("AKIA100000000000", NOW - DAY))
        assert [row.name for row in keys_only(server).rows] == ["with-key"]
        assert len(server.asked("ListAccessKeys")) == 1

    def test_an_inactive_key_that_nobody_uses_is_not_overlooked(self, server: Iam, account: Account) -> None:
        account.put("gone", NOW - 900 * DAY, Key("AKIA100000000000", NOW - 900 * DAY, "Inactive"))
        (row,) = keys_only(server).rows
        assert row.versions[0].authenticates is False

    def test_more_keys_than_the_report_has_slots_are_listed_and_asked_about(self, server, account) -> None:
        keys = [Key(f"AKIA{n:012}", NOW - n * DAY, used=NOW - n * HOUR) for n in (1, 2, 3)]
        account.put("many", NOW - 3 * DAY, *keys)
        (row,) = keys_only(server).rows
        assert [each.last_used_at for each in row.versions] == [NOW - n * HOUR for n in (1, 2, 3)]
        assert len(server.asked("GetAccessKeyLastUsed")) == 3

    def test_columns_that_nobody_asked_for_are_said_to_be_so(self, server: Iam, account: Account) -> None:
        account.put("ann", NOW - DAY, Key("AKIA100000000000", NOW - DAY))
        pulled = pull(server)
        keys, service = pulled.coverage
        assert {"rotation_enabled", "last_rotated_at", "versions.retired_at", "owner"} <= set(
            keys.cannot_know
        )
        assert "last_used_at" not in keys.cannot_know
        assert {"last_used_at", "never_used", "versions.last_used_at"} <= set(service.cannot_know)
        assert not set(keys.cannot_know) & pulled.columns
        inventory = from_rows(pulled.rows, pulled.coverage, NOW, pulled.columns)
        assert "versions.last_used_at" in inventory.collections[1].columns


class TestRoot:
    def test_its_keys_have_no_ids_and_no_dates_but_of_their_last_change(self, server, account) -> None:
        account.root_keys = [
            Key("A", NOW - 900 * DAY, used=NOW - DAY, changed=NOW - 400 * DAY),
            Key("B", NOW - 700 * DAY),
        ]
        assert list(keys_only(server).rows) == [
            Credential(
                source="aws-iam",
                scope=OWN,
                id=f"arn:aws:iam::{OWN}:root",
                name="<root_account>",
                cls="api-key",
                provider="aws",
                created_at=account.root_created,
                last_changed_at=NOW - 400 * DAY,
                last_used_at=NOW - DAY,
                never_used=False,
                versions=[
                    Version(id="access_key_1", state="current", authenticates=True, last_used_at=NOW - DAY),
                    Version(id="access_key_2", state="superseded", authenticates=True),
                ],
            )
        ]
        assert "ListAccessKeys" not in calls(server)

    def test_an_inactive_key_of_root_is_disabled(self, server: Iam, account: Account) -> None:
        account.root_keys = [Key("A", NOW - DAY, "Inactive")]
        (row,) = keys_only(server).rows
        assert [(each.state, each.authenticates) for each in row.versions] == [("disabled", False)]

    def test_a_root_key_as_old_as_the_account_and_never_used(self, server: Iam, account: Account) -> None:
        account.root_created = NOW - 100 * DAY
        account.root_keys = [Key("A", NOW - 100 * DAY + HOUR)]
        assert keys_only(server).rows[0].never_used is True
        account.root_keys = [Key("A", NOW - 90 * DAY)]
        assert keys_only(server).rows[0].never_used is None

    def test_a_report_without_root_leaves_that_open(self, server: Iam, account: Account) -> None:
        account.kept = True
        account.write_report(NOW)
        lines = account.report.content.split("\n")
        account.report.content = "\n".join([lines[0], *lines[2:]])
        (coverage,) = keys_only(server).coverage
        assert coverage.status == "partial"
        assert coverage.reason == "whether root has access keys: the credential report does not say"


class TestUse:
    def never(self, server: Iam, account: Account, *keys: Key, user: int) -> tuple[object, object]:
        account.put("ann", user, *keys)
        (row,) = keys_only(server).rows
        return row.last_used_at, row.never_used

    def test_a_key_as_old_as_its_user_without_any_use_was_never_used(self, server, account) -> None:
        made = NOW - 100 * DAY
        assert self.never(server, account, Key("A", made + DAY), user=made) == (None, True)

    def test_an_older_user_may_have_used_keys_that_iam_forgot(self, server, account) -> None:
        made = NOW - 100 * DAY
        assert self.never(server, account, Key("A", made + DAY + SECOND), user=made) == (None, None)

    @pytest.mark.parametrize(
        ("made", "never"), [("2015-04-21T23:59:59Z", None), ("2015-04-22T00:00:00Z", True)]
    )
    def test_before_april_2015_nothing_was_recorded(self, server, account, made, never) -> None:
        made = parse_instant(made)
        assert self.never(server, account, Key("A", made), user=made) == (None, never)

    def test_one_key_that_was_used_is_enough(self, server: Iam, account: Account) -> None:
        keys = (Key("A", NOW - 9 * DAY), Key("B", NOW - DAY, used=NOW - HOUR))
        assert self.never(server, account, *keys, user=NOW - 9 * DAY) == (NOW - HOUR, False)

    def test_a_use_that_was_refused_leaves_the_last_use_open(self, iam: IamCase) -> None:
        iam.proxy.plan(Fault("denied", "GetAccessKeyLastUsed", times=1))
        row = next(row for row in iam.pull(accounts=[OWN]).rows if row.name == "two-keys")
        assert sorted(each.last_used_at is None for each in row.versions) == [False, True]
        assert (row.last_used_at, row.never_used) == (None, False)


class TestWhichKeyIsInWhichSlot:
    def asked(self, server: Iam, account: Account, *keys: Key) -> int:
        account.put("ann", NOW - 900 * DAY, *keys)
        (row,) = keys_only(server).rows
        assert {each.id: each.last_used_at for each in row.versions} == {key.id: key.used for key in keys}
        return len(server.asked("GetAccessKeyLastUsed"))

    def test_creation_dates_tell_them_apart_whatever_the_order(self, server: Iam, account: Account) -> None:
        older, newer = (
            Key("AKIAZ00000000000", NOW - 9 * DAY, used=NOW - HOUR),
            Key("AKIAA00000000000", NOW - DAY, used=NOW),
        )
        assert self.asked(server, account, older, newer) == 0

    def test_status_tells_them_apart_where_both_were_made_in_one_second(self, server, account) -> None:
        made = NOW - 9 * DAY
        keys = (
            Key("AKIAZ00000000000", made, used=NOW - HOUR),
            Key("AKIAA00000000000", made, "Inactive", used=NOW - DAY),
        )
        assert self.asked(server, account, *keys) == 0

    def test_keys_that_were_changed_and_look_alike_are_asked_about(self, server, account) -> None:
        keys = (
            Key("AKIAZ00000000000", NOW - 9 * DAY, used=NOW - HOUR, changed=NOW - HOUR),
            Key("AKIAA00000000000", NOW - DAY, used=NOW),
        )
        assert self.asked(server, account, *keys) == 2

    def test_two_keys_without_any_use_need_not_be_told_apart(self, server: Iam, account: Account) -> None:
        keys = Key("AKIAZ00000000000", NOW - 9 * DAY, changed=NOW - HOUR), Key("AKIAA00000000000", NOW - DAY)
        assert self.asked(server, account, *keys) == 0

    def test_a_key_replaced_since_an_old_report_is_not_taken_for_the_one_before(
        self, server, account
    ) -> None:
        account.kept = True
        user = account.put(
            "ann", NOW - 900 * DAY, Key("AKIAOLD000000000", NOW - 90 * DAY, used=NOW - 4 * HOUR)
        )
        account.write_report(NOW - 3 * HOUR)
        user.keys = [Key("AKIANEW000000000", NOW - HOUR)]
        (row,) = keys_only(server).rows
        assert [(each.id, each.last_used_at) for each in row.versions] == [("AKIANEW000000000", None)]
        assert (row.last_used_at, row.never_used) == (None, None)
        assert len(server.asked("GetAccessKeyLastUsed")) == 1

    def test_status_in_an_old_report_proves_nothing(self, server: Iam, account: Account) -> None:
        account.kept = True
        made = NOW - 9 * DAY
        keys = (
            Key("AKIAZ00000000000", made, used=NOW - 5 * HOUR),
            Key("AKIAA00000000000", made, "Inactive", used=NOW - DAY),
        )
        account.put("ann", NOW - 900 * DAY, *keys)
        account.write_report(NOW - 3 * HOUR)
        keys[0].status, keys[1].status = "Inactive", "Active"
        (row,) = keys_only(server).rows
        assert {each.id: each.last_used_at for each in row.versions} == {key.id: key.used for key in keys}


class TestTheReport:
    def test_one_that_has_to_be_written_is_waited_for(self, server: Iam, account: Account) -> None:
        account.put("ann", NOW - DAY, Key("AKIA100000000000", NOW - DAY))
        account.polls = 1
        assert keys_only(server).coverage[0].status == "complete"
        assert calls(server) == ["GenerateCredentialReport", *["GetCredentialReport"] * 2, "ListAccessKeys"]

    def test_one_that_is_never_ready_is_given_up_after_a_minute(self, server: Iam, account: Account) -> None:
        account.polls = 1_000
        rests: list[float] = []
        with pytest.raises(RefusedError, match="not ready after 60 seconds"):
            fetch_report(client(server), rests.append)
        assert (set(rests), sum(rests)) == ({POLL_EVERY}, WAIT_AT_MOST)

    def test_waiting_ends_when_the_pull_is_stopped(self, server: Iam, account: Account) -> None:
        account.polls = 1_000
        stopped = source(server, lists=["access-keys"])

        def stop(report: object) -> None:
            raise AssertionError("nothing is reported before the report is there")

        stopped.stop.set()
        with pytest.raises(StoppedError):
            stopped.pull(stop)

    def test_one_that_comes_of_age_between_two_calls_is_written_again(self, server, account) -> None:
        account.kept = True
        account.write_report(NOW - 4 * HOUR + SECOND)
        rests: list[float] = []
        iam = client(server)
        iam.meta.events.register(
            "before-call.iam.GetCredentialReport", lambda **_: setattr(server, "now", NOW + MINUTE)
        )
        assert fetch_report(iam, rests.append).generated == NOW + MINUTE
        assert calls(server) == ["GenerateCredentialReport", "GetCredentialReport"] * 2

    def test_one_from_some_hours_ago_is_compared_with_the_users_of_now(self, server, account) -> None:
        account.kept = True
        for name in ("stays", "leaves", "comes-again"):
            account.put(name, NOW - 9 * DAY, Key(f"AKIA{name:0<12}", NOW - 9 * DAY, used=NOW - DAY))
        account.write_report(NOW - 3 * HOUR)
        del account.users["leaves"]
        account.put("comes-again", NOW - HOUR, Key("AKIAagain0000000", NOW - HOUR, used=NOW))
        account.put("new", NOW - 2 * HOUR, Key("AKIAnew000000000", NOW - 2 * HOUR, used=NOW - HOUR))
        pulled = keys_only(server)
        assert {row.name: (row.versions[0].id, row.last_used_at) for row in pulled.rows} == {
            "stays": ("AKIAstays0000000", NOW - DAY),
            "comes-again": ("AKIAagain0000000", NOW),
            "new": ("AKIAnew000000000", NOW - HOUR),
        }
        assert {row.name: row.created_at for row in pulled.rows}["comes-again"] == NOW - HOUR
        (coverage,) = pulled.coverage
        assert coverage.status == "complete"
        assert coverage.reason == (
            "the credential report is from 2026-05-01T09:00:00Z: uses since then are not in it"
        )
        assert len(server.asked("ListUsers")) == 1

    def test_first_keys_that_an_old_report_does_not_know_are_found(self, server, account) -> None:
        account.kept = True
        late = account.put("late", NOW - 9 * DAY)
        for number in range(3):
            account.put(f"none{number}", NOW - 9 * DAY)
            account.put(
                f"key{number}", NOW - 9 * DAY, Key(f"AKIA{number:012}", NOW - 9 * DAY, used=NOW - DAY)
            )
        account.write_report(NOW - 3 * HOUR)
        late.keys.append(Key("AKIAlate00000000", NOW - HOUR))
        pulled = keys_only(server)
        assert {row.name for row in pulled.rows} == {"late", "key0", "key1", "key2"}
        (coverage,) = pulled.coverage
        assert coverage.status == "complete"
        assert coverage.reason.endswith("; 4 users without keys then were asked about, a call each")
        # The report, root, the list of users, seven of them, and the last use of the key that is new.
        assert calls(server)[:2] == ["GenerateCredentialReport", "GetCredentialReport"]
        asked = {name: calls(server).count(name) for name in calls(server)[2:]}
        assert asked == {
            "GetAccountSummary": 1,
            "ListUsers": 1,
            "ListAccessKeys": 7,
            "GetAccessKeyLastUsed": 1,
        }
        assert coverage.calls == 12

    def test_a_report_of_five_minutes_ago_counts_as_of_now(self, server: Iam, account: Account) -> None:
        account.kept = True
        account.put("none", NOW - DAY)
        account.write_report(NOW - FRESH)
        keys_only(server)
        assert calls(server) == ["GenerateCredentialReport", "GetCredentialReport"]
        account.write_report(NOW - FRESH - SECOND)
        keys_only(server)
        assert len(server.asked("ListAccessKeys")) == 1

    @pytest.mark.parametrize(
        ("without", "every_user", "status", "asked"),
        [
            (MOST_ASKED, False, "complete", MOST_ASKED + 1),
            (MOST_ASKED + 1, False, "partial", 1),
            (MOST_ASKED + 1, True, "complete", MOST_ASKED + 2),
        ],
    )
    def test_too_many_to_ask_are_a_gap_until_somebody_wants_to(
        self, server, account, without, every_user, status, asked
    ) -> None:
        server.page = 1_000
        account.kept = True
        account.put("key", NOW - 9 * DAY, Key("AKIA000000000000", NOW - 9 * DAY, used=NOW - DAY))
        for number in range(without):
            account.put(f"none{number}", NOW - 9 * DAY)
        account.write_report(NOW - 3 * HOUR)
        (coverage,) = keys_only(server, every_user=every_user).coverage
        assert (coverage.status, coverage.credentials) == (status, 1)
        assert len(server.asked("ListAccessKeys")) == asked
        gap = (
            "first keys since then of 1,001 users, for more than 1,000 are asked about only with "
            "`every_user: true`"
        )
        assert (gap in coverage.reason) == (status == "partial")

    def test_a_key_of_root_that_an_old_report_does_not_know_is_a_gap(self, server, account) -> None:
        account.kept = True
        account.write_report(NOW - 3 * HOUR)
        assert "root" not in keys_only(server).coverage[0].reason
        account.root_keys = [Key("A", NOW - HOUR)]
        (coverage,) = keys_only(server).coverage
        assert coverage.status == "partial"
        assert coverage.reason.startswith(
            "the access keys of root, which had none in the credential report of 2026-05-01T09:00:00Z"
        )

    def test_root_is_not_asked_about_where_the_report_shows_its_keys(self, server, account) -> None:
        account.kept = True
        account.root_keys = [Key("A", NOW - 9 * DAY)]
        account.write_report(NOW - 3 * HOUR)
        assert [row.name for row in keys_only(server).rows] == ["<root_account>"]
        assert not server.asked("GetAccountSummary")

    @pytest.mark.parametrize(
        ("breakage", "reason"),
        [("denied", "denied (AccessDenied)"), ("wrong-shape", "the answer could not be read")],
    )
    def test_whether_root_got_a_key_may_stay_open(self, iam: IamCase, breakage, reason) -> None:
        iam.iam.account(OWN).kept = True
        iam.iam.account(OWN).write_report(NOW - HOUR)
        iam.proxy.plan(Fault(breakage, "GetAccountSummary"))
        (coverage,) = iam.pull(accounts=[OWN]).coverage
        assert coverage.status == "partial"
        assert coverage.reason.startswith(
            f"access keys of root since the credential report of 2026-05-01T11:00:00Z: {reason}; "
        )

    def test_an_old_report_whose_users_cannot_be_compared_is_partial(self, iam: IamCase) -> None:
        account = iam.iam.account(OWN)
        account.kept = True
        account.write_report(NOW - HOUR)
        iam.proxy.plan(Fault("denied", "ListUsers", scope=OWN))
        pulled = iam.pull(accounts=[OWN])
        assert pulled.coverage[0].status == "partial"
        assert pulled.coverage[0].reason == (
            "users created since the credential report of 2026-05-01T11:00:00Z: denied (AccessDenied); "
            "the credential report is from 2026-05-01T11:00:00Z: uses since then are not in it; "
            "1 users without keys then were asked about, a call each"
        )
        assert len(pulled.rows) == 5

    def test_without_it_everybody_is_asked_and_root_stays_open(self, iam: IamCase) -> None:
        whole = iam.pull(accounts=[OWN])
        iam.break_with("report-denied")
        pulled = iam.pull(accounts=[OWN])
        assert list(pulled.rows) == list(whole.rows)
        assert pulled.coverage[0].reason == (
            "whether root has access keys: no credential report, denied (AccessDenied)"
        )
        assert len(iam.proxy.asked("ListAccessKeys")) == 6
        assert len(iam.proxy.asked("GetAccessKeyLastUsed")) == 6

    def test_a_row_that_cannot_be_read_costs_calls_and_no_key(self, server: Iam, account: Account) -> None:
        account.kept = True
        account.put("ann", NOW - 9 * DAY, Key("AKIA100000000000", NOW - 9 * DAY, used=NOW - DAY))
        account.write_report(NOW)
        account.report.content = account.report.content.replace("true,2026-04-22", "true,22/04/2026 ")
        (row,) = keys_only(server).rows
        assert (row.last_used_at, row.versions[0].created_at) == (NOW - DAY, NOW - 9 * DAY)
        assert len(server.asked("GetAccessKeyLastUsed")) == 1

    def test_a_row_that_is_cut_short_is_counted(self, server: Iam, account: Account) -> None:
        account.kept = True
        account.put("ann", NOW - 9 * DAY, Key("AKIA100000000000", NOW - 9 * DAY))
        account.write_report(NOW)
        account.report.content += f"\nbob,arn:aws:iam::{OWN}:user/bob"
        (coverage,) = keys_only(server).coverage
        assert (coverage.status, coverage.reason) == (
            "partial",
            "1 entries could not be read",
        )

    def test_a_user_deleted_meanwhile_has_no_keys(self, iam: IamCase) -> None:
        iam.proxy.plan(Fault("gone", "ListAccessKeys", times=1))
        pulled = iam.pull(accounts=[OWN])
        assert (pulled.coverage[0].status, len(pulled.rows)) == ("complete", 4)

    def test_keys_that_cannot_be_listed_are_not_known_but_their_user_is(self, iam: IamCase) -> None:
        iam.break_with("one-user-s-keys-denied")
        rows = iam.pull(accounts=[OWN]).rows
        (unknown,) = [row for row in rows if row.versions is None]
        assert (unknown.last_used_at, unknown.never_used, len(rows)) == (None, False, 5)


class TestCalls:
    @pytest.mark.parametrize("users", [0, 1, 250])
    def test_two_for_the_report_and_one_for_each_user_with_keys(self, server, account, users) -> None:
        for number in range(users):
            account.put(f"u{number}", NOW - 9 * DAY, Key(f"AKIA{number:012}", NOW - 9 * DAY, used=NOW - DAY))
            account.put(f"console{number}", NOW - 9 * DAY)
        pulled = keys_only(server)
        assert calls(server) == [
            "GenerateCredentialReport",
            "GetCredentialReport",
            *["ListAccessKeys"] * users,
        ]
        assert pulled.coverage[0].calls == 2 + users
        assert len(pulled.rows) == users

    def test_service_specific_credentials_cost_one_call_where_there_are_none(self, server: Iam) -> None:
        pull(server, lists=["service-specific"])
        assert calls(server) == ["ListServiceSpecificCredentials"]

    def test_a_thousand_a_page_are_asked_for(self, server: Iam, account: Account) -> None:
        server.page = 2
        for number in range(5):
            account.put(f"u{number}", NOW - DAY)
            account.put_service(f"u{number}", "bedrock", f"ACCA{number}", NOW - DAY)
        pulled = pull(server, lists=["service-specific"])
        assert calls(server) == ["ListServiceSpecificCredentials"] * 3 + ["ListUsers"] * 3
        assert (len(pulled.rows), pulled.coverage[0].pages) == (5, 6)
        assert {form["MaxItems"] for form in server.asked("ListUsers")} == {"1000"}
        assert server.asked("ListServiceSpecificCredentials")[2] == {
            "AllUsers": "true",
            "MaxItems": "1000",
            "Marker": "4",
        }

    def test_a_user_s_keys_go_on_page_after_page(self, server: Iam, account: Account) -> None:
        server.page = 1
        account.put("ann", NOW - DAY, Key("AKIA100000000000", NOW - DAY), Key("AKIA200000000000", NOW - HOUR))
        assert [each.id for each in keys_only(server).rows[0].versions] == [
            "AKIA200000000000",
            "AKIA100000000000",
        ]

    def test_what_a_killed_pull_was_told_is_not_asked_again(self, server, account, tmp_path) -> None:
        for number in range(700):
            account.put(f"u{number}", NOW - 9 * DAY, Key(f"AKIA{number:012}", NOW - 9 * DAY, used=NOW - DAY))

        def entry() -> dict:
            return {"lists": ["access-keys"], "cache": str(tmp_path / "kept")}

        def kill(report) -> None:
            if report.credentials >= 600:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            source(server, **entry()).pull(kill)
        before = len(server.asked("ListAccessKeys"))
        pulled = source(server, **entry()).pull(lambda report: None)
        assert len(pulled.rows) == 700
        assert len(server.asked("ListAccessKeys")) - before <= 700 - 500

    def test_both_lists_of_an_account_share_its_quota(self, server: Iam, account: Account) -> None:
        scopes = source(server).scopes_of(OWN, Session(source(server).settings))
        keys, service = (scope.meter for scope in scopes)
        assert keys is not service
        assert keys._pace is service._pace


class TestServiceSpecific:
    def test_every_field(self, server: Iam, account: Account) -> None:
        made = NOW - 400 * DAY
        account.put("ann", made, path="/ml/")
        account.put_service(
            "ann",
            "bedrock",
            "ACCAOLD",
            made,
            ServiceCredentialAlias="ann-1",
            ExpirationDate="2026-04-01T00:00:00Z",
        )
        account.put_service(
            "ann",
            "bedrock",
            "ACCANEW",
            NOW - DAY,
            ServiceCredentialAlias="ann-2",
            ExpirationDate="2027-05-01T00:00:00Z",
        )
        account.put_service(
            "ann", "codecommit", "ACCAGIT", made, ServiceUserName="ann-at-1", Status="Inactive"
        )
        bedrock, git = pull(server, lists=["service-specific"]).rows
        assert bedrock == Credential(
            source="aws-iam",
            scope=SERVICE,
            id=f"arn:aws:iam::{OWN}:user/ml/ann/bedrock.amazonaws.com",
            name="ann",
            cls="api-key",
            provider="aws-bedrock",
            created_at=made,
            expires_at=parse_instant("2027-05-01T00:00:00Z"),
            versions=[
                Version(id="ACCANEW", state="current", created_at=NOW - DAY, authenticates=True),
                Version(
                    id="ACCAOLD",
                    state="superseded",
                    created_at=made,
                    superseded_at=NOW - DAY,
                    authenticates=True,
                ),
            ],
        )
        assert (git.cls, git.provider, git.expires_at) == ("service-password", "aws-codecommit", None)
        assert [(each.state, each.authenticates) for each in git.versions] == [("disabled", False)]

    def test_one_that_has_expired_does_not_work(self, server: Iam, account: Account) -> None:
        account.put("ann", NOW - DAY)
        fields = {"Status": "Expired", "ExpirationDate": "2026-04-30T00:00:00Z"}
        account.put_service("ann", "bedrock", "ACCA1", NOW - DAY, **fields)
        (row,) = pull(server, lists=["service-specific"]).rows
        assert (row.versions[0].state, row.versions[0].authenticates) == ("disabled", False)
        assert row.expires_at == parse_instant("2026-04-30T00:00:00Z")

    def test_holders_who_are_no_users_are_said(self, server: Iam, account: Account) -> None:
        account.put_service("ghost", "bedrock", "ACCA1", NOW - DAY)
        (coverage,) = pull(server, lists=["service-specific"]).coverage
        assert coverage.status == "partial"
        assert coverage.reason == "1 of 1 holders of service-specific credentials: not among the users"

    def test_none_is_no_gap_beside_access_keys(self, server: Iam, account: Account) -> None:
        account.put("ann", NOW - DAY, Key("AKIA100000000000", NOW - DAY))
        statuses = {each.scope: str(each.status) for each in pull(server).coverage}
        assert statuses == {OWN: "complete", SERVICE: "complete"}

    def test_an_account_with_nothing_at_all_is_empty(self, server: Iam) -> None:
        assert {str(each.status) for each in pull(server).coverage} == {"empty"}


class TestTags:
    def test_they_fill_labels_and_columns_for_one_call_a_user_with_keys(self, server, account) -> None:
        tags = {"owner": "ann@acme.example", "keyaudit:provider": "other", "team": "a"}
        account.put("ann", NOW - DAY, Key("AKIA100000000000", NOW - DAY), **tags)
        account.put("bob", NOW - DAY)
        account.put_service("ann", "bedrock", "ACCA1", NOW - DAY)
        pulled = pull(server, tags=True)
        assert [(row.owner, row.labels["team"], row.provider) for row in pulled.rows] == [
            ("ann@acme.example", "a", "aws"),
            ("ann@acme.example", "a", "aws-bedrock"),
        ]
        assert len(server.asked("ListUserTags")) == 2
        assert {"owner", "labels", "environment"} <= pulled.columns
        assert "owner" not in pulled.coverage[0].cannot_know

    def test_without_them_nobody_is_asked(self, server: Iam, account: Account) -> None:
        account.put("ann", NOW - DAY, Key("AKIA100000000000", NOW - DAY), owner="ann")
        pulled = keys_only(server)
        assert (pulled.rows[0].labels, pulled.rows[0].owner) == (None, None)
        assert not server.asked("ListUserTags")
        assert "owner" not in pulled.columns

    def test_tags_that_are_denied_are_missing(self, iam: IamCase) -> None:
        iam.proxy.plan(Fault("denied", "ListUserTags"))
        (coverage,) = iam.pull(accounts=[OWN], tags=True).coverage
        assert (coverage.status, coverage.reason) == (
            "partial",
            "5 of 5 lists of tags: denied (AccessDenied)",
        )


class TestPermissions:
    REFUSED = [
        ("create_access_key", {"UserName": "ann"}),
        ("update_access_key", {"AccessKeyId": "AKIA" + "1" * 16, "Status": "Inactive"}),
        ("delete_access_key", {"AccessKeyId": "AKIA" + "1" * 16}),
        ("create_service_specific_credential", {"UserName": "ann", "ServiceName": "bedrock.amazonaws.com"}),
        ("reset_service_specific_credential", {"ServiceSpecificCredentialId": "ACCA" + "1" * 16}),
        ("get_user", {}),
        ("get_account_authorization_details", {}),
    ]

    @pytest.mark.parametrize(("operation", "arguments"), REFUSED, ids=[name for name, _ in REFUSED])
    def test_other_operations_are_refused_and_the_server_hears_nothing(
        self, server, operation, arguments
    ) -> None:
        with pytest.raises(OperationRefusedError, match="nothing was sent"):
            getattr(client(server), operation)(**arguments)
        assert server.log == []

    def test_every_operation_of_the_service_that_changes_anything_is_denied(self) -> None:
        from botocore.session import Session as Botocore

        lists, never = json.loads(least_privilege("aws-iam"))["Statement"]
        operations = {f"iam:{name}" for name in Botocore().get_service_model("iam").operation_names}
        reading = ("iam:Get", "iam:List", "iam:Simulate", "iam:Generate")
        changing = {name for name in operations if not name.startswith(reading)}
        denied = {name for name in operations if any(fnmatch.fnmatch(name, each) for each in never["Action"])}
        assert changing == denied
        assert set(lists["Action"]) <= operations - denied

    def test_tags_and_organizations_are_granted_only_where_they_are_asked_for(self) -> None:
        least = json.loads(least_privilege("aws-iam"))["Statement"][0]["Action"]
        assert not {"iam:ListUserTags", "organizations:ListAccounts", "account:ListRegions"} & set(least)
        entry = {"name": "t", "kind": "aws-iam", "tags": True, "accounts": "organization", "role": "auditor"}
        lists, enter, _ = json.loads(least_privilege("aws-iam", [entry]))["Statement"]
        assert {"iam:ListUserTags", "organizations:ListAccounts"} <= set(lists["Action"])
        assert enter["Resource"] == ["arn:aws:iam::*:role/auditor"]

    def test_all_of_aws_together_keeps_the_list_of_regions(self) -> None:
        assert "account:ListRegions" in json.loads(least_privilege("aws"))["Statement"][0]["Action"]


class TestSettings:
    @pytest.mark.parametrize(
        ("change", "path", "message"),
        [
            ({"regions": "all"}, ("regions",), "unknown setting"),
            ({"lists": []}, ("lists",), "name at least one, or leave the setting out"),
            ({"lists": ["access-keys", "access-keys"]}, ("lists",), "lists one thing twice"),
            (
                {"lists": ["service-specific"], "every_user": True},
                ("every_user",),
                "only with `access-keys` among `lists`: it is their users who are asked about",
            ),
            (
                {"lists": ["keys"], "every_user": True},
                ("lists", 0),
                "Input should be 'access-keys' or 'service-specific'",
            ),
            ({"lists": ["keys"]}, ("lists", 0), "Input should be 'access-keys' or 'service-specific'"),
        ],
    )
    def test_a_mistake_is_placed_and_said(self, change, path, message) -> None:
        found = check_settings({"name": "t", "kind": "aws-iam", **change})
        assert [(each.path, each.message) for each in found] == [(path, message)]

    def test_the_least_is_enough_and_gentle(self) -> None:
        settings = AwsIamSettings.model_validate({"name": "t", "kind": "aws-iam"})
        assert (settings.lists, settings.tags, settings.every_user, settings.requests_per_second) == (
            ("access-keys", "service-specific"),
            False,
            False,
            10,
        )


def test_an_account_that_cannot_be_entered_loses_both_of_its_scopes(server: Iam) -> None:
    pulled = pull(server, accounts=[OWN, OTHER])
    lost = {each.scope: each.reason for each in pulled.coverage if each.status == "failed"}
    assert lost == dict.fromkeys(
        (OTHER, f"{OTHER}/service-specific"), "could not sign in to the account: denied (AccessDenied)"
    )
