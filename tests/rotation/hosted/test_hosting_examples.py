"""What the examples deploy may do what the functions do and nothing else, and holds no key."""

from __future__ import annotations

import ast
import os
import re
import stat
import subprocess
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyaudit import __version__
from keyaudit.rotation.aws_lambda import CALLS, RETIRE
from keyaudit.rotation.hosted.cloud_tasks import TaskSettings
from keyaudit.rotation.settings import read_settings
from keyaudit.rotation.stores.gcp_secret_manager import GcpSecret, GcpSecretSettings
from keyaudit.times import DAY, HOUR
from rotation.aws_clients import signs_by_itself
from rotation.hosted.google_world import GoogleWorld
from rotation.hosted.lambda_world import NAME, World
from rotation.stores.gcp_secret_case import GcpSecretCase
from servers.secrets_manager import arn

EXAMPLES = Path(__file__).parents[3] / "examples"
AWS, GOOGLE = EXAMPLES / "08-aws-rotation-lambda", EXAMPLES / "09-google-rotation-function"
TEMPLATE = AWS / "template.yaml"
GIVEN = {
    "SecretArn": arn(NAME),
    "AdminKeySecretArn": arn("openai/admin"),
    "OpenAiProject": "proj_web",
    "OpenAiServiceAccount": "svc_acct_web",
    "RequestedBy": "ci",
}
BY_ITSELF = {"logs:CreateLogStream", "logs:PutLogEvents", "kms:Decrypt", "kms:GenerateDataKey"}
"""What Lambda and Secrets Manager do in the function's name."""


@pytest.fixture(scope="module")
def template() -> Any:
    # It takes seconds to import: only whoever runs these tests pays for it.
    from cfnlint.decode import cfn_yaml

    return cfn_yaml.load(str(TEMPLATE))


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    done = [sys.executable, "-m", "cfnlint", "--non-zero-exit-code", "informational", str(file)]
    return subprocess.run(done, capture_output=True, text=True, check=False)


def test_the_template_has_nothing_that_its_own_linter_finds(tmp_path: Path) -> None:
    assert lint(TEMPLATE).stdout == ""
    broken = tmp_path / "template.yaml"
    broken.write_text(TEMPLATE.read_text("utf-8").replace("RetentionInDays: 400", "RetentionInDays: 401"))
    assert lint(broken).returncode != 0


def statements(template: Any, role: str) -> list[Any]:
    policies = template["Resources"][role]["Properties"]["Policies"]
    every = [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in every]


def actions(statement: Any) -> set[str]:
    given = statement["Action"]
    return {given} if isinstance(given, str) else set(given)


def test_the_role_may_do_what_the_function_does_and_nothing_else(template: Any) -> None:
    by_resource: dict[str, set[str]] = defaultdict(set)
    for statement in statements(template, "Role"):
        assert statement["Effect"] == "Allow"
        by_resource[str(statement["Resource"])] |= actions(statement)
    assert by_resource.pop(str({"Ref": "SecretArn"})) == {call for calls in CALLS.values() for call in calls}
    assert by_resource.pop(str({"Ref": "AdminKeySecretArn"})) == {"secretsmanager:GetSecretValue"}
    assert set().union(*by_resource.values()) == BY_ITSELF
    assert not [resource for resource in by_resource if "*" in resource]
    [invoking] = statements(template, "RetiringRole")
    assert actions(invoking) == {"lambda:InvokeFunction"}


def environment(template: Any) -> dict[str, str]:
    parameters = {name: GIVEN.get(name, each.get("Default")) for name, each in template["Parameters"].items()}
    variables = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    given = {}
    for name, value in variables.items():
        text = "${" + value["Ref"] + "}" if "Ref" in value else value["Fn::Sub"]
        given[name] = re.sub(r"\$\{(\w+)\}", lambda found: parameters[found[1]], text)
    return given


