"""The records of a log, as the README of an example says to export them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def exported(example: Path, log: list[str], folder: Path) -> None:
    """Run what stands behind the cloud's own command in the example's README, over the lines of a log."""
    readme = (example / "README.md").read_text("utf-8")
    [pipeline] = re.findall(r"^    \| (.*awk .*)$", readme, re.MULTILINE)
    text = "".join(f"{line}\n" for line in log)
    subprocess.run(["bash", "-c", pipeline], input=text.encode(), cwd=folder, check=True)
