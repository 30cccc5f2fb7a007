"""What `examples/13-evidence-bundle` shows is what happens, with a key that is made on the spot.

<!-- bundle: CODE -->     a console block: `$ COMMAND`, what it prints, and the last one ends with CODE
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from consoles import commands, fits
from transcripts import ROOT, surroundings

EXAMPLE = ROOT / "examples" / "13-evidence-bundle"
BLOCK = re.compile(r"^<!-- bundle: (\d) -->\n```console\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Run a line as a reader would, with keyaudit on the path."""
    folder = tmp_path_factory.mktemp("evidence")
    shutil.copytree(EXAMPLE, folder / "example")
    program = folder / "bin" / "keyaudit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m keyaudit "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**surroundings(), "PATH": path, "XDG_CACHE_HOME": str(folder / "cache")}

    def run(command: str) -> tuple[int, list[str]]:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder / "example",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout.decode().rstrip("\n").splitlines()

    return run


def test_bundles_are_made_chained_verified_and_found_out_as_the_readme_shows(shell) -> None:
    blocks = BLOCK.findall((EXAMPLE / "README.md").read_text("utf-8"))
    assert len(blocks) > 5
    for code, block in blocks:
        for command, shown in commands(block):
            ended, printed = shell(command)
            assert fits(shown, printed), f"$ {command}\n" + "\n".join(printed)
        assert ended == int(code), block


def test_every_command_that_the_readme_shows_is_run() -> None:
    text = (EXAMPLE / "README.md").read_text("utf-8")
    shown = [line for line in text.splitlines() if line.startswith("$ ")]
    run = [command for _, block in BLOCK.findall(text) for command, _ in commands(block)]
    assert len(run) == len(shown) > 10


def test_the_key_is_made_on_the_spot_and_none_is_kept(tmp_path: Path) -> None:
    kept = [file for file in EXAMPLE.rglob("*") if file.is_file()]
    assert [file.name for file in kept if b"PRIVATE KEY" in file.read_bytes()] == []
