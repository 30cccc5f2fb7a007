"""AWS Systems Manager in CloudTrail: versions of parameters.

PutParameter makes a version, which is in use from then on, and ends the one before it. That a parameter is
a secret only its type says, which a request that overwrites one may leave out: then it counts where the
inventory lists a parameter of that name.

Operations: the Systems Manager API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keyaudit.history.events import Told
from keyaudit.history.logs.aws_call import Call, place_of
from keyaudit.history.logs.happening import Happening, Subject

SOURCE = "aws-ssm"


def _parameter(call: Call, name: str) -> Subject:
    """Give a parameter, which is named by its name or its ARN."""
    if name.startswith("arn:"):
        return Subject(SOURCE, place_of(name) or call.place, ids=(name,))
    return Subject(SOURCE, call.place, name=name)


def _put(call: Call) -> list[Happening]:
    name, number = call.asked.name, call.answered.version
    if not name or number is None or number < 1 or call.asked.type not in {None, "SecureString"}:
        return []
    parameter = _parameter(call, name)
    found = [call.says(parameter, str(number), told) for told in (Told.CREATED, Told.IN_USE)]
    if number > 1:
        found.append(call.says(parameter, str(number - 1), Told.SUPERSEDED))
    return found


def _deleted(call: Call) -> list[Happening]:
    names = [call.asked.name] if call.asked.name else call.asked.names or []
    return [call.says(_parameter(call, name), None, Told.DELETED) for name in names]


EVENTS: Mapping[str, Callable[[Call], list[Happening]]] = {
    "PutParameter": _put,
    "DeleteParameter": _deleted,
    "DeleteParameters": _deleted,
}
