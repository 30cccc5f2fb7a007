"""One call a secret, several at once, and the sense to stop asking when nobody answers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from keyaudit.sources.aws.refusals import FATAL, Kind, Refusal, expected, explain
from keyaudit.sources.aws.secret_entries import Secret, SecretVersion

PATIENCE = {Kind.DENIED: 25, Kind.GONE: 1_000_000, Kind.SERVER: 5, Kind.UNREADABLE: 5}
"""How many refusals of a kind in a row, each after its own retries, until no more is asked."""
IMPATIENCE = 3


class VersionLists:
    """Asks for the version lists of one scope and keeps account of those that were refused."""

    def __init__(self, ask: Callable[[str], list[SecretVersion]], workers: ThreadPoolExecutor) -> None:
        """`ask` lists the versions of one ARN; `workers` bound how many calls are in flight."""
        self._ask = ask
        self._workers = workers
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._last: Kind | None = None
        self.wanted = 0
        self.refused: Counter[str] = Counter()
        self.not_asked = 0
        self.stopped = False

    def fetch(self, secrets: Sequence[Secret]) -> list[list[SecretVersion] | None]:
        """Give each secret's versions, None where they stay unknown."""
        self.wanted += len(secrets)
        return list(self._workers.map(self._try, secrets))

    def _try(self, secret: Secret) -> list[SecretVersion] | None:
        if self.stopped:
            with self._lock:
                self.not_asked += 1
            return None
        try:
            versions = self._ask(secret.arn)
        except expected() as error:
            with self._lock:
                self._refused(explain(error))
            return None
        with self._lock:
            self._in_a_row, self._last = 0, None
        return versions

    def _refused(self, refusal: Refusal) -> None:
        self.refused[refusal.reason] += 1
        self._in_a_row = self._in_a_row + 1 if refusal.kind is self._last else 1
        self._last = refusal.kind
        if refusal.kind in FATAL or self._in_a_row >= PATIENCE.get(refusal.kind, IMPATIENCE):
            self.stopped = True

    def reasons(self) -> list[str]:
        """Say what is missing, one sentence a reason."""
        reasons = [
            f"{count:,} of {self.wanted:,} version lists: {reason}"
            for reason, count in self.refused.most_common()
        ]
        if self.not_asked:
            reasons.append(f"{self.not_asked:,} of {self.wanted:,} version lists were then not asked for")
        return reasons
