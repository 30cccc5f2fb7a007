"""A program of the user's own: one JSON object on its stdin, and what it says by stdout and exit code.

Never a shell: `argv` is a list. Values travel on stdin and stdout only, which no other process of
this machine can read; an argument or an environment variable could be. The program is given `PATH`,
`HOME` and `LANG`, and the variables that settings name. What it writes to stderr is dropped: nobody
knows what is in it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from keyaudit.errors import RotationError
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.sources.pulling.settings import Variable
from keyaudit.times import SECOND

_USUAL = ("PATH", "HOME", "LANG")
_LARGEST = 1024 * 1024
"""Bytes of an answer."""


class CommandSettings(PartySettings):
    """Checked settings that every program has; relative paths count from keyaudit.yaml's folder."""

    argv: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    variables: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What a program answered; stdout may hold a new key: it is not shown."""

    exit_code: int
    stdout: bytes

    def __repr__(self) -> str:
        return f"Said(exit_code={self.exit_code})"


class Program:
    """Runs one program, once for each request."""

    def __init__(self, settings: CommandSettings, means: Means) -> None:
        """Nothing is run before it is asked; raises UsageError for a variable that is not set."""
        self._argv = list(settings.argv)
        self._timeout = settings.timeout / SECOND
        self._folder: Path = means.folder
        usual = {name: means.environment[name] for name in _USUAL if name in means.environment}
        self._environment = usual | {name: means.key(name).reveal() for name in settings.variables}

    @property
    def name(self) -> str:
        """Say which program it is."""
        return Path(self._argv[0]).name

    def ask(self, request: Mapping[str, Any]) -> Said:
        """Run it; raises RotationError where it cannot be run, or takes too long and is killed."""
        try:
            process = subprocess.Popen(  # noqa: S603 - a list from keyaudit.yaml, no shell
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not a command"
            raise RotationError(f"{self.name} cannot be run: {why}", hint="see argv") from None
        try:
            answer, _ = process.communicate(json.dumps(request).encode() + b"\n", timeout=self._timeout)
        except subprocess.TimeoutExpired:
            raise RotationError(
                f"{self.name} took longer than {self._timeout:g} s and was stopped",
                hint="what it was asked for may have been done: run it again, which looks first",
            ) from None
        finally:
            _stop(process)
        if len(answer) > _LARGEST:
            raise RotationError(f"{self.name} answered far too much")
        return Said(process.returncode, answer)

    def told(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Give the JSON object that it answers; raises RotationError for anything else."""
        said = self.ask(request)
        if said.exit_code != 0:
            raise RotationError(
                f"{self.name} {request.get('op', '')} failed (exit code {said.exit_code})",
                hint="run it by hand; what it writes to stderr is not repeated here",
            )
        try:
            answer = json.loads(said.stdout)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise RotationError(f"{self.name} {request.get('op', '')} did not answer with a JSON object")
        return answer


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End whatever the program started and left behind, and close its pipes."""
    with suppress(ProcessLookupError, PermissionError):  # it is gone already
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None and not pipe.closed:
            pipe.close()
