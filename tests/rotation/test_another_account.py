"""Settings that name another account than the key's: its provider lists other keys, and honours this one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.sight import Key
from keyaudit.rotation.simulation.provider import SimulatedProbe, SimulatedProvider
from keyaudit.rotation.steps import Done, Goal, Order, Outcome, Stage
from keyaudit.times import DAY, HOUR
from rotation.in_memory import Scene

ROTATE = Order(window=HOUR, grace=DAY)


class Forgetful(SimulatedProvider):
    """Lists no key that was revoked, as most providers do."""

    def keys(self) -> tuple[Key, ...] | None:
        return tuple(key for key in super().keys() or () if key.active)


def test_no_key_is_made_where_the_one_in_use_is_not_listed_and_works() -> None:
    scene = Scene()
    elsewhere = SimulatedProvider(scene.now)
    scene.parties = replace(scene.parties, issuer=elsewhere)
    with pytest.raises(RotationError, match="does not list key key-1, and its value works"):
        scene.run(replace(ROTATE, old_key_id="key-1"))
    assert elsewhere.keys() == ()
    assert scene.store.served().reveal() == "value-1"


def test_an_old_key_is_not_taken_for_gone_because_the_settings_name_another_account_by_now() -> None:
    scene = Scene()
    scene.run(replace(ROTATE, until=Stage.PROMOTE))
    right = scene.parties
    scene.parties = replace(right, issuer=SimulatedProvider(scene.now))
    with pytest.raises(RotationError, match="does not list key key-1, and its value works"):
        scene.run(ROTATE)
    assert scene.alive == ["key-1", "key-2"]
    scene.parties = right
    ending = scene.run(ROTATE)
    assert isinstance(ending.step, Done)
    assert ending.step.outcome is Outcome.ROTATED
    assert scene.alive == ["key-2"], "nothing was lost on the way"


@pytest.mark.parametrize("emergency", [False, True])
def test_a_key_that_is_gone_indeed_is_replaced_at_once(*, emergency: bool) -> None:
    scene = Scene()
    forgetful = Forgetful(scene.now)
    forgetful.mint(None, set())
    scene.parties = replace(scene.parties, issuer=forgetful, probe=SimulatedProbe(forgetful))
    scene.run(ROTATE)
    scene.pass_time(2 * DAY)
    forgetful.revoke("key-2")
    leaked = {"goal": Goal.EMERGENCY, "compromised": frozenset({"key-2"})} if emergency else {}
    ending = scene.run(replace(ROTATE, **leaked))
    assert isinstance(ending.step, Done)
    assert ending.step.outcome is Outcome.ROTATED
    assert [key.id for key in forgetful.keys() or ()] == ["key-3"]
    assert scene.store.served().reveal() == "value-3"
