"""A rotation as a person sees it on a terminal, and as a log reads it.

On a terminal a few lines stand and change: the steps with their marks, both keys, what is waited for.
Elsewhere each step is a line; with `--log-format json` an object: `rotation-step` with name, step,
token, key ids.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keyaudit.cli.outputs import log
from keyaudit.cli.rotate import words
from keyaudit.times import format_instant

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from keyaudit.rotation.sight import Place, Quiet, Sight
    from keyaudit.rotation.steps import Step

STEPS = ("provision", "stage", "verify", "promote", "drain", "retire")
_MARKS = {"done": ("✓", "green"), "now": ("▶", "bold yellow"), "to come": ("·", "dim")}
_AT = {"void": "provision", "discard": "provision", "revoke": "retire", "drop": "retire"}


class Lines:
    """A line before each step, on stderr."""

    def __init__(self, name: str) -> None:
        self._name = name

    def tell(self, step: Step, sight: Sight, now: int) -> None:
        """Say what is about to be done. What is waited for, or ends the run, is said at its end."""
        del now
        from keyaudit.rotation import steps

        if isinstance(step, steps.Done | steps.Blocked):
            return
        log().say(
            f"{self._name}: {words.doing(step, sight)}",
            "rotation-step",
            name=self._name,
            step="wait" if isinstance(step, steps.Wait) else step.name,
            token=sight.shelf.token,
            key_id=getattr(step, "key_id", None),
            until=format_instant(step.until) if isinstance(step, steps.Wait) else None,
        )

    def tick(self, now: int) -> None:
        """Do nothing while time passes: a log is no clock."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Change nothing: lines are in nobody's way."""
        yield

    def close(self) -> None:
        """Do nothing."""


class Panel:
    """Lines that stand and change, on a terminal."""

    def __init__(self, title: str) -> None:
        """`title` says of what this is the rotation; it may be said later."""
        self.title = title
        self._live: Live | None = None
        self._seen: tuple[Step, Sight] | None = None
        self._quiet: Quiet | None = None
        self._rotated = False

    def tell(self, step: Step, sight: Sight, now: int) -> None:
        """Show where the rotation is."""
        from keyaudit.rotation.steps import Drop

        self._seen, self._quiet = (step, sight), sight.quiet or self._quiet
        if isinstance(step, Drop):
            self._rotated = step.place == "previous" and sight.shelf.final is not False
        self.tick(now)

    def tick(self, now: int) -> None:
        """Draw anew: instants have become longer ago."""
        if self._seen is None:
            return
        from rich.console import Console
        from rich.live import Live

        if self._live is None:
            console = Console(file=sys.stderr, highlight=False, markup=False)
            self._live = Live(
                console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        step, sight = self._seen
        over = self._rotated and words.newest(sight.shelf) is None
        shown = drawn(self.title, step, sight, self._quiet, now, rotated=over)
        self._live.update(shown, refresh=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave what stands, and begin below it afterwards."""
        self.close()
        yield

    def close(self) -> None:
        """Leave what was drawn last."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def drawn(
    title: str, step: Step, sight: Sight, quiet: Quiet | None, now: int, *, rotated: bool = False
) -> Table:
    """Draw a rotation: steps, keys, and what happens now; it fits 80 columns."""
    from rich.table import Table
    from rich.text import Text

    whole = Table.grid()
    whole.add_column(no_wrap=True, overflow="ellipsis")
    whole.add_row(Text(_shown(title), style="bold"))
    marks = Text("  ")
    for name, state in marked(step, sight, rotated=rotated):
        mark, style = _MARKS[state]
        marks.append(f"{mark} {name}  ", style=style)
    whole.add_row(marks)
    for line in _keys(sight, quiet, now):
        whole.add_row(line)
    whole.add_row(Text(f"  {_shown(_now(step, sight, now))}"))
    return whole


def marked(step: Step, sight: Sight, *, rotated: bool = False) -> list[tuple[str, str]]:
    """Say of each step whether it is done, being done, or to come, from what can be seen.

    A way back has steps of its own. `rotated` says that this run has brought a rotation to its end.
    """
    from keyaudit.rotation import steps

    shelf = sight.shelf
    if shelf.final is False:
        drained = isinstance(step, steps.Revoke | steps.Drop)
        held = {"restore": not shelf.promoted, "drain": drained, "retire": False}
    elif shelf.forward is False and shelf.pending is not None:
        held = {"discard": sight.works(shelf.pending.key_id) is False, "drop": False}
    else:
        held = _forward(sight, rotated=rotated)
    at = _at(step, sight, held)
    return [(name, "done" if done else "now" if name == at else "to come") for name, done in held.items()]


def _forward(sight: Sight, *, rotated: bool) -> dict[str, bool]:
    from keyaudit.rotation.sight import Liveness

    shelf = sight.shelf
    if rotated:
        return dict.fromkeys(STEPS, True)
    staged = shelf.promoted or shelf.pending is not None
    alive = staged and sight.alive in {Liveness.ALIVE, Liveness.RESTRICTED}
    return {
        "provision": staged,
        "stage": staged,
        "verify": shelf.promoted or bool(shelf.forward) or alive,
        "promote": shelf.promoted,
        "drain": bool(shelf.final),
        "retire": False,
    }


def _at(step: Step, sight: Sight, held: Mapping[str, bool]) -> str:
    """Name the step of the row that something done now belongs to."""
    from keyaudit.rotation import steps

    match step:
        case steps.Decide():
            return "promote" if step.question == "forward" else "retire"
        case steps.Wait():
            return "drain" if sight.shelf.previous is not None else "provision"
        case steps.Done() | steps.Blocked():
            return ""
        case _:
            return step.name if step.name in held else _AT.get(step.name, step.name)


def _keys(sight: Sight, quiet: Quiet | None, now: int) -> Iterator[Text]:
    from rich.text import Text

    shelf = sight.shelf
    new, old = words.newest(shelf), words.oldest(shelf)
    for title, place in (("new", new), ("old", old)) if new else (("key", shelf.current),):
        if place is None:
            continue
        line = Text(f"  {title}  ", style="dim")
        line.append(_shown(place.key_id or f"version {place.version}"), style="bold")
        line.append(f"  {', '.join(_states(sight, place, now))}", style="default")
        yield line
        if quiet is not None and place is shelf.previous:
            yield Text(f"       {_shown(_used(quiet, now))}", style="dim")


def _states(sight: Sight, place: Place, now: int) -> Iterator[str]:
    shelf = sight.shelf
    where = "in use" if place is shelf.current else "staged" if place is shelf.pending else "kept beside"
    known = place is shelf.current and place.since is not None
    yield where + (f" for {words.lasted(now - (place.since or 0))}" if known else "")
    if (works := sight.works(place.key_id)) is not None:
        yield "works" if works else "revoked" if sight.ended(place.key_id) else "not listed"
    if place is words.newest(shelf) and sight.alive is not None:
        yield f"probe: {sight.alive}"


def _used(quiet: Quiet, now: int) -> str:
    seen = f"seen until {words.moment(quiet.seen_until)}"
    if quiet.last_used_at is None:
        return f"no use of it, {seen}"
    return f"last used {words.lasted(now - quiet.last_used_at)} ago, {seen}"


def _now(step: Step, sight: Sight, now: int) -> str:
    from keyaudit.rotation import steps

    if isinstance(step, steps.Wait):
        left = words.lasted(step.until - now)
        return f"{left} left: {step.why}{'; its grace period is over' if step.late else ''}"
    return words.doing(step, sight)


def _shown(text: Any) -> str:
    from keyaudit.formats.visible import visible

    return visible(str(text))
