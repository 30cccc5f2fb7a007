"""A source of nothing but the frame: shelves that a test fills, breaks and watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Literal

from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage
from keyaudit.sources.protocol import Progress, Pulled
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.scope import ScopePull
from keyaudit.sources.pulling.settings import PullSettings
from keyaudit.sources.pulling.source import Plan, PullingSource
from keyaudit.times import DAY

NOON = 20_000 * DAY
Step = Callable[["Shelf"], None]


class ShelfSettings(PullSettings):
    kind: Literal["shelves"] = "shelves"
    requests_per_second: float = 10_000


@dataclass
class Row:
    """One shelf: what it does when it is listed, one step a page."""

    name: str
    steps: Sequence[Step] = ()
    group: str | None = None
    declared: bool = True
    cannot_know: tuple[str, ...] = ()


class Shelf(ScopePull):
    source = "shelves"

    def __init__(self, row: Row, meter: Meter) -> None:
        super().__init__(row.name, meter, group=row.group, declared=row.declared, cannot_know=row.cannot_know)
        self._steps = row.steps
        self.was_closed = False

    def collect(self) -> None:
        for step in self._steps:
            self.meter.sending()
            step(self)
            self.page()

    def closed(self) -> None:
        self.was_closed = True


@dataclass
class Shelves:
    """What a test says there is, and what came of asking."""

    rows: list[Row]
    lost: list[Coverage] = field(default_factory=list)
    made: list[Shelf] = field(default_factory=list)
    clock_at: int = NOON

    def source(self, cache_dir: Any = None, **settings: Any) -> PullingSource[ShelfSettings]:
        shelves = self

        class Source(PullingSource[ShelfSettings]):
            kind = "shelves"
            Settings = ShelfSettings

            def plan(self, pool: Executor) -> Plan:
                shelves.made = [Shelf(row, Meter(self.pace())) for row in shelves.rows]
                return Plan(shelves.made, shelves.lost)

            def columns(self, rows: Sequence[Credential]) -> frozenset[str]:
                return frozenset()

        checked = ShelfSettings(name="tested", **settings)
        return Source(checked, clock=lambda: self.clock_at, cache_dir=cache_dir)

    def pull(
        self, progress: Progress = lambda report: None, cache_dir: Any = None, **settings: Any
    ) -> Pulled:
        return self.source(cache_dir, **settings).pull(progress)


def credential(identity: str, scope: str = "a") -> Credential:
    return Credential(source="shelves", scope=scope, id=identity, name=identity)


def holding(*identities: str) -> Step:
    """Put credentials on a page."""

    def step(shelf: Shelf) -> None:
        for identity in identities:
            shelf.add(credential(identity, shelf.scope))

    return step


def statuses(pulled: Pulled) -> dict[str, str]:
    return {each.scope: str(each.status) for each in pulled.coverage}


def reasons(pulled: Pulled) -> Iterator[str | None]:
    return (each.reason for each in pulled.coverage)
