"""Cloud Tasks as its reference has it: tasks are taken once for each name, and call a URL until it answers well.

    with CloudTasks(clock) as tasks:
        …                       # whoever is configured with `tasks.url` creates tasks
        tasks.dispatch()        # call what is due by the clock; what was answered badly is due again later

A name that was ever given is taken (the real service forgets it some hours after the task). A task may be
called twice: `twice` does that to each.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from keyaudit.times import DAY, HOUR, parse_instant
from servers.clock import Clock
from servers.loopback import Loopback

_PATH = re.compile(r"/v2/(projects/[^/]+/locations/[^/]+/queues/[^/]+)/tasks")


@dataclass
class Task:
    name: str
    at: int
    url: str
    body: bytes
    account: str
    tries: int = 0
    answers: list[int] = field(default_factory=list)


class CloudTasks(Loopback):
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waiting: list[Task] = []
        self.done: list[Task] = []
        self.names: set[str] = set()
        self.twice = False
        self.refuses: int | None = None
        self.authorized: list[str | None] = []
        self._lock = threading.Lock()
        super().__init__()

    def dispatch(self) -> int:
        """Call every task that is due; gives how many were."""
        due = [task for task in self.waiting if task.at <= self.clock()]
        for task in due:
            for _ in range(2 if self.twice else 1):
                task.answers.append(_post(task))
            task.tries += 1
            if 200 <= task.answers[-1] < 300:
                self.waiting.remove(task)
                self.done.append(task)
            else:
                task.at = self.clock() + HOUR
        return len(due)

    def create(self, queue: str, body: dict[str, Any]) -> tuple[int, str]:
        task = body["task"]
        request = task["httpRequest"]
        at = parse_instant(task["scheduleTime"])
        if not task["name"].startswith(f"{queue}/tasks/") or at > self.clock() + 30 * DAY:
            return 400, "INVALID_ARGUMENT"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,500}", task["name"].rpartition("/")[2]):
            return 400, "INVALID_ARGUMENT"
        if self.refuses is not None:
            return self.refuses, "PERMISSION_DENIED"
        with self._lock:
            if task["name"] in self.names:
                return 409, "ALREADY_EXISTS"
            self.names.add(task["name"])
            account = request["oidcToken"]["serviceAccountEmail"]
            content = base64.b64decode(request["body"])
            self.waiting.append(Task(task["name"], at, request["url"], content, account))
        return 200, ""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                found = _PATH.fullmatch(self.path)
                status, code = server.create(found[1], body) if found else (404, "NOT_FOUND")
                answer = (
                    {"error": {"code": status, "status": code}} if code else {"name": body["task"]["name"]}
                )
                raw = json.dumps(answer).encode()
                server.authorized.append(self.headers.get("Authorization"))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        return Handler


def _post(task: Task) -> int:
    request = urllib.request.Request(
        task.url, task.body, {"Content-Type": "application/json", "X-CloudTasks-TaskName": task.name}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)
