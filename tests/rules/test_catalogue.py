"""The conventions that keep the catalogue one catalogue: names, ids, documentation, tables of cases."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import keyaudit.rules as catalogue
from keyaudit import facts
from keyaudit.columns import BESIDE, CREDENTIALS, NAMES
from keyaudit.model import Basis, Rule, Verdict
from keyaudit.policy import load
from keyaudit.rules import CATALOGUE, RULES, by_id, by_name, documentation
from rules.judging import FOLDER, cases, table

PACKAGE = Path(catalogue.__file__).parent
KNOWN = {*facts.FACTS, *CREDENTIALS}
FIELDS = {
    "scope": {"source", "scope", "status", "reason"},
    "waiver": {"id", "problem", "until"},
    "policy": {"name", "reviewed_on", "review_every"},
}

# An id is never given to another rule, nor a name to another id: waivers and reports hold them.
EVER = {
    "KA101": "rotation-overdue",
    "KA102": "never-rotated",
    "KA103": "rotation-due-soon",
    "KA104": "rotation-stalled",
    "KA105": "rotation-missed",
    "KA106": "schedule-too-slow",
    "KA107": "rotation-manual",
    "KA108": "compromise-not-rotated",
    "KA109": "expired-in-use",
    "KA110": "period-undefined",
    "KA111": "rotation-late",
    "KA112": "rolled-back",
    "KA201": "old-key-active",
    "KA202": "old-version-enabled",
    "KA203": "old-key-in-use",
    "KA204": "no-overlap",
    "KA205": "retired-key-encrypts",
    "KA301": "unowned",
    "KA302": "unclassified",
    "KA401": "unused",
    "KA402": "never-used",
    "KA501": "rotated-together",
    "KA502": "shared-across-environments",
    "KA503": "copy-left-behind",
    "KA601": "static-where-dynamic",
    "KA701": "rotation-undocumented",
    "KA702": "self-approved",
    "KA801": "policy-not-reviewed",
    "KA901": "scope-incomplete",
    "KA902": "scope-empty",
    "KA903": "waiver-expired",
    "KA904": "waiver-unused",
    "KA905": "waiver-invalid",
    "KA906": "time-in-future",
}
OF_PERIOD = {"rotation-late", "rotation-undocumented", "self-approved"}
PARAMS = {
    "rotation-due-soon": {"within": "duration"},
    "rotation-stalled": {"after": "duration"},
    "compromise-not-rotated": {"within": "duration"},
    "old-version-enabled": {"sources": "names"},
    "old-key-active": {"max_age": "duration"},
    "unused": {"after": "duration"},
    "never-used": {"after": "duration"},
    "rotated-together": {"apart": "duration"},
    "rotation-undocumented": {"within": "duration"},
    "static-where-dynamic": {"providers": "names"},
}
PRACTICE = {"rotation-due-soon", "no-overlap", "rotated-together", "static-where-dynamic"}
FIRST_WORDS = {name.partition("-")[0] for name in EVER.values() if "-" in name}
SECTIONS = ["What it checks", "Why is this bad?", "Example", "Remediation", "References"]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
every_credential_rule = pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.subject == "credential"], ids=lambda rule: rule.name
)


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def test_the_table_holds_every_rule_once_in_the_order_of_ids() -> None:
    assert {rule.id: rule.name for rule in RULES} == EVER
    assert [rule.id for rule in RULES] == sorted(EVER)
    assert by_id == {rule.id: rule for rule in RULES}
    assert by_name == {rule.name: rule for rule in RULES}


def test_a_file_is_named_like_its_rule_and_every_file_is_in_the_table() -> None:
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert files == {rule.name.replace("-", "_") for rule in RULES}
    assert {path.stem for path in FOLDER.glob("*.yaml")} == files


@every_rule
def test_a_file_reads_documentation_check_rule(rule: Rule) -> None:
    text = (PACKAGE / f"{rule.name.replace('-', '_')}.py").read_text("utf-8")
    assert f'id="{rule.id}",\n    name="{rule.name}",' in text
    places = [text.index('"""'), text.find("\ndef check("), text.index("\nRULE = Rule(")]
    if rule.subject == "credential":
        assert rule.check is not None
        assert places == sorted(places)
    else:
        assert rule.check is None
        assert places[1] == -1


@every_rule
def test_the_documentation_has_its_title_and_all_its_sections(rule: Rule) -> None:
    assert re.match(rf"{rule.id} {rule.name}: [^\n]+\.\n", rule.doc)
    assert re.findall(r"^## (.+)$", rule.doc, flags=re.MULTILINE) == SECTIONS
    text = documentation(rule)
    assert rule.doc.startswith(f"{rule.id} {rule.name}: {text.title}.")
    for section in (text.checks, text.why, text.example, text.remediation, text.references):
        assert len(section.split()) >= 5
    assert all(line.startswith(("- ", "  ")) for line in text.references.splitlines())


@every_rule
def test_the_documentation_is_light_markdown(rule: Rule) -> None:
    assert rule.doc.count("`") % 2 == 0
    assert not re.search(
        r"^(#|###+|\d+\.|>|\||```) ?", re.sub(r"^## .+$", "", rule.doc, flags=re.MULTILINE), re.MULTILINE
    )
    assert not re.search(r"\[[^\]]+\]\([^)]+\)", rule.doc)
    references = documentation(rule).references
    assert all(url.startswith("https://") for url in re.findall(r"\w+://\S+", references))
    referred = re.findall(r"\b(?:see|by|of|in|to)\s+([a-z]+(?:-[a-z]+)+)\b", rule.doc)
    assert {name for name in referred if name.partition("-")[0] in FIRST_WORDS} <= set(by_name)


