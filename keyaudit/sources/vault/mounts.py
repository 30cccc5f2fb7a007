"""A mount: an engine at a path in a namespace, and the scope that it is."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from keyaudit.sources.vault.settings import Engine

ANY = "*"
"""Stands in a scope for mounts, or namespaces, of which nobody knows which there are."""


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
        return scope_of(self.cluster, self.namespace, self.path)

    @property
    def quoted(self) -> str:
        """Give the path as a URL spells it."""
        return quoted(self.path)


def scope_of(cluster: str, namespace: str, path: str) -> str:
    """Spell where a mount is: `CLUSTER/MOUNT`, or `CLUSTER/NAMESPACE//MOUNT`.

    No path holds two slashes in a row: what the mount `kv` in `team/web` and the mount `web/kv` in
    `team` are called always differs.
    """
    return f"{cluster}/{namespace}//{path}" if namespace else f"{cluster}/{path}"


def quoted(path: str) -> str:
    """Spell a path for a URL, each segment on its own: whatever is in a name cannot end it."""
    return quote(path, safe="/")


def segment(name: str) -> str:
    """Spell a name that is one segment of a path, whatever it has in it."""
    return quote(name, safe="")
