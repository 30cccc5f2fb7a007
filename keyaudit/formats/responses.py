"""What management answers to findings: a file of its own, strict, printed beside what it answers.

    responses:
      - finding: 3f0c…                       # a finding's fingerprint
        response: The vendor replaces the key on 12 June.
        owner: app-team@acme.example
        due: 2026-06-30
        status: planned                      # open planned in-progress done accepted disputed
      - rule: rotation-overdue               # or KA101; all of its findings that match
        match: {environment: staging, name: "legacy/*"}
        response: The staging estate is shut down in July.
        owner: cto@acme.example
        status: accepted

keyaudit prints it and believes none of it: no response changes a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from keyaudit.errors import PolicyError, Problem, did_you_mean
from keyaudit.formats import wording
from keyaudit.match import fits_glob
from keyaudit.model import Finding
from keyaudit.strict_yaml import Node, load

STATUSES = ("open", "planned", "in-progress", "done", "accepted", "disputed")
FIELDS = ("finding", "rule", "match", "response", "owner", "due", "status")
MATCHED = ("source", "scope", "id", "name", "environment", "owner", "subject")
_DAY = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: to the finding with that fingerprint, or to those of a rule that match every glob.

    `due` is a day as it was written, `status` one of `STATUSES`.
    """

    finding: str | None
    rule: str | None
    match: tuple[tuple[str, str], ...]
    response: str
    owner: str
    due: str | None
    status: str

    @property
    def to(self) -> str:
        """What it answers, in words."""
        if self.finding is not None:
            return f"finding {self.finding}"
        limits = ", ".join(f"{name} {glob}" for name, glob in self.match)
        return f"{self.rule}{f' where {limits}' if limits else ''}"

    def answers(self, finding: Finding) -> bool:
        """Say whether it is about that finding."""
        if self.finding is not None:
            return finding.fingerprint == self.finding
        if self.rule not in (finding.rule, finding.name):
            return False
        return all(_fits(glob, _value(finding, name)) for name, glob in self.match)


@dataclass(frozen=True, slots=True)
class Responses:
    """All answers of a file, in its order."""

    answers: tuple[Response, ...] = ()

    def to(self, finding: Finding) -> tuple[Response, ...]:
        """Give the answers to one finding; those to it alone come first."""
        found = [answer for answer in self.answers if answer.answers(finding)]
        return tuple(sorted(found, key=lambda answer: answer.finding is None))

    def counted(self, findings: Iterable[Finding]) -> Mapping[Response, int]:
        """Count the findings that each answer is about: 0 for one that answers nothing in the report."""
        counts = dict.fromkeys(self.answers, 0)
        if counts:
            for finding in findings:
                for answer in self.to(finding):
                    counts[answer] += 1
        return counts


def read(content: bytes, file: str) -> Responses:
    """Read a file of responses; raises PolicyError with every problem in it."""
    root = load(content, file, error=PolicyError)
    problems = list(_problems(root, file))
    if problems:
        raise PolicyError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return Responses(tuple(_response(item) for item in root.at(("responses",)).content))


def _problems(root: Node, file: str) -> Iterator[Problem]:
    names = [name for name, _ in root.items()]
    for name, entry in root.items():
        if name != "responses":
            hint = did_you_mean(name, ("responses",))
            yield Problem(file, entry.line, entry.column, name, f"unknown setting{hint}")
    listed = root.at(("responses",))
    if "responses" not in names or not isinstance(listed.content, list):
        yield Problem(file, listed.line, listed.column, "responses", "expected a list of `- {finding: …}`")
        return
    for index, item in enumerate(listed.content):
        yield from _of_one(item, file, f"responses[{index}]")


def _of_one(item: Node, file: str, field: str) -> Iterator[Problem]:
    said = dict(item.items())
    if not isinstance(item.content, dict):
        yield Problem(file, item.line, item.column, field, "expected finding or rule, response, …")
        return
    for name, entry in said.items():
        place = Problem(file, entry.node.line, entry.node.column, f"{field}.{name}", "")
        if name not in FIELDS:
            hint = did_you_mean(name, FIELDS)
            yield Problem(file, entry.line, entry.column, place.field, f"unknown setting{hint}")
        elif complaint := _complaint(name, entry.node):
            yield Problem(file, place.line, place.column, place.field, complaint)
    yield from (
        Problem(file, item.line, item.column, f"{field}.{name}", "missing")
        for name in ("response", "owner", "status")
        if name not in said
    )
    if ("finding" in said) == ("rule" in said):
        yield Problem(file, item.line, item.column, field, "expected either finding or rule")
    elif "finding" in said and "match" in said:
        yield Problem(file, item.line, item.column, field, "match narrows a rule, not a finding")


def _complaint(name: str, node: Node) -> str | None:
    value = node.value()
    if name == "match":
        fits = isinstance(value, dict) and all(isinstance(glob, str) and glob for glob in value.values())
        unknown = [key for key in value if key not in MATCHED] if fits else []
        if unknown:
            return f"no field to match is called {unknown[0]!r}{did_you_mean(unknown[0], MATCHED)}"
        return None if fits and value else f"expected a glob for some of {', '.join(MATCHED)}"
    if not isinstance(value, str) or not value.strip():
        return "expected text"
    if name == "status" and value not in STATUSES:
        return f"expected one of {', '.join(STATUSES)}{did_you_mean(value, STATUSES)}"
    if name == "due" and not _DAY.fullmatch(value):
        return "expected a day such as 2026-06-30"
    return None


def _response(item: Node) -> Response:
    said = item.value()
    return Response(
        finding=said.get("finding"),
        rule=said.get("rule"),
        match=tuple(sorted(said.get("match", {}).items())),
        response=said["response"].strip(),
        owner=said["owner"],
        due=said.get("due"),
        status=said["status"],
    )


def _fits(glob: str, value: str | None) -> bool:
    return value is not None and fits_glob(glob, value)


def _value(finding: Finding, name: str) -> str | None:
    if name == "subject":
        return wording.subject(finding)
    value: str | None = getattr(finding.credential, name, None)
    return value
