"""`--earlier-policy UNTIL=FILE`, and `earlier_policies:` of keyaudit.yaml: what governed before.

    earlier_policies:
      - {until: 2026-03-31, file: policies/2025.yaml}

Each governed until its day (UTC) was over, or until an instant with an offset, itself included; today's
policy governs from then on. Several are put in the order of time. What keyaudit.yaml names is left alone
where no period is audited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli import options
from keyaudit.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.model import Framework, Policy
    from keyaudit.strict_yaml import Node

KEYS = ("until", "file")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OPTION = "--earlier-policy"

Named = tuple[str, str]
"""Until when, as it was written, and the file."""

option: options.Decorator = click.option(
    _OPTION,
    "earlier",
    metavar="UNTIL=FILE",
    multiple=True,
    help="A policy that governed before, until the end of a UTC day or an instant: each part of --period is "
    "judged by the policy of its time. Repeat for several.  [default: keyaudit.yaml's `earlier_policies`]",
)


def problems(node: Node, file: str) -> Iterator[Problem]:
    """Say everything that is wrong with the list in keyaudit.yaml."""
    if not isinstance(node.content, list):
        said = "expected a list of `- {until: …, file: …}`"
        yield Problem(file, node.line, node.column, "earlier_policies", said)
        return
    for index, item in enumerate(node.content):
        field = f"earlier_policies[{index}]"
        if not isinstance(item.content, dict):
            yield Problem(file, item.line, item.column, field, "expected until and file")
            continue
        for name, entry in item.items():
            if complaint := _complaint(name, entry.node.value()):
                yield Problem(file, entry.node.line, entry.node.column, f"{field}.{name}", complaint)
        for name in KEYS:
            if name not in item.content:
                yield Problem(file, item.line, item.column, f"{field}.{name}", "is missing")


def _complaint(name: str, value: Any) -> str | None:
    if name not in KEYS:
        return f"unknown setting{did_you_mean(name, KEYS)}"
    if not isinstance(value, str) or not value:
        return "expected text"
    if name == "until":
        try:
            _instant(value)
        except ValueError as error:
            return str(error)
    return None


def configured(file: Path, said: Sequence[Mapping[str, str]]) -> tuple[Named, ...]:
    """Give what keyaudit.yaml names, with paths counted from it."""
    return tuple((each["until"], options.beside(file, each["file"])) for each in said)


def read(
    named: Sequence[str],
    configured: Sequence[Named],
    frameworks: Sequence[Framework],
    period: tuple[int, int] | None,
) -> tuple[tuple[Policy, int], ...]:
    """Read the policies that governed before, in the order of time, each with the last instant that it did.

    Raises click.BadParameter, UsageError where no period is audited, PolicyError.
    """
    if named and period is None:
        raise UsageError("an earlier policy governed a part of a period", hint="name it: --period FROM/TO")
    chosen = [_split(text) for text in named] or (list(configured) if period else [])
    if not chosen:
        return ()
    from keyaudit.evidence.governing import governed

    dated = sorted((_until(until), file) for until, file in chosen)
    return tuple((governed(Path(file), frameworks), until) for until, file in dated)


def _split(text: str) -> Named:
    until, equals, file = text.partition("=")
    if not equals or not until or not file:
        raise click.BadParameter(
            f"{text!r} is not UNTIL=FILE, such as 2026-03-31=policies/2025.yaml", param_hint=_OPTION
        )
    return until, file


def _until(text: str) -> int:
    try:
        return _instant(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint=_OPTION) from None


def _instant(text: str) -> int:
    """Give the last microsecond of a day, or an instant; raises ValueError with a sentence."""
    from keyaudit.times import DAY, parse_instant

    if _DAY.fullmatch(text):
        return parse_instant(f"{text}T00:00:00Z") + DAY - 1
    return parse_instant(text)
