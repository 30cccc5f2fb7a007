"""Plain values of a framework file, read strictly: what is wrong is noted with its place and read on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from keyaudit.errors import Problem, did_you_mean
from keyaudit.match import Match
from keyaudit.policy import matching
from keyaudit.strict_yaml import Node
from keyaudit.times import parse_duration


@dataclass(frozen=True, slots=True)
class Fields:
    """One file being read.

    Every reader takes a node, or None for a field that is not there (`mapping` has said so where
    it must be), and the field's dotted path. A wrong value becomes a problem and a harmless
    stand-in, so that reading goes on and finds the rest.
    """

    file: str
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, node: Node, path: str, message: str) -> None:
        """Note a problem at a node."""
        self.problems.append(Problem(self.file, node.line, node.column, path or None, message))

    def mapping(self, node: Node, path: str, must: Sequence[str], may: Sequence[str] = ()) -> dict[str, Node]:
        """Give the known fields of a mapping; unknown and missing ones are problems."""
        if not isinstance(node.content, dict):
            self.wrong(node, path, f"must be a mapping with {', '.join(must)}")
            return {}
        known = (*must, *may)
        for key, entry in node.items():
            if key not in known:
                hint = did_you_mean(key, known) or f"; known are {', '.join(known)}"
                place = Node(None, entry.line, entry.column)
                self.wrong(place, f"{path}.{key}" if path else key, f"unknown field{hint}")
        if missing := [key for key in must if key not in node.content]:
            self.wrong(node, path, f"missing {', '.join(missing)}")
        return {key: entry.node for key, entry in node.items() if key in known}

    def items(self, node: Node | None, path: str) -> list[tuple[Node, str]]:
        """Give the items of a list, each with its own path."""
        if node is None:
            return []
        if not isinstance(node.content, list):
            self.wrong(node, path, "must be a list")
            return []
        return [(item, f"{path}[{index}]") for index, item in enumerate(node.content)]

    def text(self, node: Node | None, path: str) -> str:
        """Give text that is not empty; numbers such as 7.5 have to be quoted to be an id."""
        if node is None:
            return ""
        if isinstance(node.content, bool | int | float):
            self.wrong(node, path, "must be text: put it in quotes")
        elif not isinstance(node.content, str) or not node.content.strip():
            self.wrong(node, path, "must be text that is not empty")
        else:
            return node.content.strip()
        return ""

    def texts(self, node: Node | None, path: str) -> tuple[str, ...]:
        """Give a list of texts without repetition."""
        found: list[str] = []
        for item, place in self.items(node, path):
            text = self.text(item, place)
            if text in found and text:
                self.wrong(item, place, f"{text!r} is listed twice")
            found.append(text)
        return tuple(found)

    def choice(self, node: Node | None, path: str, choices: Sequence[str]) -> str:
        """Give one of a few words."""
        text = self.text(node, path)
        if node is not None and text and text not in choices:
            self.wrong(node, path, f"must be one of {', '.join(choices)}{did_you_mean(text, choices)}")
        return text

    def duration(self, node: Node | None, path: str) -> int | None:
        """Give a duration such as 90d, longer than nothing, in microseconds."""
        if node is None:
            return None
        try:
            duration = parse_duration(str(node.content))
        except ValueError as error:
            self.wrong(node, path, str(error))
            return None
        if not duration:
            self.wrong(node, path, "must be longer than nothing")
        return duration

    def day(self, node: Node | None, path: str) -> None:
        """Check that a field is a day."""
        text = self.text(node, path)
        if node is None or not text:
            return
        try:
            date.fromisoformat(text)
        except ValueError:
            self.wrong(node, path, "must be a day such as 2026-11-21")

    def match(self, node: Node | None, path: str) -> Match | None:
        """Give a match, None where there is none."""
        if node is None:
            return None
        problems: list[Problem] = []
        found = matching.parse(node, self.file, problems)
        self.problems.extend(replace(problem, field=path) for problem in problems)
        return found
