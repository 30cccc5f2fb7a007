"""When the policy was last reviewed: by its own interval, or the shorter one of a framework's text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keyaudit import inventory, policy
from keyaudit.audit import audit
from keyaudit.model import FrameworkDemand, Policy, Verdict
from keyaudit.policy import frameworks
from keyaudit.policy.strictness import review_interval
from keyaudit.report.subjects import Judgement, block, judge
from keyaudit.rules import CATALOGUE, by_name
from keyaudit.times import DAY, parse_instant

SOC2, PCI = frameworks.load(["soc2", "pci-dss"], CATALOGUE)
REVIEWED = parse_instant("2025-01-01T00:00:00Z")
BASE = replace(
    policy.load(rules=CATALOGUE, frameworks={}),
    name="p",
    owner="Ada",
    approved_by="Grace",
    reviewed_on=REVIEWED,
    review_every=730 * DAY,
)


def review(governing: Policy, days: float, *asked: frameworks.Framework) -> Judgement:
    """Judge the review so long after the day it took place."""
    rule = by_name["policy-not-reviewed"]
    [found] = judge(rule, governing, (), (), REVIEWED + int(days * DAY), asked)
    return found


@pytest.mark.parametrize(
    ("days", "verdict"),
    [(0, Verdict.PASS), (366, Verdict.PASS), (366.001, Verdict.FAIL), (731, Verdict.FAIL)],
)
def test_twelve_months_where_pci_is_asked_for(days: float, verdict: Verdict) -> None:
    found = review(BASE, days, SOC2, PCI)
    assert found.verdict is verdict
    assert found.fields["review_every"] == "366d (pci-dss 12.1.2)"


@pytest.mark.parametrize(("days", "verdict"), [(367, Verdict.PASS), (730, Verdict.PASS), (731, Verdict.FAIL)])
def test_your_own_interval_where_no_text_has_one(days: float, verdict: Verdict) -> None:
    found = review(BASE, days, SOC2)
    assert found.verdict is verdict
    assert found.fields["review_every"] == "730d"


def test_your_own_interval_where_it_is_shorter() -> None:
    found = review(replace(BASE, review_every=90 * DAY), 91, PCI)
    assert (found.verdict, found.fields["review_every"]) == (Verdict.FAIL, "90d")


def test_without_an_interval_of_its_own_a_policy_fails_a_text_and_passes_none() -> None:
    silent = replace(BASE, review_every=None)
    assert [review(silent, days, PCI).verdict for days in (300, 400)] == [Verdict.UNKNOWN, Verdict.FAIL]
    assert review(silent, 400, SOC2).verdict is Verdict.UNKNOWN


def test_no_interval_is_said_in_words() -> None:
    found = review(replace(BASE, review_every=None), 1, SOC2)
    [said] = block(by_name["policy-not-reviewed"], None, found.verdict, [found], [])
    assert said.message == "policy p was last reviewed 2025-01-01; it does not say how often it must be"


def test_a_control_that_the_policy_exempts_does_not_count() -> None:
    one = replace(BASE, frameworks={"pci-dss": FrameworkDemand(None, (), {"12.1.2": "a merchant's"})})
    assert review_interval(one, [PCI]) == (366 * DAY, "pci-dss 12.3.1")
    both = FrameworkDemand(None, (), {"12.1.2": "a merchant's", "12.3.1": "none is left to us"})
    assert review(replace(BASE, frameworks={"pci-dss": both}), 400, PCI).verdict is Verdict.PASS


@pytest.mark.parametrize("every", [365 * DAY, None])
def test_a_review_after_the_audit_has_not_taken_place(every: int | None) -> None:
    found = review(replace(BASE, review_every=every), -0.001)
    message = by_name["policy-not-reviewed"].message.format_map(found.fields)
    assert found.verdict is Verdict.FAIL
    assert message.startswith("policy p was last reviewed in the future (2025-01-01); ")
    assert review(replace(BASE, review_every=365 * DAY), 0).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("owner", "approved_by", "said"),
    [
        ("Ada", "Grace", "approved by somebody else than its owner"),
        ("Ada", " ADA\u200b", "approved by its owner alone"),
        ("Ada", None, "approved by nobody"),
        ("Ada", "n/a", "approved by nobody"),
        (None, None, "approved by nobody"),
        (None, "Grace", "approved, but owned by nobody"),
    ],
)
def test_who_approved_it_is_evidence_and_no_verdict(
    owner: str | None, approved_by: str | None, said: str
) -> None:
    found = review(replace(BASE, owner=owner, approved_by=approved_by), 1)
    assert (found.verdict, found.fields["approval"]) == (Verdict.PASS, said)


@pytest.mark.parametrize(("days", "result"), [(366, "supporting-only"), (367, "exception")])
def test_an_audit_holds_the_policy_to_the_texts_that_it_asks_for(
    tmp_path: Path, days: int, result: str
) -> None:
    document = tmp_path / "inventory.json"
    coverage = [{"source": "store", "scope": "x", "status": "complete"}]
    document.write_text(
        json.dumps({"schema": "keyaudit/inventory/1", "credentials": [], "coverage": coverage})
    )
    report = audit(inventory.read([document]), BASE, [PCI], REVIEWED + days * DAY)
    assert next(control.result for control in report.controls if control.id == "12.1.2") == result
