"""The GitLab CI template, its job run as a runner of GitLab runs it: in bash, in the project's folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from junitparser import JUnitXml

from transcripts import ROOT, surroundings

EXAMPLE = ROOT / "examples" / "07-ci-gates"
JOB = yaml.safe_load((EXAMPLE / "keyaudit.gitlab-ci.yml").read_text("utf-8"))["keyaudit"]


@dataclass(frozen=True)
class Ended:
    code: int
    log: str
    project: Path

    @property
    def violations(self) -> list[dict]:
        return json.loads((self.project / JOB["artifacts"]["reports"]["codequality"]).read_text("utf-8"))

    @property
    def tests(self) -> JUnitXml:
        return JUnitXml.fromfile(str(self.project / JOB["artifacts"]["reports"]["junit"]))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE / "repository", folder)
    (folder / ".git").mkdir()
    return folder


def run(project: Path, **variables: str) -> Ended:
    """Run `script`, stop at what fails, then `after_script` in a shell of its own; the image has keyaudit."""
    log = b""
    codes = []
    for part in ("script", "after_script"):
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "\n".join(JOB[part])],
            cwd=project,
            env={
                **surroundings(),
                **JOB["variables"],
                "CI": "true",
                "GITLAB_CI": "true",
                "CI_PROJECT_DIR": str(project),
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        log += done.stdout
        codes.append(done.returncode)
    assert codes[1] == 0
    return Ended(codes[0], log.decode(), project)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_an_overdue_key_fails_the_job_at_its_line_of_the_policy(project) -> None:
    ended = run(project)
    assert ended.code == 1
    (overdue,) = [each for each in ended.violations if each["description"].startswith("web/openai: ")]
    assert (overdue["check_name"], overdue["severity"]) == ("KA101 rotation-overdue", "critical")
    assert overdue["location"] == {"path": "credentials/policy.yaml", "lines": {"begin": 8}}
    assert ended.tests.failures >= 1
    assert "web/openai" in ended.log
    assert sorted(path.name for path in (project / "keyaudit-report").iterdir()) == [
        "gl-code-quality-report.json",
        "report.html",
        "report.json",
        "report.junit.xml",
        "report.txt",
    ]
    assert JOB["artifacts"]["when"] == "always"
    assert JOB["artifacts"]["paths"] == ["keyaudit-report/"]


def rotated(project: Path) -> None:
    """The judgement is as of now, so the one way to have nothing overdue is a period that no test outlives."""
    edit(project / "credentials" / "policy.yaml", "rotation_period: 90d", "rotation_period: 36500d")
    edit(project / "credentials" / "policy.yaml", "rotation_period: 180d", "rotation_period: 36500d")


def test_with_nothing_overdue_it_passes(project) -> None:
    rotated(project)
    ended = run(project)
    assert ended.code == 0, ended.log
    assert ended.tests.failures == len([each for each in ended.violations if each["severity"] != "info"])


def test_what_could_not_be_seen_fails_the_job_with_the_code_that_the_readme_allows(project) -> None:
    rotated(project)
    edit(
        project / "credentials" / "inventory.yaml",
        "status: complete",
        "status: failed, reason: AccessDenied",
    )
    ended = run(project)
    assert ended.code == 3
    assert ended.tests.errors >= 1
    assert "allow_failure: {exit_codes: 3}" in (project / ".gitlab-ci.yml").read_text("utf-8")
    assert "allow_failure" not in JOB


def test_a_broken_policy_is_no_audit_and_leaves_no_earlier_report(project) -> None:
    assert run(project).code == 1
    edit(project / "credentials" / "policy.yaml", "schedules:", "shedules:")
    ended = run(project)
    assert ended.code == 2
    assert not list((project / "keyaudit-report").glob("*"))
    assert "did you mean 'schedules'" in ended.log


def test_the_configuration_can_be_elsewhere_and_is_never_a_command(project) -> None:
    shutil.copytree(project / "credentials", project / "audit" / "credentials")
    (project / "keyaudit.yaml").rename(project / "audit" / "own name.yaml")
    assert run(project, KEYAUDIT_CONFIG="audit/own name.yaml").code == 1
    assert run(project, KEYAUDIT_CONFIG="$(touch stolen); touch stolen").code == 2
    assert not list(project.rglob("stolen"))
