"""A secret at the local Secret Manager, whose reminders reach our function over HTTP as Pub/Sub pushes them."""

from __future__ import annotations

import base64
import json
import logging
import threading
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import yaml
from flask import Flask, request
from werkzeug.serving import make_server

from keyaudit.rotation.google_function import ReminderFunction
from keyaudit.times import DAY, SECOND, format_instant
from rotation.hosted.lambda_world import Kill, Mortal
from rotation.stores.gcp_secret_case import AT, GcpSecretCase
from servers.cloud_tasks import CloudTasks
from servers.openai import KEY, OpenAi, service_account

PROJECT, ACCOUNT, FIRST = "proj_web", "svc_acct_web", "key_first"
QUEUE = "projects/acme-prod/locations/europe-west1/queues/keyaudit-rotation"


class MortalReminder(ReminderFunction):
    """May be killed after each call that changes something."""

    kill = Kill()

    def dies(self, kill: Kill) -> Self:
        self.kill = kill
        self._tasks = Mortal(self._tasks, ("call_at",), kill)
        return self

    def _parties(self) -> Any:
        parties = super()._parties()
        changes = ("stage", "void", "decide", "promote", "drop")
        return replace(
            parties,
            store=Mortal(parties.store, changes, self.kill),
            issuer=Mortal(parties.issuer, ("mint", "revoke"), self.kill),
        )


class GoogleWorld:
    def __init__(self, case: GcpSecretCase, folder: Path) -> None:
        self.case, self.clock = case, case.clock
        self.openai = OpenAi(self.clock)
        self.tasks = CloudTasks(self.clock)
        self.said: list[str] = []
        self.changes: dict[str, Any] = {}
        self.keys = folder
        (folder / "OPENAI_ADMIN_KEY").write_text(f"{KEY}\n")
        self.app = Flask("function")
        self.app.add_url_rule("/", view_func=self.rotate, methods=["POST"])
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._web = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._web.server_port}"
        self.function = self.started()

    def __enter__(self) -> Self:
        self.openai.__enter__()
        self.tasks.__enter__()
        self._serving = threading.Thread(target=self._web.serve_forever, args=(0.05,), daemon=True)
        self._serving.start()
        first = self.openai.put_key(
            PROJECT,
            FIRST,
            created_at=AT // SECOND,
            owner=service_account("web"),
            redacted_value="sk-...irst",
        )
        self.store = self.case.fresh(first)
        self.clock.advance(DAY)
        self.function = self.started()
        return self

    def __exit__(self, *details: object) -> None:
        self._web.shutdown()
        self._serving.join()
        self._web.server_close()
        self.tasks.__exit__(*details)
        self.openai.__exit__(*details)

    @property
    def environment(self) -> dict[str, str]:
        party = {"endpoint": self.openai.url}
        entry = {
            "name": "openai-prod",
            "window": "1h",
            "grace_period": "24h",
            "store": {
                "kind": "gcp-secret-manager",
                "project": "acme-prod",
                "secret": self.case.name or "secret-1",
                "endpoint": self.case.server.address,
            },
            "issuer": {"kind": "openai", "project": PROJECT, "service_account": ACCOUNT, **party},
            "probe": {"kind": "openai", **party},
            "silence": {"kind": "openai", "project": PROJECT, **party},
            **self.changes,
        }
        tasks = {
            "queue": QUEUE,
            "url": self.url,
            "service_account": "keyaudit-tasks@acme-prod.iam.gserviceaccount.com",
            "endpoint": self.tasks.url,
        }
        return {
            "KEYAUDIT_ROTATION": yaml.safe_dump(entry),
            "KEYAUDIT_TASKS": yaml.safe_dump(tasks),
            "KEYAUDIT_KEYS": str(self.keys),
        }

    def started(self, kill: Kill | None = None) -> MortalReminder:
        def pause(seconds: float) -> None:
            self.clock.advance(int(seconds * SECOND))

        return MortalReminder(self.environment, self.clock, pause, self.said.append).dies(kill or Kill())

    def rotate(self) -> Any:
        return self.function.answer(request.get_json(silent=True))

    def reminder(self, event: str = "SECRET_ROTATE", secret: str = "", **more: Any) -> dict[str, Any]:
        """Give the body of a push, as Pub/Sub's documentation shows it."""
        message = {
            "attributes": {
                "eventType": event,
                "secretId": f"projects/{self.number}/secrets/{secret or self.case.name}",
                "dataFormat": "JSON_API_V1",
                "timestamp": format_instant(self.clock()),
            },
            "data": base64.b64encode(b"{}").decode(),
            "messageId": "2070443601311540",
            "publishTime": format_instant(self.clock()),
            **more,
        }
        return {"message": message, "subscription": "projects/acme-prod/subscriptions/keyaudit-rotation"}

    @property
    def number(self) -> int | str:
        """The number of the project, by which Google calls it."""
        return self.case.manager.projects["acme-prod"]

    def push(self, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """POST as Eventarc does, in the binary mode of a CloudEvent."""
        event = {
            "Content-Type": "application/json",
            "ce-id": "2070443601311540",
            "ce-specversion": "1.0",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
            "ce-source": "//pubsub.googleapis.com/projects/acme-prod/topics/rotate",
            **headers,
        }
        asked = urllib.request.Request(self.url, json.dumps(body).encode(), event)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def pass_time(self, by: int) -> None:
        """Let time pass, and every task be called when it is due."""
        until = self.clock() + by
        for _ in range(200):
            due = sorted(task.at for task in self.tasks.waiting if task.at <= until)
            if not due:
                break
            self.clock.set(max(due[0], self.clock()))
            self.tasks.dispatch()
        self.clock.set(max(until, self.clock()))

    def served(self) -> str | None:
        issued = self.openai.issued.honoured(self.case.served())
        return None if issued is None else issued.id

    def live(self) -> set[str]:
        return set(self.openai.issued.live())
