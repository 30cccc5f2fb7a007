"""What must hold in a policy beyond its shape: names that exist, matches, schedules that can be reached.

Every check looks at the file's nodes and passes over what has the wrong shape (`reading` says
that), so one mistake never hides another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from keyaudit.columns import CHOICES
from keyaudit.errors import Problem, did_you_mean
from keyaudit.match import EVERYTHING, NUMBER_FIELDS, Match
from keyaudit.model import Param, Severity
from keyaudit.policy import days, matching
from keyaudit.strict_yaml import Entry, Node
from keyaudit.times import format_duration, parse_duration

Rules = Mapping[str, Mapping[str, Param]]
Controls = Mapping[str, Collection[str]]

CLASSIFIABLE = (
    "class",
    "provider",
    "environment",
    "tier",
    "owner",
    "lineage",
    "reach",
    "exposure",
    "consumers",
    "user_owned",
)
LARGEST = 2**53
SEVERITIES = tuple(severity.value for severity in Severity)


def check(root: Node, file: str, rules: Rules, frameworks: Controls) -> list[Problem]:
    """List everything wrong with a policy that its shape does not tell."""
    checks = _Checks(file, rules, frameworks)
    checks.policy(root)
    return checks.problems


class _Checks:
    def __init__(self, file: str, rules: Rules, frameworks: Controls) -> None:
        self.file, self.rules, self.frameworks = file, rules, frameworks
        self.problems: list[Problem] = []

    def wrong(self, place: Node | Entry, field: str, message: str) -> None:
        self.problems.append(Problem(self.file, place.line, place.column, field, message))

    def policy(self, root: Node) -> None:
        day = _below(root, "reviewed_on")
        if day is not None and isinstance(day.content, str):
            try:
                days.parse(day.content, "2026-07-01")
            except ValueError as error:
                self.wrong(day, "reviewed_on", f"must be {error}")
        self.levels(root)
        for field, item in _items(root, "classify"):
            self.match(item, "match", field)
            for name, entry in (_below(item, "set") or item).items() if _below(item, "set") else ():
                self.fact(name, entry, f"{field}.set.{name}")
        self.unique(root, "risk", "name")
        for field, item in _items(root, "risk"):
            self.match(item, "match", field)
        self.schedules(root, "")
        for name, entry in _entries(root, "frameworks"):
            self.demand(name, entry)
        for name, entry in _entries(root, "rules"):
            self.rule(name, entry)
        self.unique(root, "waivers", "id")
        for field, item in _items(root, "waivers"):
            self.match(item, "match", field)
            for path, rule in _items(item, "rules"):
                self.rule_name(rule, f"{field}.{path}", rule.content)

    def levels(self, root: Node) -> None:
        before = 0
        for field, item in _items(root, "risk_levels"):
            try:
                level = parse_duration(item.content) if isinstance(item.content, str) else before + 1
            except ValueError:
                continue
            if level <= before:
                self.wrong(item, field, "risk levels go from the shortest to the longest")
            before = max(before, level)

    def match(self, item: Node, name: str, field: str) -> Match | None:
        """Check a match that is there; gives it if nothing is wrong with it."""
        node = _below(item, name)
        if node is None:
            return EVERYTHING if isinstance(item.content, dict) else None
        if not isinstance(node.content, dict):
            return None  # a wrong shape
        before = len(self.problems)
        found = matching.parse(node, self.file, self.problems, f"{field}.{name}")
        return found if len(self.problems) == before else None

    def fact(self, name: str, entry: Entry, field: str) -> None:
        if name not in CLASSIFIABLE:
            self.wrong(entry, field, f"{name!r} cannot be set{did_you_mean(name, CLASSIFIABLE)}")
        elif complaint := _unfit(name, entry.node.content):
            self.wrong(entry.node, field, complaint)

    def unique(self, parent: Node, section: str, key: str, prefix: str = "") -> None:
        """Refuse a second item of the same name."""
        seen: dict[str, int] = {}
        for field, item in _items(parent, section):
            name = _below(item, key)
            if name is None or not isinstance(name.content, str):
                continue
            if name.content in seen:
                message = f"another one is called {name.content!r}, on line {seen[name.content]}"
                self.wrong(name, f"{prefix}{field}.{key}", message)
            seen.setdefault(name.content, name.line)

    def schedules(self, parent: Node, prefix: str) -> None:
        """Check schedules; one that an earlier one always shadows could never apply."""
        self.unique(parent, "schedules", "name", prefix)
        earlier: list[tuple[Match, int]] = []
        for field, item in _items(parent, "schedules"):
            self.tolerance(item, prefix + field)
            here = self.match(item, "match", prefix + field)
            if here is None:
                continue
            shadow = next((line for other, line in earlier if other in {EVERYTHING, here}), None)
            if shadow is not None:
                message = f"never reached: the schedule on line {shadow} matches the same or everything"
                self.wrong(item, prefix + field, message)
            earlier.append((here, item.line))

    def tolerance(self, item: Node, field: str) -> None:
        """Refuse a tolerance that is longer than the period that it is a tolerance of."""
        period, tolerated = (_below(item, name) for name in ("rotation_period", "overdue_tolerance"))
        if period is None or tolerated is None:
            return
        try:
            lengths = [parse_duration(str(node.content)) for node in (period, tolerated)]
        except ValueError:
            return  # a wrong shape
        if lengths[1] > lengths[0]:
            message = f"longer than the rotation period itself ({format_duration(lengths[0])})"
            self.wrong(tolerated, f"{field}.overdue_tolerance", f"{message}, which it would double")

    def demand(self, name: str, entry: Entry) -> None:
        """Check what the policy adds to one framework."""
        field = f"frameworks.{name}"
        if self.frameworks and name not in self.frameworks:
            self.wrong(entry, field, f"unknown framework {name!r}{did_you_mean(name, self.frameworks)}")
        controls = self.frameworks.get(name)
        for control, reason in _entries(entry.node, "not_applicable"):
            if controls and control not in controls:
                message = f"no control of {name} is called {control!r}{did_you_mean(control, controls)}"
                self.wrong(reason, f"{field}.not_applicable.{control}", message)
        self.match(entry.node, "scope", field)
        self.schedules(entry.node, f"{field}.")
        for path, item in _items(entry.node, "schedules"):
            if (
                isinstance(item.content, dict)
                and not {"rotation_period", "grace_period"} & item.content.keys()
            ):
                self.wrong(item, f"{field}.{path}", "needs a rotation_period or a grace_period")

    def rule_name(self, place: Node | Entry, field: str, name: object) -> bool:
        if not isinstance(name, str) or name in self.rules:
            return isinstance(name, str)
        self.wrong(place, field, f"no rule is called {name!r}{did_you_mean(name, self.rules)}")
        return False

    def rule(self, name: str, entry: Entry) -> None:
        """Check one rule's settings: names and the kind of every value."""
        field = f"rules.{name}"
        if not self.rule_name(entry, field, name):
            return
        params = self.rules[name]
        known = ("severity", "enabled", *params)
        for key, setting in entry.node.items():
            value = setting.node.value()
            if key not in known:
                self.wrong(setting, f"{field}.{key}", f"unknown setting {key!r}{did_you_mean(key, known)}")
            elif key == "severity" and value not in SEVERITIES:
                hint = did_you_mean(value, SEVERITIES)
                self.wrong(setting.node, f"{field}.{key}", f"must be one of {', '.join(SEVERITIES)}{hint}")
            elif key == "enabled" and not isinstance(value, bool):
                self.wrong(setting.node, f"{field}.{key}", "true or false is expected")
            elif key in params:
                try:
                    setting_value(params[key], value)
                except ValueError as error:
                    self.wrong(setting.node, f"{field}.{key}", str(error))


