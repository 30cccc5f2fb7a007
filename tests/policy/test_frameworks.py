"""The shipped frameworks say what they may say; a broken framework file is refused with all its errors."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit.columns import CHOICES
from keyaudit.errors import PolicyError, UsageError
from keyaudit.model import Basis, Framework
from keyaudit.policy import frameworks
from keyaudit.policy.strictness import compared
from keyaudit.rules import RULES
from keyaudit.times import DAY, format_duration

FOLDER = Path(__file__).parents[2] / "policies" / "frameworks"
SHIPPED = ("cis-aws", "cis-gcp", "hipaa", "iso27001", "nist-800-53", "owasp-nhi", "pci-dss", "soc2")
RULE_NAMES = frozenset(rule.name for rule in RULES)
PRACTICE = {rule.name for rule in RULES if rule.basis is Basis.PRACTICE}
AGE = {
    "rotation-overdue",
    "never-rotated",
    "rotation-late",
    "rotation-due-soon",
    "schedule-too-slow",
    "rotation-missed",
}
SUPERSEDED = {"old-key-active", "old-version-enabled", "old-key-in-use"}
KEYS = {"encryption-key", "signing-key"}
ENFORCED = ("required", "alternative")

# Every number that may fail a credential, from the texts themselves: (framework, control) → facts.
NUMBERS = {
    ("pci-dss", "8.2.6"): {("unused.after", "90d", "required"), ("never-used.after", "90d", "required")},
    ("pci-dss", "8.3.9"): {("rotation_period", "90d", "alternative")},
    ("pci-dss", "8.3.10.1"): {("rotation_period", "90d", "alternative")},
    ("cis-aws", "2.11"): {("unused.after", "45d", "required"), ("never-used.after", "45d", "required")},
    ("cis-aws", "2.12"): {
        ("rotation_period", "90d", "required"),
        ("old-key-active.max_age", "90d", "required"),
    },
    ("cis-gcp", "1.8"): {
        ("rotation_period", "90d", "required"),
        ("old-key-active.max_age", "90d", "required"),
    },
    ("cis-gcp", "1.11"): {("rotation_period", "90d", "required")},
    ("cis-gcp", "1.16"): {("rotation_period", "90d", "required")},
}
GUIDANCE = {("pci-dss", "8.6.3"): {("rotation_period", "365d", "guidance")}}
# Numbers of the texts that no credential is compared with: the policy's review, and what people look at.
ELSEWHERE = {
    ("pci-dss", "7.2.4"): {("manual", "184d", "required")},
    ("pci-dss", "10.5.1"): {("manual", "365d", "required"), ("manual", "90d", "required")},
    ("pci-dss", "12.1.2"): {("policy_review", "366d", "required")},
    ("pci-dss", "12.3.1"): {("policy_review", "366d", "required")},
    ("pci-dss", "Appendix C"): {("manual", "366d", "required")},
    ("hipaa", "164.316(b)(2)(i)"): {("manual", "2192d", "required")},
}


@pytest.fixture(scope="module")
def shipped() -> tuple[Framework, ...]:
    return frameworks.load(SHIPPED, RULE_NAMES)


def raw(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_bytes())
    return document


def named_classes(match: Any) -> set[str]:
    """Every class that a match names anywhere."""
    if isinstance(match, list):
        return {name for part in match for name in named_classes(part)}
    if not isinstance(match, dict):
        return set()
    names = match.get("class", [])
    found = {names} if isinstance(names, str) else set(names)
    return found | {name for key in ("all", "any", "not") for name in named_classes(match.get(key))}


# --- what is shipped ----------------------------------------------------------------------------


def test_the_shipped_frameworks_are_listed_without_being_read() -> None:
    assert frameworks.available() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_framework_loads_alone(name: str) -> None:
    (framework,) = frameworks.load([name], RULE_NAMES)
    assert framework.id == name
    assert framework.sha256 == hashlib.sha256((FOLDER / f"{name}.yaml").read_bytes()).hexdigest()
    assert all(control.framework == name for control in framework.controls)
    assert [control.id for control in framework.controls] == [given["id"] for given in raw(name)["controls"]]


def test_frameworks_come_in_the_order_asked_for_and_once() -> None:
    assert [f.id for f in frameworks.load(["soc2", "pci-dss", "soc2"], RULE_NAMES)] == ["soc2", "pci-dss"]


def test_nothing_asked_for_is_nothing_read() -> None:
    assert frameworks.load([], RULE_NAMES) == ()


def test_only_what_was_asked_for_is_opened(tmp_path: Path) -> None:
    """Reading all of them is where other tools lose their time."""
    probe = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: event == 'open' and opened.append(str(args[0])))\n"
        "from keyaudit.policy import frameworks\n"
        "frameworks.load(['cis-aws'], ['unused', 'never-used', 'rotation-overdue', 'never-rotated',"
        " 'expired-in-use', 'rotation-manual', 'old-key-active'])\n"
        "print([name.rpartition('/')[2] for name in opened if name.endswith('.yaml')])\n"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['cis-aws.yaml']"


def test_every_control_names_its_source_and_can_be_stood_behind(shipped: tuple[Framework, ...]) -> None:
    for framework in shipped:
        for control in framework.controls:
            place = f"{framework.id} {control.id}"
            assert control.source, place
            assert control.confidence in ("high", "medium"), place
            assert control.title, place
            assert control.summary, place


def test_a_control_has_rules_or_says_what_to_look_at_instead(shipped: tuple[Framework, ...]) -> None:
    for framework in shipped:
        for control in framework.controls:
            place = f"{framework.id} {control.id}"
            assert control.rules or control.manual_evidence, place
            if not control.rules:
                assert control.evidence == "supporting", place
            if control.evidence == "direct":
                assert control.rules, place


def test_the_numbers_that_can_fail_a_credential_are_those_of_the_texts(
    shipped: tuple[Framework, ...],
) -> None:
    found: dict[tuple[str, str], set[tuple[str, str, str]]] = {}
    for framework in shipped:
        for control in framework.controls:
            numbers = {
                (number.fact, format_duration(number.value), number.kind)
                for number in control.numbers
                if number.value is not None
            }
            if numbers:
                found[framework.id, control.id] = numbers
    assert found == NUMBERS | GUIDANCE | ELSEWHERE
    assert all(number[2] in ENFORCED for numbers in NUMBERS.values() for number in numbers)
    able = {(f.id, c.id) for f in shipped for c in f.controls if any(map(compared, c.numbers))}
    assert able == set(NUMBERS)


def test_soc2_hipaa_and_iso27001_state_no_number_for_credentials() -> None:
    for framework in frameworks.load(["soc2", "hipaa", "iso27001"], RULE_NAMES):
        for control in framework.controls:
            about = {number.kind for number in control.numbers if number.fact != "manual"}
            assert about <= {"organisation-defined"}, control.id


def test_a_number_limits_something_that_a_bearing_rule_judges(shipped: tuple[Framework, ...]) -> None:
    for framework in shipped:
        for control in framework.controls:
            for number in control.numbers:
                place = f"{framework.id} {control.id}"
                if number.fact == "rotation_period":
                    assert AGE & set(control.rules), place
                elif number.fact == "policy_review":
                    assert "policy-not-reviewed" in control.rules, place
                elif number.fact == "manual":
                    assert control.manual_evidence, place
                else:
                    assert number.fact.partition(".")[0] in control.rules, place


def test_what_a_number_may_limit_is_a_duration_that_a_policy_sets_too() -> None:
    params = {rule.name: rule.params for rule in RULES}
    for fact in (fact for fact in frameworks.FACTS if "." in fact):
        rule, _, parameter = fact.partition(".")
        assert params[rule][parameter].kind == "duration", fact


def test_classes_named_in_a_shipped_framework_exist() -> None:
    for name in SHIPPED:
        for control in raw(name)["controls"]:
            named = named_classes(control.get("applies_to"))
            assert named <= set(CHOICES["class"]), f"{name} {control['id']}"


def test_no_encryption_key_is_asked_to_disable_its_old_versions() -> None:
    for name in SHIPPED:
        for control in raw(name)["controls"]:
            if SUPERSEDED & set(control["rules"]):
                assert not KEYS & named_classes(control.get("applies_to")), f"{name} {control['id']}"


def test_pci_key_requirements_are_about_keys_alone() -> None:
    for control in raw("pci-dss")["controls"]:
        if control["id"].startswith(("3.6", "3.7")):
            assert control["applies_to"] == {"class": "encryption-key"}, control["id"]


def test_pci_gives_no_period_to_keys_nor_to_service_accounts() -> None:
    (pci,) = frameworks.load(["pci-dss"], RULE_NAMES)
    by_id = {control.id: control for control in pci.controls}
    for clause in ("3.7.4", "8.6.3"):
        assert not [n for n in by_id[clause].numbers if n.kind in ENFORCED], clause
    assert by_id["8.3.9"].numbers[0].value == 90 * DAY


@pytest.mark.parametrize("name", ["pci-dss", "cis-aws", "cis-gcp"])
def test_controls_come_in_the_order_of_their_numbers(name: str) -> None:
    numbered = [control["id"] for control in raw(name)["controls"] if control["id"][0].isdigit()]
    assert numbered == sorted(numbered, key=lambda identity: [int(part) for part in identity.split(".")])


def test_nist_never_asks_a_persons_password_to_change_for_its_age() -> None:
    for control in raw("nist-800-53")["controls"]:
        if AGE & set(control["rules"]):
            classes = named_classes(control.get("applies_to"))
            assert classes, control["id"]
            assert "user-password" not in classes, control["id"]
            assert "not" not in control["applies_to"], control["id"]


def test_a_control_about_age_asks_both_rules_that_share_the_credentials_out(
    shipped: tuple[Framework, ...],
) -> None:
    """A first value is judged by never-rotated alone: without it an old one would go unseen."""
    for framework in shipped:
        for control in framework.controls:
            both = {"rotation-overdue", "never-rotated"}
            assert both & set(control.rules) in (set(), both), f"{framework.id} {control.id}"


def test_good_practice_bears_on_no_control(shipped: tuple[Framework, ...]) -> None:
    """Its findings never make an exception, so a row that lists it could say that nothing failed."""
    for framework in shipped:
        for control in framework.controls:
            assert not PRACTICE & set(control.rules), f"{framework.id} {control.id}"


def test_cis_items_look_at_their_own_cloud() -> None:
    for name, prefix in (("cis-aws", "aws-"), ("cis-gcp", "gcp-")):
        for control in raw(name)["controls"]:
            assert control["applies_to"]["source"].startswith(prefix), control["id"]


# --- what is refused ----------------------------------------------------------------------------

HEADER = """\
id: house
name: House rules
version: "1"
publisher: Acme
status: draft
scope_note: everything
reviewed_on: 2026-11-21
controls:
"""
CONTROL = """\
  - id: H.1
    title: A title
    summary: A summary.
    rules: [rotation-overdue]
    evidence: direct
    modality: required
    source: [House rules H.1]
    confidence: high
