"""What came of a simulation, in words and as JSON (`keyaudit/rotation-simulation/1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyaudit.cli.tables import table
from keyaudit.times import describe_duration

if TYPE_CHECKING:
    from keyaudit.cli.rotate.simulated_fleet import Fleet
    from keyaudit.rotation.simulation.playing import Setting
    from keyaudit.rotation.simulation.tally import Tally

SCHEMA = "keyaudit/rotation-simulation/1"
WIDEST_NAME = 24


@dataclass(frozen=True, slots=True)
class Played:
    """A fleet's days under one policy: all of it, and by environment."""

    fleet: Fleet
    whole: Tally
    parts: dict[str, Tally]


def under(fleet: Fleet, setting: Setting) -> Played:
    """Play a fleet's days."""
    from keyaudit.rotation.simulation.playing import play_all
    from keyaudit.rotation.simulation.tally import tally

    return Played(fleet, *tally(play_all(fleet.subjects, setting), setting.days))


def as_json(played: Sequence[Played], setting: Setting, faults: str) -> str:
    """Give everything for a program; durations in seconds."""
    document = {
        "schema": SCHEMA,
        "days": setting.days,
        "seed": setting.seed,
        "faults": faults,
        "policies": [
            {
                "policy": one.fleet.policy,
                "left_out": dict(one.fleet.left_out),
                "total": one.whole.document(),
                "environments": {name: part.document() for name, part in one.parts.items()},
            }
            for one in played
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def in_words(played: Sequence[Played], setting: Setting, faults: str) -> str:
    """Give tables for a reader: one line a measure and one column a policy, then by environment."""
    days = f"{setting.days} day{'s' if setting.days > 1 else ''}"
    lines = [f"{days} of rotations, faults: {faults}, seed {setting.seed}", ""]
    names = _names(played)
    columns = [list(_measures(one.whole)) for one in played]
    rows = [
        {"measure": cells[0][0], **{name: cell[1] for name, cell in zip(names, cells, strict=True)}}
        for cells in zip(*columns, strict=True)
    ]
    lines += table(rows)
    lines += ["", *table(list(_by_environment(played, names)) or [{"environment": "none"}])]
    for name, one in zip(names, played, strict=True):
        for why, number in sorted(one.fleet.left_out.items()):
            lines.append(f"{name}: {number:,} left out: {why}")
    lines += [
        "",
        "Applications were refused only where a key was ended under them; two keys are",
        "needed while some still hold the old one. Faults, and how often applications",
        "fetch their key, are guesses: compare policies by this, predict nothing.",
    ]
    return "\n".join(lines)


def _names(played: Sequence[Played]) -> list[str]:
    """Give each policy's column a name of its own, short enough for two of them on 80 columns."""
    from keyaudit.formats.visible import visible

    names = [visible(one.fleet.policy) for one in played]
    names = [name if len(name) <= WIDEST_NAME else f"…{name[-WIDEST_NAME + 1 :]}" for name in names]
    return names if len(set(names)) == len(names) else [f"{n}: {name}" for n, name in enumerate(names, 1)]


def _measures(tally: Tally) -> Iterator[tuple[str, str]]:
    yield "credentials", f"{tally.credentials:,}"
    yield "rotations", f"{tally.rotations:,}"
    yield "  too late", _worst(tally.late, tally.latest)
    yield "  rolled back", f"{tally.rollbacks:,}"
    yield "two keys worked, on average", describe_duration(tally.overlap_mean)
    yield "  longest", describe_duration(tally.overlap_max)
    yield "  longer than the grace", f"{tally.beyond_grace:,}"
    yield "requests answered", f"{_floor(tally.availability):.5f} %"
    for cause, words in CAUSES.items():
        yield f"  refused: {words}", _long(tally.refused[cause])
    yield "emergencies", f"{tally.emergencies:,}"
    yield "  leaked key worked, at most", describe_duration(tally.exposure_max)
    yield "runs", f"{tally.runs:,}"
    yield "  died", f"{tally.killed:,}"
    yield "  found something away", f"{tally.unreachable:,}"
    yield "  needed a human", f"{tally.blocked:,}"
    yield "keys cleared away unused", f"{tally.discarded:,}"
    yield "keys left over at the end", f"{tally.orphans:,}"


CAUSES = {
    "emergency": "emergency",
    "revoked-early": "revoked too early",
    "new-key-dead": "new key dead",
    "discarded": "key cleared away",
    "retired": "old key retired",
}
"""Why applications were refused, in words."""


def _floor(share: float) -> float:
    """Give a share in per cent, never rounded up to all of it."""
    return int(share * 10_000_000) / 100_000


def _worst(number: int, worst: int) -> str:
    return f"{number:,}, by {describe_duration(worst)} at most" if number else "0"


def _long(duration: int) -> str:
    """Say a sum over applications, which may be far longer than the days that were played."""
    return describe_duration(duration - duration % 1_000_000 if duration >= 1_000_000 else duration)


def _by_environment(played: Sequence[Played], names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for environment in sorted({name for one in played for name in one.parts}):
        for name, one in zip(names, played, strict=True):
            part = one.parts.get(environment)
            if part is not None:
                row = {"environment": environment, "keys": f"{part.credentials:,}"}
                row |= {"rotations": f"{part.rotations:,}", "late": f"{part.late:,}"}
                row |= {"two keys": describe_duration(part.overlap_max)}
                row |= {"refused": _long(sum(part.refused.values()))}
                yield row | ({"policy": name} if len(played) > 1 else {})
