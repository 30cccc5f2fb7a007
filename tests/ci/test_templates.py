"""What other people's programs read of ours: checked by schemas of theirs, and true of this version."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from keyaudit import __version__
from transcripts import ROOT

EXAMPLE = ROOT / "examples" / "07-ci-gates"
REPOSITORY = EXAMPLE / "repository"
WORKFLOW = REPOSITORY / ".github" / "workflows" / "rotation.yml"
CHECKED = {
    ROOT / "action.yml": "vendor.github-actions",
    WORKFLOW: "vendor.github-workflows",
    EXAMPLE / "keyaudit.gitlab-ci.yml": "vendor.gitlab-ci",
    REPOSITORY / ".gitlab-ci.yml": "vendor.gitlab-ci",
}
BROKEN = {
    "vendor.github-actions": ("using: composite", "using: composit"),
    "vendor.github-workflows": ("runs-on: ubuntu-latest", "runs_on: ubuntu-latest"),
    "vendor.gitlab-ci": ("when: always", "when: allways"),
}


def check(file: Path, schema: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(("file", "schema"), CHECKED.items(), ids=[path.name for path in CHECKED])
def test_a_template_is_what_its_reader_expects(file, schema, tmp_path) -> None:
    done = check(file, schema)
    assert done.returncode == 0, done.stdout
    right, wrong = BROKEN[schema]
    text = file.read_text("utf-8")
    if right in text:
        (tmp_path / file.name).write_text(text.replace(right, wrong), "utf-8")
        assert check(tmp_path / file.name, schema).returncode == 1


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
@pytest.mark.parametrize("script", ["install", "gate"])
def test_the_scripts_of_the_action_are_sound(script) -> None:
    done = subprocess.run(
        ["shellcheck", EXAMPLE / "action" / script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_version_that_the_example_names_is_this_one() -> None:
    named = [
        version
        for file in sorted(EXAMPLE.rglob("*"))
        if file.is_file()
        for version in re.findall(
            r"(?:acme/keyaudit@v|ref: v|rev: v|keyaudit(?:\[[a-z]+\])?==)([\w.]+)", file.read_text("utf-8")
        )
    ]
    assert len(named) > 5
    assert set(named) == {__version__}


def test_the_workflow_may_do_no_more_than_it_must() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "security-events": "write"}
    assert job["steps"][0]["with"] == {"persist-credentials": False}
    assert not [step for step in job["steps"] if "run" in step]


def test_what_the_workflow_takes_from_the_action_the_action_gives() -> None:
    outputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["outputs"]
    taken = set(re.findall(r"steps\.keyaudit\.outputs\.([\w-]+)", WORKFLOW.read_text("utf-8")))
    assert taken == {"sarif", "reports"}
    assert taken <= set(outputs)


def test_the_gitlab_example_includes_the_template_that_is_there() -> None:
    (included,) = yaml.safe_load((REPOSITORY / ".gitlab-ci.yml").read_text("utf-8"))["include"]
    assert (ROOT / included["file"]).samefile(EXAMPLE / "keyaudit.gitlab-ci.yml")
