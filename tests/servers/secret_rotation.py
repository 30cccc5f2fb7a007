"""RotateSecret and CancelRotateSecret, and the four steps that Secrets Manager then asks of a Lambda function.

    server.functions["arn:aws:lambda:…:function:rotate"] = handler      # handler(event, context)
    client.rotate_secret(SecretId="app/key", RotationLambdaARN="arn:aws:lambda:…", RotationRules=…)
    server.run_rotation("app/key")

The real service invokes on its own, soon after RotateSecret has answered, and tries a failed rotation
again from the first step, several times. Here a test says when, in its own thread and without the
server's lock, so that the function may ask this server what it needs.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keyaudit.times import DAY, HOUR, SECOND
from servers.aws_front import Refused
from servers.secret_labels import CURRENT, PENDING
from servers.secret_writing import Document, SecretWriting, _named, _token

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
_RATE = re.compile(r"rate\((\d+) (day|hour)s?\)")

Function = Callable[[Document, Any], object]


@dataclass(frozen=True)
class Rotation:
    """One rotation under way: its version, the steps that it takes, and what proves where a call comes from."""

    token: str
    steps: tuple[str, ...]
    rotation_token: str


class SecretRotation(SecretWriting):
    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.rotations: dict[str, Rotation] = {}
        super().__init__()

    def rotate_secret(self, region: str, body: Document) -> Document:
        entry = self.find(region, body, to_write=True)
        if "ClientRequestToken" not in body:  # recorded: another code than the other operations give
            raise Refused(400, "InvalidParameterException")
        token = _token(body)
        self._configurable(entry, body)
        labels = self.labels(entry)
        if labels.at.get(PENDING) not in {None, labels.at.get(CURRENT)}:
            raise Refused(400, "InvalidRequestException")
        labels.put(PENDING, token)
        labels.commit()
        self._configure(entry, body)
        at_once = body.get("RotateImmediately", True)
        rotation = Rotation(token, STEPS if at_once else ("testSecret",), str(uuid.uuid4()))
        self.rotations[entry["ARN"]] = rotation
        self.rotation_tokens[entry["ARN"]] = rotation.rotation_token
        if not at_once:  # assumed: the temporary version holds what is in use, as in moto
            self._lend(entry, token)
        self._changed(entry)
        return _named(entry, VersionId=token)

    def _configurable(self, entry: Document, body: Document) -> None:
        """Refuse before anything is changed; recorded for a function that cannot be invoked."""
        rules = body.get("RotationRules", {})
        if {"AutomaticallyAfterDays", "ScheduleExpression"} <= set(rules):
            raise Refused(400, "InvalidParameterException")
        if not 1 <= rules.get("AutomaticallyAfterDays", 1) <= 1000:
            raise Refused(400, "InvalidParameterException")
        function = body.get("RotationLambdaARN") or entry.get("RotationLambdaARN")
        if function is None:
            raise Refused(400, "InvalidRequestException")
        if function not in self.functions:
            raise Refused(400, "AccessDeniedException")

    def _configure(self, entry: Document, body: Document) -> None:
        entry["RotationEnabled"] = True
        entry |= {name: body[name] for name in ("RotationLambdaARN", "RotationRules") if name in body}
        self._schedule(entry)

    def _schedule(self, entry: Document) -> None:
        """Date the next rotation; a cron expression's is not worked out, and then the old date stays."""
        rules = entry.get("RotationRules", {})
        rate = _RATE.match(rules.get("ScheduleExpression", ""))
        days = rules.get("AutomaticallyAfterDays", 0) * DAY
        gap = int(rate[1]) * {"day": DAY, "hour": HOUR}[rate[2]] if rate else days
        if gap:
            entry["NextRotationDate"] = (self.now + gap) / SECOND

    def _lend(self, entry: Document, version: str) -> None:
        current = self.labels(entry).at.get(CURRENT)
        if current is not None:
            made = {"VersionId": version, "CreatedDate": self.now / SECOND, "VersionStages": [PENDING]}
            self.versions[entry["ARN"]].append(made)
            self.values.setdefault(entry["ARN"], {})[version] = self.value(entry, current)

    def cancel_rotate_secret(self, region: str, body: Document) -> Document:
        """Turn rotation off; a version that was pending stays so, and blocks until its label is removed."""
        entry = self.find(region, body, to_write=True)
        if "RotationLambdaARN" not in entry:
            raise Refused(400, "InvalidRequestException")
        entry["RotationEnabled"] = False
        for dated in ("LastRotatedDate", "NextRotationDate"):
            entry.pop(dated, None)
        self._end(entry)
        self._changed(entry)
        pending = self.labels(entry).at.get(PENDING)
        return _named(entry, **({"VersionId": pending} if pending else {}))

    def begin_step(self, region: str, secret: str) -> tuple[Document, Rotation]:
        entry = self.find(region, {"SecretId": secret})
        rotation = self.rotations.get(entry["ARN"])
        assert rotation is not None, f"no rotation of {secret} is under way"
        assert self.labels(entry).at.get(PENDING) == rotation.token, f"the rotation of {secret} was abandoned"
        return entry, rotation

    def end_rotation(self, entry: Document, rotation: Rotation) -> bool:
        """Look at what the function left behind; only what took over counts as rotated."""
        labels = self.labels(entry)
        if rotation.steps != STEPS:
            self.versions[entry["ARN"]][:] = [
                each for each in self.versions[entry["ARN"]] if each["VersionId"] != rotation.token
            ]
            labels.at.pop(PENDING, None)
            labels.commit()
        elif labels.at.get(CURRENT) != rotation.token:
            return False
        else:
            entry["LastRotatedDate"] = self.now / SECOND
            self._schedule(entry)
            self._changed(entry)
        self._end(entry)
        return True

    def _end(self, entry: Document) -> None:
        self.rotations.pop(entry["ARN"], None)
        self.rotation_tokens.pop(entry["ARN"], None)
