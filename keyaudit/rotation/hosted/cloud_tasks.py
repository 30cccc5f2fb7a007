"""Google Cloud Tasks as an alarm clock: it calls a URL at an instant, and again until it is answered well.

    KEYAUDIT_TASKS: |
      queue: projects/acme-prod/locations/europe-west1/queues/keyaudit-rotation
      url: https://keyaudit-rotate-abc.a.run.app            # this function's own
      service_account: keyaudit-tasks@acme-prod.iam.gserviceaccount.com    # who calls it: run.invoker
      endpoint: https://cloudtasks.googleapis.com
      timeout: 30s

A task is named by what it is for, so asking for the same one again is nothing. Its body has names only.
Needs cloudtasks.tasks.create on the queue, and iam.serviceAccounts.actAs on the service account.

Source: the reference of projects.locations.queues.tasks.create (v2): at most 30 days ahead; a name that
is taken is ALREADY_EXISTS, HTTP 409.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from keyaudit.errors import RotationError, SourceError
from keyaudit.rotation.doors.web import Web
from keyaudit.sources.gcp.caller import sign_in
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.gcp.settings import GcpSettings, ServiceAccount
from keyaudit.sources.pulling.settings import Duration, Endpoint
from keyaudit.times import DAY, SECOND, format_instant

CREATE = "POST /v2/projects/{project}/locations/{location}/queues/{queue}/tasks"
FARTHEST = 30 * DAY - DAY // 24
_QUEUE = re.compile(r"projects/([a-z0-9.:-]+)/locations/([a-z0-9-]+)/queues/([A-Za-z0-9-]+)")


class TaskSettings(BaseModel):
    """Checked settings; `timeout` in microseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: Annotated[str, Field(pattern=f"^{_QUEUE.pattern}$")]
    url: Endpoint
    service_account: ServiceAccount
    endpoint: Endpoint = "https://cloudtasks.googleapis.com"
    timeout: Annotated[Duration, Field(ge=SECOND, le=600 * SECOND)] = 30 * SECOND


class CloudTasks:
    """One queue, whose tasks call one URL."""

    def __init__(self, settings: TaskSettings) -> None:
        """Nothing is asked yet."""
        self._settings = settings
        project, location, queue = _QUEUE.fullmatch(settings.queue).groups()  # type: ignore[union-attr]  # checked
        self._place = {"project": project, "location": location, "queue": queue}

    def call_at(self, instant: int, name: str, body: Mapping[str, Any]) -> None:
        """Have the URL called with a body at an instant (microseconds), once for each name.

        Raises RotationError where that could not be arranged.
        """
        settings = self._settings
        request = {
            "url": settings.url,
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": base64.b64encode(json.dumps(body).encode()).decode(),
            "oidcToken": {"serviceAccountEmail": settings.service_account, "audience": settings.url},
        }
        task = {
            "name": f"{settings.queue}/tasks/{name}",
            "scheduleTime": format_instant(instant),
            "httpRequest": request,
        }
        web = Web(
            "Cloud Tasks", settings.endpoint, (CREATE,), self._signed(), timeout=settings.timeout, extra="gcp"
        )
        answer = web.ask(CREATE, body={"task": task}, at=self._place)
        if not answer.good and answer.status != 409:
            raise web.refused(answer, hint="may this function's account create tasks in that queue?")

    def _signed(self) -> Mapping[str, str]:
        if self._settings.endpoint.startswith("http://"):  # an emulator on this machine
            return {}
        exceptions = library("google.auth.exceptions")
        try:
            caller = sign_in(GcpSettings(name="rotation", projects=(self._place["project"],)))
            credentials: Any = caller.credentials
            credentials.refresh(library("google.auth.transport.requests").Request())
        except (exceptions.GoogleAuthError, SourceError):
            pass
        else:
            return {"Authorization": f"Bearer {credentials.token}"}
        raise RotationError("no Google credentials that can be used")
