"""WHAT is required: policies, frameworks, schedules, classifications and waivers.

reading, checking        from a file to a Policy, or every error of it; `document`, `schema` its shape
matching, days, people   how a policy says what, when and who
frameworks               read strictly, with `framework_fields`; `texts` what the numbers of their texts ask
shipped                  those that come with keyaudit
classify                 what the store did not say
requirements             what is required of each credential; `strictness` which is stricter, `explain` why
earlier                  … in the parts of a period that other policies governed
waivers, approvals       when an exception is sound; whether somebody else agreed
difference               what two policies say otherwise
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyaudit.model import Param, Policy


def load(
    path: Path | None = None,
    *,
    rules: Mapping[str, Mapping[str, Param]],
    frameworks: Mapping[str, Collection[str]],
) -> Policy:
    """Read a policy; None is the shipped default. Raises PolicyError with every problem of the file.

    `rules` maps rule names to their parameters (`rules.CATALOGUE`); `frameworks` the ids of known
    frameworks to their control ids (empty: any is taken). See `reading.load`.
    """
    from keyaudit.policy import reading

    return reading.load(path, rules=rules, frameworks=frameworks)
