"""keyaudit.yaml: what a repository audits, by which policy and for whom. Strict, all errors at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.cli import bundling, earlier_policies, lineage, options, presenting, rotations
from keyaudit.errors import PolicyError, Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from keyaudit.inventory.linking import LineageRule
    from keyaudit.strict_yaml import Node

DEFAULT_FILE = "keyaudit.yaml"

LISTS = ("inventory", "frameworks", "records", "history", "audit_logs")
TEXTS: dict[str, tuple[str, ...]] = {"policy": (), "fail_on": options.SEVERITIES, "group_by": options.GROUPS}
SOURCE_PATHS = ("cache", "ca_cert")
KEYS = (*LISTS, "sources", "lineage", "rotations", "earlier_policies", *TEXTS, "report", "bundle")


@dataclass(frozen=True)
class Configuration:
    """What keyaudit.yaml says, paths resolved; everything is empty where there is no such file."""

    file: Path | None = None
    inventory: tuple[str, ...] = ()
    sources: tuple[Mapping[str, Any], ...] = ()
    lineage: tuple[LineageRule, ...] = ()
    policy: str | None = None
    earlier_policies: tuple[tuple[str, str], ...] = ()
    frameworks: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    audit_logs: tuple[str, ...] = ()
    fail_on: str = "high"
    group_by: str = "owner"
    report: Mapping[str, Any] = field(default_factory=dict)
    bundle: Mapping[str, str] = field(default_factory=dict)


def read(config: str | None) -> Configuration:
    """Read the file that `--config` names, or keyaudit.yaml if it is there.

    Raises UsageError for a file that cannot be read, PolicyError with every problem of one that
    cannot be obeyed.
    """
    file = Path(config or DEFAULT_FILE)
    if config is None and not file.exists():
        return Configuration()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", hint="keyaudit init writes one") from None
    from keyaudit.strict_yaml import load

    root = load(content, str(file), error=PolicyError)
    problems = list(_problems(root, str(file)))
    if problems:
        raise PolicyError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return _resolved(file, root)


def _problems(root: Node, file: str) -> Iterator[Problem]:
    if not isinstance(root.content, dict):
        yield Problem(file, root.line, root.column, None, f"expected settings such as {', '.join(KEYS)}")
        return
    for name, entry in root.items():
        if name not in KEYS:
            yield Problem(file, entry.line, entry.column, name, f"unknown setting{did_you_mean(name, KEYS)}")
        elif name == "sources":
            yield from _sources(entry.node, file)
        elif name == "lineage":
            yield from lineage.problems(entry.node, file)
        elif name == "rotations":
            yield from rotations.problems(entry.node, file)
        elif name == "earlier_policies":
            yield from earlier_policies.problems(entry.node, file)
        elif name == "bundle":
            yield from bundling.problems(entry.node, file)
        elif name == "report":
            yield from presenting.problems(entry.node, file)
        elif complaint := _complaint(name, entry.node.value()):
            yield Problem(file, entry.node.line, entry.node.column, name, complaint)


def _complaint(name: str, value: Any) -> str | None:
    if name in LISTS:
        fits = isinstance(value, list) and all(isinstance(item, str) and item for item in value)
        return None if fits else "expected a list of names, such as [one, two]"
    choices = TEXTS[name]
    if not isinstance(value, str):
        return "expected text"
    if choices and value not in choices:
        return f"expected one of {', '.join(choices)}{did_you_mean(value, choices)}"
    return None


def _sources(node: Node, file: str) -> Iterator[Problem]:
    from keyaudit.sources import check_settings

    if not isinstance(node.content, list):
        yield Problem(file, node.line, node.column, "sources", "expected a list of `- name: …`")
        return
    names: set[object] = set()
    for index, item in enumerate(node.content):
        field = f"sources[{index}]"
        if not isinstance(item.content, dict):
            yield Problem(file, item.line, item.column, field, "expected settings: name, kind, …")
            continue
        entry = item.value()
        for problem in check_settings(entry):
            place = item.at(problem.path)
            where = ".".join([field, *map(str, problem.path)])
            yield Problem(file, place.line, place.column, where, problem.message)
        if entry.get("name") in names:
            place = item.at(("name",))
            yield Problem(file, place.line, place.column, f"{field}.name", "another source has this name")
        names.add(entry.get("name"))


def _resolved(file: Path, root: Node) -> Configuration:
    """Count paths from the file; a framework is a path if it looks like one."""
    said: Mapping[str, Any] = root.value()
    frameworks = (
        options.beside(file, name) if "/" in name or name.endswith((".yaml", ".yml")) else name
        for name in said.get("frameworks") or ()
    )
    return Configuration(
        file=file,
        inventory=tuple(options.beside(file, name) for name in said.get("inventory") or ()),
        sources=tuple(_with_paths(file, entry) for entry in said.get("sources") or ()),
        lineage=lineage.rules(root.at(("lineage",))) if "lineage" in said else (),
        policy=options.beside(file, said["policy"]) if said.get("policy") else None,
        earlier_policies=earlier_policies.configured(file, said.get("earlier_policies") or ()),
        frameworks=tuple(frameworks),
        records=tuple(options.beside(file, name) for name in said.get("records") or ()),
        history=tuple(options.beside(file, name) for name in said.get("history") or ()),
        audit_logs=tuple(options.beside(file, name) for name in said.get("audit_logs") or ()),
        fail_on=said.get("fail_on") or "high",
        group_by=said.get("group_by") or "owner",
        bundle=bundling.configured(file, said.get("bundle") or {}),
        report=presenting.configured(file, said.get("report") or {}),
    )


def _with_paths(file: Path, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Count the paths of a source's settings from the file, too; `cache` may also be true or false."""
    paths = {name: entry[name] for name in SOURCE_PATHS if isinstance(entry.get(name), str)}
    return {**entry, **{name: options.beside(file, path) for name, path in paths.items()}}
