"""A rotation as a person sees it on a terminal, and as a log reads it.

On a terminal a few lines stand and change: the steps with their marks, both keys, what is waited for.
Elsewhere each step is a line; with `--log-format json` an object: `rotation-step` with name, step,
token, key ids.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keyaudit.cli import rotate_words as words
from keyaudit.cli.outputs import log
from keyaudit.times import SECOND, describe_duration, format_instant

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from keyaudit.rotation.sight import Place, Quiet, Sight
    from keyaudit.rotation.steps import Step

STEPS = ("provision", "stage", "verify", "promote", "drain", "retire")
_MARKS = {
    "done": ("✓", "green"),
    "now": ("▶", "bold yellow"),
    "to come": ("·", "dim"),
    "given up": ("✗", "red"),
}
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

    def __init__(self, name: str, title: str) -> None:
        """`title` says of what this is the rotation."""
        self._name, self._title = name, title
        self._live: Live | None = None
        self._seen: tuple[Step, Sight] | None = None
        self._quiet: Quiet | None = None

    def tell(self, step: Step, sight: Sight, now: int) -> None:
        """Show where the rotation is."""
        self._seen, self._quiet = (step, sight), sight.quiet or self._quiet
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
        self._live.update(drawn(self._title, *self._seen, self._quiet, now), refresh=True)

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


def drawn(title: str, step: Step, sight: Sight, quiet: Quiet | None, now: int) -> Table:
    """Draw a rotation: steps, keys, and what happens now; it fits 80 columns."""
    from rich.table import Table
    from rich.text import Text

    whole = Table.grid()
    whole.add_column(no_wrap=True, overflow="ellipsis")
    whole.add_row(Text(_shown(title), style="bold"))
    marks = Text("  ")
    for name, state in marked(step, sight):
        mark, style = _MARKS[state]
        marks.append(f"{mark} {name}  ", style=style)
    whole.add_row(marks)
    for line in _keys(sight, quiet, now):
        whole.add_row(line)
    whole.add_row(Text(f"  {_shown(_now(step, sight, now))}"))
    return whole


def marked(step: Step, sight: Sight) -> list[tuple[str, str]]:
    """Say of each step whether it is done, being done, to come, or given up, from what can be seen."""
    from keyaudit.rotation import steps

    shelf = sight.shelf
    over = isinstance(step, steps.Done) and step.outcome is steps.Outcome.ROTATED
    back = shelf.forward is False or shelf.final is False
    staged = over or shelf.promoted or shelf.pending is not None
    held = {
        "provision": staged,
        "stage": staged,
        "verify": over or shelf.promoted or bool(shelf.forward),
        "promote": over or shelf.promoted,
        "drain": over or bool(shelf.final),
        "retire": over,
    }
    name = getattr(step, "name", "")
    at = _AT.get(name, name)
    if name == "decide":
        at = "promote" if getattr(step, "question", "") == "forward" else "retire"
    if isinstance(step, steps.Wait) and shelf.promoted:
        at = "drain"
    marks = []
    for each in STEPS:
        state = (
            "done" if held[each] else "given up" if back and each not in {"provision", "stage"} else "to come"
        )
        marks.append((each, "now" if each == at and not held[each] else state))
    return marks


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
    if new and old and quiet is not None:
        yield Text(f"       {_shown(_used(quiet, now))}", style="dim")


def _states(sight: Sight, place: Place, now: int) -> Iterator[str]:
    shelf = sight.shelf
    where = "in use" if place is shelf.current else "staged" if place is shelf.pending else "kept"
    since = "" if place.since is None else f" for {describe_duration(max(now - place.since, 0))}"
    yield f"{where}{since}"
    if (works := sight.works(place.key_id)) is not None:
        yield "works" if works else "revoked"
    if place is words.newest(shelf) and sight.alive is not None:
        yield f"probe: {sight.alive}"


def _used(quiet: Quiet, now: int) -> str:
    seen = f"seen until {format_instant(quiet.seen_until)}"
    if quiet.last_used_at is None:
        return f"no use of the old key, {seen}"
    return f"old key last used {describe_duration(max(now - quiet.last_used_at, 0))} ago, {seen}"


def _now(step: Step, sight: Sight, now: int) -> str:
    from keyaudit.rotation import steps

    if isinstance(step, steps.Wait):
        left = describe_duration(max(step.until - now, 0) // SECOND * SECOND)
        return f"{left} left: {step.why}{'; its grace period is over' if step.late else ''}"
    return words.doing(step, sight)


def _shown(text: Any) -> str:
    from keyaudit.formats.visible import visible

    return visible(str(text))
