"""`keyaudit scan` through the real program: exit codes, where bytes go, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

AS_OF = ("--as-of", "2026-05-01T00:00:00Z")
POLICY = """\
policy: acme
owner: a@acme.example
approved_by: b@acme.example
reviewed_on: 2026-01-01
review_every: 365d
schedules:
  - {name: production, match: {environment: production}, rotation_period: 90d, grace_period: 48h}
  - {name: other, match: {}, rotation_period: 180d, grace_period: 14d}
"""


def credential(identity: str, created_at: str | None, **more: object) -> dict[str, object]:
    return {
        "source": "hand",
        "scope": "acme",
        "id": identity,
        "name": identity,
        "class": "api-key",
        "environment": "production",
        "owner": "a@acme.example",
        "versions": [
            {"id": "2", "state": "current", "created_at": created_at},
            {
                "id": "1",
                "state": "destroyed",
                "created_at": "2024-01-01T00:00:00Z",
                "superseded_at": "2024-02-01T00:00:00Z",
            },
        ],
        **more,
    }


FRESH = credential("fresh", "2026-04-20T00:00:00Z")
STALE = credential("stale", "2025-12-01T00:00:00Z")
UNDATED = credential("undated", None)
UNOWNED = credential("unowned", "2026-04-20T00:00:00Z", owner=None)
DENIED = {"source": "hand", "scope": "other", "status": "failed", "reason": "denied"}
EMPTY = {"source": "hand", "scope": "other", "status": "empty", "credentials": 0}
BROKEN = {**FRESH, "created_at": "2026-05-01"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def write(folder: Path, *credentials: object, coverage: tuple[object, ...] = (), name: str = "i.json") -> str:
    document = {
        "schema": "keyaudit/inventory/1",
        "coverage": list(coverage),
        "credentials": list(credentials),
    }
    (folder / name).write_text(json.dumps(document))
    return name


# what is there, what is asked for, the exit code: 4 > 2 > 1 > 3 > 0
ENDINGS = {
    "nothing found": ([FRESH], [], (), 0),
    "a high finding": ([FRESH, STALE], [], (), 1),
    "a finding below the gate": ([FRESH, STALE], [], ("--fail-on", "critical"), 0),
    "no gate": ([FRESH, STALE], [], ("--fail-on", "none"), 0),
    "a medium finding passes the default gate": ([FRESH, UNOWNED], [], (), 0),
    "a medium finding fails its own gate": ([FRESH, UNOWNED], [], ("--fail-on", "medium"), 1),
    "an unknown verdict": ([FRESH, UNDATED], [], (), 3),
    "a denied scope": ([FRESH], [DENIED], (), 3),
    "an empty scope": ([FRESH], [EMPTY], (), 3),
    "nothing at all": ([], [], (), 3),
    "a finding outweighs what was not seen": ([STALE, UNDATED], [DENIED], (), 1),
    "a finding below the gate does not": ([STALE, UNDATED], [DENIED], ("--fail-on", "none"), 3),
    "a broken row outweighs a finding": ([STALE, BROKEN], [], (), 2),
    "an unknown framework": ([STALE], [], ("--framework", "soc3"), 2),
    "an unknown policy": ([STALE], [], ("--policy", "missing.yaml"), 2),
    "a missing document": ([STALE], [], ("--inventory", "missing.yaml"), 2),
    "no folder to write into": ([STALE], [], ("--output", "policy.yaml"), 2),
    "two formats on stdout": ([STALE], [], ("--format", "json", "--format", "csv"), 2),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_the_exit_code_is_the_verdict_on_the_whole(case: str, folder: Path, command) -> None:
    credentials, coverage, arguments, code = ENDINGS[case]
    inventory = write(folder, *credentials, coverage=tuple(coverage))
    done = command("scan", "--inventory", inventory, "--policy", "policy.yaml", *AS_OF, *arguments)
    assert done.returncode == code, done.stderr.decode()
    assert bool(done.stdout) == (code != 2), "stdout is a document, or nothing"
    assert b"Traceback" not in done.stderr
    assert bool(done.stderr) == (code == 2)


def test_one_document_on_stdout_and_nothing_else(folder: Path, command) -> None:
    inventory = write(folder, STALE)
    arguments = ("scan", "--inventory", inventory, "--policy", "policy.yaml", *AS_OF, "--format", "json")
    printed = command(*arguments, "--output", "-")
    assert (printed.returncode, printed.stderr) == (1, b"")
    assert json.loads(printed.stdout)["summary"]["exit_code"] == 1
    assert command(*arguments).stdout == printed.stdout


def test_a_folder_gets_one_file_a_format(folder: Path, command) -> None:
    inventory = write(folder, STALE)
    formats = ("--format", "json", "--format", "markdown", "--format", "json")
    done = command("scan", "--inventory", inventory, *AS_OF, *formats, "--output", "new/folder")
    assert done.returncode == 1
    assert done.stdout == b""
    assert sorted(path.name for path in (folder / "new/folder").iterdir()) == ["report.json", "report.md"]
    assert done.stderr.decode().splitlines() == ["wrote new/folder/report.json", "wrote new/folder/report.md"]


def test_a_file_does_not_depend_on_the_window(folder: Path, keyaudit) -> None:
    inventory = write(folder, STALE)
    for columns in ("60", "160"):
        keyaudit("scan", "--inventory", inventory, *AS_OF, "--output", columns, COLUMNS=columns)
    assert (folder / "60/report.txt").read_bytes() == (folder / "160/report.txt").read_bytes()


def test_the_configuration_is_what_a_bare_scan_reads(folder: Path, command) -> None:
    write(folder, FRESH, UNOWNED)
    (folder / "keyaudit.yaml").write_text(
        "inventory: [i.json]\npolicy: policy.yaml\nframeworks: [soc2]\nfail_on: medium\n"
    )
    assert command("scan", *AS_OF).returncode == 1
    assert command("scan", *AS_OF, "--fail-on", "high").returncode == 0, "an option outweighs the file"
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    done = command("scan", *AS_OF, "--config", "../keyaudit.yaml", "--format", "json", cwd=elsewhere)
    assert [used["id"] for used in json.loads(done.stdout)["frameworks"]] == ["soc2"]


def test_without_anything_it_says_how_to_start(command) -> None:
    done = command("scan")
    assert done.returncode == 2
    assert done.stderr.decode().splitlines() == [
        "keyaudit: nothing to audit: no --inventory, no --source and no keyaudit.yaml here",
        "hint: keyaudit init writes a keyaudit.yaml; or: keyaudit scan --inventory FILE",
    ]


def test_several_documents_are_merged_and_none_may_repeat_another(folder: Path, command) -> None:
    one, two = write(folder, FRESH, name="one.json"), write(folder, STALE, name="two.json")
    both = command("scan", "--inventory", one, "--inventory", two, *AS_OF, "--format", "json")
    assert json.loads(both.stdout)["inventory"]["credentials"] == 2
    twice = command(
        "scan", "--inventory", one, "--inventory", write(folder, FRESH, name="three.json"), *AS_OF
    )
    assert twice.returncode == 2
    assert b"three.json" in twice.stderr


def test_every_problem_of_every_document_is_said(folder: Path, command) -> None:
    odd = write(folder, {**FRESH, "ownr": "x", "tier": "one"}, name="odd.json")
    done = command("scan", "--inventory", write(folder, BROKEN), "--inventory", odd)
    assert done.returncode == 2
    said = done.stderr.decode()
    assert said.count("i.json:") == 1
    assert said.count("odd.json:") == 2
    assert "did you mean 'owner'" in said


def test_names_cannot_drive_the_terminal(folder: Path, keyaudit) -> None:
    hostile = write(folder, {**STALE, "name": "\x1b[2J\u202eevil", "owner": "\x1b]0;owned\x07"})
    done = keyaudit("scan", "--inventory", hostile, *AS_OF)
    assert done.returncode == 1
    assert not {0x1B, 0x07} & set(done.stdout)
    assert "\u202e" not in done.stdout.decode()


def test_a_saved_report_is_rendered_again_to_the_same_bytes(folder: Path, keyaudit) -> None:
    inventory = write(folder, STALE, UNDATED)
    formats = [
        part
        for name in ("json", "terminal", "csv", "markdown", "html", "junit")
        for part in ("--format", name)
    ]
    keyaudit("scan", "--inventory", inventory, *AS_OF, "--framework", "soc2", *formats, "--output", "first")
    done = keyaudit("report", "first/report.json", *formats, "--output", "second")
    assert done.returncode == 1, "the code of the audit that it reports"
    assert len(list((folder / "first").iterdir())) == 6
    for file in (folder / "first").iterdir():
        assert (folder / "second" / file.name).read_bytes() == file.read_bytes(), file.name
    piped = keyaudit("report", "-", "--format", "csv", stdin=(folder / "first/report.json").read_bytes())
    assert piped.stdout == (folder / "first/report.csv").read_bytes()


def test_reports_for_people_name_the_entity_and_carry_its_marking(folder: Path, command) -> None:
    write(folder, FRESH)
    (folder / "keyaudit.yaml").write_text(
        "inventory: [i.json]\npolicy: policy.yaml\nreport: {entity: 'Acme & Sons', marking: TOP <b>}\n"
    )
    names = ("terminal", "markdown", "html", "json", "csv")
    formats = [part for name in names for part in ("--format", name)]
    command("scan", *AS_OF, *formats, "--output", "out")
    made = {file.suffix: file.read_text("utf-8") for file in (folder / "out").iterdir()}
    assert made[".txt"].startswith("keyaudit 0.1.0 · Acme & Sons · acme · as of")
    assert "| Entity | `Acme & Sons` |" in made[".md"]
    assert "<h1>Acme &amp; Sons</h1>" in made[".html"]
    assert "TOP &lt;b&gt;" in made[".html"]
    assert "Sons" not in made[".json"] + made[".csv"], "the data stays the same"
    command("scan", *AS_OF, "--entity", "Other", "--format", "html", "--output", "out")
    again = command("report", "out/report.json", "--entity", "Other", "--format", "html")
    assert b"<h1>Other</h1>" in again.stdout
    assert again.stdout == (folder / "out/report.html").read_bytes()


def test_the_pdf_carries_the_entity_and_the_marking(folder: Path, command) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    inventory = write(folder, FRESH)
    command(
        "scan",
        "--inventory",
        inventory,
        *AS_OF,
        "--entity",
        "Acme & Sons",
        "--format",
        "pdf",
        "--output",
        "o",
    )
    with pikepdf.open(folder / "o/report.pdf") as pdf:
        assert (
            str(pdf.docinfo["/Title"]) == "Credential rotation audit: Acme & Sons, as of 2026-05-01T00:00:00Z"
        )


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_an_instant_that_no_audit_could_have_is_a_usage_error(text: str, folder: Path, command) -> None:
    done = command("scan", "--inventory", write(folder, FRESH), "--as-of", text)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"--as-of: " + text.encode() + b" does not lie in the years 1970 to 9998" in done.stderr


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z"])
def test_the_first_and_the_last_instant_of_an_audit(text: str, folder: Path, command) -> None:
    done = command("scan", "--inventory", write(folder, FRESH), "--as-of", text)
    assert done.returncode in {1, 3}, done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", b"not JSON"),
        (b"{}", b"expected keyaudit/report/1"),
        (b'{"schema": "keyaudit/report/1", "sha256": "0"}', b"does not fit the document"),
    ],
)
def test_a_report_that_was_changed_is_refused(content, said, folder: Path, command) -> None:
    (folder / "report.json").write_bytes(content)
    done = command("report", "report.json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr
