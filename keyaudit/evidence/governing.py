"""What governs an audit: a policy and frameworks, as files. A scan and its replay read them alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyaudit.model import Framework, Policy


def governing(policy: Path | None, frameworks: Sequence[str]) -> tuple[Policy, tuple[Framework, ...]]:
    """Load the policy (the shipped one for None) and the frameworks; raises PolicyError, UsageError."""
    from keyaudit.policy.frameworks import load
    from keyaudit.rules import CATALOGUE

    chosen = load(frameworks, CATALOGUE)
    return governed(policy, chosen), chosen


def governed(policy: Path | None, frameworks: Sequence[Framework]) -> Policy:
    """Load a policy beside frameworks that were read already; raises PolicyError, UsageError."""
    from keyaudit import policy as policies
    from keyaudit.policy.frameworks import available
    from keyaudit.rules import CATALOGUE

    # A framework that is not asked for may be mentioned; its controls are not looked up for that.
    controls: dict[str, Collection[str]] = dict.fromkeys(available(), ())
    controls |= {framework.id: [control.id for control in framework.controls] for framework in frameworks}
    return policies.load(policy, rules=CATALOGUE, frameworks=controls)
