"""Many credentials' days in a few numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from keyaudit.rotation.simulation.story import Story
from keyaudit.times import DAY, SECOND


@dataclass(slots=True)
class Tally:
    """Sums over stories. Durations in microseconds; see `Story` for what each counts.

    `refused` is time of applications during which their requests failed, by why: `revoked-early`,
    `emergency`, `new-key-dead`, `discarded`, `retired`. The last three are the machine's to prevent.
    """

    days: int
    credentials: int = 0
    applications: int = 0
    rotations: int = 0
    late: int = 0
    latest: int = 0
    overlaps: int = 0
    overlap_sum: int = 0
    overlap_max: int = 0
    beyond_grace: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    rollbacks: int = 0
    emergencies: int = 0
    exposure_max: int = 0
    runs: int = 0
    killed: int = 0
    unreachable: int = 0
    blocked: int = 0
    discarded: int = 0
    orphans: int = 0

    def add(self, story: Story) -> None:
        """Count one credential."""
        subject = story.subject
        self.credentials += 1
        self.applications += subject.applications
        self.late += len(story.late)
        self.latest = max(self.latest, *story.late, 0)
        self.overlaps += len(story.overlaps)
        self.overlap_sum += sum(story.overlaps)
        self.overlap_max = max(self.overlap_max, *story.overlaps, 0)
        grace = subject.grace_period
        self.beyond_grace += sum(grace is not None and overlap > grace for overlap in story.overlaps)
        self.refused.update(story.refused)
        self.exposure_max = max(self.exposure_max, *story.exposures, 0)
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(story, name))

    @property
    def overlap_mean(self) -> int:
        """How long two keys worked, on average; 0 without any rotation."""
        return self.overlap_sum // self.overlaps if self.overlaps else 0

    @property
    def availability(self) -> float:
        """The share of applications' time in which their requests were answered."""
        whole = self.applications * self.days * DAY
        return 1 - sum(self.refused.values()) / whole if whole else 1.0

    def document(self) -> dict[str, Any]:
        """Give it for machines: durations in seconds."""
        return {
            "credentials": self.credentials,
            "applications": self.applications,
            **{name: getattr(self, name) for name in COUNTED},
            "late": {"rotations": self.late, "worst_seconds": self.latest / SECOND},
            "overlap": {
                "mean_seconds": self.overlap_mean / SECOND,
                "max_seconds": self.overlap_max / SECOND,
                "beyond_grace": self.beyond_grace,
            },
            "downtime": {
                "application_seconds": sum(self.refused.values()) / SECOND,
                "by_cause": {cause: length / SECOND for cause, length in sorted(self.refused.items())},
                "availability": round(self.availability, 9),
            },
            "exposure_max_seconds": self.exposure_max / SECOND,
        }


COUNTED = (
    "rotations",
    "rollbacks",
    "emergencies",
    "runs",
    "killed",
    "unreachable",
    "blocked",
    "discarded",
    "orphans",
)
"""What a story and a tally both count."""


def tally(stories: Iterable[Story], days: int) -> tuple[Tally, dict[str, Tally]]:
    """Count all stories, and those of each environment, by its name."""
    whole, parts = Tally(days), dict[str, Tally]()
    for story in stories:
        whole.add(story)
        parts.setdefault(story.subject.environment or "not known", Tally(days)).add(story)
    return whole, dict(sorted(parts.items()))
