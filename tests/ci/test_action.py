"""The GitHub Action, whole: what it says of each ending, and what a stranger's names cannot make it say."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ci.github_runner import ACTION, ANNOTATIONS, LARGEST_SUMMARY, Command, Ended, Runner
from formats.hostile import NAMES
from keyaudit import __version__
from transcripts import ROOT

REPOSITORY = ROOT / "examples" / "07-ci-gates" / "repository"
AS_OF = {"as-of": "2026-05-01T00:00:00Z"}
BEFORE = {"as-of": "2026-04-01T00:00:00Z"}
COUNTS = ("critical", "high", "medium", "low", "info", "unknown", "waived")
COMMANDS = (
    "##[set-output name=exit-code;]0",
    "::set-output name=exit-code::0",
    "  ::add-mask::production",
    "##[error]forged",
    "x ##[warning]forged",
    "%0A::error::forged",
    "::stop-commands::forever",
    "##[stop-commands]forever",
    "\n::error::forged\nhigh=0\n",
)
Gate = Callable[..., Ended]


@pytest.fixture(scope="module")
def temporary(tmp_path_factory) -> Path:
    """What the install step makes, beside a repository that would have its own way with it."""
    folder = tmp_path_factory.mktemp("runner")
    workspace = folder / "hostile"
    workspace.mkdir()
    (workspace / "uv.toml").write_text("offline = true\nno-build = true\nrequired-version = '==0.0.1'\n")
    (workspace / "pyproject.toml").write_text("[project]\nname = 'another'\nversion = '9'\n")
    ended = Runner(folder, workspace).install()
    assert ended.code == 0, ended.log + ended.aside
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    shutil.copytree(REPOSITORY, folder)
    (folder / ".git").mkdir()
    return folder


@pytest.fixture
def gate(temporary: Path, workspace: Path, tmp_path: Path) -> Gate:
    def run(inputs: Mapping[str, str] = AS_OF, **environment: str) -> Ended:
        return Runner(temporary, workspace).gate(tmp_path / "step", inputs, **environment)

    return run


def no_audit(ended: Ended, code: int) -> bool:
    """Nothing is said of findings, not even that there are none."""
    (error,) = ended.obeyed
    assert error.message.startswith(f"No audit was made (exit code {code}): ")
    assert ended.summary.startswith("# keyaudit: no audit was made\n")
    return ended.code == code and {k: v for k, v in ended.outputs.items() if v} == {"exit-code": str(code)}


def test_the_install_step_installs_this_checkout_and_nothing_that_the_lock_does_not_name(temporary) -> None:
    (installed,) = (temporary / "keyaudit" / "lib").glob("python3*/site-packages")
    assert (installed / f"keyaudit-{__version__}.dist-info").is_dir()
    assert (installed / "keyaudit" / "cli" / "scan.py").read_bytes() == (
        ROOT / "keyaudit" / "cli" / "scan.py"
    ).read_bytes()
    locked = (ROOT / "uv.lock").read_text("utf-8")
    for package in installed.glob("*.dist-info"):
        name, version = package.name.removesuffix(".dist-info").rsplit("-", 1)
        assert f'name = "{name.lower().replace("_", "-")}"\nversion = "{version}"' in locked
    assert not (installed / "boto3").exists()


@pytest.mark.parametrize("extras", ["aws;touch", "--all-extras", "$(id)", "aws\n--dev"])
def test_extras_are_names_and_nothing_else(temporary, workspace, extras) -> None:
    ended = Runner(temporary, workspace).install(extras=extras)
    assert ended.code == 2
    assert [said.name for said in ended.obeyed] == ["error"]


def test_an_overdue_key_fails_at_its_line_of_the_policy_with_all_that_it_takes_to_act(gate) -> None:
    ended = gate()
    assert (ended.code, ended.outputs["exit-code"]) == (1, "1")
    assert {name: ended.outputs[name] for name in COUNTS} == {**dict.fromkeys(COUNTS, "0"), "high": "1"}
    (error,) = ended.annotations("error")
    line = (REPOSITORY / "credentials" / "policy.yaml").read_text().splitlines().index(POLICY_LINE) + 1
    assert error.properties == {
        "file": "credentials/policy.yaml",
        "line": str(line),
        "title": "KA101 rotation-overdue",
    }
    assert "web/openai" in error.message
    assert "Due 2026-04-05, 26 d late" in error.message
    assert ended.summary.startswith("# keyaudit: Exceptions: 1 failure at or above high.")
    assert "keyaudit explain KA101" in ended.log


POLICY_LINE = (
    "  - {name: production, match: {environment: production}, rotation_period: 90d, grace_period: 48h}"
)


def test_the_reports_are_where_the_outputs_say_in_a_folder_of_this_run(gate) -> None:
    first, second = gate(), gate({**AS_OF, "format": "junit\ncsv\r\n"})
    assert first.outputs["reports"] != second.outputs["reports"]
    folder = Path(second.outputs["reports"])
    assert {path.name for path in folder.iterdir()} == {
        "report.csv",
        "report.github.txt",
        "report.html",
        "report.json",
        "report.junit.xml",
        "report.md",
        "report.sarif",
        "report.txt",
    }
    for name in ("json", "html", "sarif"):
        assert Path(second.outputs[name]).parent == folder
    log = json.loads(Path(second.outputs["sarif"]).read_text("utf-8"))
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in log["runs"][0]["results"]
    }
    assert places == {"credentials/policy.yaml"}


def test_before_the_due_date_it_passes(gate) -> None:
    ended = gate(BEFORE)
    assert (ended.code, ended.outputs["exit-code"], ended.outputs["high"]) == (0, "0", "0")
    assert [said.name for said in ended.obeyed if said.name != "notice"] == []


@pytest.fixture
def unseen(workspace: Path) -> None:
    inventory = workspace / "credentials" / "inventory.yaml"
    text = inventory.read_text("utf-8")
    assert text.count("status: complete") == 1
    inventory.write_text(text.replace("status: complete", "status: partial, reason: AccessDenied"), "utf-8")


@pytest.mark.usefixtures("unseen")
def test_what_could_not_be_seen_fails_unless_the_workflow_allows_it(gate) -> None:
    strict, lenient = gate(BEFORE), gate({**BEFORE, "allow-incomplete": "true"})
    assert (strict.code, lenient.code) == (3, 0)
    assert strict.outputs["exit-code"] == lenient.outputs["exit-code"] == "3"
    assert strict.outputs["unknown"] == lenient.outputs["unknown"] != "0"
    assert strict.annotations("warning")
    assert lenient.annotations("warning")[-1].message.startswith("Incomplete, which this workflow allows")
    assert len(lenient.annotations("warning")) == len(strict.annotations("warning")) + 1


@pytest.mark.usefixtures("unseen")
def test_allowing_incompleteness_allows_no_finding(gate) -> None:
    assert gate({**AS_OF, "allow-incomplete": "true"}).code == 1


def test_a_policy_that_cannot_be_obeyed_is_no_audit_and_its_names_are_no_commands(gate, workspace) -> None:
    policy = workspace / "credentials" / "policy.yaml"
    lines = "".join(f"{json.dumps(name)}: 1\n" for name in COMMANDS)
    policy.write_text(policy.read_text("utf-8") + lines, "utf-8")
    ended = gate()
    assert no_audit(ended, 2)
    assert "##[set-output name=exit-code;]0" in ended.log  # it was there to be obeyed


def test_names_of_strangers_become_neither_commands_nor_outputs(gate, workspace) -> None:
    names = [name for name in (*COMMANDS, *NAMES) if name.strip() and len(name) < 200]
    credentials = [
        {
            "source": "by-hand",
            "scope": "acme-web",
            "id": f"{number} {name}",
            "name": name,
            "environment": "production",
            "owner": name,
            "versions": [{"id": name, "state": "current", "created_at": "2025-06-01T00:00:00Z"}],
        }
        for number, name in enumerate(names)
    ]
    document = {"schema": "keyaudit/inventory/1", "credentials": credentials}
    (workspace / "hostile.json").write_text(json.dumps(document), "utf-8")
    schedule = "{name: '##[set-output name=high;]0', match: {environment: production}, "
    policy = workspace / "credentials" / "policy.yaml"
    policy.write_text(
        policy.read_text("utf-8").replace("{name: production, match: {environment: production}, ", schedule)
    )
    ended = gate({**AS_OF, "inventory": "hostile.json"})
    assert ended.code == 1, ended.log
    assert int(ended.outputs["high"]) >= len(names)
    assert "##[set-output name=exit-code;]0" in ended.log
    titles = {said.properties.get("title", "").partition(" ")[0] for said in ended.obeyed}
    assert {said.name for said in ended.obeyed} <= set(ANNOTATIONS)
    assert all(title == "keyaudit" or title.startswith("KA") for title in titles)
    assert {said.properties["file"] for said in ended.annotations("error")} == {"credentials/policy.yaml"}


def test_many_findings_stay_within_what_a_step_may_show(gate, workspace) -> None:
    rows = "".join(
        f"by-hand,acme-web,{'k' * 300}{number},{'n' * 300}{number},production,2025-01-01T00:00:00Z,2025-02-01T00:00:00Z\n"
        for number in range(3000)
    )
    header = "source,scope,id,name,environment,created_at,last_changed_at\n"
    (workspace / "many.csv").write_text(header + rows)
    ended = gate({**AS_OF, "inventory": "many.csv"})
    assert ended.code in {1, 3}
    assert max(len(ended.annotations(level)) for level in ANNOTATIONS) == 10
    assert 10_000 < len(ended.summary.encode()) <= LARGEST_SUMMARY


@pytest.mark.parametrize(
    "inputs",
    [
        {"anchor": "policy.yaml\nhigh=0"},
        {"policy": "$(touch stolen)`touch stolen`; touch stolen"},
        {"policy": "--help"},
        {"config": "--version"},
        {"fail-on": "none --exit-zero"},
        {"framework": "soc2\n--fail-on=none"},
        {"allow-incomplete": "yes"},
        {"annotations": "0"},
        {"summary": ""},
        {"working-directory": "nowhere"},
        {"working-directory": "-P"},
    ],
    ids=str,
)
def test_an_input_is_one_value_and_never_a_command(gate, workspace, inputs) -> None:
    assert no_audit(gate({**AS_OF, **inputs}), 2)
    assert not list(workspace.rglob("stolen"))


def test_paths_start_from_the_working_directory_and_annotations_from_the_root(
    temporary, workspace, tmp_path
) -> None:
    inner = workspace / "services" / "web"
    shutil.copytree(REPOSITORY, inner)
    inputs = {**AS_OF, "working-directory": "services/web", "inventory": "credentials/inventory.yaml"}
    ended = Runner(temporary, workspace).gate(tmp_path / "step", inputs)
    assert ended.code == 1
    assert ended.annotations("error")[0].properties["file"] == "services/web/credentials/policy.yaml"


def test_annotations_and_the_summary_can_be_left_out_and_the_gate_cannot(gate) -> None:
    ended = gate({**AS_OF, "annotations": "false", "summary": "false"})
    assert (ended.code, ended.obeyed, ended.summary) == (1, [], "")


def test_what_a_baseline_knows_does_not_fail_the_step_and_what_it_lacks_does(gate, workspace) -> None:
    before, late = gate(BEFORE), gate()
    assert (late.outputs["new"], late.outputs["known"]) == ("", "")
    shutil.copy(late.outputs["json"], workspace / "late.json")
    shutil.copy(before.outputs["json"], workspace / "before.json")
    known = gate({**AS_OF, "baseline": "late.json"})
    assert (known.code, known.outputs["exit-code"], known.outputs["high"]) == (0, "0", "1")
    assert (known.outputs["new"], known.outputs["known"]) == ("0", "1")
    new = gate({**AS_OF, "baseline": "before.json"})
    assert (new.code, new.outputs["new"], new.outputs["known"]) == (1, "1", "0")
    assert no_audit(gate({**AS_OF, "baseline": "not-there.json"}), 2)
    (workspace / "late.json").write_text("{}")
    assert no_audit(gate({**AS_OF, "baseline": "late.json"}), 2), "never as if there were none"


def test_a_program_that_breaks_before_it_reports_is_no_audit_even_if_it_ends_like_a_finding(gate) -> None:
    """Python itself ends with 1 where it cannot start, which must not be read as findings."""
    assert no_audit(gate(AS_OF, PYTHONHOME="nowhere"), 4)


def test_a_program_that_is_not_there_is_no_audit(workspace, tmp_path) -> None:
    assert no_audit(Runner(tmp_path, workspace).gate(tmp_path / "step", AS_OF), 127)


def test_no_input_is_ever_pasted_into_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
        script = ROOT / step["run"].strip('"').removeprefix("$GITHUB_ACTION_PATH/")
        assert script.stat().st_mode & 0o111
        for name in step["env"]:
            assert f"${{{name}" in script.read_text() or f"${name}" in script.read_text()


def test_every_input_and_output_is_explained_and_reaches_its_script() -> None:
    given = {
        value.removeprefix("${{ inputs.").removesuffix(" }}"): name
        for step in ACTION["runs"]["steps"]
        for name, value in step["env"].items()
    }
    assert set(given) == set(ACTION["inputs"])
    assert all(name == f"INPUT_{key.upper().replace('-', '_')}" for key, name in given.items())
    for entry in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert entry["description"].endswith(".")


def test_a_runner_reads_commands_as_these_tests_do() -> None:
    """The reading itself: without stopping, each of these lines is obeyed."""
    log = "::error file=a%2Cb,line=1::c%0Ad\nx ##[set-output name=a;]b\n ::notice::n\n"
    assert Ended(0, log, "", {}, "").obeyed == [
        Command("error", {"file": "a,b", "line": "1"}, "c\nd"),
        Command("set-output", {"name": "a"}, "b"),
        Command("notice", {}, "n"),
    ]
    assert Ended(0, f"::stop-commands::t\n{log}::t::\n", "", {}, "").obeyed == []
