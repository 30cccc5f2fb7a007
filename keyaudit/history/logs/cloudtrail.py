"""AWS CloudTrail: events as trails leave them in S3, as `LookupEvents` gives them, or one a line.

Only the fields named here are decoded: whatever else a request or an answer holds is skipped unread.
An event with an `errorCode` changed nothing. What the records hold: the CloudTrail User Guide, "CloudTrail
record contents"; the service events of Secrets Manager and KMS: "AWS service events" there. `eventTime`
has whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec

from keyaudit.history.logs import aws_access_keys, aws_keys, aws_parameters, aws_secrets
from keyaudit.history.logs.aws_call import Call
from keyaudit.history.logs.entries import MALFORMED, Encoded
from keyaudit.history.logs.happening import Entry, Happening

KIND = "cloudtrail"

_SERVICES: Mapping[str, Mapping[str, Callable[[Call], list[Happening]]]] = {
    "secretsmanager.amazonaws.com": aws_secrets.EVENTS,
    "iam.amazonaws.com": aws_access_keys.EVENTS,
    "kms.amazonaws.com": aws_keys.EVENTS,
    "ssm.amazonaws.com": aws_parameters.EVENTS,
}

_Text = Annotated[str, msgspec.Meta(max_length=4096)]


class _Head(msgspec.Struct, frozen=True):
    source: _Text = msgspec.field(name="eventSource")
    name: _Text = msgspec.field(name="eventName")
    time: _Text = msgspec.field(name="eventTime")
    error: str | None = msgspec.field(name="errorCode", default=None)


_HEAD = msgspec.json.Decoder(_Head)
_CALL = msgspec.json.Decoder(Call)


def recognises(entry: Encoded) -> bool:
    """Say whether an entry is a CloudTrail event."""
    try:
        _HEAD.decode(entry)
    except MALFORMED:
        return False
    return True


def read(entry: Encoded) -> Entry | None:
    """Give what an event tells; None for one that is not about a credential, or that failed.

    Raises one of `MALFORMED`, or ValueError, for what CloudTrail does not write.
    """
    head = _HEAD.decode(entry)
    told = _SERVICES.get(head.source, {}).get(head.name)
    if told is None or head.error:
        return None
    call = _CALL.decode(entry)
    return Entry(call.id, tuple(told(call)))
