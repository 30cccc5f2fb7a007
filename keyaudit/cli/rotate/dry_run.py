"""`--dry-run`: each step and each call that a run would make, with what it sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from keyaudit.cli.clock import now
from keyaudit.cli.outputs import print_text
from keyaudit.cli.rotate import words
from keyaudit.times import describe_duration

if TYPE_CHECKING:
    from keyaudit.cli.rotate.opening import Opened
    from keyaudit.rotation.rehearsal import Call
    from keyaudit.rotation.sight import Sight
    from keyaudit.rotation.steps import Order, Step

NOTE = (
    "Nothing was changed: what is there now was looked at, and the rest is a rehearsal in which the new key"
    " works and the old one falls silent. Ids that nobody knows yet are in brackets. A call may send one of"
    " its requests more than once: a list has pages, a label may have to be moved again."
)


def rehearsed(
    rotation: Opened, order: Order, terms: str, *, before: Sequence[Call], wait: bool, goes_on: bool = False
) -> int:
    """Rehearse an order and print it under its terms; gives the exit code that the run would."""
    from keyaudit.cli.rotate.ending import code_of
    from keyaudit.cli.rotate.foreground import Rehearsed
    from keyaudit.formats.visible import visible
    from keyaudit.rotation.rehearsal import rehearse

    lines = [
        f"{rotation.name}: what `keyaudit rotate` would do",
        terms,
        "",
    ]
    start = now()

    def stepped(step: Step, sight: Sight, at: int) -> None:
        asks = "  (asks first)" if getattr(step, "irreversible", False) else ""
        after = f"  (after {describe_duration(at - start)})" if at > start else ""
        lines.append(f"{words.doing(step, sight)}{asks}{after}")

    def called(call: Call) -> None:
        about = f" {call.about}" if call.about else ""
        lines.append(f"    {call.role} {call.kind}: {call.method}{about}")
        lines.extend(f"        {sends}" for sends in call.sends)

    for call in before:
        called(call)
    around = Rehearsed(stepped, wait=wait, start=start)
    ending = rehearse(rotation.parties, rotation.journal, around, order, called)
    print_text("\n".join([*(visible(line, longest=1000) for line in lines), "", NOTE]))
    return code_of(ending, order, goes_on=goes_on)
