"""What a finding says: its rule's message, with the facts in words."""

from __future__ import annotations

from collections.abc import Iterable
from string import Formatter
from typing import Any

from keyaudit import facts
from keyaudit.model import Rule
from keyaudit.times import describe_duration, format_instant


def message(rule: Rule, known: Any, *, decided: bool) -> str:
    """Say what was found, or why it could not be decided, in one sentence."""
    fields = [field for _, field, _, _ in Formatter().parse(rule.message) if field]
    if decided or "age" in fields:
        lengths = tuple(_lengths(fields, known))
        return rule.message.format_map({field: _spoken(field, known, lengths) for field in fields})
    missing = [name.replace("_", " ") for name in _doubtful(rule) if known[name] is None]
    return (
        f"cannot be decided: {', '.join(missing)} not known"
        if missing
        else "cannot be decided from the dates known"
    )


def _doubtful(rule: Rule) -> tuple[str, ...]:
    return tuple(name for name in rule.evidence if name not in {"clause", "due_at"})


def _lengths(fields: Iterable[str], known: Any) -> Iterable[int]:
    """Give the durations of a sentence: two of them that differ must not read the same."""
    for field in fields:
        names = ("age_min", "age_max") if field == "age" else (field,)
        yield from (known[name] for name in names if name in facts.DURATIONS and known[name] is not None)


def _spoken(field: str, known: Any, lengths: tuple[int, ...]) -> str:
    if field == "age":
        return _age(known["age_min"], known["age_max"], lengths)
    value = known[field]
    if value is None:
        return "an unknown time" if field in facts.DURATIONS | facts.INSTANTS else "none"
    if field in facts.LEADS:
        return f"{describe_duration(abs(value))} {'before' if value >= 0 else 'after'}"
    if field in facts.DURATIONS:
        return describe_duration(value, apart_from=lengths)
    return format_instant(value) if field in facts.INSTANTS else str(value)


def _age(low: int | None, high: int | None, lengths: tuple[int, ...]) -> str:
    if low is None and high is None:
        return "of unknown age, hence possibly too"
    least, most = (describe_duration(bound or 0, apart_from=lengths) for bound in (low, high))
    if low == high:
        return least
    if high is None:
        return f"at least {least}"
    return f"between {least} and {most}" if low else f"at most {most}"
