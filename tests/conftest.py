"""What every test may ask for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
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
            env={**surroundings(), **environment},
        )

    return run
