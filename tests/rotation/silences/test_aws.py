"""What AWS says of last uses, which is always at the end of what it may mean."""

from __future__ import annotations

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.party import Means
from keyaudit.rotation.sight import Quiet
from keyaudit.rotation.silences.aws_iam import KeyLastUsed
from keyaudit.rotation.silences.aws_secrets_manager import VersionLastAccessed
from keyaudit.times import DAY, HOUR, MINUTE, SECOND
from rotation.aws_clients import REGION, client, signs_by_itself
from servers.clock import Clock
from servers.iam import OWN, Iam
from servers.iam_keys import Key
from servers.secrets_manager import SecretsManager, arn

START = 1_767_225_600 * SECOND
KEY = "AKIAOLDOLDOLDOLDOLD0"
OLD, NEW = "1" * 36, "2" * 36


@pytest.fixture
def iam(monkeypatch):
    with Iam(START + HOUR, strict=True) as server:
        server.account(OWN).put("deployer", START, Key(KEY, START))
        signs_by_itself(monkeypatch, server.admin)
        yield server


def iam_silence(iam, **more):
    entry = {"kind": "aws-iam", "endpoint_url": iam.url, **more}
    return KeyLastUsed.opened(KeyLastUsed.Settings.model_validate(entry), Means(clock=iam.clock))


class TestAccessKeys:
    def test_one_that_was_never_used_is_silent_as_far_as_can_be_seen(self, iam) -> None:
        assert iam_silence(iam).ask(KEY, "v", None) == Quiet(START - 3 * HOUR, None, "aws-iam")
        assert iam_silence(iam, delay="0s").ask(KEY, "v", None).seen_until == START + HOUR

    def test_its_last_use_is_at_the_end_of_a_quarter_of_an_hour(self, iam) -> None:
        client("sts", iam.url, iam.account(OWN).users["deployer"].keys[0]).get_caller_identity()
        assert iam_silence(iam).ask(KEY, "v", None).last_used_at == START + HOUR + 15 * MINUTE

    def test_not_knowing_is_not_silence(self, iam) -> None:
        with pytest.raises(RotationError, match="which key"):
            iam_silence(iam).ask(None, "v", None)
        with pytest.raises(RotationError, match="AccessDenied"):
            iam_silence(iam).ask("AKIANONE000000000000", "v", None)
        iam.deny("GetAccessKeyLastUsed")
        with pytest.raises(RotationError, match=r"iam:GetAccessKeyLastUsed: denied"):
            iam_silence(iam).ask(KEY, "v", None)

    def test_it_asks_for_what_it_declares(self, iam) -> None:
        iam_silence(iam).ask(KEY, "v", None)
        assert {f"iam:{call.operation}" for call in iam.calls} == set(KeyLastUsed.calls["ask"])


@pytest.fixture
def server(monkeypatch):
    signs_by_itself(monkeypatch)
    with SecretsManager(clock=Clock(START + 20 * HOUR), page=1) as running:
        running.put("app/key", [
            {"VersionId": OLD, "VersionStages": ["AWSPREVIOUS"], "CreatedDate": START / SECOND},
            {"VersionId": NEW, "VersionStages": ["AWSCURRENT"], "CreatedDate": START / SECOND},
        ])  # fmt: skip
        yield running


def silence(server, secret="app/key", **more):
    entry = {"kind": "aws-secrets-manager", "secret": secret, "endpoint_url": server.url} | more
    settings = VersionLastAccessed.Settings.model_validate(entry)
    return VersionLastAccessed.opened(settings, Means(clock=server.clock))


class TestVersions:
    def test_one_that_was_never_fetched_is_silent_as_far_as_can_be_seen(self, server) -> None:
        found = silence(server, region=REGION).ask(None, OLD, None)
        assert found == Quiet(START + 19 * HOUR, None, "aws-secrets-manager")

    def test_a_fetch_is_at_the_end_of_its_day_and_those_of_other_versions_do_not_count(self, server) -> None:
        aws = client("secretsmanager", server.url)
        aws.get_secret_value(SecretId="app/key")
        assert silence(server, secret=arn("app/key")).ask(None, OLD, None).last_used_at is None
        aws.get_secret_value(SecretId="app/key", VersionStage="AWSPREVIOUS")
        server.clock.advance(2 * DAY)
        found = silence(server, secret=arn("app/key")).ask(None, OLD, None)
        assert found.last_used_at == START + DAY

    def test_a_fetch_from_a_copy_in_another_region_counts(self, server) -> None:
        copies = [{"Region": "us-east-1", "Status": "InSync"}]
        server.secrets[REGION][0]["ReplicationStatus"] = copies
        there = {"VersionId": OLD, "VersionStages": ["AWSPREVIOUS"], "LastAccessedDate": START / SECOND}
        server.put("app/key", [there], region="us-east-1", PrimaryRegion=REGION)
        assert silence(server, region=REGION).ask(None, OLD, None).last_used_at == START + DAY
        server.secrets["us-east-1"].clear()
        with pytest.raises(RotationError, match="ResourceNotFoundException"):
            silence(server, region=REGION).ask(None, OLD, None)

    def test_not_knowing_is_not_silence(self, server) -> None:
        with pytest.raises(RotationError, match="not listed"):
            silence(server, region=REGION).ask(None, "3" * 36, None)
        server.deny("ListSecretVersionIds")
        with pytest.raises(RotationError, match=r"secretsmanager:ListSecretVersionIds: denied"):
            silence(server, region=REGION).ask(None, OLD, None)

    def test_it_asks_for_what_it_declares_and_fetches_nothing(self, server) -> None:
        silence(server, region=REGION).ask(None, OLD, None)
        asked = {f"secretsmanager:{call.operation}" for call in server.calls}
        assert asked == set(VersionLastAccessed.calls["ask"])
