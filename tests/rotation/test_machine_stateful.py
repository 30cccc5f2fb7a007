"""Rotations ordered, killed, overtaken and taken back at random, with the real runner and in any order.

`test_exhaustively` visits every state of two runs for one rotation; here rotations follow each other
for as long as hypothesis likes, runs die at any of their calls, and people outside change the store
and the provider by hand. Applications fetch and use their value whenever that is drawn.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from keyaudit.rotation.journal import FileJournal, Request
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Ending, Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider, SimulatedSilence
from keyaudit.rotation.steps import Blocked, Done, Goal, Order, Stage, Wait
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.times import DAY, HOUR, MINUTE

WINDOW = HOUR
CALLS = ("keys", "look", "read", "mint", "stage", "void", "decide", "promote", "restore", "revoke", "drop")
DEATHS = st.none() | st.tuples(st.sampled_from(CALLS), st.booleans())
"""The call about which a run dies, and whether it is still answered by the other side."""


class Killed(BaseException):
    """The run is no more."""


class Held(MemoryStore):
    """A store that people may write to by hand, as the consoles of real ones let them."""

    def by_hand(self, value: Secret) -> None:
        with self._lock:
            version = str(len(self._values) + 1)
            self._values[version] = value
            self._note = self._note.found(version, self._clock())


class Rotations(RuleBasedStateMachine):
    @initialize(slots=st.sampled_from([None, None, 2]))
    def begin(self, slots: int | None) -> None:
        self.at = 20_000 * DAY
        self.provider = SimulatedProvider(self.now, slots=slots)
        first = self.provider.mint(None, set())
        self.store = Held("openai", Secret(first.parts["key"]), clock=self.now)
        self.folder = TemporaryDirectory()
        self.record = Path(self.folder.name) / "openai.ndjson"
        self.death: tuple[str, bool] | None = None
        self.excused: set[str] = set()
        """Values that somebody outside, or an emergency, ended."""
        self.compromised: frozenset[str] = frozenset()
        self.held = [self.store.served()] * 2
        journal = FileJournal(self.record, "openai", self.store.credential, Request("tests"))
        silence: Any = _Uses(self)
        self.parties = Parties(
            _Way(self.store, self),
            _Way(self.provider, self),
            SimulatedProbe(self.provider),
            silence,
            Shape({}),
        )
        self.journal = journal

    # What a run needs of the world outside

    def now(self) -> int:
        return self.at

    def sleep(self, until: int) -> bool:
        if until - self.at > 2 * MINUTE:
            return False
        self.at = max(until, self.at)
        return True

    def agrees(self, *_: object) -> bool:
        return True

    def tell(self, *_: object) -> None: ...

    # What may happen

    def order(self, goal: Goal, until: Stage, *, begin: bool = True) -> Order:
        compromised = self.compromised if goal is Goal.EMERGENCY else frozenset()
        return Order(goal, until, window=WINDOW, fresh=DAY, begin=begin, compromised=compromised)

    def run_order(self, order: Order) -> Ending | None:
        try:
            return Runner(self.parties, self.journal, self).run(order)
        except Killed:
            return None
        finally:
            self.death = None

    @rule(
        until=st.sampled_from(list(Stage)),
        begin=st.booleans(),
        death=DEATHS,
    )
    def goes_forward(self, until: Stage, begin: bool, death: tuple[str, bool] | None) -> None:
        self.death = death
        self.run_order(self.order(Goal.FORWARD, until, begin=begin))

    @rule(death=DEATHS)
    def goes_back(self, death: tuple[str, bool] | None) -> None:
        self.death = death
        self.run_order(self.order(Goal.BACK, Stage.RETIRE))

    @rule(death=DEATHS)
    def has_an_emergency(self, death: tuple[str, bool] | None) -> None:
        current = self.store.look().current
        assert current is not None
        key = self.provider.recognise({"key": self.store.served().reveal()}, None)
        assert key is not None
        self.compromised |= {key}
        self.excused.add(key)
        self.death = death
        ending = self.run_order(self.order(Goal.EMERGENCY, Stage.RETIRE))
        if ending is not None and isinstance(ending.step, Done):
            self.compromised = frozenset()

    @rule(minutes=st.sampled_from([1, 10, 61, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.use()
        self.at += minutes * MINUTE
        self.use()

    @rule(which=st.integers(0, 1))
    def an_application_fetches(self, which: int) -> None:
        self.held[which] = self.store.served()

    @rule()
    def both_applications_fetch(self) -> None:
        self.held = [self.store.served()] * 2

    @rule(broken=st.booleans())
    def new_keys_stop_or_start_working(self, broken: bool) -> None:
        self.provider.broken = broken

    @rule(data=st.data())
    def somebody_deletes_a_key(self, data: st.DataObject) -> None:
        alive = [key.id for key in self.provider.keys() or () if key.active]
        if alive:
            key = data.draw(st.sampled_from(alive))
            self.provider.revoke(key)
            self.excused.add(key)

    @precondition(lambda self: self.provider._slots is None)
    @rule()
    def somebody_stores_a_value_by_hand(self) -> None:
        minted = self.provider.mint(None, set())
        self.provider._keys[minted.key_id].works_from = 0
        # Whoever does that takes over: what was served, and what was staged, is theirs to end.
        self.excused |= {
            key.id for key in self.provider.keys() or () if key.active and key.id != minted.key_id
        }
        self.store.by_hand(Secret(minted.parts["key"]))
        self.held = [self.store.served()] * 2

    # What must hold

    def use(self) -> None:
        for value in self.held:
            self.provider.honours(value)

    @invariant()
    def what_applications_hold_works_unless_somebody_else_ended_it(self) -> None:
        for value in (*self.held, self.store.served()):
            key = self.provider.recognise({"key": value.reveal()}, None)
            assert key in self.excused or self.provider.works(value.reveal()), (key, self.store._note)

    @invariant()
    def the_record_is_one_chain_and_holds_no_value(self) -> None:
        if not self.record.exists():
            return
        content = self.record.read_bytes()
        assert b"value-" not in content
        before = None
        for seq, line in enumerate(content.splitlines(keepends=True)):
            entry = json.loads(line)
            assert (entry["seq"], entry["prev"]) == (seq, before)
            before = hashlib.sha256(line).hexdigest()

    def teardown(self) -> None:
        if not hasattr(self, "folder"):
            return
        try:
            self.left_alone_it_comes_to_a_good_end()
        finally:
            self.folder.cleanup()

    def left_alone_it_comes_to_a_good_end(self) -> None:
        """Every rotation ends, and one of the keys that a rotation made or was given is alive: the served."""
        self.provider.broken = False
        goal = Goal.EMERGENCY if self.compromised else Goal.FORWARD
        for _ in range(12):
            ending = self.run_order(self.order(goal, Stage.RETIRE))
            assert ending is not None
            if isinstance(ending.step, Blocked):
                assert "revoked by somebody else" in ending.step.why
                self.somebody_stores_a_value_by_hand()
                continue
            works = self.provider.works(self.store.served().reveal())
            if isinstance(ending.step, Done) and works and not self.under_way():
                break
            self.held = [self.store.served()] * 2
            self.at = max(ending.step.until, self.at) if isinstance(ending.step, Wait) else self.at + MINUTE
        else:
            raise AssertionError(ending)
        served = self.provider.recognise({"key": self.store.served().reveal()}, None)
        tokens = {key.id: key.token for key in self.provider.keys() or ()}
        alive = {key.id for key in self.provider.keys() or () if key.active}
        assert served in alive, "the key that is served works"
        # What people made, or took over, by hand is theirs: everything else was cleared away.
        assert {key for key in alive - self.excused if tokens[key]} <= {served}, self.store._note

    def under_way(self) -> bool:
        shelf = self.store.look()
        return shelf.pending is not None or shelf.previous is not None


class _Way:
    """The way to a party, on which a run may die."""

    def __init__(self, party: Any, machine: Rotations) -> None:
        self._party, self._machine = party, machine

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._party, name)
        if name not in CALLS:
            return found

        def through(*given: Any, **named: Any) -> Any:
            death, dies = self._machine.death, False
            if death is not None and death[0] == name:
                self._machine.death, dies = None, True
            if dies and death is not None and not death[1]:
                raise Killed
            answer = found(*given, **named)
            if dies:
                raise Killed
            return answer

        return through


class _Uses(SimulatedSilence):
    def __init__(self, machine: Rotations) -> None:
        super().__init__(machine.provider)
        self._machine = machine

    def ask(self, key_id, version, since):
        self._machine.use()
        return super().ask(key_id, version, since)


Rotations.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
)
test_rotations_in_any_order = Rotations.TestCase
