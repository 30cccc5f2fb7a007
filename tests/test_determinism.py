"""The same inventory, policy and instant give the same bytes, wherever and however they are made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
FIRST = EXAMPLES / "01-first-audit"
INCOMPLETE = EXAMPLES / "03-incomplete-view"
"""Scopes that could not be read, and what is not known of credentials: exit code 3."""
AS_OF = "2026-05-01T00:00:00Z"


def report(format_: str, *options: str, example: Path = FIRST, code: int = 1, **environment: str) -> bytes:
    """Run the program in a process of its own, in an environment of its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "keyaudit",
            "scan",
            "--as-of",
            AS_OF,
            "--format",
            format_,
            "--output",
            "-",
            *options,
        ],
        cwd=example,
        capture_output=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
    )
    assert done.returncode == code, done.stderr.decode()
    return done.stdout


WRITTEN = (
    "json", "csv", "markdown", "html", "pdf", "sarif", "junit", "gitlab", "github", "ocsf", "oscal", "asff",
    "xlsx", "evidence-index", "ledger", "sample",
)  # fmt: skip
OF_A_PERIOD = ("--period", "2025-11-01/2026-04-30", "--sample", "5", "--seed", "q2")
"""So that every format has all that it can have."""


@pytest.mark.parametrize("format_", WRITTEN)
def test_no_difference_between_machines_changes_a_byte(format_: str) -> None:
    one = report(
        format_, *OF_A_PERIOD, PYTHONHASHSEED="1", TZ="UTC", LC_ALL="C.UTF-8", POLARS_MAX_THREADS="1"
    )
    other = report(
        format_,
        *OF_A_PERIOD,
        PYTHONHASHSEED="2",
        TZ="Pacific/Kiritimati",
        LC_ALL="tr_TR.UTF-8",
        COLUMNS="200",
    )
    assert one == other


@pytest.mark.parametrize(("example", "code"), [(FIRST, 1), (INCOMPLETE, 3)], ids=["first", "incomplete"])
def test_no_engine_changes_a_byte(example: Path, code: int) -> None:
    pytest.importorskip("duckdb")
    asked = ("json", "--framework", "pci-dss")
    database = report(
        *asked,
        "--engine",
        "duckdb",
        example=example,
        code=code,
        TZ="Asia/Tokyo",
        LC_ALL="C",
        PYTHONHASHSEED="7",
        POLARS_MAX_THREADS="1",
    )
    assert report(*asked, example=example, code=code) == database


def test_every_verdict_is_counted_once() -> None:
    document = json.loads(report("json"))
    verdicts, rules = document["summary"]["verdicts"], document["rules"]
    for word in ("pass", "fail", "unknown", "not-applicable", "waived"):
        assert verdicts[word] == sum(rule[word.replace("-", "_")] for rule in rules)
    assert verdicts["fail"] == sum(document["summary"]["by_severity"].values())
    shown = [finding["verdict"] for finding in document["findings"]]
    assert {word: shown.count(word) for word in ("fail", "unknown", "waived")} == {
        word: verdicts[word] for word in ("fail", "unknown", "waived")
    }
    about_credentials = [rule for rule in rules if rule["id"] not in _OTHER_SUBJECTS]
    for rule in about_credentials:
        counted = sum(rule[word] for word in ("pass", "fail", "unknown", "not_applicable", "waived"))
        assert counted == document["inventory"]["credentials"], rule["id"]


_OTHER_SUBJECTS = {"KA801", "KA901", "KA902", "KA903", "KA904", "KA905"}
