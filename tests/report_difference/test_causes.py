"""Every cause, worked out by hand: two audits that differ in one thing, and what must be said of it."""

from __future__ import annotations

from typing import Any

import pytest

from report_difference.worlds import JUNE, MAY, POLICY, SCOPE, Audits, World, credential, waiver

STALE = credential(created_at="2025-12-01T00:00:00Z")  # due on 1 March
CROSSING = credential(created_at="2026-02-15T00:00:00Z")  # due on 16 May
LATE = World(credentials=(STALE,))
OTHER = credential("other")
DENIED = {**SCOPE, "status": "failed", "reason": "denied"}
PARTIAL = {**SCOPE, "status": "partial", "reason": "one folder was denied"}
ROTATED = credential(created_at="2026-05-20T00:00:00Z")
USED = {"last_used_at": "2026-02-10T00:00:00Z"}
SHORTER = [{**POLICY["schedules"][0], "rotation_period": "60d"}, POLICY["schedules"][1]]
LONGER = [{**POLICY["schedules"][0], "rotation_period": "365d"}, POLICY["schedules"][1]]
TOLERANT = [{**POLICY["schedules"][0], "overdue_tolerance": "30d"}, POLICY["schedules"][1]]
WAIVED = LATE.with_policy(waivers=[waiver()])
OF_SPRING = ("--period", "2026-01-01/2026-03-31")
OF_APRIL = ("--period", "2026-04-01/2026-04-30")
WAS_LATE = {
    **credential(created_at="2026-04-01T00:00:00Z"),
    "versions": [
        {"id": "2", "state": "current", "created_at": "2026-04-01T00:00:00Z"},
        {
            "id": "1",
            "state": "destroyed",
            "created_at": "2025-12-01T00:00:00Z",
            "superseded_at": "2026-04-01T00:00:00Z",
        },
    ],
    "created_at": "2025-12-01T00:00:00Z",
}
OVER_SPRING = World((WAS_LATE,), arguments=OF_SPRING)
OTHER_SCOPE = {**SCOPE, "scope": "elsewhere"}
SHARED = (
    credential(lineage="shared"),
    credential("copy", scope="elsewhere", environment="staging", lineage="shared"),
)

