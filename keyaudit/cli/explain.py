"""keyaudit explain: a rule, a control or one credential."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import click

from keyaudit.cli import options
from keyaudit.cli.outputs import print_text
from keyaudit.cli.tables import WIDTH
from keyaudit.errors import UsageError, nearest

if TYPE_CHECKING:
    from keyaudit.model import Control, Framework, Number, Rule

EPILOG = """\b
Examples:
  keyaudit explain KA101                      a rule, by its id
  keyaudit explain rotation-overdue           the same, by its name
  keyaudit explain soc2 CC6.1                 a control, and the rules that bear on it
  keyaudit explain pci-dss:8.6.3
  keyaudit explain prod/openai --inventory inventory.yaml
      A credential, by id or name: what was known, which schedule, when it is due."""


@click.command("explain", epilog=EPILOG, short_help="Explain a rule, a control or one credential.")
@click.argument("words", metavar="ID", nargs=-1, required=True)
@options.inventory
@options.policy
@options.framework
@options.as_of
@options.config
def command(
    words: Sequence[str],
    inventories: Sequence[str],
    policy: str | None,
    frameworks: Sequence[str],
    as_of: str | None,
    config: str | None,
) -> None:
    """Explain a rule (KA101), a control (soc2 CC6.1), or one credential of an inventory."""
    from keyaudit.policy import frameworks as packs
    from keyaudit.rules import RULES

    name = " ".join(words)
    if rule := _rule(RULES, name):
        _about_no_credential(name, inventories, as_of)
        print_text(f"{rule.doc.strip()}\n\n{_settings(rule)}")
        return
    pack, _, control = name.replace(":", " ", 1).partition(" ")
    if control and pack in packs.available():
        _about_no_credential(name, inventories, as_of)
        print_text(_control(packs.load([pack], {rule.name for rule in RULES})[0], control, RULES))
        return
    if not inventories and config is None and not _configured():
        raise _unknown(RULES, packs.available(), name)
    print_text("\n".join(_credential(name, inventories, policy, frameworks, as_of, config)))


def _about_no_credential(name: str, inventories: Sequence[str], as_of: str | None) -> None:
    """Refuse options that would change nothing: who gives them expects an answer about a credential."""
    if inventories or as_of is not None:
        raise UsageError(
            f"{name} is a rule or a control: --inventory and --as-of are for credentials",
            hint="leave the options out, or name a credential of the inventory",
        )


def _credential(
    name: str,
    inventories: Sequence[str],
    policy: str | None,
    frameworks: Sequence[str],
    as_of: str | None,
    config: str | None,
) -> list[str]:
    """Explain one credential: what is required of it and why, then how it fares."""
    from keyaudit import inventory
    from keyaudit.audit import audit
    from keyaudit.cli.configuration import read
    from keyaudit.cli.credential import find, how_it_fared, in_words
    from keyaudit.cli.gathering import documents, governing
    from keyaudit.cli.lineage import linked
    from keyaudit.policy.explain import explain

    instant = options.instant_of(as_of)
    settings = read(config)
    rules, chosen = governing(policy or settings.policy, frameworks or settings.frameworks)
    listed = linked(settings.lineage, inventory.read(documents(inventories, config)))
    row = find(listed, name)
    report = audit(listed, rules, chosen, instant)
    return [*in_words(explain(rules, chosen, row, instant)), *how_it_fared(report, row)]


def _rule(rules: Sequence[Rule], name: str) -> Rule | None:
    wanted = name.lower()
    return next((rule for rule in rules if wanted in {rule.id.lower(), rule.name}), None)


def _settings(rule: Rule) -> str:
    severity = rule.severity or "none: it makes an audit incomplete, it never fails the gate"
    lines = ["## In keyaudit", "", f"Severity: {severity}", f"Stands on: {rule.basis}"]
    if rule.params:
        lines += ["", "A policy may set:", ""]
        lines += [
            f"- `{rule.name}: {{{name}: …}}` ({param.kind}): {param.help}"
            for name, param in rule.params.items()
        ]
    return "\n".join(lines)


def _control(framework: Framework, wanted: str, rules: Sequence[Rule]) -> str:
    known = {control.id.lower(): control for control in framework.controls}
    control: Control | None = known.get(wanted.lower())
    if control is None:
        near = nearest(wanted.lower(), known)
        hint = f"did you mean {known[near].id}?" if near else f"keyaudit frameworks {framework.id} lists them"
        raise UsageError(f"{framework.id} has no control {wanted!r}", hint=hint)
    ids = {rule.name: rule.id for rule in rules}
    lines = [
        f"{framework.name} ({framework.version})",
        f"{control.id}: {control.title}",
        "",
        fill(control.summary.strip(), WIDTH),
        "",
        f"Metadata is {control.evidence} evidence. The control is {control.modality}.",
        f"How sure we are of this row: {control.confidence}.",
    ]
    lines += [_number(number) for number in control.numbers]
    if not any(number.binds for number in control.numbers):
        lines.append("Its text sets no number: your policy's is what an auditor tests.")
    if control.rules:
        lines += ["", "Rules that bear on it:", *(f"  {ids.get(name, '')}  {name}" for name in control.rules)]
    if control.manual_evidence:
        lines += ["", "What keyaudit cannot see, and an auditor will ask for:"]
        lines += [f"  - {evidence}" for evidence in control.manual_evidence]
    lines += ["", f"Source: {'; '.join(control.source)}"]
    return "\n".join(lines)


def _number(number: Number) -> str:
    """Say a number of the text, and who looks at it where keyaudit compares no credential with it."""
    from keyaudit.cli.frameworks import ELSEWHERE, number_in_words

    who = ELSEWHERE.get(number.fact)
    return f"A number: {number_in_words(number)}, {number.what}{f'; {who}' if who else ''}."


def _configured() -> bool:
    from pathlib import Path

    from keyaudit.cli.configuration import DEFAULT_FILE

    return Path(DEFAULT_FILE).exists()


def _unknown(rules: Sequence[Rule], packs: Sequence[str], name: str) -> Exception:
    known = [*(rule.id for rule in rules), *(rule.name for rule in rules), *packs]
    near = nearest(name, known) or nearest(name.upper(), known)
    if near:
        return UsageError(f"nothing is called {name!r}", hint=f"did you mean {near}?")
    return UsageError(
        f"no rule and no control is called {name!r}",
        hint="for a credential, say where it is: --inventory FILE",
    )
