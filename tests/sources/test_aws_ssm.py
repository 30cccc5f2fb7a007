"""Parameter Store's lists and policies, trap by trap, over real HTTP with the real botocore."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator

import pytest

from keyaudit import policy as policies
from keyaudit.audit import audit
from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.rules import CATALOGUE
from keyaudit.sources import check_settings, least_privilege, open_source
from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.ssm.settings import AwsSsmSettings
from keyaudit.sources.protocol import OperationRefusedError, StoppedError
from keyaudit.times import DAY, HOUR, parse_instant
from servers.fault_proxy import Fault
from servers.parameters import ACCOUNT, Parameters, expires, policy, reminds
from sources.ssm_case import BROKEN, LIST, NOW, TAGS, SsmCase

SCOPE = f"{ACCOUNT}/eu-west-1"
OTHER = "444455556666"


@pytest.fixture
def server() -> Iterator[Parameters]:
    with Parameters() as server:
        yield server


def pull(server: Parameters, **settings: object):
    entry = {
        "name": "tested",
        "kind": "aws-ssm",
        "regions": ["eu-west-1"],
        "endpoint_url": server.url,
        "requests_per_second": 10_000,
        "attempts": 2,
        "cache": False,
        **settings,
    }
    return open_source(entry, clock=lambda: NOW).pull(lambda report: None)


def calls(server: Parameters) -> list[str]:
    return [operation for operation, _ in server.log if operation != "GetCallerIdentity"]


class TestRows:
    def test_every_field_of_an_advanced_parameter(self, server: Parameters) -> None:
        changed = parse_instant("2026-04-20T09:30:15.499Z")
        ends = parse_instant("2026-12-31T00:00:00Z")
        arn = server.put(
            "/prod/db/password", changed=changed, version=3, Policies=[expires(ends), reminds(60)]
        )
        pulled = pull(server)
        assert list(pulled.rows) == [
            Credential(
                source="aws-ssm",
                scope=SCOPE,
                id=arn,
                name="/prod/db/password",
                last_changed_at=changed,
                expires_at=ends,
                rotation=Rotation(
                    enabled=True, schedule="rate(60 days)", next_at=changed + 60 * DAY, by="reminder"
                ),
                versions=[
                    Version(id="3", state="current", created_at=changed),
                    Version(id="2", state="superseded", superseded_at=changed),
                    Version(id="1", state="superseded"),
                ],
            )
        ]
        (coverage,) = pulled.coverage
        assert (coverage.status, coverage.versions, coverage.pages) == ("complete", 3, 1)

    def test_the_first_version_dates_the_parameter_itself(self, server: Parameters) -> None:
        server.put("token", changed=NOW - DAY, version=1)
        (row,) = pull(server).rows
        assert (row.id, row.created_at) == (f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/token", NOW - DAY)
        assert row.versions == [Version(id="1", state="current", created_at=NOW - DAY)]
        assert row.rotation == Rotation(enabled=False)
        assert row.expires_at is None

    @pytest.mark.parametrize(("version", "oldest"), [(99, 1), (100, 1), (101, 2), (4000, 3901)])
    def test_the_newest_hundred_versions_are_kept(self, server, version: int, oldest: int) -> None:
        server.put("token", changed=NOW - DAY, version=version)
        (row,) = pull(server).rows
        assert [each.id for each in row.versions] == [str(n) for n in range(version, oldest - 1, -1)]
        assert [each.id for each in row.versions if each.superseded_at] == [str(version - 1)]
        assert [each.id for each in row.versions if each.created_at] == [str(version)]

    def test_only_secure_strings_are_asked_for(self, server: Parameters) -> None:
        server.put("url", changed=NOW, version=1, Type="String")
        server.put("hosts", changed=NOW, version=1, Type="StringList")
        server.put("token", changed=NOW, version=1)
        assert [row.name for row in pull(server).rows] == ["token"]
        (asked,) = server.asked("DescribeParameters")
        only = [{"Key": "Type", "Option": "Equals", "Values": ["SecureString"]}]
        assert asked == {"ParameterFilters": only, "MaxResults": 50}

    def test_a_microsecond_survives(self, server: Parameters) -> None:
        changed = parse_instant("2026-04-20T09:30:15.123457Z")
        server.put("token", changed=changed, version=1)
        assert pull(server).rows[0].last_changed_at == changed

    @pytest.mark.parametrize("broken", [{"Version": 0}, {"Version": None}, {"ARN": ""}, {"Name": 7}])
    def test_an_entry_that_makes_no_sense_costs_only_itself(self, server, broken: dict) -> None:
        server.put("token", changed=NOW, version=1)
        server.put("odd", changed=NOW, version=1, **broken)
        pulled = pull(server)
        assert [row.name for row in pulled.rows] == ["token"]
        assert (pulled.coverage[0].status, pulled.coverage[0].reason) == (
            "partial",
            "1 entries could not be read",
        )

    def test_the_same_name_in_two_regions_is_two_credentials(self, server: Parameters) -> None:
        for region in ("eu-west-1", "us-east-1"):
            server.put("token", changed=NOW, version=1, region=region)
        rows = pull(server, regions=["eu-west-1", "us-east-1"]).rows
        assert [row.scope for row in rows] == [SCOPE, f"{ACCOUNT}/us-east-1"]
        assert len({row.id for row in rows}) == 2


class TestPolicies:
    def rotation(self, server: Parameters, *held: dict) -> tuple[Credential, object]:
        server.put("token", changed=NOW - 10 * DAY, version=2, Policies=list(held))
        pulled = pull(server)
        return pulled.rows[0], pulled.coverage[0]

    @pytest.mark.parametrize(
        ("after", "unit", "schedule", "span"),
        [
            (1, "Days", "rate(1 day)", DAY),
            (60, "Days", "rate(60 days)", 60 * DAY),
            (60, "days", "rate(60 days)", 60 * DAY),
            (1, "Hours", "rate(1 hour)", HOUR),
            (36, "Hours", "rate(36 hours)", 36 * HOUR),
            (48, "Hours", "rate(2 days)", 48 * HOUR),
        ],
    )
    def test_a_notification_of_no_change_is_a_reminder_counted_from_the_last_change(
        self, server, after: int, unit: str, schedule: str, span: int
    ) -> None:
        row, coverage = self.rotation(server, reminds(after, unit))
        next_at = NOW - 10 * DAY + span
        assert row.rotation == Rotation(enabled=True, schedule=schedule, next_at=next_at, by="reminder")
        assert coverage.status == "complete"

    def test_of_several_the_first_counts(self, server: Parameters) -> None:
        ends = [expires(NOW + 90 * DAY), expires(NOW + 30 * DAY)]
        row, _ = self.rotation(server, reminds(60), reminds(45), reminds(1200, "Hours"), *ends)
        assert (row.rotation.schedule, row.expires_at) == ("rate(45 days)", NOW + 30 * DAY)

    def test_an_announcement_of_the_end_is_no_end_and_no_reminder(self, server: Parameters) -> None:
        row, coverage = self.rotation(server, policy("ExpirationNotification", Before="5", Unit="Days"))
        assert (row.expires_at, row.rotation, coverage.status) == (None, Rotation(enabled=False), "complete")

    def test_an_offset_with_seconds_as_aws_writes_one(self, server: Parameters) -> None:
        row, _ = self.rotation(server, policy("Expiration", Timestamp="2026-12-02T21:34:33.000+01:00:30"))
        assert row.expires_at == parse_instant("2026-12-02T20:34:03Z")

    @pytest.mark.parametrize(
        "held",
        [
            policy("Expiration"),
            policy("Expiration", Timestamp="tomorrow"),
            policy("Expiration", Timestamp="2026-12-02T21:34:33"),
            policy("NoChangeNotification", Unit="Days"),
            policy("NoChangeNotification", After="0", Unit="Days"),
            policy("NoChangeNotification", After="-1", Unit="Days"),
            policy("NoChangeNotification", After="٣", Unit="Days"),
            policy("NoChangeNotification", After="60", Unit="Moons"),
            policy("NoChangeNotification", After="9" * 40, Unit="Days"),
            {"PolicyText": "{'Type': 'Expiration'}", "PolicyType": "Expiration"},
            {"PolicyText": '{"Type": "Expiration", "Of": ' + "[" * 100_000, "PolicyType": "Expiration"},
            {"PolicyText": '{"Type": "Expiration"}', "PolicyType": "Expiration"},
        ],
    )
    def test_one_that_cannot_be_read_is_a_gap_and_not_a_no(self, server: Parameters, held: dict) -> None:
        row, coverage = self.rotation(server, held, reminds(30))
        assert (row.expires_at, row.rotation) == (None, Rotation())
        assert (coverage.status, coverage.reason) == (
            "partial",
            "1 policies of parameters could not be read",
        )


class TestTags:
    def test_they_fill_labels_and_columns_for_one_call_each(self, server: Parameters) -> None:
        tags = {"environment": "production", "keyaudit:class": "service-password", "team": "web", "x": ""}
        server.put("/app/db", changed=NOW, version=1, tags=tags)
        server.put("/app/api", changed=NOW, version=1)
        pulled = pull(server, tags=True)
        bare, tagged = pulled.rows
        assert (tagged.labels, tagged.environment, tagged.cls) == (tags, "production", "service-password")
        assert (bare.labels, bare.environment) == ({}, None)
        assert {"labels", "environment", "class", "owner"} <= pulled.columns
        wanted = [{"ResourceType": "Parameter", "ResourceId": name} for name in ("/app/api", "/app/db")]
        assert sorted(server.asked(TAGS), key=str) == wanted

    def test_they_are_not_asked_for_unless_wanted_and_that_is_said(self, server: Parameters) -> None:
        server.put("/app/db", changed=NOW, version=1, tags={"owner": "ann"})
        pulled = pull(server)
        assert (pulled.rows[0].labels, pulled.rows[0].owner) == (None, None)
        assert calls(server) == [LIST]
        (coverage,) = pulled.coverage
        assert {"owner", "labels", "environment", "class"} <= set(coverage.cannot_know)
        assert not set(coverage.cannot_know) & pulled.columns
        inventory = from_rows(pulled.rows, pulled.coverage, NOW, pulled.columns)
        assert not inventory.collections[1].columns & {"owner", "labels", "environment"}

    def test_a_parameter_that_went_meanwhile_has_none(self, server: Parameters) -> None:
        server.put("/app/db", changed=NOW, version=1)
        server.tags.clear()
        pulled = pull(server, tags=True)
        assert (pulled.rows[0].labels, pulled.coverage[0].status) == ({}, "complete")

    def test_without_the_permission_they_are_not_known(self, ssm: SsmCase) -> None:
        ssm.proxy.plan(Fault("denied", TAGS, scope=BROKEN))
        pulled = ssm.pull()
        denied = [row for row in pulled.rows if row.scope == ssm.broken]
        assert [(row.labels, row.environment) for row in denied] == [(None, None)] * 4
        coverage = next(each for each in pulled.coverage if each.scope == ssm.broken)
        assert coverage.status == "partial"
        assert (coverage.reason or "").startswith("4 of 4 lists of tags: ")

    def test_an_interrupted_pull_does_not_ask_for_the_same_tags_again(self, ssm: SsmCase) -> None:
        source = ssm.source(cache=True, regions=[BROKEN], calls_per_scope=1)

        def stop(report: object) -> None:
            source.stop.set()

        with pytest.raises(StoppedError):
            source.pull(stop)
        asked = [json.loads(each.body)["ResourceId"] for each in ssm.proxy.asked(TAGS)]
        assert len(asked) == 2
        ssm.proxy.plan()
        again = ssm.source(cache=True, regions=[BROKEN], calls_per_scope=1).pull(lambda report: None)
        rest = [json.loads(each.body)["ResourceId"] for each in ssm.proxy.asked(TAGS)]
        assert not set(asked) & set(rest)
        assert len(rest) == 2
        assert [row.environment for row in again.rows] == ["production"] * 4


class TestCalls:
    @pytest.mark.parametrize(("count", "pages"), [(0, 1), (50, 1), (51, 2), (120, 3)])
    def test_one_call_for_fifty(self, server: Parameters, count: int, pages: int) -> None:
        for number in range(count):
            server.put(f"/app/{number}", changed=NOW - DAY, version=2)
        pulled = pull(server)
        assert calls(server) == [LIST] * pages
        assert (len(pulled.rows), pulled.coverage[0].calls) == (count, pages)

    def test_one_more_for_each_with_tags(self, server: Parameters) -> None:
        for number in range(60):
            server.put(f"/app/{number}", changed=NOW - DAY, version=2)
        assert pull(server, tags=True).coverage[0].calls == 62
        assert sorted(calls(server)) == [LIST] * 2 + [TAGS] * 60

    def test_a_few_calls_a_second_unless_settings_say_otherwise(self) -> None:
        assert AwsSsmSettings.model_validate({"name": "t", "kind": "aws-ssm"}).requests_per_second == 3

    def test_another_account_is_entered_by_its_role(self, server: Parameters) -> None:
        server.put("token", changed=NOW, version=1, account=OTHER)
        pulled = pull(server, accounts=[OTHER])
        assert [row.scope for row in pulled.rows] == [f"{OTHER}/eu-west-1"]
        assert [each["RoleArn"] for each in server.asked("AssumeRole")] == [
            f"arn:aws:iam::{OTHER}:role/keyaudit"
        ]

    def test_an_unknown_setting_is_named(self) -> None:
        (problem,) = check_settings({"name": "t", "kind": "aws-ssm", "tag": True})
        assert problem.message == "unknown setting; did you mean tags?"


class TestVerdicts:
    def judged(self, server: Parameters, folder, **settings: object) -> dict[str, dict[str, str]]:
        """Give verdicts that are no pass, by name and rule; every parameter is production's."""
        rules = "  old-version-enabled: {sources: [aws-ssm]}\n"
        schedule = "{name: all, match: {source: aws-ssm}, rotation_period: 90d, grace_period: 24h}"
        text = (
            "policy: tested\nowner: a@acme.example\napproved_by: b@acme.example\nreviewed_on: 2026-04-01\n"
            "review_every: 365d\nclassify:\n"
            "  - {match: {source: aws-ssm}, set: {environment: production, class: service-password}}\n"
            f"schedules:\n  - {schedule}\nrules:\n{rules}"
        )
        (folder / "policy.yaml").write_text(text)
        pulled = pull(server, **settings)
        inventory = from_rows(pulled.rows, pulled.coverage, NOW, pulled.columns)
        loaded = policies.load(folder / "policy.yaml", rules=CATALOGUE, frameworks={})
        found: dict[str, dict[str, str]] = {row.name: {} for row in pulled.rows}
        for each in audit(inventory, loaded, [], NOW).findings:
            if each.credential is not None:
                found[each.credential.name][each.rule] = each.verdict
        return found

    def test_what_was_changed_in_time_passes_and_what_was_not_fails(self, server, tmp_path) -> None:
        server.put("fresh", changed=NOW - 12 * HOUR, version=2)
        server.put("first", changed=NOW - 30 * DAY, version=1)
        server.put("never", changed=NOW - 91 * DAY, version=1)
        server.put("late", changed=NOW - 91 * DAY, version=7)
        found = self.judged(server, tmp_path)
        rotation = {
            name: {rule: verdict for rule, verdict in rules.items() if rule in {"KA101", "KA102", "KA112"}}
            for name, rules in found.items()
        }
        assert rotation == {
            "fresh": {},
            "first": {},
            "never": {"KA102": "fail"},
            "late": {"KA101": "fail"},
        }

    def test_how_long_versions_before_the_last_are_still_served_is_not_known(self, server, tmp_path) -> None:
        server.put("one-before", changed=NOW - 12 * HOUR, version=2)
        server.put("two-before", changed=NOW - 12 * HOUR, version=3)
        server.put("long-ago", changed=NOW - 2 * DAY, version=3)
        server.put("none", changed=NOW - 2 * DAY, version=1)
        found = self.judged(server, tmp_path)
        assert {name: rules.get("KA202") for name, rules in found.items()} == {
            "one-before": None,
            "two-before": "unknown",
            "long-ago": "fail",
            "none": None,
        }

    def test_a_reminder_that_nobody_answered_is_missed(self, server: Parameters, tmp_path) -> None:
        server.put("ignored", changed=NOW - 31 * DAY, version=2, Policies=[reminds(30)])
        server.put("still-to-come", changed=NOW - 30 * DAY, version=2, Policies=[reminds(30)])
        server.put("too-slow", changed=NOW - DAY, version=2, Policies=[reminds(91)])
        server.put("none", changed=NOW - DAY, version=2)
        found = self.judged(server, tmp_path)
        judged = {
            name: {rule for rule in rules if rule in {"KA105", "KA106"}} for name, rules in found.items()
        }
        assert judged == {
            "ignored": {"KA105"},
            "still-to-come": set(),
            "too-slow": {"KA106"},
            "none": set(),
        }

    def test_what_should_have_been_deleted_is_still_there(self, server: Parameters, tmp_path) -> None:
        server.put("over", changed=NOW - DAY, version=1, Policies=[expires(NOW - HOUR)])
        server.put("not-yet", changed=NOW - DAY, version=1, Policies=[expires(NOW + HOUR)])
        found = self.judged(server, tmp_path)
        assert {name for name, rules in found.items() if "KA109" in rules} == {"over"}


