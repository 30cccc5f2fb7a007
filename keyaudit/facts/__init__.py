"""What is known of each credential: the language that rules are written in.

Each name here is one column of the frame that `facts.derive` makes, as a narwhals expression;
`FACTS` says in one sentence what it holds. Instants and durations are int64 microseconds. A
missing fact is null, null propagates, and a verdict that comes out null *is* unknown.

derivation               all of them, in their order
versions, relatives      … from a credential's versions; from its copies and staging counterparts
cadence                  … the worst gap of a schedule
lives                    the values of a period: which was in use, since when and until when
aging                    … facts about how old they grew, and how late that was
promotions, rotations    … facts from rotation records: who agreed; which rotation has none
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

if TYPE_CHECKING:
    from typing import Any

INSTANTS = frozenset(
    {
        "as_of",
        "created_at",
        "last_changed_at",
        "last_rotated_at",
        "last_used_at",
        "expires_at",
        "compromised_at",
        "rotation_next_at",
        "value_created_at",
        "lineage_newest_at",
        "lineage_newest_by",
        "staging_value_created_at",
        "newest_replaced_at",
        "latest_instant",
        "due_at",
        "exposed_since",
        "rotated_at",
        "promoted_at",
        "aged_from",
        "aged_until",
    }
)

DURATIONS = frozenset(
    {
        "age_min",
        "age_max",
        "pending_for",
        "old_active_min",
        "old_active_max",
        "old_active_age_min",
        "old_active_age_max",
        "old_enabled_min",
        "old_enabled_max",
        "old_used_min",
        "old_used_max",
        "unused_min",
        "unused_max",
        "replaced_after",
        "schedule_interval_max",
        "rotation_period",
        "grace_period",
        "overdue_tolerance",
        "overdue_by",
        "staging_lead",
        "record_gap_min",
        "record_gap_max",
        "age_in_period_min",
        "age_in_period_max",
        "owed_in_period_min",
        "late_by_min",
        "late_by_max",
    }
)

NONE = -1
"""What a fact of `OR_NONE` holds where there is surely no such version."""

OR_NONE = frozenset(
    {
        "old_active_min",
        "old_active_max",
        "old_active_age_min",
        "old_active_age_max",
        "old_enabled_min",
        "old_enabled_max",
        "old_used_min",
        "old_used_max",
        "record_gap_min",
        "record_gap_max",
        "age_in_period_min",
        "age_in_period_max",
        "owed_in_period_min",
    }
)

LEADS = frozenset({"staging_lead"})
"""Durations that are spoken as before or after: negative ones are after."""

FACTS: dict[str, str] = {
    "as_of": "the instant the audit is made for",
    "in_use": "has a value that can be used; versions that were not collected count as in use",
    "rotates": "in use, not a replica, and not a short-lived (dynamic) secret",
    "is_key": "class is encryption-key or signing-key; null if the class is not known",
    "at_provider": "listed by who honours it, not by a store that holds it",
    "is_replica": "is a copy that the store keeps in step by itself, of a primary in the inventory",
    "value_created_at": "when the oldest value in use was created; null if not known or in the future",
    "age_min": "the value in use is at least this old",
    "age_max": "the value in use is at most this old",
    "age_basis": "version-created (exact), bounded (between other timestamps), contradicted, or none",
    "single_value": "only one value has ever been in use",
    "version_count": "versions that are or were in use",
    "has_pending": "a version waits to take over",
    "pending_for": "how long the oldest pending version has waited, of those with a date",
    "pending_undated": "some pending version has no date",
    "has_superseded": "some version was replaced",
    "old_active_min": "a replaced version that authenticates was replaced at least this long ago; -1 if none",
    "old_active_max": "… at most this long ago, counting versions that may authenticate; -1 if surely none",
    "old_active_age_min": "a replaced version that authenticates is at least this old; -1 if there is none",
    "old_active_age_max": "… at most this old, counting versions that may authenticate; -1 if surely none",
    "old_enabled_min": "a replaced version still served was replaced at least this long ago; -1 if none",
    "old_enabled_max": "… at most this long ago; -1 if none",
    "old_used_min": "a replaced version was used at least this long after it was replaced; -1 if not",
    "old_used_max": "… at most this long after; -1 if surely not",
    "old_encrypts": "a replaced key may still encrypt or sign",
    "had_gap": "a version was retired before its successor took over",
    "newest_replaced_at": "creation of the newest value that was replaced",
    "rolled_back": "the value in use is older than one that it replaced",
    "exposed": "a value from before the compromise can still be used; null if it may",
    "exposed_since": "when the credential was compromised",
    "replaced_after": "how long after the compromise the first new value was created; null if not listed",
    "unused_min": "unused for at least this long",
    "unused_max": "unused for at most this long",
    "lineage_environments": "number of environments that its lineage appears in",
    "lineage_newest_at": "creation of the newest value of its lineage: its provider's word, else its copies'",
    "lineage_newest_by": "… counting those without a date as new as they may be",
    "has_staging": "a staging counterpart exists",
    "staging_value_created_at": "creation of the value in use at its staging counterpart",
    "staging_lead": "how much earlier staging got its value; negative if production was first",
    "latest_instant": "the latest timestamp that ought to lie in the past",
    "time_in_future": "a timestamp that ought to lie in the past is later than as_of",
    "schedule_interval_max": "the longest gap that the configured schedule can leave",
    "schedule_unparsable": "a schedule is configured that cannot be understood",
    "age_in_period_min": "the oldest that a value surely was while in use in the period; -1 if none was",
    "age_in_period_max": "… perhaps was; -1 if surely none was in use",
    "owed_in_period_min": "how old the oldest of those that were replaced would be at its end; -1 if none",
    "aged_from": "creation of the value that surely grew oldest in the period",
    "aged_until": "… when it was replaced; null if it was in use when the period ended",
    "aged_version": "… which version it is",
    "record_gap_min": "a rotation in the period lies surely this far from any record of it; -1 if none",
    "record_gap_max": "… perhaps this far, counting what may be rotations; -1 if surely none",
    "rotated_at": "when the version took over whose rotation in the period is farthest from any record",
    "rotated_version": "… which version that is",
    "promotions_in_period": "promotions in the period that rotation records tell of",
    "self_approved": "one of them was approved by its requester; null if nobody can tell",
    "promoted_at": "when the promotion was recorded that was approved worst, the earliest of those",
    "requested_by": "… who requested it, in the words of the record",
    "approved_by": "… who approved it",
    "rotation_period": "required: a value may be used for this long",
    "grace_period": "required: a replaced value may stay usable for this long",
    "overdue_tolerance": "days past due before lateness counts",
    "schedule": "the policy's schedule that decided",
    "clause": "the framework's clause that decided; null if the policy did",
    "requirement_basis": "policy or framework",
    "automatic": "the policy wants rotation to be automatic",
    "due_at": "when the value in use must have been replaced",
    "overdue_by": "surely overdue by this much",
    "late_by_min": "a value in use in the period surely exceeded its limit by this much; negative if not",
    "late_by_max": "… perhaps by this much",
    "fell_due": "a value fell due in the period and was replaced, or was late; null if it may have been",
}

REQUIREMENT = (
    "rotation_period",
    "grace_period",
    "overdue_tolerance",
    "schedule",
    "clause",
    "requirement_basis",
    "automatic",
)


def exceeds(low: nw.Expr | int, high: nw.Expr | int, limit: nw.Expr | int) -> nw.Expr:
    """Compare an interval with a limit: surely over → true, surely not → false, else null."""
    lowest, highest, bound = (x if isinstance(x, nw.Expr) else nw.lit(x) for x in (low, high, limit))
    return nw.when(lowest > bound).then(nw.lit(value=True)).when(highest <= bound).then(nw.lit(value=False))


def __getattr__(name: str) -> nw.Expr:
    """Give the column of that name: `facts.age_min`; `facts.cls` is the column `class`."""
    from keyaudit.columns import CREDENTIALS

    if name == "cls":
        return nw.col("class")
    if name in FACTS or name in CREDENTIALS:
        return nw.col(name)
    raise AttributeError(f"no fact is called {name!r}")


def derive(frame: Any, **knowledge: Any) -> Any:
    """See `keyaudit.facts.derivation.derive`."""
    from keyaudit.facts.derivation import derive as derive_facts

    return derive_facts(frame, **knowledge)


def gather(frame: Any, **knowledge: Any) -> Any:
    """See `keyaudit.facts.derivation.gather`."""
    from keyaudit.facts.derivation import gather as gather_facts

    return gather_facts(frame, **knowledge)


def known(frame: Any, **knowledge: Any) -> Any:
    """See `keyaudit.facts.derivation.known`."""
    from keyaudit.facts.derivation import known as known_facts

    return known_facts(frame, **knowledge)
