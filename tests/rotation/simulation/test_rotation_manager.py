from __future__ import annotations

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation import RotationManager
from keyaudit.rotation.journal import MemoryJournal
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider, SimulatedSilence
from keyaudit.rotation.steps import Done, Order, Outcome
from keyaudit.rotation.stores.memory import MemoryStore


class LessonsManager:
    """A secret manager with the five methods that the lesson calls."""

    def __init__(self) -> None:
        self.versions: dict[str, list[str]] = {"openai": ["sk-old"], "anthropic": ["a-old"]}
        self.current = {"openai": 0, "anthropic": 0}
        self.pending: dict[str, int] = {}

    def get_current_version(self, name: str) -> str:
        return str(self.current[name])

    def add_version(self, name: str, value: str) -> None:
        self.versions[name].append(value)
        self.pending[name] = len(self.versions[name]) - 1

    def promote_pending(self, name: str) -> None:
        self.current[name] = self.pending.pop(name)

    def restore_version(self, name: str, version: str) -> None:
        self.current[name] = int(version)

    def delete_pending(self, name: str) -> None:
        self.pending.pop(name, None)

    def served(self, name: str) -> str:
        return self.versions[name][self.current[name]]


def test_a_rotation_is_begun_and_committed_as_in_the_lesson() -> None:
    kept = LessonsManager()
    manager = RotationManager(kept)
    assert manager.begin_rotation("openai", "sk-new") == {"rollback_version": "0", "new_version": "pending"}
    assert manager.rollback_version == "0"
    assert kept.served("openai") == "sk-old"
    manager.commit_rotation("openai")
    assert kept.served("openai") == "sk-new"
    assert manager.rollback_version is None
    with pytest.raises(ValueError, match="No rollback version available"):
        manager.rollback("openai")


def test_a_rotation_is_rolled_back_as_in_the_lesson() -> None:
    kept = LessonsManager()
    manager = RotationManager(kept)
    manager.begin_rotation("openai", "sk-new")
    manager.rollback("openai")
    assert kept.served("openai") == "sk-old"
    assert kept.pending == {}
    assert manager.rollback_version is None


def test_two_secrets_do_not_mix_as_one_remembered_version_would() -> None:
    kept = LessonsManager()
    manager = RotationManager(kept)
    manager.begin_rotation("openai", "sk-new")
    manager.begin_rotation("anthropic", "a-new")
    manager.commit_rotation("anthropic")
    with pytest.raises(RotationError, match="under way"):
        manager.begin_rotation("openai", "sk-newer")
    manager.rollback("openai")
    assert (kept.served("openai"), kept.served("anthropic")) == ("sk-old", "a-new")


class Ours:
    """A store of ours beside its provider, at an hour that tests move."""

    def __init__(self) -> None:
        self.now = 10**15
        self.provider = SimulatedProvider(lambda: self.now)
        first = self.provider.mint(None, set())
        self.store = MemoryStore(
            "openai", Secret(first.parts["key"]), clock=lambda: self.now, key_id=first.key_id
        )
        self.journal = MemoryJournal()
        self.parties = Parties(
            self.store,
            self.provider,
            SimulatedProbe(self.provider),
            SimulatedSilence(self.provider),
            Shape({}),
        )

    def begun(self) -> tuple[RotationManager, str]:
        minted = self.provider.mint("by hand", set())
        manager = RotationManager(self.store)
        begun = manager.begin_rotation("openai", minted.parts["key"], key_id=minted.key_id)
        assert begun == {"rollback_version": "1", "new_version": "pending"}
        return manager, minted.parts["key"]


def test_over_a_store_of_ours_a_rotation_is_committed_and_the_runner_retires_the_old_key() -> None:
    ours = Ours()
    manager, new = ours.begun()
    assert ours.store.served() == Secret("value-1")
    manager.commit_rotation("openai")
    assert ours.store.served() == Secret(new)
    assert ours.provider.works("value-1"), "applications may still hold it"
    with pytest.raises(ValueError, match="No rollback version"):
        manager.rollback("openai")

    ending = Runner(ours.parties, ours.journal, _Around(ours)).run(Order(begin=False))
    assert isinstance(ending.step, Done)
    assert ending.step.outcome is Outcome.ROTATED
    assert not ours.provider.works("value-1")
    assert ours.provider.works(new)


class _Around:
    def __init__(self, ours: Ours) -> None:
        self._ours = ours

    def now(self) -> int:
        return self._ours.now

    def sleep(self, until: int) -> bool:
        self._ours.now = until
        return True

    def agrees(self, *_: object) -> bool:
        return True

    def tell(self, *_: object) -> None: ...


def test_over_a_store_of_ours_another_process_may_roll_back_what_was_begun() -> None:
    ours = Ours()
    ours.begun()
    RotationManager(ours.store).rollback("openai")
    assert ours.store.served() == Secret("value-1")
    assert ours.store.look().pending is None
    with pytest.raises(ValueError, match="No rollback version"):
        RotationManager(ours.store).rollback("openai")


def test_over_a_store_of_ours_what_was_decided_first_holds() -> None:
    ours = Ours()
    manager, _ = ours.begun()
    ours.store.decide(ours.store.look().token, "forward", False)
    with pytest.raises(RotationError, match="decided otherwise"):
        manager.commit_rotation("openai")
    assert ours.store.served() == Secret("value-1")


def test_over_a_store_of_ours_a_key_must_be_named_and_no_second_one_is_begun() -> None:
    ours = Ours()
    manager = RotationManager(ours.store)
    with pytest.raises(ValueError, match="key_id is missing"):
        manager.begin_rotation("openai", "sk-new")
    with pytest.raises(KeyError, match="anthropic"):
        manager.begin_rotation("anthropic", "sk-new", key_id="k")
    with pytest.raises(RotationError, match="no rotation is pending"):
        manager.commit_rotation("openai")
    ours.begun()
    with pytest.raises(RotationError, match="under way") as refused:
        manager.begin_rotation("openai", "sk-canary", key_id="k")
    assert "sk-canary" not in str(refused.value)
