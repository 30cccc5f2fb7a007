"""Schedules as AWS writes them, where it gives only a number."""

from __future__ import annotations


def rate(count: int, unit: str = "day") -> str:
    """Write how often something happens: `rate(1 day)`, `rate(90 days)`."""
    return f"rate({count} {unit}{'' if count == 1 else 's'})"
