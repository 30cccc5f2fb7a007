"""AWS IAM in CloudTrail: access keys that were made, switched off and on, and deleted.

* A new key takes over when it is made, as the source counts it.
* A user is named without the path that its ARN has: which one it is, the inventory knows.
* Who names nobody is the caller. Root's keys are told apart by nothing that the inventory has.

Operations: the IAM API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keyaudit.history.events import Told
from keyaudit.history.logs.aws_call import Call
from keyaudit.history.logs.happening import Happening, Subject

SOURCE = "aws-iam"
_STATUS = {"Inactive": Told.RETIRED, "Active": Told.RESTORED}


def _user(call: Call) -> Subject | None:
    made, caller = call.answered.access_key, call.caller
    name = call.asked.user or (made.user if made else None)
    if name is None and caller is not None and caller.type == "IAMUser":
        name = caller.name
    return None if not name else Subject(SOURCE, call.account, name=name)


def _made(call: Call) -> list[Happening]:
    user, key = _user(call), call.answered.access_key
    if user is None or key is None or not key.id:
        return []
    return [call.says(user, key.id, told) for told in (Told.CREATED, Told.IN_USE)]


def _switched(call: Call) -> list[Happening]:
    user, told = _user(call), _STATUS.get(call.asked.status or "")
    if user is None or told is None or not call.asked.access_key:
        return []
    return [call.says(user, call.asked.access_key, told)]


def _deleted(call: Call) -> list[Happening]:
    user = _user(call)
    if user is None or not call.asked.access_key:
        return []
    return [call.says(user, call.asked.access_key, Told.RETIRED)]


def _gone(call: Call) -> list[Happening]:
    user = _user(call)
    return [] if user is None else [call.says(user, None, Told.DELETED)]


EVENTS: Mapping[str, Callable[[Call], list[Happening]]] = {
    "CreateAccessKey": _made,
    "UpdateAccessKey": _switched,
    "DeleteAccessKey": _deleted,
    "DeleteUser": _gone,
}
