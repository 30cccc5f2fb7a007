"""Lines of bars: the scale, the gaps, and what becomes of several intervals in one character."""

from __future__ import annotations

from keyaudit.trend.sparks import line, marks, per_character


def test_a_bar_is_as_high_as_its_share_of_the_highest_and_zero_and_nothing_differ() -> None:
    assert line([0, 1, 2, 3, 4, 5, 6, 7, 8, None]) == "·▁▂▃▄▅▆▇█ "
    assert line([1000, 1]) == "█▁", "what is there is never drawn as nothing"
    assert line([None, None]) == "  "
    assert line([-3, -1]) == "··", "an age of a value from the future"
    assert line([]) == ""


def test_several_intervals_share_a_character_by_their_highest_or_their_sum() -> None:
    values = [8, 0, None, 2, None, None, 4]
    assert line(values, 2) == "█▂ ▄"
    assert line([1, 1, 2, 0, None, 4], 2, add=True) == "▄▄█"
    assert marks([" ", "!", " ", " ", "x"], 2) == "! x"


def test_a_character_holds_as_many_intervals_as_it_must() -> None:
    assert [per_character(count, 30) for count in (0, 1, 30, 31, 60, 61)] == [1, 1, 1, 2, 2, 3]
