"""Names and reasons as a reader sees them: what does not show makes nobody a second person."""

from __future__ import annotations

import pytest

from keyaudit.policy import people


@pytest.mark.parametrize(
    "other",
    [
        "Ada Lovelace",
        " ada\tLOVELACE ",
        "Ada\u00a0Lovelace",
        "Ada Love\u200blace",
        "\ufeffAda Lovelace",
        "Ada Lovelace\u2060",
        "Ada\u00ad Lovelace",
        "Ada Lovelace\ufe0f",
        "Ada Lovelace\u0000",
        "\u202eAda Lovelace",
        "\uff21\uff44\uff41 Lovelace",
        "Ada Lovelace\u3164",
    ],
)
def test_one_person_however_written(other: str) -> None:
    assert people.same("Ada Lovelace", other)


@pytest.mark.parametrize("other", ["Ada Lovelac", "AdaLovelace", "Ada Lovelacé", "Grace Hopper", "", None])
def test_two_people(other: str | None) -> None:
    assert not people.same("Ada Lovelace", other)


def test_case_is_folded_as_languages_do() -> None:
    assert people.same("Groß", "GROSS")
    assert people.same("Jose\u0301", "JOSÉ")


def test_nobody_is_not_the_same_as_nobody() -> None:
    assert not people.same(None, None)
    assert not people.same(" ", "")
    assert not people.same("n/a", "N/A")


@pytest.mark.parametrize(
    "text",
    [
        None, "", " \t\n", "\u200b", "\u200b \u2060", "\u3164", "\u2800", "-", "--", "—", "…", "?", ".", "👍",
        "n/a", "N/A", "N.A.", " na ", "none", "None.", "(none)", "<tbd>", "TBD", "t\u200bbd", "ｔｂｄ",
        "null", "nobody", "todo", "not  applicable", "To be determined", "unknown",
    ],
)  # fmt: skip
def test_what_says_nothing_is_blank(text: str | None) -> None:
    assert people.blank(text)


@pytest.mark.parametrize(
    "text", ["r", "a", "7", "because", "none of the consumers can move", "Nadia", "TBD Corp", "안녕", "n/a@acme.example"]
)  # fmt: skip
def test_what_says_something_is_not(text: str) -> None:
    assert not people.blank(text)


@pytest.mark.parametrize(
    "other",
    ["\u0455am@acme.example", "s\u0430m@acme.example", "S\u0410M@ACME.EXAMPLE", "sam@\u0430\u0441me.example"],
)
def test_letters_of_another_script_that_look_the_same_make_no_other_person(other: str) -> None:
    assert people.same("sam@acme.example", other)


def test_names_of_one_script_stay_apart_as_a_reader_tells_them_apart() -> None:
    assert people.same("\u0410\u043d\u043d\u0430", "\u0430\u043d\u043d\u0430")
    assert people.same("\u0412\u041e\u0412\u0410", "\u0432\u043e\u0432\u0430")
    assert not people.same("\u0410\u043d\u043d\u0430", "\u0418\u043d\u043d\u0430")
    assert not people.same("\u041e\u043b\u0435\u0433", "\u041e\u043b\u044c\u0433\u0430")
