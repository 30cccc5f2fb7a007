"""The steps of rotations that were done, as their records say: what each was about, and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from keyaudit.rotation_record import Record, RecordFile

Identity = tuple[str, str, str]
"""Source, scope and id of a credential."""
CHANGES = ("promote", "restore")
"""The steps that change which value is in use."""
_REMEMBERED = frozenset({"provision", "revoke", "void", "drop", *CHANGES})


@dataclass(frozen=True, slots=True)
class Place:
    """A value by its names; None where not said.

    `version` is what its store calls it there, `key` what its provider does, `token` names the rotation that
    made it.
    """

    version: str | None
    key: str | None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a rotation that was done: by the line that says so."""

    record: Record

    @property
    def identity(self) -> Identity:
        """The credential in its store."""
        return self.record.source, self.record.scope, self.record.id

    @property
    def key(self) -> str | None:
        """The key that a step is about, of those that name one."""
        return text(self.record.detail.get("key_id"))

    def place(self, name: str) -> Place:
        """Give the value in a place before the step: `current`, `pending` or `previous`."""
        held = self.record.detail.get(name)
        found: Mapping[str, Any] = held if isinstance(held, dict) else {}
        token = self.record.token if name == "pending" and found else None
        return Place(text(found.get("version")), text(found.get("key_id")), token)

    def follows(self, other: Step) -> bool:
        """Say whether a step is of the same rotation as another one."""
        return self.record.token is not None and self.record.token == other.record.token


def done(files: Iterable[RecordFile]) -> list[Step]:
    """Give the steps that were done, each once, dated by its result; what was made, by its intent.

    A file with any problem tells nothing. A rotation's promotion took place where it has a result, or an
    intent that neither failed nor was given up: a run that was killed in between may have left no
    other line.
    """
    found: dict[tuple[Any, ...], Record] = {}
    begun: dict[tuple[Any, ...], Record] = {}
    for record in (record for file in files if not file.problems for record in file.records):
        if record.step not in _REMEMBERED:
            continue
        about = record.source, record.scope, record.id, record.token or (record.file, record.line)
        key = *about, record.step, str(record.detail.get("place"))
        if record.event == "intent":
            begun[key] = record
        elif record.event == "failed":
            begun.pop(key, None)
        elif record.event == "result":
            began = begun.get(key)
            if record.step == "provision" and began is not None:
                record = replace(record, at=began.at)  # noqa: PLW2901 - a value is not younger than that
            found.setdefault(key if record.step != "revoke" else (*key, record.file, record.line), record)
    given_up = {key[:4] for key, record in found.items() if _gives_up(record)}
    for key, record in begun.items():
        if record.step in CHANGES and key not in found and key[:4] not in given_up:
            found[key] = record
    return sorted((Step(record) for record in found.values()), key=lambda step: step.record.at)


def _gives_up(record: Record) -> bool:
    """Say whether a record is of the end of a value that nobody was given."""
    return record.step == "void" or (record.step == "drop" and record.detail.get("place") == "pending")


def text(value: Any) -> str | None:
    """Give what a record says where it is a text that is not empty."""
    return value if isinstance(value, str) and value else None
