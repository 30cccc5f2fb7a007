"""What every test may ask for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from transcripts import surroundings

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
