"""A rotation at a real terminal: what stands and changes there, what is asked, and how it is left."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.rotating import CANARY, alive, entry, prepare, record, served
from transcripts import surroundings

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A run of the program with a terminal as stdin and stderr; stdout goes to a pipe."""

    def __init__(self, folder: Path, *arguments: str, columns: int = 80) -> None:
        self._leader, follower = pty.openpty()
        self._written = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "keyaudit", *arguments],
            cwd=folder,
            env={**surroundings(), "COLUMNS": str(columns), "TERM": "xterm"},
            stdin=follower,
            stdout=subprocess.PIPE,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        try:
            while part := os.read(self._leader, 65_536):
                self._written += part.decode(errors="replace")
        except OSError:  # what Linux says when the other end is closed
            return

    @property
    def shown(self) -> str:
        return ESCAPES.sub("", self._written).replace("\r\n", "\n")

    def until(self, said: str, within: float = 30) -> None:
        end = time.monotonic() + within
        while said not in self.shown:
            assert time.monotonic() < end, f"{said!r} was never shown:\n{self.shown}"
            assert self.process.poll() is None or said in self.shown, self.shown
            time.sleep(0.02)

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def end(self) -> tuple[int, bytes]:
        assert self.process.stdout is not None
        stdout = self.process.stdout.read()
        code = self.process.wait(timeout=30)
        self._reader.join()
        self.process.stdout.close()
        os.close(self._leader)
        return code, stdout


@pytest.mark.parametrize("columns", [80, 200])
def test_the_steps_and_both_keys_stand_on_the_terminal_and_the_last_is_asked(columns, tmp_path) -> None:
    prepare(tmp_path)
    terminal = Terminal(tmp_path, "rotate", "run", "demo", "--confirm-silent", columns=columns)
    terminal.until("Go on? [y/N]")
    assert alive(tmp_path) == ["key-1", "key-2"], "nothing is revoked before the answer"
    terminal.type("y\n")
    code, stdout = terminal.end()
    assert (code, stdout) == (0, b"")
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-2", ["key-2"])
    shown = terminal.shown
    assert "✓ provision  ✓ stage  ✓ verify  ▶ promote  · drain  · retire" in shown
    assert "✓ provision  ✓ stage  ✓ verify  ✓ promote  ✓ drain  ✓ retire" in shown, "the end is seen as one"
    assert "new  key-2  in use for" in shown
    assert "old  key-1  kept beside, works" in shown
    assert "key key-1 is revoked for good" in shown
    assert "demo: rotated: the rotation is at its end" in shown
    assert "CANARY" not in shown


def test_no_is_an_answer(tmp_path) -> None:
    prepare(tmp_path)
    terminal = Terminal(tmp_path, "rotate", "run", "demo", "--confirm-silent")
    terminal.until("Go on? [y/N]")
    terminal.type("n\n")
    assert terminal.end()[0] == 1
    assert alive(tmp_path) == ["key-1", "key-2"]
    assert "demo: blocked: it was not confirmed" in terminal.shown


def test_a_terminal_waits_and_an_interrupt_says_how_to_go_on(tmp_path, keyaudit) -> None:
    prepare(tmp_path)
    terminal = Terminal(tmp_path, "rotate", "run", "demo")
    terminal.until("left: nobody can tell")
    terminal.until("in use for 1 s")  # the lines are drawn anew while time passes
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.end()[0] == 130
    assert "demo: interrupted; when last looked at, applications are given key key-2" in terminal.shown
    assert "keyaudit rotate resume demo goes on" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert alive(tmp_path) == ["key-1", "key-2"]
    done = keyaudit("rotate", "resume", "demo", "--confirm-silent", "--yes")
    assert done.returncode == 0
    assert alive(tmp_path) == ["key-2"]


def test_a_new_value_is_typed_and_not_shown(tmp_path) -> None:
    manual = {"kind": "manual", "provider": "other", "url": "https://acme.example/keys"}
    prepare(tmp_path, entry(issuer=manual, probe={"kind": "command", "argv": [sys.executable, "-c", "pass"]}))
    terminal = Terminal(tmp_path, "rotate", "promote", "demo")
    assert terminal.end()[0] == 1, "nothing is under way"
    terminal = Terminal(tmp_path, "rotate", "run", "demo", "--confirm-silent", "--yes")
    terminal.until("key (not shown):")
    terminal.type(f"{CANARY}-typed\n")
    terminal.until("Is that done? [y/N]")
    assert served(tmp_path) == f"{CANARY}-typed"
    terminal.type("y\n")
    assert terminal.end()[0] == 0
    assert "“Revoke”, for this key and no other." in terminal.shown
    assert "CANARY" not in terminal.shown + json.dumps(record(tmp_path))


def killed_when(shown: str, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "rotate", "run", "demo", "--confirm-silent", "--yes")
    terminal.until(shown)
    os.killpg(terminal.process.pid, signal.SIGKILL)
    terminal.end()


STEPS = ("provision: have", "verify: ask", "decide: the new", "promote: give", "revoke: have", "drop: take")


@pytest.mark.parametrize("shown", STEPS)
def test_a_run_that_is_killed_at_any_step_is_carried_on_by_the_next(
    shown: str, tmp_path, command: Callable
) -> None:
    prepare(tmp_path, entry(settle="0s"))
    killed_when(shown, tmp_path)
    (value,) = (served(tmp_path),)
    assert value in {f"{CANARY}-1", f"{CANARY}-2"}
    done = command("rotate", "run", "demo", "--confirm-silent", "--yes")
    assert done.returncode == 0, done.stderr.decode()
    assert served(tmp_path) in {f"{CANARY}-2", f"{CANARY}-3"}
    assert alive(tmp_path) == [f"key-{served(tmp_path).rpartition('-')[2]}"]
