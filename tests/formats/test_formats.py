"""The table of formats: every name renders, and nobody pays for a format that was not asked for."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from formats.large_report import large_report
from formats.sample_ledger import ledgered
from keyaudit.errors import UsageError
from keyaudit.formats import FORMATS, render, wording
from keyaudit.model import Coverage, PolicySummary, ScopeStatus
from keyaudit.report_document import read
from keyaudit.rules import RULES

NO_VERSION = {"csv", "pdf", "gitlab", "ocsf", "asff", "xlsx", "ledger", "sample"}
TEXT = sorted(name for name, known in FORMATS.items() if not known.binary)


@pytest.mark.parametrize("name", TEXT)
def test_every_format_gives_the_same_bytes_twice(name: str) -> None:
    content = render(name, ledgered(large_report(4)))
    assert content == render(name, ledgered(large_report(4)))
    assert content.decode().strip()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_shows_an_audit_of_nothing(name: str) -> None:
    nothing = ledgered(large_report(0))
    policy = PolicySummary("p", "0" * 64, None, None, None, ())
    bare = replace(nothing, policy=policy, frameworks=(), coverage=(), rules=(), controls=(), waivers=())
    assert b"0.1.0" in render(name, bare) or name in NO_VERSION


@pytest.mark.parametrize(
    ("name", "hint"), [("markdwon", "did you mean markdown?"), ("x", "formats are terminal, json")]
)
def test_another_name_is_refused_with_a_way_out(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        render(name, large_report(1))
    assert str(caught.value) == f"no format is called {name!r}"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_format_of_a_part_is_refused_where_the_report_has_no_such_part(name: str) -> None:
    bare = large_report(1)
    if (part := FORMATS[name].of) is None:
        assert render(name, bare)
        return
    with pytest.raises(UsageError, match=f"^{part}: ") as caught:
        render(name, bare)
    assert caught.value.hint is not None
    assert render(name, ledgered(bare)).startswith((b"source,", b"order,"))


def test_the_table_itself_imports_nothing_heavy() -> None:
    heavy = ("rich", "jinja2", "weasyprint", "polars", "msgspec")
    program = f"import sys, keyaudit.formats; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_json_is_the_report_document() -> None:
    report = large_report(6)
    content = render("json", report)
    assert content.startswith(b'{\n  "schema": "keyaudit/report/1",\n  "tool": {\n')
    assert content.endswith(b'"\n}\n')
    assert read(content) == report
    assert json.loads(content)["findings"][0]["evidence"]["rotation_period"] in {"90d", "180d"}


def test_a_rule_that_the_policy_switched_off_is_not_said_to_lack_a_column() -> None:
    report = large_report(3)
    off = replace(report.rules[0], enabled=False)
    said = {gap.what: gap.why for gap in wording.gaps(replace(report, rules=(off, *report.rules[1:])))}
    assert said["KA101 rotation-overdue"] == "switched off by the policy"
    assert said["KA401 unused"] == "not tested where last_used_at was not collected"


@pytest.mark.parametrize("name", ["terminal", "markdown", "html"])
def test_every_format_says_that_a_rule_was_switched_off(name: str) -> None:
    report = large_report(3)
    off = replace(report.rules[0], enabled=False)
    content = " ".join(render(name, replace(report, rules=(off, *report.rules[1:]))).decode().lower().split())
    assert "switched off by the policy" in content
    assert "where switched off" not in content


def test_what_a_rule_about_the_policy_does_not_know_is_no_credential() -> None:
    report = large_report(3)
    review = replace(report.rules[0], id="KA801", name="policy-not-reviewed", unknown=1)
    said = {gap.what: gap.why for gap in wording.gaps(replace(report, rules=(review,)))}
    assert said["KA801 policy-not-reviewed"] == "could not be judged"
    others = {rule.id for rule in RULES if rule.subject != "credential"}
    assert set(wording.NOT_ABOUT_CREDENTIALS) == others


@pytest.mark.parametrize("name", ["terminal", "markdown", "html"])
def test_an_inventory_that_names_no_scope_is_not_called_complete(name: str) -> None:
    content = render(name, replace(large_report(3), coverage=())).decode()
    assert "which scopes were asked for" in " ".join(content.split())
    assert "read to the end and" not in content


@pytest.mark.parametrize("name", ["json", "html", "evidence-index"])
def test_a_scope_is_shown_with_as_whom_it_was_asked(name: str) -> None:
    role = "arn:aws:iam::111122223333:role/<audit>"
    asked = Coverage("aws-iam", "111122223333", ScopeStatus.COMPLETE, reason="slow", identity=role)
    report = replace(large_report(3), coverage=(asked,))
    content = render(name, report).decode()
    shown = {
        "json": f'"identity":"{role}"',
        "html": "slow. Asked as arn:aws:iam::111122223333:role/&lt;audit&gt;.",
    }
    assert shown.get(name, f"asked as {role}") in content.replace('": ', '":')
    assert read(render("json", report)).coverage == report.coverage
    nobody = replace(report, coverage=(replace(asked, identity=None),))
    assert "sked as" not in render("html", nobody).decode()
    assert '"identity"' not in json.dumps(json.loads(render("json", nobody))["coverage"])


@pytest.mark.parametrize("name", ["terminal", "markdown", "html"])
def test_page_one_says_what_exempts_itself_by_its_own_labels(name: str) -> None:
    said = "2 retries; exempt by their own labels: class dynamic-secret: 1,234"
    whole = Coverage("vault", "kv/exempt", ScopeStatus.COMPLETE, reason=said)
    content = render(name, replace(large_report(3), coverage=(whole,))).decode()
    page = " ".join(content.replace("\\", "").split())
    assert "exempt by their own labels: class dynamic-secret: 1,234" in page
    assert (
        "exempt by"
        not in render(name, replace(large_report(3), coverage=(replace(whole, reason="slow"),))).decode()
    )
