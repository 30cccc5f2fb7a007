"""HOW each thing is checked: one file a rule, one explicit table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from keyaudit.model import Param, Rule
from keyaudit.rules import (
    compromise_not_rotated,
    copy_left_behind,
    expired_in_use,
    never_rotated,
    never_used,
    no_overlap,
    old_key_active,
    old_key_in_use,
    old_version_enabled,
    period_undefined,
    policy_not_reviewed,
    retired_key_encrypts,
    rolled_back,
    rotated_together,
    rotation_due_soon,
    rotation_late,
    rotation_manual,
    rotation_missed,
    rotation_overdue,
    rotation_stalled,
    rotation_undocumented,
    schedule_too_slow,
    scope_empty,
    scope_incomplete,
    self_approved,
    shared_across_environments,
    static_where_dynamic,
    time_in_future,
    unclassified,
    unowned,
    unused,
    waiver_expired,
    waiver_invalid,
    waiver_unused,
)

RULES: tuple[Rule, ...] = (
    rotation_overdue.RULE,
    never_rotated.RULE,
    rotation_due_soon.RULE,
    rotation_stalled.RULE,
    rotation_missed.RULE,
    schedule_too_slow.RULE,
    rotation_manual.RULE,
    compromise_not_rotated.RULE,
    expired_in_use.RULE,
    period_undefined.RULE,
    rotation_late.RULE,
    rolled_back.RULE,
    old_key_active.RULE,
    old_version_enabled.RULE,
    old_key_in_use.RULE,
    no_overlap.RULE,
    retired_key_encrypts.RULE,
    unowned.RULE,
    unclassified.RULE,
    unused.RULE,
    never_used.RULE,
    rotated_together.RULE,
    shared_across_environments.RULE,
    copy_left_behind.RULE,
    static_where_dynamic.RULE,
    rotation_undocumented.RULE,
    self_approved.RULE,
    policy_not_reviewed.RULE,
    scope_incomplete.RULE,
    scope_empty.RULE,
    waiver_expired.RULE,
    waiver_unused.RULE,
    waiver_invalid.RULE,
    time_in_future.RULE,
)

by_name: Mapping[str, Rule] = MappingProxyType({rule.name: rule for rule in RULES})
by_id: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in RULES})
CATALOGUE: Mapping[str, Mapping[str, Param]] = MappingProxyType({rule.name: rule.params for rule in RULES})
"""What a policy may set, by rule name."""


@dataclass(frozen=True, slots=True)
class RuleDoc:
    """A rule's documentation in parts, each light Markdown.

    `title` is the first line behind id and name, without its full stop; `checks` says what is
    compared with what, and what makes the answer unknown or the question not applicable.
    """

    title: str
    checks: str
    why: str
    example: str
    remediation: str
    references: str


_HEADINGS = {
    "What it checks": "checks",
    "Why is this bad?": "why",
    "Example": "example",
    "Remediation": "remediation",
    "References": "references",
}


def documentation(rule: Rule) -> RuleDoc:
    """Cut a rule's docstring into its sections; one that is missing comes out empty."""
    head, *parts = re.split(r"^## (.+)\n", rule.doc, flags=re.MULTILINE)
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    sections = {name: texts.get(heading, "").strip() for heading, name in _HEADINGS.items()}
    return RuleDoc(title=head.strip().partition(": ")[2].rstrip("."), **sections)
