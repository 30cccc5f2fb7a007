"""What two policies say otherwise, part by part, in words and numbers of the policy file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from keyaudit import match
from keyaudit.model import FrameworkDemand, Param, Policy, RuleSetting, Schedule, Waiver
from keyaudit.times import format_date, format_duration

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One thing that the policies say otherwise; None where one of them does not say it.

    `part` is where it stands in the file: `schedules.production.rotation_period`.
    """

    part: str
    old: str | None
    new: str | None


def compare(
    old: Policy, new: Policy, *, rules: Mapping[str, Mapping[str, Param]]
) -> tuple[PolicyChange, ...]:
    """List what differs, in the order of a policy file. Order counts where the first match wins.

    `rules` maps rule names to their parameters (`rules.CATALOGUE`).
    """
    found = [
        *_fields("", _head(old), _head(new)),
        *_named("classify", _classified(old), _classified(new), ordered=True),
        *_named("risk", _risks(old), _risks(new)),
        *_schedules("schedules", old.schedules, new.schedules),
        *_frameworks(old, new),
        *_rules(old, new, rules),
        *_waivers(old.waivers, new.waivers),
    ]
    return tuple(change for change in found if change.old != change.new)


def _head(policy: Policy) -> dict[str, str | None]:
    return {
        "policy": policy.name,
        "owner": policy.owner,
        "approved_by": policy.approved_by,
        "reviewed_on": _day(policy.reviewed_on),
        "review_every": _long(policy.review_every),
        "risk_levels": ", ".join(format_duration(level) for level in policy.risk_levels) or None,
    }


def _classified(policy: Policy) -> dict[str, str]:
    """Name each classification by what it matches; two that match alike are told apart by their number."""
    found: dict[str, str] = {}
    for item in policy.classify:
        called = match.describe(item.match)
        number = sum(name == called or name.startswith(f"{called} #") for name in found)
        said = ", ".join(f"{name}={value}" for name, value in sorted(item.set.items()))
        found[f"{called} #{number + 1}" if number else called] = said
    return found


def _risks(policy: Policy) -> dict[str, str]:
    return {factor.name: match.describe(factor.match) for factor in policy.risk}


def _schedules(part: str, old: Sequence[Schedule], new: Sequence[Schedule]) -> Iterator[PolicyChange]:
    one, other = ({schedule.name: schedule for schedule in side} for side in (old, new))
    yield from _each(part, one, other, _schedule)
    yield from _order(part, list(one), list(other))


def _schedule(schedule: Schedule) -> dict[str, str | None]:
    return {
        "match": match.describe(schedule.match),
        "rotation_period": _long(schedule.rotation_period),
        "grace_period": _long(schedule.grace_period),
        "overdue_tolerance": _long(schedule.overdue_tolerance),
        "automatic": str(schedule.automatic).lower(),
    }


def _frameworks(old: Policy, new: Policy) -> Iterator[PolicyChange]:
    nothing = FrameworkDemand()
    for name in dict.fromkeys((*old.frameworks, *new.frameworks)):
        one, other = old.frameworks.get(name, nothing), new.frameworks.get(name, nothing)
        part = f"frameworks.{name}"
        scopes = (None if side.scope is None else match.describe(side.scope) for side in (one, other))
        yield PolicyChange(f"{part}.scope", *scopes)
        yield from _schedules(f"{part}.schedules", one.schedules, other.schedules)
        yield from _named(f"{part}.not_applicable", one.not_applicable, other.not_applicable)


def _rules(old: Policy, new: Policy, rules: Mapping[str, Mapping[str, Param]]) -> Iterator[PolicyChange]:
    for name, params in rules.items():
        yield from _fields(f"rules.{name}.", *(_setting(p.settings[name], params) for p in (old, new)))


def _setting(setting: RuleSetting, params: Mapping[str, Param]) -> dict[str, str | None]:
    said: dict[str, str | None] = {"severity": setting.severity, "enabled": str(setting.enabled).lower()}
    return {**said, **{name: _param(param, setting.params.get(name)) for name, param in params.items()}}


def _param(param: Param, value: Any) -> str | None:
    if value is None:
        return None
    if param.kind == "duration":
        return format_duration(value)
    if param.kind == "names":
        return ", ".join(value)
    return str(value).lower()


def _waivers(old: Sequence[Waiver], new: Sequence[Waiver]) -> Iterator[PolicyChange]:
    one, other = ({waiver.id: waiver for waiver in side} for side in (old, new))
    yield from _each("waivers", one, other, _waiver)


def _waiver(waiver: Waiver) -> dict[str, str | None]:
    return {
        "rules": ", ".join(waiver.rules),
        "match": match.describe(waiver.match),
        "reason": waiver.reason,
        "requested_by": waiver.requested_by,
        "approved_by": waiver.approved_by,
        "from": _day(waiver.starts),
        "until": None if waiver.ends is None else _day(waiver.ends - 1),
    }


def _each(
    part: str,
    old: Mapping[str, Part],
    new: Mapping[str, Part],
    fields: Callable[[Part], Mapping[str, str | None]],
) -> Iterator[PolicyChange]:
    """Compare parts that have names: a new one is said in one line, one in both field by field."""
    for name in dict.fromkeys((*old, *new)):
        here = f"{part}.{name}"
        if name in old and name in new:
            yield from _fields(f"{here}.", fields(old[name]), fields(new[name]))
        else:
            sides = (_whole(fields(side[name])) if name in side else None for side in (old, new))
            yield PolicyChange(here, *sides)


def _whole(fields: Mapping[str, str | None]) -> str:
    return ", ".join(
        f"{name} {value}" for name, value in fields.items() if value not in {None, "false", "0s"}
    )


def _fields(
    prefix: str, old: Mapping[str, str | None], new: Mapping[str, str | None]
) -> Iterator[PolicyChange]:
    for name in dict.fromkeys((*old, *new)):
        yield PolicyChange(f"{prefix}{name}", old.get(name), new.get(name))


def _named(
    part: str, old: Mapping[str, str], new: Mapping[str, str], *, ordered: bool = False
) -> Iterator[PolicyChange]:
    for name in dict.fromkeys((*old, *new)):
        yield PolicyChange(f"{part}.{name}", old.get(name), new.get(name))
    if ordered:
        yield from _order(part, list(old), list(new))


def _order(part: str, old: Sequence[str], new: Sequence[str]) -> Iterator[PolicyChange]:
    """Say that what is in both stands in another order: the first that matches counts."""
    before, after = ([name for name in side if name in old and name in new] for side in (old, new))
    if before != after:
        yield PolicyChange(f"{part}, in this order", ", ".join(before), ", ".join(after))


def _day(instant: int | None) -> str | None:
    return None if instant is None else format_date(instant)


def _long(duration: int | None) -> str | None:
    return None if duration is None else format_duration(duration)
