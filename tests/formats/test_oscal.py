"""OSCAL: what compliance-trestle's models accept, that every reference leads somewhere, and no opinion is given."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from markdown_it import MarkdownIt
from trestle.oscal.assessment_results import Model

from formats.hostile import NAMES, with_names
from formats.large_report import large_report
from formats.sample_report import sample_report
from keyaudit import times
from keyaudit.formats import render, wording
from keyaudit.formats.oscal_words import control_ids, markup, objective_id
from keyaudit.formats.visible import bounded
from keyaudit.model import ControlResult, Report, Verdict

ROOT = Path(__file__).parents[2]
SAMPLE = sample_report(60)
HOSTILE = with_names(sample_report(1))
TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*", re.ASCII)


def document(report: Report) -> dict[str, Any]:
    return json.loads(render("oscal", report))["assessment-results"]


def result(report: Report) -> dict[str, Any]:
    (only,) = document(report)["results"]
    return only


def hostile_everywhere(report: Report) -> Report:
    """Names of strangers in scopes, controls and the policy, too."""
    controls = tuple(
        replace(control, reason=name, title=name, manual_evidence=(name,))
        for control, name in zip(report.controls, NAMES, strict=False)
    )
    coverage = tuple(
        replace(scope, scope=name, reason=name) for scope, name in zip(report.coverage, NAMES, strict=False)
    )
    return replace(report, controls=controls, coverage=coverage, policy=replace(report.policy, name=NAMES[0]))


REPORTS = {
    "nothing": replace(large_report(0), coverage=(), rules=(), controls=(), frameworks=(), waivers=()),
    "no finding": large_report(0),
    "one": large_report(1),
    "sample": SAMPLE,
    "hostile": HOSTILE,
    "hostile everywhere": hostile_everywhere(SAMPLE),
    "period": replace(SAMPLE, period=(SAMPLE.as_of - 90 * times.DAY, SAMPLE.as_of)),
    "not collected": replace(SAMPLE, inventory=replace(SAMPLE.inventory, collected_at=None)),
}


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_trestle_takes_it_and_nothing_gets_lost_on_the_way(report) -> None:
    content = json.loads(render("oscal", report))
    model = Model.model_validate(content)
    again = json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
    assert without_times(again) == without_times(content)


def without_times(value: Any) -> Any:
    """Instants may be printed otherwise."""
    if isinstance(value, dict):
        timed = {"last-modified", "start", "end", "collected"}
        return {key: without_times(item) for key, item in value.items() if key not in timed}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def walk(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item, name)
    else:
        yield name, value


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_reference_leads_to_something_that_is_there_once(report) -> None:
    known = Counter(value for name, value in walk(document(report)) if name == "uuid")
    assert max(known.values()) == 1
    assert {UUID(uuid).version for uuid in known} == {5}
    for name, value in walk(document(report)):
        if name.endswith("-uuid"):
            assert value in known, name
        if name == "href":
            assert value.removeprefix("#") in known


def test_a_control_has_a_finding_only_where_oscal_has_a_word_for_its_result() -> None:
    found = {
        (
            finding["target"]["target-id"],
            finding["target"]["status"]["state"],
            finding["target"]["status"]["reason"],
        )
        for finding in result(SAMPLE)["findings"]
    }
    assert found == {
        ("soc2_CC6.1", "not-satisfied", "fail"),
        ("soc2_CC6.2", "not-satisfied", "fail"),
        ("pci-dss_8.6.3", "not-satisfied", "fail"),
        ("pci-dss_3.7.4", "satisfied", "pass"),
        ("iso27001_A.5.17", "not-satisfied", "fail"),
    }


def test_all_other_controls_are_observations_that_say_why() -> None:
    titles = {each["title"]: each for each in result(SAMPLE)["observations"]}
    for control in SAMPLE.controls:
        if control.result in {"exception", "no-exception"}:
            continue
        observation = titles[f"{control.framework} {control.id}: {control.result}"]
        assert control.reason in observation["description"]
        assert wording.RESULTS[control.result] in observation["remarks"]
        assert "change tickets of a sample of rotations" in observation["remarks"]
        assert observation["methods"] == (["EXAMINE"] if control.tested else ["UNKNOWN"])


def test_what_was_not_evaluated_is_excluded_from_what_was_reviewed() -> None:
    soc2, pci, iso = result(SAMPLE)["reviewed-controls"]["control-selections"]
    assert ids(soc2["include-controls"]) == ["soc2_CC6.1", "soc2_CC6.2", "soc2_CC2.1", "soc2_CC4.1"]
    assert ids(soc2["exclude-controls"]) == ["soc2_CC2.1", "soc2_CC4.1"]
    assert "CC2.1: scope vault kv/payments could not be read" in soc2["remarks"]
    assert ids(pci["exclude-controls"]) == ["pci-dss_8.3.9"]
    assert "exclude-controls" not in iso


def ids(controls: list[dict[str, str]]) -> list[str]:
    return [control["control-id"] for control in controls]


def test_without_a_framework_the_policy_is_what_was_reviewed() -> None:
    (selection,) = result(replace(SAMPLE, frameworks=(), controls=()))["reviewed-controls"][
        "control-selections"
    ]
    assert ids(selection["include-controls"]) == ["keyaudit_policy"]
    assert selection["description"].endswith("What was reviewed is the policy acme-credential-rotation.")


def test_the_plan_is_honestly_none() -> None:
    made = document(SAMPLE)
    resources = {each["uuid"]: each for each in made["back-matter"]["resources"]}
    plan = resources[made["import-ap"]["href"].removeprefix("#")]
    assert plan["title"] == "No assessment plan"
    assert "knows of no assessment plan" in plan["description"]


def test_nobody_is_called_compliant_and_satisfied_is_explained() -> None:
    remarks = result(SAMPLE)["remarks"]
    assert remarks.startswith("Satisfied means that metadata showed no exception")
    assert "nothing here says that anybody is compliant" in remarks
    words = [value for _, value in walk(document(SAMPLE)) if isinstance(value, str) and value != remarks]
    assert not [word for word in words if "compliant" in word.lower()]


def test_what_was_not_seen_is_in_the_remarks_and_each_scope_is_an_observation() -> None:
    made = result(SAMPLE)
    assert "Not tested: aws-secrets-manager 111122223333/eu-central-1: read in part" in made["remarks"]
    scopes = {each["title"]: each for each in made["observations"] if each["types"] == ["discovery"]}
    failed = scopes["Scope vault kv/payments: failed"]
    assert failed["description"] == "The scope was asked for and could not be read: permission denied (403)"
    assert values(failed)["status"] == "failed"
    assert failed["collected"] == "2026-04-30T23:00:00Z"
    assert (
        values(
            scopes[
                "Scope gcp-secret-manager acme-prod <b>&: empty".replace("<", "\\<")
                .replace(">", "\\>")
                .replace("&", "\\&")
            ]
        )["cannot-know"]
        == "last_used_at"
    )
    assert len(scopes) == len(SAMPLE.coverage)


def values(part: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in part.get("props", [])}


def test_a_rule_is_observed_with_its_counts() -> None:
    rules = {each["title"]: each for each in result(SAMPLE)["observations"]}
    overdue = next(rule for rule in SAMPLE.rules if rule.id == "KA101")
    said = values(rules["KA101 rotation-overdue"])
    assert said["fail"] == str(overdue.failed)
    assert said["unknown"] == str(overdue.unknown)
    unused = values(rules["KA401 unused"])
    assert unused["not-tested"] == "not tested where last_used_at was not collected"


def test_a_finding_is_observed_with_what_decided_it_and_points_to_its_credential() -> None:
    report = large_report(1)
    made = result(report)
    (item,) = made["local-definitions"]["inventory-items"]
    observation = next(each for each in made["observations"] if "subjects" in each)
    assert observation["title"] == "KA101 rotation-overdue: production/service-00000/api-key"
    assert observation["description"] == "value is 91 d old; production allows 90 d"
    assert observation["collected"] == "2026-04-30T23:00:00Z"
    (subject,) = observation["subjects"]
    assert (subject["subject-uuid"], subject["type"]) == (item["uuid"], "inventory-item")
    assert values(observation)["fingerprint"] == "0" * 64
    assert values(observation)["due-at"] == "2026-04-30T00:00:00Z"
    (evidence,) = observation["relevant-evidence"]
    assert values(evidence) == {
        "value_created_at": "2026-01-30T00:00:00Z",
        "age_basis": "version-created",
        "rotation_period": "90d",
        "schedule": "production",
    }
    assert values(item) == {
        "source": "aws-secrets-manager",
        "scope": "111122223333/us-east-1",
        "id": report.population[0].id,
        "name": "production/service-00000/api-key",
        "environment": "production",
    }


def test_a_controls_finding_rests_on_scopes_rules_and_every_finding_that_names_it() -> None:
    made = result(SAMPLE)
    by_id = {each["uuid"]: each for each in made["observations"]}
    finding = next(each for each in made["findings"] if each["target"]["target-id"] == "pci-dss_8.6.3")
    rests_on = [by_id[each["observation-uuid"]] for each in finding["related-observations"]]
    fingerprints = {values(each)["fingerprint"] for each in rests_on if "fingerprint" in values(each)}
    assert fingerprints == {
        each.fingerprint
        for each in SAMPLE.findings
        if ("pci-dss", "8.6.3") in {(c.framework, c.id) for c in each.controls}
    }
    titles = [each["title"] for each in rests_on]
    assert {"KA101 rotation-overdue", "KA102 never-rotated", "Scope vault kv/payments: failed"} <= set(titles)


def test_every_finding_is_an_observation_and_a_credential_is_described_once() -> None:
    made = result(SAMPLE)
    assert sum("fingerprint" in values(each) for each in made["observations"]) == len(SAMPLE.findings)
    credentials = {each.credential for each in SAMPLE.findings if each.credential}
    assert len(made["local-definitions"]["inventory-items"]) == len(credentials)


def test_a_waived_finding_is_observed_as_waived() -> None:
    waived = [each for each in SAMPLE.findings if each.verdict is Verdict.WAIVED]
    said = [values(each) for each in result(SAMPLE)["observations"]]
    found = [each for each in said if each.get("verdict") == "waived"]
    assert len(found) == len(waived) > 0
    assert {each["waiver"] for each in found} == {"W-2026-014"}


def control(framework: str, name: str) -> ControlResult:
    return replace(SAMPLE.controls[0], framework=framework, id=name)


def test_the_controls_of_every_shipped_framework_have_tokens_of_their_own() -> None:
    shipped = []
    for file in sorted((ROOT / "policies" / "frameworks").glob("*.yaml")):
        content = yaml.safe_load(file.read_text("utf-8"))
        shipped += [control(content["id"], each["id"]) for each in content["controls"]]
    given = control_ids(shipped)
    assert len(set(given.values())) == len(shipped) > 100
    assert all(TOKEN.fullmatch(each) for each in given.values())
    assert given["nist-800-53", "IA-5(1)"] == "ia-5.1"
    assert given["nist-800-53", "AC-2"] == "ac-2"
    assert given["hipaa", "164.308(a)(5)(ii)(D)"] == "hipaa_164.308_a__5__ii__D_"


def test_ids_that_look_alike_as_tokens_are_told_apart() -> None:
    alike = [control("own", name) for name in ("1(a)", "1 a ", "1_a_", "é", "")]
    given = control_ids(alike)
    assert len(set(given.values())) == len(alike)
    assert all(TOKEN.fullmatch(each) for each in given.values())
    assert control_ids([control("1st", "x")]) == {("1st", "x"): "_1st_x"}


def test_nists_controls_have_objectives_in_its_catalog_and_no_other_has() -> None:
    assert objective_id(control("nist-800-53", "IA-5(1)"), "ia-5.1") == "ia-5.1_obj"
    assert objective_id(control("nist-800-53", "mine"), "nist-800-53_mine") == "nist-800-53_mine"
    assert objective_id(control("soc2", "CC6.1"), "soc2_CC6.1") == "soc2_CC6.1"


@pytest.mark.parametrize("report", [HOSTILE, hostile_everywhere(SAMPLE)], ids=["findings", "everywhere"])
def test_no_name_is_markdown_where_oscal_reads_markdown(report) -> None:
    marked = {"title", "description", "remarks"}
    for name, value in walk(document(report)):
        if name in marked:
            tokens = MarkdownIt("commonmark", {"html": True}).parse(value)
            kinds = {token.type for token in tokens} | {
                leaf.type for token in tokens for leaf in token.children or ()
            }
            assert kinds <= {
                "paragraph_open",
                "paragraph_close",
                "inline",
                "text",
                "text_special",
                "softbreak",
            }, value
        if isinstance(value, str):
            assert not {"\x1b", "\u202e", "\u200b"} & set(value)


def test_ids_in_props_are_not_escaped() -> None:
    made = result(HOSTILE)
    names = {values(each).get("name") for each in made["local-definitions"]["inventory-items"]}
    assert "[red]bold[/red] [link=http://a.example]x[/link]" in names


@pytest.mark.parametrize(
    ("collected", "period", "start", "end"),
    [
        ("2026-04-30T23:00:00Z", None, "2026-04-30T23:00:00Z", "2026-05-01T00:00:00Z"),
        ("2026-05-02T00:00:00Z", None, "2026-05-01T00:00:00Z", "2026-05-02T00:00:00Z"),
        (None, None, "2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"),
        (
            None,
            ("2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"),
            "2026-01-01T00:00:00Z",
            "2026-04-01T00:00:00Z",
        ),
    ],
)
def test_a_result_spans_from_collecting_to_the_audit_or_its_period(collected, period, start, end) -> None:
    at = None if collected is None else times.parse_instant(collected)
    asked = None if period is None else tuple(map(times.parse_instant, period))
    made = result(replace(SAMPLE, inventory=replace(SAMPLE.inventory, collected_at=at), period=asked))
    assert (made["start"], made["end"]) == (start, end)
    for observation in made["observations"]:
        if observation["types"] != ["discovery"]:
            assert observation["collected"] == (collected or "2026-05-01T00:00:00Z")


def test_a_credential_keeps_its_uuid_and_what_was_observed_is_of_one_audit() -> None:
    before, after = result(SAMPLE), result(replace(SAMPLE, as_of=SAMPLE.as_of + times.DAY))
    assert render("oscal", SAMPLE) == render("oscal", sample_report(60))
    items = [
        {each["uuid"] for each in made["local-definitions"]["inventory-items"]} for made in (before, after)
    ]
    assert items[0] == items[1]
    for kind in ("observations", "findings"):
        one, other = ({each["uuid"] for each in made[kind]} for made in (before, after))
        assert len(one) == len(other)
        assert not one & other


def test_ten_thousand_findings_are_one_document() -> None:
    made = result(large_report(10_000))
    assert sum("fingerprint" in values(each) for each in made["observations"]) == 10_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("prod/my_service_key", "prod/my_service_key"),
        ("_it_ a_", "\\_it\\_ a\\_"),
        ("- x", "\\- x"),
        ("-1", "-1"),
        ("1. x", "1\\. x"),
        ("<b>&amp;", "\\<b\\>\\&amp;"),
        ("  ", "(nothing)"),
        ("a\nb", "a\\\\nb"),
    ],
)
def test_only_what_markdown_would_take_for_its_own_is_escaped(text, shown) -> None:
    assert markup(text) == shown
    (_, inline, _) = MarkdownIt("commonmark").parse(shown)
    assert "".join(leaf.content for leaf in inline.children or ()) == bounded(text, 99)
