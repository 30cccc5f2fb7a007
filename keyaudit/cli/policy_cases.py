"""The table that `keyaudit policy test` reads: credentials, and what their policy's author expects.

    as_of: 2026-05-01T00:00:00Z
    tests:
      - name: production is fine on its ninetieth day
        credential: {environment: production, age: 90d}
        expect: {rotation-overdue: pass}
        requires: {schedule: production, rotation_period: 90d, grace_period: 48h}

A credential has the columns of an inventory document; what says where it is kept may be left
out. `age: 90d` stands for a value made that long before `as_of` that replaced an older one.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.errors import InventoryError, PolicyError, Problem, UsageError, did_you_mean
from keyaudit.model import Verdict
from keyaudit.times import DAY, format_instant, parse_duration, parse_instant

if TYPE_CHECKING:
    from keyaudit.model import Inventory
    from keyaudit.strict_yaml import Node

TOP = ("as_of", "tests")
CASE = ("name", "credential", "expect", "requires")
REQUIRES = ("schedule", "rotation_period", "grace_period")
WHERE = ("source", "scope", "id", "name")


@dataclass(frozen=True)
class Case:
    """One row of the table. `verdicts` maps rule names, `requires` schedule and durations (microseconds)."""

    name: str
    inventory: Inventory
    verdicts: Mapping[str, Verdict]
    requires: Mapping[str, str | int]


def read(file: str, names: Mapping[str, str]) -> tuple[int, tuple[Case, ...]]:
    """Give `as_of` and the cases; `names` maps rule names and ids to rule names.

    Raises UsageError for a file that cannot be read, PolicyError with all that is wrong in it.
    """
    from keyaudit.strict_yaml import load

    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    table = _Table(file, names, [])
    as_of, cases = table.read(load(content, file, error=PolicyError))
    if table.problems:
        raise PolicyError(sorted(table.problems, key=lambda found: (found.line or 0, found.column or 0)))
    return as_of, cases


@dataclass(frozen=True)
class _Table:
    """One table being read; what is wrong becomes a problem and a harmless stand-in."""

    file: str
    names: Mapping[str, str]
    problems: list[Problem]

    def wrong(self, node: Node, field: str, message: str) -> None:
        self.problems.append(Problem(self.file, node.line, node.column, field or None, message))

    def read(self, root: Node) -> tuple[int, tuple[Case, ...]]:
        given = self.mapping(root, "", TOP, required=TOP)
        as_of = self.instant(given["as_of"]) if "as_of" in given else 0
        listed = given.get("tests")
        if listed is not None and not (isinstance(listed.content, list) and listed.content):
            self.wrong(listed, "tests", "expected a list of tests, at least one")
            return as_of, ()
        items = listed.content if listed is not None else []
        cases = (self.case(item, f"tests[{index}]", as_of) for index, item in enumerate(items))
        return as_of, tuple(case for case in cases if case is not None)

    def case(self, node: Node, field: str, as_of: int) -> Case | None:
        before = len(self.problems)
        given = self.mapping(node, field, CASE, required=("name", "credential"))
        name = given["name"].value() if "name" in given else ""
        if "name" in given and not (isinstance(name, str) and name):
            self.wrong(given["name"], f"{field}.name", "expected text")
        verdicts = self.verdicts(given.get("expect"), f"{field}.expect")
        requires = self.requires(given.get("requires"), f"{field}.requires")
        if not verdicts and not requires and len(self.problems) == before:
            self.wrong(node, field, "expects nothing: write `expect` or `requires`")
        if len(self.problems) > before:
            return None
        listed = self.inventory(given["credential"], f"{field}.credential", str(name), as_of)
        return None if listed is None else Case(str(name), listed, verdicts, requires)

    def verdicts(self, node: Node | None, field: str) -> dict[str, Verdict]:
        found: dict[str, Verdict] = {}
        choices = [verdict.value for verdict in Verdict]
        for name, entry in self.entries(node, field):
            verdict = entry.value()
            if name not in self.names:
                self.wrong(entry, f"{field}.{name}", f"no such rule{did_you_mean(name, self.names)}")
            elif verdict not in choices:
                hint = did_you_mean(verdict, choices)
                self.wrong(entry, f"{field}.{name}", f"expected one of {', '.join(choices)}{hint}")
            else:
                found[self.names[name]] = Verdict(verdict)
        return found

    def requires(self, node: Node | None, field: str) -> dict[str, str | int]:
        found: dict[str, str | int] = {}
        for name, entry in self.entries(node, field):
            value = entry.value()
            if name not in REQUIRES:
                self.wrong(entry, f"{field}.{name}", f"unknown{did_you_mean(name, REQUIRES)}")
            elif not isinstance(value, str):
                self.wrong(entry, f"{field}.{name}", "expected text")
            elif name == "schedule":
                found[name] = value
            else:
                found[name] = self.duration(entry, f"{field}.{name}")
        return found

    def inventory(self, node: Node, field: str, name: str, as_of: int) -> Inventory | None:
        """Read the credential as an inventory document is read; its problems keep their places."""
        if not isinstance(node.content, dict):
            self.wrong(node, field, "expected a credential: fields of an inventory document")
            return None
        credential: dict[str, Any] = {**dict.fromkeys(WHERE, "test"), "name": name, **node.value()}
        if "age" in node.content:
            if "versions" in node.content:
                self.wrong(node.content["age"].node, f"{field}.age", "write either `age` or `versions`")
                return None
            age = self.duration(node.content["age"].node, f"{field}.age")
            credential = {key: value for key, value in credential.items() if key != "age"}
            credential["versions"] = _versions(as_of - age)
        try:
            return _inventory(credential)
        except InventoryError as error:
            for problem in error.problems:
                path = (problem.field or "").removeprefix("credentials[0]").lstrip(".")
                place = node.at(
                    tuple(int(part) if part.isdigit() else part for part in re.findall(r"\w+", path))
                )
                where = f"{field}.{path}".rstrip(".")
                moved = replace(problem, file=self.file, line=place.line, column=place.column, field=where)
                self.problems.append(moved)
            return None

    def instant(self, node: Node) -> int:
        try:
            return parse_instant(str(node.value()))
        except ValueError as error:
            self.wrong(node, "as_of", str(error))
            return 0

    def duration(self, node: Node, field: str) -> int:
        try:
            return parse_duration(str(node.value()))
        except ValueError as error:
            self.wrong(node, field, str(error))
            return 0

    def mapping(
        self, node: Node, field: str, known: Collection[str], required: Collection[str]
    ) -> dict[str, Node]:
        given = dict(self.entries(node, field))
        prefix = f"{field}." if field else ""
        for name, value in given.items():
            if name not in known:
                self.wrong(value, f"{prefix}{name}", f"unknown field{did_you_mean(name, known)}")
        if missing := [name for name in required if name not in given]:
            self.wrong(node, field, f"missing {', '.join(missing)}")
        return given

    def entries(self, node: Node | None, field: str) -> list[tuple[str, Node]]:
        if node is not None and not isinstance(node.content, dict):
            self.wrong(node, field, "expected a mapping")
        return [] if node is None else [(name, entry.node) for name, entry in node.items()]


def _versions(created_at: int) -> list[dict[str, str]]:
    """Give a value made at an instant that replaced an older one."""
    made = format_instant(created_at)
    older = {"id": "1", "state": "destroyed", "created_at": format_instant(created_at - 30 * DAY)}
    return [{"id": "2", "state": "current", "created_at": made}, {**older, "superseded_at": made}]


def _inventory(credential: Mapping[str, Any]) -> Inventory:
    from keyaudit import inventory
    from keyaudit.columns import SCHEMA

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "credential.json"
        file.write_text(json.dumps({"schema": SCHEMA, "credentials": [credential]}), "utf-8")
        return inventory.read([file])
