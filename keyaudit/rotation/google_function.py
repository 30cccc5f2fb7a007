"""The function behind Secret Manager's rotation reminder: `rotate` is what a Cloud Run function names.

    {"message": {"attributes": {"eventType": "SECRET_ROTATE", "secretId": …}}}    # a push of Pub/Sub
    {"rotation": "openai-prod", "token": …}                                       # our own task, later
    {"rotation": "openai-prod", "confirmed_silent": true}     # a human's word that nobody uses the old key

| environment | holds |
|---|---|
| KEYAUDIT_ROTATION | one entry of `rotations:`, with `store: {kind: gcp-secret-manager, …}` |
| KEYAUDIT_TASKS | where alarms are set (`hosted.cloud_tasks`) |
| KEYAUDIT_REQUEST | who asked for it, for the record: `{requested_by: …, approved_by: …, ticket: …}` |
| KEYAUDIT_KEYS | a folder with a file for each key of a management API: `OPENAI_ADMIN_KEY` |

A reminder makes a key, adds a version, tries it and moves the alias `current`. Then a task comes back
whenever there is something to see, until the old key was silent for the entry's `window`; it is revoked
then, and its version disabled. Every call goes on from what is there, so reminders and tasks that come
twice, late, or at once do no harm. Google sends the reminder on schedule whether or not anybody rotated.

Only invocations that IAM lets in may reach it: deploy it with `--no-allow-unauthenticated`.
`examples/09-google-rotation-function` does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from keyaudit.errors import KeyauditError, RotationError, UsageError
from keyaudit.rotation.hosted import configuration
from keyaudit.rotation.hosted.cloud_tasks import FARTHEST, CloudTasks, TaskSettings
from keyaudit.rotation.hosted.record import LoggedRecord
from keyaudit.rotation.hosted.unattended import Unattended
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.party import Means
from keyaudit.rotation.runner import Ending, Runner
from keyaudit.rotation.settings import open_parties
from keyaudit.rotation.sight import Shelf
from keyaudit.rotation.steps import Blocked, Wait
from keyaudit.rotation.stores.gcp_secret_manager import GcpSecretSettings
from keyaudit.times import SECOND, format_instant, parse_instant

TASKS, KEYS = "KEYAUDIT_TASKS", "KEYAUDIT_KEYS"
ROTATE = "SECRET_ROTATE"

Answer = tuple[dict[str, Any], int]
"""A body, and an HTTP status: anything but 2xx is asked again, by Pub/Sub and by Cloud Tasks."""


def rotate(request: Any) -> Answer:
    """Answer a POST; `request` is Flask's. Never raises: what went wrong is in the answer and in the log."""
    try:
        function = ReminderFunction(os.environ, lambda: time.time_ns() // 1000, time.sleep, _say)
        return function.answer(request.get_json(silent=True))
    except KeyauditError as error:  # settings
        _say(f"{error} ({error.hint})" if error.hint else str(error))
        return {"error": str(error), "hint": error.hint}, 500


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class ReminderFunction:
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
        self._settings = configuration.rotation(environment, "gcp-secret-manager")
        self._store = GcpSecretSettings.model_validate(dict(self._settings.store))
        try:
            tasks = TaskSettings.model_validate(configuration.mapping(environment, TASKS) or {})
        except ValidationError as error:
            wrong = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
            raise UsageError(f"{TASKS}: missing or wrong: {wrong}") from None
        self._tasks = CloudTasks(tasks)

    def answer(self, body: Any) -> Answer:
        """Answer the body of a request."""
        asked = body if isinstance(body, dict) else {}
        message = asked.get("message")
        try:
            if isinstance(message, dict):
                return self._reminded(message)
            if asked.get("rotation") == self._settings.name:
                return self._called_back(asked)
        except RotationError as error:
            self._say(f"{error} ({error.hint})" if error.hint else str(error))
            return {"error": str(error), "hint": error.hint}, 503
        return {"error": "neither a message of Pub/Sub, nor a task of this rotation"}, 400

    def _reminded(self, message: Mapping[str, Any]) -> Answer:
        attributes = message.get("attributes")
        said = attributes if isinstance(attributes, dict) else {}
        if said.get("eventType") != ROTATE:
            return {"ignored": "no reminder to rotate"}, 200
        secret, parties = str(said.get("secretId")), self._parties()
        if not self._is_called_so(secret) or not self._is_of_our_project(secret, parties):
            return {"ignored": "a reminder about another secret"}, 200
        # One that is older than the value in use was heard already; what it began is still carried on.
        begin = not _outdated(message.get("publishTime"), parties.store.look())
        return self._run(parties, begin=begin, who="secret-manager", silent=False)

    def _called_back(self, asked: Mapping[str, Any]) -> Answer:
        parties = self._parties()
        if asked.get("token") not in {None, parties.store.look().token}:
            return {"ignored": "that rotation is over"}, 200
        silent = asked.get("confirmed_silent") is True
        return self._run(parties, begin=False, who="schedule", silent=silent)

    def _run(self, parties: Parties, *, begin: bool, who: str, silent: bool) -> Answer:
        request = configuration.request(self._environment, who)
        order = configuration.order(self._settings, begin=begin, confirmed_silent=silent)
        with LoggedRecord(self._settings.name, parties.store.credential, request, self._record) as journal:
            ending = Runner(parties, journal, Unattended(self._clock, self._pause)).run(order)
        step = ending.step
        if isinstance(step, Blocked):
            raise RotationError(step.why, hint=step.hint)
        if isinstance(step, Wait):
            return {
                "waits": step.why,
                "until": format_instant(self._call_back(ending, step)),
                "late": step.late,
            }, 200
        return {"outcome": step.outcome, "why": step.why}, 200

    def _record(self, line: str) -> None:
        """Say a line of the record so that Cloud Logging keeps its bytes: bare JSON it would take apart."""
        self._say(f"record {line}")

    def _call_back(self, ending: Ending, step: Wait) -> int:
        """Have this function called when there is something to see; gives when."""
        token, now = ending.sight.shelf.token, self._clock()
        at = min(max(step.until, now), now + FARTHEST)
        # Seconds, rounded up: tasks for the same instant are one task.
        second = -(-at // SECOND)
        name = f"{self._settings.name.replace('.', '_')}-{token}-{second}"
        self._tasks.call_at(second * SECOND, name, {"rotation": self._settings.name, "token": token})
        return second * SECOND

    def _parties(self) -> Parties:
        folder = self._environment.get(KEYS, "")
        parties = open_parties(self._settings, Means(self._clock, _Keys(Path(folder)) if folder else {}))
        if not parties.issuer.names_keys:
            raise RotationError(
                f"keys of {parties.issuer.kind} bear no name, so a lost one could not be found",
                hint="rotate it with `keyaudit rotate`, whose record is on a disk",
            )
        return parties

    def _is_called_so(self, secret: str) -> bool:
        parts = secret.split("/")
        location = parts[parts.index("locations") + 1] if "locations" in parts[:-1] else None
        return (parts[-1], location) == (self._store.secret, self._store.location)

    def _is_of_our_project(self, secret: str, parties: Parties) -> bool:
        """Tell secrets of one name apart, whose projects may share a topic: by number or id."""
        number = parties.store.credential.id.split("/")[1]
        return secret.split("/")[:2] in (["projects", number], ["projects", self._store.project])


def _outdated(published: object, shelf: Shelf) -> bool:
    current = shelf.current
    if current is None or current.token is None or current.since is None or not isinstance(published, str):
        return False
    try:
        return parse_instant(published) < current.since
    except ValueError:
        return False


class _Keys(Mapping[str, str]):
    """Keys of management APIs, each read from the file of its name when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> str:
        try:
            return (self._folder / name).read_text("utf-8")
        except OSError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (file.name for file in self._folder.iterdir())

    def __len__(self) -> int:
        return sum(1 for _ in self)
