"""The JavaScript client of the example, run by node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "06-resilient-client"


def test_the_javascript_client_does_the_same() -> None:
    node = shutil.which("node")
    assert node, "nodejs is among the programs that `make test` installs"
    done = subprocess.run(
        [node, "--test"], check=False, cwd=EXAMPLE, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "# fail 0" in done.stdout
    assert "# pass 18" in done.stdout, "a test that does not run finds nothing"
