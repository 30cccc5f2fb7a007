"""A secret that AWS rotates by our function, and an application that uses what it fetched last."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Self

import yaml

from keyaudit.rotation.aws_lambda import RotationFunction
from keyaudit.rotation.hosted.aws_secret import LambdaSecret
from keyaudit.times import DAY, MINUTE, SECOND
from rotation.aws_clients import REGION, client
from servers.admin_api import NOON
from servers.clock import Clock
from servers.openai import KEY, OpenAi, service_account
from servers.secrets_manager import SecretsManager, arn

NAME, PROJECT, ACCOUNT = "prod/openai", "proj_web", "svc_acct_web"
FIRST = "key_first"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:keyaudit-rotate"
TOKENS = tuple(f"{number}" * 8 + "-aaaa-4aaa-8aaa-aaaaaaaaaaaa" for number in range(1, 9))


class Killed(BaseException):
    """The function was killed: nothing of it runs any more."""


class Kill:
    """Kills after the `at`-th call that changes something; never for None."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.calls = at, 0

    def __call__(self, call: Any) -> Any:
        self.calls += 1
        answer = call()
        if self.calls == self.at:
            raise Killed
        return answer


class Mortal:
    """Somebody whose every method may be the last."""

    def __init__(self, party: Any, names: tuple[str, ...], kill: Kill) -> None:
        self._party, self._names, self._kill = party, names, kill

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._party, name)
        if name not in self._names:
            return found
        return lambda *args, **named: self._kill(lambda: found(*args, **named))


class MortalSecret(LambdaSecret):
    kill: Kill

    def put_pending(self, *args: Any) -> None:
        self.kill(lambda: LambdaSecret.put_pending(self, *args))

    def move(self, *args: Any, **named: Any) -> None:
        self.kill(lambda: LambdaSecret.move(self, *args, **named))

    def tag(self, *args: Any) -> None:
        self.kill(lambda: LambdaSecret.tag(self, *args))


class MortalFunction(RotationFunction):
    """May be killed after each call that changes something: before the next one is the same."""

    def dies(self, kill: Kill) -> MortalFunction:
        self.kill = kill
        self._secret = MortalSecret(self._store.secret, self._store, self._store.timeout)
        self._secret.kill = kill
        return self

    def _parties(self) -> Any:
        parties = super()._parties()
        return replace(parties, issuer=Mortal(parties.issuer, ("mint", "revoke"), self.kill))


class World:
    def __init__(self, *, silence: Any = "", probe: bool = True) -> None:
        self.clock = Clock(NOON)
        self.aws_server = SecretsManager(clock=self.clock)
        self.openai = OpenAi(self.clock)
        self.said: list[str] = []
        self.silence = silence
        self.settings: dict[str, Any] = {}
        self.aws_server.functions[FUNCTION] = self.invoke

    def __enter__(self) -> Self:
        self.aws_server.__enter__()
        self.openai.__enter__()
        self.aws = client("secretsmanager", self.aws_server.url)
        first = self.openai.put_key(
            PROJECT,
            FIRST,
            created_at=NOON // SECOND,
            owner=service_account("web"),
            redacted_value="sk-...irst",
        )
        self.aws.create_secret(Name="openai/admin", SecretString=KEY)
        stored = json.dumps({"OPENAI_API_KEY": first, "model": "gpt-5"})
        self.aws.create_secret(Name=NAME, SecretString=stored, ClientRequestToken="0" * 36)
        self.clock.advance(DAY)
        return self

    def __exit__(self, *details: object) -> None:
        self.openai.__exit__(*details)
        self.aws_server.__exit__(*details)

    @property
    def entry(self) -> dict[str, Any]:
        party = {"endpoint": self.openai.url}
        return {
            "name": "openai-prod",
            "window": "1h",
            "grace_period": "24h",
            "store": {
                "kind": "aws-secrets-manager",
                "secret": arn(NAME),
                "fields": {"key": "OPENAI_API_KEY"},
                "region": REGION,
                "endpoint_url": self.aws_server.url,
            },
            "issuer": {"kind": "openai", "project": PROJECT, "service_account": ACCOUNT, **party},
            "probe": {"kind": "openai", **party},
            "silence": self.silence or {"kind": "openai", "project": PROJECT, **party},
            **self.settings,
        }

    @property
    def environment(self) -> dict[str, str]:
        return {"KEYAUDIT_ROTATION": yaml.safe_dump(self.entry), "OPENAI_ADMIN_KEY_ARN": arn("openai/admin")}

    def function(self, kill: Kill | None = None) -> MortalFunction:
        def pause(seconds: float) -> None:
            self.clock.advance(int(seconds * SECOND))

        return MortalFunction(self.environment, self.clock, pause, self.said.append).dies(kill or Kill())

    def invoke(self, event: Any, context: Any) -> Any:
        return self.function().handle(event, context)

    def begin(self, token: str = TOKENS[0], **more: Any) -> None:
        rules = {"RotationLambdaARN": FUNCTION, "RotationRules": {"AutomaticallyAfterDays": 30}}
        self.aws.rotate_secret(SecretId=NAME, ClientRequestToken=token, **rules, **more)

    def rotate(self, token: str = TOKENS[0]) -> None:
        self.begin(token)
        assert self.aws_server.run_rotation(NAME)

    def retire(self, **more: Any) -> Any:
        return self.invoke({"Step": "retireSecret", **more}, None)

    def value(self, stage: str = "AWSCURRENT") -> str:
        answer = self.aws.get_secret_value(SecretId=NAME, VersionStage=stage)
        return str(json.loads(answer["SecretString"])["OPENAI_API_KEY"])

    def served(self) -> str | None:
        """Give the key that applications are given, if it works."""
        issued = self.openai.issued.honoured(self.value())
        return None if issued is None else issued.id

    def live(self) -> set[str]:
        return set(self.openai.issued.live())

    def labels(self) -> dict[str, str]:
        held = self.aws.describe_secret(SecretId=NAME)["VersionIdsToStages"]
        return {label: version for version, on in held.items() for label in on}

    def minutes(self, count: int) -> None:
        self.clock.advance(count * MINUTE)
