"""keyaudit policy diff: what a changed policy would change, before anybody asks for it."""

from __future__ import annotations

from collections.abc import Sequence

import click

from keyaudit.cli import options

EPILOG = """\b
Examples:
  keyaudit policy diff policy.yaml draft.yaml --inventory inventory.yaml
      What the draft says otherwise, and which findings would come and go for it.
  keyaudit policy diff policy.yaml draft.yaml --framework pci-dss --format markdown
      For a pull request that changes the policy; the inventory is the one of keyaudit.yaml.

\b
Exit codes: 0 no new failure at or above --fail-on, 1 new or worse failures, 2 usage, policy or input
error, 3 none, but the draft leaves something undecided or unseen."""


@click.command("diff", epilog=EPILOG, short_help="Say what another policy would change, before anybody asks.")
@click.argument("old", metavar="OLD.YAML")
@click.argument("new", metavar="NEW.YAML")
@options.inventory
@options.framework
@options.as_of
@click.option(
    "--fail-on",
    type=click.Choice(options.SEVERITIES),
    help="The mildest severity of a new failure that makes the exit code 1.  "
    "[default: keyaudit.yaml's, else high]",
)
@options.difference_format
@options.difference_output
@options.config
def command(
    old: str,
    new: str,
    inventories: Sequence[str],
    frameworks: Sequence[str],
    as_of: str | None,
    fail_on: str | None,
    formats: Sequence[str],
    output: str | None,
    config: str | None,
) -> int:
    """Judge the same credentials as of the same instant by two policies, and say what is not the same.

    Findings that would appear, change or go, by rule, environment and schedule, each with what
    decided; and what the policies themselves say otherwise.
    """
    from keyaudit import inventory
    from keyaudit.audit import audit
    from keyaudit.cli.configuration import read
    from keyaudit.cli.gathering import documents, governing
    from keyaudit.cli.lineage import linked
    from keyaudit.cli.policy_differences import Outlook
    from keyaudit.cli.report_differences import Destination
    from keyaudit.model import Severity
    from keyaudit.policy.difference import compare as compare_policies
    from keyaudit.report_difference.comparison import compare
    from keyaudit.rules import CATALOGUE

    settings = read(config)
    destination = Destination(formats, output)
    gate = fail_on or settings.fail_on
    severity = None if gate == "none" else Severity(gate)
    instant = options.instant_of(as_of)
    (one, chosen), (other, _) = (governing(file, frameworks or settings.frameworks) for file in (old, new))
    listed = linked(settings.lineage, inventory.read(documents(inventories, config)))
    before, after = (audit(listed, policy, chosen, instant, fail_on=severity) for policy in (one, other))
    found = compare(before, after, fail_on=severity)
    outlook = Outlook(found, compare_policies(one, other, rules=CATALOGUE), (old, new))
    destination.put({name: outlook.render(name, destination) for name in destination.formats})
    return found.exit_code
