"""A secret at the local Secrets Manager, through boto3's own clients."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from itertools import count

from keyaudit.rotation.party import Means
from keyaudit.rotation.stores.aws_secrets_manager import AwsSecret
from keyaudit.rotation.stores.protocol import Credential
from keyaudit.sources import open_source
from keyaudit.times import SECOND
from rotation.aws_clients import REGION, client
from rotation.stores.contract import Moment
from servers.clock import Clock
from servers.fault_proxy import Asked, Fault
from servers.secrets_manager import ACCOUNT, SecretsManager

AT = 1_780_000_000 * SECOND
CHANGING = frozenset({"PutSecretValue", "UpdateSecretVersionStage", "TagResource"})
KINDS: Mapping[Moment, str] = {"before": "reset", "after": "lost"}


class Interrupted(SecretsManager):
    """Does something, or fails, at the next call that changes something."""

    def __init__(self, clock: Clock) -> None:
        self.next_fails: Moment | None = None
        self.before_next: Callable[[], None] | None = None
        super().__init__(clock=clock)

    def admit(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        super().admit(handler, asked)
        if asked.operation in CHANGING and self.before_next is not None:
            action, self.before_next = self.before_next, None
            # In a thread of its own, as another runner is: this one waits for its answer.
            other = threading.Thread(target=action)
            other.start()
            other.join()

    def _choose(self, asked: Asked) -> Fault | None:
        chosen = super()._choose(asked)
        if asked.operation in CHANGING and self.next_fails is not None:
            moment, self.next_fails = self.next_fails, None
            return Fault(KINDS[moment], asked.operation)
        return chosen


class AwsSecretCase:
    """One secret; each store of it has a client of its own."""

    FAULTS: frozenset[Moment] = frozenset({"before", "after"})
    CANNOT: Mapping[str, str] = {}
    VALUE_CALLS = frozenset({"secretsmanager:GetSecretValue"})
    RARE: frozenset[str] = frozenset()
    RACES = 6

    def __init__(self) -> None:
        self.clock = Clock(AT)
        self.server = Interrupted(self.clock)
        self._names = count(1)
        self._name = ""
        self._fields: Mapping[str, str] = {}
        self._seen = 0

    def fresh(self, text: str, fields: Mapping[str, str] | None = None) -> AwsSecret:
        self._name, self._fields = f"prod/app-{next(self._names)}", fields or {}
        self._hand.create_secret(Name=self._name, SecretString=text)
        return self.again()

    def again(self) -> AwsSecret:
        settings = AwsSecret.Settings.model_validate(
            {
                "kind": "aws-secrets-manager",
                "secret": self._name,
                "region": REGION,
                "endpoint_url": self.server.url,
                "fields": self._fields,
            }
        )
        return AwsSecret.opened(settings, Means(clock=self.now))

    @cached_property
    def _hand(self):
        return client("secretsmanager", self.server.url)

    def served(self) -> str:
        return str(self._hand.get_secret_value(SecretId=self._name)["SecretString"])

    def in_reach(self) -> list[str]:
        """By AWS's labels: nobody fetches by one of ours, and by its id every version can be had."""
        hand = self._hand
        at = hand.describe_secret(SecretId=self._name)["VersionIdsToStages"]
        labelled = [version for version, on in at.items() if any(label.startswith("AWS") for label in on)]
        return [
            hand.get_secret_value(SecretId=self._name, VersionId=version)["SecretString"]
            for version in labelled
        ]

    def put(self, text: str) -> None:
        self._hand.put_secret_value(SecretId=self._name, SecretString=text)

    def interfere(self) -> None:
        self._hand.put_secret_value(
            SecretId=self._name, SecretString="CANARY-of-a-lambda", VersionStages=["AWSPENDING"]
        )

    def now(self) -> int:
        return self.clock()

    def advance(self, by: int) -> None:
        self.clock.advance(by)

    def fail(self, moment: Moment) -> None:
        self.server.next_fails = moment

    def meanwhile(self, action: Callable[[], None]) -> None:
        self.server.before_next = action

    def listed(self) -> Credential:
        pulled = open_source(
            {
                "name": "aws",
                "kind": "aws-secrets-manager",
                "regions": [REGION],
                "endpoint_url": self.server.url,
                "cache": False,
            },
            clock=self.now,
        ).pull(lambda _: None)
        (row,) = [row for row in pulled.rows if row.name == self._name]
        assert row.scope == f"{ACCOUNT}/{REGION}"
        return Credential(row.source, row.scope, row.id, row.name)

    def operations(self) -> set[str]:
        asked = self.server.calls[self._seen :]
        self._seen = len(self.server.calls)
        return {f"secretsmanager:{call.operation}" for call in asked}
