"""Keys of IAM bear no name, and a user has two: the function stops for a human rather than guess."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import yaml

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.aws_lambda import RotationFunction
from keyaudit.times import DAY, SECOND
from rotation.aws_clients import REGION, client, signs_by_itself
from servers.fault_proxy import Fault
from servers.iam import OWN, Iam
from servers.iam_keys import CANARY, Key
from servers.secrets_manager import SecretsManager
from servers.sts import Sts

START = 1_767_225_600 * SECOND
NAME, FIRST = "prod/deployer", "AKIAFIRSTFIRSTFIRST0"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:rotate"
ONE, TWO = "1" * 36, "2" * 36


class Deployer:
    def __init__(self, iam: Iam, secrets: SecretsManager, sts: Sts) -> None:
        self.iam, self.secrets = iam, secrets
        self.user = iam.account(OWN).put("deployer", START, Key(FIRST, START))
        self.aws = client("secretsmanager", secrets.url, iam.admin)
        value = {"ID": FIRST, "SECRET": self.user.keys[0].secret}
        arn = self.aws.create_secret(Name=NAME, SecretString=json.dumps(value))["ARN"]
        at_iam = {"kind": "aws-iam", "endpoint_url": iam.url}
        fields = {"access_key_id": "ID", "secret_access_key": "SECRET"}
        where = {"secret": arn, "region": REGION, "endpoint_url": secrets.url}
        entry = {
            "name": "deployer",
            "store": {"kind": "aws-secrets-manager", "fields": fields, **where},
            "issuer": {**at_iam, "user": "deployer"},
            "probe": {"kind": "aws-sts", "endpoint_url": sts.url},
            "silence": at_iam,
        }
        self.environment = {"KEYAUDIT_ROTATION": yaml.safe_dump(entry)}
        self.said: list[str] = []
        secrets.functions[FUNCTION] = self.invoke

    def invoke(self, event, context):
        def pause(seconds: float) -> None:
            self.iam.clock.advance(int(seconds * SECOND))

        function = RotationFunction(self.environment, self.iam.clock, pause, self.said.append)
        return function.handle(event, context)

    def rotate(self, token: str = ONE) -> None:
        self.aws.rotate_secret(SecretId=NAME, ClientRequestToken=token, RotationLambdaARN=FUNCTION)
        assert self.secrets.run_rotation(NAME)

    def served(self) -> str:
        return str(json.loads(self.aws.get_secret_value(SecretId=NAME)["SecretString"])["ID"])

    def live(self) -> set[str]:
        return {key.id for key in self.user.keys if key.status == "Active"}


@pytest.fixture
def deployer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployer]:
    with Iam(START + 30 * DAY, strict=True) as iam:
        signs_by_itself(monkeypatch, iam.admin)
        with SecretsManager(iam=iam) as secrets, Sts(iam) as sts:
            found = Deployer(iam, secrets, sts)
            yield found
    assert not [line for line in found.said if CANARY in line]


def test_a_credential_of_two_parts_is_rotated_and_its_old_key_retired(deployer: Deployer) -> None:
    deployer.iam.new_key_refusals = 2
    deployer.rotate()
    assert deployer.live() == {FIRST, deployer.served()} != {FIRST}
    deployer.iam.clock.advance(2 * DAY)
    deployer.invoke({"Step": "retireSecret"}, None)
    assert deployer.live() == {deployer.served()}


def test_a_second_rotation_waits_until_the_first_old_key_has_left_its_slot(deployer: Deployer) -> None:
    deployer.rotate()
    with pytest.raises(SlotsFullError):
        deployer.rotate(TWO)
    deployer.iam.clock.advance(2 * DAY)
    deployer.invoke({"Step": "retireSecret"}, None)
    assert deployer.secrets.run_rotation(NAME)
    assert deployer.aws.get_secret_value(SecretId=NAME)["VersionId"] == TWO


def test_a_key_that_was_lost_on_the_way_is_named_to_a_human_and_never_guessed(deployer: Deployer) -> None:
    deployer.iam.plan(Fault("lost", "CreateAccessKey", times=1))
    with pytest.raises(RotationError):
        deployer.rotate()
    [lost] = deployer.live() - {FIRST}
    with pytest.raises(RotationError, match=f"key {lost} may be one that a dead run has made") as caught:
        deployer.secrets.run_rotation(NAME)
    assert deployer.live() == {FIRST, lost}
    assert re.search(f"--version-stage keyaudit-minting-{ONE}", caught.value.hint)
    client("iam", deployer.iam.url, deployer.iam.admin).delete_access_key(
        UserName="deployer", AccessKeyId=lost
    )
    assert deployer.secrets.run_rotation(NAME)
    assert deployer.live() == {FIRST, deployer.served()}
