"""Acme, Inc. on this machine: every provider that keyaudit lists, with credentials whose answers are known.

    with Estate() as acme:
        (folder / "keyaudit.yaml").write_text(acme.configuration("examples/05-every-source/keyaudit.yaml"))
        subprocess.run(["keyaudit", "scan"], cwd=folder, env=acme.environment)

What examples/11-rotate-a-key rotates has a value, and its provider honours it.

Four things are wrong with it, and an audit must say so: one AWS account cannot be entered, one mount
of Vault is sealed, one project at OpenAI throttles everybody, and Anthropic breaks connections.
`FAILS` says what rules find on each credential. Dates count back from `now`.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from keyaudit.times import DAY, HOUR, SECOND, format_instant
from servers import anthropic, openai
from servers.aws_query_dialect import AwsQuery
from servers.clock import Clock
from servers.fault_proxy import Fault, FaultProxy
from servers.google_iam import GoogleIam
from servers.google_secret_manager import SecretManager
from servers.grpc_server import GrpcServer
from servers.iam import OWN, Iam, Key
from servers.json_dialect import JsonApi
from servers.kms import Kms
from servers.parameters import Parameters
from servers.secrets_manager import SecretsManager
from servers.sts import Sts
from servers.vault import VaultServer, metadata, stamp
from servers.vault_dialect import VaultApi
from servers.vault_engines import Kv2, Transit, database

PLACES = {
    "aws": 4701,
    "aws-iam": 4702,
    "aws-ssm": 4703,
    "aws-kms": 4704,
    "google": 4705,
    "vault": 4706,
    "openai": 4707,
    "anthropic": 4708,
    "aws-sts": 4709,
}
"""The ports that the example's keyaudit.yaml writes; each is replaced by where its server really listens."""

DENIED = "444455556666"
TOKEN = "CANARY-vault-token"
BACKUP = Key("AKIABACKUP0000000000", 0).secret
KEYS = {name: f"sk-svcacct-CANARY-{name}-first" for name in ("web", "staging", "assistant")}
"""What the stores hold, by who uses it: keys that OpenAI honours."""

_OLD = {"rotation-overdue"}
_FIRST = {"never-rotated"}
_LEFT = {"old-key-active"}
FAILS: dict[str, set[str]] = {
    "prod/openai": _OLD,
    "prod/stripe": _OLD,
    "prod/backup": _FIRST,
    "staging/openai": _OLD,
    "deployer": _LEFT,
    "nightly": set(),
    "backup": _FIRST,
    "/prod/database/password": _OLD,
    "/prod/search/token": set(),
    "alias/tokens": set(),
    "mailer": _OLD,
    "maps": set(),
    "reporter@acme-prod.iam.gserviceaccount.com": set(),
    "runner@acme-prod.iam.gserviceaccount.com": _FIRST,
    "web/session": set(),
    "web/smtp": _OLD,
    "web/assistant": _FIRST,
    "orders": set(),
    "cards": set(),
    "svc_web": _OLD | _LEFT,
    "svc_staging": _OLD,
    "svc_assistant": _OLD,
    "name of key_admin": set(),
    "Groq, transcription": _FIRST,
    "Partner's FTP": _FIRST,
}
"""By name, what of `JUDGED` fails. Nothing of the four that could not be seen is in it."""

JUDGED = {"rotation-overdue", "never-rotated", "old-key-active"}

UNSEEN = {
    ("aws-iam", DENIED): "failed",
    ("aws-iam", f"{DENIED}/service-specific"): "failed",
    ("vault", "acme/payments"): "failed",
    ("openai", "acme/proj_research"): "failed",
    ("anthropic", "acme"): "failed",
}


