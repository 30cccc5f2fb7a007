"""The plan as `keyaudit/plan/1`: days as dates, instants in RFC 3339, durations as `7d`, null is not known.

`rotations` are in the order of their days. A rotation is one act: its `credentials` are the copies that it
changes. `kind` is `overdue`, `planned`, `does-not-fit` or `by-store`. `unplanned` rotates and has no day.
"""

from __future__ import annotations

from typing import Any

import msgspec

from keyaudit import times
from keyaudit.model import Report
from keyaudit.planning import wording
from keyaudit.planning.identity import identity
from keyaudit.planning.model import Candidate, Plan, Planned, Terms

SCHEMA = "keyaudit/plan/1"


def render(plan: Plan, report: Report) -> bytes:
    """Print the document, indented by 2, with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(to_document(plan, report)), indent=2) + b"\n"


def to_document(plan: Plan, report: Report) -> dict[str, Any]:
    """Turn a plan into plain data, keys in the order of the contract."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "keyaudit", "version": report.version},
        "as_of": times.format_instant(plan.terms.as_of),
        "until": times.format_instant(plan.terms.until),
        "terms": _terms(plan.terms),
        "policy": {"name": report.policy.name, "sha256": report.policy.sha256},
        "inventory": {"sha256": report.inventory.sha256, "credentials": report.inventory.credentials},
        "counts": {
            **{kind.replace("-", "_"): plan.count(kind) for kind in wording.KINDS},
            "unplanned": len(plan.unplanned),
            "later": plan.later,
            "without_due_date": plan.without,
        },
        "rotations": [_planned(one, plan.terms.as_of) for one in plan.planned],
        "unplanned": [{**_credential(one.candidate), "why": one.why} for one in plan.unplanned],
        "not_seen": [
            {"source": scope.source, "scope": scope.scope, "status": scope.status}
            for scope in wording.holes(report)
        ],
        "exit_code": plan.exit_code(whole=wording.whole(report)),
    }


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "within": times.format_duration(terms.within),
        "ahead": None if terms.ahead is None else times.format_duration(terms.ahead),
        "per_day": terms.per_day,
        "apart": None if terms.apart is None else times.format_duration(terms.apart),
    }


def _planned(planned: Planned, as_of: int) -> dict[str, Any]:
    rotation = planned.rotation
    return {
        "id": identity(rotation),
        "day": wording.date(planned.day),
        "kind": planned.kind,
        "due_at": times.format_instant(rotation.due_from),
        "due_at_is_exact": rotation.exact,
        "says": wording.due(rotation, as_of),
        "why": list(planned.why),
        "problem": planned.problem,
        "store_rotates_at": None if rotation.next_at is None else times.format_instant(rotation.next_at),
        "commands": wording.commands(planned),
        "credentials": [_credential(one) for one in rotation.candidates],
    }


def _credential(one: Candidate) -> dict[str, Any]:
    return {
        "source": one.source,
        "scope": one.scope,
        "id": one.id,
        "name": one.name,
        "environment": one.environment,
        "owner": one.owner,
        "lineage": one.lineage,
        "schedule": one.schedule,
        "rotation_period": None
        if one.rotation_period is None
        else times.format_duration(one.rotation_period),
        "user_owned": one.theirs,
        "waiver": one.waiver,
        "rotation": one.rotation,
    }
