"""Judges the cases of the rules: each becomes a real inventory document and a real policy file.

A case file `cases/<rule file>.yaml` holds `policy` (added to `policy.yaml`), `impossible` (verdicts
that cannot come up, and why) and `cases`. A case holds `name`, `credential` or `credentials`,
optional `coverage` and `policy`, and `expect`: one verdict, or one for each credential. Source,
scope, id and name are filled in where a case has no use for them. Times may be written as seen
from the audit: `now`, `ago 90d 1us`, `in 1us`. A credential with the id `waived` has a waiver. One with
`replica_of: primary` gets that primary, of which no rule asks anything, in a document beside it.

Rules of a period are judged for one from `ago 200d` to `ago 20d`. `records` of a case are promotions
that the journal of rotations writes down: `at`, and what else is known of `version`, `key_id`, `token`,
`requested_by`, `approved_by`, and of which credential, its number; `lost` breaks the chain of the file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from keyaudit import inventory, policy
from keyaudit.audit import audit
from keyaudit.model import Finding, Report, Rule, RuleResult, Verdict
from keyaudit.rotation.journal import Entry, FileJournal, Request
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.rotation_record import RecordFile, read_files
from keyaudit.rules import CATALOGUE, RULES, by_name
from keyaudit.times import DAY, format_instant, parse_duration, parse_instant

HERE = Path(__file__).parent
FOLDER = HERE / "cases"
AS_OF = parse_instant("2026-05-01T00:00:00Z")
PERIOD = (AS_OF - 200 * DAY, AS_OF - 20 * DAY)
_UNASKED = {"class": "dynamic-secret"}
_MOMENT = re.compile(r"(ago|in)((?: \d+(?:us|ms|s|m|h|d))+)")


@dataclass(frozen=True)
class Case:
    """One row of a table: credentials, what is asked of them, and what must come out."""

    rule: Rule
    place: str
    name: str
    credentials: tuple[dict[str, Any], ...]
    coverage: tuple[dict[str, Any], ...]
    policy: Mapping[str, Any]
    own_policy: bool
    expect: tuple[Verdict, ...]
    evidence: Mapping[str, Any]
    message: str | None
    records: tuple[dict[str, Any], ...] | None = ()

    @property
    def alone(self) -> bool:
        """Say whether it cannot share an audit with the other cases of its file."""
        return self.own_policy or len(self.credentials) != 1 or self.rule.subject != "credential"


@cache
def table(rule: str) -> Mapping[str, Any]:
    """Read the case file of a rule, by its name."""
    path = FOLDER / f"{rule.replace('-', '_')}.yaml"
    # The loader in C: the tables are read while tests are collected.
    found: Mapping[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return found


@cache
def cases(rule: str) -> tuple[Case, ...]:
    """Give the cases of a rule, by its name."""
    shared = table(rule).get("policy", {})
    return tuple(_case(by_name[rule], i, raw, shared) for i, raw in enumerate(table(rule)["cases"]))


def every_case() -> list[Case]:
    """Give the cases of all rules."""
    return [case for rule in RULES for case in cases(rule.name)]


def _case(rule: Rule, number: int, raw: Mapping[str, Any], shared: Mapping[str, Any]) -> Case:
    place = f"{rule.id}-{number}"
    given = raw.get("credentials", [raw["credential"]] if "credential" in raw else [])
    expect = raw["expect"] if isinstance(raw["expect"], list) else [raw["expect"]]
    identity = {"source": "store", "scope": place, "name": place}
    coverage = [{**identity, "status": "complete", **scope} for scope in raw.get("coverage", [])]
    return Case(
        rule=rule,
        place=place,
        name=raw["name"],
        credentials=tuple(
            {**identity, "id": str(i), **_timed(credential)} for i, credential in enumerate(given)
        ),
        coverage=tuple({k: v for k, v in scope.items() if k != "name"} for scope in coverage),
        policy=_merged(shared, raw.get("policy", {})),
        own_policy="policy" in raw,
        expect=tuple(Verdict(verdict) for verdict in expect),
        evidence=raw.get("evidence", {}),
        message=raw.get("message"),
        records=tuple(_timed(record) for record in raw.get("records", ())),
    )


def _timed(value: Any) -> Any:
    """Write times as seen from the audit as RFC 3339."""
    if isinstance(value, dict):
        return {key: _timed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_timed(item) for item in value]
    if value == "now":
        return format_instant(AS_OF)
    if isinstance(value, str) and (match := _MOMENT.fullmatch(value)):
        distance = sum(parse_duration(part) for part in match[2].split())
        return format_instant(AS_OF + (distance if match[1] == "in" else -distance))
    return value


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one policy over another: mappings are merged, anything else is replaced."""
    merged = deepcopy(dict(base))
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def judged(case: Case) -> tuple[Counter[Verdict], dict[str, Finding]]:
    """Judge a case by its rule alone: verdicts counted, and its findings by credential id."""
    if not case.alone:
        report = _together(case.rule.name, case.expect[0])
        mine = {
            f.credential.id: f for f in report.findings if f.credential and f.credential.scope == case.place
        }
        counted = Counter(f.verdict for f in mine.values())
        if counted:
            return counted, mine
        result = verdicts(_result(report, case.rule))
        if len(result) == 1:
            return Counter(dict.fromkeys(result, 1)), mine
    report = run([case], [case.rule], case.policy)
    found = {(f.credential.id if f.credential else f.subject or ""): f for f in report.findings}
    primaries = Counter({Verdict.NOT_APPLICABLE: len(_copied([case]))})
    return verdicts(_result(report, case.rule)) - primaries, found


