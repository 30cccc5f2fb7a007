"""OSCAL 1.2 assessment results, as JSON.

A control has a finding only where the report has a result that OSCAL has a word for:
`exception` is `not-satisfied`, `no-exception` is `satisfied`. All others (supporting-only,
not-evaluated, not-applicable) are observations that say why; the last two are excluded from
the reviewed controls. OSCAL's `satisfied` means here what the report's `no-exception` means:
metadata showed no exception. It is no assessor's opinion, and the document says so.

keyaudit knows no assessment plan, so `import-ap` points to a resource that says that. UUIDs
are of version 5 and follow from what they name: the same audit made again has the same ones.
What stays the same from one audit to the next is a credential's UUID and, as a prop, a
finding's fingerprint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from keyaudit import times
from keyaudit.formats import json_document, ledger_text, oscal_ledger, wording
from keyaudit.formats.identifiers import audit_id, identifier
from keyaudit.formats.oscal_observations import (
    DECIDED,
    Observer,
    control_counts,
    document_id,
    inventory_items,
)
from keyaudit.formats.oscal_words import (
    Part,
    control_ids,
    markup,
    objective_id,
    origins,
    props,
    tool,
)
from keyaudit.model import ControlRef, ControlResult, Report
from keyaudit.report_document import SCHEMA, to_document

VERSION = "1.2.1"
OWN_POLICY = "keyaudit_policy"
"""Stands for the policy where no framework was asked for: what was reviewed is the policy itself."""

_STATES = {"exception": ("not-satisfied", "fail"), "no-exception": ("satisfied", "pass")}
_EXCLUDED = ("not-evaluated", "not-applicable")
_NO_OPINION = (
    "Satisfied means that metadata showed no exception, not satisfied that a rule failed. Neither is an "
    "opinion of an assessor, and nothing here says that anybody is compliant."
)


def render(report: Report) -> bytes:
    """Print the assessment results, indented by 2 unless they are huge."""
    digest = to_document(report)["sha256"]
    as_of = times.format_instant(report.as_of)
    plan = identifier("oscal-no-plan", digest)
    results = {
        "uuid": identifier("oscal-results", digest),
        "metadata": {
            "title": markup(f"Credential rotation, {report.policy.name}, as of {as_of}"),
            "last-modified": as_of,
            "version": as_of,
            "oscal-version": VERSION,
            "props": props({"report-sha256": digest, "keyaudit-version": report.version}),
        },
        "import-ap": {"href": f"#{plan}", "remarks": "There is no assessment plan in OSCAL."},
        "results": [_result(report, digest)],
        "back-matter": {"resources": [_no_plan(plan), *_documents(report, digest)]},
    }
    return json_document.encode({"assessment-results": results})


def _no_plan(uuid: str) -> Part:
    return {
        "uuid": uuid,
        "title": "No assessment plan",
        "description": (
            "keyaudit knows of no assessment plan. What was assessed follows from the policy, the frameworks "
            "and the inventory whose digests stand beside this."
        ),
    }


def _documents(report: Report, digest: str) -> Iterator[Part]:
    """Name what the results rest on, each by its digest."""
    known = [
        ("report", SCHEMA, digest),
        ("inventory", f"{report.inventory.credentials} credentials", report.inventory.sha256),
        ("policy", report.policy.name, report.policy.sha256),
        *((f"framework {each.id}", f"{each.name} {each.version}", each.sha256) for each in report.frameworks),
    ]
    for kind, name, sha256 in known:
        yield {
            "uuid": document_id(kind, sha256),
            "title": markup(f"{kind}: {name}"),
            "props": props({"sha256": sha256}),
        }


def _result(report: Report, digest: str) -> Part:
    as_of = times.format_instant(report.as_of)
    software = tool(report)
    start, end = _time(report)
    gaps = [markup(f"{gap.what}: {gap.why}", 300) for gap in wording.gaps(report)]
    unseen = f" Not tested: {'; '.join(gaps)}." if gaps else ""
    items = list(inventory_items(report))
    observer = Observer(report)
    observed = list(observer.observations())
    findings = list(_findings(report, observer))
    platform = {
        "uuid": identifier("oscal-platform", report.version),
        "title": software["title"],
        "uses-components": [{"component-uuid": software["uuid"]}],
    }
    return {
        "uuid": identifier("oscal-result", digest),
        "title": markup(f"As of {as_of}"),
        "description": markup(wording.headline(report)),
        "start": start,
        "end": end,
        "props": props(_counts(report)),
        "local-definitions": {
            **({"inventory-items": items} if items else {}),
            "assessment-assets": {"components": [software], "assessment-platforms": [platform]},
        },
        "reviewed-controls": _reviewed(report),
        **({"observations": observed} if observed else {}),
        **({"findings": findings} if findings else {}),
        "remarks": f"{_NO_OPINION}{unseen}",
    }


def _time(report: Report) -> tuple[str, str]:
    """Say when evidence was collected, or which period it is about."""
    if report.period is not None:
        return times.format_instant(report.period[0]), times.format_instant(report.period[1])
    ends = sorted((report.as_of, report.as_of if (at := report.inventory.collected_at) is None else at))
    return times.format_instant(ends[0]), times.format_instant(ends[1])


def _counts(report: Report) -> dict[str, object]:
    verdicts = {f"verdict-{verdict}": count for verdict, count in report.summary.verdicts.items()}
    return {
        **verdicts,
        "credentials": report.inventory.credentials,
        "exit-code": report.summary.exit_code,
        "policy": report.policy.name,
    }


def _reviewed(report: Report) -> Part:
    """Say which controls were reviewed, by framework, and which of those were left out in the end."""
    ids = control_ids(report.controls)
    by_framework: dict[str, list[ControlResult]] = defaultdict(list)
    for control in report.controls:
        by_framework[control.framework].append(control)
    names = {framework.id: f"{framework.name} {framework.version}" for framework in report.frameworks}
    selections = [
        _selection(markup(names.get(framework, framework)), controls, ids)
        for framework, controls in by_framework.items()
    ]
    policy = {
        "description": markup(
            f"No framework was asked for. What was reviewed is the policy {report.policy.name}."
        ),
        "include-controls": [{"control-id": OWN_POLICY}],
    }
    return {
        "description": (
            "Control ids are those of NIST's catalog for SP 800-53. For all other frameworks they are "
            "keyaudit's own, for no official OSCAL catalog of those is known."
        ),
        "control-selections": selections or [policy],
    }


def _selection(name: str, controls: list[ControlResult], ids: Mapping[tuple[str, str], str]) -> Part:
    left_out = [control for control in controls if control.result in _EXCLUDED]
    made: Part = {
        "description": name,
        "include-controls": [{"control-id": ids[each.framework, each.id]} for each in controls],
    }
    if left_out:
        made["exclude-controls"] = [{"control-id": ids[each.framework, each.id]} for each in left_out]
        why = "; ".join(f"{control.id}: {control.reason}" for control in left_out)
        made["remarks"] = markup(f"Excluded because not evaluated or not applicable. {why}")
    return made


def _findings(report: Report, observer: Observer) -> Iterator[Part]:
    """Give the controls that have a result, each with the observations that it rests on."""
    ids = control_ids(report.controls)
    named: dict[ControlRef, list[str]] = defaultdict(list)
    for finding in report.findings:
        for reference in finding.controls:
            named[reference].append(observer.finding_id(finding))
    judged = {rule.id for rule in report.rules}
    rotations = oscal_ledger.names(report)
    scopes = [observer.scope_id(scope) for scope in report.coverage]
    for control in report.controls:
        if control.result in DECIDED:
            rules = [observer.rule_id(rule) for rule in control.rules if rule in judged]
            found = named[ControlRef(control.framework, control.id)]
            if ledger_text.LATE_RULE in control.rules:
                found = [*found, *rotations]
            yield _finding(report, control, ids[control.framework, control.id], [*scopes, *rules, *found])


def _finding(report: Report, control: ControlResult, target: str, rests_on: list[str]) -> Part:
    state, reason = _STATES[control.result]
    related = [{"observation-uuid": uuid} for uuid in dict.fromkeys(rests_on)]
    return {
        "uuid": identifier("oscal-decided", audit_id(report), control.framework, control.id),
        "title": markup(f"{control.framework} {control.id} {control.title}"),
        "description": markup(f"{control.summary} {control.reason}"),
        "props": props(control_counts(control)),
        "origins": origins(report),
        "target": {
            "type": "objective-id",
            "target-id": objective_id(control, target),
            "title": markup(control.title),
            "status": {"state": state, "reason": reason, "remarks": markup(control.reason)},
        },
        **({"related-observations": related} if related else {}),
    }
