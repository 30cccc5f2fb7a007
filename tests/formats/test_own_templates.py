"""Templates of a user's own: what they may replace, and that a hostile one reaches and costs nothing."""

from __future__ import annotations

import re
import time

import pytest

from formats.hostile import with_names
from formats.large_report import large_report
from keyaudit.errors import PolicyError, UsageError
from keyaudit.formats import own_templates, pdf_page, render
from keyaudit.formats.own_templates import OwnTemplates, read
from keyaudit.formats.presentation import Presentation

COVER = "pdf_distribution.html.j2"
REPORT = large_report(3)
SHOWN = Presentation(distribution=("Acme",))


def filled(text: str, name: str = COVER, **others: str) -> str:
    """What the PDF is laid out from, with one template replaced."""
    texts = {name: text, **{f"own_{key}.html.j2": value for key, value in others.items()}}
    own = read({key: value.encode() for key, value in texts.items()}, "mine")
    presented = Presentation(distribution=("Acme",), templates=own)
    return pdf_page.page(REPORT, "0" * 64, (), entity=None, marking="m", presentation=presented)


def test_a_template_stands_in_for_ours_and_may_include_it_and_its_own() -> None:
    page = filled(
        '<p>Before {{ report.policy.name }}</p>{% include "keyaudit/pdf_distribution.html.j2" %}'
        '{% include "own_after.html.j2" %}',
        after="<p>{{ report.findings|length }} findings</p>",
    )
    assert "<p>Before acme-credential-rotation</p>" in page
    assert "This report is restricted to" in page
    assert "<p>3 findings</p>" in page


def test_the_page_takes_one_too_and_its_style() -> None:
    own = read({"html/method.html": b"<p>Ours: {{ shape.id }}</p>", "html/style.css": b"p { color: red }"})
    page = render("html", REPORT, presentation=Presentation(templates=own)).decode()
    assert "<p>Ours: general</p>" in page
    assert "<style>p { color: red }</style>" in page
    assert "Rules that need it" not in page


def test_names_stay_text_in_a_template_of_a_users_own() -> None:
    own = OwnTemplates({COVER: "{% for f in report.findings %}{{ f.credential.name ~ '<i>' }}{% endfor %}"})
    hostile = with_names(REPORT, ("<script>alert(1)</script>\u202e", "b", "c"))
    page = pdf_page.page(
        hostile, "0" * 64, (), entity=None, marking="m",
        presentation=Presentation(distribution=("Acme",), templates=own),
    )  # fmt: skip
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e&lt;i&gt;" in page
    assert "<script" not in page


REACHING = [
    "{{ report.__class__.__mro__ }}",
    "{{ report['__class__'] }}",
    "{{ report|attr('__class__') }}",
    "{{ [report]|map(attribute='__class__')|first }}",
    "{{ ''.__class__.__base__.__subclasses__() }}",
    "{{ ref.__globals__ }}",
    "{{ ref.__self__ }}",
    "{{ due.__closure__[0].cell_contents }}",
    "{{ self.__init__.__globals__.__builtins__.open('/etc/passwd').read() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ '{0.__class__}'.format(report) }}",
    "{{ '%s' % report }}",
    "{{ report }}",
    "{{ ref }}",
    "{{ os.environ }}",
    "{{ config }}",
    "{% include '../../../../etc/passwd' %}",
    "{% include '/etc/passwd' %}",
    "{% include 'keyaudit/../pdf_page.py' %}",
    "{% include '../sandbox.py' %}",
    "{% import 'os' as os %}",
    "{{ report.findings.append(1) }}",
    "{{ report.policy.replace }}",
    "{{ dict(a=1).update(b=2) }}",
    "{{ report.policy.name|safe }}",
    "{% autoescape false %}{{ report.policy.name }}{% endautoescape %}",
    "{% set x = caller %}{{ x() }}",
]


@pytest.mark.parametrize("text", REACHING)
def test_a_template_reaches_nothing_but_the_report(text: str) -> None:
    with pytest.raises(PolicyError) as refused:
        filled(f"<p>fine</p>\n{text}")
    (problem,) = refused.value.problems
    assert problem.file == f"mine/{COVER}"
    assert problem.line == 2
    assert "root:" not in str(refused.value)


