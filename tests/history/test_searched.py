"""Random lives, looked at on random days: what is recalled always contains the truth, and claims no more."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from history.days import condensed, past, version, write
from keyaudit import history, inventory
from keyaudit.history.chronicle import fold_versions
from keyaudit.history.replay import Replay, table_of


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@dataclass(frozen=True)
class Life:
    """Values that followed each other on days 10·n + 0.5, the last one still in use; deleted on a day, or never."""

    taken_over: tuple[int, ...]
    deleted: int | None

    def in_use(self, at: float) -> int | None:
        if self.deleted is not None and at >= self.deleted + 0.5:
            return None
        begun = [number for number, each in enumerate(self.taken_over) if each + 0.5 <= at]
        return begun[-1] if begun else None

    def listed(self, at: float, kept: int, *, dated: bool) -> list[dict[str, Any]]:
        """Say what a store lists that keeps so many old values."""
        current = self.in_use(at)
        if current is None:
            return []
        numbers = range(max(0, current - kept), current + 1)
        return [
            version(
                str(number),
                "current" if number == current else "superseded",
                self.taken_over[number] + 0.5 if dated else None,
            )
            for number in numbers
        ]


LIVES = st.builds(
    Life,
    st.lists(st.integers(0, 40), min_size=1, max_size=5, unique=True).map(lambda days: tuple(sorted(days))),
    st.none() | st.integers(41, 50),
)


@given(
    lives=st.dictionaries(st.sampled_from("abc"), LIVES, min_size=1),
    looks=st.dictionaries(
        st.integers(1, 55),
        st.tuples(st.sampled_from(["complete", "partial"]), st.sets(st.sampled_from("abc"))),
        min_size=1,
        max_size=8,
    ),
    kept=st.integers(0, 2),
    dated=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_bounds_contain_the_truth_and_claim_no_more_than_was_seen(
    lives: dict[str, Life], looks: dict[int, tuple[str, set[str]]], kept: int, dated: bool
) -> None:
    with folder() as days:
        paths, seen, complete = [], {}, [at for at, (status, _) in looks.items() if status == "complete"]
        for at, (status, hidden) in looks.items():
            listed = {name: life.listed(at, kept, dated=dated) for name, life in lives.items()}
            shown = {
                name: each
                for name, each in listed.items()
                if each and not (status == "partial" and name in hidden)
            }
            paths.append(write(days, f"{at:02}.json", at, shown, status=status))
            seen |= {(name, each["id"]): at for name, versions in shown.items() for each in versions}
        found = history.recall(inventory.read([paths[-1]]), history.read([days]))
        known = {
            (name, each["id"]): each
            for name in found.credentials.collect()["id"]
            for each in past(found, name)
        }
        assert set(known) >= set(seen)
        for (name, number), each in known.items():
            life, place = lives[name], int(number)
            if "in_use_at" in each:
                assert life.in_use(each["in_use_at"]) == place
                assert each["in_use_at"] in looks
            if "gone_by" in each:
                assert life.in_use(each["gone_by"]) != place
                assert each["gone_by"] in looks
                assert each["gone_by"] > each.get("in_use_at", 0)
                assert each["state"] == "superseded" or each["gone_by"] in complete
            elif any(at > seen[name, number] for at in complete) and number != str(
                life.in_use(max(complete))
            ):
                last = max(at for at in looks if at in complete)
                assert last <= max(at for (n, _), at in seen.items() if n == name and _ == number), each


OBSERVED = st.fixed_dictionaries(
    {
        "id": st.sampled_from("12"),
        "state": st.sampled_from(["pending", "current", "superseded", "disabled", "destroyed"]),
    },
    optional={
        "created_at": st.sampled_from([None, "2025-01-01T00:00:00Z", "2025-06-01T00:00:00.000001Z"]),
        "superseded_at": st.sampled_from([None, "2025-07-01T00:00:00Z"]),
        "retired_at": st.sampled_from([None, "2025-08-01T00:00:00Z"]),
        "authenticates": st.sampled_from([None, True, False]),
    },
)
LISTS = st.none() | st.lists(OBSERVED, max_size=2, unique_by=lambda each: each["id"])
LOOK = st.tuples(
    st.sampled_from(["complete", "partial", "none"]),
    st.dictionaries(st.sampled_from("ab"), LISTS),
    st.sampled_from(["kv", "other"]),
)


@given(looks=st.lists(LOOK, min_size=1, max_size=5), data=st.data())
@settings(max_examples=15, deadline=None)
def test_a_day_at_a_time_is_all_at_once_however_the_files_are_called(
    looks: list[Any], data: st.DataObject
) -> None:
    names = data.draw(st.permutations(range(len(looks))), "names")
    with folder() as days:
        paths = [
            write(days, f"{name}.json", at, shown, status=status, scope=scope)
            for at, (name, (status, shown, scope)) in enumerate(zip(names, looks, strict=True), start=1)
        ]
        at_once = history.write(history.read([days]))
        assert history.write(history.read(data.draw(st.permutations(paths), "order"))) == at_once
        cuts = sorted(data.draw(st.sets(st.integers(0, len(paths))), "cuts") | {0, len(paths)})
        old: list[Path] = []
        for number, (first, last) in enumerate(pairwise(cuts)):
            old = [condensed(history.read([*old, *paths[first:last]]), days / f"{number}.history")]
        assert old[0].read_bytes() == at_once
        assert history.write(history.read([old[0], days])) == at_once
        replay = Replay(most_rows=1)
        for path in paths:
            replay.go_on(table_of(inventory.read([path]))[0])
        again = history.read(old)
        assert fold_versions(replay.outcome()[1]).equals(again.versions)
        assert again.versions.equals(history.read([days]).versions)