class Deployed(World):
    """A world whose function has the settings of the template, and only the addresses from here."""

    deployed: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        entry = yaml.safe_load(self.deployed["KEYAUDIT_ROTATION"])
        for role, party in super().entry.items():
            if isinstance(party, dict):
                entry[role] |= {
                    name: at for name, at in party.items() if name in {"endpoint", "endpoint_url"}
                }
        return {**self.deployed, "KEYAUDIT_ROTATION": yaml.safe_dump(entry)}


def test_what_the_template_deploys_rotates_and_asks_what_it_says(
    template: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs_by_itself(monkeypatch)
    asked: dict[str, set[str]] = defaultdict(set)
    Deployed.deployed = environment(template)
    with Deployed() as world:

        def noted(event: Any, context: Any) -> Any:
            before = len(world.aws_server.log)
            answer = world.function().handle(event, context)
            made = world.aws_server.log[before:]
            asked[event["Step"]] |= {
                f"secretsmanager:{name}" for name, body in made if body["SecretId"] == arn(NAME)
            }
            return answer

        world.begin()
        assert world.aws_server.run_rotation(NAME, function=noted)
        world.clock.advance(3 * HOUR)
        schedule = template["Resources"]["Retiring"]["Properties"]["Target"]["Input"]
        noted(yaml.safe_load(schedule), None)
        assert world.live() == {world.served()}
        assert '"requested_by":"ci"' in world.said[0]
    for step, calls in asked.items():
        assert calls <= set(CALLS[step]), step
    # A test of a live key takes nothing off.
    assert {step: set(CALLS[step]) - calls for step, calls in asked.items() if set(CALLS[step]) != calls} == {
        "testSecret": {"secretsmanager:UpdateSecretVersionStage"}
    }
    assert set(asked) == set(CALLS)
    assert yaml.safe_load(schedule)["Step"] == RETIRE


def test_the_image_names_the_function_and_the_version_that_there_are() -> None:
    dockerfile = (AWS / "function" / "Dockerfile").read_text("utf-8")
    [command] = re.findall(r'CMD \["(.+)"\]', dockerfile)
    module, _, name = command.rpartition(".")
    assert callable(getattr(import_module(module), name))
    requirements = (GOOGLE / "function" / "requirements.txt").read_text("utf-8")
    for text in (dockerfile, requirements):
        assert re.findall(r"keyaudit\[[a-z,]+\]==([0-9.]+)", text) == [__version__]


def test_the_google_function_s_source_has_the_function_that_is_deployed() -> None:
    source = ast.parse((GOOGLE / "function" / "main.py").read_text("utf-8"))
    [imported] = [node for node in source.body if isinstance(node, ast.ImportFrom)]
    [name] = [alias.name for alias in imported.names]
    assert callable(getattr(import_module(str(imported.module)), name))
    assert f"--function {name} " in (GOOGLE / "deploy.sh").read_text("utf-8")


def gcloud(folder: Path, *, exists: bool, alias: str = "3") -> Path:
    """Make a program that writes down what it is asked, and the settings that it is given."""
    program = folder / "gcloud"
    program.write_text(
        f"""#!/usr/bin/env bash
echo "$*" >> "{folder}/asked"
while [ "$#" -gt 0 ]; do
  case "$1" in
    --env-vars-file) cp "$2" "{folder}/settings.yaml" ;;
    describe) described=1 ;;
    projectNumber|'value(projectNumber)') echo 424242; exit 0 ;;
    'value(versionAliases.current)') echo "{alias}"; exit 0 ;;
    'value(email)') echo service-424242@gcp-sa-secretmanager.iam.gserviceaccount.com; exit 0 ;;
  esac
  shift
done
[ -z "${{described:-}}" ] || exit {0 if exists else 1}
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


def deploy(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PROJECT": "acme-prod",
        "REGION": "europe-west1",
        "SECRET": "secret-1",
        "OPENAI_PROJECT": "proj_web",
        "OPENAI_SERVICE_ACCOUNT": "svc_acct_web",
        "PATH": f"{folder}:{os.environ['PATH']}",
        **changes,
    }
    return subprocess.run(
        ["bash", str(GOOGLE / "deploy.sh")], env=given, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("exists", [False, True])
def test_the_script_makes_what_is_missing_and_nothing_twice(tmp_path: Path, exists: bool) -> None:
    done = deploy(gcloud(tmp_path, exists=exists))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "deployed: https://keyaudit-rotate-424242.europe-west1.run.app"
    asked = (tmp_path / "asked").read_text().splitlines()
    made = [line.split(" create ")[0].split()[-1] for line in asked if " create " in line]
    assert made == (
        ["identity"]
        if exists
        else [
            "service-accounts",
            "service-accounts",
            "roles",
            "queues",
            "topics",
            "identity",
            "subscriptions",
        ]
    )
    [deployed] = [line for line in asked if " run deploy " in line]
    assert "--no-allow-unauthenticated" in deployed
    assert "--set-secrets /run/keys/OPENAI_ADMIN_KEY=openai-admin-key:latest" in deployed


def test_the_script_refuses_a_secret_whose_readers_take_the_latest(tmp_path: Path) -> None:
    done = deploy(gcloud(tmp_path, exists=True, alias=""))
    assert (done.returncode, "no alias 'current'" in done.stderr) == (1, True)
    assert not [line for line in (tmp_path / "asked").read_text().splitlines() if "deploy" in line]


def test_the_script_grants_what_the_store_calls_and_nothing_else(tmp_path: Path) -> None:
    deploy(gcloud(tmp_path, exists=False))
    asked = (tmp_path / "asked").read_text()
    [granted] = set(re.findall(r"roles create .* --permissions (\S+)", asked))
    store = GcpSecret(
        GcpSecretSettings(kind="gcp-secret-manager", project="acme-prod", secret="s"), lambda: 0
    )
    never = {"void", "restore"}  # the same calls as the others make
    assert set(granted.split(",")) == {
        call for name, calls in store.calls.items() if name not in never for call in calls
    }
    assert set(re.findall(r"--role (roles/\S+)", asked)) == {
        "roles/secretmanager.secretAccessor",
        "roles/cloudtasks.enqueuer",
        "roles/iam.serviceAccountUser",
        "roles/run.invoker",
        "roles/pubsub.publisher",
    }
    assert "allUsers" not in asked


def test_what_the_script_deploys_rotates(tmp_path: Path) -> None:
    deploy(gcloud(tmp_path, exists=True))
    given = yaml.safe_load((tmp_path / "settings.yaml").read_text("utf-8"))
    assert set(given) == {"KEYAUDIT_KEYS", "KEYAUDIT_REQUEST", "KEYAUDIT_TASKS", "KEYAUDIT_ROTATION"}
    TaskSettings.model_validate(yaml.safe_load(given["KEYAUDIT_TASKS"]))
    entry = yaml.safe_load(given["KEYAUDIT_ROTATION"])
    assert read_settings(entry).name == "openai-prod"
    with GcpSecretCase.started() as case, GoogleWorld(case, tmp_path) as world:
        here = yaml.safe_load(world.environment["KEYAUDIT_ROTATION"])
        for role in ("store", "issuer", "probe", "silence"):
            entry[role]["endpoint"] = here[role].get("endpoint", world.openai.url)
        world.changes = entry
        world.function = world.started()
        assert world.push(world.reminder())[0] == 200
        world.pass_time(DAY)
        assert world.live() == {world.served()} != {"key_first"}


def test_nothing_that_is_deployed_holds_a_key() -> None:
    files = [file for folder in (AWS, GOOGLE) for file in folder.rglob("*") if file.is_file()]
    key = re.compile(r"sk-[A-Za-z0-9]{8}|AKIA[A-Z0-9]{12}|BEGIN [A-Z ]*PRIVATE")
    assert len(files) > 6
    assert not [file.name for file in files if key.search(file.read_text("utf-8"))]
