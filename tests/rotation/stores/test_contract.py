"""What every store owes a rotation, whatever it is made of."""

from __future__ import annotations

import json

import pytest

from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Shelf
from keyaudit.rotation.stores.protocol import LostRaceError, Store
from keyaudit.times import HOUR
from rotation.stores.contract import CANARY, StoreCase
from rotation.stores.walking import CALLS, HAND, METHODS, NEW, OLD, OTHER, WALKS, base_of, rotate, seen, walk


def keys(shelf: Shelf) -> tuple[str | None, ...]:
    """The key in each place: current, pending, previous."""
    return tuple(place and place.key_id for place in (shelf.current, shelf.pending, shelf.previous))


def lost(call, *arguments, **named) -> bool:
    try:
        call(*arguments, **named)
    except LostRaceError:
        return True
    return False


def test_a_secret_that_was_never_rotated_has_one_place(case: StoreCase) -> None:
    store = case.fresh(OLD)
    shelf = store.look()
    assert keys(shelf) == (None, None, None)
    assert shelf.current is not None
    assert (shelf.pending, shelf.previous, shelf.forward, shelf.final) == (None, None, None, None)
    assert (shelf.overtaken, shelf.promoted, shelf.foreign, shelf.spent) == (False, False, None, frozenset())
    assert shelf.current.token is None
    assert store.read(shelf.current.version).reveal() == OLD


def test_a_rotation_forward_is_seen_step_by_step(case: StoreCase) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage")
    shelf = store.look()
    assert (keys(shelf), shelf.forward, shelf.promoted) == (("key-0", "key-1", None), None, False)
    assert (shelf.token, shelf.pending and shelf.pending.token) == (token, token)
    assert (case.served(), sorted(case.in_reach())) == (OLD, sorted([OLD, NEW]))
    walk(store, token, "go")
    assert (store.look().forward, case.served()) == (True, OLD)
    walk(store, token, "promote")
    shelf = store.look()
    assert (keys(shelf), shelf.promoted, shelf.final) == (("key-1", None, "key-0"), True, None)
    assert shelf.token == token
    assert (case.served(), sorted(case.in_reach())) == (NEW, sorted([OLD, NEW]))
    walk(store, token, "retire")
    assert (store.look().final, case.served()) == (True, NEW)
    walk(store, token, "drop previous")
    shelf = store.look()
    assert (keys(shelf), shelf.forward, shelf.final) == (("key-1", None, None), None, None)
    assert shelf.token != token
    assert shelf.current is not None
    assert shelf.current.token == token
    assert (case.served(), case.in_reach()) == (NEW, [NEW])


def test_a_rotation_back_is_seen_step_by_step(case: StoreCase) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", "promote", "want back")
    assert (store.look().final, case.served()) == (False, NEW)
    walk(store, token, "restore")
    shelf = store.look()
    assert (keys(shelf), shelf.promoted, shelf.final) == (("key-0", None, "key-1"), False, False)
    assert (shelf.token, shelf.previous and shelf.previous.token) == (token, token)
    assert (case.served(), sorted(case.in_reach())) == (OLD, sorted([OLD, NEW]))
    walk(store, token, "drop previous")
    shelf = store.look()
    assert (keys(shelf), shelf.forward, shelf.final) == (("key-0", None, None), None, None)
    assert shelf.token != token
    assert token in shelf.spent
    assert (case.served(), case.in_reach()) == (OLD, [OLD])


@pytest.mark.parametrize("name", ["abandoned", "voided"])
def test_a_token_that_is_given_up_is_spent_and_leaves_the_value_in_use(case: StoreCase, name: str) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    walk(store, token, *WALKS[name])
    shelf = store.look()
    assert shelf.pending is None
    assert shelf.token != token
    assert token in shelf.spent
    assert (shelf.forward, shelf.final) == (None, None)
    assert (case.served(), case.in_reach()) == (OLD, [OLD])
    assert lost(CALLS["stage"], store, token)
    assert lost(CALLS["stage another"], store, token)
    assert seen(case, store).in_reach == (OLD,)


