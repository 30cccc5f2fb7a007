"""What was looked at and what it showed, as OSCAL observations.

One for every scope, one for every rule with its counts, one for every finding with the facts
that decided it, those of the rotation ledger, and one for every control whose result is neither
satisfied nor not satisfied. An observation is of one audit, and so is its UUID; a credential keeps its
own from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from keyaudit import times
from keyaudit.formats import oscal_ledger, wording
from keyaudit.formats.identifiers import audit_id, identifier
from keyaudit.formats.oscal_ledger import of_credential
from keyaudit.formats.oscal_words import Part, line, markup, observation, props
from keyaudit.model import ControlResult, Coverage, Finding, Report, RuleResult, ScopeStatus

DECIDED = ("exception", "no-exception")
"""Results of controls that OSCAL has a word for: not satisfied, satisfied."""

_LOOKED_AT = {
    ScopeStatus.COMPLETE: "read to the end",
    ScopeStatus.PARTIAL: "read in part",
    ScopeStatus.FAILED: "asked for and could not be read",
    ScopeStatus.EMPTY: "read, and held nothing",
}


def document_id(kind: str, sha256: str) -> str:
    """Name the resource of a document that the results rest on."""
    return identifier("oscal-document", kind, sha256)


def inventory_items(report: Report) -> Iterator[Part]:
    """Describe every credential that a finding or an exception of the ledger is about, once."""
    seen: set[str] = set()
    found = (finding.credential for finding in report.findings)
    late = (oscal_ledger.credential(row) for row in oscal_ledger.exceptions(report.ledger))
    for credential in chain(found, late):
        if credential is None or (uuid := of_credential(credential)) in seen:
            continue
        seen.add(uuid)
        known = {
            "source": credential.source,
            "scope": credential.scope,
            "id": credential.id,
            "name": credential.name,
            "environment": credential.environment,
            "owner": credential.owner,
        }
        yield {"uuid": uuid, "description": f"Credential {markup(credential.name)}", "props": props(known)}


class Observer:
    """Makes the observations of one report, and knows what each of them is called."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._audit = audit_id(report)

    def scope_id(self, scope: Coverage) -> str:
        """Name the observation of a scope."""
        return identifier("oscal-scope", self._audit, scope.source, scope.scope)

    def rule_id(self, rule: str) -> str:
        """Name the observation of a rule over all that it judged."""
        return identifier("oscal-rule", self._audit, rule)

    def finding_id(self, finding: Finding) -> str:
        """Name the observation of a finding."""
        return identifier("oscal-finding", self._audit, finding.fingerprint)

    def control_id(self, control: ControlResult) -> str:
        """Name the observation of a control without a result that OSCAL has a word for."""
        return identifier("oscal-control", self._audit, control.framework, control.id)

    def observations(self) -> Iterator[Part]:
        """Give all of them, in the order of the report."""
        yield from map(self._scope, self._report.coverage)
        yield from map(self._rule, self._report.rules)
        yield from map(self._finding, self._report.findings)
        yield from oscal_ledger.observations(self._report)
        undecided = (control for control in self._report.controls if control.result not in DECIDED)
        yield from map(self._undecided, undecided)

    def _scope(self, scope: Coverage) -> Part:
        said = f"The scope was {_LOOKED_AT[scope.status]}"
        title = f"Scope {scope.source} {scope.scope}: {scope.status}"
        why = said if scope.reason is None else f"{said}: {scope.reason}"
        made = observation(self._report, self.scope_id(scope), title, why)
        counts = {
            "status": str(scope.status),
            "credentials": scope.credentials,
            "versions": scope.versions,
            "calls": scope.calls,
            "pages": scope.pages,
            "cannot-know": ", ".join(scope.cannot_know) or None,
        }
        at = {} if scope.finished_at is None else {"collected": times.format_instant(scope.finished_at)}
        return {**made, "types": ["discovery"], **at, "props": props(counts)}

    def _rule(self, rule: RuleResult) -> Part:
        counts = {
            "basis": str(rule.basis),
            "severity": rule.severity,
            "pass": rule.passed,
            "fail": rule.failed,
            "unknown": rule.unknown,
            "waived": rule.waived,
            "not-applicable": rule.not_applicable,
            "not-tested": wording.untested(rule) or None,
        }
        evidence = {
            "href": f"#{document_id('inventory', self._report.inventory.sha256)}",
            "description": "The inventory over which the rule was judged.",
        }
        made = observation(self._report, self.rule_id(rule.id), f"{rule.id} {rule.name}", rule.title)
        return {**made, "props": props(counts), "relevant-evidence": [evidence]}

    def _finding(self, finding: Finding) -> Part:
        about = wording.subject(finding)
        title = f"{finding.rule} {finding.name}: {about}"
        made = observation(self._report, self.finding_id(finding), title, finding.message)
        known = {
            "rule": finding.rule,
            "verdict": str(finding.verdict),
            "severity": finding.severity,
            "basis": str(finding.basis),
            "version": finding.version,
            "clause": finding.clause,
            "waiver": finding.waiver,
            "due-at": None if finding.due_at is None else times.format_instant(finding.due_at),
            "fix": finding.fix,
            "fingerprint": finding.fingerprint,
        }
        evidence: Part = {"description": f"The facts that decided {line(finding.rule)}."}
        if facts := props(finding.evidence.items()):
            evidence["props"] = facts
        subjects = {}
        if finding.credential is not None:
            subject = {"subject-uuid": of_credential(finding.credential), "type": "inventory-item"}
            subjects = {"subjects": [{**subject, "title": markup(about)}]}
        return {**made, "props": props(known), **subjects, "relevant-evidence": [evidence]}

    def _undecided(self, control: ControlResult) -> Part:
        title = f"{control.framework} {control.id}: {control.result}"
        made = observation(
            self._report, self.control_id(control), title, f"{control.title}. {control.reason}"
        )
        needed = "; ".join(control.manual_evidence)
        meaning = wording.RESULTS.get(control.result, control.result)
        remarks = f"{meaning} To be gathered elsewhere: {needed}" if needed else meaning
        return {
            **made,
            "methods": ["EXAMINE" if control.tested else "UNKNOWN"],
            "props": props(control_counts(control)),
            "remarks": markup(remarks),
        }


def control_counts(control: ControlResult) -> dict[str, object]:
    """Give what is counted of a control, under the names of its props."""
    return {
        "framework": control.framework,
        "control": control.id,
        "result": control.result,
        "evidence": control.evidence,
        "modality": control.modality,
        "population": control.population,
        "tested": control.tested,
        "exceptions": control.exceptions,
        "unclassified": control.unclassified,
    }
