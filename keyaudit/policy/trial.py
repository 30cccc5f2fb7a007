"""A policy's own tests: credentials, and the verdicts that are expected of them.

    cases:
      - name: a quarter is enough for production
        as_of: 2026-05-01T00:00:00Z
        credential:
          environment: production
          owner: null
          versions:
            - {id: v2, state: current, created_at: 2026-02-01T00:00:00Z}
            - {id: v1, state: superseded, created_at: 2025-11-01T00:00:00Z}
        schedule: production
        expect: {rotation-overdue: pass, rotation-due-soon: fail, unowned: fail}

A credential has the fields of an inventory document; source, scope, id and name may be left out.
Each case is an inventory of its own, so cases are not copies or relatives of each other. What a
case leaves out was not collected, so rules that need it do not apply; null is "not known".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.errors import PolicyError, Problem, UsageError, did_you_mean
from keyaudit.inventory.columns import SCHEMA
from keyaudit.model import Verdict
from keyaudit.strict_yaml import Entry, Node
from keyaudit.strict_yaml import load as read_yaml
from keyaudit.times import parse_instant

if TYPE_CHECKING:
    from keyaudit.model import Inventory

KEYS = ("name", "as_of", "credential", "schedule", "expect")
VERDICTS = tuple(verdict.value for verdict in Verdict)
NO_SCHEDULE = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One credential, when it is judged, and what is expected.

    `expect` maps rule names to verdicts. `schedule` is the schedule expected to apply,
    `NO_SCHEDULE` for none, None if the case does not say. `line` is where it begins.
    """

    name: str
    as_of: int
    credential: Mapping[str, Any]
    expect: Mapping[str, Verdict]
    schedule: str | None
    line: int

    def inventory(self) -> Inventory:
        """Give an inventory of this credential alone."""
        import msgspec

        from keyaudit.inventory.assemble import assemble
        from keyaudit.inventory.json_documents import read_json
        from keyaudit.inventory.problems import Problems, refuse

        problems = Problems(self.name)
        data = msgspec.json.encode({"schema": SCHEMA, "credentials": [self.credential]})
        document = read_json(data, problems)
        refuse([problems])
        assert document is not None, "what has no problems was read"
        return assemble([document])


def load(path: Path, rules: Collection[str]) -> tuple[Case, ...]:
    """Read a table of cases; `rules` are the names of all rules.

    Raises PolicyError with every problem of the file, UsageError if it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    return parse(data, str(path), rules)


def parse(data: bytes, file: str, rules: Collection[str]) -> tuple[Case, ...]:
    """Read the bytes of a table of cases; see `load`."""
    root = read_yaml(data, file, error=PolicyError)
    reading = _Reading(file, rules)
    cases = reading.cases(root)
    if reading.problems:
        raise PolicyError(sorted(reading.problems, key=lambda p: (p.line or 0, p.column or 0)))
    return cases


class _Reading:
    def __init__(self, file: str, rules: Collection[str]) -> None:
        self.file, self.rules = file, rules
        self.problems: list[Problem] = []

    def wrong(self, place: Node | Entry, field: str | None, message: str) -> None:
        self.problems.append(Problem(self.file, place.line, place.column, field, message))

    def cases(self, root: Node) -> tuple[Case, ...]:
        if not isinstance(root.content, dict):
            self.wrong(root, None, "a mapping with a list of cases is expected")
            return ()
        self.known(root, None, ("cases",))
        listed = root.at(("cases",))
        if "cases" not in root.content or not isinstance(listed.content, list) or not listed.content:
            self.wrong(listed, "cases", "a list of cases is expected")
            return ()
        found = [self.case(item, f"cases[{place}]") for place, item in enumerate(listed.content)]
        return tuple(case for case in found if case is not None)

    def case(self, node: Node, field: str) -> Case | None:
        if not isinstance(node.content, dict):
            self.wrong(node, field, "a mapping is expected")
            return None
        self.known(node, f"{field}.", KEYS)
        missing = [name for name in ("name", "as_of", "credential") if name not in node.content]
        if missing:
            self.wrong(node, field, f"missing {', '.join(missing)}")
            return None
        if not {"expect", "schedule"} & node.content.keys():
            self.wrong(node, field, "expects nothing: give it expect or schedule")
        name = node.at(("name",))
        if not isinstance(name.content, str) or not name.content.strip():
            self.wrong(name, f"{field}.name", "text is expected")
        return Case(
            name=str(name.content),
            as_of=self.instant(node.at(("as_of",)), f"{field}.as_of"),
            credential=self.credential(node.at(("credential",)), f"{field}.credential", str(name.content)),
            expect=self.expected(node, f"{field}.expect"),
            schedule=self.schedule(node, f"{field}.schedule"),
            line=node.line,
        )

    def known(self, node: Node, prefix: str | None, keys: Collection[str]) -> None:
        for key, entry in node.items():
            if key not in keys:
                self.wrong(entry, f"{prefix or ''}{key}", f"unknown key{did_you_mean(key, keys)}")

    def instant(self, node: Node, field: str) -> int:
        try:
            return parse_instant(node.content if isinstance(node.content, str) else "")
        except ValueError as error:
            self.wrong(node, field, str(error))
            return 0

    def credential(self, node: Node, field: str, name: str) -> dict[str, Any]:
        """Check a credential as an inventory does; what may be left out is made up."""
        from keyaudit.inventory.check import check_credential
        from keyaudit.inventory.problems import Problems

        if not isinstance(node.content, dict):
            self.wrong(node, field, "a mapping is expected")
            return {}
        made_up = {"source": "test", "scope": "test", "id": name, "name": name}
        absent = {
            key: Entry(Node(text, node.line, node.column), node.line, node.column)
            for key, text in made_up.items()
        }
        full = Node({**absent, **node.content}, node.line, node.column)
        problems = Problems(self.file)
        check_credential(_as_inventory_node(full), field, problems)
        self.problems += problems.shown
        return dict(full.value())

    def expected(self, node: Node, field: str) -> dict[str, Verdict]:
        if not isinstance(node.content, dict) or "expect" not in node.content:
            return {}
        below = node.at(("expect",))
        if not isinstance(below.content, dict) or not below.content:
            self.wrong(below, field, "a mapping of rules to verdicts is expected")
        found = {}
        for rule, entry in below.items():
            verdict = entry.node.content
            if rule not in self.rules:
                self.wrong(
                    entry, f"{field}.{rule}", f"no rule is called {rule!r}{did_you_mean(rule, self.rules)}"
                )
            elif verdict not in VERDICTS:
                hint = did_you_mean(verdict, VERDICTS)
                self.wrong(entry.node, f"{field}.{rule}", f"must be one of {', '.join(VERDICTS)}{hint}")
            else:
                found[rule] = Verdict(verdict)
        return found

    def schedule(self, node: Node, field: str) -> str | None:
        if not isinstance(node.content, dict) or "schedule" not in node.content:
            return None
        below = node.at(("schedule",))
        if below.content is None:
            return NO_SCHEDULE
        if isinstance(below.content, str) and below.content:
            return below.content
        self.wrong(below, field, "the name of a schedule is expected, or null for none")
        return None


def _as_inventory_node(node: Node) -> Any:
    from keyaudit.inventory import nodes

    value = node.content
    if isinstance(value, dict):
        value = {key: _as_inventory_node(entry.node) for key, entry in value.items()}
    elif isinstance(value, list):
        value = [_as_inventory_node(item) for item in value]
    return nodes.Node(value, node.line, node.column)
