"""From a policy file to a Policy, or to every error of it at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from keyaudit.errors import PolicyError, Problem, UsageError, did_you_mean
from keyaudit.match import EVERYTHING, Match
from keyaudit.model import (
    Classification,
    FrameworkDemand,
    Policy,
    RiskFactor,
    RuleSetting,
    Schedule,
    Severity,
)
from keyaudit.policy import checking, days, document, matching, shipped, waivers
from keyaudit.policy.checking import Controls, Rules
from keyaudit.strict_yaml import Node
from keyaudit.strict_yaml import load as read_yaml


def load(path: Path | None, *, rules: Rules, frameworks: Controls) -> Policy:
    """Read a policy; None is the shipped default.

    `rules` maps rule names to their parameters, `frameworks` the ids of known frameworks to
    their control ids (empty: any is taken). Settings and risk levels that the file leaves out
    come from the shipped default. Raises PolicyError with every problem, UsageError for an
    unreadable file.
    """
    default = shipped.folder("default.yaml")
    inherited = None if path is None else load(None, rules=rules, frameworks=frameworks)
    try:
        data = (path or default).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"policy {path} cannot be read: {reason}", hint="keyaudit init writes one") from None
    file = default.name if path is None else str(path)
    return parse(data, file, rules=rules, frameworks=frameworks, inherited=inherited)


def parse(data: bytes, file: str, *, rules: Rules, frameworks: Controls, inherited: Policy | None) -> Policy:
    """Read the bytes of a policy; `inherited` gives the settings and risk levels that it leaves out."""
    root = read_yaml(data, file, error=PolicyError)
    problems = checking.check(root, file, rules, frameworks)
    shape = None
    try:
        shape = document.Policy.model_validate(root.value())
    except ValidationError as error:
        problems += _shape_problems(error, root, file)
    if inherited is None:
        problems += _unset(root, file, rules)
    if problems or shape is None:
        raise PolicyError(
            sorted(set(problems), key=lambda p: (p.line or 0, p.column or 0, p.field or "", p.message))
        )
    return _policy(shape, root, file, rules, inherited, hashlib.sha256(data).hexdigest())


def _shape_problems(error: ValidationError, root: Node, file: str) -> Iterator[Problem]:
    """Say what pydantic found in our words, each at its place."""
    for found in error.errors(include_url=False, include_input=False):
        path, kind = found["loc"], found["type"]
        here = root.at(path)
        line, column = here.line, here.column
        if kind == "extra_forbidden":
            key = root.at(path[:-1]).content[path[-1]]
            line, column = key.line, key.column
            message = f"unknown key{did_you_mean(path[-1], _keys(path[:-1]))}"
        elif kind == "missing":
            message = "missing"
        elif kind == "value_error":
            message = str(found["ctx"]["error"])
        else:
            message = _EXPECTED.get(kind, found["msg"])
        yield Problem(file, line, column, _dotted(path), message)


_EXPECTED = {
    "string_type": "text is expected: put it in quotes",
    "list_type": "a list is expected",
    "dict_type": "a mapping is expected",
    "model_type": "a mapping is expected",
    "bool_type": "true or false is expected",
    "too_short": "must not be empty",
}

_MODELS: Mapping[str, Any] = {
    "classify": document.Classification,
    "risk": document.RiskFactor,
    "schedules": document.Schedule,
    "frameworks": document.Demand,
    "waivers": document.Waiver,
}


def _keys(path: Sequence[str | int]) -> list[str]:
    """List the keys that are known at a path."""
    section = "schedules" if "schedules" in path[:-1] else str(path[0]) if path else ""
    fields = _MODELS.get(section, document.Policy).model_fields
    return [info.alias or name for name, info in fields.items()]


def _dotted(path: Sequence[str | int]) -> str | None:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".") or None


def _unset(root: Node, file: str, rules: Rules) -> Iterator[Problem]:
    """The shipped default must say everything that rules need: there is nothing to inherit from."""
    given = root.at(("rules",))
    for rule, params in rules.items():
        for name in params:
            if name not in (given.at((rule,)).content or {} if rule in (given.content or {}) else {}):
                yield Problem(file, given.line, given.column, f"rules.{rule}.{name}", "missing")


def _policy(
    shape: document.Policy, root: Node, file: str, rules: Rules, inherited: Policy | None, sha256: str
) -> Policy:
    return Policy(
        name=shape.policy,
        owner=shape.owner,
        approved_by=shape.approved_by,
        reviewed_on=None if shape.reviewed_on is None else days.parse(shape.reviewed_on, "2026-07-01"),
        review_every=shape.review_every,
        classify=tuple(
            Classification(_match(root, ("classify", i, "match")), item.set)
            for i, item in enumerate(shape.classify)
        ),
        risk=tuple(
            RiskFactor(item.name, _match(root, ("risk", i, "match"))) for i, item in enumerate(shape.risk)
        ),
        risk_levels=tuple(shape.risk_levels) or (inherited.risk_levels if inherited else ()),
        schedules=_schedules(root, ("schedules",), shape.schedules, ""),
        frameworks={name: _demand(root, name, item) for name, item in shape.frameworks.items()},
        settings={name: _setting(name, shape.rules.get(name, {}), rules, inherited) for name in rules},
        waivers=tuple(
            waivers.read(item, _match(root, ("waivers", i, "match"))) for i, item in enumerate(shape.waivers)
        ),
        file=file,
        sha256=sha256,
    )


def _match(root: Node, path: Sequence[str | int]) -> Match:
    """Read the match at a path; nothing there matches everything."""
    parent = root.at(path[:-1])
    return matching.parse(root.at(path), "", []) if path[-1] in parent.content else EVERYTHING


def _schedules(
    root: Node, path: tuple[str | int, ...], items: Sequence[document.Schedule], unnamed: str
) -> tuple[Schedule, ...]:
    return tuple(
        Schedule(
            name=item.name or (unnamed if len(items) == 1 else f"{unnamed} {i + 1}"),
            match=_match(root, (*path, i, "match")),
            rotation_period=item.rotation_period,
            grace_period=item.grace_period,
            overdue_tolerance=item.overdue_tolerance,
            automatic=item.automatic,
        )
        for i, item in enumerate(items)
    )


def _demand(root: Node, name: str, item: document.Demand) -> FrameworkDemand:
    path = ("frameworks", name)
    scope = _match(root, (*path, "scope")) if item.scope is not None else None
    schedules = _schedules(root, (*path, "schedules"), item.schedules, f"{name} schedule")
    return FrameworkDemand(scope, schedules, item.not_applicable)


def _setting(name: str, own: Mapping[str, Any], rules: Rules, inherited: Policy | None) -> RuleSetting:
    """Give a rule its settings: the file's, then the shipped default's."""
    base = inherited.settings[name] if inherited else RuleSetting(None, enabled=True, params={})
    given = {key: checking.setting_value(param, own[key]) for key, param in rules[name].items() if key in own}
    severity = Severity(own["severity"]) if "severity" in own else base.severity
    return RuleSetting(severity, own.get("enabled", base.enabled), {**base.params, **given})