def test_every_place_is_read_by_its_version(case: StoreCase) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage")
    shelf = store.look()
    assert shelf.pending is not None
    assert shelf.current is not None
    assert store.read(shelf.pending.version).reveal() == NEW
    assert store.read(shelf.current.version).reveal() == OLD
    walk(store, token, "go", "promote")
    shelf = store.look()
    assert shelf.previous is not None
    assert shelf.current is not None
    assert store.read(shelf.current.version).reveal() == NEW
    assert store.read(shelf.previous.version).reveal() == OLD


STATES = {
    "idle": (),
    "staged": ("stage",),
    "to be promoted": ("stage", "go"),
    "to be abandoned": ("stage", "give up"),
    "promoted": ("stage", "go", "promote"),
    "to be retired": ("stage", "go", "promote", "retire"),
    "to be restored": ("stage", "go", "promote", "want back"),
    "restored": ("stage", "go", "promote", "want back", "restore"),
    "rotated": WALKS["forward"],
    "rolled back": WALKS["back"],
    "abandoned": WALKS["abandoned"],
    "voided": WALKS["voided"],
}

NEXT = {
    "idle": {"stage", "stage another", "void"},
    "staged": {"go", "give up"},
    "to be promoted": {"promote"},
    "to be abandoned": {"drop pending"},
    "promoted": {"retire", "want back"},
    "to be retired": {"drop previous"},
    "to be restored": {"restore", "drop previous"},  # it is never dropped there
    "restored": {"drop previous"},
}
"""What changes the shelf; all else changes nothing."""

SETTLED = {
    "staged": {"stage"},
    "to be promoted": {"stage", "go", "give up"},
    "to be abandoned": {"stage", "go", "give up"},
    "promoted": {"stage", "go", "give up", "promote"},
    "to be retired": {"stage", "go", "give up", "promote", "retire", "want back"},
    "to be restored": {"stage", "go", "give up", "promote", "retire", "want back"},
    "restored": {"stage", "restore"},
    "abandoned": {"void"},
    "voided": {"void"},
}
"""What was done already, and is done again without an error. A key that is stored is stored: told
otherwise, a run would revoke it.
"""

EITHER = {
    "restored": {"go", "give up", "retire", "want back"},
    "rotated": {"stage", "promote"},
    "rolled back": {"void", "restore"},
}
"""What may be told to have been done, or to be lost."""


@pytest.mark.parametrize("state", STATES)
def test_what_does_not_fit_the_shelf_is_lost_and_changes_nothing(case: StoreCase, state: str) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    walk(store, token, *STATES[state])
    before = seen(case, store)
    for name, call in CALLS.items():
        if name in NEXT.get(state, set()):
            continue
        was_lost = lost(call, store, token)
        if name not in EITHER.get(state, set()):
            assert was_lost is (name not in SETTLED.get(state, set())), name
        assert seen(case, store) == before, name
        assert case.served() == before.served, name


@pytest.mark.parametrize("state", STATES)
def test_a_token_that_was_never_given_out_opens_nothing(case: StoreCase, state: str) -> None:
    store = case.fresh(OLD)
    walk(store, store.look().token, *STATES[state])
    before = seen(case, store)
    invented = "6d2f5a0e-9c1b-5b7e-8a43-0d9f5c7e1a22"
    for name, call in CALLS.items():
        if name != "stage":  # its key may be stored already
            assert lost(call, store, invented), name
        assert seen(case, store) == before, name


@pytest.mark.parametrize("name", WALKS)
def test_a_step_that_another_runner_repeats_changes_nothing_more(case: StoreCase, name: str) -> None:
    first = case.fresh(OLD)
    second = case.again()
    token = first.look().token
    for step in WALKS[name]:
        CALLS[step](first, token)
        before = seen(case, first)
        assert seen(case, second) == before
        assert not lost(CALLS[step], second, token) or step.startswith("drop")
        assert seen(case, second) == seen(case, first) == before


