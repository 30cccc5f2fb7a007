"""What READMEs show of `keyaudit rotate` is what happens against the servers of `make servers`.

    <!-- rotate: CODE -->     a console block: `$ keyaudit …`, what it prints, and the last one ends with CODE

Windows are shorter than there. Instants, durations and random ids may be others; a line `…` stands for
any lines. The application of the example runs all the while, and no request of it may fail.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from consoles import commands, fits
from servers.__main__ import ROTATING, lay_out
from servers.estate import KEYS, Estate
from transcripts import ROOT, surroundings

BLOCK = re.compile(r"^<!-- rotate: (\d) -->\n```console\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SHORTER = {"window: 20s": "window: 1s", "delay: 5s": "delay: 1s"}


class Acme:
    def __init__(self, folder: Path, estate: Estate) -> None:
        self.folder = folder
        lay_out(estate, folder)
        settings = (folder / "keyaudit.yaml").read_text("utf-8")
        for said, shorter in SHORTER.items():
            assert said in settings
            settings = settings.replace(said, shorter)
        (folder / "keyaudit.yaml").write_text(settings, "utf-8")
        self._environment = {**surroundings(), **_exported(folder / "env"), "PYTHONPATH": str(ROOT)}
        self._environment["XDG_CACHE_HOME"] = str(folder / "cache")

    def run(self, command: str) -> tuple[int, list[str]]:
        program, *arguments = shlex.split(command, comments=True)
        assert program == "keyaudit", command
        done = subprocess.run(
            [sys.executable, "-m", "keyaudit", *arguments],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            check=False,
            timeout=120,
        )
        printed = (done.stdout + done.stderr).decode()
        assert "CANARY" not in printed, command
        return done.returncode, printed.rstrip("\n").splitlines()

    @contextmanager
    def application(self) -> Iterator[list[str]]:
        """Run the example's application; its lines are there when it has ended."""
        lines: list[str] = []
        running = subprocess.Popen(
            [sys.executable, "application.py"],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert running.stdout is not None
        try:
            lines.append(running.stdout.readline())
            yield lines
        finally:
            running.send_signal(signal.SIGINT)
            lines += running.communicate(timeout=30)[0].splitlines()


def _exported(file: Path) -> Mapping[str, str]:
    """Read what a shell would have after `source ./env`."""
    shown = subprocess.run(
        ["bash", "-c", 'set -a; source "$0"; env -0', str(file)],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    ).stdout.decode()
    return dict(line.split("=", 1) for line in shown.rstrip("\0").split("\0"))


@pytest.fixture
def acme(tmp_path: Path) -> Iterator[Acme]:
    with Estate() as estate:
        yield Acme(tmp_path / "demo-servers", estate)


@pytest.mark.parametrize(
    "readme", [ROOT / "README.md", ROTATING / "README.md"], ids=lambda path: path.parent.name
)
def test_a_newcomer_sees_what_the_readme_shows_and_no_request_fails(readme: Path, acme: Acme) -> None:
    blocks = BLOCK.findall(readme.read_text("utf-8"))
    assert blocks
    with acme.application() as lines:
        for code, block in blocks:
            for command, shown in commands(block):
                ended, printed = acme.run(command)
                assert fits(shown, printed), f"$ {command}\n" + "\n".join(printed)
            assert ended == int(code), block
    told = re.fullmatch(r"(\d+) requests were answered, (\d+) failed", lines[-1])
    assert told
    assert int(told[1]) > 3
    assert told[2] == "0"


def test_the_record_that_it_leaves_holds_no_value(acme: Acme) -> None:
    assert acme.run("keyaudit rotate run assistant --yes --wait")[0] == 0
    kept = [
        file
        for file in acme.folder.rglob("*")
        if file.is_file() and file.name not in {"env", "application.py"}
    ]
    assert any(file.name == "assistant.ndjson" for file in kept)
    assert [file for file in kept if b"CANARY" in file.read_bytes()] == []


def test_an_access_key_of_aws_is_rotated_to_its_end(acme: Acme) -> None:
    code, printed = acme.run("keyaudit rotate run backup-user --yes --wait")
    assert (code, printed[-2]) == (0, "backup-user: rotated: the rotation is at its end")
    shown = acme.run("keyaudit scan --source aws-users --source aws-secrets --format csv --fail-on none")[1]
    assert [line for line in shown if "backup" in line and "never-rotated" in line] == []


def test_another_line_is_not_what_was_shown() -> None:
    assert fits(["a 3 s", "…", "c"], ["a 12 min 4 s", "b", "b", "c"])
    assert not fits(["a 3 s", "…", "c"], ["a 3 s", "b", "d"])
    assert not fits(["a"], ["a", "b"])


def test_every_rotation_is_listed_with_the_key_that_its_store_holds(acme: Acme) -> None:
    entries = yaml.safe_load((ROTATING / "rotations.yaml").read_text("utf-8"))["rotations"]
    for entry in entries:
        code, printed = acme.run(f"keyaudit rotate status {entry['name']}")
        assert code == 0, printed
        assert any(": in use, works, made" in line for line in printed), printed
    assert {entry["store"]["kind"] for entry in entries} == {"aws-secrets-manager", "vault-kv"}
    assert len(KEYS) == sum(entry["issuer"]["kind"] == "openai" for entry in entries)
