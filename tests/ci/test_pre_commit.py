"""The hooks that pre-commit reads: when they run, and what they refuse."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from transcripts import ROOT, surroundings

REPOSITORY = ROOT / "examples" / "07-ci-gates" / "repository"
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
RUNS_FOR = {
    "keyaudit-policy-check": {"keyaudit.yaml", "credentials/policy.yaml", "ops/rotation-policy.yml"},
    "keyaudit-inventory-validate": {
        "keyaudit.yaml",
        "credentials/inventory.yaml",
        "inventory.csv",
        "ops/aws-inventory.ndjson",
    },
}
NOBODYS = {"README.md", "policy.py", "inventory/aws.txt", "not-keyaudit.yaml", "policy.yaml.orig"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY, tmp_path, dirs_exist_ok=True)
    return tmp_path


def run(hook: str, repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a hook as pre-commit does: its entry, in an environment where the package is installed, from the root."""
    program, *words = shlex.split(HOOKS[hook]["entry"])
    assert HOOKS[hook]["pass_filenames"] is False
    return subprocess.run(
        [Path(sys.executable).parent / program, *words, *arguments],
        cwd=repository,
        env=surroundings(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_example_uses_every_hook() -> None:
    (used,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    assert [hook["id"] for hook in used["hooks"]] == list(HOOKS) == list(RUNS_FOR)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_runs_for_what_it_is_about(hook) -> None:
    every = set().union(*RUNS_FOR.values(), NOBODYS)
    assert {file for file in every if re.search(HOOKS[hook]["files"], file)} == RUNS_FOR[hook]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_passes_what_an_audit_would_accept(hook, repository) -> None:
    done = run(hook, repository)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("valid: ")


@pytest.mark.parametrize(
    ("hook", "file"),
    [
        ("keyaudit-policy-check", "credentials/policy.yaml"),
        ("keyaudit-policy-check", "keyaudit.yaml"),
        ("keyaudit-inventory-validate", "credentials/inventory.yaml"),
    ],
)
def test_a_hook_refuses_what_an_audit_would_refuse_and_says_where(hook, file, repository) -> None:
    path = repository / file
    lines = path.read_text("utf-8").count("\n")
    path.write_text(path.read_text("utf-8") + "colour: blue\n", "utf-8")
    done = run(hook, repository)
    assert done.returncode == 2
    assert f"{file}:{lines + 1}:" in done.stderr


def test_arguments_name_another_policy(repository) -> None:
    (repository / "other.yaml").write_text("policy: other\ncolour: blue\n")
    assert "other.yaml:2:" in run("keyaudit-policy-check", repository, "other.yaml").stderr
