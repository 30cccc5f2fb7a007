"""Two machines' worth of differences change no byte of what a bundle holds, and none of its verification."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evidence import sealing, written
from evidence.written import SIGNER

FORMATS = ("html", "markdown", "csv", "sarif", "junit", "oscal", "terminal")
ONE = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1", "POLARS_MAX_THREADS": "1", "COLUMNS": "80"}
OTHER = {
    "TZ": "Pacific/Kiritimati",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "tr_TR.UTF-8",
    "PYTHONHASHSEED": "2",
    "POLARS_MAX_THREADS": "4",
    "COLUMNS": "200",
    "NO_COLOR": "1",
}
OF_THE_RUN = ("created_at", "command_line")
"""What a manifest says that is not the same in two runs: the clock, and the arguments as they were typed."""


def bundle(machine: Path, *options: str, umask: int = 0o022, **environment: str) -> Path:
    """Write a bundle on a machine of its own: another folder, other permissions, one processor or all."""
    example = Path(shutil.copytree(written.FIRST, machine / "example"))
    wanted = [word for name in FORMATS for word in ("--format", name)]
    scan = [
        sys.executable, "-m", "keyaudit", "scan", "--as-of", written.AS_OF, *wanted, "--output", "out",
        "--bundle", machine / "evidence", "--sign-key", sealing.write_keys(machine, "key", SIGNER), *options,
    ]  # fmt: skip
    pinned = ["taskset", "-c", "0"] if umask == 0o077 and shutil.which("taskset") else []
    done = subprocess.run(
        [*pinned, *scan],
        cwd=example,
        umask=umask,
        capture_output=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(machine), **environment},
    )
    assert done.returncode == 1, done.stderr.decode()
    return machine / "evidence"


@pytest.fixture
def machines(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("one", "the other, elsewhere"):
        (tmp_path / name).mkdir()
    return tmp_path / "one", tmp_path / "the other, elsewhere"


def said(of: Path) -> dict[str, Any]:
    document = sealing.statement(of)
    for name in OF_THE_RUN:
        del document["predicate"][name]
    return document


def test_no_difference_between_machines_changes_a_byte_of_a_bundle(machines: tuple[Path, Path]) -> None:
    one = bundle(machines[0], **ONE)
    other = bundle(machines[1], umask=0o077, **OTHER)
    files = sealing.contents(one)
    assert sealing.contents(other) == files
    assert len(files) == 6 + 6 + len(FORMATS)
    assert (other / "SHA256SUMS").read_bytes() == (one / "SHA256SUMS").read_bytes()
    assert said(other) == said(one)
    for of, environment in ((one, OTHER), (other, ONE)):
        done = written.keyaudit(
            "verify", of, "--key", machines[0] / "key.pem", cwd=machines[1], **environment
        )
        assert done.returncode == 0, done.stdout.decode()


def test_no_engine_changes_a_byte_of_what_a_bundle_says(machines: tuple[Path, Path]) -> None:
    pytest.importorskip("duckdb")
    one = bundle(machines[0], **ONE)
    other = bundle(machines[1], "--engine", "duckdb", **OTHER)
    files, others = sealing.contents(one), sealing.contents(other)
    assert files.pop("audit.json").replace(b'"engine":"polars"', b'"engine":"duckdb"') == others.pop(
        "audit.json"
    )
    assert others == files
    versions = said(one)["predicate"]["versions"].keys()
    assert said(other)["predicate"]["versions"].keys() - versions == {"duckdb"}


def test_two_verifications_of_one_bundle_say_the_same(machines: tuple[Path, Path]) -> None:
    of = bundle(machines[0], **ONE)
    asked = ("verify", of, "--key", machines[0] / "key.pem", "--format", "json")
    one, other = (written.keyaudit(*asked, **environment) for environment in (ONE, OTHER))
    assert one.returncode == other.returncode == 0
    assert one.stdout == other.stdout
