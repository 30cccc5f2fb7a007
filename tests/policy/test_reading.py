"""A policy says what it says, or is refused with everything that is wrong with it, each at its place."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyaudit import policy as policies
from keyaudit.columns import CHOICES
from keyaudit.errors import PolicyError, UsageError
from keyaudit.match import EVERYTHING, AllOf, Compare, Is
from keyaudit.model import FrameworkDemand, Param, Policy, RuleSetting, Schedule, Severity
from keyaudit.policy import reading, shipped
from keyaudit.policy.schema import schema
from keyaudit.rules import CATALOGUE, RULES
from keyaudit.strict_yaml import load as load_yaml
from keyaudit.times import DAY, HOUR, parse_instant

CONTROLS = {"pci-dss": frozenset({"8.3.9", "3.7.4"}), "soc2": frozenset({"CC6.1"}), "mine": frozenset()}
DEFAULT = policies.load(rules=CATALOGUE, frameworks=CONTROLS)
SHIPPED = shipped.folder("default.yaml").read_bytes()

DESIGN = b"""\
policy: acme-credential-rotation
owner: security@acme.example
approved_by: ciso@acme.example
reviewed_on: 2026-07-01
review_every: 365d

classify:
  - {match: {scope: "111122223333/*"}, set: {environment: production, tier: 1}}
  - {match: {name: "staging/*"},       set: {environment: staging}}

risk:
  - {name: organization-wide, match: {reach: organization}}
  - {name: public-facing,     match: {exposure: public}}
  - {name: many-consumers,    match: {consumers: ">=5"}}

schedules:
  - {name: production-tier-1, match: {environment: production, tier: 1}, rotation_period: 30d,  grace_period: 24h}
  - {name: production,        match: {environment: production},          rotation_period: 90d,  grace_period: 48h}
  - {name: staging,           match: {environment: staging},             rotation_period: 90d,  grace_period: 7d}
  - {name: development,       match: {environment: development},         rotation_period: 180d, grace_period: 14d}

frameworks:
  pci-dss:
    schedules:
      - {match: {environment: production, labels.pci: "true"}, rotation_period: 90d, grace_period: 24h}

rules:
  rotation-due-soon: {within: 14d}
  unused: {after: 90d}
  rotation-manual: {severity: medium}

waivers:
  - id: W-2026-014
    rules: [rotation-overdue]
    match: {id: "arn:aws:secretsmanager:us-east-1:111122223333:secret:legacy/ftp-AbCdEf"}
    reason: vendor has no second key slot; compensating control CC-7
    requested_by: app-team@acme.example
    approved_by: ciso@acme.example
    from: 2026-05-01
    until: 2026-09-30
