"""keyaudit policy test: compare verdicts with those that a table expects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text

if TYPE_CHECKING:
    from keyaudit.cli.policy_cases import Case
    from keyaudit.model import Report, RuleResult, Verdict

EPILOG = """\b
Examples:
  keyaudit policy test policy-test.yaml                        the policy of keyaudit.yaml
  keyaudit policy test policy-test.yaml --policy draft.yaml

\b
A table looks like this; `age` stands for a value that old, other fields are those of an inventory:
  as_of: 2026-05-01T00:00:00Z
  tests:
    - name: production is late after ninety days
      credential: {environment: production, age: 91d}
      expect: {rotation-overdue: fail}
      requires: {schedule: production, rotation_period: 90d, grace_period: 48h}"""


@click.command("test", epilog=EPILOG, short_help="Compare verdicts with those that a table expects.")
@click.argument("file", metavar="TABLE")
@options.policy
@options.framework
@options.config
def command(file: str, policy: str | None, frameworks: Sequence[str], config: str | None) -> int:
    """Judge the credentials of TABLE and compare with what it expects.

    Exit code 0 when all is as expected, 1 when something is not, 2 when the table cannot be read.
    """
    from keyaudit.audit import audit
    from keyaudit.cli.configuration import read as configuration
    from keyaudit.cli.gathering import governing
    from keyaudit.cli.policy_cases import read
    from keyaudit.formats.visible import visible
    from keyaudit.rules import RULES

    settings = configuration(config)
    rules, chosen = governing(policy or settings.policy, frameworks or settings.frameworks)
    as_of, cases = read(
        file, {name: rule.name for rule in RULES if not rule.of_period for name in (rule.name, rule.id)}
    )
    lines, failed = [], 0
    for case in cases:
        differences = list(_differences(case, audit(case.inventory, rules, chosen, as_of)))
        failed += bool(differences)
        lines += [f"{'FAIL' if differences else 'ok':<6}{visible(case.name)}", *differences]
    print_text("\n".join([*lines, "", f"{len(cases)} tests, {failed} failed"]))
    return 1 if failed else 0


def _differences(case: Case, report: Report) -> Iterator[str]:
    from keyaudit.times import format_duration

    counted = {result.name: result for result in report.rules}
    for rule, expected in case.verdicts.items():
        verdict = _verdict(counted[rule])
        if verdict is not expected:
            yield f"      {rule}: {verdict}, expected {expected}"
    (row,) = report.population
    for name, wanted in case.requires.items():
        value = getattr(row, name)
        if value != wanted:
            said, meant = (
                "none" if one is None else one if isinstance(one, str) else format_duration(one)
                for one in (value, wanted)
            )
            yield f"      {name}: {said}, expected {meant}"


def _verdict(result: RuleResult) -> Verdict:
    """Read the verdict on the only credential off a rule's counts."""
    from keyaudit.model import Verdict

    counts = {
        Verdict.FAIL: result.failed,
        Verdict.WAIVED: result.waived,
        Verdict.UNKNOWN: result.unknown,
        Verdict.PASS: result.passed,
    }
    return next((verdict for verdict, count in counts.items() if count), Verdict.NOT_APPLICABLE)
