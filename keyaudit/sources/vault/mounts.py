"""A mount: an engine at a path in a namespace, and the scope that it is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from keyaudit.sources.vault.settings import Engine


@dataclass(frozen=True, slots=True)
class Mount:
    """Where an engine is; `path` has no slash at its ends."""

    cluster: str
    namespace: str
    path: str
    engine: Engine

    @property
    def scope(self) -> str:
        """Give the scope as coverage and rows spell it."""
        return "/".join(filter(None, (self.cluster, self.namespace, self.path)))

    @property
    def quoted(self) -> str:
        """Give the path as a URL spells it."""
        return quoted(self.path)


def quoted(path: str) -> str:
    """Spell a path for a URL, each segment on its own: whatever is in a name cannot end it."""
    return quote(path, safe="/")


def segment(name: str) -> str:
    """Spell a name that is one segment of a path, whatever it has in it."""
    return quote(name, safe="")
