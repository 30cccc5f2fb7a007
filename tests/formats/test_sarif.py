"""SARIF: accepted by a model that others wrote and by the rules of code scanning, whatever names say."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel
from sarif_pydantic import Sarif

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import render
from keyaudit.formats.anchor import Anchor
from keyaudit.formats.sarif_results import MOST_RESULTS, message
from keyaudit.model import (
    Coverage,
    CredentialRef,
    Finding,
    PolicySummary,
    Report,
    ScopeStatus,
    Severity,
    Verdict,
    WaiverResult,
)

NOTHING = large_report(0)
BARE = replace(
    NOTHING,
    policy=PolicySummary("p", "0" * 64, None, None, None, ()),
    frameworks=(),
    coverage=(),
    rules=(),
    controls=(),
    waivers=(),
)
REPORTS = {
    "sample": sample_report(80),
    "large": large_report(300),
    "hostile": with_names(large_report(3)),
    "nothing": NOTHING,
    "bare": BARE,
}
ANCHOR = Anchor("ops/policy.yaml")
UPLOADED_AT_MOST = 10 * 1024 * 1024

TEXT = {"type": "string", "minLength": 1}
WORDS = {"type": "object", "required": ["text"], "additionalProperties": False, "properties": {"text": TEXT}}
INDEX = {"type": "integer", "minimum": 0}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Describe an object that has no other keys."""
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": {**required, **optional},
    }


COMPONENT = closed({"name": TEXT, "index": INDEX})
UNMODELLED = {
    "log.runs.invocations.exitCode": {"enum": [0, 1, 3]},
    "log.runs.invocations.exitCodeDescription": TEXT,
    "log.runs.invocations.toolExecutionNotifications": {
        "type": "array",
        "items": closed(
            {
                "descriptor": closed({"id": TEXT, "index": INDEX}),
                "level": {"enum": ["none", "note", "warning", "error"]},
                "message": WORDS,
            }
        ),
    },
    "log.runs.results.suppressions": {
        "type": "array",
        "items": closed(
            {"kind": {"enum": ["inSource", "external"]}},
            status={"enum": ["accepted", "underReview", "rejected"]},
            justification=TEXT,
        ),
    },
    "log.runs.results.taxa": {
        "type": "array",
        "items": closed({"id": TEXT, "index": INDEX, "toolComponent": COMPONENT}),
    },
    "log.runs.taxonomies": {
        "type": "array",
        "items": closed(
            {"name": TEXT},
            fullName=TEXT,
            organization=TEXT,
            version=TEXT,
            taxa={"type": "array", "items": closed({"id": TEXT, "shortDescription": WORDS})},
        ),
    },
    "log.runs.tool.driver.supportedTaxonomies": {"type": "array", "items": COMPONENT},
}
"""What the standard has and the model of others leaves open, as the standard describes it."""
SPACE = 0x4E00, 0x9F00
"""Characters of three bytes each, so that little of a random text can be saved."""


def log(report: Report, anchor: Anchor = ANCHOR) -> dict[str, Any]:
    return json.loads(render("sarif", report, anchor=anchor))


def run(report: Report, anchor: Anchor = ANCHOR) -> dict[str, Any]:
    (only,) = log(report, anchor)["runs"]
    return only


def unknown_names(model: BaseModel, path: str = "log") -> Iterator[tuple[str, Any]]:
    """Name every key that the model of the format does not know; property bags are free."""
    for key, value in (model.model_extra or {}).items():
        yield f"{path}.{key}", value
    for name in type(model).model_fields:
        if name == "properties":
            continue
        value = getattr(model, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseModel):
                yield from unknown_names(item, f"{path}.{name}")


def refusals(found: dict[str, Any]) -> Iterator[str]:
    """Say why code scanning would refuse a run, by what it documents and what others ran into."""
    rules, results = found["tool"]["driver"]["rules"], found["results"]
    if len(results) > 25_000 or len(rules) > 25_000:
        yield "too many"
    for rule in rules:
        texts = (rule["shortDescription"]["text"], rule["fullDescription"]["text"])
        if not all(0 < len(text) <= 1024 for text in texts) or not rule["help"]["text"]:
            yield f"{rule['id']}: descriptions"
        if not 0 < len(rule["name"]) <= 255 or len(rule["properties"]["tags"]) > 10:
            yield f"{rule['id']}: name or tags"
        score = rule["properties"].get("security-severity", "1.0")
        if not re.fullmatch(r"\d\d?\.\d", score) or not 0 < float(score) <= 10:
            yield f"{rule['id']}: security-severity {score}"
    for number, result in enumerate(results):
        locations = result.get("locations", [])
        if len(locations) != 1 or "physicalLocation" not in locations[0]:
            yield f"{number}: expected a physical location"
            continue
        place = locations[0]["physicalLocation"]
        uri, region = place["artifactLocation"]["uri"], place["region"]
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/|\\|\.{0,2}$|\.{1,2}/", uri) or not uri.isascii():
            yield f"{number}: {uri}"
        if set(region) != {"startLine", "startColumn", "endLine", "endColumn"} or min(region.values()) < 1:
            yield f"{number}: {region}"
        if (
            not result["message"]["text"].strip()
            or not result["partialFingerprints"]["primaryLocationLineHash"]
        ):
            yield f"{number}: an empty text"
        if "ruleIndex" in result and rules[result["ruleIndex"]]["id"] != result["ruleId"]:
            yield f"{number}: of another rule"
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    if len(set(prints)) < len(prints):
        yield "results that are told apart by nothing"


