"""A control whose own text states a number is judged by that number alone, and `explain` says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from keyaudit import inventory, policy
from keyaudit.audit import audit
from keyaudit.model import Framework, Policy, Report
from keyaudit.policy import frameworks
from keyaudit.policy.explain import explain
from keyaudit.policy.texts import texts
from keyaudit.rules import CATALOGUE
from keyaudit.times import DAY, format_instant, parse_instant

AS_OF = parse_instant("2026-05-01T00:00:00Z")
(CIS,) = frameworks.load(["cis-aws"], CATALOGUE)
(PCI,) = frameworks.load(["pci-dss"], CATALOGUE)
(HIPAA,) = frameworks.load(["hipaa"], CATALOGUE)
KEY = {
    "source": "aws-iam",
    "scope": "111111111111",
    "id": "key",
    "name": "key",
    "class": "api-key",
    "provider": "aws",
    "environment": "production",
    "owner": "team@acme.example",
    "labels": {"principal": "user"},
}


def written(folder: Path, more: str = "", period: str = "30d") -> Policy:
    """Read a policy with one schedule and no review to worry about."""
    file = folder / "policy.yaml"
    file.write_text(
        f"policy: p\nreviewed_on: 2026-04-01\nreview_every: 365d\n"
        f"schedules: [{{name: short, rotation_period: {period}}}]\n{more}"
    )
    return policy.load(file, rules=CATALOGUE, frameworks={})


def audited(folder: Path, governing: Policy, framework: Framework, *rows: dict[str, Any]) -> Report:
    """Audit credentials that were completely collected."""
    file = folder / "inventory.json"
    coverage = [{"source": "aws-iam", "scope": "111111111111", "status": "complete"}]
    document = {"schema": "keyaudit/inventory/1", "credentials": list(rows), "coverage": coverage}
    file.write_text(json.dumps(document))
    return audit(inventory.read([file]), governing, [framework], AS_OF)


def aged(days: float, **fields: Any) -> dict[str, Any]:
    """Give an access key whose only value is so old, used a moment ago."""
    created = format_instant(AS_OF - int(days * DAY))
    used = format_instant(AS_OF - 1)
    value = {"id": "1", "state": "current", "created_at": created, "last_used_at": used}
    return {**KEY, "created_at": created, "last_used_at": used, "versions": [value], **fields}


def result(report: Report, control: str) -> tuple[str, int]:
    found = next(one for one in report.controls if one.id == control)
    return found.result, found.exceptions


def failed(report: Report, rule: str) -> list[set[str]]:
    """List the controls that each failure of a rule names."""
    return [
        {f"{ref.framework} {ref.id}" for ref in finding.controls}
        for finding in report.findings
        if finding.name == rule and finding.verdict == "fail"
    ]


@pytest.mark.parametrize(
    ("days", "by_policy", "exceptions"),
    [(29, 0, 0), (61, 1, 0), (90, 1, 0), (90.5, 1, 1), (120, 1, 1)],
)
def test_a_key_that_breaks_the_policy_does_not_break_a_text_that_gives_it_longer(
    tmp_path: Path, days: float, by_policy: int, exceptions: int
) -> None:
    report = audited(tmp_path, written(tmp_path), CIS, aged(days))
    found = failed(report, "never-rotated")
    assert len(found) == by_policy
    assert sum("cis-aws 2.12" in controls for controls in found) == exceptions
    assert result(report, "2.12")[1] == exceptions
    assert (result(report, "2.12")[0] == "exception") is bool(exceptions)


def test_a_text_that_is_stricter_than_the_policy_breaks_all_the_same(tmp_path: Path) -> None:
    report = audited(tmp_path, written(tmp_path, period="180d"), CIS, aged(120))
    assert result(report, "2.12") == ("exception", 1)


def test_a_tolerance_of_the_policy_does_not_stretch_a_text(tmp_path: Path) -> None:
    governing = written(tmp_path, period="90d, overdue_tolerance: 30d")
    assert result(audited(tmp_path, governing, CIS, aged(100)), "2.12") == ("exception", 1)


@pytest.mark.parametrize(("days", "exceptions"), [(30, 0), (45, 0), (46, 1)])
def test_what_is_unused_is_so_by_the_texts_number_too(tmp_path: Path, days: int, exceptions: int) -> None:
    governing = written(tmp_path, "rules: {unused: {after: 20d}}\n", period="365d")
    used = format_instant(AS_OF - days * DAY)
    key = aged(200)
    key["last_used_at"] = key["versions"][0]["last_used_at"] = used
    report = audited(tmp_path, governing, CIS, key)
    assert len(failed(report, "unused")) == 1
    assert result(report, "2.11")[1] == exceptions


@pytest.mark.parametrize(
    ("grace", "old", "by_policy", "exceptions"),
    [("24h", 90, 1, 0), ("30d", 90, 0, 0), ("30d", 91, 0, 1), ("24h", 91, 1, 1)],
)
def test_every_key_that_works_is_compared_with_the_text_and_no_grace_period_is(
    tmp_path: Path, grace: str, old: float, by_policy: int, exceptions: int
) -> None:
    """CIS wants every active key to be young: a replaced one too, and one inside its grace period too."""
    governing = written(tmp_path, period=f"365d, grace_period: {grace}")
    replaced = {
        "id": "0",
        "state": "superseded",
        "created_at": format_instant(AS_OF - int(old * DAY)),
        "superseded_at": format_instant(AS_OF - 9 * DAY),
        "last_used_at": format_instant(AS_OF - 1),
        "authenticates": True,
    }
    key = aged(9)
    key["versions"][0]["authenticates"] = True
    key["versions"].append(replaced)
    report = audited(tmp_path, governing, CIS, key)
    assert result(report, "2.12")[1] == exceptions
    failures = [finding for finding in report.findings if finding.name == "old-key-active"]
    assert len(failures) == (1 if by_policy or exceptions else 0)


def test_a_control_that_the_policy_exempts_states_nothing(tmp_path: Path) -> None:
    exempt = "frameworks: {cis-aws: {not_applicable: {'2.12': no users here, '2.11': no users here}}}\n"
    assert texts(written(tmp_path, exempt), [CIS]) == ()
    assert [requirement.key for requirement in texts(written(tmp_path), [CIS])] == ["cis-aws text"]


def test_numbers_that_no_credential_is_compared_with_ask_nothing_of_one(tmp_path: Path) -> None:
    governing = written(tmp_path)
    assert texts(governing, [HIPAA]) == ()
    (requirement,) = texts(governing, [PCI])
    assert requirement.controls == {("pci-dss", name) for name in ("8.2.6", "8.3.9", "8.3.10.1")}
    steps = explain(governing, [PCI, HIPAA], KEY).frameworks
    assert {step.name for found in steps for step in found.steps} == {
        "pci-dss 8.2.6",
        "pci-dss 8.3.9",
        "pci-dss 8.3.10.1",
    }


# --- explain says the same ----------------------------------------------------------------------


def says(governing: Policy, framework: Framework, clause: str, fact: str, **fields: Any) -> str:
    (found,) = explain(governing, [framework], {**KEY, **fields}).frameworks
    return next(step.says for step in found.steps if step.name == clause and step.says.startswith(fact))


def test_explain_says_that_the_text_alone_decides_its_control(tmp_path: Path) -> None:
    governing = written(tmp_path, "rules: {unused: {after: 20d}}\n")
    assert says(governing, CIS, "cis-aws 2.12", "rotation period") == (
        "rotation period 90d (required: age of an active access key); "
        "this control is judged by 90d alone, not by the policy's stricter 30d"
    )
    assert says(governing, CIS, "cis-aws 2.11", "unused.after").endswith(
        "; this control is judged by 45d alone, not by the policy's stricter 20d"
    )
    assert says(written(tmp_path, period="90d"), CIS, "cis-aws 2.12", "rotation period").endswith(
        "; this control is judged by 90d alone"
    )


def test_explain_counts_what_the_policy_adds_for_the_framework_as_the_policys(tmp_path: Path) -> None:
    more = "frameworks: {cis-aws: {schedules: [{rotation_period: 60d}]}}\n"
    assert says(written(tmp_path, more, period="90d"), CIS, "cis-aws 2.12", "rotation period").endswith(
        "; this control is judged by 90d alone, not by the policy's stricter 60d"
    )


@pytest.mark.parametrize("fields", [{"class": "certificate"}, {"class": None}])
def test_explain_does_not_say_so_where_the_text_does_not_surely_apply(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    said = says(written(tmp_path), CIS, "cis-aws 2.12", "rotation period", **fields)
    assert said == "rotation period 90d (required: age of an active access key)"
