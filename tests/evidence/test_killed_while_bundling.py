"""Killed outright (SIGKILL) at many moments: a bundle is whole or not there, and the next run tidies up."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyaudit.evidence import staging
from transcripts import surroundings

FIRST = Path(__file__).parents[2] / "examples" / "01-first-audit"
CHECK = ["sha256sum", "--strict", "--status", "-c", "SHA256SUMS"]


@contextmanager
def begun(target: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "keyaudit", "scan", "--as-of", "2026-05-01T00:00:00Z", "--bundle", target],
        cwd=FIRST,
        env=surroundings(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


def hidden(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.unfinished"))


def staged(folder: Path) -> int:
    return sum(len(files) for one in hidden(folder) for _, _, files in os.walk(one))


def test_a_run_that_is_killed_leaves_nothing_that_looks_like_a_bundle(tmp_path) -> None:
    """Kill it once a number of files is staged: inputs, then documents, then the seal."""
    whole = 0
    died_with: set[int] = set()
    for number in (1, 5, 12, 16, 18):
        folder = tmp_path / str(number)
        folder.mkdir()
        target = folder / "bundle"
        with begun(target) as process:
            while process.poll() is None and staged(folder) < number and not target.exists():
                time.sleep(0.001)
        ended = process.returncode
        if target.exists():
            whole += 1
            assert (target / "manifest.json").is_file()
            assert subprocess.run(CHECK, cwd=target, check=False).returncode == 0
        else:
            assert ended == -signal.SIGKILL
            died_with.add(staged(folder))
        assert [each.name for each in folder.iterdir() if not each.name.startswith(".")] in ([], ["bundle"])
    assert len(died_with) > 2, f"killed with {sorted(died_with)} files staged, and {whole} ended before"


def test_the_next_run_takes_away_what_a_killed_one_left_and_no_more(tmp_path) -> None:
    target = tmp_path / "bundle"
    with begun(target) as process:
        while not hidden(tmp_path):
            assert process.poll() is None, "it ended before it could be killed"
    [left] = hidden(tmp_path)
    other = tmp_path / ".bundle2.0a0a0a0a0a0a.unfinished"
    other.mkdir()
    with staging.staged(target) as folder:
        assert hidden(tmp_path) == sorted([folder, other]), "another target's is not ours to take away"
        assert not left.exists()
    assert hidden(tmp_path) == [other]


def test_a_run_that_is_under_way_keeps_its_folder(tmp_path) -> None:
    target = tmp_path / "bundle"
    with staging.staged(target) as one, staging.staged(target) as other:
        assert one != other
        assert hidden(tmp_path) == sorted([one, other])
    assert hidden(tmp_path) == []


def test_of_two_runs_at_once_one_has_the_name_and_the_other_is_refused(tmp_path) -> None:
    for name in ("bundle", "bundle.zip"):
        target = tmp_path / name
        with staging.staged(target) as one, staging.staged(target) as other:
            staging.put(one, {"manifest.json": b"one"})
            staging.put(other, {"manifest.json": b"other"})
            staging.publish(one, target, (2026, 5, 1, 0, 0, 0))
            before = sorted(target.iterdir()) if target.is_dir() else target.read_bytes()
            with pytest.raises(staging.UsageError, match="already there"):
                staging.publish(other, target, (2026, 5, 1, 0, 0, 0))
            assert (sorted(target.iterdir()) if target.is_dir() else target.read_bytes()) == before


def test_a_folder_whose_lock_was_lost_to_another_run_is_not_used(tmp_path) -> None:
    left = tmp_path / ".bundle.000000000000.unfinished"
    left.mkdir()
    lock = os.open(left, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    staging.clean(tmp_path / "bundle")
    assert left.exists(), "somebody holds it"
    os.close(lock)
    staging.clean(tmp_path / "bundle")
    assert not left.exists()


def test_packing_the_same_files_gives_the_same_bytes(tmp_path) -> None:
    packed = []
    for name in ("one", "other"):
        target = tmp_path / name / "b.zip"
        target.parent.mkdir()
        with staging.staged(target) as folder:
            contents = {"b/c": b"x" * 10_000, "a": b"", "é": b"1"}
            order = contents if name == "one" else dict(reversed(contents.items()))
            staging.put(folder, order)
            time.sleep(0.01)
            staging.publish(folder, target, (1970, 1, 1, 0, 0, 0))
        packed.append(target.read_bytes())
    assert packed[0] == packed[1]
