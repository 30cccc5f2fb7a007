"""What every test may ask for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
            env={**plain_environment(), **environment},
        )

    return run


def plain_environment() -> dict[str, str]:
    """Give the surroundings of a run that must not depend on who runs it."""
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "KEYAUDIT_"))}
    return {**kept, "COLUMNS": "100", "TERM": "dumb", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
