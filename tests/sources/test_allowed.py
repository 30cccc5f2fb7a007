"""Anything that is not on the list is refused before a byte leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.allowed import ALLOWED, LISTING, refuse_others
from keyaudit.sources.aws.secrets_manager.settings import AwsSecretsManagerSettings
from keyaudit.sources.protocol import OperationRefusedError
from sources.aws_case import HEALTHY, AwsCase

REFUSED = [
    ("secretsmanager", "get_secret_value", {"SecretId": "app/eu-west-1/0"}),
    ("secretsmanager", "batch_get_secret_value", {"SecretIdList": ["app/eu-west-1/0"]}),
    ("secretsmanager", "get_random_password", {}),
    ("secretsmanager", "put_secret_value", {"SecretId": "app/eu-west-1/0", "SecretString": "x"}),
    ("secretsmanager", "create_secret", {"Name": "new"}),
    ("secretsmanager", "update_secret", {"SecretId": "app/eu-west-1/0"}),
    ("secretsmanager", "update_secret_version_stage", {"SecretId": "a", "VersionStage": "AWSCURRENT"}),
    ("secretsmanager", "delete_secret", {"SecretId": "app/eu-west-1/0"}),
    ("secretsmanager", "rotate_secret", {"SecretId": "app/eu-west-1/0"}),
    ("secretsmanager", "tag_resource", {"SecretId": "a", "Tags": []}),
    ("ssm", "get_parameter_history", {"Name": "p"}),
    ("kms", "decrypt", {"CiphertextBlob": b"x"}),
    ("sts", "get_session_token", {}),
    ("iam", "create_access_key", {}),
]


def client(aws: AwsCase, service: str):
    return Session(AwsSecretsManagerSettings.model_validate(aws.entry())).client(service, HEALTHY)


@pytest.mark.parametrize(("service", "operation", "arguments"), REFUSED, ids=[case[1] for case in REFUSED])
def test_other_operations_are_refused_and_the_server_hears_nothing(
    aws: AwsCase, service: str, operation: str, arguments: dict
) -> None:
    with pytest.raises(OperationRefusedError, match="nothing was sent") as caught:
        getattr(client(aws, service), operation)(**arguments)
    assert aws.proxy.log == []
    assert caught.value.exit_code == 4


def test_a_request_that_skips_the_first_check_is_stopped_by_the_second(aws: AwsCase) -> None:
    reader = client(aws, "secretsmanager")
    reader.meta.events.unregister("before-call", refuse_others)
    with pytest.raises(OperationRefusedError) as caught:
        reader.get_secret_value(SecretId="app/eu-west-1/0")
    assert "_send_request" in [frame.name for frame in caught.traceback]
    assert aws.proxy.log == []


def test_a_listed_operation_passes(aws: AwsCase) -> None:
    assert len(client(aws, "secretsmanager").list_secrets()["SecretList"]) == 2
    assert [each.operation for each in aws.proxy.log] == ["ListSecrets"]


OTHERWISE = {
    "account.ListRegions",
    "iam.GenerateCredentialReport",
    "iam.GetAccessKeyLastUsed",
    "iam.GetAccountSummary",
    "iam.GetCredentialReport",
    "kms.GetKeyLastUsage",
    "kms.GetKeyRotationStatus",
    "sts.AssumeRole",
    "sts.GetCallerIdentity",
}
"""What is no mere list or description, and changes nothing but a report that IAM keeps for itself."""

SENSITIVE = {"organizations.ListAccounts": ["Email", "AccountName"]}
"""Personal, not secret; never read."""


def shapes(shape, seen: set[str]) -> Iterator:
    """Every shape that an answer may hold."""
    if shape is None or shape.name in seen:
        return
    seen.add(shape.name)
    yield shape
    for inner in (*getattr(shape, "members", {}).values(), getattr(shape, "member", None)):
        yield from shapes(inner, seen)


def test_no_listed_operation_changes_anything() -> None:
    assert [name for name in LISTING - OTHERWISE if not re.search(r"\.(List|Describe)[A-Z]", name)] == []


@pytest.mark.parametrize("name", sorted(LISTING - {"sts.AssumeRole"}))
def test_no_listed_operation_answers_with_a_secret(name: str) -> None:
    """Botocore's models mark what is sensitive; only signing in, for which AssumeRole is there, needs it."""
    from botocore.session import Session

    service, operation = name.split(".")
    model = Session().get_service_model({"secrets-manager": "secretsmanager"}.get(service, service))
    answer = shapes(model.operation_model(operation).output_shape, set())
    assert [shape.name for shape in answer if shape.metadata.get("sensitive")] == SENSITIVE.get(name, [])


def test_every_name_on_the_list_is_one_that_botocore_uses() -> None:
    from botocore.session import Session

    session = Session()
    for name in ALLOWED:
        service, operation = name.split(".")
        model = session.get_service_model({"secrets-manager": "secretsmanager"}.get(service, service))
        assert model.service_id.hyphenize() == service
        assert operation in model.operation_names
