"""Names that a stranger may have given a credential, and what each of them is after."""

from __future__ import annotations

from dataclasses import replace

from formats.sample_ledger import END, START, ledgered
from keyaudit.model import (
    CredentialRef,
    Drawn,
    Finding,
    HistoryGap,
    Ledger,
    LedgerEntry,
    LedgerResult,
    LedgerRow,
    Operation,
    Recorded,
    Report,
    Sample,
)

NAMES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</table></body>",
    "&lt;b&gt; &amp; &#64;",
    "[red]bold[/red] [link=http://a.example]x[/link]",
    "\x1b[31mred\x1b[0m \x1b]8;;http://a.example\x07x",
    "\x9b31m",
    "\u202egnp.exe",
    "a\u200bb\u2066c",
    "line\nfeed\r\nreturn\ttab",
    "=HYPERLINK(1)",
    "  =1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "＝1+1",
    "\u00a0=1+1",
    "\u2003\u3000@SUM(A1)",
    "\u200b=1+1",
    "\ufeff \u2066+1",
    "\x0b-1",
    "a | b \\| c \\\\| d",
    "``` fence ` tick",
    "`",
    "# heading\n- list",
    "![x](http://a.example/x.png)",
    "@octocat #1 GH-1 www.a.example http://a.example a@b.example",
    "**bold** _it_ ~~no~~",
    "{{ 7*7 }} {% raw %} ${x}",
    "\ufeffmark\ufffe",
    "日本語 العربية עברית",
    "x" * 5000,
    " ",
    "",
)


def with_names(report: Report, names: tuple[str, ...] = NAMES) -> Report:
    """Give every place of a report that a store or a policy's author fills one of the names."""
    model = report.findings[0]
    findings = tuple(_named(model, name, number) for number, name in enumerate(names))
    with_period = ledgered(report)
    assert with_period.ledger is not None
    assert with_period.sample is not None
    return replace(
        with_period,
        findings=findings,
        ledger=_ledger(with_period.ledger, names),
        sample=_sample(with_period.sample, names),
    )


def _ledger(ledger: Ledger, names: tuple[str, ...]) -> Ledger:
    row = ledger.rows[0]
    entry = replace(row.entries[0], recorded=Recorded(START, "", "", "", ""), result=LedgerResult.LATE)
    assert ledger.history is not None
    file = ledger.history.files[0]
    return replace(
        ledger,
        policies=tuple(replace(ledger.policies[0], name=name, approved_by=name) for name in names),
        history=replace(
            ledger.history, files=tuple(replace(file, file=name, problem=name) for name in names)
        ),
        rows=tuple(_row(row, entry, name) for name in names),
    )


def _row(row: LedgerRow, entry: LedgerEntry, name: str) -> LedgerRow:
    said = Recorded(START, name, name, name, name)
    return replace(
        row,
        source=name,
        scope=name,
        id=name,
        name=name,
        cls=name,
        environment=name,
        owner=name,
        schedule=name,
        operation=Operation.EXCEPTION,
        gaps=(HistoryGap(START, END, name),),
        entries=(replace(entry, version=name, replaced_by=name, recorded=said),),
    )


def _sample(sample: Sample, names: tuple[str, ...]) -> Sample:
    drawn = tuple(Drawn(n, (name,), name, name, name, name, "f" * 64) for n, name in enumerate(names, 1))
    return replace(sample, seed=names[0], drawn=drawn, reserves=drawn)


def _named(finding: Finding, name: str, number: int) -> Finding:
    return replace(
        finding,
        credential=CredentialRef(name, name, name, name, name, name),
        version=name,
        message=name,
        clause=name,
        fix=name,
        waiver=name,
        evidence={name: name},
        fingerprint=str(number),
    )
