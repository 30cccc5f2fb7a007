"""The report for nobody in particular: what was tested, what was not, then everything in turn."""

from __future__ import annotations

from keyaudit.formats.chapters import Chapter
from keyaudit.formats.shapes.shape import Shape, Word
from keyaudit.formats.wording import RESULTS

PAPER = (
    Chapter("summary", "Summary", new_page=True),
    Chapter("scope", "Scope, and what was not tested"),
    Chapter("method", "Method and how to read this report"),
    Chapter("criteria", "Criteria"),
    Chapter("controls", "Results by control", new_page=True),
    Chapter("findings", "Findings", new_page=True),
    Chapter("responses", "Management responses"),
    Chapter("ledger", "Rotations of the period", new_page=True),
    Chapter("waivers", "Waivers", new_page=True),
    Chapter("population", "Population"),
    Chapter("sample", "Sample"),
    Chapter("rules", "Rules", new_page=True),
    Chapter("limits", "Limits of this report"),
    Chapter("evidence", "Evidence and how to check it"),
    Chapter("distribution", "Distribution"),
    Chapter("sign-off", "Sign-off", new_page=True),
)

SCREEN = (
    Chapter("tested", "What was tested, and what was not", "Tested and not"),
    Chapter("controls", "Results by control", "Controls"),
    Chapter("pictures", "Rotation at a glance", "Rotation"),
    Chapter("ledger", "Rotations of the period", "Ledger"),
    Chapter("findings", "Findings"),
    Chapter("responses", "Management responses", "Responses"),
    Chapter("population", "Population"),
    Chapter("sample", "Sample"),
    Chapter("waivers", "Waivers"),
    Chapter("criteria", "Criteria: the policy's schedules", "Criteria"),
    Chapter("coverage", "Coverage"),
    Chapter("orphans", "Keys of providers that no store here is known to hold", "Orphans"),
    Chapter("rules", "Rules"),
    Chapter("method", "Method and limits", "Method"),
    Chapter("verification", "How to check this report", "Verification"),
    Chapter("sign-off", "Sign-off and distribution", "Sign-off"),
)

_WORDS = {
    "exception": "Exception",
    "no-exception": "No exception noted",
    "supporting-only": "Supporting only",
    "not-evaluated": "Not evaluated",
    "not-applicable": "Not applicable",
}

SHAPE = Shape(
    id="general",
    framework=None,
    kind="Credential rotation audit",
    disclaimer="",
    preamble=(),
    limits=(),
    paper=PAPER,
    screen=SCREEN,
    words={result: Word(_WORDS[result], meaning) for result, meaning in RESULTS.items()},
)
