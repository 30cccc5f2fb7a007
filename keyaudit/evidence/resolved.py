"""The policy as it was understood: every default filled in, every match as plain data.

For readers; a replay reads the policy itself. Durations are text such as `90d`, days and instants RFC 3339.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from keyaudit import times
from keyaudit.evidence import matches
from keyaudit.match import AllOf, AnyOf, Compare, Is, Not

if TYPE_CHECKING:
    from keyaudit.model import Param, Policy

DURATIONS = ("rotation_period", "grace_period", "overdue_tolerance", "review_every")
INSTANTS = ("reviewed_on", "starts", "ends")
"""Fields of a policy's nouns that are microseconds. A rule says of its own parameters what they are."""


def resolved(policy: Policy) -> bytes:
    """Print a policy with all that it inherits, as JSON with sorted keys."""
    from keyaudit.rules import CATALOGUE

    document = _noun(policy)
    document["risk_levels"] = [times.format_duration(level) for level in policy.risk_levels]
    document["rules"] = {
        name: _setting(setting, CATALOGUE[name]) for name, setting in document.pop("settings").items()
    }
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"


def _setting(setting: dict[str, Any], params: Mapping[str, Param]) -> dict[str, Any]:
    given = {
        name: times.format_duration(value) if params[name].kind == "duration" and value is not None else value
        for name, value in setting["params"].items()
    }
    return {**setting, "params": given}


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, Is | Compare | AllOf | AnyOf | Not):
        return matches.to_data(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _noun(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    form = _FORMS.get(name)
    return form(value) if form is not None and type(value) is int else value


def _noun(noun: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(noun, field.name), field.name) for field in fields(noun)}


_FORMS: dict[str, Callable[[int], str]] = {
    **dict.fromkeys(DURATIONS, times.format_duration),
    **dict.fromkeys(INSTANTS, times.format_instant),
}