@pytest.mark.parametrize("name", REPORTS)
def test_others_can_read_it_and_know_every_name_in_it(name: str) -> None:
    read = Sarif.model_validate(log(REPORTS[name]))
    assert read.version == "2.1.0"
    assert len(read.runs[0].results or []) == len(REPORTS[name].findings)
    for path, value in unknown_names(read):
        jsonschema.validate(value, UNMODELLED[path])


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("file", ["keyaudit.yaml", "a b/c:d#e%f?.yaml", "été/politique.yaml", "arn:aws/x"])
def test_code_scanning_finds_nothing_to_refuse(name: str, file: str) -> None:
    assert list(refusals(run(REPORTS[name], Anchor(file)))) == []


def test_the_whole_result() -> None:
    report = large_report(1)
    found = run(report, Anchor("ops/policy.yaml", {("schedules", "production"): 7}))
    credential = (
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:production/service-00000/api-key-AbCdEf"
    )
    fix = f"aws secretsmanager rotate-secret --secret-id '{credential}'"
    assert found["results"] == [
        {
            "ruleId": "KA101",
            "ruleIndex": 0,
            "kind": "fail",
            "level": "error",
            "message": {
                "text": "production/service-00000/api-key: value is 91 d old; production allows 90 d. "
                "Due 2026-04-30, 1 d late. Required by acme-credential-rotation: production. "
                "Bears on soc2 CC6.1. In aws-secrets-manager 111122223333/us-east-1. "
                f"Environment production. Fix: {fix}"
            },
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "ops/policy.yaml", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 7, "startColumn": 1, "endLine": 7, "endColumn": 1},
                    },
                    "logicalLocations": [
                        {
                            "name": "production/service-00000/api-key",
                            "fullyQualifiedName": credential,
                            "kind": "resource",
                        }
                    ],
                }
            ],
            "partialFingerprints": {"primaryLocationLineHash": "0" * 64},
            "taxa": [{"id": "CC6.1", "index": 0, "toolComponent": {"name": "soc2", "index": 0}}],
            "properties": {
                "verdict": "fail",
                "severity": "high",
                "basis": "policy",
                "source": "aws-secrets-manager",
                "scope": "111122223333/us-east-1",
                "environment": "production",
                "due_at": "2026-04-30T00:00:00Z",
                "clause": "acme-credential-rotation: production",
                "fix": fix,
                "evidence": {
                    "value_created_at": "2026-01-30T00:00:00Z",
                    "age_basis": "version-created",
                    "rotation_period": "90d",
                    "schedule": "production",
                },
            },
        }
    ]
    assert found["taxonomies"][0]["taxa"][0]["id"] == "CC6.1"
    assert found["tool"]["driver"]["supportedTaxonomies"] == [{"name": "soc2", "index": 0}]
    assert "automationDetails" not in found, "the upload's own category would be ignored"


def test_a_rule_is_documented_and_as_bad_as_the_policy_says() -> None:
    rules = {rule["id"]: rule for rule in run(large_report(5))["tool"]["driver"]["rules"]}
    assert rules["KA101"]["shortDescription"]["text"] == "the value in use is older than its rotation period"
    assert "## Remediation\n\nRotate it, then:" in rules["KA101"]["help"]["markdown"]
    assert rules["KA101"]["properties"]["security-severity"] == "8.0"
    assert rules["KA301"]["properties"]["security-severity"] == "5.5"
    assert "security-severity" not in rules["KA103"]["properties"], "there is no word for info"
    report = large_report(1)
    worse = replace(report.rules[0], severity=Severity.CRITICAL, enabled=False)
    made = run(replace(report, rules=(worse,)))["tool"]["driver"]["rules"][0]
    assert float(made["properties"]["security-severity"]) > 9.0
    assert made["defaultConfiguration"] == {"enabled": False, "level": "error"}


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note"), ("info", "note")],
)
def test_levels_follow_severities(severity: str, level: str) -> None:
    report = large_report(1)
    found = run(replace(report, findings=(replace(report.findings[0], severity=Severity(severity)),)))
    assert found["results"][0]["level"] == level


def test_what_is_not_known_is_open_and_never_a_pass() -> None:
    report = large_report(1)
    (result,) = run(replace(report, findings=(replace(report.findings[0], verdict=Verdict.UNKNOWN),)))[
        "results"
    ]
    assert (result["kind"], result["level"]) == ("open", "none")
    assert not result.get("suppressions")