# the older world, the newer one, the rule → what became of it, the causes, facts that must be shown
CASES: dict[str, tuple[World, World, str, str, list[str], list[tuple[str, str | None, str | None]]]] = {
    "a key became late": (
        World((CROSSING,)), World((CROSSING,), as_of=JUNE), "KA101", "appeared", ["clock"],
        [("as_of", MAY, JUNE), ("due_at", "2026-05-16T00:00:00Z", "2026-05-16T00:00:00Z")],
    ),
    "a key became late while somebody else took it over": (
        World((CROSSING,)), World(({**CROSSING, "owner": "n@acme.example"},), as_of=JUNE), "KA101",
        "appeared", ["clock"], [("due_at", "2026-05-16T00:00:00Z", "2026-05-16T00:00:00Z")],
    ),
    "a key became late for a tolerance that ran out": (
        LATE.with_policy(schedules=TOLERANT).but(as_of="2026-03-15T00:00:00Z"),
        LATE.with_policy(schedules=TOLERANT), "KA101", "appeared", ["clock"],
        [("due_at", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z")],
    ),
    "a key fell out of use while inventories changed": (
        World((credential(**USED), credential("other", last_used_at="2026-04-30T00:00:00Z"))),
        World((credential(**USED),), as_of=JUNE), "KA401",
        "appeared", ["clock"], [("last_used_at", USED["last_used_at"], USED["last_used_at"])],
    ),
    "another period was audited": (
        OVER_SPRING, OVER_SPRING.but(arguments=OF_APRIL), "KA111", "ended", ["period"],
        [("period", "2026-01-01T00:00:00Z/2026-03-31T23:59:59.999999Z",
          "2026-04-01T00:00:00Z/2026-04-30T23:59:59.999999Z")],
    ),
    "no period was audited before": (
        OVER_SPRING.but(arguments=()), OVER_SPRING, "KA111", "appeared", ["period"],
        [("period", "none", "2026-01-01T00:00:00Z/2026-03-31T23:59:59.999999Z")],
    ),
    "a period is no cause of what is late today": (
        LATE.but(as_of="2026-02-01T00:00:00Z"), LATE.but(arguments=OF_APRIL), "KA101", "appeared", ["clock"],
        [("due_at", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z")],
    ),
    "the period was shortened": (
        World((credential(created_at="2026-02-20T00:00:00Z"),)),
        World((credential(created_at="2026-02-20T00:00:00Z"),)).with_policy(schedules=SHORTER), "KA101",
        "appeared", ["policy"], [("rotation_period", "90d", "60d")],
    ),
    "the period was lengthened": (
        LATE, LATE.with_policy(schedules=LONGER), "KA101", "ended", ["policy"],
        [("rotation_period", "90d", "365d")],
    ),
    "late days are tolerated now": (
        LATE.but(as_of="2026-03-15T00:00:00Z"),
        LATE.but(as_of="2026-03-15T00:00:00Z").with_policy(schedules=TOLERANT), "KA101", "ended", ["policy"],
        [("overdue_tolerance", "0s", "30d")],
    ),
    "the rule was switched off": (
        LATE, LATE.with_policy(rules={"rotation-overdue": {"enabled": False}}), "KA101", "ended",
        ["policy"], [("rules.rotation-overdue.enabled", "true", "false")],
    ),
    "the rule is rated worse": (
        LATE, LATE.with_policy(rules={"rotation-overdue": {"severity": "critical"}}), "KA101", "changed",
        ["policy"], [("severity", "high", "critical")],
    ),
    "the key is a customer's own now": (
        LATE, World(({**STALE, "user_owned": True},)), "KA101", "changed", ["inventory"],
        [("severity", "high", "info"), ("basis", "policy", "practice")],
    ),
    "the waiver lapsed": (
        WAIVED, WAIVED.but(as_of=JUNE), "KA101", "changed", ["waiver"],
        [("W-1.status", "active", "expired"), ("W-1.ends", "2026-05-16T00:00:00Z", "2026-05-16T00:00:00Z")],
    ),
    "a waiver was added": (
        LATE, WAIVED, "KA101", "changed", ["waiver"], [("W-1.status", None, "active")],
    ),
    "a waiver was taken back": (
        WAIVED, LATE, "KA101", "changed", ["waiver"], [("W-1.status", "active", None)],
    ),
    "a waiver was cut short": (
        WAIVED, LATE.with_policy(waivers=[waiver("2026-04-20")]), "KA101", "changed", ["waiver"],
        [("W-1.ends", "2026-05-16T00:00:00Z", "2026-04-21T00:00:00Z")],
    ),
    "a waiver covers somebody else": (
        WAIVED, LATE.with_policy(waivers=[waiver(match={"name": "other"})]), "KA101", "changed",
        ["waiver"], [("W-1.status", "active", "unused")],
    ),
    "a waiver came into force": (
        LATE.with_policy(waivers=[waiver("2026-09-30", **{"from": "2026-05-15"})]),
        LATE.with_policy(waivers=[waiver("2026-09-30", **{"from": "2026-05-15"})]).but(as_of=JUNE), "KA101",
        "changed", ["waiver"], [("W-1.starts", "2026-05-15T00:00:00Z", "2026-05-15T00:00:00Z")],
    ),
    "a waiver lapsed, as a finding of its own": (
        WAIVED, WAIVED.but(as_of=JUNE), "KA903", "appeared", ["clock"], [("as_of", MAY, JUNE)],
    ),
    "the key was rotated": (
        LATE, World((ROTATED,), as_of=JUNE), "KA101", "fixed", ["inventory"],
        [("value_created_at", "2025-12-01T00:00:00Z", "2026-05-20T00:00:00Z")],
    ),
    "the key is gone": (
        LATE, World((OTHER,)), "KA101", "fixed", ["inventory"], [],
    ),
    "the key is new": (
        World((OTHER,)), World((OTHER, STALE)), "KA101", "appeared", ["inventory"], [],
    ),
    "somebody owns it": (
        World(({**credential(), "owner": None},)), World(), "KA301", "fixed", ["inventory"],
        [("owner", None, "o@acme.example")],
    ),
    "nobody owns it any more, and time passed": (
        World(), World(({**credential(), "owner": None},), as_of=JUNE), "KA301", "appeared", ["inventory"],
        [("owner", "o@acme.example", None)],
    ),
    "it was called development": (
        LATE, World(({**STALE, "environment": "development"},)), "KA101", "ended", ["inventory"],
        [("schedule", "production", "other"), ("rotation_period", "90d", "180d")],
    ),
    "its scope was denied": (
        LATE, World((), (DENIED,)), "KA101", "not-seen", ["coverage"], [],
    ),
    "its scope was not asked for": (
        LATE, World((), (OTHER_SCOPE,)), "KA101", "not-seen", ["coverage"], [],
    ),
    "its scope was empty": (
        LATE, World((), ({**SCOPE, "status": "empty", "credentials": 0},)), "KA101", "not-seen",
        ["coverage"], [],
    ),
    "its scope was read in part, and it looks mended": (
        LATE, World((ROTATED,), (PARTIAL,), as_of=JUNE), "KA101", "not-seen", ["coverage"], [],
    ),
    "its scope was read whole, but not that of the copy it shares a key with": (
        World(SHARED, (SCOPE, OTHER_SCOPE)), World(SHARED[:1], (SCOPE, {**OTHER_SCOPE, "status": "failed"})),
        "KA502 key", "not-seen", ["coverage"], [],
    ),
    "when it was used was not collected any more": (
        World((credential(last_used_at="2026-01-01T00:00:00Z"),)),
        World((credential(),), ({**SCOPE, "cannot_know": ["last_used_at"]},)), "KA401", "not-seen", ["coverage"], [],
    ),
    "its scope was denied before": (
        World((), (DENIED,)), LATE, "KA101", "appeared", ["coverage"], [],
    ),
    "a scope was denied, as a finding of its own": (
        LATE, World((), (DENIED,)), "KA901", "appeared", ["coverage"],
        [("status", "complete", "failed"), ("reason", None, "denied")],
    ),
    "a scope is read again": (
        World((), (DENIED,)), LATE, "KA901", "ended", ["coverage"], [("status", "failed", "complete")],
    ),
    "a framework with a shorter number was asked for": (
        World((credential(created_at="2026-02-20T00:00:00Z", **{"class": "service-password"}),)).with_policy(
            frameworks={"pci-dss": {"schedules": [{"rotation_period": "30d"}]}}
        ),
        World(
            (credential(created_at="2026-02-20T00:00:00Z", **{"class": "service-password"}),),
            arguments=("--framework", "pci-dss"),
        ).with_policy(frameworks={"pci-dss": {"schedules": [{"rotation_period": "30d"}]}}),
        "KA101", "appeared", ["framework"], [("rotation_period", "90d", "30d")],
    ),
    "the policy was reviewed": (
        World().with_policy(reviewed_on="2024-01-01"), World(), "KA801", "ended", ["policy"],
        [("reviewed_on", "2024-01-01", "2026-01-01")],
    ),
    "the period was shortened while time passed, and both were needed": (
        World((credential(created_at="2026-03-22T00:00:00Z"),)),
        World((credential(created_at="2026-03-22T00:00:00Z"),), as_of=JUNE).with_policy(schedules=SHORTER),
        "KA101", "appeared", ["policy", "clock"],
        [("due_at", "2026-06-20T00:00:00Z", "2026-05-21T00:00:00Z")],
    ),
    "the period was shortened while time passed, which was enough": (
        World((CROSSING,)), World((CROSSING,), as_of=JUNE).with_policy(schedules=SHORTER), "KA101",
        "appeared", ["policy", "clock"], [("due_at", "2026-05-16T00:00:00Z", "2026-04-16T00:00:00Z")],
    ),
    "a longer warning was asked for": (
        World((credential(created_at="2026-03-01T00:00:00Z"),)),
        World((credential(created_at="2026-03-01T00:00:00Z"),)).with_policy(
            rules={"rotation-due-soon": {"within": "60d"}}
        ),
        "KA103", "appeared", ["policy"], [],
    ),
    "a longer warning was asked for while time passed": (
        World((credential(created_at="2026-03-20T00:00:00Z"),)),
        World((credential(created_at="2026-03-20T00:00:00Z"),), as_of="2026-05-10T00:00:00Z").with_policy(
            rules={"rotation-due-soon": {"within": "40d"}}
        ),
        "KA103", "appeared", ["not-known"], [("as_of", MAY, "2026-05-10T00:00:00Z")],
    ),
    "its last use was found to lie further back": (
        World((credential(last_used_at="2026-04-20T00:00:00Z"),)), World((credential(last_used_at="2026-01-01T00:00:00Z"),)),
        "KA401", "appeared", ["inventory"], [],
    ),
    "only the policy can have decided": (
        World((credential(**USED),)), World((credential(**USED),)).with_policy(rules={"unused": {"after": "30d"}}),
        "KA401", "appeared", ["policy"], [],
    ),
    "what decided is in neither report": (
        World((credential(rotation={"enabled": True}),)),
        World((credential(rotation={"enabled": False}),)).with_policy(
            schedules=[{**POLICY["schedules"][0], "automatic": True}, POLICY["schedules"][1]]
        ),
        "KA107", "appeared", ["not-known"], [],
    ),
}  # fmt: skip


V1 = {"id": "1", "state": "superseded", "created_at": "2026-01-01T00:00:00Z"}
V2 = {"id": "2", "state": "current", "created_at": "2026-04-29T00:00:00Z"}
# what time alone turned while the rest of the inventory changed: the rule, the fact that must be shown
TURNED = {
    "it expired": (credential(expires_at="2026-05-10T00:00:00Z"), "KA109", "expires_at"),
    "a pending value waits too long": (
        credential(versions=[{**V1, "state": "current"}, {**V2, "state": "pending", "created_at": "2026-04-30T12:00:00Z"}]), "KA104", "pending_for",
    ),
    "an old key still works": (
        credential(versions=[{**V1, "superseded_at": "2026-04-30T00:00:00Z", "authenticates": True}, V2]),
        "KA201", "old_active_min",
    ),
    "it was never used": (
        {**credential(never_used=True, last_used_at=None), "created_at": "2026-04-10T00:00:00Z"}, "KA402", "created_at",
    ),
    "its own next rotation was missed": (
        credential(rotation={"enabled": True, "next_at": "2026-05-10T00:00:00Z"}), "KA105", "rotation_next_at",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TURNED)
def test_a_limit_that_was_reached_between_the_audits_is_the_clock(case: str, tmp_path, command) -> None:
    one, rule, fact = TURNED[case]
    old, new = World((one, OTHER)), World((one,), as_of=JUNE)
    _, document = Audits(tmp_path, command).diff(old, new)
    [entry] = [
        entry for entry in document["changes"] if entry["rule"] == rule and entry["change"] == "appeared"
    ]
    assert [why["cause"] for why in entry["why"]] == ["clock"]
    assert fact in {shift["fact"] for shift in entry["why"][0]["evidence"]}


@pytest.mark.parametrize("case", CASES)
def test_what_decided_is_named_with_its_evidence(case: str, tmp_path, command) -> None:
    old, new, rule, change, causes, facts = CASES[case]
    _, document = Audits(tmp_path, command).diff(old, new)
    rule, _, name = rule.partition(" ")
    found = [entry for entry in document["changes"] if entry["rule"] == rule]
    found = [entry for entry in found if not name or entry["credential"]["name"] == name]
    assert [(entry["change"], [why["cause"] for why in entry["why"]]) for entry in found] == [
        (change, causes)
    ]
    shown = [shift for why in found[0]["why"] for shift in why["evidence"]]
    for name, before, after in facts:
        assert {"fact": name, "old": before, "new": after} in shown


def said(document: dict[str, Any], rule: str) -> str:
    [entry] = [entry for entry in document["changes"] if entry["rule"] == rule]
    return " ".join(why["because"] for why in entry["why"])


def test_what_needed_two_inputs_names_both(tmp_path, command) -> None:
    """The value was rolled back to an older one, and the period was shortened."""
    old = World((credential(created_at="2026-04-20T00:00:00Z"),))
    new = World((credential(created_at="2026-02-20T00:00:00Z"),)).with_policy(schedules=SHORTER)
    _, document = Audits(tmp_path, command).diff(old, new)
    [entry] = [entry for entry in document["changes"] if entry["rule"] == "KA101"]
    assert {why["cause"] for why in entry["why"]} == {"inventory", "policy"}


def test_what_is_not_known_is_said_so_and_lists_what_differs(tmp_path, command) -> None:
    old, new, rule, *_ = CASES["what decided is in neither report"]
    _, document = Audits(tmp_path, command).diff(old, new)
    assert said(document, rule).startswith("cause not known from these reports: the policy, the inventory")


def test_two_equal_reports_share_everything(tmp_path, command) -> None:
    code, document = Audits(tmp_path, command).diff(LATE, LATE)
    assert (code, document["changes"], document["differs_in"], document["scopes"]) == (0, [], [], [])
    assert document["summary"]["unchanged"] == {"fail": 1}


def test_a_mended_finding_is_not_new_the_other_way_round(tmp_path, command) -> None:
    """Backwards, the instant of the older report comes last: it is still the clock that decided."""
    code, document = Audits(tmp_path, command).diff(World((CROSSING,), as_of=JUNE), World((CROSSING,)))
    [entry] = [entry for entry in document["changes"] if entry["rule"] == "KA101"]
    assert (code, entry["change"], [why["cause"] for why in entry["why"]]) == (0, "ended", ["clock"])
