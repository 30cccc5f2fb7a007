"""The rotation function of AWS Secrets Manager: `handler` is what a Lambda function names.

    event = {"Step": "createSecret", "SecretId": ARN, "ClientRequestToken": VERSION, "RotationToken": …}
    event = {"Step": "retireSecret"}                            # no step of AWS's: from an hourly schedule
    event = {"Step": "retireSecret", "ConfirmedSilent": true}   # a human's word that nobody uses the old key

| environment | holds |
|---|---|
| KEYAUDIT_ROTATION | one entry of `rotations:`, with `store: {kind: aws-secrets-manager, secret: ARN}` |
| KEYAUDIT_REQUEST | who asked for it, for the record: `{requested_by: …, approved_by: …, ticket: …}` |
| NAME_ARN | the secret that holds the key which the entry calls NAME: `OPENAI_ADMIN_KEY_ARN` |

finishSecret does not end the old key: applications may hold it still. `retireSecret` does, once it was
silent for the entry's `window`. `examples/08-aws-rotation-lambda` deploys both.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from keyaudit.errors import RotationError, UsageError
from keyaudit.rotation.doors.aws import Aws, call
from keyaudit.rotation.hosted import configuration
from keyaudit.rotation.hosted.aws_retiring import retire
from keyaudit.rotation.hosted.aws_secret import LambdaSecret
from keyaudit.rotation.hosted.aws_steps import STEPS, Work, asked
from keyaudit.rotation.hosted.record import LoggedRecord
from keyaudit.rotation.hosted.unattended import Unattended
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.party import Means
from keyaudit.rotation.runner import Ending
from keyaudit.rotation.settings import open_parties
from keyaudit.rotation.steps import Blocked, Wait
from keyaudit.rotation.stores.aws_secret_calls import DESCRIBE, GET, MOVE, PUT, TAG
from keyaudit.rotation.stores.aws_secrets_manager import AwsSecretSettings
from keyaudit.times import SECOND, format_instant

RETIRE = "retireSecret"

CALLS: Mapping[str, tuple[str, ...]] = {
    "createSecret": (DESCRIBE, GET, PUT, MOVE),
    "setSecret": (DESCRIBE,),
    "testSecret": (DESCRIBE, GET, MOVE),
    "finishSecret": (DESCRIBE, MOVE, TAG),
    RETIRE: (DESCRIBE, GET, MOVE),
}
"""What each step asks about the secret, as IAM names it. An admin key's secret is read, and no more."""

_SPELLED = {
    "create_secret": "createSecret",
    "set_secret": "setSecret",
    "test_secret": "testSecret",
    "finish_secret": "finishSecret",
}
"""AWS sends the names on the right, and its user guide prints those on the left."""
_MARGIN = 10 * SECOND
"""What is left of a function's life for writing down that it waits no longer."""


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Do what AWS, or the schedule, asks; raises KeyauditError, after which AWS asks again."""
    return RotationFunction(os.environ, lambda: time.time_ns() // 1000, time.sleep, _say).handle(
        event, context
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class RotationFunction:
    """The function, with the world that it is given: environment, clock (microseconds), patience, a log."""

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Callable[[], int],
        pause: Callable[[float], None],
        say: Callable[[str], None],
    ) -> None:
        """Reads the settings; raises PolicyError, UsageError."""
        self._environment, self._clock, self._pause, self._say = environment, clock, pause, say
        self._settings = configuration.rotation(environment, "aws-secrets-manager")
        self._store = AwsSecretSettings.model_validate(dict(self._settings.store))
        self._secret = LambdaSecret(self._store.secret, self._store, self._store.timeout)
        self._keys = _Keys(environment, Aws(self._store, self._store.timeout))

    def handle(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event."""
        step, named = _SPELLED.get(str(event.get("Step")), event.get("Step")), event.get("SecretId")
        if step not in {*STEPS, RETIRE}:
            raise UsageError(f"no such step: {step!r}")
        if (step in STEPS or named is not None) and named != self._secret.credential.id:
            raise UsageError(
                "this function rotates another secret", hint=f"{configuration.ROTATION}: store.secret"
            )
        with self._record(step) as journal:
            around = Unattended(self._clock, self._pause, self._deadline(context))
            if step == RETIRE:
                return self._retired(event, journal, around)
            work = Work(
                self._parties(),
                self._secret,
                journal,
                around,
                str(event.get("ClientRequestToken")),
                event.get("RotationToken"),
                self._store.tags,
            )
            asked(work, step)
            return {}

    def _retired(self, event: Mapping[str, Any], journal: LoggedRecord, around: Unattended) -> dict[str, Any]:
        silent = event.get("ConfirmedSilent") is True
        order = configuration.order(self._settings, begin=False, confirmed_silent=silent)
        endings = retire(self._parties(), self._secret, journal, around, order)
        blocked = [ending.step for ending in endings if isinstance(ending.step, Blocked)]
        if blocked:
            raise RotationError(blocked[0].why, hint=blocked[0].hint)
        return {"older_versions": [_said(ending) for ending in endings]}

    @contextmanager
    def _record(self, step: str) -> Iterator[LoggedRecord]:
        who = "aws-secrets-manager" if step in STEPS else "schedule"
        request = configuration.request(self._environment, who)
        name, credential = self._settings.name, self._secret.credential
        with LoggedRecord(name, credential, request, self._say) as journal:
            yield journal

    def _parties(self) -> Parties:
        return open_parties(self._settings, Means(self._clock, self._keys))

    def _deadline(self, context: Any) -> int | None:
        if not hasattr(context, "get_remaining_time_in_millis"):
            return None
        return int(self._clock() + context.get_remaining_time_in_millis() * 1000 - _MARGIN)


def _said(ending: Ending) -> dict[str, Any]:
    step = ending.step
    until = format_instant(step.until) if isinstance(step, Wait) else None
    return {"why": step.why, "until": until, "late": isinstance(step, Wait) and step.late}


class _Keys(Mapping[str, str]):
    """Keys of management APIs, each fetched when it is asked for from the secret that NAME_ARN names."""

    def __init__(self, environment: Mapping[str, str], aws: Aws) -> None:
        self._environment, self._aws = environment, aws

    def __getitem__(self, name: str) -> str:
        arn = self._environment[f"{name}_ARN"]
        client = self._aws.reading("secretsmanager", arn.split(":")[3])
        return str(call(GET, client.get_secret_value, SecretId=arn).get("SecretString", ""))

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix("_ARN") for name in self._environment if name.endswith("_ARN"))

    def __len__(self) -> int:
        return sum(1 for _ in self)
