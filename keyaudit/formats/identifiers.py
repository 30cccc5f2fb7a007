"""UUIDs of version 5: the same thing has the same one in every run, on every machine."""

from __future__ import annotations

import json
from uuid import UUID, uuid5

from keyaudit import times
from keyaudit.model import Report

_NAMESPACE = UUID("0ae50ea6-45ce-49bc-a1bf-113794cd1654")


def identifier(kind: str, *parts: str | None) -> str:
    """Give the UUID of what `parts` name among the things of one kind.

    Parts are told apart: `("a", "bc")` is another thing than `("ab", "c")`, and None than `""`.
    """
    return str(uuid5(_NAMESPACE, json.dumps([kind, *parts])))


def audit_id(report: Report) -> str:
    """Name an audit by what went into it: the same one made again has the same name."""
    frameworks = [framework.sha256 for framework in report.frameworks]
    at = times.format_instant(report.as_of)
    return identifier("audit", at, report.inventory.sha256, report.policy.sha256, *frameworks)
