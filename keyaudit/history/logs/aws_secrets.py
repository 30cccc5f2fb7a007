"""AWS Secrets Manager in CloudTrail: which version was made, and which one AWSCURRENT moved to.

* A new version's id is the request's `clientRequestToken`. Clients send one with every CreateSecret and
  UpdateSecret, with a value or without: these two count where that version is known otherwise.
* PutSecretValue moves AWSCURRENT to the new version unless it names other labels.
* A rotation that a service does by itself leaves RotationSucceeded. Its `requestID` ends with the id of
  the version (seen in AWS's own samples, not documented): it counts where that version is known.
* A secret is named by its ARN, a part of it, or its name; answers have the whole ARN.
* EndSecretVersionDelete does not say which version, nor whether there was another: it tells nothing here.

Operations: the Secrets Manager API reference; events: its User Guide, "Log events with CloudTrail".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from keyaudit.history.events import Told
from keyaudit.history.logs.aws_call import Call, place_of
from keyaudit.history.logs.happening import Happening, Subject

SOURCE = "aws-secrets-manager"
_CURRENT = "AWSCURRENT"
_WHOLE = re.compile(r"arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+-[A-Za-z0-9]{6}", re.ASCII)
_TURNED = re.compile(r"Rotation-arn:.+-([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})", re.ASCII)


def _secret(call: Call) -> Subject | None:
    """Give the secret that an event is about; None where it names none."""
    asked, answered = call.asked, call.answered
    told = answered.arn or answered.arn_capital or answered.arn_old
    for named in (call.additional, call.details):
        told = told or (named and (named.secret or named.secret_too)) or None
    said = told or asked.secret or asked.name
    if not said:
        return None
    if not said.startswith("arn:"):
        return Subject(SOURCE, call.place, name=said)
    short = asked.secret if told and asked.secret and not asked.secret.startswith("arn:") else asked.name
    return Subject(
        SOURCE,
        place_of(said) or call.place,
        ids=(said,),
        name=short or said.partition(":secret:")[2] or None,
        exact=_WHOLE.fullmatch(said) is not None,
    )


def _made(call: Call) -> list[Happening]:
    """Read CreateSecret and UpdateSecret, which may have made a version."""
    secret, version = _secret(call), call.answered.version_id or call.asked.token
    if secret is None or version is None:
        return []
    unsure = call.answered.version_id is None
    return [call.says(secret, version, told, if_known=unsure) for told in (Told.CREATED, Told.IN_USE)]


def _put(call: Call) -> list[Happening]:
    secret, version = _secret(call), call.answered.version_id or call.asked.token
    if secret is None or version is None:
        return []
    stages = call.asked.stages
    told = (Told.CREATED, Told.IN_USE) if stages is None or _CURRENT in stages else (Told.CREATED,)
    return [call.says(secret, version, each) for each in told]


def _moved(call: Call) -> list[Happening]:
    secret, asked = _secret(call), call.asked
    if secret is None or asked.stage != _CURRENT:
        return []
    found = []
    if asked.removed_from and asked.removed_from != asked.moved_to:
        found.append(call.says(secret, asked.removed_from, Told.SUPERSEDED))
    if asked.moved_to:
        found.append(call.says(secret, asked.moved_to, Told.IN_USE))
    return found


def _turned(call: Call) -> list[Happening]:
    secret, match = _secret(call), _TURNED.fullmatch(call.request or "")
    if secret is None or match is None:
        return []
    return [call.says(secret, match[1], Told.IN_USE, if_known=True)]


def _deleted(call: Call) -> list[Happening]:
    secret = _secret(call)
    return [] if secret is None else [call.says(secret, None, Told.DELETED)]


def _restored(call: Call) -> list[Happening]:
    secret = _secret(call)
    return [] if secret is None else [call.says(secret, None, Told.RESTORED)]


EVENTS: Mapping[str, Callable[[Call], list[Happening]]] = {
    "CreateSecret": _made,
    "UpdateSecret": _made,
    "PutSecretValue": _put,
    "UpdateSecretVersionStage": _moved,
    "RotationSucceeded": _turned,
    "DeleteSecret": _deleted,
    "RestoreSecret": _restored,
}
