"""OCSF: what a judge that we did not write accepts, and what stands in each event."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import render
from keyaudit.model import Coverage, CredentialRef, Report, ScopeStatus, Severity, Verdict

BEYOND = {"": {"cloud"}, "compliance": {"status", "status_code"}}
"""What OCSF 1.5 has and the judge does not model: the profile `cloud`, and the words beside a status_id."""


def events(report: Report) -> list[dict[str, Any]]:
    return [json.loads(line) for line in render("ocsf", report).splitlines()]


def accepted(event: dict[str, Any]) -> dict[str, Any]:
    """Give what the judge takes of an event: it drops what it does not know, at every depth."""
    model = ComplianceFinding.model_validate(event)
    return json.loads(model.model_dump_json(exclude_unset=True))


@pytest.mark.parametrize(
    "report",
    [large_report(1), sample_report(60), sample_report(400), with_names(large_report(1))],
    ids=["one", "sample", "many", "hostile"],
)
def test_every_event_is_a_compliance_finding_and_has_no_field_that_ocsf_does_not_know(report) -> None:
    found = events(report)
    assert len(found) == len(report.findings) > 0
    for event in found:
        known = {key: value for key, value in event.items() if key not in BEYOND[""]}
        known["compliance"] = {
            key: value for key, value in event["compliance"].items() if key not in BEYOND["compliance"]
        }
        assert accepted(event) == known


ONE = {
    "category_uid": 2,
    "category_name": "Findings",
    "class_uid": 2003,
    "class_name": "Compliance Finding",
    "activity_id": 1,
    "activity_name": "Create",
    "type_uid": 200301,
    "type_name": "Compliance Finding: Create",
    "time": 1777593600000,
    "severity_id": 4,
    "severity": "High",
    "status_id": 1,
    "status": "New",
    "message": "value is 91 d old; production allows 90 d",
    "metadata": {
        "version": "1.5.0",
        "product": {"name": "keyaudit", "vendor_name": "keyaudit", "version": "0.1.0"},
        "uid": "9da7a1bc-7319-59d4-9dd3-b095288ada6c",
        "event_code": "KA101",
        "profiles": ["cloud"],
    },
    "finding_info": {
        "uid": "0" * 64,
        "title": "KA101 rotation-overdue: production/service-00000/api-key",
        "desc": "value is 91 d old; production allows 90 d",
        "created_time": 1777593600000,
        "analytic": {"uid": "KA101", "name": "rotation-overdue", "type_id": 1, "type": "Rule"},
    },
    "compliance": {
        "control": "KA101 rotation-overdue",
        "desc": "the value in use is older than its rotation period",
        "standards": ["SOC 2 2017 (2022)"],
        "requirements": ["soc2 CC6.1"],
        "status_id": 3,
        "status": "Fail",
        "status_code": "fail",
    },
    "resources": [
        {
            "uid": "arn:aws:secretsmanager:us-east-1:111122223333:secret:production/service-00000/api-key-AbCdEf",
            "name": "production/service-00000/api-key",
            "type": "aws-secrets-manager",
            "namespace": "111122223333/us-east-1",
            "labels": ["environment:production"],
        }
    ],
    "evidences": [
        {
            "name": "what decided KA101",
            "data": {
                "value_created_at": "2026-01-30T00:00:00Z",
                "age_basis": "version-created",
                "rotation_period": "90d",
                "schedule": "production",
            },
        }
    ],
    "remediation": {
        "desc": "Command: aws secretsmanager rotate-secret --secret-id 'arn:aws:secretsmanager:us-east-1:"
        "111122223333:secret:production/service-00000/api-key-AbCdEf'\n\n"
        "Rotate it, then:\n\n* check `last_used_at`\n* revoke the old one"
    },
    "unmapped": {
        "verdict": "fail",
        "basis": "policy",
        "clause": "acme-credential-rotation: production",
        "due_at": "2026-04-30T00:00:00Z",
        "environment": "production",
        "policy": "acme-credential-rotation",
        "policy_sha256": "b" * 64,
        "inventory_sha256": "a" * 64,
    },
    "cloud": {
        "provider": "AWS",
        "account": {
            "uid": "111122223333",
            "name": "111122223333",
            "type_id": 10,
            "type": "AWS Account",
        },
        "region": "us-east-1",
    },
}


def test_the_whole_event() -> None:
    assert events(large_report(1)) == [ONE]


def test_each_event_is_one_line_in_the_order_of_the_report() -> None:
    report = with_names(large_report(1))
    content = render("ocsf", report)
    assert content.count(b"\n") == len(NAMES)
    assert content.endswith(b"\n")
    assert [event["finding_info"]["uid"] for event in events(report)] == [
        finding.fingerprint for finding in report.findings
    ]


def test_without_findings_there_is_no_event() -> None:
    assert render("ocsf", large_report(0)) == b""


@pytest.mark.parametrize(
    ("verdict", "status_id", "status", "event_status"),
    [
        (Verdict.FAIL, 3, "Fail", "New"),
        (Verdict.UNKNOWN, 2, "Warning", "New"),
        (Verdict.WAIVED, 3, "Fail", "Suppressed"),
    ],
)
def test_what_is_not_known_is_neither_pass_nor_fail_and_what_is_waived_is_suppressed(
    verdict, status_id, status, event_status
) -> None:
    report = large_report(1)
    (event,) = events(replace(report, findings=(replace(report.findings[0], verdict=verdict),)))
    compliance = event["compliance"]
    assert (compliance["status_id"], compliance["status"]) == (status_id, status)
    assert compliance["status_code"] == event["unmapped"]["verdict"] == verdict
    assert (event["status"], event["status_id"]) == (event_status, 3 if event_status == "Suppressed" else 1)


@pytest.mark.parametrize(
    ("severity", "number"),
    [
        (Severity.CRITICAL, 5),
        (Severity.HIGH, 4),
        (Severity.MEDIUM, 3),
        (Severity.LOW, 2),
        (Severity.INFO, 1),
        (None, 0),
    ],
)
def test_each_severity_has_its_number(severity, number) -> None:
    report = large_report(1)
    (event,) = events(replace(report, findings=(replace(report.findings[0], severity=severity),)))
    assert event["severity_id"] == number


@pytest.mark.parametrize(
    ("source", "scope", "cloud"),
    [
        ("aws-kms", "111122223333/eu-west-1", ("AWS", "111122223333", "eu-west-1")),
        ("aws-iam", "111122223333", ("AWS", "111122223333", None)),
        ("aws-iam", "111122223333/service-specific", ("AWS", "111122223333", None)),
        ("gcp-secret-manager", "acme-prod", ("GCP", "acme-prod", None)),
        ("vault", "111122223333/eu-west-1", None),
        ("aws-kms", "not an account", None),
    ],
)
def test_only_what_is_in_a_cloud_says_so(source, scope, cloud) -> None:
    report = large_report(1)
    finding = replace(report.findings[0], credential=CredentialRef(source, scope, "id", "name", None, None))
    (event,) = events(replace(report, findings=(finding,)))
    said = event.get("cloud")
    assert (said and (said["provider"], said["account"]["uid"], said.get("region"))) == cloud
    assert ("profiles" in event["metadata"]) == (cloud is not None)


def test_a_scope_that_could_not_be_read_is_an_event_of_its_account() -> None:
    report = sample_report(30)
    scope = Coverage("aws-secrets-manager", "444455556666/eu-west-1", ScopeStatus.FAILED)
    about = replace(
        next(finding for finding in report.findings if finding.rule == "KA901"),
        subject="aws-secrets-manager 444455556666/eu-west-1",
    )
    (event,) = events(replace(report, coverage=(scope,), findings=(about,)))
    assert event["cloud"]["account"]["uid"] == "444455556666"
    assert event["resources"][0] == {"uid": about.subject, "name": about.subject, "type": "Other"}
    assert event["compliance"]["status"] == "Warning"


def test_ids_are_exact_and_what_people_read_hides_nothing() -> None:
    report = with_names(large_report(1))
    for event, name in zip(events(report), NAMES, strict=True):
        assert event["resources"][0]["uid"] == name
        shown = [event["finding_info"]["title"], event["message"], event["resources"][0]["name"]]
        assert not {"\x1b", "\u202e", "\n", "\u200b"} & set("".join(shown))


def test_the_same_finding_is_found_again_and_each_audit_has_its_own_events() -> None:
    before = sample_report(25)
    after = replace(before, as_of=before.as_of + times.DAY)
    first, again, later = events(before), events(sample_report(25)), events(after)
    assert first == again
    for one, other in zip(first, later, strict=True):
        assert one["finding_info"]["uid"] == other["finding_info"]["uid"]
        assert one["metadata"]["uid"] != other["metadata"]["uid"]
    assert max(Counter(event["metadata"]["uid"] for event in first).values()) == 1


def test_references_are_the_addresses_of_the_rule() -> None:
    found = events(sample_report(10))
    assert found[0]["remediation"]["references"] == ["https://csrc.nist.gov/pubs/sp/800/57/pt1/r5/final"]


def test_ten_thousand_findings_are_ten_thousand_events() -> None:
    content = render("ocsf", large_report(10_000))
    assert content.count(b"\n") == 10_000
