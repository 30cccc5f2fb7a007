"""`keyaudit policy diff`: what a draft says otherwise, and what would come of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from report_difference.worlds import MAY, POLICY, SCOPE, Audits, World, credential, waiver

PRODUCTION, OTHER = POLICY["schedules"]
MIDDLE = credential("middle", "2026-02-20T00:00:00Z")  # 70 days old
OLD = credential("old", "2025-12-01T00:00:00Z")  # 151 days old
ELSEWHERE = credential("elsewhere", "2025-12-01T00:00:00Z", environment="staging")
INVENTORY = {"schema": "keyaudit/inventory/1", "coverage": [SCOPE], "credentials": [MIDDLE, OLD, ELSEWHERE]}
WAIVER_IN_WORDS = (
    "rules rotation-overdue, match name=key, reason a migration, requested_by r@acme.example, "
    "approved_by a@acme.example, until 2026-05-15"
)
SHORTER = {**POLICY, "schedules": [{**PRODUCTION, "rotation_period": "60d"}, OTHER]}


@pytest.fixture
def diffed(tmp_path, command):
    def run(draft: dict[str, Any], *arguments: str, policy: Any = POLICY) -> tuple[int, dict[str, Any]]:
        (tmp_path / "i.json").write_text(json.dumps(INVENTORY))
        (tmp_path / "policy.yaml").write_text(json.dumps(policy))
        (tmp_path / "draft.yaml").write_text(json.dumps(draft))
        words = ("policy.yaml", "draft.yaml", "--inventory", "i.json", "--as-of", MAY, *arguments)
        done = command("policy", "diff", *words, "--format", "json")
        assert done.stdout, done.stderr.decode()
        return done.returncode, json.loads(done.stdout)

    return run


def findings(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    changes = document["difference"]["changes"]
    return [(entry["change"], entry["rule"], entry["credential"]["name"]) for entry in changes]


def test_a_shorter_period_says_whom_it_would_make_late(diffed) -> None:
    code, document = diffed(SHORTER)
    assert code == 1
    assert document["policy"] == [
        {"part": "schedules.production.rotation_period", "old": "90d", "new": "60d"},
    ]
    assert findings(document) == [("appeared", "KA101", "middle")]
    [why] = document["difference"]["changes"][0]["why"]
    assert why["cause"] == "policy"
    assert {"fact": "rotation_period", "old": "90d", "new": "60d"} in why["evidence"]
    assert [(c["by"], c["name"], c["appeared"], c["gone"], c["credentials"]) for c in document["impact"]] == [
        ("rule", "KA101 rotation-overdue", 1, 0, 1),
        ("environment", "production", 1, 0, 1),
        ("schedule", "production", 1, 0, 1),
    ]


def test_a_longer_period_lets_findings_go_and_fixes_none(diffed) -> None:
    code, document = diffed({**POLICY, "schedules": [{**PRODUCTION, "rotation_period": "200d"}, OTHER]})
    assert code == 0
    assert findings(document) == [("ended", "KA101", "old")]
    assert document["difference"]["summary"]["fixed"] == 0


def test_the_same_policy_changes_nothing(diffed) -> None:
    code, document = diffed(dict(POLICY))
    assert (code, document["policy"], document["impact"], findings(document)) == (0, [], [], [])


PARTS: dict[str, tuple[dict[str, Any], list[tuple[str, str | None, str | None]]]] = {
    "a new schedule": (
        {"schedules": [{"name": "staging", "match": {"environment": "staging"}, "rotation_period": "30d"}, PRODUCTION, OTHER]},
        [("schedules.staging", None, "match environment=staging, rotation_period 30d")],
    ),
    "the order of schedules": (
        {"schedules": [{**OTHER, "match": {"tier": 1}}, PRODUCTION]},
        [("schedules.other.match", "everything", "tier=1"),
         ("schedules, in this order", "production, other", "other, production")],
    ),
    "a waiver": (
        {"waivers": [waiver()]},
        [("waivers.W-1", None, WAIVER_IN_WORDS)],
    ),
    "a rule's settings": (
        {"rules": {"unused": {"after": "30d", "severity": "low"}, "unowned": {"enabled": False}}},
        [("rules.unused.after", "90d", "30d"), ("rules.unused.severity", None, "low"),
         ("rules.unowned.enabled", "true", "false")],
    ),
    "a classification": (
        {"classify": [{"match": {"name": "o*"}, "set": {"environment": "production"}}]},
        [("classify.name=o*", None, "environment=production")],
    ),
    "a framework": (
        {"frameworks": {"soc2": {"scope": {"tier": 1}, "not_applicable": {}}}},
        [("frameworks.soc2.scope", None, "tier=1")],
    ),
    "who approved it": ({"approved_by": "c@acme.example"}, [("approved_by", "a@acme.example", "c@acme.example")]),
}  # fmt: skip


@pytest.mark.parametrize("case", PARTS)
def test_what_the_draft_says_otherwise_is_listed_part_by_part(case: str, diffed) -> None:
    changes, parts = PARTS[case]
    _, document = diffed({**POLICY, **changes})
    said = [(entry["part"], entry["old"], entry["new"]) for entry in document["policy"]]
    assert sorted(said, key=str) == sorted(parts, key=str)


def test_a_waiver_would_waive_and_the_text_says_all_of_it(diffed, tmp_path, command) -> None:
    code, document = diffed({**POLICY, "waivers": [waiver(match={"name": "old"})]})
    assert code == 0
    assert findings(document) == [("changed", "KA101", "old")]
    words = ("policy", "diff", "policy.yaml", "draft.yaml", "--inventory", "i.json", "--as-of", MAY)
    shown = command(*words).stdout.decode()
    assert (
        "What draft.yaml says otherwise than policy.yaml\n  waivers.W-1: not there → rules rotation-" in shown
    )
    assert "high → waived (high)  KA101 rotation-overdue  old" in shown
    page = command(*words, "--format", "markdown").stdout.decode()
    assert page.startswith("# What the policy says otherwise\n")
    assert "| `waivers.W-1` | `not there` |" in page


def test_a_draft_that_is_no_policy_is_2(tmp_path, command) -> None:
    audits = Audits(tmp_path, command)
    audits.write(World(), "a")
    (tmp_path / "draft.yaml").write_text("policy: x\nschedule: []\n")
    done = command("policy", "diff", "a-policy.yaml", "draft.yaml", "--inventory", "a-inventory.json")
    assert (done.returncode, done.stdout) == (2, b"")
    assert "did you mean 'schedules'" in done.stderr.decode()