@pytest.mark.parametrize("name", WALKS)
def test_a_call_that_failed_is_made_again_to_the_same_effect(case: StoreCase, moment: str, name: str) -> None:
    from keyaudit.errors import RotationError

    clean = case.fresh(OLD)
    walk(clean, clean.look().token, *WALKS[name])
    expected = seen(case, clean)
    store = case.fresh(OLD)
    token = store.look().token
    for step in WALKS[name]:
        before = seen(case, store)
        case.fail(moment)  # type: ignore[arg-type]
        failed = False
        try:
            CALLS[step](store, token)
        except RotationError as error:
            failed = True
            assert CANARY not in f"{error!r} {error} {error.hint} {error.__cause__} {error.__context__}"
        if moment == "before" and failed:
            assert seen(case, store) == before
        resumed = case.again()
        assert not lost(CALLS[step], resumed, token) or step.startswith("drop")
    found = seen(case, store)
    assert (keys(found.shelf), found.served, found.in_reach) == (
        keys(expected.shelf), expected.served, expected.in_reach
    )  # fmt: skip
    assert (token in found.shelf.spent) is (name != "forward")
    assert found.shelf.token != token


def test_the_first_answer_holds_for_everybody(case: StoreCase) -> None:
    for first, second in ((True, False), (False, True)):
        store, other = case.fresh(OLD), case.again()
        token = store.look().token
        walk(store, token, "stage")
        assert store.decide(token, "forward", first) is first
        assert other.decide(token, "forward", second) is first
        assert store.decide(token, "forward", second) is first
        assert store.look().forward is other.look().forward is first
    for first, second in ((True, False), (False, True)):
        store, other = case.fresh(OLD), case.again()
        token = store.look().token
        walk(store, token, "stage", "go", "promote")
        assert store.decide(token, "final", first) is first
        assert other.decide(token, "final", second) is first
        assert store.decide(token, "final", second) is first
        assert store.look().final is other.look().final is first


def test_the_first_key_that_is_staged_under_a_token_stays(case: StoreCase) -> None:
    store, other = case.fresh(OLD), case.again()
    token = store.look().token
    walk(store, token, "stage")
    assert lost(CALLS["stage another"], other, token)
    pending = store.look().pending
    assert pending is not None
    assert (pending.key_id, store.read(pending.version).reveal()) == ("key-1", NEW)
    assert OTHER not in case.in_reach()


def test_no_token_comes_back(case: StoreCase) -> None:
    store = case.fresh(OLD)
    tokens = [rotate(store, f"{CANARY}-1", "key-1")]
    for number in range(2, 6):
        walks = (WALKS["abandoned"], WALKS["voided"], WALKS["back"])
        for steps in walks[number % 3 :]:
            tokens.append(store.look().token)
            store_value = f"{CANARY}-tried-{len(tokens)}"
            for step in steps:
                if step == "stage":
                    store.stage(
                        tokens[-1],
                        Secret(store_value),
                        f"tried-{len(tokens)}",
                        base=base_of(store, f"key-{number - 1}"),
                    )
                else:
                    CALLS[step](store, tokens[-1])
        assert case.served() == f"{CANARY}-{number - 1}"
        tokens.append(rotate(store, f"{CANARY}-{number}", f"key-{number}"))
        assert case.served() == f"{CANARY}-{number}"
    tokens.append(store.look().token)
    assert len(set(tokens)) == len(tokens)
    assert case.again().look().token == tokens[-1]
    assert case.in_reach() == [f"{CANARY}-5"]
    for token in tokens[:-1]:
        for name, call in CALLS.items():
            if name != "void":
                assert lost(call, store, token) or name in {"promote", "restore"}, (token, name)
    assert (case.served(), case.in_reach()) == (f"{CANARY}-5", [f"{CANARY}-5"])


