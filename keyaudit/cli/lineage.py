"""`lineage:` of keyaudit.yaml: which credentials are one, and what is said where that contradicts itself.

    lineage:
      - {match: {source: aws-secrets-manager, name: "*/openai"}, lineage: openai-prod}
      - {match: {source: openai, labels.project: production},    lineage: openai-prod}

A match is written as in a policy. The first rule that matches counts, and only where the
credential says no lineage itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from keyaudit.errors import Problem, did_you_mean

if TYPE_CHECKING:
    from keyaudit.inventory.linking import LineageRule
    from keyaudit.model import Inventory
    from keyaudit.strict_yaml import Node

KEYS = ("match", "lineage")
LONGEST = 2048
MOST_SAID = 10


def problems(node: Node, file: str) -> Iterator[Problem]:
    """Say everything that is wrong with the rules."""
    if not isinstance(node.content, list):
        yield Problem(
            file, node.line, node.column, "lineage", "expected a list of `- {match: …, lineage: …}`"
        )
        return
    for index, item in enumerate(node.content):
        yield from _of_rule(item, f"lineage[{index}]", file)


def _of_rule(item: Node, field: str, file: str) -> Iterator[Problem]:
    from keyaudit.policy import matching

    if not isinstance(item.content, dict):
        yield Problem(file, item.line, item.column, field, "expected match and lineage")
        return
    for name, entry in item.items():
        here = f"{field}.{name}"
        if name not in KEYS:
            said = f"unknown setting{did_you_mean(name, KEYS)}"
            yield Problem(file, entry.line, entry.column, here, said)
        elif name == "match":
            found: list[Problem] = []
            matching.parse(entry.node, file, found, here)
            yield from found
            if entry.node.content == {}:
                said = "matches every credential: they would all be one"
                yield Problem(file, entry.node.line, entry.node.column, here, said)
        elif complaint := _complaint(entry.node.content):
            yield Problem(file, entry.node.line, entry.node.column, here, complaint)
    for name in KEYS:
        if name not in item.content:
            yield Problem(file, item.line, item.column, f"{field}.{name}", "missing")


def _complaint(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "expected text"
    if value != value.strip():
        return "begins or ends with a space"
    if "{" in value or "}" in value:
        return "a lineage is fixed text: nothing is filled in for { }"
    return f"longer than {LONGEST:,} characters" if len(value) > LONGEST else None


def rules(node: Node) -> tuple[LineageRule, ...]:
    """Read rules that have no problems."""
    from keyaudit.inventory.linking import LineageRule
    from keyaudit.policy import matching

    return tuple(
        LineageRule(matching.parse(item.at(("match",)), "", []), item.at(("lineage",)).content)
        for item in node.content
    )


def linked(rules: Sequence[LineageRule], inventory: Inventory) -> Inventory:
    """Fill lineages as the rules and recorded key ids say; what contradicts itself is told."""
    from keyaudit.cli.outputs import tell
    from keyaudit.inventory import link

    outcome = link(inventory, rules)
    for sentence in outcome.contradictions[:MOST_SAID]:
        tell(f"lineage: {sentence}", "lineage-contradiction")
    more = len(outcome.contradictions) - MOST_SAID
    if more > 0:
        tell(f"lineage: … and {more:,} more contradictions", "lineage-contradiction", more=more)
    return outcome.inventory