@cache
def _together(rule: str, expected: Verdict) -> Report:
    """Audit at once the cases of a file that expect the same verdict and share its policy."""
    group = [case for case in cases(rule) if not case.alone and case.expect == (expected,)]
    return run(group, [by_name[rule]], table(rule).get("policy", {}))


def verdicts(result: RuleResult) -> Counter[Verdict]:
    """Count the verdicts of a rule's result."""
    counted = {
        Verdict.PASS: result.passed,
        Verdict.FAIL: result.failed,
        Verdict.UNKNOWN: result.unknown,
        Verdict.NOT_APPLICABLE: result.not_applicable,
        Verdict.WAIVED: result.waived,
    }
    return Counter({verdict: count for verdict, count in counted.items() if count})


def _result(report: Report, rule: Rule) -> RuleResult:
    return next(result for result in report.rules if result.id == rule.id)


def run(
    group: Sequence[Case], rules: Sequence[Rule], more: Mapping[str, Any], engine: str = "polars"
) -> Report:
    """Write cases as documents, a document a case, and audit them by some rules."""
    on = {rule.name for rule in rules}
    own = {rule.name: {"enabled": rule.name in on} for rule in RULES}
    base = yaml.safe_load((HERE / "policy.yaml").read_text("utf-8"))
    waiver = {
        "id": "W-1",
        "rules": sorted(rule.name for rule in rules if rule.subject == "credential") or ["rotation-overdue"],
        "match": {"id": "waived"},
        "reason": "agreed in writing",
        "requested_by": "team@acme.example",
        "approved_by": "ciso@acme.example",
        "from": "2026-01-01",
        "until": "2026-12-31",
    }
    text = yaml.safe_dump(_merged(_merged({**base, "waivers": [waiver]}, {"rules": own}), more))
    with TemporaryDirectory() as folder:
        path = Path(folder, "policy.yaml")
        path.write_text(text, "utf-8")
        documents = [_document(case, Path(folder, f"{case.place}.json")) for case in group]
        documents += [_primary(source, Path(folder, f"primary-{source}.json")) for source in _copied(group)]
        governing = policy.load(path, rules=CATALOGUE, frameworks={})
        over = PERIOD if any(rule.of_period for rule in rules) else None
        records = _records(group, Path(folder)) if over else None
        return audit(inventory.read(documents), governing, (), AS_OF, over, records=records, engine=engine)


def _records(group: Sequence[Case], folder: Path) -> tuple[RecordFile, ...] | None:
    """Have the journal of rotations write down what the cases say; None where one was given none."""
    if any(case.records is None for case in group):
        return None
    files = []
    for case in group:
        file = folder / f"{case.place}.ndjson"
        file.touch()
        files.append(file)
        for number, record in enumerate(case.records or ()):
            said = {"source": "store", "id": "0", **record}
            place = Credential(said["source"], case.place, said["id"], case.place)
            asked = Request(record.get("requested_by"), record.get("approved_by"), "CHG-1")
            pending = {"version": record.get("version"), "key_id": record.get("key_id")}
            FileJournal(file, case.place, place, asked).append(
                Entry(
                    parse_instant(record["at"]),
                    record.get("event", "result"),
                    record.get("token", f"token-{number}"),
                    "promote",
                    "done",
                    None,
                    {"pending": pending},
                )
            )
        if any(record.get("lost") for record in case.records or ()):
            file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[1:]))
    return read_files(files)


def _copied(group: Sequence[Case]) -> list[str]:
    copies = (each for case in group for each in case.credentials if each.get("replica_of") == "primary")
    return sorted({copy["source"] for copy in copies})


def _primary(source: str, path: Path) -> Path:
    primary = {"source": source, "scope": "primary", "id": "primary", "name": "primary"} | _UNASKED
    path.write_text(json.dumps({"schema": "keyaudit/inventory/1", "credentials": [primary]}), "utf-8")
    return path


def _document(case: Case, path: Path) -> Path:
    document: dict[str, Any] = {"schema": "keyaudit/inventory/1", "credentials": list(case.credentials)}
    if case.coverage:
        document["coverage"] = list(case.coverage)
    path.write_text(json.dumps(document), "utf-8")
    return path