COSTLY = [
    "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
    "{% set r = range(10000) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
    "{{ range(10 ** 9)|list }}",
    "{% for a in range(1000000000) %}{% endfor %}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 'a' * 10 ** 9 }}",
    "{{ [1] * 1000000000 }}",
    "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
    "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
    "{% set x = 'aaaaaaaaaa' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40 + "{{ x }}",
    "{% set x = [1, 2] %}" + "{% set x = [x, x] %}" * 40 + "{{ x }}",
    "{% set x = [1, 2] %}" + "{% set x = [x, x] %}" * 40 + "{{ x|join }}",
    "{% set x = 99999999999 %}" + "{% set x = x * x %}" * 40 + "{{ x }}",
    "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    f"{{% include '{COVER}' %}}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'ab'|replace('', 'x') }}",
    "{{ ('%1000000000d') % 1 }}",
    "{% for a in range(9000) %}{% for b in range(200) %}" + "x" * 10_000 + "{% endfor %}{% endfor %}",
    "{% macro m() %}{% for a in range(9000) %}{% for b in range(200) %}" + "x" * 10_000
    + "{% endfor %}{% endfor %}{% endmacro %}{{ m() }}",
]  # fmt: skip


@pytest.mark.parametrize("text", COSTLY, ids=[str(n) for n in range(len(COSTLY))])
def test_a_template_cannot_ask_for_work_without_end(text: str) -> None:
    began = time.process_time()
    with pytest.raises(PolicyError) as refused:
        filled(text)
    assert refused.value.problems[0].file == f"mine/{COVER}"
    assert time.process_time() - began < 20


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\nb\n{{ nothing.at.all }}", 3, "'nothing' is undefined"),
        ("a\n{% if %}", 2, "Expected an expression"),
        ("{{ report.policy.nme }}", 1, "has no attribute 'nme'"),
        ("\n\n\n{{ 1 / 0 }}", 4, "division by zero"),
        ("\n{% include 'own_gone.html.j2' %}", 2, "own_gone.html.j2"),
        ("{{ ref('nowhere') }}", 1, "no part called nowhere"),
        ("{{ 'a'|nothing }}", 1, "No filter named 'nothing'"),
    ],
)
def test_what_is_wrong_is_said_with_its_file_and_line(text: str, line: int, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        filled(text)
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == (f"mine/{COVER}", line)
    assert said in problem.message


def test_a_template_in_a_pdf_opens_no_address() -> None:
    own = read(
        {COVER: b'<img src="file:///etc/passwd"><link rel=attachment href="file:///etc/passwd"><p>on</p>'}
    )
    content = render("pdf", REPORT, presentation=Presentation(distribution=("Acme",), templates=own))
    assert b"root:x:" not in content
    assert content.count(b"/Filespec") <= 2


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ({"pdf_covr.html.j2": b""}, "replaces no template of keyaudit; did you mean 'pdf_cover.html.j2'?"),
        ({"pdf.html.j2": b""}, "replaces no template"),
        ({"html/page.html": b""}, "replaces no template"),
        ({"html/page.js": b""}, "replaces no template"),
        ({COVER: b"\xff"}, "not UTF-8 text"),
        ({COVER: b"a" * (own_templates.LARGEST + 1)}, "262,144 are allowed"),
        ({"pdf.css": b"p {} </style><script>"}, "could end its own element"),
        ({f"own_{n}.html": b"" for n in range(101)}, "100 templates are allowed"),
    ],
)
def test_what_replaces_nothing_is_refused(contents: dict[str, bytes], said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        read(contents)


def test_every_template_of_ours_but_the_frames_can_be_replaced() -> None:
    names = own_templates.replaceable()
    assert {"pdf_cover.html.j2", "pdf_ledger.html.j2", "html/controls.html", "pdf.css"} <= set(names)
    assert not set(own_templates.FRAMES) & set(names)


def test_what_is_promised_to_templates_is_there() -> None:
    def probe(names: dict[str, str]) -> str:
        return "".join(f"{{% if {name} is not defined %}}{{{{ {name} }}}}{{% endif %}}" for name in names)

    filled(probe({**own_templates.CONTEXT, **own_templates.ON_PAPER}))
    own = read({"html/method.html": probe({**own_templates.CONTEXT, **own_templates.ON_SCREEN}).encode()})
    render("html", REPORT, presentation=Presentation(templates=own))
    with pytest.raises(PolicyError, match="'groupz' is undefined"):
        filled(probe({"groupz": ""}))


@pytest.mark.parametrize(
    "text",
    [
        '<meta http-equiv="refresh" content="0;url=https://evil.example">',
        '< BASE href="https://evil.example">',
    ],
)
def test_a_template_leads_nowhere_by_itself(text: str) -> None:
    with pytest.raises(UsageError, match="is not for templates"):
        read({COVER: text.encode()})
