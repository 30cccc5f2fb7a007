"""What is KV's own in keeping a rotation's places."""

from __future__ import annotations

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.stores.protocol import LostRaceError
from keyaudit.rotation.stores.vault_kv import VaultKv
from keyaudit.times import HOUR
from rotation.stores.contract import CANARY
from rotation.stores.vault_kv_case import VaultKvCase
from rotation.stores.walking import CALLS, HAND, NEW, OLD, rotate, walk


def labels(case: VaultKvCase) -> dict[str, str]:
    return dict(case.engine.entries[case.path]["custom_metadata"] or {})


def test_nothing_is_written_to_the_path_before_promotion(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    walk(store, store.look().token, "stage", "go")
    assert vault_kv.engine.entries[vault_kv.path]["current_version"] == 1
    assert vault_kv.served() == OLD


def test_labels_say_which_version_is_which(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", "promote")
    assert labels(vault_kv) == {"keyaudit_current_version": "2", "keyaudit_previous_version": "1"}
    walk(store, token, "want back", "restore")
    found = labels(vault_kv)
    assert found.pop("keyaudit_value_since").startswith("3 2026-")
    assert found == {"keyaudit_current_version": "3", "keyaudit_previous_version": "2"}
    walk(store, token, "drop previous")
    assert set(labels(vault_kv)) == {"keyaudit_value_since"}


def test_a_value_that_was_taken_back_twice_keeps_its_first_date(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    dates = set()
    for _ in range(2):
        vault_kv.advance(HOUR)
        walk(store, store.look().token, "stage", "go", "promote", "want back", "restore", "drop previous")
        dates.add(labels(vault_kv)["keyaudit_value_since"].partition(" ")[2])
    assert len(dates) == 1
    rotate(store, NEW + "-2", "key-2")
    assert vault_kv.in_reach() == [NEW + "-2"], "every copy of the old value is gone"


def test_the_note_takes_no_write_without_check_and_set_and_holds_no_value(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    rotate(store, NEW, "key-1")
    note = f"{vault_kv.path}.keyaudit/note"
    assert vault_kv.engine.entries[note]["cas_required"] is True
    found = vault_kv.kv.read_secret_version(note, raise_on_deleted_version=True)["data"]["data"]
    assert CANARY not in str(found)


def test_a_value_by_hand_in_the_place_of_a_lost_write_is_not_taken_for_ours(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go")
    vault_kv.fail("before")
    with pytest.raises(RotationError):
        store.promote(token)
    vault_kv.put(HAND)
    shelf = vault_kv.again().look()
    assert (shelf.overtaken, shelf.promoted) == (True, False)
    with pytest.raises(LostRaceError):
        store.promote(token)
    assert vault_kv.served() == HAND


def test_a_note_that_was_deleted_stops_everything(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    rotate(store, NEW, "key-1")
    vault_kv.kv.delete_latest_version_of_secret(f"{vault_kv.path}.keyaudit/note")
    with pytest.raises(RotationError, match="was deleted"):
        store.look()


def test_a_secret_that_is_not_there_has_no_place(vault_kv: VaultKvCase) -> None:
    store = vault_kv.again()
    shelf = store.look()
    assert (shelf.current, shelf.places) == (None, ())


def test_only_two_entries_beside_the_path_are_touched(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    rotate(store, NEW, "key-1")
    paths = {request.path.split("/", 2)[2] for request in vault_kv.server.log if request.verb != "LIST"}
    assert {path for path in paths if "keyaudit" in path} == {
        f"{vault_kv.path}.keyaudit/note",
        f"{vault_kv.path}.keyaudit/pending",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"field": "a", "fields": {"key": "a"}},
        {"field": "a", "staging": "app/openai"},
        {"field": "a", "path": "../sys"},
        {"field": "a", "address": "http://vault.example"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    entry = {"kind": "vault-kv", "address": "https://vault.example", "path": "app/openai", **wrong}
    with pytest.raises(ValueError, match=r"."):
        VaultKv.Settings.model_validate(entry)


def test_a_denial_names_the_capability_and_repeats_nothing(vault_kv: VaultKvCase) -> None:
    store = vault_kv.fresh(OLD)
    token = store.look().token
    vault_kv.server.deny("WriteSecret")
    with pytest.raises(RotationError) as caught:
        CALLS["stage"](store, token)
    assert f"update secret/data/{vault_kv.path}.keyaudit/pending" in str(caught.value.hint)
    assert CANARY not in f"{caught.value!r} {caught.value.__cause__} {caught.value.__context__}"
    vault_kv.server.deny()
    CALLS["stage"](store, token)
