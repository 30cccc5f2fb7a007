"""AWS KMS in CloudTrail: keys that were switched off, switched on, and given up.

RotateKey does not say which material took over, and KMS itself lists all materials with their dates:
rotations are not read. A key whose deletion was cancelled is disabled until somebody enables it.

Operations: the KMS API reference; samples: the KMS Developer Guide, "Logging AWS KMS API calls".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keyaudit.history.events import Told
from keyaudit.history.logs.aws_call import Call, place_of
from keyaudit.history.logs.happening import Happening, Subject

SOURCE = "aws-kms"


def _key(call: Call) -> Subject | None:
    """Give the key by its ARN, which is in `resources` or in the request; an alias or bare id is none."""
    named = [each.arn for each in call.resources or ()] + [call.answered.key, call.asked.key]
    for arn in named:
        place = place_of(arn) if arn and ":key/" in arn else None
        if arn and place:
            return Subject(SOURCE, place, ids=(arn,), exact=True)
    return None


def _off(call: Call) -> list[Happening]:
    key = _key(call)
    return [] if key is None else [call.says(key, None, Told.RETIRED)]


def _on(call: Call) -> list[Happening]:
    key = _key(call)
    return [] if key is None else [call.says(key, None, Told.RESTORED)]


EVENTS: Mapping[str, Callable[[Call], list[Happening]]] = {
    "DisableKey": _off,
    "ScheduleKeyDeletion": _off,
    "EnableKey": _on,
}
