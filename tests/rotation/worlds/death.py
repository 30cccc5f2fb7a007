"""A process that is killed for good (SIGKILL) when a server has acted, and before it can answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from rotation.worlds.aws import AwsOpenAi
from rotation.worlds.world import WholeSeconds, World
from servers.clock import Clock
from servers.openai import OpenAi
from servers.secrets_manager import SecretsManager
from transcripts import surroundings

WHO = ("--requested-by", "a@acme.example", "--approved-by", "b@acme.example", "--ticket", "CHG-1")
Acted = Callable[[str], None]


class Death:
    """Comes with the `number`-th change of a kind that any server has made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._change, self._left = "", 0
        self.seen: list[str] = []

    def acted(self, change: str) -> None:
        with self._lock:
            self.seen.append(change)
            self._left -= change == self._change
            if self._process is not None and change == self._change and self._left == 0:
                self._process.kill()
                self._process.wait(timeout=30)

    def of(self, world: World, change: str, number: int) -> None:
        """Run a rotation that dies then."""
        with self._lock:
            self._change, self._left = change, number
            self._process = begun(world)
        _, said = self._process.communicate(timeout=60)
        assert self._process.returncode == -signal.SIGKILL, said.decode()
        with self._lock:
            self._process = None


def begun(world: World) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "keyaudit", "rotate", "run", "demo", "--yes", "--wait", *WHO],
        cwd=world.folder,
        env={**surroundings(), **world.environment, "XDG_CACHE_HOME": os.fspath(world.folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


class DeadlySecrets(SecretsManager):
    def __init__(self, acted: Acted, **more: Any) -> None:
        self._acted = acted
        super().__init__(**more)

    def act(self, asked: Any) -> Any:
        answer = super().act(asked)
        self._acted(asked.operation)
        return answer


class DeadlyOpenAi(OpenAi):
    def __init__(self, acted: Acted, clock: Clock) -> None:
        self._acted = acted
        super().__init__(clock)

    def respond(self, asked: Any) -> Any:
        answer = super().respond(asked)
        if asked.path.startswith("/v1/organization/"):
            self._acted(asked.method)
        return answer


class DeadlyAws(AwsOpenAi):
    """Reads are no changes, whoever asks."""

    def start(self) -> None:
        self.death = Death()
        super().start()

    def store_server(self) -> SecretsManager:
        return DeadlySecrets(self.death.acted, clock=Clock(), iam=self.iam)

    def provider_server(self) -> OpenAi:
        return DeadlyOpenAi(self.death.acted, WholeSeconds())