def test_what_a_waiver_accepts_is_suppressed_with_its_reason_at_its_own_line() -> None:
    report = large_report(1)
    waived = replace(report.findings[0], verdict=Verdict.WAIVED, waiver="W-9")
    ends = times.parse_instant("2026-10-01T00:00:00Z")
    waiver = WaiverResult(
        "W-9", "active", 1, ("KA101",), "no second slot", "a@x.example", "b@x.example", 0, ends, ()
    )
    anchor = Anchor("p.yaml", {("schedules", "production"): 7, ("waivers", "W-9"): 31})
    (result,) = run(replace(report, findings=(waived,), waivers=(waiver,)), anchor)["results"]
    assert (result["kind"], result["level"]) == ("fail", "error")
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "waiver W-9; no second slot; requested by a@x.example; "
            "approved by b@x.example; until 2026-09-30",
        }
    ]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 31
    others = [each for each in run(sample_report(80))["results"] if each["properties"]["verdict"] != "waived"]
    assert [each["suppressions"] for each in others] == [[]] * len(others), "all of a run say it, or none"
    (failed,) = run(replace(report, findings=(replace(waived, verdict=Verdict.FAIL),)))["results"]
    assert not failed.get("suppressions"), "a waiver that does not hold suppresses nothing"


def test_what_was_not_seen_is_an_error_of_the_run_and_not_a_failed_one() -> None:
    report = large_report(3)
    empty = Coverage("vault", "kv/old", ScopeStatus.EMPTY, 0)
    partial = Coverage("vault", "kv/{0}", ScopeStatus.PARTIAL, reason="one folder [is](denied)")
    (invocation,) = run(replace(report, coverage=(*report.coverage, empty, partial)))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
    said = [(note["level"], note["message"]["text"]) for note in invocation["toolExecutionNotifications"]]
    assert said[:3] == [
        ("error", "vault kv/payments: could not be read: permission denied (403)"),
        ("note", "vault kv/old: held nothing"),
        ("error", "vault kv/{{0}}: read in part: one folder [is]\\(denied)"),
    ]
    assert ("note", "KA401 unused: not tested where last_used_at was not collected") in said


def test_an_audit_of_nothing_says_so() -> None:
    found = run(replace(BARE, inventory=replace(BARE.inventory, credentials=0)))
    assert found["results"] == []
    said = [note["message"]["text"] for note in found["invocations"][0]["toolExecutionNotifications"]]
    assert "No credential was listed." in said
    assert any("does not say which scopes were asked for" in text for text in said)


def test_thirty_thousand_findings_leave_the_worst_and_a_count() -> None:
    report = large_report(30_000)
    found = run(report)
    assert len(found["results"]) == MOST_RESULTS
    assert found["results"][-1]["partialFingerprints"]["primaryLocationLineHash"] == (
        report.findings[MOST_RESULTS - 1].fingerprint
    )
    first = found["invocations"][0]["toolExecutionNotifications"][0]
    assert first["level"] == "warning"
    assert first["message"]["text"] == (
        "25,000 findings are listed, worst first; 5,000 more are in the JSON report."
    )
    assert found["properties"]["findings"] == {"listed": 25_000, "total": 30_000}


def noisy(finding: Finding, chance: random.Random, length: int) -> Finding:
    """Give every text of a finding characters that no compression can save."""

    def text() -> str:
        return "".join(chr(chance.randrange(*SPACE)) for _ in range(length))

    return replace(
        finding,
        credential=CredentialRef(text(), text(), text(), text(), text(), text()),
        message=text(),
        clause=text(),
        version=text(),
        fix=text(),
        evidence={"a": text(), "b": text()},
        fingerprint=f"{chance.getrandbits(256):064x}",
    )


@pytest.mark.parametrize(("findings", "length"), [(9_000, 30), (1_200, 400)])
def test_names_made_to_swell_it_do_not_make_it_too_large(findings: int, length: int) -> None:
    chance = random.Random(1)
    report = large_report(3)
    noise = tuple(noisy(report.findings[0], chance, length) for _ in range(findings))
    content = render("sarif", replace(report, findings=noise))
    assert 0 < len(json.loads(content)["runs"][0]["results"]) < findings
    assert len(gzip.compress(content, 6)) < UPLOADED_AT_MOST


def test_no_name_is_a_placeholder_or_a_link_or_moves_a_cursor() -> None:
    assert message("{0} [a](http://b.example)") == {"text": "{{0}} [a]\\(http://b.example)"}
    content = render("sarif", with_names(large_report(1)), anchor=ANCHOR).decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2066\ufeff]", content)
    texts = [result["message"]["text"] for result in json.loads(content)["runs"][0]["results"]]
    assert len(texts) == len(NAMES)
    for text in texts:
        assert "](" not in text
        assert not re.search(r"(?<!\{)(\{\{)*\{\d+\}", text)


def test_a_file_that_a_person_may_open_is_indented() -> None:
    assert render("sarif", large_report(2)).startswith(b'{\n  "$schema": "https://json.schemastore.org/')
    assert render("sarif", large_report(1001)).count(b"\n") == 1