REFUSED = [
    ("get_parameter", {"Name": "/app/eu-west-1/0"}),
    ("get_parameters", {"Names": ["/app/eu-west-1/0"]}),
    ("get_parameters_by_path", {"Path": "/app"}),
    ("get_parameter_history", {"Name": "/app/eu-west-1/0"}),
    ("put_parameter", {"Name": "/app/new", "Value": "x"}),
    ("delete_parameter", {"Name": "/app/eu-west-1/0"}),
    ("delete_parameters", {"Names": ["/app/eu-west-1/0"]}),
    ("label_parameter_version", {"Name": "/app/eu-west-1/0", "Labels": ["x"]}),
    ("unlabel_parameter_version", {"Name": "/app/a", "ParameterVersion": 1, "Labels": ["x"]}),
    ("add_tags_to_resource", {"ResourceType": "Parameter", "ResourceId": "/app/a", "Tags": []}),
    ("remove_tags_from_resource", {"ResourceType": "Parameter", "ResourceId": "/app/a", "TagKeys": []}),
    ("send_command", {"DocumentName": "AWS-RunShellScript"}),
    ("start_session", {"Target": "i-0123456789abcdef0"}),
]


class TestValues:
    def client(self, server: Parameters):
        settings = AwsSsmSettings.model_validate({"name": "t", "kind": "aws-ssm", "endpoint_url": server.url})
        return Session(settings).client("ssm", "eu-west-1")

    @pytest.mark.parametrize(("operation", "arguments"), REFUSED, ids=[name for name, _ in REFUSED])
    def test_other_operations_are_refused_and_the_server_hears_nothing(
        self, server: Parameters, operation: str, arguments: dict
    ) -> None:
        with pytest.raises(OperationRefusedError, match="nothing was sent"):
            getattr(self.client(server), operation)(**arguments)
        assert server.log == []

    def test_the_server_would_have_told_them(self, server: Parameters) -> None:
        """Else the test that no value is ever seen would show nothing."""
        server.put("/app/a", changed=NOW, version=1)
        for operation in ("GetParameter", "GetParameterHistory", "GetParameters", "GetParametersByPath"):
            told = server.answer(operation, ACCOUNT, "eu-west-1", {"Name": "/app/a"})
            assert "CANARY-value-of-/app/a" in json.dumps(told)

    def test_the_shipped_grant_lists_and_denies_the_rest(self) -> None:
        from botocore.session import Session as Botocore

        allow, deny = json.loads(least_privilege("aws-ssm"))["Statement"]
        assert allow["Action"] == ["account:ListRegions", "ssm:DescribeParameters"]
        about = [name for name in Botocore().get_service_model("ssm").operation_names if "Parameter" in name]
        refused = {f"ssm:{name}" for name in about} - set(allow["Action"])
        assert {
            name for name in refused if any(fnmatch.fnmatch(name, each) for each in deny["Action"])
        } == refused
        assert "kms:Decrypt" in deny["Action"]

    def test_tags_are_granted_where_an_entry_wants_them(self) -> None:
        entry = {"name": "t", "kind": "aws-ssm", "tags": True}
        allow = json.loads(least_privilege("aws-ssm", [entry]))["Statement"][0]
        assert "ssm:ListTagsForResource" in allow["Action"]
        both = [{**entry, "tags": False}, {"name": "u", "kind": "aws-iam", "tags": True}]
        allow = json.loads(least_privilege("aws", both))["Statement"][0]
        assert "ssm:ListTagsForResource" not in allow["Action"]
        assert "iam:ListUserTags" in allow["Action"]
