"""One rotation of keyaudit.yaml, opened: its parties, its record, and who asks for it."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.cli.clock import now
from keyaudit.cli.outputs import tell
from keyaudit.errors import UsageError
from keyaudit.formats.visible import UNSEEN

if TYPE_CHECKING:
    from keyaudit.cli.rotate.options import Given
    from keyaudit.cli.rotate.settings import Rotations
    from keyaudit.rotation.journal import FileJournal, Request
    from keyaudit.rotation.parties import Parties
    from keyaudit.rotation.party import Means
    from keyaudit.rotation.settings import RotationSettings

    Ask = Callable[[str, tuple[str, ...]], Mapping[str, str] | None]

LONGEST = 1000
"""Characters of a text for the record."""
FOLDER = Path(".keyaudit") / "rotations"


@dataclass(frozen=True, slots=True)
class Opened:
    """A rotation and everybody who takes part in it."""

    settings: RotationSettings
    rotations: Rotations
    parties: Parties
    journal: FileJournal
    means: Means

    @property
    def name(self) -> str:
        """Give the name by which keyaudit.yaml calls it."""
        return self.settings.name


def opened(name: str, given: Given, ask: Ask | None = None) -> Opened:
    """Open a rotation without asking anybody anything; raises UsageError, PolicyError, MissingExtraError."""
    from keyaudit.cli.rotate.settings import read
    from keyaudit.rotation.party import Means
    from keyaudit.rotation.settings import open_parties

    # gRPC's core writes to stderr by itself, where our messages must stay readable by machines.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    rotations = read(given.config)
    settings = rotations.named(name)
    means = Means(clock=now, environment=os.environ, folder=rotations.folder, ask=ask)
    parties = open_parties(settings, means)
    journal = _journal(settings, rotations, given, parties.store.credential)
    return Opened(settings, rotations, parties, journal, means)


def _journal(settings: RotationSettings, rotations: Rotations, given: Given, credential: Any) -> FileJournal:
    from keyaudit.rotation.journal import FileJournal

    return FileJournal(record_of(settings.name, rotations, given), settings.name, credential, _request(given))


def record_of(name: str, rotations: Rotations, given: Given) -> Path:
    """Give the file that holds the record of a rotation."""
    folder = Path(given.journal) if given.journal else rotations.folder / FOLDER
    return folder / f"{name}.ndjson"


def _request(given: Given) -> Request:
    from keyaudit.policy import people
    from keyaudit.rotation.journal import Request

    for option in ("requested_by", "approved_by", "ticket", "reason"):
        _is_text(option, getattr(given, option))
    requested_by = given.requested_by or _whoever_runs_this()
    if people.same(requested_by, given.approved_by):
        tell(
            "requested and approved by the same person: an audit will say so (self-approved)", "self-approved"
        )
    reason = f"out of order: {given.reason}" if given.out_of_order else given.reason
    return Request(requested_by, given.approved_by, given.ticket, reason)


def _is_text(option: str, text: str | None) -> None:
    """Refuse what an auditor could not read in the record; raises UsageError."""
    if text is not None and (len(text) > LONGEST or UNSEEN.search(text)):
        name = option.replace("_", "-")
        raise UsageError(f"--{name}: one line, of {LONGEST:,} characters at most, without control characters")


def _whoever_runs_this() -> str | None:
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):  # a user without a name, as in many containers
        return None
