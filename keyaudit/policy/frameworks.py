"""Frameworks: finding their files and reading them strictly, only those that were asked for.

A framework file says what a standard asks of credentials, in our own words. What it may contain
is in the tables below; anything else is refused, with every error of every file at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from pathlib import Path

from keyaudit import strict_yaml
from keyaudit.errors import PolicyError, Problem, UsageError, did_you_mean
from keyaudit.model import Control, Framework, Number
from keyaudit.policy import shipped
from keyaudit.policy.framework_fields import Fields
from keyaudit.strict_yaml import Node

FRAMEWORK = ("id", "name", "version", "publisher", "status", "scope_note", "reviewed_on", "controls")
CONTROL = ("id", "title", "summary", "rules", "evidence", "modality", "source", "confidence")
CONTROL_MAY = ("applies_to", "numbers", "manual_evidence")
NUMBER = ("fact", "kind", "what")
NUMBER_MAY = ("value",)

EVIDENCE = ("direct", "partial", "supporting")
CONFIDENCE = ("high", "medium", "low")
MODALITIES = (
    "required",
    "service-provider",
    "addressable",
    "if-selected",
    "level-1",
    "level-2",
    "advisory",
)
# What a number may limit: the period, or a parameter of a rule, as RULE.PARAMETER. Beside these,
# which are compared with credentials: the last review of the policy, which `policy-not-reviewed`
# judges, and what only an auditor can look at.
FACTS = (
    "rotation_period",
    "unused.after",
    "never-used.after",
    "old-key-active.max_age",
    "rotation-stalled.after",
    "compromise-not-rotated.within",
    "policy_review",
    "manual",
)
WITH_VALUE = ("required", "alternative", "guidance")
KINDS = (*WITH_VALUE, "organisation-defined")

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


def available() -> tuple[str, ...]:
    """List the ids of the shipped frameworks, sorted, from file names alone."""
    return tuple(sorted(file.stem for file in shipped.folder("frameworks").glob("*.yaml")))


def load(wanted: Sequence[str], rules: Collection[str]) -> tuple[Framework, ...]:
    """Read the frameworks that are wanted, in that order, each once.

    `wanted` holds ids of shipped frameworks, or paths of framework files (anything with a slash
    or ending in .yaml or .yml); `rules` the names of all rules. Raises UsageError for an unknown
    id, a file that cannot be read or two frameworks with one id, and PolicyError with every
    problem of every file.
    """
    frameworks: dict[str, Framework] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(wanted):
        try:
            framework = load_file(file_of(name), rules)
        except PolicyError as error:
            problems.extend(error.problems)
            continue
        if framework.id in frameworks:
            raise UsageError(
                f"two frameworks are called {framework.id}", hint=f"give the one in {name} another id"
            )
        frameworks[framework.id] = framework
    if problems:
        raise PolicyError(problems)
    return tuple(frameworks.values())


def load_file(file: Path, rules: Collection[str]) -> Framework:
    """Read one framework file; raises UsageError if it cannot be read, PolicyError with all its problems."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"framework file {file} cannot be read: {error.strerror}") from None
    fields = Fields(str(file))
    root = strict_yaml.load(data, fields.file, error=PolicyError)
    framework = _framework(root, fields, rules, hashlib.sha256(data).hexdigest())
    if fields.problems:
        raise PolicyError(
            sorted(fields.problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        )
    return framework


def file_of(name: str) -> Path:
    """Say where a framework that is wanted lies; raises UsageError for an id that is none."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    known = available()
    if name not in known:
        near = did_you_mean(name.lower(), known).removeprefix("; ")
        hint = near or f"frameworks are {', '.join(known)}; or give the path of a file"
        raise UsageError(f"no such framework: {name}", hint=hint)
    return shipped.folder("frameworks", f"{name}.yaml")


def _framework(root: Node, fields: Fields, rules: Collection[str], sha256: str) -> Framework:
    given = fields.mapping(root, "", FRAMEWORK)
    identity = fields.text(given.get("id"), "id")
    if identity and not _ID.fullmatch(identity):
        fields.wrong(given["id"], "id", "must be lower-case words joined by hyphens, such as pci-dss")
    fields.day(given.get("reviewed_on"), "reviewed_on")
    return Framework(
        id=identity,
        name=fields.text(given.get("name"), "name"),
        version=fields.text(given.get("version"), "version"),
        publisher=fields.text(given.get("publisher"), "publisher"),
        status=fields.text(given.get("status"), "status"),
        scope_note=fields.text(given.get("scope_note"), "scope_note"),
        controls=_controls(given.get("controls"), fields, identity, rules),
        sha256=sha256,
    )


def _controls(
    node: Node | None, fields: Fields, framework: str, rules: Collection[str]
) -> tuple[Control, ...]:
    if node is not None and node.content == []:
        fields.wrong(node, "controls", "a framework needs at least one control")
    controls: list[Control] = []
    first: dict[str, int] = {}
    for item, path in fields.items(node, "controls"):
        control = _control(item, path, fields, framework, rules)
        controls.append(control)
        place = item.at(("id",))
        if control.id in first:
            earlier = f"duplicate control {control.id!r}, first on line {first[control.id]}"
            fields.wrong(place, f"{path}.id", earlier)
        elif control.id:
            first[control.id] = place.line
    return tuple(controls)


def _control(node: Node, path: str, fields: Fields, framework: str, rules: Collection[str]) -> Control:
    given = fields.mapping(node, path, CONTROL, CONTROL_MAY)
    bearing = _rules(given.get("rules"), f"{path}.rules", fields, rules)
    control = Control(
        framework=framework,
        id=fields.text(given.get("id"), f"{path}.id"),
        title=fields.text(given.get("title"), f"{path}.title"),
        summary=fields.text(given.get("summary"), f"{path}.summary"),
        rules=bearing,
        applies_to=fields.match(given.get("applies_to"), f"{path}.applies_to"),
        evidence=fields.choice(given.get("evidence"), f"{path}.evidence", EVIDENCE),
        modality=fields.choice(given.get("modality"), f"{path}.modality", MODALITIES),
        numbers=_numbers(given.get("numbers"), f"{path}.numbers", fields, bearing),
        manual_evidence=fields.texts(given.get("manual_evidence"), f"{path}.manual_evidence"),
        source=fields.texts(given.get("source"), f"{path}.source"),
        confidence=fields.choice(given.get("confidence"), f"{path}.confidence", CONFIDENCE),
    )
    _soundness(control, given, path, fields)
    return control


def _soundness(control: Control, given: dict[str, Node], path: str, fields: Fields) -> None:
    """Refuse what nobody could defend: evidence from no rule, a row without a source."""
    empty = {name for name in ("rules", "source") if name in given and given[name].content == []}
    if "rules" in empty and control.evidence in {"direct", "partial"}:
        fields.wrong(
            given["evidence"], f"{path}.evidence", "without a rule the evidence is supporting at most"
        )
    if "rules" in empty and not control.manual_evidence:
        fields.wrong(given["rules"], f"{path}.rules", "a control without a rule must list manual_evidence")
    if "source" in empty:
        fields.wrong(given["source"], f"{path}.source", "must name at least one source")


def _rules(node: Node | None, path: str, fields: Fields, known: Collection[str]) -> tuple[str, ...]:
    names = fields.texts(node, path)
    for name, (item, place) in zip(names, fields.items(node, path) if names else [], strict=True):
        if name and name not in known:
            fields.wrong(item, place, f"no rule is called {name!r}{did_you_mean(name, sorted(known))}")
    return names


def _numbers(node: Node | None, path: str, fields: Fields, rules: Collection[str]) -> tuple[Number, ...]:
    return tuple(_number(item, place, fields, rules) for item, place in fields.items(node, path))


def _number(node: Node, path: str, fields: Fields, rules: Collection[str]) -> Number:
    given = fields.mapping(node, path, NUMBER, NUMBER_MAY)
    kind = fields.choice(given.get("kind"), f"{path}.kind", KINDS)
    value = given.get("value")
    if value is None and kind in WITH_VALUE:
        fields.wrong(node, path, f"a number of kind {kind} needs a value such as 90d")
    elif value is not None and kind == "organisation-defined":
        fields.wrong(
            value, f"{path}.value", "an organisation-defined number has no value: your policy has it"
        )
    return Number(
        fact=_fact(given.get("fact"), f"{path}.fact", fields, rules),
        value=fields.duration(value, f"{path}.value"),
        kind=kind,
        what=fields.text(given.get("what"), f"{path}.what"),
    )


def _fact(node: Node | None, path: str, fields: Fields, rules: Collection[str]) -> str:
    """Read what a number limits; what a rule compares it with must be among the control's rules."""
    fact = fields.choice(node, path, FACTS)
    rule, _, parameter = fact.partition(".")
    judging = rule if parameter else {"policy_review": "policy-not-reviewed"}.get(fact)
    if node is not None and fact in FACTS and judging and judging not in rules:
        fields.wrong(node, path, f"limits {judging}, which is not among the rules of this control")
    return fact
