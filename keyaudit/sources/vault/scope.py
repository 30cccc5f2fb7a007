"""What the scopes of all engines share: a mount, a door to it, and lists that may have folders."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from keyaudit.inventory.rows import Credential
from keyaudit.sources.pulling.each import PATIENCE, Answer, Each, Item
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.vault.answers import names
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.mounts import Mount, quoted
from keyaudit.sources.vault.settings import VaultSettings, is_path

SOURCE = "vault"
NO_USE = ("last_used_at", "never_used", "versions.last_used_at", "versions.retired_at")
"""Vault's audit log knows who used what, its metadata does not."""
LONGEST_PATH = 4096
_FOLDERS_AT_ONCE = 64
_SHOWN = 3
# A policy may well deny a folder of many secrets and grant all that comes after it.
_PATIENCE = {**PATIENCE, Kind.DENIED: 1000}


@dataclass(frozen=True, slots=True)
class Asking:
    """How a mount is asked: the settings, the door, the count, and the instant of the pull."""

    settings: VaultSettings
    vault: Vault
    meter: Meter
    now: int
    certain: bool = True
    """Whether the server said that the mount is there."""


class MountScope(ScopePull):
    """Lists one mount. An engine overrides `collect` and says what it can never know.

    `folders` where names may lie in folders; elsewhere a slash is part of no name.
    """

    source = SOURCE
    unknowable: ClassVar[tuple[str, ...]]
    folders: ClassVar[bool] = False

    def __init__(self, mount: Mount, asking: Asking, *, declared: bool) -> None:
        """Nothing is asked before `run`."""
        super().__init__(
            mount.scope,
            asking.meter,
            cannot_know=self.unknowable,
            group=mount.cluster,
            declared=declared,
        )
        self.mount = mount
        self.asking = asking
        self.vault = asking.vault

    def closed(self) -> None:
        """See `ScopePull.closed`."""
        self.vault.close()

    def path(self, *parts: str) -> str:
        """Give a path below the mount as a URL spells it."""
        return "/".join((self.mount.quoted, *parts))

    def row(self, path: str, name: str) -> Credential:
        """Give a credential of which only the name is known; `path` is what `vault read` would take."""
        return Credential(source=SOURCE, scope=self.scope, id=f"{self.mount.path}/{path}", name=name)

    def top(self, *parts: str) -> list[str]:
        """List the first level below a path: [] if there is nothing; raises RefusedError."""
        try:
            return names(self.vault, self.path(*parts))
        except RefusedError as error:
            if error.refusal.kind is Kind.GONE and self.asking.certain:
                return []
            raise

    @contextmanager
    def workers(self) -> Iterator[ThreadPoolExecutor]:
        """Give as many threads as calls may be in flight."""
        with ThreadPoolExecutor(self.asking.settings.calls_per_scope, "keyaudit-vault") as pool:
            yield pool

    def each(
        self,
        ask: Callable[[Item], Answer],
        workers: ThreadPoolExecutor,
        noun: str,
        gone: Answer | None = None,
    ) -> Each[Item, Answer]:
        """Make what asks one thing of many; see `Each`."""
        return Each(ask, workers, noun, gone=gone, patience=_PATIENCE)

    def walk(self, part: str | None, workers: ThreadPoolExecutor) -> Iterator[list[str]]:
        """Give all names below a part of the mount, some folders at a time, and count the pages.

        Raises RefusedError if not even the first level can be listed.
        """
        parts = [part] if part else []
        refused: list[str] = []

        def below(folder: str) -> list[str]:
            try:
                return names(self.vault, self.path(*parts, quoted(folder).rstrip("/")))
            except RefusedError as error:
                if error.refusal.kind is not Kind.GONE:
                    refused.append(folder)
                raise

        nothing: list[str] = []
        lists = self.each(below, workers, "folders", nothing)
        waiting: deque[str] = deque()
        yield self._sorted("", self.top(*parts), waiting)
        try:
            while waiting:
                some = [waiting.popleft() for _ in range(min(_FOLDERS_AT_ONCE, len(waiting)))]
                found = zip(some, lists.fetch(some), strict=True)
                listed = [self._sorted(folder, keys, waiting) for folder, keys in found if keys is not None]
                yield [name for names in listed for name in names]
        finally:
            self.settle(lists)
            if refused:
                self.miss(f"not listed: {_shown(sorted(refused))}")

    def _sorted(self, folder: str, keys: Sequence[str], waiting: deque[str]) -> list[str]:
        """Count a page; put its folders in the queue, give its names. What is no path is neither."""
        found: list[str] = []
        unreadable = 0
        for key in keys:
            path = folder + key
            odd = "/" in key and not self.folders
            if odd or not is_path(path.removesuffix("/")) or len(path) > LONGEST_PATH:
                unreadable += 1
            elif key.endswith("/"):
                waiting.append(path)
            else:
                found.append(path)
        self.page(unreadable=unreadable)
        return found


def _shown(folders: Sequence[str]) -> str:
    """Name some folders; what is no printable name was put there by a stranger."""
    named = [each if each.isprintable() and len(each) <= 100 else "(an odd name)" for each in folders]
    more = f" and {len(named) - _SHOWN:,} more" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more
