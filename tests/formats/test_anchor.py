"""The line at which a finding stands in the repository: at what decided it, and never a guess."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest

from formats.large_report import large_report
from keyaudit.formats.anchor import Anchor
from keyaudit.model import Finding, Verdict

LINES = {
    ("", "reviewed_on"): 4,
    ("schedules", "production"): 10,
    ("schedules", "pci-dss schedule"): 11,
    ("frameworks.pci-dss.schedules", "production"): 20,
    ("frameworks.pci-dss.schedules", "pci-dss schedule"): 21,
    ("rules", "rotation-overdue"): 30,
    ("waivers", "W-1"): 40,
}
FINDING = large_report(1).findings[0]
UNDECIDED = replace(FINDING, evidence={})


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (replace(FINDING, clause=None), 10),
        (replace(FINDING, clause="pci-dss schedule"), 20),
        (replace(FINDING, clause="pci-dss schedule (grace)"), 20),
        (replace(FINDING, clause="pci-dss schedule", evidence={"schedule": "pci-dss schedule"}), 21),
        (replace(FINDING, clause="pci-dss 8.6.3", evidence={"schedule": "pci-dss 8.6.3"}), 30),
        (replace(FINDING, verdict=Verdict.WAIVED, waiver="W-1"), 40),
        (replace(FINDING, verdict=Verdict.WAIVED, waiver="W-2"), 10),
        (replace(UNDECIDED, credential=None, subject="W-1"), 40),
        (
            replace(
                UNDECIDED, credential=None, name="policy-not-reviewed", evidence={"reviewed_on": "never"}
            ),
            4,
        ),
        (UNDECIDED, 30),
        (replace(UNDECIDED, name="unowned"), 1),
        (replace(UNDECIDED, name="unowned", evidence={"schedule": None}), 1),
    ],
)
def test_a_finding_stands_at_what_decided_it(finding: Finding, line: int) -> None:
    assert Anchor("policy.yaml", LINES).line(finding) == line
    assert Anchor("policy.yaml").line(finding) == 1


@pytest.mark.parametrize("file", ["policy.yaml", "a b/ü%20#?.yaml", "https:/x.yaml", "arn:aws:x", "a:80/b"])
def test_the_uri_of_any_path_is_relative_and_means_that_path(file: str) -> None:
    uri = Anchor(file).uri
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert unquote(uri) == file


@pytest.mark.parametrize("file", ["", "/etc/policy.yaml", "../policy.yaml", "a/../b", "./a", "a//b", "a/"])
def test_a_path_that_leaves_the_repository_is_refused(file: str) -> None:
    with pytest.raises(ValueError, match="no path from the root"):
        Anchor(file)
