"""One rotation in memory, with applications that use its key every minute while time passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keyaudit.client import ResilientClient, from_store
from keyaudit.rotation.journal import MemoryJournal
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Ending, Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider, SimulatedSilence
from keyaudit.rotation.steps import Order, Step, Wait
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.times import DAY, MINUTE, SECOND

START = 20_000 * DAY


class Refused(Exception):
    status_code = 401


class Scene:
    """A store, a provider, a clock that runs while somebody waits, and applications."""

    def __init__(self) -> None:
        self.at = START
        self.patience = 365 * DAY
        self.told: list[Step] = []
        self.meanwhile: list[Callable[[], None]] = []
        """Called each minute, before applications use their key."""
        self.provider = SimulatedProvider(self.now)
        first = self.provider.mint(None, set())
        self.store = MemoryStore("openai", Secret(first.parts["key"]), clock=self.now)
        self.journal = MemoryJournal()
        self.parties = Parties(
            self.store,
            self.provider,
            SimulatedProbe(self.provider),
            SimulatedSilence(self.provider),
            Shape({}),
        )
        self.applications: list[Application] = []

    def now(self) -> int:
        return self.at

    def fetch(self) -> Iterable[str]:
        return [self.store.served().reveal()]

    def application(self, every: int, fetch: Callable[[], Iterable[str]] | None = None) -> Application:
        made = Application(self, every, fetch or self.fetch)
        self.applications.append(made)
        return made

    def run(self, order: Order) -> Ending:
        return Runner(self.parties, self.journal, self).run(order)

    def pass_time(self, length: int) -> None:
        end = self.at + length
        while self.at < end:
            self.at = min(self.at + MINUTE, end)
            for call in self.meanwhile:
                call()
            for application in self.applications:
                application.use()

    @property
    def alive(self) -> list[str]:
        return [key.id for key in self.provider.keys() or () if key.active]

    # What a run needs of the world outside

    def sleep(self, until: int) -> bool:
        if until - self.at > self.patience:
            return False
        self.pass_time(max(until - self.at, 0))
        return True

    def agrees(self, *_: object) -> bool:
        return True

    def tell(self, step: Step, _: object) -> None:
        self.told.append(step)

    def waits(self) -> list[Wait]:
        return [step for step in self.told if isinstance(step, Wait)]


class Application:
    """What `keyaudit.client` is for: a client over keys from a store, asked every so often."""

    def __init__(self, scene: Scene, every: int, fetch: Callable[[], Iterable[str]]) -> None:
        self._scene = scene
        self.refused: list[int] = []
        self.answered = 0
        keys = from_store(fetch, every=every / SECOND, monotonic=lambda: scene.at / SECOND)
        self._client = ResilientClient(lambda key: _Sdk(scene.provider, key), keys, retry_dead_after=0)
        self.use()

    def use(self) -> None:
        try:
            self._client.ask()
        except Refused:
            self.refused.append(self._scene.at)
        else:
            self.answered += 1


class _Sdk:
    def __init__(self, provider: SimulatedProvider, key: str) -> None:
        self._provider, self._key = provider, Secret(key)

    def ask(self) -> None:
        if not self._provider.honours(self._key):
            raise Refused
