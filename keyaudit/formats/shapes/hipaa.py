"""Documentation for the HIPAA Security Rule: standards and specifications, required or addressable.

The rule states no interval for credentials: what was tested is whether the entity's own policy was
followed. Addressable is not optional (45 CFR 164.306(d)(3)). Documentation of actions and assessments
is kept six years from its making or from when it was last in effect (164.316(b)(2)(i)).
"""

from __future__ import annotations

from keyaudit.formats.chapters import Chapter
from keyaudit.formats.shapes.shape import Shape, Word

SHAPE = Shape(
    id="hipaa",
    framework="hipaa",
    kind="Security Rule documentation: credential rotation",
    disclaimer="Documentation under 45 CFR 164.316(b), not a determination by the Office for Civil Rights.",
    preamble=(
        (
            "For each standard or implementation specification on which credential metadata bears: "
            "whether it is required or addressable, what the entity's policy asks, what was tested and "
            "what came of it. The rule names no interval for rotation; the periods are the entity's own, "
            "from its risk analysis."
        ),
    ),
    limits=(
        (
            "Which credentials open systems with electronic protected health information is for the "
            "entity to say: this report knows only what its policy and inventory place there."
        ),
        "It does not decide whether a measure is reasonable and appropriate (164.306(b)).",
    ),
    paper=(
        Chapter("summary", "Summary", new_page=True),
        Chapter("identification", "The evaluation"),
        Chapter("scope", "Systems and stores that were read, and what was not tested"),
        Chapter("criteria", "Policies and procedures"),
        Chapter("controls", "Standards and implementation specifications", new_page=True),
        Chapter("findings", "Deviations and other observations", new_page=True),
        Chapter("responses", "Responses and corrective action"),
        Chapter("waivers", "Documented exceptions and alternatives"),
        Chapter("ledger", "Rotations of the period", new_page=True),
        Chapter("population", "Population", new_page=True),
        Chapter("sample", "Sample"),
        Chapter("method", "Method", new_page=True),
        Chapter("rules", "Tests in detail"),
        Chapter("limits", "Limits"),
        Chapter("evidence", "Documentation, its retention, and how to check it"),
        Chapter("distribution", "Distribution"),
        Chapter("sign-off", "Sign-off", new_page=True),
    ),
    screen=(
        Chapter("tested", "What was tested, and what was not", "Tested and not"),
        Chapter("identification", "The evaluation", "Evaluation"),
        Chapter("criteria", "Policies and procedures", "Policies"),
        Chapter("controls", "Standards and implementation specifications", "Standards"),
        Chapter("findings", "Deviations and other observations", "Deviations"),
        Chapter("responses", "Responses and corrective action", "Responses"),
        Chapter("waivers", "Documented exceptions and alternatives", "Exceptions"),
        Chapter("ledger", "Rotations of the period", "Ledger"),
        Chapter("population", "Population"),
        Chapter("sample", "Sample"),
        Chapter("pictures", "Rotation at a glance", "Rotation"),
        Chapter("coverage", "Systems and stores that were read", "Stores"),
        Chapter("orphans", "Keys of providers that no store here is known to hold", "Orphans"),
        Chapter("method", "Method"),
        Chapter("rules", "Tests in detail", "Tests"),
        Chapter("verification", "Documentation, its retention, and how to check it", "Documentation"),
        Chapter("sign-off", "Sign-off and distribution", "Sign-off"),
    ),
    words={
        "exception": Word("Deviation found", "What the policy asks was not done, and no waiver covers it."),
        "no-exception": Word(
            "No deviation found",
            "Metadata is direct evidence of what was tested, all of it was tested, and none failed.",
        ),
        "supporting-only": Word(
            "Partly shown",
            "Metadata shows only a part, or documented exceptions remain for somebody to judge. Nothing else "
            "failed.",
        ),
        "not-evaluated": Word(
            "Not tested",
            "No test bears on it, one could not be performed or decided, or the population may lack some.",
        ),
        "not-applicable": Word(
            "Not applicable",
            "Nothing of its kind is in the population, nothing happened that it is about, or the policy says "
            "with a reason why it does not apply.",
        ),
    },
    control=(
        ("Standard or specification", "summary"),
        ("Implementation", "modality"),
        ("Policy and procedure", "measure"),
        ("Tests performed", "tests"),
        ("Result", "outcome"),
        ("Also to be documented", "needed"),
    ),
    identification=(
        ("Covered entity or business associate", "entity"),
        ("Time", "span"),
        ("Rule", "criteria"),
        ("Population", "population"),
        ("Evaluated by", "prepared"),
        ("Reviewed by", "reviewed"),
    ),
    modalities={
        "required": "Required: it must be implemented.",
        "addressable": (
            "Addressable: implemented if reasonable and appropriate; if not, the reason, and the equivalent "
            "measure taken instead, are documented (164.306(d)(3))."
        ),
    },
    retention_years=6,
)
