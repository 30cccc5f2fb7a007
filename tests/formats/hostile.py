"""Names that a stranger may have given a credential, and what each of them is after."""

from __future__ import annotations

from dataclasses import replace

from keyaudit.model import CredentialRef, Finding, Report

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
    return replace(report, findings=findings)


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
