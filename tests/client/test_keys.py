"""Where keys come from: the environment, a file, a store that may be away."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyaudit.client import NoKeyError, from_environment, from_file, from_store

ORDERS = [
    ({"K_NEW": "n", "K_OLD": "o"}, ("n", "o")),
    ({"K_V2": "2", "K_V1": "1", "K_V10": "10"}, ("10", "2", "1")),
    ({"K_v2": "2", "K_v1": "1"}, ("2", "1")),
    ({"K_PRIMARY": "p", "K_BACKUP": "b"}, ("p", "b")),
    ({"K": "plain"}, ("plain",)),
    ({"K": "plain", "K_NEW": "plain", "K_OLD": " old "}, ("plain", "old")),
    ({"K": "plain", "K_NEWER": "x", "KEY": "y", "K_V": "z", "OTHER": "q"}, ("plain",)),
    ({"K_NEW": "", "K_OLD": "o"}, ("o",)),
]


@pytest.mark.parametrize(("variables", "expected"), ORDERS, ids=[str(each[0]) for each in ORDERS])
def test_variables_in_their_order(variables: dict, expected: tuple) -> None:
    assert from_environment("K", variables)() == expected


def test_no_variable_is_said_by_name() -> None:
    with pytest.raises(NoKeyError, match="neither K nor K_NEW"):
        from_environment("K", {"OTHER": "value"})()


def test_a_changed_environment_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = from_environment("KEYAUDIT_TEST_KEY")
    monkeypatch.setenv("KEYAUDIT_TEST_KEY", "first")
    assert keys() == ("first",)
    monkeypatch.setenv("KEYAUDIT_TEST_KEY_NEW", "second")
    assert keys() == ("second", "first")


def test_a_file_is_read_again_when_it_changes_and_outlives_its_absence(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    keys = from_file(file)
    with pytest.raises(NoKeyError):
        keys()
    file.write_text("new\n\nold\n")
    assert keys() == ("new", "old")
    replaced = tmp_path / "next"
    replaced.write_text("newer\nnew\n")
    replaced.replace(file)
    assert keys() == ("newer", "new")
    file.write_text("")
    assert keys() == ("newer", "new")
    file.unlink()
    assert keys(fresh=True) == ("newer", "new")


def test_a_link_that_is_swapped_is_followed(tmp_path: Path) -> None:
    for name, value in (("one", "first"), ("two", "second")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text(value)
    link = tmp_path / "current"
    link.symlink_to("one")
    keys = from_file(link / "key")
    assert keys() == ("first",)
    (tmp_path / "swap").symlink_to("two")
    (tmp_path / "swap").replace(link)
    assert keys() == ("second",)


class Store:
    def __init__(self) -> None:
        self.keys = ["new", "old"]
        self.away = False
        self.asked = 0

    def __call__(self) -> list[str]:
        self.asked += 1
        if self.away:
            raise ConnectionError("the manager cannot be reached")
        return self.keys


def test_a_store_is_asked_now_and_then_and_its_last_good_answer_outlives_it() -> None:
    store, now = Store(), [0.0]
    keys = from_store(store, every=300, monotonic=lambda: now[0])
    assert [keys(), keys()] == [("new", "old")] * 2
    assert store.asked == 1
    store.keys, now[0] = ["newer", "new"], 300
    assert keys() == ("newer", "new")
    store.away, now[0] = True, 700
    assert [keys(), keys()] == [("newer", "new")] * 2
    assert store.asked == 3
    assert keys(fresh=True) == ("newer", "new")
    assert store.asked == 4


def test_a_store_that_never_answered_says_why() -> None:
    store = Store()
    store.away = True
    with pytest.raises(NoKeyError) as caught:
        from_store(store)()
    assert isinstance(caught.value.__cause__, ConnectionError)
