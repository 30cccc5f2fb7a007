"""examples/10-own-provider as its README has it: a key rotated to its end by nothing but programs and files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from transcripts import keyaudit

EXAMPLE = Path(__file__).parents[2] / "examples" / "10-own-provider"
FIRST = "acme-the-key-of-this-example"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    settings = (tmp_path / "rotation.yaml").read_text()
    (tmp_path / "rotation.yaml").write_text(
        settings.replace("window: 1m", "window: 1s").replace("python3", sys.executable)
    )
    (tmp_path / "app.env").write_text(f"ACME_API_KEY={FIRST}\n")
    return tmp_path


def used(folder: Path, key: str) -> None:
    line = {"time": datetime.now(UTC).isoformat(), "key_id": key}
    with (folder / "access.ndjson").open("a") as log:
        log.write(json.dumps(line) + "\n")


@contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Let the service go on with other keys, and its log with it."""
    done = threading.Event()

    def serve() -> None:
        while not done.wait(0.1):
            used(folder, "another")

    service = threading.Thread(target=serve)
    service.start()
    try:
        yield
    finally:
        done.set()
        service.join()


def rotate(folder: Path, step: str, *more: str) -> subprocess.CompletedProcess[bytes]:
    return keyaudit(["rotate", step, "acme", "--config", "rotation.yaml", *more], folder)


def value(folder: Path) -> str:
    lines = (folder / "app.env").read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("ACME_API_KEY="))


def accepted(folder: Path, key: str) -> bool:
    asked = json.dumps({"key": key}).encode() + b"\n"
    done = subprocess.run(
        [sys.executable, "acme_keys.py", "probe"], input=asked, cwd=folder, check=False, timeout=60
    )
    assert done.returncode in {0, 4}
    return done.returncode == 0


def test_the_program_is_run_as_the_readme_says(folder: Path) -> None:
    rehearsed = rotate(folder, "run", "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert value(folder) == FIRST
    used(folder, "another")
    for step in ("begin", "promote"):
        promoted = rotate(folder, step)
        assert promoted.returncode == 0, promoted.stderr
    new = value(folder)
    assert new != FIRST
    assert accepted(folder, FIRST)
    assert accepted(folder, new)
    with in_use(folder):
        done = rotate(folder, "resume", "--no-wait", "--yes")
    assert done.returncode == 0, done.stderr
    assert not accepted(folder, FIRST)
    assert accepted(folder, new)
    written = [path for path in folder.rglob("*") if path.is_file() and path.name != "app.env"]
    assert [path.name for path in written if new.encode() in path.read_bytes()] == []
    for each in (rehearsed, promoted, done):
        assert new.encode() not in each.stdout + each.stderr


def test_the_example_needs_nothing_but_python(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "acme_keys.py"],
        input=b'{"op": "list"}\n',
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        check=True,
        timeout=60,
    )
    [key] = json.loads(done.stdout)["keys"]
    assert key == {"id": "first", "active": True, "token": None, "created_at": "2026-01-15T09:00:00+00:00"}