def test_looking_changes_nothing(case: StoreCase) -> None:
    store, other = case.fresh(OLD), case.again()
    token = store.look().token
    assert store.look() == store.look() == other.look()
    for step in WALKS["back"]:
        CALLS[step](store, token)
        assert store.look() == other.look() == store.look()


@pytest.mark.parametrize("name", WALKS)
def test_a_store_asks_for_what_it_declares_and_looks_without_reading(case: StoreCase, name: str) -> None:
    store = case.fresh(OLD)
    case.operations()
    token = store.look().token
    assert case.operations() <= set(store.calls.get("look", ())) - case.VALUE_CALLS
    for step in WALKS[name]:
        CALLS[step](store, token)
        assert case.operations() <= set(store.calls.get(METHODS[step], ())), step
        shelf = store.look()
        assert case.operations() <= set(store.calls.get("look", ())) - case.VALUE_CALLS
        for place in shelf.places:
            store.read(place.version)
        assert case.operations() <= set(store.calls.get("read", ()))


def test_a_store_declares_nothing_that_it_never_asks_for(case: StoreCase) -> None:
    made: dict[str, set[str]] = {}

    def noted(method: str) -> None:
        made.setdefault(method, set()).update(case.operations())

    for steps in WALKS.values():
        store = case.fresh(OLD)
        case.operations()
        token = store.look().token
        noted("look")
        for step in steps:
            CALLS[step](store, token)
            noted(METHODS[step])
            for place in store.look().places:
                noted("look")
                store.read(place.version)
                noted("read")
    declared = {call for calls in store.calls.values() for call in calls}
    assert declared - case.RARE == set().union(*made.values()) - case.RARE


def test_a_place_is_never_older_than_it_is(case: StoreCase) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    case.advance(HOUR)
    walk(store, token, "stage")
    case.advance(HOUR)
    walk(store, token, "go")
    for step, between in (("promote", ("want back",)), ("restore", ())):
        case.advance(HOUR)
        earliest = case.now()
        walk(store, token, step)
        shelf = store.look()
        assert shelf.current is not None
        assert shelf.current.since is not None
        assert shelf.current.since >= earliest
        first, latest = shelf.current.since, case.now()
        case.advance(HOUR)
        shelf = case.again().look()
        assert shelf.current is not None
        assert shelf.current.since is not None
        assert earliest <= shelf.current.since <= max(first, latest), "it would never be silent for long"
        walk(store, token, *between)


def test_the_secret_is_called_what_the_audit_calls_it(case: StoreCase) -> None:
    store = case.fresh(OLD)
    assert store.credential == case.listed()
    walk(store, store.look().token, *WALKS["forward"])
    assert store.credential == case.listed() == case.again().credential


def test_other_fields_of_a_value_stay_as_they_are(case: StoreCase) -> None:
    fields = {"username": "DB_USER", "password": "DB_PASSWORD"}
    shape = Shape(fields)
    kept = {"DB_HOST": "db.example:5432", "NOTE": "a \"quoted\" $word # and 'more'"}
    store = case.fresh(json.dumps({"DB_USER": "app_1", "DB_PASSWORD": OLD, **kept}), fields)
    shelf = store.look()
    assert shelf.current is not None
    text = store.read(shelf.current.version)
    assert shape.read(text) == {"username": "app_1", "password": OLD}
    new = shape.write(text, {"username": "app_2", "password": NEW})
    store.stage(shelf.token, new, "key-1", base=base_of(store, "key-0"))
    assert json.loads(case.served()) == {"DB_USER": "app_1", "DB_PASSWORD": OLD, **kept}
    pending = store.look().pending
    assert pending is not None
    assert shape.read(store.read(pending.version)) == {"username": "app_2", "password": NEW}
    walk(store, shelf.token, "go", "promote")
    assert json.loads(case.served()) == {"DB_USER": "app_2", "DB_PASSWORD": NEW, **kept}
    walk(store, shelf.token, "want back", "restore")
    assert json.loads(case.served()) == {"DB_USER": "app_1", "DB_PASSWORD": OLD, **kept}
    walk(store, shelf.token, "drop previous")
    assert json.loads(case.served()) == {"DB_USER": "app_1", "DB_PASSWORD": OLD, **kept}


