"""A secret of AWS Secrets Manager with an access key of IAM, or with a key of OpenAI."""

from __future__ import annotations

import json
from typing import Any

import openai
from botocore.exceptions import BotoCoreError, ClientError

from keyaudit.times import SECOND
from rotation.aws_clients import REGION, client
from rotation.worlds.world import Fetched, WholeSeconds, World
from servers.clock import Clock
from servers.iam import OWN, Iam
from servers.iam_keys import Key
from servers.openai import KEY, OpenAi, service_account
from servers.secrets_manager import SecretsManager
from servers.sts import Sts

CHAT: dict[str, Any] = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}


class AwsStore(World):
    """Somebody who may do everything signs what is rotated and audited; IAM knows everybody."""

    def start(self) -> None:
        self.iam = Iam(0, strict=True)
        self.iam.clock = WholeSeconds()
        self.stack.enter_context(self.iam)
        self.secrets = self.stack.enter_context(self.store_server())
        admin = self.iam.admin
        self.environment = {
            "AWS_ACCESS_KEY_ID": admin.id,
            "AWS_SECRET_ACCESS_KEY": admin.secret,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        self._store = client("secretsmanager", self.secrets.url, admin)

    def store_server(self) -> SecretsManager:
        return SecretsManager(clock=Clock(), iam=self.iam)

    def plant(self, name: str, value: str) -> None:
        self.secret = name
        with self.planted(self.secrets.clock):
            self._store.create_secret(Name=name, SecretString=value)

    def store(self, **more: Any) -> dict[str, Any]:
        where = {"region": REGION, "endpoint_url": self.secrets.url}
        return {"kind": "aws-secrets-manager", "secret": self.secret, **where, **more}

    def sources(self) -> list[dict[str, Any]]:
        entry = {"name": "secrets", "kind": "aws-secrets-manager", "regions": [REGION], "cache": False}
        return [{**entry, "endpoint_url": self.secrets.url}]

    def got(self) -> Any:
        return self._store.get_secret_value(SecretId=self.secret)

    def deny_writes(self) -> None:
        self.secrets.deny("GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "TagResource")

    def allow_writes(self) -> None:
        self.secrets.allow()


class AwsIam(AwsStore):
    listed = ("aws-secrets-manager", "aws-iam")
    refusals = (BotoCoreError, ClientError)

    def start(self) -> None:
        super().start()
        self.sts = self.stack.enter_context(Sts(self.iam))
        with self.planted(self.iam.clock):
            made = self.iam.clock()
            self.user = self.iam.account(OWN).put("deployer", made, Key("AKIAFIRSTFIRSTFIRST0", made))
        first = self.user.keys[0]
        self.plant("prod/deployer", json.dumps({"ID": first.id, "SECRET": first.secret}))
        self._users: dict[str, Any] = {}

    def sources(self) -> list[dict[str, Any]]:
        return [*super().sources(), {"name": "users", "kind": "aws-iam", "endpoint_url": self.iam.url}]

    def rotation(self) -> dict[str, Any]:
        return {
            "store": self.store(fields={"access_key_id": "ID", "secret_access_key": "SECRET"}),
            "issuer": {"kind": "aws-iam", "user": "deployer", "endpoint_url": self.iam.url},
            "probe": {"kind": "aws-sts", "endpoint_url": self.sts.url},
        }

    def fetch(self) -> Fetched:
        held = json.loads(self.got()["SecretString"])
        return Fetched(held["ID"], held)

    def use(self, value: Any) -> None:
        identifier = value["ID"]
        if identifier not in self._users:
            self._users[identifier] = client("sts", self.sts.url, Key(identifier, 0, secret=value["SECRET"]))
        self._users[identifier].get_caller_identity()

    def live(self) -> list[str]:
        return [key.id for key in self.user.keys if key.status == "Active"]

    def deny_writes(self) -> None:
        super().deny_writes()
        self.iam.deny("CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey")

    def allow_writes(self) -> None:
        super().allow_writes()
        self.iam.allow()


class OpenAiProject(World):
    """The provider's half: one project whose service account has one key."""

    def open_provider(self) -> None:
        self.provider = self.stack.enter_context(self.provider_server())
        self.first = "sk-svcacct-CANARY-first"
        with self.planted(self.provider.clock):
            made = self.provider.clock() // SECOND
            self.provider.put_key(
                "proj_web",
                "key_first",
                created_at=made,
                owner=service_account("web", created_at=made),
                value=self.first,
                redacted_value="sk-svcacct-...first",
            )
        self.client = openai.OpenAI(
            api_key=lambda: self.value, base_url=f"{self.provider.url}/v1", max_retries=0
        )
        self.stack.callback(self.client.close)

    def provider_server(self) -> OpenAi:
        return OpenAi(WholeSeconds())

    def provider_source(self) -> dict[str, Any]:
        where = {"organization": "acme", "projects": ["proj_web"], "endpoint": self.provider.url}
        return {"name": "openai", "kind": "openai", **where}

    def use(self, value: Any) -> None:
        self.value = value
        self.client.chat.completions.create(**CHAT)

    def live(self) -> list[str]:
        return self.provider.issued.live()

    def deny_provider_writes(self) -> None:
        for method in ("POST", "DELETE"):
            self.provider.deny(method, "/v1/organization/.*")


class AwsOpenAi(AwsStore, OpenAiProject):
    listed = ("aws-secrets-manager", "openai")
    refusals = (BotoCoreError, ClientError, openai.OpenAIError)
    names = "version"

    def start(self) -> None:
        super().start()
        self.open_provider()
        self.environment = {**self.environment, "OPENAI_ADMIN_KEY": KEY}
        self.plant("prod/openai", self.first)

    def sources(self) -> list[dict[str, Any]]:
        return [*super().sources(), self.provider_source()]

    def rotation(self) -> dict[str, Any]:
        project = {"project": "proj_web", "service_account": "svc_acct_web", "endpoint": self.provider.url}
        return {
            "store": self.store(),
            "issuer": {"kind": "openai", **project},
            "probe": {"kind": "openai", "endpoint": self.provider.url},
        }

    def fetch(self) -> Fetched:
        held = self.got()
        return Fetched(held["VersionId"], held["SecretString"])

    def deny_writes(self) -> None:
        super().deny_writes()
        self.deny_provider_writes()

    def allow_writes(self) -> None:
        super().allow_writes()
        self.provider.heal()
