"""Versions that a rotation made and gave up before applications were given them, told by its labels.

Such a version is younger than the one in use, like one that was taken back; but it was never served, so
nothing was rolled back. It is told only by all of this together:

* its id is one that a rotation makes beside the version now in use, which is never in use again once
  another one took over: what was promoted and taken back was made beside another version;
* it bears none of AWS's labels: where AWSCURRENT was moved back by hand, AWSPREVIOUS is on it;
* `keyaudit-forward-ID` is not on itself, where it means that ID is to be promoted; and it is on another
  version, or `keyaudit-closed` is on this one, or another such version was made later: the next id is
  only taken when this one was given up, and by then its labels may be gone.

Labels alone are anybody's who may change the secret, and say nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID, uuid5

MOST_TRIES = 500
"""Tokens of one version in use: so often may a rotation be given up before one succeeds."""
_OURS = "keyaudit-"
CLOSED, FORWARD = "keyaudit-closed", "keyaudit-forward-"
_CURRENT = "AWSCURRENT"
_TOKENS = UUID("b5a8f3c2-4f0e-4f7b-9a3e-6a1d2c7e9f40")
"""A namespace for tokens (RFC 9562, version 5): any constant will do."""


@lru_cache(maxsize=64)
def tokens(arn: str, base: str) -> tuple[str, ...]:
    """Give the ids of versions that rotations make while the version `base` is in use, in their order."""
    return tuple(str(uuid5(_TOKENS, f"{arn}|{base}|{number}")) for number in range(MOST_TRIES))


def given_up(arn: str, stages: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Give the versions of a secret that were surely never served; `stages` are all versions' labels."""
    at = {label: version for version, labels in stages.items() for label in labels}
    if _CURRENT not in at or not any(label.startswith(_OURS) for label in at):
        return frozenset()
    made = [each for each in tokens(arn, at[_CURRENT]) if each in stages]
    return frozenset(each for each in made if _is_given_up(each, at, last=each == made[-1]))


def _is_given_up(version: str, at: Mapping[str, str], *, last: bool) -> bool:
    decided = at.get(FORWARD + version)
    labelled_by_aws = version in {holder for label, holder in at.items() if label.startswith("AWS")}
    if labelled_by_aws or decided == version:
        return False
    return not last or decided is not None or at.get(CLOSED) == version
