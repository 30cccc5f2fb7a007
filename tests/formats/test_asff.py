"""ASFF: what boto3 and a Security Hub accept, in which account, in which region, how many at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from formats.hostile import with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit.errors import UsageError
from keyaudit.formats import asff, aws_places, render
from keyaudit.formats.aws_places import Place
from keyaudit.formats.visible import UNSEEN
from keyaudit.model import Coverage, CredentialRef, Finding, Report, ScopeStatus, Severity, Verdict
from sources.aws_case import moto_server

HOME = "111122223333/eu-west-1"
OPERATION = (
    botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")
)


def batches(report: Report, home: str | None = HOME) -> list[dict[str, Any]]:
    return [json.loads(line) for line in render("asff", report, security_hub=home).splitlines()]


def findings(report: Report, home: str | None = HOME) -> list[dict[str, Any]]:
    return [finding for batch in batches(report, home) for finding in batch["Findings"]]


REPORTS = [large_report(1), sample_report(60), sample_report(400), with_names(large_report(1))]
NAMED = ["one", "sample", "many", "hostile"]


@pytest.mark.parametrize("report", REPORTS, ids=NAMED)
def test_botocore_takes_every_batch(report) -> None:
    found = batches(report)
    assert found
    for batch in found:
        problems = ParamValidator().validate(batch, OPERATION.input_shape)
        assert not problems.has_errors(), problems.generate_report()


LENGTHS = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductName": 128}
"""Of the API reference; botocore checks none of them."""


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in texts(part))
    elif isinstance(value, list):
        yield from (text for item in value for text in texts(item))


@pytest.mark.parametrize("report", REPORTS, ids=NAMED)
def test_no_text_is_longer_or_emptier_than_security_hub_takes_it(report) -> None:
    for finding in findings(report):
        for name, most in LENGTHS.items():
            assert 1 <= len(finding[name]) <= most
        assert len(finding["Remediation"]["Recommendation"]["Text"]) <= 512
        fields = finding["ProductFields"]
        assert len(fields) <= 50
        assert all(len(name) <= 128 and len(value) <= 2048 for name, value in fields.items())
        assert not any(name.startswith("aws/") for name in fields)
        assert len(finding["Compliance"].get("RelatedRequirements", [])) <= 32
        assert len(json.dumps(finding).encode()) < 240_000
        for text in texts(finding):
            assert text.strip()
            assert not UNSEEN.search(text)


def test_a_finding_with_many_long_facts_and_controls_stays_below_what_one_may_weigh() -> None:
    report = large_report(1)
    worst = replace(
        report.findings[0],
        message="🔑" * 9000,
        evidence={f"fact-{n}": "🔑" * 9000 for n in range(90)},
        controls=report.findings[0].controls * 50,
    )
    content = render("asff", replace(report, findings=(worst,) * 250), security_hub=HOME)
    lines = content.splitlines()
    (finding, *_) = json.loads(lines[0])["Findings"]
    assert len(json.dumps(finding, ensure_ascii=False).encode()) < 200_000
    assert len(finding["ProductFields"]) == 50
    assert len(finding["Compliance"]["RelatedRequirements"]) == 32
    assert max(map(len, lines)) < 6_000_000
    assert sum(len(json.loads(line)["Findings"]) for line in lines) == 250
    assert len(lines) > 3


def test_a_batch_has_a_hundred_findings_at_most_and_they_stay_in_order() -> None:
    report = large_report(250)
    found = batches(report)
    assert [len(batch["Findings"]) for batch in found] == [100, 100, 50]
    assert [each["Id"] for batch in found for each in batch["Findings"]] == [
        f"keyaudit/{finding.fingerprint}" for finding in report.findings
    ]


def test_a_batch_is_of_one_account_and_one_region() -> None:
    found = batches(sample_report(400))
    places = []
    for batch in found:
        own = {(each["AwsAccountId"], each["ProductArn"]) for each in batch["Findings"]}
        assert len(own) == 1
        places += own
    assert len({arn for _, arn in places}) == 3
    assert sum(len(batch["Findings"]) for batch in found) == 400


def test_without_findings_there_is_no_batch() -> None:
    assert render("asff", large_report(0)) == b""


ONE = {
    "SchemaVersion": "2018-10-08",
    "Id": "keyaudit/" + "0" * 64,
    "ProductArn": "arn:aws:securityhub:us-east-1:111122223333:product/111122223333/default",
    "ProductName": "keyaudit",
    "GeneratorId": "keyaudit/KA101",
    "AwsAccountId": "111122223333",
    "CreatedAt": "2026-05-01T00:00:00Z",
    "UpdatedAt": "2026-05-01T00:00:00Z",
    "FindingProviderFields": {
        "Severity": {"Label": "HIGH", "Original": "high"},
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
    },
    "Title": "KA101 rotation-overdue: production/service-00000/api-key",
    "Description": "value is 91 d old; production allows 90 d",
    "Remediation": {
        "Recommendation": {
            "Text": "aws secretsmanager rotate-secret --secret-id 'arn:aws:secretsmanager:us-east-1:"
            "111122223333:secret:production/service-00000/api-key-AbCdEf'"
        }
    },
    "ProductFields": {
        "keyaudit/verdict": "fail",
        "keyaudit/basis": "policy",
        "keyaudit/clause": "acme-credential-rotation: production",
        "keyaudit/due_at": "2026-04-30T00:00:00Z",
        "keyaudit/environment": "production",
        "keyaudit/source": "aws-secrets-manager",
        "keyaudit/scope": "111122223333/us-east-1",
        "keyaudit/policy": "acme-credential-rotation",
        "keyaudit/policy_sha256": "b" * 64,
        "keyaudit/inventory_sha256": "a" * 64,
        "keyaudit/keyaudit_version": "0.1.0",
        "keyaudit/evidence/value_created_at": "2026-01-30T00:00:00Z",
        "keyaudit/evidence/age_basis": "version-created",
        "keyaudit/evidence/rotation_period": "90d",
        "keyaudit/evidence/schedule": "production",
    },
    "Resources": [
        {
            "Type": "AwsSecretsManagerSecret",
            "Id": "arn:aws:secretsmanager:us-east-1:111122223333:secret:production/service-00000/api-key-AbCdEf",
            "Partition": "aws",
            "Region": "us-east-1",
            "Details": {
                "Other": {
                    "name": "production/service-00000/api-key",
                    "source": "aws-secrets-manager",
                    "scope": "111122223333/us-east-1",
                }
            },
        }
    ],
    "Compliance": {
        "Status": "FAILED",
        "SecurityControlId": "KA101",
        "RelatedRequirements": ["soc2 CC6.1"],
    },
    "Workflow": {"Status": "NEW"},
    "RecordState": "ACTIVE",
}


def test_the_whole_finding() -> None:
    assert batches(large_report(1), home=None) == [{"Findings": [ONE]}]


@pytest.mark.parametrize(
    ("verdict", "status", "workflow"),
    [
        (Verdict.FAIL, "FAILED", "NEW"),
        (Verdict.UNKNOWN, "WARNING", "NEW"),
        (Verdict.WAIVED, "FAILED", "SUPPRESSED"),
    ],
)
def test_what_is_not_known_is_neither_passed_nor_failed_and_what_is_waived_is_suppressed(
    verdict, status, workflow
) -> None:
    (finding,) = findings(of(verdict=verdict))
    assert (finding["Compliance"]["Status"], finding["Workflow"]["Status"]) == (status, workflow)


@pytest.mark.parametrize(
    ("severity", "label", "original"),
    [
        (Severity.CRITICAL, "CRITICAL", "critical"),
        (Severity.HIGH, "HIGH", "high"),
        (Severity.MEDIUM, "MEDIUM", "medium"),
        (Severity.LOW, "LOW", "low"),
        (Severity.INFO, "INFORMATIONAL", "info"),
        (None, "INFORMATIONAL", "none"),
    ],
)
def test_each_severity_has_its_label(severity, label, original) -> None:
    (finding,) = findings(of(severity=severity))
    assert finding["FindingProviderFields"]["Severity"] == {"Label": label, "Original": original}


def of(*coverage: Coverage, **changes: Any) -> Report:
    """A report with one finding."""
    report = large_report(1)
    return replace(report, coverage=coverage, findings=(replace(report.findings[0], **changes),))


def listed(source: str, scope: str) -> Coverage:
    return Coverage(source, scope, ScopeStatus.COMPLETE)


def credential(source: str, scope: str) -> CredentialRef:
    return CredentialRef(source, scope, "id", "name", None, None)


EAST, WEST = (
    listed("aws-secrets-manager", f"111122223333/{region}") for region in ("us-east-1", "eu-west-1")
)
OTHER = listed("aws-secrets-manager", "444455556666/eu-west-1")


@pytest.mark.parametrize(
    ("source", "scope", "coverage", "home", "place"),
    [
        ("aws-kms", "444455556666/ap-southeast-2", (EAST,), HOME, "444455556666/ap-southeast-2"),
        ("aws-kms", "444455556666/ap-southeast-2", (), None, "444455556666/ap-southeast-2"),
        ("aws-iam", "444455556666", (EAST,), HOME, "444455556666/eu-west-1"),
        ("aws-iam", "444455556666/service-specific", (EAST,), None, "444455556666/us-east-1"),
        ("vault", "acme/kv", (EAST,), None, "111122223333/us-east-1"),
        ("vault", "acme/kv", (EAST, listed("vault", "acme/kv")), None, "111122223333/us-east-1"),
        ("vault", "acme/kv", (), HOME, HOME),
        ("vault", "444455556666/eu-north-1", (), HOME, HOME),
        ("gcp-kms", "acme-prod", (WEST, OTHER), HOME, HOME),
        ("aws-kms", "unknown account/eu-north-1", (), HOME, HOME),
    ],
)
def test_a_finding_goes_where_it_was_listed_else_where_it_was_said(
    source, scope, coverage, home, place
) -> None:
    (finding,) = findings(of(*coverage, credential=credential(source, scope)), home)
    account, region = place.split("/")
    assert finding["AwsAccountId"] == account
    assert finding["ProductArn"] == f"arn:aws:securityhub:{region}:{account}:product/{account}/default"


@pytest.mark.parametrize(
    ("source", "scope", "coverage", "missing"),
    [
        ("vault", "acme/kv", (), "AWS account"),
        ("vault", "acme/kv", (EAST, OTHER), "AWS account"),
        ("vault", "acme/kv", (EAST, WEST), "AWS region"),
        ("aws-iam", "111122223333", (), "AWS region"),
        ("aws-iam", "111122223333", (EAST, WEST), "AWS region"),
    ],
)
def test_where_a_finding_belongs_is_never_guessed(source, scope, coverage, missing) -> None:
    report = of(*coverage, credential=credential(source, scope))
    with pytest.raises(UsageError) as caught:
        render("asff", report)
    assert f"to which {missing} the finding KA101 on name" in str(caught.value)
    assert caught.value.hint is not None
    assert "--security-hub 111122223333/eu-west-1" in caught.value.hint


def test_a_scope_that_could_not_be_read_is_a_finding_of_its_own_account() -> None:
    scope = replace(OTHER, status=ScopeStatus.FAILED)
    about = {"credential": None, "subject": "aws-secrets-manager 444455556666/eu-west-1", "severity": None}
    (finding,) = findings(of(EAST, scope, verdict=Verdict.UNKNOWN, **about), None)
    assert finding["AwsAccountId"] == "444455556666"
    assert finding["Resources"] == [{"Type": "Other", "Id": "aws-secrets-manager 444455556666/eu-west-1"}]


def test_what_is_about_the_policy_goes_home() -> None:
    (finding,) = findings(of(EAST, WEST, credential=None, subject="the-policy"), "999900001111/eu-north-1")
    assert finding["AwsAccountId"] == "999900001111"


@pytest.mark.parametrize("said", ["", "eu-west-1", "1111/eu-west-1", "111122223333", "111122223333/", "x/y"])
def test_an_account_and_a_region_are_both_wanted(said) -> None:
    with pytest.raises(UsageError, match="is not an account and a region"):
        render("asff", large_report(1), security_hub=said)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-us-iso"),
        ("us-isob-east-1", "aws-us-iso-b"),
        ("mx-central-1", "aws"),
    ],
)
def test_the_arn_is_of_the_partition_of_the_region(region, partition) -> None:
    assert aws_places.read(f"111122223333/{region}") == Place("111122223333", region)
    (finding,) = findings(of(credential=credential("aws-kms", f"111122223333/{region}")), None)
    assert finding["ProductArn"].startswith(f"arn:{partition}:securityhub:{region}:111122223333:")
    assert finding["Resources"][0]["Partition"] == partition
    assert finding["Resources"][0]["Type"] == "AwsKmsKey"


def test_every_region_that_botocore_knows_is_one() -> None:
    session = botocore.session.get_session()
    for partition in ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b"):
        for region in session.get_available_regions("secretsmanager", partition):
            place = aws_places.read(f"111122223333/{region}")
            assert place is not None, region
            assert aws_places.partition(region) == partition.replace("aws-iso", "aws-us-iso")


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.mark.parametrize(
    "report", [sample_report(120), with_names(large_report(1))], ids=["sample", "hostile"]
)
def test_boto3_sends_every_line_and_security_hub_has_every_finding(hub, report) -> None:
    import boto3

    sent: dict[str, Finding] = {}
    kept: set[str] = set()
    regions = set()
    for line in render("asff", report, security_hub=HOME).splitlines():
        batch = json.loads(line)
        region = batch["Findings"][0]["ProductArn"].split(":")[3]
        client = boto3.client(
            "securityhub",
            region_name=region,
            endpoint_url=hub,
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
        )
        if region not in regions:
            client.enable_security_hub()
            regions.add(region)
        answer = client.batch_import_findings(**batch)
        assert (answer["SuccessCount"], answer["FailedCount"]) == (len(batch["Findings"]), 0)
        sent |= {each["Id"]: each for each in batch["Findings"]}
        pages = client.get_paginator("get_findings").paginate()
        kept |= {each["Id"] for page in pages for each in page["Findings"]}
        client.close()
    assert len(sent) == len(report.findings)
    assert set(sent) <= kept


def test_names_are_shown_with_everything_that_hides_in_them() -> None:
    shown = {each["Resources"][0]["Id"] for each in findings(with_names(large_report(1)))}
    assert "\\u202egnp.exe" in shown
    assert "line\\nfeed\\r\\nreturn\\ttab" in shown
    assert "(nothing)" in shown
    assert any(len(each) == 512 and each.endswith("x…") for each in shown)


def test_ten_thousand_findings_are_a_hundred_batches() -> None:
    content = render("asff", large_report(10_000))
    assert content.count(b"\n") == 10_000 // asff.MOST_IN_A_BATCH
