"""`keyaudit rotate policy`: what each provider must grant, on what keyaudit.yaml names and on nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from cli.rotating import entry, prepare
from keyaudit.rotation.grants import PROVIDERS
from transcripts import surroundings

AT_AWS = {
    "store": {"kind": "aws-secrets-manager", "secret": "prod/deployer", "region": "eu-west-1"}
    | {"fields": {"access_key_id": "A", "secret_access_key": "B"}},
    "issuer": {"kind": "aws-iam", "user": "deployer"},
    "probe": {"kind": "aws-sts"},
    "silence": {"kind": "aws-iam"},
}
AT_OPENAI = {
    "issuer": {"kind": "openai", "project": "proj_abc", "service_account": "svc_abc"},
    "probe": {"kind": "openai"},
}
WITNESS = {"kind": "openai", "project": "proj_abc", "costs": True}
KV = {"kind": "vault-kv", "address": "https://vault.example", "mount": "kv", "path": "app", "field": "key"}


@pytest.fixture
def printed(command, tmp_path):
    def ask(*entries: dict, arguments: tuple = ()) -> str:
        prepare(tmp_path, *entries)
        done = command("rotate", "policy", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    return ask


def test_aws_grants_the_changes_on_one_secret_and_one_user(printed) -> None:
    policy = json.loads(printed(entry(**AT_AWS)))
    granted = {action: each["Resource"] for each in policy["Statement"] for action in each["Action"]}
    secret = ["arn:aws:secretsmanager:eu-west-1:*:secret:prod/deployer-??????"]
    user = ["arn:aws:iam::*:user/*/deployer", "arn:aws:iam::*:user/deployer"]
    assert granted["secretsmanager:PutSecretValue"] == secret
    assert granted["iam:CreateAccessKey"] == granted["iam:DeleteAccessKey"] == user
    assert [action for action, on in granted.items() if on == ["*"]] == ["iam:GetAccessKeyLastUsed"]


def test_names_are_as_narrow_as_the_settings_allow(printed) -> None:
    role = {"role": "arn:aws-us-gov:iam::111122223333:role/rotate"}
    arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/a-AbCdEf"
    named = {**AT_AWS["store"], "secret": arn}
    key = "arn:aws:kms:eu-west-1:111122223333:key/k"
    text = printed(
        entry(**AT_AWS | {"store": named, "issuer": {**AT_AWS["issuer"], **role}}),
        arguments=("--kms-key", key),
    )
    resources = {each["Sid"]: each["Resource"] for each in json.loads(text)["Statement"]}
    assert resources["RotateSecrets"] == [arn]
    assert resources["EncryptSecrets"] == [key]
    assert set(resources["RotateAccessKeys"]) == {
        "arn:aws-us-gov:iam::111122223333:user/deployer",
        "arn:aws-us-gov:iam::111122223333:user/*/deployer",
    }


def test_a_secret_named_without_a_role_is_in_the_partition_of_its_region(printed) -> None:
    china = {**AT_AWS["store"], "region": "cn-north-1"}
    assert "arn:aws-cn:secretsmanager:cn-north-1:*:secret:prod/deployer-??????" in printed(
        entry(**AT_AWS | {"store": china})
    )


def test_openai_is_asked_for_no_more_than_the_rotation_does(printed) -> None:
    text = printed(entry(**AT_OPENAI))
    assert text.startswith("# An admin key for keyaudit rotate at OpenAI\n")
    assert "with `api.management.read`, `api.management.write` and nothing else" in " ".join(text.split())
    assert [line.strip() for line in text.splitlines() if "https://" in line] == [
        "DELETE https://api.openai.com/v1/organization/projects/proj_abc/api_keys/{key}",
        "GET https://api.openai.com/v1/organization/projects/proj_abc/api_keys",
        "POST https://api.openai.com/v1/organization/projects/proj_abc/service_accounts/svc_abc/api_keys",
    ]
    witnessed = printed(entry(**AT_OPENAI, silence=WITNESS))
    assert "`api.usage.read`" in witnessed
    assert "GET https://api.openai.com/v1/organization/costs" in witnessed


def test_who_only_asks_for_use_needs_no_right_to_make_keys(printed) -> None:
    text = printed(entry(silence=WITNESS | {"key_variable": "OTHER_KEY"}))
    assert "api.management.write" not in text
    assert "can list keys in all of them" in " ".join(text.split())
    assert "`OTHER_KEY`" in text


def test_keys_made_by_hand_need_a_key_only_where_one_lists_them(printed, command, tmp_path) -> None:
    by_hand = {"kind": "manual", "provider": "anthropic"}
    text = printed(entry(issuer=by_hand | {"key_variable": "ANTHROPIC_ADMIN_KEY"}))
    assert text.startswith("# An admin key for keyaudit rotate at Anthropic\n")
    assert "POST https://api.anthropic.com/v1/organizations/api_keys/{key}" in text
    prepare(tmp_path, entry(issuer=by_hand))
    done = command("rotate", "policy")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"nothing has to be granted by a provider" in done.stderr


def test_openrouter_gives_a_whole_key(printed) -> None:
    text = printed(entry(issuer={"kind": "openrouter"}))
    assert text.startswith("# A management key for keyaudit rotate at OpenRouter\n")
    assert "DELETE https://openrouter.ai/api/v1/keys/{key}" in text


def test_vault_gets_one_policy_a_server_and_namespace(printed) -> None:
    text = printed(
        entry(store=KV),
        entry("b", store={**KV, "path": "b", "namespace": "team"}),
        arguments=("--provider", "vault"),
    )
    first, _, second = text.partition("# https://vault.example, in namespace team\n")
    assert first.startswith("# https://vault.example\n")
    assert 'path "kv/data/app" { capabilities = ["create", "read", "update"] }' in first
    assert 'path "kv/data/b"' in second
    assert 'path "kv/data/b"' not in first


def test_google_gets_a_role_that_its_own_tool_reads(printed) -> None:
    store = {"kind": "gcp-secret-manager", "project": "acme-prod", "secret": "app"}
    role = yaml.safe_load(printed(entry(store=store)))
    assert "secretmanager.versions.add" in role["includedPermissions"]
    assert "secretmanager.versions.destroy" not in role["includedPermissions"]


def test_several_providers_stand_under_headings_and_one_alone_can_be_piped(printed) -> None:
    both = entry(**AT_OPENAI, store={**AT_AWS["store"], "fields": {"key": "K"}})
    text = printed(both, entry("local", "OTHER"))
    assert [line for line in text.splitlines() if line.startswith("===")] == [
        "=== aws: a policy of IAM",
        "=== openai: which key, and what it is used for",
    ]
    assert json.loads(printed(both, arguments=("demo", "--provider", "aws")))["Version"] == "2012-10-17"


def test_only_the_rotations_that_were_named_count(printed) -> None:
    other = {**AT_AWS["store"], "secret": "prod/other"}
    text = printed(entry(**AT_AWS), entry("other", **AT_AWS | {"store": other}), arguments=("other",))
    assert "prod/other" in text
    assert "prod/deployer" not in text


WRONG = [
    (("--provider", "azure"), f"no provider is called 'azure'\nhint: there are {', '.join(PROVIDERS)}\n"),
    (("--provider", "vault"), "these rotations need nothing of vault\nhint: they need aws\n"),
    (("dmeo",), "no rotation is called 'dmeo'\nhint: did you mean 'demo'?\n"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_there_is_not_is_said_with_what_there_is(arguments, said, command, tmp_path) -> None:
    prepare(tmp_path, entry(**AT_AWS))
    done = command("rotate", "policy", *arguments)
    assert (done.returncode, done.stderr.decode()) == (2, f"keyaudit: {said}")


def test_a_key_that_needs_no_right_is_no_empty_policy(printed, command, tmp_path) -> None:
    prepare(tmp_path, entry(probe={"kind": "aws-sts"}))
    assert command("rotate", "policy").stdout == b""


def test_it_needs_no_key_and_no_provider_s_package(tmp_path: Path) -> None:
    prepare(tmp_path, entry(**AT_AWS), entry("b", **AT_OPENAI, store=KV))
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('botocore', 'boto3', 'requests', 'hvac', 'google')));"
        "from keyaudit.cli import run; sys.exit(run(['rotate', 'policy']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=surroundings(), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"=== vault" in done.stdout
