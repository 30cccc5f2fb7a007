"""What was required in the parts of a period that other policies governed.

Requirements come from the policy of the time, and from frameworks as that policy had them. Which class and
environment a credential is of, the settings of rules, severities and waivers are those of today's policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from keyaudit.errors import UsageError
from keyaudit.model import Framework, Policy
from keyaudit.policy import requirements, texts
from keyaudit.policy.requirements import Requirement
from keyaudit.times import format_instant


@dataclass(frozen=True)
class Governed:
    """The policies of a period: those of its parts, in the order of time, and those that were before today's.

    `changes` are the instants with which parts end, but for the last one. `former` are the policies of the
    parts that today's did not govern.
    """

    changes: tuple[int, ...]
    policies: tuple[Policy, ...]
    former: tuple[Policy, ...]

    @property
    def now(self) -> bool:
        """Whether today's policy governed a part of the period."""
        return len(self.policies) > len(self.former)


def governed(
    policy: Policy, earlier: Sequence[tuple[Policy, int]], period: tuple[int, int] | None
) -> Governed:
    """Divide a period among policies: each of `earlier` governed until its instant, `policy` from then on.

    Raises UsageError for instants that do not ascend, or where there is no period to divide.
    """
    if period is None:
        if earlier:
            hint = "name it: --period FROM/TO"
            raise UsageError("an earlier policy governed a part of a period", hint=hint)
        return Governed((), (), ())
    first, last = period
    untils = [until for _, until in earlier]
    for one, other in pairwise(untils):
        if one >= other:
            raise UsageError(
                f"an earlier policy ends at {format_instant(other)}, not after {format_instant(one)}",
                hint="name earlier policies in the order of time, each until another instant",
            )
    inside = [(one, until) for one, until in earlier if until >= first]
    # One that governed to the end of the period leaves nothing of it to those after it.
    ending = next((place for place, (_, until) in enumerate(inside) if until >= last), None)
    former = inside if ending is None else inside[: ending + 1]
    policies = tuple(one for one, _ in former)
    changes = tuple(until for _, until in former if until < last)
    return Governed(changes, (*policies, policy) if ending is None else policies, policies)


def demanded(
    policy: Policy, former: Sequence[Policy], frameworks: Sequence[Framework]
) -> tuple[tuple[Requirement, ...], tuple[tuple[tuple[Requirement, ...], tuple[int, ...]], ...]]:
    """List the distinct requirements of today, and for each former policy what they were then.

    Of a former policy that is its own requirements, and for each requirement of today which of those it
    was: what a former policy did not tell apart was its own.
    """
    apart = frozenset[str]().union(*(requirements.adding(one, frameworks) for one in (policy, *former)))
    now = _all(policy, frameworks, apart)
    then = [_all(one, frameworks, apart) for one in former]
    return now, tuple((made, _places(made, now)) for made in then)


def _all(policy: Policy, frameworks: Sequence[Framework], apart: frozenset[str]) -> tuple[Requirement, ...]:
    return (*requirements.requirements(policy, frameworks, apart), *texts.texts(policy, frameworks))


def _places(made: Sequence[Requirement], now: Sequence[Requirement]) -> tuple[int, ...]:
    keys = [requirement.key for requirement in made]
    return tuple(keys.index(each.key) if each.key in keys else 0 for each in now)
