"""Console blocks of READMEs whose commands print something else on any day: instants, durations, ids, digests.

A line `…` stands for any lines, and what differs from run to run is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

UNIT = r"(?:d|h|min|s)"
VOLATILE = {
    r"\d{4}-\d\d-\d\dT[\d:.]+Z": "INSTANT",
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}": "ID",
    r"\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b": "DIGEST",
    rf"\b\d+ ?{UNIT}\b(?: \d+ ?{UNIT}\b)*": "LASTED",
    r"127\.0\.0\.1:\d+": "ADDRESS",
}


def steady(text: str) -> str:
    """Give a text with what is another on any day taken out."""
    for pattern, word in VOLATILE.items():
        text = re.sub(pattern, word, text)
    return text.rstrip()


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Give each command of a block, and what is shown of it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        while command.endswith("\\"):
            command = f"{command[:-1]}{shown.pop(0)}"
        yield command, shown


def fits(shown: list[str], printed: list[str]) -> bool:
    """Say whether what is shown is what was printed, with lines left out at each `…`."""
    pattern = [
        r"(?:.*\n)*" if line.strip() == "…" else re.escape(steady(line)) + r"\n" for line in shown if line
    ]
    return (
        re.fullmatch("".join(pattern), "".join(f"{steady(line)}\n" for line in printed if line)) is not None
    )