@pytest.mark.parametrize("name", WALKS)
def test_no_value_is_shown_by_accident(
    case: StoreCase, name: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG", logger="keyaudit")
    store: Store = case.fresh(OLD)
    token = store.look().token
    shown = []
    for step in WALKS[name]:
        CALLS[step](store, token)
        shelf = store.look()
        shown += [repr(store), repr(shelf), repr([store.read(place.version) for place in shelf.places])]
        with pytest.raises(LostRaceError) as caught:
            CALLS["promote"](store, "6d2f5a0e-9c1b-5b7e-8a43-0d9f5c7e1a22")
        shown.append(f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}")
    shown += [record.getMessage() for record in caplog.records]
    shown += [*capfd.readouterr()]
    assert not [text for text in shown if CANARY in text]


# Somebody changes the secret behind the store's back.


@pytest.mark.needs("hand")
@pytest.mark.parametrize("state", ["staged", "to be promoted"])
def test_a_value_that_was_overtaken_is_never_promoted_and_can_be_dropped(case: StoreCase, state: str) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    walk(store, token, *STATES[state])
    assert store.look().overtaken is False
    case.put(HAND)
    shelf = store.look()
    assert shelf.overtaken is True
    assert (shelf.token, keys(shelf)) == (token, (None, "key-1", None))
    assert case.served() == HAND
    for name in ("promote", "restore", "void", "stage another", "drop previous"):
        assert lost(CALLS[name], store, token), name
        assert case.served() == HAND
    walk(store, token, "drop pending")
    shelf = store.look()
    assert (shelf.token != token, token in shelf.spent, shelf.overtaken) == (True, True, False)
    assert keys(shelf) == (None, None, None)
    assert case.served() == HAND
    assert NEW not in case.in_reach()


@pytest.mark.needs("hand")
@pytest.mark.parametrize("state", ["promoted", "to be retired", "to be restored", "restored"])
def test_a_change_by_hand_ends_a_rotation_that_was_promoted(case: StoreCase, state: str) -> None:
    store = case.fresh(OLD)
    token = store.look().token
    walk(store, token, *STATES[state])
    case.put(HAND)
    shelf = store.look()
    assert shelf.token != token
    assert keys(shelf) == (None, None, None)
    assert (shelf.forward, shelf.final, shelf.overtaken, shelf.promoted) == (None, None, False, False)
    for name, call in CALLS.items():
        if name not in {"void", "stage"}:
            assert lost(call, store, token), name
        assert case.served() == HAND, name
    assert rotate(store, NEW + "-2", "key-2") == shelf.token
    assert case.served() == NEW + "-2"


@pytest.mark.needs("hand")
def test_a_change_by_hand_between_rotations_is_the_value_in_use(case: StoreCase) -> None:
    store = case.fresh(OLD)
    rotate(store, NEW, "key-1")
    case.put(HAND)
    shelf = store.look()
    assert (keys(shelf), shelf.promoted) == ((None, None, None), False)
    assert shelf.current is not None
    assert shelf.current.token is None
    assert store.read(shelf.current.version).reveal() == HAND
    rotate(store, OTHER, "key-2")
    assert case.served() == OTHER


@pytest.mark.needs("foreign")
def test_somebody_elses_rotation_is_seen_and_left_alone(case: StoreCase) -> None:
    from keyaudit.errors import RotationError

    store = case.fresh(OLD)
    case.interfere()
    shelf = store.look()
    assert shelf.foreign
    assert CANARY not in shelf.foreign
    with pytest.raises((LostRaceError, RotationError)):
        CALLS["stage"](store, shelf.token)
    assert case.served() == OLD