@every_rule
def test_message_and_evidence_name_what_is_known(rule: Rule) -> None:
    if rule.subject == "credential":
        assert fields(rule.message) - {"age"} <= KNOWN
        assert set(rule.evidence) <= KNOWN
        assert rule.evidence
    else:
        assert fields(rule.message) <= FIELDS[rule.subject]
        assert set(rule.evidence) <= FIELDS[rule.subject]
    assert not rule.message.endswith(".")


def test_what_compares_with_a_requirement_is_judged_for_each() -> None:
    required = {*facts.REQUIREMENT, "due_at", "overdue_by"}
    showing = {rule.name for rule in RULES if required & {*rule.evidence, *fields(rule.message)}}
    assert {rule.name for rule in RULES if rule.per_requirement} == showing | {"period-undefined"}


@every_rule
def test_what_a_rule_needs_can_be_collected(rule: Rule) -> None:
    for need in rule.needs:
        assert {need} if isinstance(need, str) else set(need) <= NAMES | BESIDE


def test_what_happened_is_asked_of_periods_alone() -> None:
    assert {rule.name for rule in RULES if rule.of_period} == OF_PERIOD


def test_the_first_rule_is_never_merely_not_collected() -> None:
    assert by_name["rotation-overdue"].needs == ()


def test_parameters_are_those_that_policies_know_and_say_what_they_mean() -> None:
    declared = {
        name: {key: param.kind for key, param in params.items()} for name, params in CATALOGUE.items()
    }
    assert {name: params for name, params in declared.items() if params} == PARAMS
    assert all(len(param.help.split()) > 3 for params in CATALOGUE.values() for param in params.values())


def test_the_shipped_policy_gives_every_parameter() -> None:
    policy = load(None, rules=CATALOGUE, frameworks={})
    assert {name: set(setting.params) for name, setting in policy.settings.items()} == {
        name: set(params) for name, params in CATALOGUE.items()
    }


def test_no_number_hides_in_a_rule() -> None:
    small = {"0", "-1", "1"}
    for rule in RULES:
        text = (PACKAGE / f"{rule.name.replace('-', '_')}.py").read_text("utf-8").replace(rule.doc, "")
        code = re.sub(r'"[^"\n]*"|#.*', "", text)
        assert set(re.findall(r"(?<![\w.])-?\d[\d_]*\b", code)) <= small, rule.name


def test_good_practice_is_what_the_design_says_and_never_grave() -> None:
    assert {rule.name for rule in RULES if rule.basis is Basis.PRACTICE} == PRACTICE
    assert {by_name[name].severity for name in PRACTICE} <= {"low", "info"}
    assert {rule.name for rule in RULES if rule.severity is None} == {"scope-incomplete", "scope-empty"}


@every_rule
def test_a_fix_is_a_command_with_known_places(rule: Rule) -> None:
    for source, command in rule.fixes.items():
        assert fields(command) <= {"id", "name", "scope", "account", "region", "version", "secret"}
        assert command.split()[0] in {"aws", "gcloud", "vault"}
        assert command.split()[0] == {"aws": "aws", "gcp": "gcloud"}.get(source.partition("-")[0], "vault")
        assert fields(command) & {"id", "name", "secret"}
        # Places arrive quoted, so no quotes may stand around them; blanks are quoted shell variables.
        assert not re.search(r"""["'][^"'\s]*\{""", command)
        assert not re.search(r'(?<!")\$', re.sub(r'"[^"]*"', "", command))
        assert not re.search(
            r"[A-Z]{4,}", re.sub(r'"\$[A-Z_]+"|"AutomaticallyAfterDays=\$DAYS"|AWSPENDING', "", command)
        )


@every_rule
def test_every_verdict_has_a_case_or_a_reason_why_it_cannot_come_up(rule: Rule) -> None:
    found = {verdict for case in cases(rule.name) for verdict in case.expect}
    impossible: dict[str, Any] = table(rule.name).get("impossible", {})
    assert not {Verdict(name) for name in impossible} & found
    assert all(len(reason.split()) > 4 for reason in impossible.values())
    if rule.subject == "credential":
        assert found | {Verdict(name) for name in impossible} == set(Verdict)
    else:
        assert found > {Verdict.PASS}
    assert len({case.name for case in cases(rule.name)}) == len(cases(rule.name))


@every_credential_rule
def test_a_rule_with_a_limit_has_cases_on_both_sides_of_it(rule: Rule) -> None:
    limits = [param for param in rule.params.values() if param.kind == "duration"]
    if limits or (rule.per_requirement and rule.name not in {"period-undefined", "rotation-manual"}):
        text = (FOLDER / f"{rule.name.replace('-', '_')}.yaml").read_text("utf-8")
        assert re.search(r"\b1us\b|\d1us\b|\b999us\b", text)
        assert "exactly" in text


def test_listing_the_rules_loads_no_engine() -> None:
    code = "import sys, keyaudit.rules; print(sorted({'polars', 'duckdb', 'pydantic', 'boto3'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
