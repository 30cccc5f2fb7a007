"""What a person sees of a rotation on a terminal, and what a log gets instead."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.console import Console

from keyaudit.cli.outputs import log_as
from keyaudit.cli.rotate import words
from keyaudit.cli.rotate.foreground import MOST_PATIENCE, Foreground
from keyaudit.cli.rotate.view import Lines, drawn, marked
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.sight import Key, Place, Quiet, Shelf, Sight
from keyaudit.rotation.steps import Goal, Order, Stage, Step, Verify, Wait
from keyaudit.times import HOUR, MINUTE, SECOND
from rotation.test_rehearsal import World

NAME = "openai-prod"


def seen(world: World, order: Order) -> Iterator[tuple[Step, Sight, int]]:
    """Run an order, and give what was told before each step."""
    told: list[tuple[Step, Sight, int]] = []
    around = world.surroundings()
    around._told = lambda step, sight, _: told.append((step, sight, world.now))
    Runner(world.parties, world.journal, around).run(order)
    yield from told


def on_screen(width: int, step: Step, sight: Sight, quiet: Quiet | None, now: int) -> list[str]:
    written = io.StringIO()
    Console(file=written, width=width, highlight=False, markup=False).print(
        drawn(NAME, step, sight, quiet, now)
    )
    return [line.rstrip() for line in written.getvalue().splitlines()]


def row(step: Step, sight: Sight) -> str:
    marks = {"done": "+", "now": ">", "to come": "."}
    return " ".join(marks[state] + name for name, state in marked(step, sight))


FORWARD = [
    ">provision .stage .verify .promote .drain .retire",
    "+provision +stage >verify .promote .drain .retire",
    "+provision +stage +verify >promote .drain .retire",  # decide
    "+provision +stage +verify >promote .drain .retire",
    "+provision +stage +verify +promote >drain .retire",  # watch
    "+provision +stage +verify +promote >drain .retire",  # wait
    "+provision +stage +verify +promote >drain .retire",
    "+provision +stage +verify +promote .drain >retire",  # decide
    "+provision +stage +verify +promote +drain >retire",
    "+provision +stage +verify +promote +drain >retire",
]


def test_the_steps_are_marked_as_they_are_done() -> None:
    rows = [row(step, sight) for step, sight, _ in seen(World(), Order())]
    assert [*dict.fromkeys(rows)] == [
        *dict.fromkeys([*FORWARD, ".provision .stage .verify .promote .drain .retire"])
    ]


def test_a_way_back_has_steps_of_its_own() -> None:
    world = World()
    world.run(Order(until=Stage.PROMOTE))
    rows = [row(step, sight) for step, sight, _ in seen(world, Order(goal=Goal.BACK, begin=False))]
    assert [*dict.fromkeys(rows)][1:-1] == [
        ">restore .drain .retire",
        "+restore >drain .retire",
        "+restore +drain >retire",
    ]


@pytest.mark.parametrize("width", [80, 200])
def test_it_fits_the_window_and_says_both_keys_with_their_states(width: int) -> None:
    world, shown = World(), []
    quiet = None
    for step, sight, now in seen(world, Order()):
        quiet = sight.quiet or quiet
        lines = on_screen(width, step, sight, quiet, now)
        assert max(map(len, lines)) <= width
        if isinstance(step, Wait):
            shown = lines
    assert shown == [
        NAME,
        "  ✓ provision  ✓ stage  ✓ verify  ✓ promote  ▶ drain  · retire",
        "  new  key-2  in use for 0 s, works, probe: alive",
        "  old  key-1  kept beside, works",
        "       no use of it, seen until 1970-02-13T16:00:00Z",
        "  1 h left: the old key must be silent first",
    ]


def test_long_and_hostile_names_neither_wrap_nor_drive_the_terminal() -> None:
    hostile = "key-\x1b[2J[bold]" + "x" * 200
    shelf = Shelf("token", Place("1", hostile, since=0), Place("2", "key-2", "token"))
    sight = Sight(shelf, (Key(hostile), Key("key-2", token="token")))
    step = Wait(30 * MINUTE, "the old key was used after its successor took over", late=True)
    for width in (80, 200):
        lines = on_screen(width, step, sight, Quiet(10, 5, "a log\x07"), 20 * MINUTE)
        assert max(map(len, lines)) <= width
        assert len(lines) == 5
        assert "\x1b" not in "".join(lines)
        assert "\\x1b[2J[bold]" in "".join(lines), "shown, and taken for no style"
        assert lines[-1].startswith("  10 min left: the old key was used after its successor took over; its")


def test_a_log_gets_a_line_a_step_and_a_machine_an_object(capsys) -> None:
    told = list(seen(World(), Order()))
    for step, sight, now in told:
        Lines(NAME).tell(step, sight, now)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{NAME}: provision: have a new key made, and its value stored beside key key-1"
    assert f"{NAME}: waiting until 1970-02-13T17:00:00Z: the old key must be silent first" in lines
    assert lines[-1] == f"{NAME}: drop: take the value of version 1 off the shelf"
    log_as("json")
    try:
        Lines(NAME).tell(*told[0])
    finally:
        log_as("text")
    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["name"], said["step"]) == ("rotation-step", NAME, "provision")


def test_what_cannot_be_undone_says_what_will_happen_exactly() -> None:
    world, asked = World(), []
    for step, sight, now in seen(world, Order()):
        if getattr(step, "irreversible", False):
            asked.append(words.irreversible(step, sight, now))
    said = (
        "key key-1 is revoked for good: no use of it was seen, as far as simulated shows, until"
        " 1970-02-13T17:00:00Z; key key-2 serves since 1970-02-13T16:00:00Z (1 h)"
    )
    assert asked == [said]
    emergency = Order(goal=Goal.EMERGENCY, compromised=frozenset({"key-2"}))
    step, sight, now = next(seen(world, emergency))
    assert words.irreversible(step, sight, now).startswith("key key-2 is revoked NOW: every application")


def test_without_patience_only_what_is_short_is_waited_out() -> None:
    now, pauses = [0], []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += round(seconds * SECOND)

    hurried = Foreground(Lines(NAME), wait=False, yes=False, clock=lambda: now[0], pause=pause)
    assert hurried.sleep(10 * SECOND), "a provider that gets to know its new key"
    assert now[0] == 10 * SECOND
    assert not hurried.sleep(HOUR)
    assert now[0] == 10 * SECOND
    patient = Foreground(Lines(NAME), wait=True, yes=False, clock=lambda: now[0], pause=pause)
    assert patient.sleep(MINUTE)
    assert now[0] == MINUTE
    assert max(pauses) <= 1, "so that an interrupt is heard, and the countdown moves"


def test_what_would_be_waited_for_a_little_again_and_again_is_given_up_in_the_end() -> None:
    now = [0]

    def pause(seconds: float) -> None:
        now[0] += round(seconds * SECOND)

    def waited(step: Step, sight: Sight) -> int:
        around = Foreground(Lines(NAME), wait=False, yes=False, clock=lambda: now[0], pause=pause)
        start, times = now[0], 0
        while times < 100:
            around.tell(step, sight)
            if not around.sleep(now[0] + 10 * SECOND):
                break
            times += 1
        return now[0] - start

    _, sight, _ = next(seen(World(), Order()))
    assert waited(Wait(0, "the old key must be silent first"), sight) == MOST_PATIENCE
    assert waited(Verify("1"), sight) == 1000 * SECOND, "how long a new key may take is said by propagation"


def test_what_cannot_be_undone_is_not_done_where_nobody_can_be_asked(capsys) -> None:
    step, sight, _ = next(seen(World(), Order(goal=Goal.EMERGENCY, compromised=frozenset({"key-1"}))))
    assert not Foreground(Lines(NAME), wait=False, yes=False).agrees(step, sight)
    assert Foreground(Lines(NAME), wait=False, yes=True).agrees(step, sight)
    assert capsys.readouterr().err.count("key key-1 is revoked NOW") == 2, "said even where nobody is asked"


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (None, "no use of it was seen, as far as a log shows, until 1970-01-01T02:00:00Z"),
        (HOUR, "last used 1970-01-01T01:00:00Z, as far as a log shows, until 1970-01-01T02:00:00Z"),
    ],
)
def test_the_last_use_is_said_with_who_saw_it_and_until_when(last: int | None, said: str) -> None:
    sight = Sight(Shelf("t", Place("2", "b", "t"), previous=Place("1", "a")), (Key("a"), Key("b")))
    assert words.last_use(replace(sight, quiet=Quiet(2 * HOUR, last, "a log"))) == said
    assert words.last_use(sight) == "nobody can tell when it was last used"
    assert words.last_use(replace(sight, keys=(Key("b"),))) == "it is dead already"
