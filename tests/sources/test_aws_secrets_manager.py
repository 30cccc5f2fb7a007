"""Accounts, regions, copies, quotas: what only this source has, over real HTTP with the real botocore."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator

import polars as pl
import pytest

from keyaudit.errors import SourceError
from keyaudit.model import ScopeStatus
from keyaudit.sources import ScopeProgress, least_privilege, open_source
from keyaudit.times import DAY, SECOND
from servers.fault_proxy import Fault
from servers.listing import listing_server
from servers.secrets_manager import SecretsManager
from servers.secrets_manager import arn as arn_of
from sources.aws_case import ACCOUNT, BROKEN, HEALTHY, NOW, OTHER, AwsCase

ROLE = f"arn:aws:iam::{OTHER}:role/audit/reader"


@pytest.fixture
def server() -> Iterator[SecretsManager]:
    with SecretsManager(page=2) as server:
        yield server


def pull(url: str, **settings: object):
    entry = {
        "name": "tested",
        "kind": "aws-secrets-manager",
        "regions": ["eu-west-1"],
        "endpoint_url": url,
        "requests_per_second": 10_000,
        **settings,
    }
    return open_source(entry, clock=lambda: NOW).pull(lambda report: None)


def statuses(pulled) -> dict[str, str]:
    return {each.scope: str(each.status) for each in pulled.coverage}


class TestAccounts:
    def test_another_account_is_entered_by_its_role_and_ours_as_we_are(self, aws: AwsCase) -> None:
        aws.plant("theirs", account=OTHER)
        pulled = aws.pull(accounts=[ACCOUNT, ROLE], regions=[HEALTHY], external_id="acme-audit")
        assert statuses(pulled) == {f"{ACCOUNT}/{HEALTHY}": "complete", f"{OTHER}/{HEALTHY}": "complete"}
        assert [row.name for row in pulled.rows if row.scope.startswith(OTHER)] == ["theirs"]
        (assumed,) = aws.proxy.asked("AssumeRole")
        assert b"ExternalId=acme-audit" in assumed.body
        assert b"RoleSessionName=keyaudit" in assumed.body
        assert ROLE.replace(":", "%3A").replace("/", "%2F").encode() in assumed.body

    def test_an_id_alone_means_the_configured_role(self, aws: AwsCase) -> None:
        aws.pull(accounts=[OTHER], role="auditor", regions=[HEALTHY])
        assert f"%3A{OTHER}%3Arole%2Fauditor".encode() in aws.proxy.asked("AssumeRole")[0].body

    def test_an_account_that_denies_entry_fails_alone(self, aws: AwsCase) -> None:
        aws.proxy.plan(Fault("denied", "AssumeRole"))
        reports: list[ScopeProgress] = []
        pulled = aws.source(accounts=[ACCOUNT, OTHER]).pull(reports.append)
        assert {each.coverage.scope for each in reports if each.coverage} == set(statuses(pulled))
        assert (reports[-1].done, reports[-1].scopes) == (4, 4)
        assert statuses(pulled) == {
            f"{ACCOUNT}/{BROKEN}": "complete",
            f"{ACCOUNT}/{HEALTHY}": "complete",
            f"{OTHER}/{BROKEN}": "failed",
            f"{OTHER}/{HEALTHY}": "failed",
        }
        assert pulled.coverage[-1].reason.startswith("could not sign in to the account: ")

    def test_credentials_that_cannot_say_whose_they_are_fail_every_scope(self, aws: AwsCase) -> None:
        aws.proxy.plan(Fault("expired", "GetCallerIdentity"))
        assert statuses(aws.pull(regions="all")) == {"unknown-account/*": "failed"}

    def test_an_unknown_profile_is_said_with_a_hint(self, aws: AwsCase) -> None:
        with pytest.raises(SourceError, match="no AWS profile named 'auditor'") as caught:
            aws.pull(profile="auditor")
        assert caught.value.hint == "aws configure list-profiles"

    def test_no_credentials_at_all(self, aws: AwsCase, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(SourceError, match="no AWS credentials found"):
            aws.pull()
        assert aws.proxy.log == []


class TestRegions:
    def enabled(self, aws: AwsCase, *regions: str) -> None:
        aws.proxy.plan(Fault("regions", "ListRegions", headers={"regions": ",".join(regions)}))

    def test_all_means_the_enabled_ones_and_an_empty_one_is_no_gap(self, aws: AwsCase) -> None:
        self.enabled(aws, HEALTHY, "sa-east-1")
        assert statuses(aws.pull(regions="all")) == {
            f"{ACCOUNT}/{HEALTHY}": "complete",
            f"{ACCOUNT}/sa-east-1": "complete",
        }

    def test_an_account_with_nothing_anywhere_is_empty(self, aws: AwsCase) -> None:
        self.enabled(aws, "sa-east-1", "ap-south-1")
        assert set(statuses(aws.pull(regions="all")).values()) == {"empty"}

    def test_denied_the_list_every_region_botocore_knows_is_asked_and_that_is_said(
        self, aws: AwsCase
    ) -> None:
        aws.proxy.plan(
            Fault("denied", "ListRegions"), Fault("region-disabled", "ListSecrets", scope="af-south-1")
        )
        pulled = aws.pull(regions="all", depth="list")
        assert len(pulled.coverage) >= 30
        assert statuses(pulled)[f"{ACCOUNT}/af-south-1"] == "failed"
        assert all("account:ListRegions was not answered (denied" in each.reason for each in pulled.coverage)
        assert "the region is not enabled for this account" in pulled.coverage[0].reason

    def test_an_account_whose_list_of_regions_holds_none_does_not_vanish(self, aws: AwsCase) -> None:
        aws.proxy.plan(Fault("no-regions", "ListRegions"))
        (coverage,) = aws.pull(regions="all").coverage
        assert (coverage.scope, coverage.status, coverage.reason) == (
            f"{ACCOUNT}/*",
            "failed",
            "account:ListRegions listed no region",
        )
        assert "expires_at" in coverage.cannot_know
        assert not aws.proxy.asked("ListSecrets")

    def test_one_such_account_among_others_costs_only_itself(self, aws: AwsCase) -> None:
        aws.proxy.plan(
            Fault("no-regions", "ListRegions", times=1),
            Fault("regions", "ListRegions", headers={"regions": BROKEN}),
        )
        found = statuses(aws.pull(regions="all", accounts=[ACCOUNT, OTHER], concurrency=1))
        assert found == {f"{ACCOUNT}/*": "failed", f"{OTHER}/{BROKEN}": "empty"}

    @pytest.mark.parametrize("breakage", ["bad-json", "nameless-region"])
    def test_a_list_of_regions_that_makes_no_sense_counts_as_none_given(self, aws: AwsCase, breakage) -> None:
        aws.proxy.plan(Fault(breakage, "ListRegions"))
        pulled = aws.pull(regions="all", depth="list")
        assert len(pulled.coverage) >= 30
        assert all(
            "account:ListRegions was not answered (the answer could" in each.reason
            for each in pulled.coverage
        )


class TestListing:
    def test_exact_ages_deprecated_versions_and_planned_deletions(self, server: SecretsManager) -> None:
        versions = [
            {"VersionId": f"{n:032}", "VersionStages": stages, "CreatedDate": NOW // SECOND - n * 86_400}
            for n, stages in enumerate([["AWSCURRENT"], ["AWSPREVIOUS"], [], [], []])
        ]
        rotated = server.put("rotated", versions)
        doomed = server.put("doomed", versions, DeletedDate=NOW // SECOND)
        pulled = pull(server.url)
        rows = {row.id: row for row in pulled.rows}
        assert [each.created_at for each in rows[rotated].versions] == [NOW - n * DAY for n in range(5)]
        assert [each.state for each in rows[rotated].versions] == ["current", *["superseded"] * 4]
        assert {each.state for each in rows[doomed].versions} == {"disabled"}
        assert {body["SecretId"] for body in server.asked("ListSecretVersionIds")} == {rotated}
        assert len(server.asked("ListSecretVersionIds")) == 3
        assert pulled.coverage[0].versions == 7

    def test_depth_list_makes_no_call_a_secret(self, server: SecretsManager) -> None:
        for number in range(5):
            server.put(
                f"s{number}", [{"VersionId": "v" * 32, "VersionStages": ["AWSCURRENT"], "CreatedDate": 1}]
            )
        pulled = pull(server.url, depth="list")
        assert [operation for operation, _ in server.log] == ["ListSecrets"] * 3
        assert {row.versions for row in pulled.rows} == {None}
        assert "versions" not in pulled.columns
        assert "versions" in pulled.coverage[0].cannot_know
        assert (pulled.coverage[0].pages, pulled.coverage[0].versions) == (3, None)

    def test_a_copy_is_not_asked_about_and_lends_its_use_to_the_primary(self, server: SecretsManager) -> None:
        current = [{"VersionId": "v" * 32, "VersionStages": ["AWSCURRENT"], "CreatedDate": 1}]
        server.put("db", current, PrimaryRegion="eu-west-1", LastAccessedDate=86_400)
        server.put("db", current, region="us-east-1", PrimaryRegion="eu-west-1", LastAccessedDate=864_000)
        server.put("far", current, PrimaryRegion="eu-west-1", LastAccessedDate=86_400)
        pulled = pull(server.url, regions=["eu-west-1", "us-east-1"])
        rows = {row.id: row for row in pulled.rows}
        primary, copy, far = (rows[arn_of("db")], rows[arn_of("db", "us-east-1")], rows[arn_of("far")])
        assert (copy.replica_of, copy.versions) == (primary.id, None)
        assert (primary.last_used_at, primary.never_used) == (864_000 * SECOND, False)
        assert (far.last_used_at, far.never_used) == (None, None)
        assert len(server.asked("ListSecretVersionIds")) == 2

    def test_tags_for_keyaudit_widen_the_columns(self, server: SecretsManager) -> None:
        server.put("a", Tags=[{"Key": "keyaudit:exposure", "Value": "public"}, {"Key": "bare"}])
        pulled = pull(server.url)
        assert (pulled.rows[0].exposure, pulled.rows[0].labels["bare"]) == ("public", "")
        assert "exposure" in pulled.columns
        assert "reach" not in pulled.columns


class TestRefusals:
    def test_the_reason_counts_what_is_missing(self, aws: AwsCase) -> None:
        aws.break_with("one-version-list-denied")
        broken = aws.pull().coverage[1]
        assert broken.reason == "1 of 4 version lists: denied (AccessDeniedException)"

    def test_nobody_is_asked_a_thousand_times_what_was_denied_again_and_again(self, aws: AwsCase) -> None:
        for number in range(60):
            aws.plant(f"more/{number}", region=BROKEN)
        aws.break_with("versions-denied")
        pulled = aws.pull()
        asked = len(aws.proxy.asked("ListSecretVersionIds", BROKEN))
        assert 25 <= asked <= 25 + 4
        assert pulled.coverage[1].reason == (
            f"{asked} of 64 version lists: denied (AccessDeniedException); "
            f"{64 - asked} of 64 version lists were then not asked for"
        )
        assert len([row for row in pulled.rows if row.scope == aws.broken]) == 64

    def test_expired_credentials_end_the_asking_at_once(self, aws: AwsCase) -> None:
        for number in range(30):
            aws.plant(f"more/{number}", region=BROKEN)
        aws.break_with("expired-in-the-versions")
        pulled = aws.pull()
        assert len(aws.proxy.asked("ListSecretVersionIds", BROKEN)) <= 1 + 4
        assert "the credentials expired (ExpiredTokenException)" in pulled.coverage[1].reason

    def test_a_server_s_own_words_are_never_repeated(self, aws: AwsCase) -> None:
        aws.break_with("hostile-code")
        assert aws.pull().coverage[1].reason == "refused (an unnamed error)"
        aws.break_with("bad-signature")
        assert "Canonical" not in repr(aws.pull())

    def test_retry_after_is_honoured_by_every_thread(self, aws: AwsCase) -> None:
        aws.proxy.plan(Fault("throttled", "ListSecretVersionIds", times=1, headers={"Retry-After": "1"}))
        pulled = aws.pull(regions=[BROKEN])
        calls = aws.proxy.asked("ListSecretVersionIds")
        throttled_at = calls[0].at
        assert len(calls) == 5
        assert [each for each in calls[4:] if each.at - throttled_at < 0.99] == []
        assert pulled.coverage[0].status is ScopeStatus.COMPLETE


class TestPace:
    def test_a_quota_is_kept_and_throttles_are_counted(self) -> None:
        reports = []
        with listing_server(150, quota=200) as url:
            entry = {
                "name": "t",
                "kind": "aws-secrets-manager",
                "regions": ["eu-west-1"],
                "endpoint_url": url,
            }
            patient = open_source({**entry, "requests_per_second": 100}, clock=lambda: NOW).pull(
                reports.append
            )
        assert patient.coverage[0].status is ScopeStatus.COMPLETE
        assert patient.coverage[0].calls == 2 + 150
        assert reports[-1].throttled == 0

    def test_too_fast_is_throttled_slows_down_and_still_ends(self) -> None:
        reports = []
        with listing_server(120, quota=60) as url:
            entry = {
                "name": "t",
                "kind": "aws-secrets-manager",
                "regions": ["eu-west-1"],
                "endpoint_url": url,
            }
            hasty = open_source({**entry, "requests_per_second": 10_000}, clock=lambda: NOW).pull(
                reports.append
            )
        assert hasty.coverage[0].status is ScopeStatus.COMPLETE
        assert reports[-1].throttled > 0
        assert hasty.coverage[0].calls == 2 + 120 + reports[-1].throttled


def test_an_interrupt_stops_every_thread_and_keeps_what_was_learned(aws: AwsCase) -> None:
    """The signal comes with the first report, after a hundred answers; how many more come is up to the machine.

    polars, once loaded, takes the signal first: it is loaded here, as in the whole program.
    """
    assert pl.LazyFrame({"a": [1]}).collect().height == 1
    total = 320
    for number in range(total - 4):
        aws.plant(f"more/{number}", region=BROKEN)
    source = aws.source(cache=True, regions=[BROKEN], requests_per_second=40)
    with pytest.raises(KeyboardInterrupt):
        source.pull(lambda report: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("keyaudit-")]
    before = len(aws.proxy.asked("ListSecretVersionIds"))
    assert 100 <= before < total
    aws.proxy.plan()
    whole = aws.pull(cache=True, regions=[BROKEN])
    assert statuses(whole) == {aws.broken: "complete"}
    again = len(aws.proxy.asked("ListSecretVersionIds"))
    assert total - before <= again <= total - 100


class TestPermissions:
    def test_values_and_changes_are_denied(self) -> None:
        statements = {
            each["Sid"]: each for each in json.loads(least_privilege("aws-secrets-manager"))["Statement"]
        }
        assert {"secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "kms:Decrypt"} <= set(
            statements["NeverValuesNorChanges"]["Action"]
        )
        assert not set(statements["ListOnly"]["Action"]) & set(statements["NeverValuesNorChanges"]["Action"])

    def test_every_operation_of_the_service_that_is_no_list_is_denied(self) -> None:
        from botocore.session import Session

        denied = set(json.loads(least_privilege("aws-secrets-manager"))["Statement"][-1]["Action"])
        operations = Session().get_service_model("secretsmanager").operation_names
        reading = ("List", "Describe", "Validate", "GetResourcePolicy")
        changing = {f"secretsmanager:{name}" for name in operations if not name.startswith(reading)}
        assert changing <= denied

    def test_roles_to_assume_are_named_one_by_one(self) -> None:
        entry = {
            "name": "t",
            "kind": "aws-secrets-manager",
            "accounts": [OTHER, ROLE.replace(OTHER, ACCOUNT)],
        }
        enter = json.loads(least_privilege("aws-secrets-manager", [entry]))["Statement"][1]
        assert set(enter["Resource"]) == {f"arn:aws:iam::{OTHER}:role/keyaudit", ROLE.replace(OTHER, ACCOUNT)}
