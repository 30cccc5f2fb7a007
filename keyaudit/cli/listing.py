"""Live sources, several at the same time: one that cannot begin does not stop the others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.cli.clock import now
from keyaudit.cli.outputs import tell
from keyaudit.errors import SourceError, UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.cli.progress import Progress
    from keyaudit.model import Inventory
    from keyaudit.sources import Source

_KEPT = "; what was listed is kept for two hours, and the same command goes on from there"

Entry = Mapping[str, Any]

AT_ONCE = 16
"""Sources; each asks several scopes at once by itself."""
LOOK_UP = 0.2
"""Seconds after which an interrupt is noticed: polars restarts a wait that a signal broke off."""


def chosen(settings: Configuration, names: Sequence[str]) -> list[Entry]:
    """Give the entries of keyaudit.yaml that were named, each once; raises UsageError for another name."""
    known = {str(entry["name"]): entry for entry in settings.sources}
    return [
        known[name] if name in known else _unknown(settings, name, known) for name in dict.fromkeys(names)
    ]


def _unknown(settings: Configuration, name: str, known: Mapping[str, Entry]) -> Entry:
    if near := did_you_mean(name, known):
        hint = near.removeprefix("; ")
    elif known:
        hint = f"{settings.file} has {', '.join(known)}"
    else:
        hint = "describe it under `sources:` in keyaudit.yaml; keyaudit init writes one"
    raise UsageError(f"no source is called {name!r}", hint=hint)


def list_live(entries: Sequence[Entry], *, alone: bool) -> list[Inventory]:
    """List sources at the same time, with progress on stderr; gives an inventory each, in their order.

    A source that cannot begin is a failed scope of its own, so that the rest is audited and the
    report says so. If none can begin and there is nothing else to look at (`alone`), raises SourceError.
    """
    from keyaudit.cli.progress import Progress
    from keyaudit.sources import open_source

    # gRPC's core writes to stderr by itself, where our messages must stay readable by machines.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sources = [
        open_source(entry, clock=now, cache_dir=_cache_folder(), environment=os.environ, compare_clocks=True)
        for entry in entries
    ]
    names = [str(entry["name"]) for entry in entries]
    kinds = [str(entry["kind"]) for entry in entries]
    with Progress(list(zip(names, kinds, strict=True)), among=not alone) as progress:
        kept = any(entry.get("cache") is not False for entry in entries)
        outcomes = _at_once(sources, progress, kept=kept)
    failures = [outcome for outcome in outcomes if isinstance(outcome, SourceError)]
    if alone and len(failures) == len(outcomes):
        raise _none_began(failures)
    return [
        _not_begun(kind, outcome) if isinstance(outcome, SourceError) else outcome
        for kind, outcome in zip(kinds, outcomes, strict=True)
    ]


def _at_once(sources: Sequence[Source], progress: Progress, *, kept: bool) -> list[Inventory | SourceError]:
    futures: list[Future[Inventory | SourceError]] = []
    with ThreadPoolExecutor(min(len(sources), AT_ONCE), "keyaudit-sources") as pool:
        try:
            futures += [pool.submit(_listed, source, progress) for source in sources]
            _wait(futures)
        except BaseException as error:
            for source in sources:
                source.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            progress.end()
            if isinstance(error, KeyboardInterrupt):
                tell("stopping" + (_KEPT if kept else ""))
            _leave(futures)
            raise
        return [future.result() for future in futures]


def _wait(futures: Sequence[Future[Inventory | SourceError]]) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=LOOK_UP, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()  # what is no SourceError ends everything at once


def _leave(futures: Sequence[Future[Inventory | SourceError]]) -> None:
    """Let calls that are under way end; whoever interrupts again is not kept waiting for them."""
    from keyaudit.cli.program import INTERRUPTED

    try:
        # What was cancelled before it began is done, although nobody tells those who wait.
        while pending := [future for future in futures if not future.done()]:
            wait(pending, timeout=LOOK_UP)
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)


def _listed(source: Source, progress: Progress) -> Inventory | SourceError:
    """List one source, in a thread of its own."""
    from keyaudit import inventory

    try:
        pulled = source.pull(progress.of(source.name))
    except SourceError as error:
        progress.finished(source.name, str(error))
        return error
    progress.finished(source.name)
    return inventory.from_rows(pulled.rows, pulled.coverage, now(), pulled.columns)


def _not_begun(kind: str, error: SourceError) -> Inventory:
    from keyaudit import inventory
    from keyaudit.model import EVERY_SCOPE, Coverage, ScopeStatus

    at = now()
    failed = Coverage(
        source=kind,
        scope=EVERY_SCOPE,
        status=ScopeStatus.FAILED,
        credentials=0,
        calls=0,
        started_at=at,
        finished_at=at,
        reason=str(error),
    )
    return inventory.from_rows([], [failed], at, ())


def _none_began(failures: Sequence[SourceError]) -> SourceError:
    if len(failures) == 1:
        return failures[0]
    hints = dict.fromkeys(error.hint for error in failures if error.hint)
    return SourceError("; ".join(map(str, failures)), hint="; ".join(hints) or None)


def _cache_folder() -> Path:
    """Give the folder where answers of stores may be kept between runs: metadata only."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "keyaudit"
