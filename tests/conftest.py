"""What every test may ask for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from transcripts import surroundings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
Keyaudit = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def keyaudit(tmp_path: Path) -> Keyaudit:
    """Run the real program in a process of its own, by default in an empty folder."""

    def run(*arguments: str | Path, cwd: Path = tmp_path, stdin: bytes = b"", **environment: str):
        return subprocess.run(
            [sys.executable, "-m", "keyaudit", *map(str, arguments)],
            cwd=cwd,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
            env={**surroundings(), "XDG_CACHE_HOME": str(tmp_path / "cache"), **environment},
        )

    return run


@dataclass(frozen=True)
class Ending:
    """How a run inside this process ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


@pytest.fixture
def command(tmp_path: Path, monkeypatch, capfdbinary) -> Callable[..., Ending]:
    """Run the program inside this process, which is quicker, by default in an empty folder."""

    def run(*arguments: str | Path, cwd: Path = tmp_path) -> Ending:
        from keyaudit.cli import run as keyaudit_run

        monkeypatch.chdir(cwd)
        monkeypatch.setenv("COLUMNS", "110")
        code = keyaudit_run([str(argument) for argument in arguments])
        return Ending(code, *capfdbinary.readouterr())

    return run


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of this machine. Its event loop runs as long as it does: hence one a module, no more."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing, and CI must look at the page")
        pytest.skip("chromium is not installed: the page was not looked at")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=options)
        yield started
        started.close()


DEEP = (
    "tests/ci/test_action.py",
    "tests/evidence/test_determinism.py",
    "tests/evidence/test_killed_while_bundling.py",
    "tests/evidence/test_tampering.py::test_steps_by_hand_for_another_bundle_are_named",
    "tests/evidence/test_tampering.py::test_templates_on_paper_are_filled_for_a_trusted_key",
    "tests/evidence/test_verify.py::test_a_pdf_of_",
    "tests/formats/test_html.py::test_a_hundred_thousand_findings_stay_usable",
    "tests/formats/test_pdf.py::test_ten_thousand_findings_stay_a_document_that_is_read",
    "tests/history/test_searched.py::test_a_day_at_a_time_is_all_at_once_however_the_files_are_called",
    "tests/inventory/test_large.py::test_no_object_a_credential_stays_behind",
    "tests/rotation/hosted/",
    "tests/rotation/stores/test_contract_races.py",
    "tests/rotation/stores/test_dotenv.py::test_a_run_that_is_killed_while_it_writes",
    "tests/rotation/stores/test_every_request.py",
    "tests/rotation/test_anthropic_server.py::test_a_page_of_the_report_has_as_many_buckets",
    "tests/rotation/test_aws_rotation.py::test_a_run_that_breaks_at_any_change_is_finished_by_running_again",
    "tests/rotation/test_end_to_end.py",
    "tests/rotation/test_exhaustively.py::test_an_emergency_beside_a_rotation",
    "tests/rotation/test_exhaustively.py::test_one_may_rotate_while_another_rolls_back",
    "tests/rotation/test_exhaustively.py::test_somebody_may_store_a_key_of_their_own",
    "tests/rotation/test_exhaustively.py::test_two_runs_may_race_and_be_killed_at_any_call",
    "tests/rotation/test_killed_end_to_end.py",
    "tests/rotation/test_openai_server.py::test_a_page_of_use_has_as_many_buckets",
    "tests/test_determinism.py::test_no_difference_between_machines_changes_a_byte",
    "tests/test_rotate_example.py",
)
"""What `make deep` runs and `make test` leaves out, saying so: with them it takes longer than CI may."""

IN_EVERY_RUN = {
    "tests/ci/test_action.py": (
        "test_an_overdue_key_fails_at_its_line_of_the_policy_with_all_that_it_takes_to_act",
        "test_what_a_baseline_knows_does_not_fail_the_step_and_what_it_lacks_does",
    ),
    "tests/evidence/test_killed_while_bundling.py": (
        "test_a_run_that_is_killed_leaves_nothing_that_looks_like_a_bundle",
    ),
    "tests/test_determinism.py": ("test_no_difference_between_machines_changes_a_byte[json]",),
    "tests/rotation/test_end_to_end.py": (
        "test_a_finding_is_rotated_away_without_a_failed_request_and_the_record_is_evidence[dotenv x command]",
        "test_what_was_taken_back_is_as_late_as_before_and_its_promotion_is_on_record[dotenv x command]",
    ),
    "tests/rotation/test_killed_end_to_end.py": (
        "test_a_process_that_is_killed_by_the_program_it_runs_leaves_a_rotation_that_goes_on[probe before-False]",
    ),
}
"""One way through what is deep, which `make test` takes as well: else it breaks and nobody sees it for days."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    shallow = {f"{file}::{name}" for file, names in IN_EVERY_RUN.items() for name in names}
    for item in items:
        if item.nodeid.startswith(DEEP) and item.nodeid not in shallow:
            item.add_marker(pytest.mark.deep)
