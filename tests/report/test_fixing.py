"""The command that a finding offers is right for what the row is, or there is none."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from keyaudit.report.fixing import fix
from keyaudit.rules import RULES as EVERY

RULES = {rule.name: rule for rule in EVERY}


def offered(rule: str, source: str, scope: str, identity: str, name: str, **fields: Any) -> str | None:
    row = {"source": source, "scope": scope, "id": identity, "name": name, "class": None, "provider": None}
    row |= {"rotation_enabled": None, "replica_of": None, **fields}
    return fix(RULES[rule], row, fields.get("version"))


def google(rule: str, *place: str, **fields: Any) -> str | None:
    scope = "/".join(place)
    return offered(rule, "gcp-secret-manager", scope, f"{scope}/secrets/s", "s", **fields)


def test_a_secret_of_google_in_one_location_is_named_by_its_parts() -> None:
    whole, local = ("projects", "123"), ("projects", "123", "locations", "europe-west3")
    assert google("rotation-missed", *whole) == (
        "gcloud secrets versions add projects/123/secrets/s --data-file=-"
    )
    assert google("rotation-missed", *local) == (
        "gcloud secrets versions add s --project=123 --location=europe-west3 --data-file=-"
    )
    assert google("schedule-too-slow", *local) == (
        'gcloud secrets update s --project=123 --location=europe-west3 --rotation-period="$PERIOD"'
    )
    assert google("old-version-enabled", *local, version="3") == (
        "gcloud secrets versions disable 3 --secret=s --project=123 --location=europe-west3"
    )


def test_no_name_of_google_reaches_the_shell_unquoted() -> None:
    command = google("rotation-missed", "projects", "a;b", "locations", "$(x)")
    assert shlex.split(str(command))[4:7] == ["s", "--project=a;b", "--location=$(x)"]


VAULT = [
    ("v/secret", "secret/app/db", "app/db", True),
    ("v/secret", "secret/keys/db", "keys/db", True),
    ("v/team/keys", "team/keys/db", "db", True),
    ("kv", "kv/scratch", "kv/scratch", True),
    ("v/transit", "transit/keys/pay", "pay", False),
    ("v/auth/approle", "auth/approle/role/ci", "ci", False),
    ("v/database", "database/static-roles/app", "app", False),
    ("v/ldap", "ldap/static-role/team/app", "team/app", False),
    ("v/gcp", "gcp/static-account/app", "app", False),
]


@pytest.mark.parametrize(("scope", "identity", "name", "kv"), VAULT, ids=[each[1] for each in VAULT])
def test_what_is_for_kv_is_offered_for_nothing_else(scope, identity, name, kv) -> None:
    for rule in ("unowned", "unclassified", "old-version-enabled"):
        command = offered(rule, "vault", scope, identity, name, version="1")
        assert (command or "").startswith("vault kv ") == kv
        assert command is None or kv


def test_a_key_of_transit_is_rotated_by_its_own_path_and_a_secret_by_nothing() -> None:
    key = ("v/transit", "transit/keys/pay", "pay")
    assert offered("rotation-overdue", "vault", *key) == "vault write -f transit/keys/pay/rotate"
    assert offered("rotation-overdue", "vault", "v/secret", "secret/db", "db") is None


def test_the_namespace_is_said() -> None:
    command = offered("unowned", "vault", "v/team/web//secret", "secret/db", "db")
    assert str(command).startswith("VAULT_NAMESPACE=team/web vault kv metadata patch ")


ARN = "arn:aws:kms:eu-west-1:111122223333:key/1"
SYMMETRIC = {"class": "encryption-key", "rotation_enabled": False}


@pytest.mark.parametrize(
    ("fields", "rotates"),
    [
        (SYMMETRIC, True),
        ({**SYMMETRIC, "class": "signing-key"}, False),
        ({**SYMMETRIC, "rotation_enabled": None}, False),
        ({**SYMMETRIC, "replica_of": "arn"}, False),
    ],
)
def test_kms_is_asked_only_for_what_it_rotates_itself(fields, rotates) -> None:
    key = ("aws-kms", "111122223333/eu-west-1", ARN, "alias/a")
    found = {
        rule: offered(rule, *key, **fields) for rule in ("rotation-overdue", "rotation-manual", "unowned")
    }
    assert found["unowned"] == (
        f'aws kms tag-resource --key-id {ARN} --region eu-west-1 --tags TagKey=owner,TagValue="$OWNER"'
    )
    if not rotates:
        assert found["rotation-overdue"] is found["rotation-manual"] is None
        return
    assert found["rotation-overdue"] == f"aws kms rotate-key-on-demand --key-id {ARN} --region eu-west-1"
    assert found["rotation-manual"] == (
        f'aws kms enable-key-rotation --key-id {ARN} --region eu-west-1 --rotation-period-in-days "$DAYS"'
    )


def test_a_parameter_is_tagged_and_its_value_never_stands_on_a_command_line() -> None:
    parameter = ("aws-ssm", "111122223333/eu-west-1", "arn:x", "/app/db")
    assert offered("unowned", *parameter) == (
        "aws ssm add-tags-to-resource --resource-type Parameter --resource-id /app/db "
        '--region eu-west-1 --tags Key=owner,Value="$OWNER"'
    )
    assert offered("rotation-overdue", *parameter) is None


def test_only_a_user_s_access_keys_take_the_commands_of_access_keys() -> None:
    user = "arn:aws:iam::111122223333:user/ci"
    for identity, name, provider, has in (
        (user, "ci", "aws", True),
        (f"{user}/codecommit.amazonaws.com", "ci", "aws-codecommit", False),
        ("arn:aws:iam::111122223333:root", "<root_account>", "aws", False),
    ):
        row = ("aws-iam", "111122223333", identity, name)
        assert (offered("rotation-overdue", *row, provider=provider) is not None) == has
        assert (offered("old-key-active", *row, provider=provider, version="AKIA1") is not None) == has
