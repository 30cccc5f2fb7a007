"""keyaudit.yaml is read strictly: every problem at once, with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from keyaudit.cli.configuration import KEYS, Configuration, read
from keyaudit.cli.gathering import gather
from keyaudit.cli.init import CONFIGURATION
from keyaudit.cli.presenting import KEYS as REPORT_KEYS
from keyaudit.errors import PolicyError, UsageError
from keyaudit.inventory.linking import LineageRule
from keyaudit.match import AllOf, Is

BROKEN = [
    ("- one", "1:1: expected settings such as inventory"),
    ("polcy: p.yaml", "1:1: polcy: unknown setting; did you mean 'policy'?"),
    ("policy: [a]", "1:9: policy: expected text"),
    ("policy: 3", "1:9: policy: expected text"),
    ("inventory: inventory.yaml", "1:12: inventory: expected a list of names, such as [one, two]"),
    ("inventory: [1]", "1:12: inventory: expected a list"),
    ("frameworks:\n  soc2: true", "2:3: frameworks: expected a list"),
    (
        "fail_on: hihg",
        "1:10: fail_on: expected one of critical, high, medium, low, none; did you mean 'high'?",
    ),
    ("group_by: rule", "1:11: group_by: expected one of owner, environment"),
    ("fail_on: high\nfail_on: low", "2:1: duplicate key 'fail_on', first on line 1"),
    ("sources: aws", "1:10: sources: expected a list"),
    ("sources: [aws]", "1:11: sources[0]: expected settings: name, kind"),
    ("sources:\n  - {name: a, kind: aws}", "sources[0].kind: no such source"),
    (
        "sources:\n  - name: a\n    kind: aws-secrets-manager\n    region: x",
        "4:13: sources[0].region: unknown setting; did you mean",
    ),
    (
        "sources:\n  - {name: a, kind: aws-secrets-manager}\n  - {name: a, kind: aws-secrets-manager}",
        "3:12: sources[1].name: another source has this name",
    ),
    ("report: acme", "1:9: report: expected some of entity, marking, security_hub, shape, logo"),
    (
        "report: {security_hub: 1111/eu-west-1}",
        "1:24: report.security_hub: expected an AWS account and region, such as 111122223333/eu-west-1",
    ),
    ("report: {entty: acme}", "1:10: report.entty: unknown setting; did you mean 'entity'?"),
    ("report: {entity: 3}", "1:18: report.entity: expected text"),
    ("report: {marking: ' '}", "1:19: report.marking: expected text"),
    ("report: {shape: soc}", "1:17: report.shape: expected one of general, soc2,"),
    ("report: {shape: soc1}", "did you mean 'soc2'?"),
    ("report: {distribution: Acme}", "1:24: report.distribution: expected a list of names"),
    ("report: {distribution: []}", "1:24: report.distribution: expected a list of names"),
    ("report: {prepared_by: Ada}", "1:23: report.prepared_by: expected name, role and date"),
    ("report: {prepared_by: {role: a}}", "1:23: report.prepared_by.name: missing"),
    (
        "report: {reviewed_by: {name: a, rol: b}}",
        "report.reviewed_by.rol: unknown setting; did you mean 'role'?",
    ),
    ("report: {reviewed_by: {name: a, date: May}}", "report.reviewed_by.date: expected a day such as"),
    ("lineage: x", "1:10: lineage: expected a list of `- {match: …, lineage: …}`"),
    ("lineage: [x]", "1:11: lineage[0]: expected match and lineage"),
    ("lineage: [{}]", "1:11: lineage[0].match: missing"),
    ("lineage: [{match: {name: a}}]", "1:11: lineage[0].lineage: missing"),
    (
        "lineage: [{match: {name: a}, linage: b}]",
        "1:30: lineage[0].linage: unknown setting; did you mean 'lineage'?",
    ),
    (
        "lineage:\n  - {match: {nmae: a}, lineage: b}",
        "2:14: lineage[0].match.nmae: no field to match is called 'nmae'; did you mean 'name'?",
    ),
    ("lineage: [{match: {tier: x}, lineage: b}]", "1:26: lineage[0].match.tier: tier is matched with"),
    ("lineage: [{match: {}, lineage: b}]", "1:19: lineage[0].match: matches every credential"),
    ("lineage: [{match: [a], lineage: b}]", "1:19: lineage[0].match: a match is a mapping"),
    ("lineage: [{match: {name: a}, lineage: 3}]", "1:39: lineage[0].lineage: expected text"),
    ("lineage: [{match: {name: a}, lineage: ' '}]", "1:39: lineage[0].lineage: expected text"),
    ("lineage: [{match: {name: a}, lineage: ' a'}]", "begins or ends with a space"),
    ('lineage: [{match: {name: a}, lineage: "{app}"}]', "a lineage is fixed text"),
    ("", "the file is empty"),
    ("a: &x 1", "anchors"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_what_cannot_be_obeyed_is_refused(text, said, tmp_path: Path) -> None:
    file = tmp_path / "keyaudit.yaml"
    file.write_text(text)
    with pytest.raises(PolicyError) as refused:
        read(str(file))
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "keyaudit.yaml"
    file.write_text("polcy: a\ninventory: 1\nfail_on: never\n")
    with pytest.raises(PolicyError) as refused:
        read(str(file))
    assert [problem.line for problem in refused.value.problems] == [1, 2, 3]


def test_paths_count_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keyaudit.yaml"
    file.write_text(
        "inventory: [a.yaml, /abs/b.csv]\npolicy: sub/p.yaml\nframeworks: [soc2, own.yaml, ./x]\nfail_on: none\n"
        "report: {entity: Acme}\n"
    )
    assert read(str(file)) == Configuration(
        file=file,
        inventory=(str(tmp_path / "a.yaml"), "/abs/b.csv"),
        policy=str(tmp_path / "sub/p.yaml"),
        frameworks=("soc2", str(tmp_path / "own.yaml"), str(tmp_path / "x")),
        fail_on="none",
        report={"entity": "Acme"},
    )


def test_lineages_are_read_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "keyaudit.yaml"
    file.write_text(
        "lineage:\n  - {match: {source: openai, labels.project: production}, lineage: openai-prod}\n"
        '  - {match: {name: ["*/openai", openai]}, lineage: openai}\n'
    )
    both = AllOf((Is("source", ("openai",)), Is("labels.project", ("production",))))
    assert read(str(file)).lineage == (
        LineageRule(both, "openai-prod"),
        LineageRule(Is("name", ("*/openai", "openai")), "openai"),
    )


def test_without_a_file_there_are_defaults(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(None) == Configuration()
    with pytest.raises(UsageError) as missing:
        read("other.yaml")
    assert "other.yaml: No such file" in str(missing.value)


def test_nothing_named_anywhere_says_how_to_start() -> None:
    with pytest.raises(UsageError) as nothing:
        gather(Configuration(), (), ())
    assert "keyaudit init" in (nothing.value.hint or "")


@pytest.mark.parametrize(
    ("name", "hint"), [("prodution", "did you mean 'production'?"), ("gcp", "keyaudit.yaml has production")]
)
def test_a_source_that_is_not_described_is_refused(name, hint) -> None:
    settings = Configuration(file=Path("keyaudit.yaml"), sources=({"name": "production", "kind": "x"},))
    with pytest.raises(UsageError) as unknown:
        gather(settings, (), (name,))
    assert unknown.value.hint == hint


def test_what_init_writes_shows_every_setting_and_is_obeyed_once_taken_out_of_its_comment(
    tmp_path: Path,
) -> None:
    settings = [re.sub(r"^# ?(?=[a-z_]+:( |$)|  |$)", "", line) for line in CONFIGURATION.splitlines()]
    file = tmp_path / "keyaudit.yaml"
    file.write_text("\n".join(settings))
    found = read(str(file))
    shown = yaml.safe_load(file.read_text())
    assert set(KEYS) - set(shown) == {"lineage", "rotations"}
    assert all(f"`{name}`" in CONFIGURATION for name in ("lineage", "rotations"))
    assert shown["report"].keys() == set(REPORT_KEYS)
    assert found.history == (str(tmp_path / "inventories"),)
    assert found.earlier_policies == (("2025-12-31", str(tmp_path / "policies/2025.yaml")),)
    assert found.bundle["sign_key"] == str(tmp_path / "audit.pem")
