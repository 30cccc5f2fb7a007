"""From a policy file to a Policy, or to every error of it at once."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from keyaudit.errors import PolicyError, Problem, UsageError, did_you_mean
from keyaudit.inventory.columns import CHOICES
from keyaudit.match import EVERYTHING, NUMBER_FIELDS, Match
from keyaudit.model import (
    Classification,
    FrameworkDemand,
    Param,
    Policy,
    RiskFactor,
    RuleSetting,
    Schedule,
    Severity,
)
from keyaudit.policy import document, matching, shipped, waivers
from keyaudit.strict_yaml import Node
from keyaudit.strict_yaml import load as read_yaml
from keyaudit.times import parse_duration, parse_instant

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


def load(path: Path | None, *, rules: Rules, frameworks: Controls) -> Policy:
    """Read a policy; None is the shipped default.

    `rules` maps rule names to their parameters, `frameworks` the ids of known frameworks to
    their control ids (empty: any control is taken). Settings that the file leaves out come from
    the shipped default. Raises PolicyError with every problem, UsageError for an unreadable file.
    """
    default = shipped.folder("default.yaml")
    path = default if path is None else path
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"policy {path} cannot be read: {error.strerror}", hint="keyaudit init writes one") from None
    inherited = None if path == default else load(None, rules=rules, frameworks={})
    name = path.name if path == default else str(path)
    return parse(data, name, rules=rules, frameworks=frameworks, inherited=inherited)


def parse(data: bytes, file: str, *, rules: Rules, frameworks: Controls, inherited: Policy | None) -> Policy:
    """Read the bytes of a policy; `inherited` gives the settings and risk levels that it leaves out."""
    root = read_yaml(data, file, error=PolicyError)
    reading = _Reading(file, root, rules, frameworks)
    try:
        shape = document.Policy.model_validate(root.value())
    except ValidationError as error:
        reading.shape(error)
        shape = None
    policy = reading.policy(shape, inherited, hashlib.sha256(data).hexdigest()) if shape is not None else None
    if reading.problems or policy is None:
        raise PolicyError(sorted(set(reading.problems), key=lambda p: (p.line or 0, p.column or 0, p.message)))
    return policy


@dataclass
class _Reading:
    file: str
    root: Node
    rules: Rules
    frameworks: Controls
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: Sequence[str | int], message: str, *, key: bool = False) -> None:
        """Note a problem at a value, or at the key that names it."""
        node = self.root.at(tuple(path))
        line, column = node.line, node.column
        parent = self.root.at(tuple(path[:-1]))
        if key and isinstance(parent.content, dict) and path[-1] in parent.content:
            line, column = parent.content[path[-1]].line, parent.content[path[-1]].column
        self.problems.append(Problem(self.file, line, column, None, message))

    def shape(self, error: ValidationError) -> None:
        """Say what pydantic found in our words; matches are looked at as well, so that all errors show at once."""
        for found in error.errors(include_url=False):
            path = tuple("from" if part == "starts" else part for part in found["loc"])
            unknown = found["type"] == "extra_forbidden"
            missing = found["type"] == "missing"
            if unknown:
                message = f"unknown key {path[-1]!r}{did_you_mean(path[-1], _keys(path[:-1]))}"
            elif missing:
                message = f"{path[-1]} is missing"
            else:
                message = f"{_dotted(path)}: {_plain(found)}"
            self.wrong(path, message, key=unknown)
        for path in _matches(self.root):
            self.match(path)
        self.check_rules(self.root.at(("rules",)).value() if "rules" in (self.root.content or {}) else {})

    def match(self, path: Sequence[str | int]) -> Match:
        """Read the match at a path; nothing there matches everything."""
        node = self.root.at(tuple(path))
        parent = self.root.at(tuple(path[:-1]))
        if not isinstance(parent.content, dict) or path[-1] not in parent.content:
            return EVERYTHING
        return matching.parse(node, self.file, self.problems)

    def policy(self, shape: document.Policy, inherited: Policy | None, sha256: str) -> Policy:
        """Build the policy, noting every problem on the way."""
        self.check_rules(shape.rules)
        return Policy(
            name=shape.policy,
            owner=shape.owner,
            approved_by=shape.approved_by,
            reviewed_on=self.day(("reviewed_on",), shape.reviewed_on),
            review_every=shape.review_every,
            classify=tuple(self.classification(i, item) for i, item in enumerate(shape.classify)),
            risk=tuple(RiskFactor(item.name, self.match(("risk", i, "match"))) for i, item in enumerate(shape.risk)),
            risk_levels=tuple(sorted(shape.risk_levels)) or (inherited.risk_levels if inherited else ()),
            schedules=self.schedules(("schedules",), shape.schedules),
            frameworks={name: self.demand(name, item) for name, item in shape.frameworks.items()},
            settings=self.settings(shape.rules, inherited),
            waivers=self.waivers(shape.waivers),
            file=self.file,
            sha256=sha256,
        )

    def day(self, path: Sequence[str | int], text: str | None) -> int | None:
        """Read a UTC day as its first instant."""
        if text is None:
            return None
        try:
            return parse_instant(f"{text}T00:00:00Z")
        except ValueError:
            self.wrong(path, f"{path[-1]} is a day such as 2026-07-01, not {text!r}")
            return None

    def classification(self, i: int, item: document.Classification) -> Classification:
        """Read one classification: only known fields, with values of their kind."""
        for name, value in item.set.items():
            path = ("classify", i, "set", name)
            if name not in CLASSIFIABLE:
                self.wrong(path, f"{name!r} cannot be set{did_you_mean(name, CLASSIFIABLE)}", key=True)
            elif complaint := _unfit(name, value):
                self.wrong(path, complaint)
        return Classification(self.match(("classify", i, "match")), item.set)

    def schedules(self, path: tuple[str | int, ...], items: Sequence[document.Schedule]) -> tuple[Schedule, ...]:
        """Read schedules; one that an earlier one always shadows could never apply and is an error."""
        found: list[Schedule] = []
        for i, item in enumerate(items):
            match = self.match((*path, i, "match"))
            here = Schedule(
                item.name, match, item.rotation_period, item.grace_period, item.overdue_tolerance, item.automatic
            )
            if any(item.name == other.name for other in found):
                self.wrong((*path, i, "name"), f"a schedule called {item.name!r} exists already")
            if shadow := next((other for other in found if other.match in {EVERYTHING, match}), None):
                self.wrong((*path, i), f"schedule {item.name!r} is never reached: {shadow.name!r} before it matches whatever it does")
            found.append(here)
        return tuple(found)

    def demand(self, name: str, item: document.Demand) -> FrameworkDemand:
        """Read what the policy adds to one framework."""
        path = ("frameworks", name)
        if self.frameworks and name not in self.frameworks:
            self.wrong(path, f"unknown framework {name!r}{did_you_mean(name, self.frameworks)}", key=True)
        controls = self.frameworks.get(name)
        for control in item.not_applicable:
            if controls and control not in controls:
                hint = did_you_mean(control, controls)
                self.wrong((*path, "not_applicable", control), f"{name} has no control {control!r} here{hint}", key=True)
        scope = self.match((*path, "scope")) if item.scope is not None else None
        return FrameworkDemand(scope, self.schedules((*path, "schedules"), item.schedules), item.not_applicable)

    def check_rules(self, given: Any) -> None:
        """Check rule names, their parameters and the kind of every value."""
        for name, setting in given.items() if isinstance(given, dict) else ():
            if name not in self.rules:
                self.wrong(("rules", name), f"no rule is called {name!r}{did_you_mean(name, self.rules)}", key=True)
                continue
            for key, value in setting.items() if isinstance(setting, dict) else ():
                self.check_setting(name, key, value)

    def check_setting(self, rule: str, key: str, value: object) -> None:
        """Check one setting of one rule."""
        path, params = ("rules", rule, key), self.rules[rule]
        if key == "severity":
            if value not in set(Severity):
                self.wrong(path, f"severity is one of {', '.join(Severity)}{did_you_mean(value, Severity)}")
        elif key == "enabled":
            if not isinstance(value, bool):
                self.wrong(path, "enabled is true or false")
        elif key not in params:
            choices = ("severity", "enabled", *params)
            self.wrong(path, f"{rule} has no setting {key!r}{did_you_mean(key, choices)}", key=True)
        else:
            try:
                _setting(params[key], value)
            except ValueError as error:
                self.wrong(path, f"{key}: {error}")

    def settings(self, given: Mapping[str, Mapping[str, Any]], inherited: Policy | None) -> dict[str, RuleSetting]:
        """Give every rule its settings: the file's, then the shipped default's."""
        found = {}
        for name, params in self.rules.items():
            own = given.get(name, {})
            base = inherited.settings[name] if inherited else RuleSetting(severity=None, enabled=True, params={})
            values = dict(base.params)
            for key, param in params.items():
                try:
                    if key in own:
                        values[key] = _setting(param, own[key])
                except ValueError:
                    continue  # noted by check_setting
                if key not in values:
                    self.wrong(("rules",), f"rule {name} needs its setting {key!r}")
            severity = own.get("severity", base.severity)
            known = Severity(severity) if severity in set(Severity) else None
            found[name] = RuleSetting(known, bool(own.get("enabled", base.enabled)), values)
        return found

    def waivers(self, items: Sequence[document.Waiver]) -> tuple[Any, ...]:
        """Read waivers: their form must be right, their content is judged by the audit."""
        for i, item in enumerate(items):
            if item.id in {other.id for other in items[:i]}:
                self.wrong(("waivers", i, "id"), f"a waiver called {item.id!r} exists already")
            for j, rule in enumerate(item.rules):
                if rule not in self.rules:
                    self.wrong(("waivers", i, "rules", j), f"no rule is called {rule!r}{did_you_mean(rule, self.rules)}")
        return tuple(waivers.read(item, self.match(("waivers", i, "match"))) for i, item in enumerate(items))


def _setting(param: Param, value: object) -> Any:
    """Read a setting of a parameter's kind; raises ValueError with what was expected."""
    if param.kind == "duration":
        if not isinstance(value, str):
            raise ValueError("a duration is text such as 30d, 24h or 90m")
        return parse_duration(value)
    if param.kind == "names":
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError("a list of names is expected")
        return tuple(value)
    expected = bool if param.kind == "boolean" else int
    if type(value) is not expected:
        raise ValueError(f"{'true or false' if expected is bool else 'a whole number'} is expected")
    return value


