"""Where sarif, gitlab and github show findings: the policy as the repository sees it, at the line that decided."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

POLICY = """\
policy: acme
owner: a@acme.example
approved_by: b@acme.example
reviewed_on: 2024-01-01
review_every: 365d
schedules:
  - {name: production, match: {environment: production}, rotation_period: 90d, grace_period: 48h}
  - name: other
    match: {}
    rotation_period: 180d
    grace_period: 14d
frameworks:
  pci-dss:
    schedules:
      - {match: {labels.pci: "true"}, rotation_period: 30d, grace_period: 24h}
rules:
  unowned: {severity: high}
waivers:
  - id: W-1
    rules: [rotation-overdue]
    match: {name: waived}
    reason: no second slot
    requested_by: c@acme.example
    approved_by: b@acme.example
    from: 2026-01-01
    until: 2026-12-31
  - id: W-2
    rules: [rotation-overdue]
    match: {name: nobody}
    reason: nothing has this name
    requested_by: c@acme.example
    approved_by: b@acme.example
    from: 2026-01-01
    until: 2026-12-31
"""
LINES = {
    ("KA101", "stale"): 7,
    ("KA101", "older"): 8,
    ("KA101", "card"): 15,
    ("KA101", "waived"): 19,
    ("KA301", "older"): 17,
    ("KA801", "acme"): 4,
    ("KA904", "W-2"): 27,
}
AS_OF = ("--as-of", "2026-05-01T00:00:00Z")


def credential(name: str, created_at: str, **more: object) -> dict[str, object]:
    old = {
        "id": "1",
        "state": "destroyed",
        "created_at": "2024-01-01T00:00:00Z",
        "superseded_at": "2024-02-01T00:00:00Z",
    }
    return {
        "source": "hand",
        "scope": "acme",
        "id": name,
        "name": name,
        "class": "api-key",
        "environment": "production",
        "owner": "a@acme.example",
        "labels": {},
        "versions": [{"id": "2", "state": "current", "created_at": created_at}, old],
        **more,
    }


CREDENTIALS = [
    credential("stale", "2025-12-01T00:00:00Z"),
    credential("waived", "2025-12-01T00:00:00Z"),
    credential("older", "2025-08-01T00:00:00Z", environment="staging", owner=None),
    credential("card", "2026-03-01T00:00:00Z", labels={"pci": "true"}),
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose audit lives in a folder of its own."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "ops" / "audit"
    folder.mkdir(parents=True)
    document = {"schema": "keyaudit/inventory/1", "coverage": [], "credentials": CREDENTIALS}
    (folder / "i.json").write_text(json.dumps(document))
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "keyaudit.yaml").write_text("inventory: [i.json]\npolicy: policy.yaml\nframeworks: [pci-dss]\n")
    return folder


def places(content: bytes) -> dict[tuple[str, str], tuple[str, int]]:
    """Give the file and the line of each result by its rule and what it is about."""
    found = {}
    for result in json.loads(content)["runs"][0]["results"]:
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        key = result["ruleId"], location["logicalLocations"][0]["name"]
        found[key] = physical["artifactLocation"]["uri"], physical["region"]["startLine"]
    return found


def files(content: bytes) -> set[str]:
    return {file for file, _ in places(content).values()}


def test_a_finding_stands_at_the_line_that_decided_it(repository: Path, command) -> None:
    found = places(command("scan", *AS_OF, "--format", "sarif", cwd=repository).stdout)
    assert {key: found[key] for key in LINES} == {
        key: ("ops/audit/policy.yaml", line) for key, line in LINES.items()
    }


def test_all_three_formats_name_the_same_lines(repository: Path, command) -> None:
    names = ("sarif", "gitlab", "github")
    wanted = [part for name in names for part in ("--format", name)]
    assert command("scan", *AS_OF, *wanted, "--output", "out", cwd=repository).returncode == 1
    sarif = places((repository / "out" / "report.sarif").read_bytes())
    gitlab = json.loads((repository / "out" / "gl-code-quality-report.json").read_bytes())
    at = {(each["location"]["path"], each["location"]["lines"]["begin"]) for each in gitlab}
    waived = ("ops/audit/policy.yaml", LINES["KA101", "waived"])
    assert at == set(sarif.values()) - {waived}
    said = (repository / "out" / "report.github.txt").read_text("utf-8")
    shown = {
        (file, int(line)) for file, line in re.findall(r"^::\w+ file=([^,]+),line=(\d+)", said, re.MULTILINE)
    }
    assert shown == at


def test_a_report_of_another_version_of_the_policy_gets_no_line_of_this_one(
    repository: Path, command
) -> None:
    command("scan", *AS_OF, "--format", "json", "--output", "out", cwd=repository)
    again = ("report", "out/report.json", "--format", "sarif")
    assert places(command(*again, cwd=repository).stdout)["KA101", "stale"] == ("ops/audit/policy.yaml", 7)
    (repository / "policy.yaml").write_text(f"# a line more\n{POLICY}")
    assert set(places(command(*again, cwd=repository).stdout).values()) == {("ops/audit/policy.yaml", 1)}


@pytest.mark.parametrize(
    ("said", "file", "line"),
    [
        ("README.md", "README.md", 1),
        ("other/policy.yaml", "other/policy.yaml", 1),
        ("./ops/audit/policy.yaml", "ops/audit/policy.yaml", 7),
        ("policy.yaml", "policy.yaml", 7),
        ("ops\\audit\\policy.yaml", "ops/audit/policy.yaml", 7),
    ],
)
def test_an_anchor_that_is_named_has_lines_if_it_is_the_policy(
    said, file, line, repository: Path, command
) -> None:
    done = command("scan", *AS_OF, "--format", "sarif", "--anchor", said, cwd=repository)
    assert places(done.stdout)["KA101", "stale"] == (file, line)


@pytest.mark.parametrize(
    "said", ["", ".", "/etc/policy.yaml", "../policy.yaml", "a/../../b", "https://x/y", "c:\\p"]
)
def test_an_anchor_outside_of_the_repository_is_refused(said: str, repository: Path, command) -> None:
    done = command("scan", *AS_OF, "--format", "sarif", "--anchor", said, cwd=repository)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"keyaudit: --anchor {said}: not a path from the root")


def test_a_link_is_followed_because_code_scanning_shows_nothing_at_one(repository: Path, command) -> None:
    (repository / "policy.yaml").rename(repository.parent / "shared.yaml")
    (repository / "policy.yaml").symlink_to(repository.parent / "shared.yaml")
    done = command("scan", *AS_OF, "--format", "sarif", cwd=repository)
    assert files(done.stdout) == {"ops/shared.yaml"}
    assert places(done.stdout)["KA101", "stale"][1] == 7


def test_a_policy_from_elsewhere_leaves_the_configuration(
    repository: Path, tmp_path_factory, command
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "policy.yaml"
    elsewhere.write_text(POLICY)
    done = command("scan", *AS_OF, "--policy", elsewhere, "--format", "sarif", cwd=repository)
    assert set(places(done.stdout).values()) == {("ops/audit/keyaudit.yaml", 1)}


def test_without_a_repository_paths_count_from_the_folder(repository: Path, command) -> None:
    (repository.parents[1] / ".git").rmdir()
    assert files(command("scan", *AS_OF, "--format", "sarif", cwd=repository).stdout) == {"policy.yaml"}


@pytest.mark.parametrize("name", ["sarif", "gitlab", "github"])
def test_without_any_file_it_is_refused_before_anything_is_done(name: str, repository: Path, command) -> None:
    (repository / "keyaudit.yaml").unlink()
    (repository / "i.json").write_text("not read")
    formats = ("--format", "json", "--format", name, "--output", "out")
    done = command("scan", "--inventory", "i.json", *AS_OF, *formats, cwd=repository)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines() == [
        f"keyaudit: {name} shows findings at a file of the repository, and none is known",
        "hint: --anchor FILE names one, such as the policy, as seen from the root of the repository",
    ]
    assert not (repository / "out").exists()


@pytest.mark.parametrize("name", ["json", "junit", "csv"])
def test_other_formats_need_no_file(name: str, repository: Path, command) -> None:
    (repository / "keyaudit.yaml").unlink()
    done = command("scan", "--inventory", "i.json", *AS_OF, "--format", name, cwd=repository)
    assert done.returncode == 1, done.stderr