def setting_value(param: Param, value: object) -> Any:
    """Read a setting of a parameter's kind; raises ValueError with what was expected."""
    if param.kind == "duration":
        if not isinstance(value, str):
            raise ValueError("a duration is text such as 30d, 24h or 90m")
        return parse_duration(value)
    if param.kind == "names":
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise ValueError("a list of names is expected")
        return tuple(value)
    if param.kind == "boolean":
        if not isinstance(value, bool):
            raise ValueError("true or false is expected")
        return value
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise ValueError("a whole number is expected")
    return value


def _unfit(name: str, value: object) -> str | None:
    if name in NUMBER_FIELDS:
        fits = type(value) is int and 0 <= value <= LARGEST
        return None if fits else f"{name} is a whole number"
    if name == "user_owned":
        return None if isinstance(value, bool) else "user_owned is true or false"
    if not isinstance(value, str) or not value.strip():
        return f"{name} is text"
    choices = CHOICES.get(name)
    if choices and value not in choices:
        return f"{name} is one of {', '.join(choices)}{did_you_mean(value, choices)}"
    return None


def _below(node: Node, name: str) -> Node | None:
    if isinstance(node.content, dict) and name in node.content:
        found: Node = node.content[name].node
        return found
    return None


def _entries(node: Node, name: str) -> Iterator[tuple[str, Entry]]:
    below = _below(node, name)
    return below.items() if below is not None else iter(())


def _items(node: Node, name: str) -> Iterator[tuple[str, Node]]:
    below = _below(node, name)
    found: Sequence[Node] = below.content if below is not None and isinstance(below.content, list) else ()
    return ((f"{name}[{place}]", item) for place, item in enumerate(found))
