"""KMS's keys and what they are made of, trap by trap, over real HTTP with the real botocore."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator

import pytest

from keyaudit import policy
from keyaudit.audit import audit
from keyaudit.errors import SourceError
from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.rules import CATALOGUE
from keyaudit.sources import check_settings, least_privilege, open_source
from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.botocore import api_models
from keyaudit.sources.aws.grants import BY_DEFAULT
from keyaudit.sources.aws.kms.settings import AwsKmsSettings
from keyaudit.sources.protocol import OperationRefusedError, StoppedError
from keyaudit.times import DAY, SECOND
from servers.fault_proxy import Fault
from servers.iam import OWN
from servers.kms import CANARY, TRACKED_SINCE, Kms
from sources.kms_case import BROKEN, NOW, KmsCase

HOME, AWAY = "eu-west-1", "us-east-1"
OTHER = "444455556666"


@pytest.fixture
def server() -> Iterator[Kms]:
    with Kms() as server:
        yield server


def source(server: Kms, **settings: object):
    entry = {
        "name": "tested",
        "kind": "aws-kms",
        "regions": [HOME],
        "endpoint_url": server.url,
        "requests_per_second": 10_000,
        "attempts": 2,
        "cache": False,
        **settings,
    }
    return open_source(entry, clock=lambda: NOW)


def pull(server: Kms, **settings: object):
    return source(server, **settings).pull(lambda report: None)


def rows(server: Kms, **settings: object) -> dict[str, Credential]:
    return {row.name: row for row in pull(server, **settings).rows}


def calls(server: Kms) -> list[str]:
    return sorted(operation for _, operation, _ in server.log)


def client(server: Kms):
    settings = AwsKmsSettings.model_validate({"name": "t", "kind": "aws-kms", "endpoint_url": server.url})
    return Session(settings).client("kms", HOME)


def verdicts(server: Kms, tmp_path, *, period: str = "365d", regions: tuple[str, ...] = (HOME,)):
    """What is no pass of the rules about rotation, by scope and name."""
    schedule = f"{{name: keys, match: {{source: aws-kms}}, rotation_period: {period}, grace_period: 7d"
    path = tmp_path / "policy.yaml"
    signed = "policy: p\nowner: o@acme.example\napproved_by: c@acme.example\nreviewed_on: 2026-01-01\n"
    path.write_text(f"{signed}review_every: 365d\nschedules: [{schedule}, automatic: true}}]\n")
    pulled = pull(server, regions=list(regions))
    inventory = from_rows(pulled.rows, pulled.coverage, NOW, pulled.columns)
    report = audit(inventory, policy.load(path, rules=CATALOGUE, frameworks={}), [], NOW)
    found: dict[str, dict[str, str]] = {row.name: {} for row in pulled.rows}
    for each in report.findings:
        if each.credential is not None and each.rule[:3] in {"KA1", "KA2"} and each.rule != "KA103":
            where = each.credential.name if len(regions) == 1 else each.credential.scope
            found.setdefault(where, {})[each.rule] = str(each.verdict)
    return found


class TestRows:
    def test_every_field_of_a_key_that_was_rotated_twice(self, server: Kms) -> None:
        made, first, second = NOW - 900 * DAY, NOW - 500 * DAY + 123_000, NOW - 135 * DAY
        tags = {"owner": "platform@acme.example", "Environment": "production", "team": "data"}
        arn = server.put("app/data", created=made, rotated=[first, second], period=365, tags=tags)
        key = arn.rpartition("/")[2]
        assert pull(server).rows == [
            Credential(
                source="aws-kms",
                scope=f"{OWN}/{HOME}",
                id=arn,
                name="app/data",
                cls="encryption-key",
                provider="aws",
                environment="production",
                owner="platform@acme.example",
                labels=tags,
                created_at=made,
                last_rotated_at=second,
                rotation=Rotation(
                    enabled=True, schedule="rate(365 days)", next_at=second + 365 * DAY, by="service"
                ),
                versions=[
                    Version(
                        id=f"{key}-m0",
                        state="superseded",
                        created_at=made,
                        superseded_at=first,
                        authenticates=False,
                    ),
                    Version(
                        id=f"{key}-m1",
                        state="superseded",
                        created_at=first,
                        superseded_at=second,
                        authenticates=False,
                    ),
                    Version(id=f"{key}-m2", state="current", created_at=second, authenticates=True),
                ],
            )
        ]

    @pytest.mark.parametrize(
        ("usage", "spec", "cls"),
        [
            ("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "encryption-key"),
            ("ENCRYPT_DECRYPT", "RSA_4096", "encryption-key"),
            ("KEY_AGREEMENT", "ECC_NIST_P256", "encryption-key"),
            ("ENCAPSULATE_DECAPSULATE", "ML_KEM_768", "encryption-key"),
            ("SIGN_VERIFY", "ECC_NIST_P256", "signing-key"),
            ("GENERATE_VERIFY_MAC", "HMAC_256", "signing-key"),
            ("SOMETHING_NEW", "UNHEARD", None),
        ],
    )
    def test_what_a_key_is_for_is_its_class(self, server: Kms, usage: str, spec: str, cls: str) -> None:
        server.put("a", created=NOW - DAY, KeyUsage=usage, KeySpec=spec)
        assert rows(server)["a"].cls == cls

    @pytest.mark.parametrize("spec", ["RSA_4096", "HMAC_256"])
    def test_a_key_that_cannot_rotate_has_one_version_and_rotation_is_off(
        self, server: Kms, spec: str
    ) -> None:
        arn = server.put("a", created=NOW - 9 * DAY, KeySpec=spec)
        row = rows(server)["a"]
        assert row.rotation == Rotation(enabled=False)
        only = Version(
            id=arn.rpartition("/")[2], state="current", created_at=NOW - 9 * DAY, authenticates=True
        )
        assert row.versions == [only]
        assert calls(server) == ["DescribeKey", "ListAliases", "ListKeys", "ListResourceTags"]

    @pytest.mark.parametrize(
        ("state", "version", "encrypts"),
        [
            ("Enabled", "current", True),
            ("Updating", "current", True),
            ("Unavailable", "current", None),
            ("Unheard", "current", None),
            ("Disabled", "disabled", False),
            ("PendingDeletion", "disabled", False),
            ("PendingReplicaDeletion", "disabled", False),
            ("PendingImport", "disabled", False),
            ("Creating", "disabled", False),
        ],
    )
    def test_only_a_key_that_works_is_in_use(
        self, server: Kms, state: str, version: str, encrypts: bool | None
    ) -> None:
        server.put("a", created=NOW - 9 * DAY, KeyState=state)
        pulled = pull(server)
        [row] = pulled.rows
        assert [(each.state, each.authenticates) for each in row.versions] == [(version, encrypts)]
        assert pulled.coverage[0].status == "complete"

    def test_imported_material_has_no_date_but_an_end(self, server: Kms) -> None:
        end = NOW + 30 * DAY
        arn = server.put("a", created=NOW - 9 * DAY, Origin="EXTERNAL", ValidTo=end / SECOND)
        row = rows(server)["a"]
        assert (row.created_at, row.expires_at, row.rotation) == (
            NOW - 9 * DAY,
            end,
            Rotation(enabled=False),
        )
        identifier = f"{arn.rpartition('/')[2]}-m0"
        assert row.versions == [Version(id=identifier, state="current", authenticates=True)]
        assert server.asked("GetKeyRotationStatus") == []

    def test_imported_material_that_waits_is_pending(self, server: Kms) -> None:
        materials = [
            {"KeyMaterialId": "c", "KeyMaterialState": "PENDING_ROTATION", "ImportState": "IMPORTED"},
            {"KeyMaterialId": "b", "KeyMaterialState": "CURRENT", "RotationDate": (NOW - DAY) / SECOND},
            {"KeyMaterialId": "a", "KeyMaterialState": "NON_CURRENT"},
        ]
        server.put("a", created=NOW - 9 * DAY, Origin="EXTERNAL", materials=materials)
        assert rows(server)["a"].versions == [
            Version(id="a", state="superseded", superseded_at=NOW - DAY, authenticates=False),
            Version(id="b", state="current", created_at=NOW - DAY, authenticates=True),
            Version(id="c", state="pending", authenticates=False),
        ]

    def test_a_key_that_waits_for_its_first_material_has_no_version(self, server: Kms) -> None:
        server.put("a", created=NOW - DAY, Origin="EXTERNAL", KeyState="PendingImport", materials=[])
        assert rows(server)["a"].versions == []

    def test_nothing_is_known_of_the_age_of_what_an_external_store_keeps(self, server: Kms) -> None:
        server.put("a", created=NOW - 9 * DAY, Origin="EXTERNAL_KEY_STORE")
        row = rows(server)["a"]
        assert (row.created_at, row.versions) == (None, None)

    def test_rotations_without_the_first_material_still_have_one_before_them(self, server: Kms) -> None:
        materials = [{"RotationDate": (NOW - DAY) / SECOND, "RotationType": "ON_DEMAND"}]
        server.put("a", created=NOW - 9 * DAY, materials=materials)
        assert [(each.id, each.state) for each in rows(server)["a"].versions] == [
            ("first", "superseded"),
            ("rotated-2026-04-30T12:00:00Z", "current"),
        ]

    def test_a_key_goes_by_its_first_alias_or_else_by_its_id(self, server: Kms) -> None:
        arn = server.put("zebra", created=NOW - DAY)
        server.name("apple", arn.rpartition("/")[2])
        server.name("aws/unused", None)
        nameless = server.put(None, created=NOW - DAY)
        assert sorted(rows(server)) == [nameless.rpartition("/")[2], "apple"]

    def test_keys_that_aws_manages_are_left_out(self, server: Kms) -> None:
        server.put("aws/s3", created=NOW - DAY, KeyManager="AWS")
        server.put(None, created=NOW - DAY, KeyManager="AWS")
        server.put("own", created=NOW - DAY)
        assert list(rows(server)) == ["own"]
        assert len(server.asked("DescribeKey")) == 2

    def test_a_botocore_that_has_no_such_question_is_said_before_anything_is_asked(
        self, server: Kms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loader = api_models()
        model = dict(loader.load_service_model("kms", "service-2", api_version=None))
        loader.load_service_model("kms", "service-2")
        model["operations"] = {
            name: each for name, each in model["operations"].items() if name != "GetKeyLastUsage"
        }
        # An older botocore reads a model without it; here it finds that one among those it has read.
        for key in list(loader._cache):
            if key[:2] == ("load_service_model", "kms"):
                monkeypatch.setitem(loader._cache, key, model)
        with pytest.raises(SourceError, match="needs a newer botocore") as caught:
            pull(server, last_use=True)
        assert caught.value.hint == "pip install 'boto3>=1.42.97', or leave `last_use` out"
        assert server.log == []

    def test_the_last_use_is_asked_for_only_if_wanted(self, server: Kms) -> None:
        server.put("used", created=TRACKED_SINCE - DAY, used=NOW - DAY)
        server.put("never", created=TRACKED_SINCE + DAY)
        server.put("before-records", created=TRACKED_SINCE - DAY)
        assert {row.never_used for row in rows(server).values()} == {None}
        assert not {"last_used_at", "never_used"} & pull(server).columns
        found = rows(server, last_use=True)
        assert {name: (row.last_used_at, row.never_used) for name, row in found.items()} == {
            "used": (NOW - DAY, False),
            "never": (None, True),
            "before-records": (None, None),
        }

    def test_a_time_that_makes_no_sense_costs_only_its_key(self, server: Kms) -> None:
        server.put("odd", created=NOW - DAY, ValidTo=9e99)
        server.put("even", created=NOW - DAY)
        pulled = pull(server)
        assert [row.name for row in pulled.rows] == ["even"]
        assert pulled.coverage[0].reason == "1 entries could not be read"


class TestFamilies:
    def test_a_replica_names_its_primary_and_both_share_the_first_date(self, server: Kms) -> None:
        made, later = NOW - 400 * DAY, NOW - 30 * DAY
        primary, replica = server.put_family("shared", created={HOME: made, AWAY: later})
        found = {row.id: row for row in pull(server, regions=[HOME, AWAY]).rows}
        assert (found[primary].replica_of, found[replica].replica_of) == (None, primary)
        assert [found[arn].versions[0].created_at for arn in (primary, replica)] == [made, made]
        assert (found[primary].created_at, found[replica].created_at) == (made, later)

    def test_a_primary_that_was_moved_is_as_old_as_the_oldest_of_its_family(self, server: Kms) -> None:
        made, later = NOW - 400 * DAY, NOW - 30 * DAY
        primary, _ = server.put_family("shared", created={HOME: later, AWAY: made})
        found = {row.id: row for row in pull(server, regions=[HOME, AWAY]).rows}
        assert (found[primary].created_at, found[primary].versions[0].created_at) == (made, made)

    def test_while_one_of_a_family_was_not_seen_its_first_material_has_no_date(self, server: Kms) -> None:
        server.put_family("shared", created={HOME: NOW - 30 * DAY, AWAY: NOW - 400 * DAY})
        row = rows(server)["shared"]
        assert (row.created_at, row.versions[0].created_at) == (None, None)

    def test_a_rotation_dates_the_value_whoever_was_first(self, server: Kms) -> None:
        when = NOW - 10 * DAY
        created = {HOME: NOW - 30 * DAY, AWAY: NOW - 400 * DAY}
        server.put_family("shared", created=created, rotated=[when])
        assert [each.created_at for each in rows(server)["shared"].versions] == [None, when]

    def test_a_working_replica_of_a_primary_that_does_not_work_stands_alone(self, server: Kms) -> None:
        created = {HOME: NOW - 400 * DAY, AWAY: NOW - 30 * DAY}
        arns = server.put_family("shared", created=created, states={HOME: "Disabled"})
        found = {row.id: row for row in pull(server, regions=[HOME, AWAY]).rows}
        assert [found[arn].replica_of for arn in arns] == [None, None]
        assert found[arns[1]].created_at == NOW - 400 * DAY

    def test_a_use_in_any_region_is_a_use_of_the_primary(self, server: Kms) -> None:
        created = {HOME: TRACKED_SINCE + DAY, AWAY: TRACKED_SINCE + DAY}
        primary, replica = server.put_family("shared", created=created)
        server.keys[OWN, AWAY][replica.rpartition("/")[2]].used = NOW - DAY
        pulled = pull(server, regions=[HOME, AWAY], last_use=True)
        found = {row.id: (row.last_used_at, row.never_used) for row in pulled.rows}
        assert found == {primary: (NOW - DAY, False), replica: (NOW - DAY, False)}
        alone = rows(server, last_use=True)["shared"]
        assert (alone.last_used_at, alone.never_used) == (None, None)

    def test_what_cannot_be_seen_of_a_first_key_is_said(self, server: Kms) -> None:
        server.put_family("shared", created={HOME: NOW - 30 * DAY})
        coverage = pull(server).coverage[0]
        assert (coverage.status, coverage.reason[:45]) == (
            "complete",
            "1 multi-region keys were never rotated: of on",
        )


class TestVerdicts:
    def test_a_key_that_rotates_in_time_breaks_nothing(self, server: Kms, tmp_path) -> None:
        rotated = [NOW - 400 * DAY, NOW - 35 * DAY]
        server.put("yearly", created=NOW - 900 * DAY, rotated=rotated, period=365)
        server.put("young", created=NOW - 20 * DAY, period=365)
        assert verdicts(server, tmp_path) == {"yearly": {}, "young": {}}

    def test_a_schedule_slower_than_the_policy_is_found_before_it_is_late(
        self, server: Kms, tmp_path
    ) -> None:
        server.put("yearly", created=NOW - 900 * DAY, rotated=[NOW - 35 * DAY], period=365)
        assert verdicts(server, tmp_path, period="90d") == {"yearly": {"KA106": "fail"}}

    def test_one_that_was_rotated_by_hand_is_late_and_manual(self, server: Kms, tmp_path) -> None:
        server.put("late", created=NOW - 900 * DAY, rotated=[NOW - 366 * DAY])
        server.put("in-time", created=NOW - 900 * DAY, rotated=[NOW - 365 * DAY])
        assert verdicts(server, tmp_path) == {
            "late": {"KA101": "fail", "KA107": "fail"},
            "in-time": {"KA107": "fail"},
        }

    def test_one_that_was_never_rotated_fails_as_that(self, server: Kms, tmp_path) -> None:
        server.put("old", created=NOW - 366 * DAY)
        signing = {"KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_P256"}
        server.put("tokens", created=NOW - 366 * DAY, **signing)
        never = {"KA102": "fail", "KA107": "fail"}
        assert verdicts(server, tmp_path) == {"old": never, "tokens": never}

    def test_nothing_is_asked_of_a_key_that_nobody_can_use(self, server: Kms, tmp_path) -> None:
        server.put("disabled", created=NOW - 900 * DAY, rotated=[NOW - 800 * DAY], KeyState="Disabled")
        server.put("leaving", created=NOW - 900 * DAY, KeyState="PendingDeletion")
        assert verdicts(server, tmp_path) == {"disabled": {}, "leaving": {}}

    def test_the_age_of_imported_material_is_known_only_where_its_key_is_young(
        self, server: Kms, tmp_path
    ) -> None:
        server.put("old", created=NOW - 900 * DAY, Origin="EXTERNAL")
        server.put("young", created=NOW - 9 * DAY, Origin="EXTERNAL")
        assert verdicts(server, tmp_path) == {
            "old": {"KA102": "unknown", "KA107": "fail"},
            "young": {"KA107": "fail"},
        }

    def test_nothing_passes_that_only_an_external_store_could_tell(self, server: Kms, tmp_path) -> None:
        server.put("external", created=NOW - 9 * DAY, Origin="EXTERNAL_KEY_STORE")
        found = verdicts(server, tmp_path)["external"]
        assert {"KA101", "KA205"} <= {rule for rule, verdict in found.items() if verdict == "unknown"}
        assert {rule for rule, verdict in found.items() if verdict == "fail"} == {"KA107"}

    def test_a_family_is_one_finding_at_its_primary(self, server: Kms, tmp_path) -> None:
        server.put_family("shared", created={HOME: NOW - 400 * DAY, AWAY: NOW - 30 * DAY})
        found = verdicts(server, tmp_path, regions=(HOME, AWAY))
        assert found == {"shared": {}, f"{OWN}/{HOME}": {"KA102": "fail", "KA107": "fail"}}

    def test_a_replica_alone_is_never_younger_than_what_was_not_seen(self, server: Kms, tmp_path) -> None:
        server.put_family("shared", created={HOME: NOW - 400 * DAY, AWAY: NOW - 30 * DAY})
        found = verdicts(server, tmp_path, regions=(AWAY,))
        assert found == {"shared": {"KA101": "unknown", "KA107": "fail"}}

    def test_disabling_the_primary_does_not_hide_a_replica_that_works(self, server: Kms, tmp_path) -> None:
        created = {HOME: NOW - 400 * DAY, AWAY: NOW - 30 * DAY}
        server.put_family("shared", created=created, states={HOME: "Disabled"})
        found = verdicts(server, tmp_path, regions=(HOME, AWAY))
        assert found == {"shared": {}, f"{OWN}/{AWAY}": {"KA102": "fail", "KA107": "fail"}}


class TestCalls:
    def test_what_a_pull_costs(self, server: Kms) -> None:
        for number in range(12):
            server.put(f"k{number}", created=NOW - DAY)
        coverage = pull(server).coverage[0]
        assert (coverage.calls, coverage.pages, coverage.credentials) == (2 + 4 * 12, 1, 12)
        assert pull(server, tags=False).coverage[0].calls == 2 + 3 * 12
        assert pull(server, last_use=True).coverage[0].calls == 2 + 5 * 12

    def test_lists_of_several_pages_are_followed(self, server: Kms) -> None:
        server.page = 2
        tags = {f"tag{number}": "x" for number in range(5)}
        rotated = [NOW - days * DAY for days in (40, 30, 20, 10)]
        for number in range(5):
            server.put(f"k{number}", created=NOW - 50 * DAY, rotated=rotated, tags=tags)
        found = rows(server)
        assert sorted(found) == [f"k{number}" for number in range(5)]
        assert {len(row.versions) for row in found.values()} == {5}
        assert {len(row.labels or {}) for row in found.values()} == {5}
        assert [body.get("Marker") for body in server.asked("ListKeys")] == [None, "2", "4"]

    def test_the_first_material_is_asked_for_too(self, server: Kms) -> None:
        server.put("a", created=NOW - DAY)
        pull(server)
        [body] = server.asked("ListKeyRotations")
        assert body["IncludeKeyMaterial"] == "ALL_KEY_MATERIAL"

    def test_each_account_is_entered_by_its_role(self, server: Kms) -> None:
        server.put("own", created=NOW - DAY)
        server.put("theirs", created=NOW - DAY, account=OTHER)
        pulled = pull(server, accounts=[OWN, OTHER])
        assert [(row.scope, row.name) for row in pulled.rows] == [
            (f"{OWN}/{HOME}", "own"),
            (f"{OTHER}/{HOME}", "theirs"),
        ]

    def test_keys_with_a_closed_policy_are_a_gap_however_many(self, server: Kms) -> None:
        for number in range(40):
            server.closed[server.put(f"k{number}", created=NOW - DAY)] = {"DescribeKey"}
        server.put("open", created=NOW - DAY)
        pulled = pull(server)
        assert [row.name for row in pulled.rows] == ["open"]
        coverage = pulled.coverage[0]
        assert (coverage.status, coverage.reason) == (
            "partial",
            "40 of 41 descriptions of keys: denied (AccessDeniedException)",
        )

    def test_what_is_denied_about_one_key_stays_unknown_of_it(self, server: Kms) -> None:
        arn = server.put("a", created=NOW - 9 * DAY, tags={"owner": "x"})
        server.closed[arn] = {"GetKeyRotationStatus", "ListKeyRotations", "ListResourceTags"}
        pulled = pull(server)
        [row] = pulled.rows
        assert (row.rotation, row.versions, row.labels) == (None, None, None)
        assert pulled.coverage[0].reason == "; ".join(
            f"1 of 1 {noun}: denied (AccessDeniedException)"
            for noun in ("rotation settings", "lists of rotations", "lists of tags")
        )

    def test_a_key_that_goes_while_it_is_listed_is_no_gap(self, kms: KmsCase) -> None:
        kms.proxy.plan(Fault("key-gone", "DescribeKey", scope=BROKEN, times=1))
        coverage = {each.scope: each for each in kms.pull().coverage}[kms.broken]
        assert (coverage.status, coverage.credentials) == ("complete", 3)

    def test_a_broken_off_scope_does_not_ask_again_what_it_was_told(self, kms: KmsCase) -> None:
        whole = kms.pull(regions=[BROKEN], calls_per_scope=1)
        kms.proxy.plan(Fault("slow", "ListResourceTags", seconds=0.3))
        pulling = kms.source(regions=[BROKEN], cache=True, calls_per_scope=1)

        import threading

        stopping = threading.Timer(0.6, pulling.stop.set)
        stopping.start()
        with pytest.raises(StoppedError):
            pulling.pull(lambda report: None)
        stopping.join()
        asked = len(kms.proxy.asked("DescribeKey"))
        assert asked
        kms.proxy.plan()
        again = kms.source(regions=[BROKEN], cache=True, calls_per_scope=1).pull(lambda report: None)
        assert list(again.rows) == list(whole.rows)
        assert kms.proxy.asked("DescribeKey") == []


class TestWhatIsNeverAsked:
    @pytest.mark.parametrize(
        ("operation", "arguments"),
        [
            ("decrypt", {"CiphertextBlob": b"x"}),
            ("encrypt", {"KeyId": "k", "Plaintext": b"x"}),
            ("re_encrypt", {"CiphertextBlob": b"x", "DestinationKeyId": "k"}),
            ("generate_data_key", {"KeyId": "k", "KeySpec": "AES_256"}),
            ("generate_data_key_pair", {"KeyId": "k", "KeyPairSpec": "RSA_2048"}),
            ("generate_mac", {"KeyId": "k", "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}),
            ("sign", {"KeyId": "k", "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}),
            ("rotate_key_on_demand", {"KeyId": "k"}),
            ("enable_key_rotation", {"KeyId": "k"}),
            ("disable_key", {"KeyId": "k"}),
            ("schedule_key_deletion", {"KeyId": "k"}),
            ("get_key_policy", {"KeyId": "k"}),
        ],
    )
    def test_other_operations_are_refused_and_the_server_hears_nothing(
        self, server: Kms, operation: str, arguments: dict
    ) -> None:
        with pytest.raises(OperationRefusedError, match="nothing was sent"):
            getattr(client(server), operation)(**arguments)
        assert server.log == []

    def test_no_description_is_kept(self, server: Kms) -> None:
        server.put("a", created=NOW - DAY)
        assert CANARY not in repr(pull(server))

    def test_the_policy_denies_every_operation_that_uses_or_changes_a_key(self) -> None:
        from botocore.session import Session as Botocore

        lists, never = json.loads(least_privilege("aws-kms"))["Statement"]
        operations = {f"kms:{name}" for name in Botocore().get_service_model("kms").operation_names}
        denied = {name for name in operations if any(fnmatch.fnmatch(name, each) for each in never["Action"])}
        reading = {name for name in operations if name.startswith(("kms:Describe", "kms:Get", "kms:List"))}
        assert operations - denied == reading - {"kms:GetParametersForImport"}
        assert set(lists["Action"]) - {"account:ListRegions"} <= operations - denied

    def test_tags_and_uses_are_granted_only_where_they_are_asked_for(self) -> None:
        def granted(**settings: object) -> set[str]:
            entries = [{"name": "t", "kind": "aws-kms", **settings}] if settings else []
            found = json.loads(least_privilege("aws-kms", entries))["Statement"][0]["Action"]
            return set(found) & {"kms:ListResourceTags", "kms:GetKeyLastUsage"}

        assert granted() == {"kms:ListResourceTags"}
        assert granted(tags=False) == set()
        assert granted(last_use=True) == {"kms:ListResourceTags", "kms:GetKeyLastUsage"}


class TestSettings:
    def test_the_defaults_are_those_that_the_policy_counts_on(self) -> None:
        settings = AwsKmsSettings.model_validate({"name": "t", "kind": "aws-kms"})
        assert (settings.tags, settings.last_use, settings.requests_per_second) == (True, False, 50)
        assert {(kind, name) for kind, name in BY_DEFAULT if kind == "aws-kms"} == {("aws-kms", "tags")}

    def test_a_mistake_is_placed_and_said(self) -> None:
        found = check_settings({"name": "t", "kind": "aws-kms", "tag": True})
        assert [(each.path, each.message) for each in found] == [
            (("tag",), "unknown setting; did you mean tags?")
        ]

    def test_what_kms_cannot_tell_is_declared(self, server: Kms) -> None:
        assert pull(server).coverage[0].cannot_know == (
            "last_changed_at",
            "last_used_at",
            "never_used",
            "versions.last_used_at",
            "versions.retired_at",
        )
        bare = pull(server, tags=False, last_use=True).coverage[0].cannot_know
        assert {"environment", "labels", "lineage", "owner", "tier"} <= set(bare)
        assert "last_used_at" not in bare