"""


def read(data: bytes) -> Policy:
    return reading.parse(data, "p.yaml", rules=CATALOGUE, frameworks=CONTROLS, inherited=DEFAULT)


def refused(data: bytes) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(data)
    assert caught.value.exit_code == 2
    return str(caught.value).replace("p.yaml:", "").splitlines()


# --- what is read -------------------------------------------------------------------------------


def test_the_example_of_the_design() -> None:
    policy = read(DESIGN)
    assert (policy.name, policy.owner, policy.approved_by) == (
        "acme-credential-rotation",
        "security@acme.example",
        "ciso@acme.example",
    )
    assert policy.reviewed_on == parse_instant("2026-07-01T00:00:00Z")
    assert policy.review_every == 365 * DAY
    assert policy.sha256 == hashlib.sha256(DESIGN).hexdigest()
    assert policy.classify[0].match == Is("scope", ("111122223333/*",))
    assert policy.classify[0].set == {"environment": "production", "tier": 1}
    assert policy.risk[2].match == Compare("consumers", ">=", 5)
    production = AllOf((Is("environment", ("production",)), Is("tier", (1,))))
    assert policy.schedules[0] == Schedule(
        "production-tier-1", production, 30 * DAY, 24 * HOUR, 0, automatic=False
    )
    pci = AllOf((Is("environment", ("production",)), Is("labels.pci", ("true",))))
    asked = Schedule("pci-dss schedule", pci, 90 * DAY, 24 * HOUR)
    assert policy.frameworks == {"pci-dss": FrameworkDemand(None, (asked,), {})}
    assert policy.settings["unused"].params == {"after": 90 * DAY}
    assert policy.settings["rotation-manual"].severity is Severity.MEDIUM
    [waiver] = policy.waivers
    assert (waiver.starts, waiver.ends) == (
        parse_instant("2026-05-01T00:00:00Z"),
        parse_instant("2026-10-01T00:00:00Z"),
    )
    assert waiver.problems == ()


def test_a_policy_that_says_little_inherits_the_rest() -> None:
    policy = read(b"policy: small\nrules: {unused: {after: 3d}, unowned: {enabled: false, severity: high}}\n")
    assert policy.settings["unused"].params == {"after": 3 * DAY}
    assert policy.settings["unowned"] == RuleSetting(Severity.HIGH, enabled=False, params={})
    untouched = set(CATALOGUE) - {"unused", "unowned"}
    assert all(policy.settings[name] == DEFAULT.settings[name] for name in untouched)
    assert policy.settings.keys() == set(CATALOGUE)
    assert policy.risk_levels == DEFAULT.risk_levels == (30 * DAY, 90 * DAY, 180 * DAY)
    # what is required, and of whom, is never inherited: it would be somebody else's policy
    assert (policy.schedules, policy.risk, policy.classify, policy.waivers) == ((), (), (), ())
    assert policy.reviewed_on is None


def test_everything_that_a_policy_may_say() -> None:
    policy = read(b"""\
policy: all
risk_levels: [7d, 14d]
schedules:
  - {name: a, rotation_period: 30d, overdue_tolerance: 2d, automatic: true}
frameworks:
  pci-dss:
    scope: {labels.pci: "true"}
    schedules:
      - {name: mine, grace_period: 1h, match: {tier: 1}}
      - {rotation_period: 10d, overdue_tolerance: 1d}
    not_applicable: {"3.7.4": no stored account data}
  soc2: {scope: null}
