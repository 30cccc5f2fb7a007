"""A folder of somebody's, servers where a secret is kept and honoured, and an application that uses it throughout.

A `World` starts real servers, plants a value of sixty days ago, and says what keyaudit.yaml writes about it
all: `sources` for the audit, `rotation` for the way to a new value. `fetch` and `use` are the application's,
by its own clients. Silence is read from the application's own log.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from keyaudit.times import DAY, SECOND, format_instant
from servers.clock import Clock

LOG = "access.ndjson"
POLICY = """
policy: acme
owner: security@acme.example
approved_by: ciso@acme.example
reviewed_on: 2026-11-01
review_every: 3650d
schedules: [{name: everything, rotation_period: 30d, grace_period: 2s}]
"""
"""Sixty days are too long, and an old key may work for two seconds."""
AGE = 60 * DAY


def now() -> int:
    return time.time_ns() // 1000


def this_second() -> int:
    """When a period begins that holds all that is made from now on: some providers leave out fractions."""
    return now() // 1_000_000 * 1_000_000


class WholeSeconds(Clock):
    """The wall's, as providers tell it that leave out fractions."""

    def __call__(self) -> int:
        return super().__call__() // SECOND * SECOND


@dataclass(frozen=True)
class Fetched:
    """What an application is given: a value, and a name under which its log may mention it."""

    name: str
    value: Any


class World:
    names = "key"
    """Whether the log names keys by their ids, or by the `version` of the secret."""
    environment: Mapping[str, str] = {}
    """What a shell needs to rotate and to audit; nothing of it is the application's."""
    listed: tuple[str, ...]
    """The sources that an audit lists something of: the store, and whoever honours the key."""
    inventory: str | None = None
    pause = 0.05
    """Seconds between two requests of the application."""
    refusals: tuple[type[Exception], ...]
    """What the application's clients raise."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def start(self) -> None:
        """Start the servers, and plant."""
        raise NotImplementedError

    def sources(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def rotation(self) -> dict[str, Any]:
        """Give store, issuer and probe."""
        raise NotImplementedError

    def fetch(self) -> Fetched:
        raise NotImplementedError

    def use(self, value: Any) -> None:
        """Use a value at its provider; raises whatever the client raises."""
        raise NotImplementedError

    def live(self) -> list[str]:
        """Give the keys that their provider honours."""
        raise NotImplementedError

    def declare(self) -> None:
        """Write down by hand what no source lists."""

    def deny_writes(self) -> None:
        """Have the servers refuse whatever of a rotation the audit's own policy does not grant."""
        raise NotImplementedError

    def allow_writes(self) -> None:
        """Take that back."""
        raise NotImplementedError

    def planted(self, clock: Clock) -> Planting:
        return Planting(clock)

    def configure(self) -> None:
        quick = {"requests_per_second": 10_000}
        silence = {"kind": "access-log", "path": LOG, "delay": "0s", "names": self.names}
        entry = {"name": "demo", "environment": "production", "window": "2s", "settle": "1s"}
        entry |= {"propagation": "5s", **self.rotation(), "silence": silence}
        document = {"policy": "policy.yaml", "sources": [each | quick for each in self.sources()]}
        document["rotations"] = [entry]
        if self.inventory:
            document["inventory"] = [self.inventory]
            self.declare()
        (self.folder / "keyaudit.yaml").write_text(json.dumps(document, indent=1))
        (self.folder / "policy.yaml").write_text(POLICY)

    def written(self) -> str:
        """Give all that was left in the folder, but what the store itself keeps."""
        kept = [path for path in self.folder.rglob("*") if path.is_file() and path.name != ".env"]
        return "".join(path.read_text(errors="replace") for path in kept)


class Planting:
    """Makes a server's clock show sixty days ago."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        self._clock.advance(-AGE)

    def __exit__(self, *_: object) -> None:
        self._clock.advance(AGE)


class Application:
    """Fetches, uses, writes that down, and starts again; every refusal is kept."""

    def __init__(self, world: World) -> None:
        self._world, self._done = world, threading.Event()
        self._answered = threading.Condition()
        self.count = 0
        self.failures: list[BaseException] = []
        self.used: list[str] = []
        """The names of the values that it was given, each once, in order."""
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with (self._world.folder / LOG).open("a") as log:
            while not self._done.wait(self._world.pause):
                self._ask(log)
                with self._answered:
                    self.count += 1
                    self._answered.notify_all()

    def _ask(self, log: Any) -> None:
        try:
            fetched = self._world.fetch()
            self._world.use(fetched.value)
        except self._world.refusals as error:
            self.failures.append(error)
            return
        if fetched.name not in self.used:
            self.used.append(fetched.name)
        print(json.dumps({"time": format_instant(now()), "key": fetched.name}), file=log, flush=True)

    def more_answers(self, more: int = 3) -> None:
        with self._answered:
            enough = self.count + more
            assert self._answered.wait_for(lambda: self.count >= enough, timeout=30)

    def __enter__(self) -> Self:
        self._thread.start()
        self.more_answers()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