def _unfit(name: str, value: object) -> str | None:
    if name in NUMBER_FIELDS:
        return None if type(value) is int and value >= 0 else f"{name} is a whole number"
    if name == "user_owned":
        return None if isinstance(value, bool) else "user_owned is true or false"
    if not isinstance(value, str) or not value:
        return f"{name} is text"
    choices = CHOICES.get(name)
    if choices and value not in choices:
        return f"{name} is one of {', '.join(choices)}{did_you_mean(value, choices)}"
    return None


def _matches(root: Node) -> Iterable[tuple[str | int, ...]]:
    """List where matches stand in a file whose shape may be wrong elsewhere."""
    for section in ("classify", "risk", "schedules", "waivers"):
        yield from _in_list(root, (section,))
    frameworks = root.at(("frameworks",))
    if isinstance(root.content, dict) and "frameworks" in root.content:
        for name, entry in frameworks.items():
            if isinstance(entry.node.content, dict) and "scope" in entry.node.content:
                yield ("frameworks", name, "scope")
            yield from _in_list(root, ("frameworks", name, "schedules"))


def _in_list(root: Node, path: tuple[str | int, ...]) -> Iterable[tuple[str | int, ...]]:
    parent = root.at(path[:-1])
    if not isinstance(parent.content, dict) or path[-1] not in parent.content:
        return
    node = root.at(path)
    for i in range(len(node.content) if isinstance(node.content, list) else 0):
        yield (*path, i, "match")


def _keys(path: Sequence[str | int]) -> list[str]:
    """List the keys that are allowed at a path, for a suggestion."""
    words = [part for part in path if isinstance(part, str)]
    model: Any = document.Policy
    if words:
        named = {
            "classify": document.Classification,
            "risk": document.RiskFactor,
            "schedules": document.Schedule,
            "frameworks": document.Demand,
            "waivers": document.Waiver,
        }
        model = named.get("schedules" if "schedules" in words else words[0], document.Policy)
    return [info.alias or name for name, info in model.model_fields.items()]


def _dotted(path: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".") or "policy"


_EXPECTED = {
    "string_type": "text is expected; put it in quotes",
    "string_too_short": "must not be empty",
    "list_type": "a list is expected",
    "dict_type": "a mapping is expected",
    "model_type": "a mapping is expected",
    "bool_type": "true or false is expected",
    "int_type": "a whole number is expected",
    "too_short": "must not be empty",
}


def _plain(found: Any) -> str:
    if found["type"] == "value_error":
        return str(found["ctx"]["error"])
    return _EXPECTED.get(found["type"], found["msg"])
