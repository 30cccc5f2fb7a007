"""Where a finding is shown in a repository, for readers that show nothing without a file and a line.

A credential is no line of code. What a repository does hold is the policy that the credential
breaks, so a finding stands at the schedule, the waiver or the setting that decided it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from keyaudit.model import Finding, Verdict

_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A file of the repository that is audited, and the lines at which findings are shown.

    `file` is its path from the root of the repository, parted by `/`. `lines` has the line, from
    1, of what stands under a name in a section: `schedules`, `frameworks.ID.schedules`,
    `waivers`, `rules`, and `""` for the keys of the policy itself.
    """

    file: str = "keyaudit.yaml"
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no file inside of a repository; raises ValueError."""
        if not {"", ".", ".."}.isdisjoint(self.file.split("/")):
            raise ValueError(f"no path from the root of a repository: {self.file!r}")

    @property
    def uri(self) -> str:
        """The path as a relative reference, in which no colon can be taken for the end of a scheme."""
        content = self.file.encode("utf-8", "surrogateescape")
        return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in content)

    def line(self, finding: Finding) -> int:
        """Give the line of what decided a finding; 1 where that is not known."""
        return next((self.lines[place] for place in _places(finding) if place in self.lines), 1)


def _places(finding: Finding) -> Iterator[tuple[str, str]]:
    """Name what a finding may stand at, the most telling first."""
    if finding.verdict is Verdict.WAIVED and finding.waiver:
        yield "waivers", finding.waiver
    if finding.credential is None and finding.subject:
        yield "waivers", finding.subject
    schedule = finding.evidence.get("schedule")
    if isinstance(schedule, str):
        framework = (finding.clause or "").removesuffix(" (grace)").removesuffix(" schedule")
        yield f"frameworks.{framework}.schedules", schedule
        yield "schedules", schedule
    if "reviewed_on" in finding.evidence:
        yield "", "reviewed_on"
    yield "rules", finding.name
