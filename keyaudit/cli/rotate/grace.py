"""How long an old key may stay usable: what the rotation's entry says, else what the policy requires.

The policy is asked as for an audit: about the credential that the store holds, with what the entry of
keyaudit.yaml says of its environment and labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyaudit.cli.clock import now
from keyaudit.errors import UsageError
from keyaudit.times import format_duration

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.model import Policy
    from keyaudit.policy.explain import Explanation
    from keyaudit.rotation.settings import RotationSettings
    from keyaudit.rotation.stores.protocol import Credential


@dataclass(frozen=True, slots=True)
class Grace:
    """A grace period in microseconds, and who decided it."""

    period: int
    decided_by: str


def grace(
    settings: RotationSettings,
    credential: Credential,
    configuration: Configuration,
    policy: str | None,
    *,
    emergency: bool = False,
) -> Grace:
    """Give the grace period of a rotation; an emergency has none.

    Raises UsageError where nothing says one, where the window of silence would not fit in, and for a
    key that belongs to a customer: nobody rotates that for them.
    """
    from keyaudit.cli.gathering import governing
    from keyaudit.policy.explain import explain

    rules, frameworks = governing(policy or configuration.policy, configuration.frameworks)
    explanation = explain(rules, frameworks, _row(settings, credential), now())
    if explanation.row.get("user_owned"):
        raise UsageError(
            f"{settings.name}: this key is its user's own (user_owned)",
            hint="remind its owner; keyaudit never rotates a key on somebody's behalf",
        )
    if emergency:
        return Grace(0, "an emergency")
    if settings.grace_period is not None:
        decided = Grace(settings.grace_period, "grace_period of keyaudit.yaml")
    else:
        decided = _required(rules, explanation, settings.name)
    if settings.window > decided.period:
        raise UsageError(
            f"{settings.name}: the window of silence ({format_duration(settings.window)}) is longer than the"
            f" grace period ({format_duration(decided.period)}, {decided.decided_by})",
            hint="shorten `window`, or allow a longer grace",
        )
    return decided


def _row(settings: RotationSettings, credential: Credential) -> Mapping[str, Any]:
    """Give the credential as the row of an inventory that an audit would classify."""
    from keyaudit import inventory
    from keyaudit.inventory.rows import Credential as Row
    from keyaudit.sources.labels import read_labels

    said = read_labels(settings.labels)
    if settings.environment is not None:
        said["environment"] = settings.environment
    row = Row(
        source=credential.source,
        scope=credential.scope,
        id=credential.id,
        name=credential.name,
        labels=dict(settings.labels) or None,
        **said,
    )
    return inventory.from_rows([row], [], None, ()).credentials.collect().row(0, named=True)


def _required(policy: Policy, explanation: Explanation, name: str) -> Grace:
    found = list(_candidates(policy, explanation))
    if not found:
        raise UsageError(
            f"{name}: no schedule of policy {policy.name} says how long an old key may stay usable",
            hint="write grace_period: … into the rotation's entry of keyaudit.yaml",
        )
    period, decided_by, certain = min(found, key=lambda each: each[0])
    if not certain:
        decided_by += ", the strictest of those that may apply: not enough is known of the credential"
    return Grace(period, decided_by)


def _candidates(policy: Policy, explanation: Explanation) -> Iterator[tuple[int, str, bool]]:
    """Give every grace period that counts, who says it, and whether it surely applies."""
    from keyaudit.policy.explain import APPLIES, MAY_APPLY

    outcomes = [step.outcome for step in explanation.schedules]
    certain = MAY_APPLY not in outcomes
    for schedule, outcome in zip(policy.schedules, outcomes, strict=True):
        if outcome in {APPLIES, MAY_APPLY} and schedule.grace_period is not None:
            yield schedule.grace_period, f"schedule {schedule.name} of policy {policy.name}", certain
    for framework in explanation.frameworks:
        if (period := framework.required.grace_period) is not None:
            yield period, f"{framework.id}, as policy {policy.name} has it", True
