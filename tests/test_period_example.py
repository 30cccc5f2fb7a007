"""`examples/12-period-audit`: its ledger as it was worked out by hand, and what is missing without each of its parts."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from transcripts import ROOT

EXAMPLE = ROOT / "examples" / "12-period-audit"
HALF = ("--period", "2026-01-01/2026-06-30", "--as-of", "2026-07-01T00:00:00Z", "--fail-on", "none")

# name, version, when it fell due, what became of it; 90 days allowed until March, 60 from April on
LEDGER = {
    ("prod/openai", "o1", "2026-02-18", "on-time"),  # 20 Nov + 90 d; replaced on 10 Feb
    ("prod/openai", "o2", "2026-04-11", "on-time"),  # 10 Feb + 60 d, which is after the change; 5 Apr
    ("prod/openai", "o3", "2026-06-04", "on-time"),  # 5 Apr + 60 d; 28 May
    ("prod/openai", "o4", "2026-07-27", "not-due"),
    ("prod/stripe", "s1", "2026-03-01", "late"),  # 1 Dec + 90 d; replaced on 20 Mar, 19 d late
    ("prod/stripe", "s2", "2026-05-19", "on-time"),  # 20 Mar + 60 d; 15 May
    ("prod/stripe", "s3", "2026-07-14", "not-due"),
    ("staging/mailer", "m1", "2026-08-29", "not-due"),  # 2 Mar + 180 d
    ("prod/ftp-partner", "f1", "2026-01-30", "late"),  # 1 Nov + 90 d; still listed on 1 April
}


@pytest.fixture
def ledger(tmp_path: Path, command):
    shutil.copytree(EXAMPLE, tmp_path / "example")

    def kept(left_out: str = "") -> set[tuple[str, str, str, str]]:
        settings = (EXAMPLE / "keyaudit.yaml").read_text("utf-8").splitlines(keepends=True)
        text = "".join(line for line in settings if not left_out or left_out not in line)
        (tmp_path / "example" / "keyaudit.yaml").write_text(text, "utf-8")
        ended = command("scan", *HALF, "--format", "ledger", cwd=tmp_path / "example")
        assert ended.returncode in {0, 3}, ended.stderr
        rows = csv.DictReader(ended.stdout.decode().splitlines())
        return {(row["name"], row["version"], row["due_at"][:10], row["result"]) for row in rows}

    return kept


def test_the_ledger_is_what_was_worked_out_by_hand(ledger) -> None:
    assert ledger() == LEDGER


def test_without_its_history_nobody_could_say_what_the_store_forgot(ledger) -> None:
    found = ledger(left_out="history")
    assert not {name for name, _, _, _ in found} & {"prod/ftp-partner"}
    assert not {(name, version) for name, version, _, result in found if result == "late"}, (
        "a late one is lost"
    )


def test_by_todays_policy_alone_a_key_that_was_in_time_would_be_late(ledger) -> None:
    found = ledger(left_out="earlier")
    assert ("prod/openai", "o1", "2026-01-19", "late") in found
    assert {row for row in found if row[0] == "staging/mailer"} == {
        row for row in LEDGER if row[0] == "staging/mailer"
    }
