"""Evidence for a PCI DSS Report on Compliance: requirement, what the evidence supports, numbered items.

The ROC template has four findings: In Place, Not in Place, Not Tested, Not Applicable. They are the
assessor's. So every word here says what this evidence *supports*, and the two that an assessor can
rest on are said only where metadata is direct evidence over the whole population. "Not Tested" is
said as it is: it claims nothing. References are those of the evidence index, to be pasted into the
reporting instructions and into section 6 of the ROC.
"""

from __future__ import annotations

from keyaudit.formats.chapters import Chapter
from keyaudit.formats.shapes.shape import Shape, Word

SHAPE = Shape(
    id="pci-dss",
    framework="pci-dss",
    kind="Evidence for a PCI DSS assessment",
    disclaimer="Not a Report on Compliance and not an attestation: every finding is the assessor's.",
    preamble=(
        (
            "Produced by the assessed entity for its assessor. For each requirement on which credential "
            "metadata bears it says what was tested, which finding that evidence supports, and under "
            "which reference numbers the evidence is found. Untested parts of a requirement stay "
            "untested, whatever the word."
        ),
    ),
    limits=(
        (
            "Which systems are in the scope of the assessment is for the entity to confirm and the "
            "assessor to verify: this report knows only the scopes that it lists."
        ),
        ("It judges no compensating control and no customized approach. A waiver of the policy is neither."),
        "One Not Tested makes an assessment a partial one: look at each of them.",
    ),
    paper=(
        Chapter("summary", "Summary of what the evidence supports", new_page=True),
        Chapter("identification", "Assessment overview"),
        Chapter("scope", "Scope of work, and what was not tested"),
        Chapter("criteria", "Policy and defined periods"),
        Chapter("population", "Reviewed population"),
        Chapter("sample", "Sample"),
        Chapter("controls", "Requirements: evidence and what it supports", new_page=True),
        Chapter("findings", "Observations", new_page=True),
        Chapter("ledger", "Rotations of the period", new_page=True),
        Chapter("waivers", "Accepted exceptions"),
        Chapter("responses", "Entity's responses"),
        Chapter("items", "Evidence items", new_page=True),
        Chapter("evidence", "Attachments and how to check them"),
        Chapter("method", "Approach", new_page=True),
        Chapter("rules", "Testing in detail"),
        Chapter("limits", "Limits"),
        Chapter("distribution", "Distribution"),
        Chapter("sign-off", "Sign-off", new_page=True),
    ),
    screen=(
        Chapter("tested", "What was tested, and what was not", "Tested and not"),
        Chapter("identification", "Assessment overview", "Overview"),
        Chapter("coverage", "Scope of work", "Scope"),
        Chapter("orphans", "Keys of providers that no store here is known to hold", "Orphans"),
        Chapter("criteria", "Policy and defined periods", "Periods"),
        Chapter("controls", "Requirements: evidence and what it supports", "Requirements"),
        Chapter("findings", "Observations"),
        Chapter("ledger", "Rotations of the period", "Ledger"),
        Chapter("population", "Reviewed population", "Population"),
        Chapter("sample", "Sample"),
        Chapter("waivers", "Accepted exceptions"),
        Chapter("responses", "Entity's responses", "Responses"),
        Chapter("items", "Evidence items", "Evidence"),
        Chapter("pictures", "Rotation at a glance", "Rotation"),
        Chapter("method", "Approach"),
        Chapter("rules", "Testing in detail", "Testing"),
        Chapter("verification", "How to check this report", "Verification"),
        Chapter("sign-off", "Sign-off and distribution", "Sign-off"),
    ),
    words={
        "exception": Word(
            "Supports Not in Place",
            "A test that bears on the requirement failed and no waiver covers it. A compensating control, if "
            "there is one, is for the assessor to validate.",
        ),
        "no-exception": Word(
            "Supports In Place",
            "Metadata is direct evidence of what was tested, the whole population was tested, and nothing "
            "failed. The assessor decides whether that, and what is named as still needed, meets the text.",
        ),
        "supporting-only": Word(
            "Supports no finding alone",
            "Metadata shows only a part of the requirement, or a waiver stands in the way. Nothing else "
            "failed; the remaining testing procedures are open.",
        ),
        "not-evaluated": Word(
            "Not Tested",
            "No test bears on it, one could not be performed or decided, or the population may lack some.",
        ),
        "not-applicable": Word(
            "May support Not Applicable",
            "Nothing of its kind is in the population, nothing happened that it is about, or the policy "
            "says why it does not apply. The assessor has to verify and describe that.",
        ),
    },
    control=(
        ("Requirement", "summary"),
        ("Testing performed", "tests"),
        ("Evidence supports", "outcome"),
        ("Evidence references", "references"),
        ("Still to be tested", "needed"),
        ("Applies to", "modality"),
    ),
    identification=(
        ("Assessed entity", "entity"),
        ("Period", "span"),
        ("Standard", "criteria"),
        ("Reviewed population", "population"),
        ("Evidence produced by", "prepared"),
        ("Reviewed by", "reviewed"),
    ),
    modalities={"required": "every assessed entity", "service-provider": "service providers only"},
    cites=True,
)
