"""The rotation ledger as OSCAL observations: one of the whole, one for each credential with an exception."""

from __future__ import annotations

from collections.abc import Iterator

from keyaudit import times
from keyaudit.formats import history_text, ledger_counts, ledger_text
from keyaudit.formats.identifiers import audit_id, identifier
from keyaudit.formats.oscal_words import Part, markup, observation, props
from keyaudit.model import CredentialRef, Ledger, LedgerResult, LedgerRow, Operation, Report


def exceptions(ledger: Ledger | None) -> Iterator[LedgerRow]:
    """Give the credentials of which a due date was not met."""
    return (row for row in (ledger.rows if ledger else ()) if row.operation is Operation.EXCEPTION)


def credential(row: LedgerRow) -> CredentialRef:
    """Refer to the credential of a row."""
    return CredentialRef(row.source, row.scope, row.id, row.name, row.environment, row.owner)


def names(report: Report) -> list[str]:
    """Name the observations that a control of rotation in time rests on: all of them."""
    if report.ledger is None:
        return []
    audit = audit_id(report)
    return [_whole_id(audit), *(_row_id(audit, row) for row in exceptions(report.ledger))]


def observations(report: Report) -> Iterator[Part]:
    """Observe the period as a whole, then each exception; nothing in an audit of an instant."""
    if report.ledger is None or report.period is None:
        return
    audit = audit_id(report)
    bears = [f"{each.framework} {each.id}" for each in report.controls if ledger_text.LATE_RULE in each.rules]
    known = {
        **{name.replace("/", "-"): count for name, count in ledger_counts.flat(report).items()},
        "controls": ", ".join(bears) or None,
        "history-sha256": report.ledger.history.sha256 if report.ledger.history else None,
    }
    whole = observation(
        report, _whole_id(audit), "Rotations in the period", ledger_text.headline(report.ledger)
    )
    policies = "; ".join(map(ledger_text.policy, report.ledger.policies))
    remarks = f"Policies: {policies}. History: {history_text.history(report)}."
    yield {**whole, "props": props(known), "remarks": markup(remarks)}
    for row in exceptions(report.ledger):
        yield _exception(report, audit, row)


def _exception(report: Report, audit: str, row: LedgerRow) -> Part:
    said = [
        f"version {entry.version} due {_instant(entry.due_at)}, replaced {ledger_text.replaced(entry)}: "
        f"{entry.result}, {ledger_text.lateness(entry)}"
        for entry in row.entries
        if entry.result is not LedgerResult.NOT_DUE
    ]
    known = {
        "operation": str(row.operation),
        "due": row.due,
        "met": row.met,
        "late": row.late,
        "not-known": row.open,
        "out-of-policy-at-least": times.format_duration(row.out_min),
        "out-of-policy-at-most": times.format_duration(row.out_max),
    }
    subject = {"subject-uuid": of_credential(credential(row)), "type": "inventory-item"}
    made = observation(report, _row_id(audit, row), f"Rotations of {row.name}", "; ".join(said))
    return {**made, "props": props(known), "subjects": [{**subject, "title": markup(row.name)}]}


def of_credential(credential: CredentialRef) -> str:
    """Name the inventory item of a credential."""
    return identifier("oscal-credential", credential.source, credential.scope, credential.id)


def _whole_id(audit: str) -> str:
    return identifier("oscal-ledger", audit)


def _row_id(audit: str, row: LedgerRow) -> str:
    return identifier("oscal-ledger-row", audit, row.source, row.scope, row.id)


def _instant(value: int | None) -> str:
    return "at a time not known" if value is None else times.format_instant(value)
