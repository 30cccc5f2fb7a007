"""What is judged and by what: documents, live sources, policy and frameworks, as the user named them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.cli import listing
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.model import Framework, Inventory, Policy


@dataclass(frozen=True)
class Gathered:
    """What was read and listed: the documents as one part, then a part for each live source.

    `documents` are the paths of the first part; `names` are what the parts are called.
    """

    documents: tuple[str, ...]
    parts: tuple[Inventory, ...]
    names: tuple[str, ...]

    @property
    def inventory(self) -> Inventory:
        """All of it as one inventory; raises InventoryError for what stands in two parts."""
        from keyaudit import inventory

        return inventory.merge(self.parts, self.names)

    def kept(self) -> dict[str, Any]:
        """Give what a bundle keeps of it, as fields of `evidence.collecting.Material`."""
        return {"documents": self.documents, "parts": self.parts, "names": self.names}


def gather(settings: Configuration, documents: Sequence[str], sources: Sequence[str]) -> Gathered:
    """Read the documents and list the sources that were named; with neither, all of keyaudit.yaml.

    Raises UsageError where nothing was named anywhere, InventoryError, SourceError.
    """
    from keyaudit import inventory

    entries = listing.chosen(settings, sources)
    if not documents and not sources:
        documents, entries = settings.inventory, list(settings.sources)
    if not documents and not entries:
        raise _nothing_named(settings)
    parts = [inventory.read(documents)] if documents else []
    names = ["the documents"] if documents else []
    if entries:
        parts += listing.list_live(entries, alone=not documents)
        names += [str(entry["name"]) for entry in entries]
    return Gathered(tuple(documents), tuple(parts), tuple(names))


def documents(named: Sequence[str], config: str | None) -> Sequence[str]:
    """Give the documents that were named, else those of keyaudit.yaml; raises UsageError for none."""
    from keyaudit.cli.configuration import read

    if named:
        return named
    settings = read(config)
    if not settings.inventory:
        raise UsageError("no inventory to read", hint="give at least one file, or list them in keyaudit.yaml")
    return settings.inventory


def governing(policy: str | None, frameworks: Sequence[str]) -> tuple[Policy, tuple[Framework, ...]]:
    """Load the policy (the shipped one for None) and the frameworks; raises PolicyError, UsageError."""
    from keyaudit.evidence.governing import governing as read

    return read(None if policy is None else Path(policy), frameworks)


def _nothing_named(settings: Configuration) -> UsageError:
    if settings.file is None:
        return UsageError(
            "nothing to audit: no --inventory, no --source and no keyaudit.yaml here",
            hint="keyaudit init writes a keyaudit.yaml; or: keyaudit scan --inventory FILE",
        )
    return UsageError(f"nothing to audit: {settings.file} names neither `inventory` nor `sources`")
