"""Objective evidence for an ISO/IEC 27001 audit: criteria, scope, conformity, candidates, observations.

A nonconformity is what an audit team concludes and grades (ISO 19011, ISO/IEC 17021-1): keyaudit names
candidates with their requirement, statement and objective evidence, and grades none major or minor.
An auditor prescribes neither cause nor cure, so neither is printed in this shape.
"""

from __future__ import annotations

from keyaudit.formats.chapters import Chapter
from keyaudit.formats.shapes.shape import Shape, Word

SHAPE = Shape(
    id="iso27001",
    framework="iso27001",
    kind="Objective evidence for an ISO/IEC 27001 audit",
    disclaimer="Not a certification audit report. Conclusions and grades are the audit team's.",
    preamble=(
        (
            "For each requirement on which credential metadata bears: whether the Statement of "
            "Applicability has to select it, the objective evidence, and what it points to. A candidate "
            "for a nonconformity has its requirement, a statement and its evidence; grading it, and its "
            "cause and its cure, are left to those who have to answer for them."
        ),
    ),
    limits=(
        (
            "The Statement of Applicability was not read. An Annex A control that it does not select is "
            "no requirement, whatever is found here."
        ),
        "An audit samples the management system as a whole; this is evidence about credentials only.",
    ),
    paper=(
        Chapter("summary", "Summary", new_page=True),
        Chapter("identification", "Identification of the audit"),
        Chapter("criteria", "Audit criteria"),
        Chapter("scope", "Audit scope, and what was not audited"),
        Chapter("controls", "Requirements and evidence", new_page=True),
        Chapter("findings", "Candidates for nonconformities, and observations", new_page=True),
        Chapter("ledger", "Rotations of the period", new_page=True),
        Chapter("sample", "Audit sample"),
        Chapter("waivers", "Accepted risks", new_page=True),
        Chapter("responses", "Responses of the auditee"),
        Chapter("population", "Population"),
        Chapter("method", "Method", new_page=True),
        Chapter("rules", "Tests in detail"),
        Chapter("limits", "Limits"),
        Chapter("evidence", "Evidence trails and how to check them"),
        Chapter("distribution", "Distribution"),
        Chapter("sign-off", "Sign-off", new_page=True),
    ),
    screen=(
        Chapter("tested", "What was tested, and what was not", "Tested and not"),
        Chapter("identification", "Identification of the audit", "Audit"),
        Chapter("criteria", "Audit criteria", "Criteria"),
        Chapter("coverage", "Audit scope", "Scope"),
        Chapter("orphans", "Keys of providers that no store here is known to hold", "Orphans"),
        Chapter("controls", "Requirements and evidence", "Requirements"),
        Chapter("findings", "Candidates for nonconformities, and observations", "Candidates"),
        Chapter("ledger", "Rotations of the period", "Ledger"),
        Chapter("sample", "Audit sample", "Sample"),
        Chapter("waivers", "Accepted risks"),
        Chapter("responses", "Responses of the auditee", "Responses"),
        Chapter("population", "Population"),
        Chapter("pictures", "Rotation at a glance", "Rotation"),
        Chapter("method", "Method"),
        Chapter("rules", "Tests in detail", "Tests"),
        Chapter("verification", "Evidence trails and how to check them", "Evidence"),
        Chapter("sign-off", "Sign-off and distribution", "Sign-off"),
    ),
    words={
        "exception": Word(
            "Nonconformity candidate",
            "Evidence that a requirement, of the standard or the own policy, was not met, and no accepted "
            "risk covers it. The audit team confirms and grades it.",
        ),
        "no-exception": Word(
            "Evidence of conformity",
            "Metadata is direct evidence of what was tested, all of it was tested, and none failed.",
        ),
        "supporting-only": Word(
            "Observation",
            "Metadata shows only a part, or accepted risks remain to be judged. Nothing else failed; "
            "conformity is not shown by it.",
        ),
        "not-evaluated": Word(
            "Not audited",
            "No test bears on it, one could not be performed or decided, or the population may lack some.",
        ),
        "not-applicable": Word(
            "Not applicable here",
            "Nothing of its kind is in the population, nothing happened that it is about, or the policy says "
            "why it does not apply. The Statement of Applicability has to agree.",
        ),
    },
    control=(
        ("Requirement", "summary"),
        ("Applicability", "modality"),
        ("Objective evidence", "tests"),
        ("Points to", "outcome"),
        ("Still to be audited", "needed"),
    ),
    identification=(
        ("Auditee", "entity"),
        ("Criteria", "criteria"),
        ("Scope", "population"),
        ("Audit period", "span"),
        ("Audit team", "prepared"),
        ("Reviewed by", "reviewed"),
        ("Statement of Applicability", "applicability"),
    ),
    modalities={
        "required": "A clause of the standard itself: it always applies.",
        "if-selected": "Annex A: it applies if the Statement of Applicability selects it.",
    },
    prescribes=False,
)