class Estate:
    """All servers, planted; `environment` has what a shell needs to list them, and nothing of its own."""

    def __init__(self, now: int | None = None) -> None:
        self.now = int(time.time()) * SECOND if now is None else now
        self._stack = ExitStack()
        self.addresses: dict[str, str] = {}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GOOGLE_"))},
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "CANARY-secret-access-key",
            "AWS_EC2_METADATA_DISABLED": "true",
            "VAULT_TOKEN": TOKEN,
            "OPENAI_ADMIN_KEY": openai.KEY,
            "ANTHROPIC_ADMIN_KEY": anthropic.KEY,
        }

    def __enter__(self) -> Self:
        for name, start in {
            "aws": self._secrets_manager,
            "aws-iam": self._iam,
            "aws-ssm": self._parameters,
            "aws-kms": self._kms,
            "google": self._google,
            "vault": self._vault,
            "openai": self._openai,
            "anthropic": self._anthropic,
            "aws-sts": self._sts,
        }.items():
            self.addresses[name] = start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def configuration(self, template: str | Path) -> str:
        """Give an example's keyaudit.yaml with the addresses of these servers."""
        text = Path(template).read_text("utf-8")
        for name, port in PLACES.items():
            text = re.sub(rf"127\.0\.0\.1:{port}\b", self.addresses[name].removeprefix("http://"), text)
        return text

    def ago(self, days: float) -> int:
        """Give an instant so many days before now, in microseconds."""
        return self.now - int(days * DAY)

    def _start(self, server):
        return self._stack.enter_context(server)

    def _secrets_manager(self) -> str:
        server = SecretsManager()

        def put(name: str, region: str, held: dict[str, str], *ages: float, **tags: str) -> None:
            versions = [
                {
                    "VersionId": f"{name}-{place}".ljust(32, "0"),
                    "VersionStages": [stage] if stage else [],
                    "CreatedDate": self.ago(age) // SECOND,
                }
                for place, (age, stage) in enumerate(
                    zip(ages, ("AWSCURRENT", "AWSPREVIOUS", ""), strict=False)
                )
            ]
            dates = {
                "CreatedDate": self.ago(max(ages)) // SECOND,
                "LastChangedDate": self.ago(min(ages)) // SECOND,
            }
            used = {"LastAccessedDate": self.ago(1) // DAY * DAY // SECOND}
            labels = [{"Key": key.replace("__", ":"), "Value": value} for key, value in tags.items()]
            identifier = server.put(name, versions, region=region, Tags=labels, **dates, **used)
            server.values[identifier] = {versions[0]["VersionId"]: {"SecretString": json.dumps(held)}}

        web = {"owner": "web@acme.example", "keyaudit__class": "api-key"}
        production = {"environment": "production", **web}
        held = {"OPENAI_API_KEY": KEYS["web"]}
        put("prod/openai", "eu-west-1", held, 97, 190, keyaudit__key_id="key_web_new", **production)
        put("prod/stripe", "eu-west-1", {"key": "CANARY"}, 150, 240, **production)
        pair = {"AWS_ACCESS_KEY_ID": "AKIABACKUP0000000000", "AWS_SECRET_ACCESS_KEY": BACKUP}
        put("prod/backup", "eu-west-1", pair, 200, **production)
        held = {"OPENAI_API_KEY": KEYS["staging"]}
        put("staging/openai", "us-east-1", held, 104.5, 190, environment="staging", **web)
        self._start(server)
        return server.url

    def _iam(self) -> str:
        server = self._users = Iam(self.now)
        server.clock = Clock()
        account = server.account(OWN)
        used = self.now - HOUR
        account.put(
            "deployer",
            self.ago(400),
            Key("AKIAOLD", self.ago(300), used=used),
            Key("AKIANEW", self.ago(5), used=used),
        )
        account.put("nightly", self.ago(40), Key("AKIANIGHTLY", self.ago(40), used=used))
        account.put(
            "backup", self.ago(200), Key("AKIABACKUP0000000000", self.ago(200), used=used, secret=BACKUP)
        )
        account.put("ann", self.ago(500))
        server.account(DENIED).put("unseen", self.ago(900), Key("AKIAUNSEEN", self.ago(900)))
        self._start(server)
        proxy = self._start(FaultProxy(server.url, AwsQuery()))
        proxy.plan(Fault("denied", "AssumeRole"))
        return proxy.url

    def _sts(self) -> str:
        return str(self._start(Sts(self._users)).url)

    def _parameters(self) -> str:
        server = Parameters()
        server.put("/prod/database/password", changed=self.ago(130), version=3)
        server.put("/prod/search/token", changed=self.ago(12), version=2)
        self._start(server)
        return server.url

    def _kms(self) -> str:
        server = Kms()
        server.put("alias/tokens", created=self.ago(700), rotated=[self.ago(340)], period=365)
        self._start(server)
        return server.url

    def _google(self) -> str:
        secrets = SecretManager({"acme-prod": 424242})
        mailer = secrets.plant(
            "mailer",
            project="acme-prod",
            created=self.ago(400),
            value=b"CANARY",
            labels={"environment": "production"},
        )
        secrets.add_version(mailer, created=self.ago(200), value=b"CANARY")
        secrets.versions[mailer.name][0].state = "DISABLED"
        maps = secrets.plant(
            "maps",
            project="acme-prod",
            created=self.ago(90),
            value=b"CANARY",
            labels={"environment": "production"},
        )
        secrets.add_version(maps, created=self.ago(10), value=b"CANARY")
        accounts = GoogleIam("acme-prod")
        for name, age in (("runner", 400), ("reporter", 30)):
            account = accounts.add("acme-prod", name)
            accounts.put(account, f"key-of-{name}", made=self.ago(age))
            accounts.sign_in(account, f"key-of-{name}", self.ago(1))
        server = self._start(GrpcServer({**secrets.methods(), **accounts.methods()}))
        return server.address

    def _vault(self) -> str:
        server = VaultServer()
        secret = server.mount("secret", Kv2())
        production = {"environment": "production", "owner": "web@acme.example"}
        secret.entries["web/session"] = metadata(self.ago(95), self.ago(20), custom=production)
        secret.entries["web/smtp"] = metadata(self.ago(300), self.ago(130), custom=production)
        secret.versions.write("web/assistant", {"data": {"api_key": KEYS["assistant"]}})
        secret.entries["web/assistant"] = metadata(self.ago(200), custom=production)
        server.mount("payments", Kv2()).entries["unseen"] = metadata(self.ago(900))
        server.mount("database", database()).entries["orders"] = {
            "credential_type": "password",
            "db_name": "postgres",
            "last_vault_rotation": stamp(self.now - 6 * HOUR),
            "rotation_period": 86_400,
            "rotation_statements": [],
            "username": "svc-orders",
        }
        made = {"1": self.ago(200) // SECOND, "2": self.ago(20) // SECOND}
        server.mount("transit", Transit()).entries["cards"] = {
            "type": "aes256-gcm96",
            "keys": made,
            "latest_version": 2,
            "min_decryption_version": 1,
            "min_encryption_version": 0,
            "min_available_version": 0,
            "auto_rotate_period": 7_776_000,
            "deletion_allowed": False,
            "exportable": False,
            "imported_key": False,
            "name": "cards",
            "supports_encryption": True,
            "supports_decryption": True,
            "supports_signing": False,
        }
        server.tokens[TOKEN] = None
        self._start(server)
        proxy = self._start(FaultProxy(server.url, VaultApi()))
        proxy.plan(Fault("sealed", "ListFolder", scope="payments"))
        return proxy.url

    def _openai(self) -> str:
        server = openai.OpenAi(Clock())
        used = self.ago(0.1) // SECOND

        def put(name: str, project: str, *keys: tuple[str, float]) -> None:
            """Give a service account keys by age, the last of which a store holds."""
            owner = openai.service_account(f"svc_{name}", created_at=self.ago(400) // SECOND)
            for identifier, age in keys:
                held = {"value": KEYS[name], "redacted_value": f"sk-svcacct-...{KEYS[name][-12:]}"}
                server.put_key(
                    project,
                    identifier,
                    created_at=self.ago(age) // SECOND,
                    owner=owner,
                    last_used_at=used,
                    **(held if identifier == keys[-1][0] else {}),
                )

        put("web", "proj_web", ("key_web_old", 191), ("key_web_new", 98))
        put("assistant", "proj_web", ("key_assistant", 200))
        put("staging", "proj_staging", ("key_staging", 105))
        server.put_admin_key("key_admin", created_at=self.ago(30) // SECOND, last_used_at=used)
        server.put_key("proj_research", "key_unseen", created_at=self.ago(900) // SECOND)
        self._start(server)
        keys = r"/v1/organization/projects/([^/]+)/api_keys"
        path = "/v1/organization/projects/{project_id}/api_keys"
        proxy = self._start(FaultProxy(server.url, JsonApi([(keys, path)])))
        proxy.plan(Fault("throttled", f"GET {path}", scope="proj_research", headers={"Retry-After": "0"}))
        return proxy.url

    def _anthropic(self) -> str:
        server = anthropic.Anthropic()
        server.put_key("apikey_unseen", created_at=format_instant(self.ago(900)))
        self._start(server)
        proxy = self._start(FaultProxy(server.url, JsonApi()))
        proxy.plan(Fault("reset", "GET /v1/organizations/api_keys"))
        return proxy.url
