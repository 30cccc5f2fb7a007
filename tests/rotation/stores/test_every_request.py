"""Steps of several requests, cut off before or after each of them: what was begun is finished."""

from __future__ import annotations

from contextlib import suppress

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.stores.protocol import LostRaceError
from rotation.stores.contract import Moment
from rotation.stores.gcp_secret_case import GcpSecretCase
from rotation.stores.vault_kv_case import VaultKvCase
from rotation.stores.walking import CALLS, OLD, WALKS, rotate, seen, walk

Case = GcpSecretCase | VaultKvCase
MOST_REQUESTS = 8


@pytest.fixture(params=["gcp_secret", "vault_kv"])
def booked(request: pytest.FixtureRequest) -> Case:
    case: Case = request.getfixturevalue(request.param)
    return case


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", WALKS)
def test_a_run_that_dies_at_any_request_leaves_nothing_undone(
    booked: Case, name: str, moment: Moment
) -> None:
    clean = booked.fresh(OLD)
    walk(clean, clean.look().token, *WALKS[name])
    expected = seen(booked, clean)
    for position in range(len(WALKS[name])):
        for request in range(MOST_REQUESTS):
            booked.fail(None)
            store = booked.fresh(OLD)
            token = store.look().token
            walk(store, token, *WALKS[name][:position])
            booked.fail(moment, after=request)
            step = WALKS[name][position]
            try:
                CALLS[step](store, token)
            except RotationError:
                assert booked.failed()
            except LostRaceError:
                pytest.fail("nobody else was there")
            if not booked.failed():
                break  # the step has no more requests than that
            resumed = booked.again()
            try:
                CALLS[step](resumed, token)
            except LostRaceError:
                assert step.startswith("drop")
            walk(resumed, token, *WALKS[name][position + 1 :])
            found = seen(booked, resumed)
            assert found.served == expected.served, (step, request)
            assert found.in_reach == expected.in_reach, (step, request)
            assert found.shelf.current is not None
            assert expected.shelf.current is not None
            assert found.shelf.current.key_id == expected.shelf.current.key_id, (step, request)
            assert (found.shelf.pending, found.shelf.previous) == (None, None)
        else:
            pytest.fail(f"{step} has more requests than are tried")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_next_rotation_takes_away_what_a_dead_one_has_staged(booked: Case, moment: Moment) -> None:
    for request in range(4):
        booked.fail(None)
        store = booked.fresh(OLD)
        booked.fail(moment, after=request)
        with suppress(RotationError):
            CALLS["stage"](store, store.look().token)
        if not booked.failed():
            return
        resumed = booked.again()
        token = resumed.look().token
        if resumed.look().pending is None:
            walk(resumed, token, "void")
        else:
            walk(resumed, token, "give up", "drop pending")
        assert booked.in_reach() == [OLD]
        rotate(resumed, OLD + "-2", "key-2")
        assert booked.in_reach() == [OLD + "-2"]