rules: {static-where-dynamic: {providers: [aws]}}
""")
    assert policy.risk_levels == (7 * DAY, 14 * DAY)
    assert policy.schedules == (Schedule("a", EVERYTHING, 30 * DAY, None, 2 * DAY, automatic=True),)
    pci = policy.frameworks["pci-dss"]
    assert pci.scope == Is("labels.pci", ("true",))
    assert pci.schedules == (
        Schedule("mine", Is("tier", (1,)), None, HOUR),
        Schedule("pci-dss schedule 2", EVERYTHING, 10 * DAY, None, DAY),
    )
    assert pci.not_applicable == {"3.7.4": "no stored account data"}
    assert policy.frameworks["soc2"] == FrameworkDemand()
    assert policy.settings["static-where-dynamic"].params == {"providers": ("aws",)}


def test_a_file_is_read_and_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(DESIGN)
    policy = policies.load(file, rules=CATALOGUE, frameworks={})
    assert policy.file == str(file)
    assert policy.name == "acme-credential-rotation"
    with pytest.raises(UsageError, match="cannot be read"):
        policies.load(tmp_path / "none.yaml", rules=CATALOGUE, frameworks={})
    with pytest.raises(UsageError, match="cannot be read"):
        policies.load(tmp_path, rules=CATALOGUE, frameworks={})


def test_without_known_controls_any_control_may_be_named() -> None:
    data = b"policy: x\nframeworks: {pci-dss: {not_applicable: {'9.9': because}}, other: {}}\n"
    policy = reading.parse(data, "p", rules=CATALOGUE, frameworks={}, inherited=DEFAULT)
    assert policy.frameworks.keys() == {"pci-dss", "other"}
    policy = reading.parse(
        data, "p", rules=CATALOGUE, frameworks={"pci-dss": (), "other": ()}, inherited=DEFAULT
    )
    assert policy.frameworks["pci-dss"].not_applicable == {"9.9": "because"}


# --- the shipped default ------------------------------------------------------------------------


def test_the_default_is_the_recommended_schedule() -> None:
    required = {s.name: (s.rotation_period, s.grace_period, s.overdue_tolerance) for s in DEFAULT.schedules}
    assert required == {
        "production-tier-1": (30 * DAY, 24 * HOUR, 0),
        "production": (90 * DAY, 48 * HOUR, 0),
        "staging": (90 * DAY, 7 * DAY, 0),
        "development": (180 * DAY, 14 * DAY, 0),
    }
    assert {factor.name for factor in DEFAULT.risk} == {
        "organization-wide",
        "public-facing",
        "many-consumers",
    }
    assert DEFAULT.settings["compromise-not-rotated"].params == {"within": DAY}
    assert (DEFAULT.reviewed_on, DEFAULT.waivers, DEFAULT.frameworks) == (None, (), {})


def test_the_default_sets_what_rules_need_and_nothing_else() -> None:
    written = load_yaml(SHIPPED, "default.yaml").value()["rules"]
    needed = {rule.name: set(rule.params) for rule in RULES if rule.params}
    assert {name: set(params) for name, params in written.items()} == needed


def test_a_default_that_leaves_a_setting_out_is_refused() -> None:
    rules = {"new-rule": {"limit": Param("integer", "how many")}}
    with pytest.raises(PolicyError, match=r"p:2:8: rules\.new-rule\.limit: missing"):
        reading.parse(b"policy: x\nrules: {new-rule: {}}\n", "p", rules=rules, frameworks={}, inherited=None)
    with pytest.raises(PolicyError, match=r"rules\.new-rule\.limit: missing"):
        reading.parse(b"policy: x\n", "p", rules=rules, frameworks={}, inherited=None)


def test_the_default_is_written_out_with_its_reasons() -> None:
    assert DEFAULT.sha256 == hashlib.sha256(SHIPPED).hexdigest()
    assert DEFAULT.file == "default.yaml"


# --- what is refused ----------------------------------------------------------------------------

P = b"policy: x\n"

REFUSED: list[tuple[bytes, list[str]]] = [
    (b"", ["1:1: the file is empty"]),
    (b"[]", ["1:1: a mapping is expected"]),
    (b"just text", ["1:1: a mapping is expected"]),
    (b"polcy: x\n", ["1:1: polcy: unknown key; did you mean 'policy'?", "1:1: policy: missing"]),
    (b"policy: ' '\n", ["1:9: policy: must not be empty"]),
    (b"policy: 3\n", ["1:9: policy: text is expected: put it in quotes"]),
    (P + b"policy: y\n", ["2:1: duplicate key 'policy', first on line 1"]),
    (P + b"owner: [a]\n", ["2:8: owner: text is expected: put it in quotes"]),
    (P + b"reviewed_on: 2026-02-30\n", ["2:14: reviewed_on: must be a day such as 2026-07-01"]),
    (P + b"reviewed_on: 2026-02-03T00:00:00Z\n", ["2:14: reviewed_on: must be a day such as 2026-07-01"]),
    (P + b"reviewed_on: 9999-12-31\n", ["2:14: reviewed_on: must be a day between 1970-01-01 and 9999-12-30"]),
    (P + b"reviewed_on: 1969-12-31\n", ["2:14: reviewed_on: must be a day between 1970-01-01 and 9999-12-30"]),
    (P + b"review_every: 1y\n", ["2:15: review_every: not a duration such as 30d, 24h, 2w or 90m"]),
    (P + b"review_every: 0d\n", ["2:15: review_every: must be longer than nothing"]),
    # schedules
    (P + b"schedules: {}\n", ["2:12: schedules: a list is expected"]),
    (P + b"schedules: [x]\n", ["2:13: schedules[0]: a mapping is expected"]),
    (
        P + b"schedules:\n  - {name: a, match: {tier: 1}}\n",
        ["3:5: schedules[0].rotation_period: missing"],
    ),
    (
        P + b"schedules: [{name: a, rotation_period: 90, grace: 3d}]\n",
        [
            "2:40: schedules[0].rotation_period: a duration is text such as 30d, 24h or 90m",
            "2:44: schedules[0].grace: unknown key",
        ],
    ),
    (
        P + b"schedules: [{name: a, rotation_periode: 90d}]\n",
        [
            "2:13: schedules[0].rotation_period: missing",
            "2:23: schedules[0].rotation_periode: unknown key; did you mean 'rotation_period'?",
        ],
    ),
    (
        P + b"schedules: [{name: a, rotation_period: 1d, automatic: yes}]\n",
        ["2:55: schedules[0].automatic: true or false is expected"],
    ),
    (
        P + b"schedules:\n- {name: a, match: {tier: 1}, rotation_period: 1d}\n- {name: a, rotation_period: 2d}\n",
        ["4:10: schedules[1].name: another one is called 'a', on line 3"],
    ),
    (
        P + b"schedules:\n- {name: a, rotation_period: 1d}\n- {name: b, match: {tier: 1}, rotation_period: 2d}\n",
        ["4:3: schedules[1]: never reached: the schedule on line 3 matches the same or everything"],
    ),
    (
        P + b"schedules:\n- {name: a, match: {tier: 1}, rotation_period: 1d}\n"
        b"- {name: b, match: {tier: 1}, rotation_period: 2d}\n",
        ["4:3: schedules[1]: never reached: the schedule on line 3 matches the same or everything"],
    ),
    # matches
    (P + b"risk: [{name: a, match: 3}]\n", ["2:25: risk[0].match: a mapping is expected"]),
    (
        P + b"risk: [{name: a, match: {enviroment: x}}]\n",
        ["2:26: risk[0].match.enviroment: no field to match is called 'enviroment'; did you mean 'environment'?"],
    ),
    (
        P + b"risk: [{name: a, match: {reach: organisation}}]\n",
        ["2:33: risk[0].match.reach: reach is one of organization, project; did you mean 'organization'?"],
    ),
    (
        P + b"risk: [{name: a, match: {tier: one, consumers: '=>5', user_owned: 1}}]\n",
        [
            "2:32: risk[0].match.tier: tier is matched with a whole number or a comparison such as '>=2'",
            "2:48: risk[0].match.consumers: consumers is matched with a whole number or a comparison such as '>=2'",
            "2:67: risk[0].match.user_owned: user_owned is matched with true or false",
        ],
    ),
    (
        P + b"risk: [{name: a, match: {name: [x, 3, true], owner: null, scope: {a: b}, id: []}}]\n",
        [
            '2:36: risk[0].match.name[1]: name is matched with text: write "3"',
            '2:39: risk[0].match.name[2]: name is matched with text: write "true"',
            "2:53: risk[0].match.owner: what is not known cannot be matched: leave the field out",
            "2:66: risk[0].match.scope: scope is matched with text, or a list of texts",
            "2:78: risk[0].match.id: id has no values, so it would never match",
        ],
    ),
    (
        P + b"risk: [{name: a, match: {any: [], all: {}, not: [x]}}]\n",
        [
            "2:31: risk[0].match.any: any takes a list of matches",
            "2:40: risk[0].match.all: all takes a list of matches",
            "2:49: risk[0].match.not: a match is a mapping of fields to values",
        ],
    ),
    (
        P + b"risk: [{name: a, match: {any: [{tier: 1}, {tir: 1}]}}]\n",
        ["2:44: risk[0].match.any[1].tir: no field to match is called 'tir'; did you mean 'tier'?"],
    ),
    (
        P + b"risk: [{name: a, match: {labels.: x, labels: {a: b}, 'labels.:': x}}]\n",
        [
            "2:26: risk[0].match.labels.: labels.NAME needs a name",
            "2:38: risk[0].match.labels: no field to match is called 'labels'; did you mean 'labels.NAME'?",
            "2:54: risk[0].match.labels.:: no label can be called ':'",
        ],
    ),
    # classify and risk
    (
        P + b"classify: [{match: {tier: 1}, set: {enviroment: x, id: y, tier: '1', user_owned: yes, class: x}}]\n",
        [
            "2:37: classify[0].set.enviroment: 'enviroment' cannot be set; did you mean 'environment'?",
            "2:52: classify[0].set.id: 'id' cannot be set",
            "2:65: classify[0].set.tier: tier is a whole number",
            "2:82: classify[0].set.user_owned: user_owned is true or false",
            f"2:94: classify[0].set.class: class is one of {', '.join(CHOICES['class'])}",
        ],
    ),
    (P + b"classify: [{match: {}, set: {}}]\n", ["2:29: classify[0].set: must not be empty"]),
    (P + b"classify: [{match: {}, set: {environment: null}}]\n",
     ["2:43: classify[0].set.environment: environment is text"]),
    (
        P + b"risk_levels: [90d, 30d, 0d]\n",
        [
            "2:20: risk_levels[1]: risk levels go from the shortest to the longest",
            "2:25: risk_levels[2]: must be longer than nothing",
            "2:25: risk_levels[2]: risk levels go from the shortest to the longest",
        ],
    ),
    (P + b"risk:\n- {name: a, match: {tier: 1}}\n- {name: a, match: {tier: 2}}\n",
     ["4:10: risk[1].name: another one is called 'a', on line 3"]),
    # tolerance
    (
        P + b"schedules: [{name: a, rotation_period: 30d, overdue_tolerance: 31d}]\n",
        ["2:64: schedules[0].overdue_tolerance: longer than the rotation period itself (30d), which it would double"],
    ),
    (
        P + b"frameworks: {soc2: {schedules: [{rotation_period: 1w, overdue_tolerance: 169h}]}}\n",
        ["2:74: frameworks.soc2.schedules[0].overdue_tolerance: longer than the rotation period itself (7d), which it would double"],
    ),
    (P + b"schedules: [{name: a, rotation_period: 30, overdue_tolerance: 31d}]\n",
     ["2:40: schedules[0].rotation_period: a duration is text such as 30d, 24h or 90m"]),
    # frameworks
    (
        P + b"frameworks: {pci-ds: {}, soc2: {scop: {}}, hipaa: 3}\n",
        [
            "2:14: frameworks.pci-ds: unknown framework 'pci-ds'; did you mean 'pci-dss'?",
            "2:33: frameworks.soc2.scop: unknown key; did you mean 'scope'?",
            "2:44: frameworks.hipaa: unknown framework 'hipaa'",
            "2:51: frameworks.hipaa: a mapping is expected",
        ],
    ),
    (
        P + b"frameworks: {pci-dss: {not_applicable: {'8.3.8': x, '8.3.9': ''}, scope: {tir: 1}}}\n",
        [
            "2:41: frameworks.pci-dss.not_applicable.8.3.8: no control of pci-dss is called '8.3.8'; did you mean '8.3.9'?",
            "2:62: frameworks.pci-dss.not_applicable.8.3.9: must not be empty",
            "2:75: frameworks.pci-dss.scope.tir: no field to match is called 'tir'; did you mean 'tier'?",
        ],
    ),
    (
        P + b"frameworks: {mine: {schedules: [{match: {tier: 1}}, {rotation_period: 1d, grace_perod: 3h}]}}\n",
        [
            "2:33: frameworks.mine.schedules[0]: needs a rotation_period or a grace_period",
            "2:75: frameworks.mine.schedules[1].grace_perod: unknown key; did you mean 'grace_period'?",
        ],
    ),
    # rules
    (
        P + b"rules: {unusd: {}, unused: {after: 3, afer: 1d, severity: hgh, enabled: maybe}, never-used: 5}\n",
        [
            "2:9: rules.unusd: no rule is called 'unusd'; did you mean 'unused'?",
            "2:36: rules.unused.after: a duration is text such as 30d, 24h or 90m",
            "2:39: rules.unused.afer: unknown setting 'afer'; did you mean 'after'?",
            "2:59: rules.unused.severity: must be one of critical, high, medium, low, info; did you mean 'high'?",
            "2:73: rules.unused.enabled: true or false is expected",
            "2:93: rules.never-used: a mapping is expected",
        ],
    ),
    (
        P + b"rules: {static-where-dynamic: {providers: aws}, unused: {after: 3 dais}}\n",
        [
            "2:43: rules.static-where-dynamic.providers: a list of names is expected",
            "2:65: rules.unused.after: not a duration such as 30d, 24h, 2w or 90m",
        ],
    ),
    # names that would draw on a terminal or begin a line of their own
    (
        P + b'"a\\nb": 1\nrules: {"\\e[2J\\n": {}}\n',
        ["2:1: a\\nb: unknown key", "3:9: rules.\\x1b[2J\\n: no rule is called '\\x1b[2J\\n'"],
    ),
    # waivers: what is wrong in form
    (
        P + b"waivers:\n- {id: a, rules: [rotation-overdu], match: {}, form: 2026-01-01}\n"
        b"- {id: a, rules: [], match: {nam: x}, until: 3}\n- {rules: [unowned]}\n",
        [
            "3:19: waivers[0].rules[0]: no rule is called 'rotation-overdu'; did you mean 'rotation-overdue'?",
            "3:48: waivers[0].form: unknown key; did you mean 'from'?",
            "4:8: waivers[1].id: another one is called 'a', on line 3",
            "4:18: waivers[1].rules: must not be empty",
            "4:30: waivers[1].match.nam: no field to match is called 'nam'; did you mean 'name'?",
            "4:46: waivers[1].until: text is expected: put it in quotes",
            "5:3: waivers[2].id: missing",
            "5:3: waivers[2].match: missing",
        ],
    ),
    (P + b"waivers: [{id: a, rules: [unowned], match: {}, starts: 2026-01-01}]\n",
     ["2:48: waivers[0].starts: unknown key"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "complaints"), REFUSED)
def test_what_is_refused_and_where(data: bytes, complaints: list[str]) -> None:
    assert refused(data) == complaints


def test_all_mistakes_of_a_file_are_named_at_once() -> None:
    mixed = (
        b"owner: 1\nreviewed_on: never\nschedules: [{name: a, match: {tir: 1}}]\n"
        b"rules: {nope: {}}\nwaivers: [{id: a, rules: [nope], match: {class: x}}]\n"
    )
    assert [line.split(": ")[1] for line in refused(mixed)] == [
        "policy",
        "owner",
        "reviewed_on",
        "schedules[0].rotation_period",
        "schedules[0].match.tir",
        "rules.nope",
        "waivers[0].rules[0]",
        "waivers[0].match.class",
    ]


# --- whatever is thrown at it -------------------------------------------------------------------


@settings(deadline=None)
@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_a_policy_error(data: bytes) -> None:
    try:
        read(data)
    except PolicyError as error:
        assert error.problems


@settings(deadline=None, max_examples=300)
@given(
    st.integers(0, len(DESIGN) - 1),
    st.integers(0, 12),
    st.sampled_from([b"", b"x", b"{", b"]", b": ", b"3", b"\n", b"null", b"[]"]),
)
def test_no_broken_policy_raises_anything_but_a_policy_error(at: int, cut: int, put: bytes) -> None:
    data = DESIGN[:at] + put + DESIGN[at + cut :]
    try:
        read(data)
    except PolicyError as error:
        assert all(
            problem.line is None or problem.line <= data.count(b"\n") + 2 for problem in error.problems
        )


_KEYS = st.sampled_from(
    ["policy", "schedules", "match", "rules", "waivers", "frameworks", "classify", "set", "name", "risk", "scope", "unused",
     "pci-dss", "risk_levels", "not_applicable", "id", "any", "not", "tier", "rotation_period", "after", "from", "until"]
)  # fmt: skip
_ANYTHING = st.recursive(
    st.sampled_from(
        [None, True, 3, -1, 2.5, "", "x", "30d", "0d", "2026-01-01", ">=1", "*", "unused", "high"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


def quoted(value: Any) -> str:
    import json

    return json.dumps(value)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(_KEYS, _ANYTHING, max_size=8))
def test_no_value_anywhere_raises_anything_but_a_policy_error(value: Any) -> None:
    try:
        read(quoted({"policy": "x", **value}).encode())
    except PolicyError as error:
        assert all(problem.line == 1 and problem.column for problem in error.problems)


# --- the schema for editors ---------------------------------------------------------------------


def schema_errors(data: bytes) -> list[str]:
    document = schema(CATALOGUE, CONTROLS)
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document)
    return [error.message for error in validator.iter_errors(load_yaml(data, "p").value())]


@pytest.mark.parametrize("data", [SHIPPED, DESIGN], ids=["default.yaml", "design"])
def test_the_schema_takes_what_the_loader_takes(data: bytes) -> None:
    assert schema_errors(data) == []


def test_the_schema_takes_every_policy_of_the_examples() -> None:
    files = sorted((Path(__file__).parents[2] / "examples").glob("*/policy.yaml"))
    assert files
    assert [error for file in files for error in schema_errors(file.read_bytes())] == []


@pytest.mark.parametrize(
    "data",
    [
        b"owner: x\n",
        P + b"polcy: x\n",
        P + b"rules: {unusd: {}}\n",
        P + b"rules: {unused: {after: 3}}\n",
        P + b"rules: {unused: {severity: hi}}\n",
        P + b"schedules: [{name: a}]\n",
        P + b"schedules: [{name: a, rotation_period: soon}]\n",
        P + b"schedules: [{name: a, rotation_period: 1d, match: {enviroment: x}}]\n",
        P + b"schedules: [{name: a, rotation_period: 1d, match: {class: api}}]\n",
        P + b"schedules: [{name: a, rotation_period: 1d, match: {tier: two}}]\n",
        P + b"schedules: [{name: a, rotation_period: 1d, match: {any: []}}]\n",
        P + b"classify: [{match: {}, set: {id: x}}]\n",
        P + b"frameworks: {pci-dss: {scpe: {}}}\n",
        P + b"waivers: [{id: a, rules: [nope], match: {}}]\n",
    ],
)
def test_the_schema_underlines_mistakes_that_the_loader_refuses(data: bytes) -> None:
    assert schema_errors(data)
    assert refused(data)


def test_the_schema_completes_known_frameworks_and_takes_ones_own() -> None:
    found = schema(CATALOGUE, CONTROLS)["properties"]["frameworks"]["properties"]
    assert found.keys() == CONTROLS.keys()
    assert schema_errors(P + b"frameworks: {house-rules: {scope: {tier: 1}}}\n") == []
    assert schema_errors(P + b"frameworks: {house-rules: {scpe: {tier: 1}}}\n")


def test_every_key_of_the_schema_is_described() -> None:
    document = schema(CATALOGUE, CONTROLS)
    parts = {"policy": document, **document["$defs"]}
    bare = [
        f"{part}.{name}"
        for part, definition in parts.items()
        for name, found in definition.get("properties", {}).items()
        if part not in {"Match", "Facts"} and "description" not in found
    ]
    assert bare == []
