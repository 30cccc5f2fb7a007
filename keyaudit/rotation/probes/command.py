"""A program of your own that tries a value.

    probe:
      kind: command
      argv: [./try-acme-key]             # a list, never a shell; paths count from keyaudit.yaml's folder
      variables: []                      # what it is given of the environment, beside PATH, HOME and LANG
      timeout: 30s

The parts of the value come on stdin as one JSON object, {"key": "…"}. The exit code is the answer:

    0   alive          3   alive, and may do less than it was asked for
    4   dead           any other: nobody can tell

1 is not `dead`: it is what a program exits with that crashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from keyaudit.errors import RotationError
from keyaudit.rotation.doors.command import CommandSettings, Program
from keyaudit.rotation.party import Means
from keyaudit.rotation.secret import Parts
from keyaudit.rotation.sight import Liveness

_MEANING: Mapping[int, Liveness] = {0: Liveness.ALIVE, 3: Liveness.RESTRICTED, 4: Liveness.DEAD}


class ProbeCommandSettings(CommandSettings):
    """Checked settings."""

    kind: Literal["command"]


class ProbeCommand:
    """Asks a program by its exit code."""

    kind = "command"
    Settings = ProbeCommandSettings
    calls: ClassVar[tuple[str, ...]] = ("probe",)

    def __init__(self, program: Program) -> None:
        self._program = program

    @classmethod
    def opened(cls, settings: ProbeCommandSettings, means: Means) -> Self:
        """Open it; raises UsageError for a variable that is not set."""
        return cls(Program(settings, means))

    def ask(self, parts: Parts) -> Liveness:
        """Run it once; what it cannot say is unknown."""
        try:
            said = self._program.ask(dict(parts))
        except RotationError:
            return Liveness.UNKNOWN
        return _MEANING.get(said.exit_code, Liveness.UNKNOWN)