"""


def refused(folder: Path, text: str | bytes) -> list[str]:
    """The problems of a framework file, without the name of the file before each."""
    file = folder / "house.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PolicyError) as caught:
        frameworks.load_file(file, RULE_NAMES)
    assert all(problem.file == str(file) for problem in caught.value.problems)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


def control(**changes: str | None) -> str:
    """One good control with some lines changed, added or left out (None)."""
    lines = dict(line.strip().removeprefix("- ").split(": ", 1) for line in CONTROL.splitlines())
    for key, value in changes.items():
        lines.pop(key, None) if value is None else lines.update({key: value})
    body = "\n    ".join(f"{key}: {value}" for key, value in lines.items())
    return f"  - {body}\n"


def test_a_framework_of_ones_own_is_read_from_its_path(tmp_path: Path) -> None:
    file = tmp_path / "house.yaml"
    file.write_text(HEADER + CONTROL)
    (framework,) = frameworks.load([str(file)], RULE_NAMES)
    assert (framework.id, framework.version, framework.publisher) == ("house", "1", "Acme")
    assert framework.controls[0].rules == ("rotation-overdue",)
    assert framework.controls[0].applies_to is None
    assert framework.controls[0].numbers == ()


def test_a_number_is_read_as_a_duration(tmp_path: Path) -> None:
    number = "[{fact: rotation_period, value: 36h, kind: required, what: a day and a half}]"
    file = tmp_path / "house.yaml"
    file.write_text(HEADER + control(numbers=number))
    (read,) = frameworks.load_file(file, RULE_NAMES).controls[0].numbers
    assert (read.fact, read.value, read.kind) == ("rotation_period", 3 * DAY // 2, "required")
    assert read.what == "a day and a half"


NUMBER = "controls[0].numbers[0]"
HEADER_FIELDS = "id, name, version, publisher, status, scope_note, reviewed_on, controls"
OPTIONAL_FIELDS = "applies_to, numbers, manual_evidence"
CONTROL_FIELDS = "id, title, summary, rules, evidence, modality, source, confidence"
FACTS = (
    "rotation_period, unused.after, never-used.after, old-key-active.max_age, rotation-stalled.after, compromise-not-rotated.within, "
    "policy_review, manual"
)
MODALITIES = "required, service-provider, addressable, if-selected, level-1, level-2, advisory"
KINDS = "required, alternative, guidance, organisation-defined"

BROKEN = {
    "unknown-field": (
        control(tittle="x"),
        ["17:5: controls[0].tittle: unknown field; did you mean 'title'?"],
    ),
    "unlike-any-field": (
        control(zzz="x"),
        [f"17:5: controls[0].zzz: unknown field; known are {CONTROL_FIELDS}, {OPTIONAL_FIELDS}"],
    ),
    "missing-fields": (
        control(source=None, confidence=None),
        ["9:5: controls[0]: missing source, confidence"],
    ),
    "unknown-rule": (
        control(rules="[expired-inuse, no-such-thing-at-all]"),
        [
            "12:13: controls[0].rules[0]: no rule is called 'expired-inuse'; did you mean 'expired-in-use'?",
            "12:28: controls[0].rules[1]: no rule is called 'no-such-thing-at-all'",
        ],
    ),
    "rule-twice": (
        control(rules="[unowned, unowned]"),
        ["12:22: controls[0].rules[1]: 'unowned' is listed twice"],
    ),
    "evidence": (
        control(evidence="directly"),
        ["13:15: controls[0].evidence: must be one of direct, partial, supporting; did you mean 'direct'?"],
    ),
    "modality": (
        control(modality="mandatory"),
        [f"14:15: controls[0].modality: must be one of {MODALITIES}"],
    ),
    "confidence": (
        control(confidence="certain"),
        ["16:17: controls[0].confidence: must be one of high, medium, low"],
    ),
    "id-is-a-number": (
        control(id="7.5"),
        ["9:9: controls[0].id: must be text: put it in quotes"],
    ),
    "empty-title": (
        control(title='" "'),
        ["10:12: controls[0].title: must be text that is not empty"],
    ),
    "duplicate-control": (
        control() + control(),
        ["17:9: controls[1].id: duplicate control 'H.1', first on line 9"],
    ),
    "duplicate-key": (
        control() + "    title: again\n",
        ["17:5: duplicate key 'title', first on line 10"],
    ),
    "no-source": (
        control(source="[]"),
        ["15:13: controls[0].source: must name at least one source"],
    ),
    "no-rule-but-direct": (
        control(rules="[]"),
        [
            "12:12: controls[0].rules: a control without a rule must list manual_evidence",
            "13:15: controls[0].evidence: without a rule the evidence is supporting at most",
        ],
    ),
    "rules-not-a-list": (
        control(rules="rotation-overdue"),
        ["12:12: controls[0].rules: must be a list"],
    ),
    "number-kind": (
        control(numbers="[{fact: rotation_period, value: 90d, kind: requird, what: x}]"),
        [f"17:57: {NUMBER}.kind: must be one of {KINDS}; did you mean 'required'?"],
    ),
    "number-without-value": (
        control(numbers="[{fact: rotation_period, kind: required, what: x}]"),
        ["17:15: controls[0].numbers[0]: a number of kind required needs a value such as 90d"],
    ),
    "organisation-defined-with-value": (
        control(numbers="[{fact: rotation_period, value: 90d, kind: organisation-defined, what: x}]"),
        [f"17:46: {NUMBER}.value: an organisation-defined number has no value: your policy has it"],
    ),
    "number-not-a-duration": (
        control(numbers="[{fact: rotation_period, value: 90 days, kind: required, what: x}]"),
        ["17:46: controls[0].numbers[0].value: not a duration such as 30d, 24h, 2w or 90m"],
    ),
    "number-without-unit": (
        control(numbers="[{fact: rotation_period, value: 90, kind: required, what: x}]"),
        ["17:46: controls[0].numbers[0].value: not a duration such as 30d, 24h, 2w or 90m"],
    ),
    "number-is-nothing": (
        control(numbers="[{fact: rotation_period, value: 0d, kind: required, what: x}]"),
        ["17:46: controls[0].numbers[0].value: must be longer than nothing"],
    ),
    "number-about-another-rule": (
        control(numbers="[{fact: unused.after, value: 90d, kind: required, what: x}]"),
        ["17:22: controls[0].numbers[0].fact: limits unused, which is not among the rules of this control"],
    ),
    "review-of-a-policy-that-no-rule-judges": (
        control(numbers="[{fact: policy_review, value: 365d, kind: required, what: x}]"),
        [f"17:22: {NUMBER}.fact: limits policy-not-reviewed, which is not among the rules of this control"],
    ),
    "fact-misspelled": (
        control(numbers="[{fact: rotation-period, value: 90d, kind: required, what: x}]"),
        [f"17:22: {NUMBER}.fact: must be one of {FACTS}; did you mean 'rotation_period'?"],
    ),
    "several-at-once": (
        control(title=None, evidence="none", rules="[unownd]"),
        [
            "9:5: controls[0]: missing title",
            "11:13: controls[0].rules[0]: no rule is called 'unownd'; did you mean 'unowned'?",
            "12:15: controls[0].evidence: must be one of direct, partial, supporting",
        ],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_control_is_refused_at_its_line_and_column(case: str, tmp_path: Path) -> None:
    text, messages = BROKEN[case]
    assert refused(tmp_path, HEADER + text) == messages


HEADS = {
    "empty": ("", ["1:1: the file is empty"]),
    "list": (
        "- a\n",
        [f"1:1: must be a mapping with {HEADER_FIELDS}"],
    ),
    "no-controls": (
        HEADER.replace("controls:", "controls: []"),
        ["8:11: controls: a framework needs at least one control"],
    ),
    "null-controls": (HEADER, ["8:10: controls: must be a list"]),
    "missing": (HEADER.replace("publisher: Acme\n", "") + CONTROL, ["1:1: missing publisher"]),
    "version-is-a-number": (
        HEADER.replace('"1"', "1") + CONTROL,
        ["3:10: version: must be text: put it in quotes"],
    ),
    "reviewed-on": (
        HEADER.replace("2026-11-21", "2026-02-30") + CONTROL,
        ["7:14: reviewed_on: must be a day such as 2026-11-21"],
    ),
    "id": (
        HEADER.replace("house\n", "House Rules\n") + CONTROL,
        ["1:5: id: must be lower-case words joined by hyphens, such as pci-dss"],
    ),
    "control-is-text": (
        HEADER + "  - nothing\n",
        [f"9:5: controls[0]: must be a mapping with {CONTROL_FIELDS}"],
    ),
    "syntax": (HEADER + "  - [", ["10:1: not YAML: did not find expected node content"]),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_broken_framework_is_refused_at_its_line_and_column(case: str, tmp_path: Path) -> None:
    text, messages = HEADS[case]
    assert refused(tmp_path, text) == messages


def test_a_match_that_names_no_field_is_refused_at_its_place(tmp_path: Path) -> None:
    assert refused(tmp_path, HEADER + control(applies_to="{clas: api-key}")) == [
        "17:18: controls[0].applies_to: no field to match is called 'clas'; did you mean 'class'?"
    ]


@settings(max_examples=40, deadline=None)
@given(
    junk=st.binary(max_size=40) | st.sampled_from([b"- ", b": ", b"[", b"{", b"null", b"1", b"\n  ", b"~"]),
    at=st.data(),
)
def test_damage_anywhere_is_a_policy_error_with_a_line_or_no_damage(junk: bytes, at: st.DataObject) -> None:
    whole = (FOLDER / "cis-gcp.yaml").read_bytes()
    start = at.draw(st.integers(0, len(whole)))
    end = at.draw(st.integers(start, min(start + 40, len(whole))))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "damaged.yaml"
        file.write_bytes(whole[:start] + junk + whole[end:])
        try:
            frameworks.load_file(file, RULE_NAMES)
        except PolicyError as error:
            assert error.problems
            assert all(problem.line for problem in error.problems)


def test_the_problems_of_all_files_come_together(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(HEADER.replace("house", name) + control(evidence="none"))
    with pytest.raises(PolicyError) as caught:
        frameworks.load([str(tmp_path / "one.yaml"), "soc2", str(tmp_path / "two.yaml")], RULE_NAMES)
    assert [Path(problem.file).name for problem in caught.value.problems] == ["one.yaml", "two.yaml"]


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("pci-ds", "did you mean 'pci-dss'?"),
        ("PCI-DSS", "did you mean 'pci-dss'?"),
        ("xyz", f"frameworks are {', '.join(SHIPPED)}; or give the path of a file"),
    ],
)
def test_an_unknown_framework_is_a_usage_error_with_a_hint(wanted: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no such framework: {wanted}") as caught:
        frameworks.load([wanted], RULE_NAMES)
    assert caught.value.hint == hint


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file or directory"):
        frameworks.load([str(tmp_path / "gone.yaml")], RULE_NAMES)


def test_two_frameworks_with_one_id_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(HEADER.replace("house", "soc2") + CONTROL)
    with pytest.raises(UsageError, match="two frameworks are called soc2"):
        frameworks.load(["soc2", str(file)], RULE_NAMES)
