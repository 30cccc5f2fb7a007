"""Material for sections 4 and 5 of a SOC 2 report: criterion, control, test, result.

Section 4 lists criteria, related controls, tests and their results; section 5 is unaudited
information that management gives, among it its responses. Sections 1 to 3 (the opinion, management's
assertion, the description of the system) are nobody's but the service auditor's and management's, so
this is never called a SOC 2 report.
"""

from __future__ import annotations

from keyaudit.formats.chapters import Chapter
from keyaudit.formats.shapes.shape import Shape, Word

SHAPE = Shape(
    id="soc2",
    framework="soc2",
    kind="Material for sections 4 and 5 of a SOC 2 report",
    disclaimer="Not a SOC 2 report: it has no opinion, no assertion and no description of the system.",
    preamble=(
        (
            "Produced by management for its service auditor. It lists, for each criterion on which "
            "credential metadata bears, the control that the policy describes, the test that keyaudit "
            "performed on the whole population, and what came of it. Whether a control was suitably "
            "designed and operated effectively is the service auditor's conclusion."
        ),
    ),
    limits=(
        (
            "Tests here are inspections and re-performance over metadata. Inquiry and observation are not"
            " in it."
        ),
        "Complementary controls of user entities and of subservice organisations were not tested.",
    ),
    paper=(
        Chapter("summary", "Summary", new_page=True),
        Chapter("identification", "The engagement"),
        Chapter("scope", "Boundaries of the test, and what was not tested"),
        Chapter("criteria", "Criteria and the control as described by the policy"),
        Chapter("controls", "Criteria, controls, tests performed and results", new_page=True),
        Chapter("findings", "Exceptions noted, and other observations", new_page=True),
        Chapter("ledger", "Operation of the control over the period", new_page=True),
        Chapter("sample", "Sample"),
        Chapter("population", "Population", new_page=True),
        Chapter("waivers", "Accepted exceptions"),
        Chapter("responses", "For section 5, unaudited: management's responses"),
        Chapter("method", "How the tests were performed", new_page=True),
        Chapter("rules", "Tests in detail"),
        Chapter("limits", "Limits"),
        Chapter("evidence", "Evidence and how to check it"),
        Chapter("distribution", "Restricted use"),
        Chapter("sign-off", "Sign-off", new_page=True),
    ),
    screen=(
        Chapter("tested", "What was tested, and what was not", "Tested and not"),
        Chapter("identification", "The engagement", "Engagement"),
        Chapter("criteria", "Criteria and the control as described by the policy", "Criteria"),
        Chapter("controls", "Criteria, controls, tests performed and results", "Tests and results"),
        Chapter("findings", "Exceptions noted, and other observations", "Exceptions"),
        Chapter("ledger", "Operation of the control over the period", "Operation"),
        Chapter("sample", "Sample"),
        Chapter("population", "Population"),
        Chapter("waivers", "Accepted exceptions"),
        Chapter("responses", "For section 5, unaudited: management's responses", "Responses"),
        Chapter("coverage", "Coverage"),
        Chapter("orphans", "Keys of providers that no store here is known to hold", "Orphans"),
        Chapter("pictures", "Rotation at a glance", "Rotation"),
        Chapter("method", "How the tests were performed", "Method"),
        Chapter("rules", "Tests in detail"),
        Chapter("verification", "How to check this report", "Verification"),
        Chapter("sign-off", "Sign-off and restricted use", "Sign-off"),
    ),
    words={
        "exception": Word("Exception noted", "A test of the control failed and no waiver covers it."),
        "no-exception": Word(
            "No exception noted",
            "Every test that bears on the control was performed on its whole population, and none failed.",
        ),
        "supporting-only": Word(
            "Partly tested",
            "The tests show only a part of the control, or rest on accepted exceptions. Nothing else failed; "
            "the service auditor needs more than this.",
        ),
        "not-evaluated": Word(
            "Not tested",
            "No test bears on it, one could not be performed or decided, or the population may lack some.",
        ),
        "not-applicable": Word(
            "Did not operate or not applicable",
            "Nothing of its kind is in the population, nothing happened that would make it operate, or the "
            "policy says with a reason why it does not apply.",
        ),
    },
    control=(
        ("Criterion", "summary"),
        ("Control", "measure"),
        ("Tests performed", "tests"),
        ("Results of tests", "outcome"),
        ("Not shown by this", "needed"),
    ),
    identification=(
        ("Service organisation", "entity"),
        ("Kind of material", "span"),
        ("Criteria", "criteria"),
        ("Population", "population"),
        ("Performed by", "prepared"),
        ("Reviewed by", "reviewed"),
    ),
)
