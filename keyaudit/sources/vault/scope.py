"""What the scopes of all engines share: a mount, a door to it, and lists that may have folders.

What ends (a deletion that is planned, a secret id) has ended at the very instant that it names, by this
machine's clock at the start of the pull: Vault tells no time of its own but the `Date` of its answers,
against which the clock is held.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from keyaudit.inventory.rows import Credential
from keyaudit.sources.pulling.each import Answer
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.vault.answers import names
from keyaudit.sources.vault.client import Vault
from keyaudit.sources.vault.mounts import Mount, quoted
from keyaudit.sources.vault.reads import Reads
from keyaudit.sources.vault.settings import LONGEST_PATH, VaultSettings, is_path

SOURCE = "vault"
NO_USE = ("last_used_at", "never_used", "versions.last_used_at", "versions.retired_at")
"""Vault's audit log knows who used what, its metadata does not."""
DEEPEST = 100
"""Folders in folders, until a server must be making them up."""
MOST_FOLDERS = 1_000_000
_FOLDERS_AT_ONCE = 64
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Asking:
    """How a mount is asked: the settings, the door, the count, and the instant at which the pull began."""

    settings: VaultSettings
    vault: Vault
    meter: Meter
    now: int


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
        self._folders = 0
        self._too_deep = 0

    def closed(self) -> None:
        """See `ScopePull.closed`."""
        self.vault.close()

    def path(self, *parts: str) -> str:
        """Give a path below the mount as a URL spells it."""
        return "/".join((self.mount.quoted, *parts))

    def row(self, path: str, name: str) -> Credential:
        """Give a credential of which only the name is known; `path` is what `vault read` would take."""
        return Credential(source=SOURCE, scope=self.scope, id=f"{self.mount.path}/{path}", name=name)

    def top(self, part: str | None) -> list[str]:
        """List the first level of a part of the mount: [] if there is nothing; raises RefusedError."""
        try:
            return self._level(part, "")
        except RefusedError as error:
            if error.refusal.kind is Kind.GONE:
                return []
            raise

    @contextmanager
    def workers(self) -> Iterator[ThreadPoolExecutor]:
        """Give as many threads as calls may be in flight."""
        with ThreadPoolExecutor(self.asking.settings.calls_per_scope, "keyaudit-vault") as pool:
            yield pool

    def reads(
        self, ask: Callable[[str], Answer], workers: ThreadPoolExecutor, noun: str, part: str | None
    ) -> Reads[str, Answer]:
        """Make what asks one thing about many names that `walk` gives for the same part of the mount."""
        return Reads(
            ask,
            workers,
            noun,
            place=_folder_of,
            listed=lambda folder: [folder + key for key in self._level(part, folder)],
        )

    def account(self, reads: Reads[Any, Any]) -> None:
        """Take over what became of things that were asked for one by one."""
        self.miss(*reads.reasons())
        for note in reads.remarks():
            self.remark(note)

    def walk(self, part: str | None, workers: ThreadPoolExecutor) -> Iterator[list[str]]:
        """Give all names below a part of the mount, some folders at a time, and count the pages.

        Raises RefusedError if not even the first level can be listed.
        """
        refused: list[str] = []

        def below(folder: str) -> list[str]:
            try:
                return self._level(part, folder)
            except RefusedError as error:
                if error.refusal.kind is not Kind.GONE:
                    refused.append(folder)
                raise

        lists = self.reads(below, workers, "folders", part)
        waiting: deque[str] = deque()
        yield self._sorted("", self.top(part), waiting)
        try:
            while waiting:
                some = [waiting.popleft() for _ in range(min(_FOLDERS_AT_ONCE, len(waiting)))]
                found = lists.there(some)
                listed = [self._sorted(folder, keys, waiting) for folder, keys in found if keys is not None]
                yield [name for names in listed for name in names]
        finally:
            self.account(lists)
            if refused:
                self.miss(f"not listed: {_shown(sorted(refused))}")
            if self._too_deep:
                self.miss(f"{self._too_deep:,} folders lie more than {DEEPEST} deep, which seems endless")

    def _level(self, part: str | None, folder: str) -> list[str]:
        parts = (part or "", quoted(folder).rstrip("/"))
        return names(self.vault, self.path(*filter(None, parts)))

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
                self._enter(path, waiting)
            else:
                found.append(path)
        self.page(unreadable=unreadable)
        return found

    def _enter(self, folder: str, waiting: deque[str]) -> None:
        """Put a folder in the queue; raises RefusedError for more of them than anybody has."""
        self._folders += 1
        if self._folders > MOST_FOLDERS:
            raise RefusedError(
                Kind.REPEATED, saying=f"more than {MOST_FOLDERS:,} folders, which seems endless"
            )
        if folder.count("/") > DEEPEST:
            self._too_deep += 1
        else:
            waiting.append(folder)


def _folder_of(path: str) -> str:
    """Give the folder that a name, or a folder, is listed in: "" for the first level."""
    above, slash, _ = path.removesuffix("/").rpartition("/")
    return above + slash


def _shown(folders: Sequence[str]) -> str:
    """Name some folders; what is no printable name was put there by a stranger."""
    named = [each if each.isprintable() and len(each) <= 100 else "(an odd name)" for each in folders]
    more = f" and {len(named) - _SHOWN:,} more" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more
