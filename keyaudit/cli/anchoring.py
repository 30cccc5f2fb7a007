"""Which file of the repository findings stand at, for formats whose readers want a file and a line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.formats.anchor import Anchor
    from keyaudit.model import Report
    from keyaudit.strict_yaml import Node

ANCHORED = ("sarif", "gitlab", "github")
"""Formats that show nothing without a file of the repository."""


@dataclass(frozen=True, slots=True)
class Repository:
    """What is known of the repository: what `--anchor` says, and the files that govern the audit."""

    said: str | None
    policy: str | None
    configuration: Path | None

    def place(self, formats: Sequence[str]) -> str | None:
        """Give the path from the repository's root, None where no format wants one; raises UsageError."""
        wanting = [name for name in formats if name in ANCHORED]
        if not wanting:
            return None
        if self.said is not None:
            return _checked(self.said)
        governing = [Path(file) for file in (self.policy, self.configuration) if file is not None]
        root = _root()
        for file in governing:
            # Code scanning shows nothing at a link, so what it leads to is named.
            if file.resolve().is_relative_to(root):
                return file.resolve().relative_to(root).as_posix()
        raise UsageError(
            f"{wanting[0]} shows findings at a file of the repository, and none is known",
            hint="--anchor FILE names one, such as the policy, as seen from the root of the repository",
        )

    def anchor(self, place: str, report: Report) -> Anchor:
        """Find the lines at which findings of a report stand, if `place` is the policy that it names."""
        from keyaudit.formats.anchor import Anchor

        policy = None if self.policy is None else Path(self.policy)
        if policy is None or not policy.resolve().as_posix().endswith(f"/{place}"):
            return Anchor(place)
        try:
            content = policy.read_bytes()
        except OSError:
            return Anchor(place)
        if hashlib.sha256(content).hexdigest() != report.policy.sha256:
            return Anchor(place)  # another version of it: its lines would mislead
        from keyaudit.strict_yaml import load

        return Anchor(place, dict(_lines(load(content, place))))


def _checked(said: str) -> str:
    path = PurePosixPath(said.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0]:
        raise UsageError(
            f"--anchor {said}: not a path from the root of the repository",
            hint="such as --anchor policy.yaml",
        )
    return path.as_posix()


def _root() -> Path:
    """Find the root of the repository that this folder is in; without one, it is this folder."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def _lines(policy: Node) -> Iterator[tuple[tuple[str, str], int]]:
    """Say where each named part of a policy begins."""
    for name, entry in policy.items():
        yield ("", name), entry.line
    for name, entry in policy.at(("rules",)).items():
        yield ("rules", name), entry.line
    yield from _named("waivers", "id", "", policy.at(("waivers",)))
    yield from _named("schedules", "name", "", policy.at(("schedules",)))
    for framework in dict(policy.at(("frameworks",)).items()):
        section = policy.at(("frameworks", framework, "schedules"))
        yield from _named(f"frameworks.{framework}.schedules", "name", f"{framework} schedule", section)


def _named(section: str, key: str, unnamed: str, node: Node) -> Iterator[tuple[tuple[str, str], int]]:
    """Give the line of each entry of a list; entries without a name are called as findings call them."""
    entries = node.content if isinstance(node.content, list) else []
    for number, entry in enumerate(entries, 1):
        name = entry.at((key,)).content if key in dict(entry.items()) else None
        called = unnamed if len(entries) == 1 else f"{unnamed} {number}"
        yield (section, str(name or called)), entry.line
