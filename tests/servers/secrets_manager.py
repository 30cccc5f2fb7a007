"""Secrets Manager as the API reference describes it, where moto does not.

What a test puts into `secrets` and `versions` is what is answered, field by field and number by
number; planned deletions and deprecated versions only when asked for, pages by token. What a client
writes goes into the same documents. With `iam`, only keys that it honours are let in, and its clock
is this server's too unless it has one of its own.
"""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler
from typing import Any

from servers.aws_front import Answer, AwsServer, Refused
from servers.clock import Clock
from servers.fault_proxy import Asked
from servers.iam import Iam
from servers.secret_rotation import Function, SecretRotation
from servers.secret_writing import arn

__all__ = ["ACCOUNT", "SecretsManager", "arn"]

ACCOUNT = "111122223333"
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>arn:aws:iam::{ACCOUNT}:user/auditor</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
_AS_JSON_SAYS_IT = {
    "InvalidClientTokenId": (400, "UnrecognizedClientException"),
    "SignatureDoesNotMatch": (400, "InvalidSignatureException"),
    "MissingAuthenticationToken": (400, "MissingAuthenticationTokenException"),
}
_OPERATIONS = frozenset(
    {"ListSecrets", "ListSecretVersionIds", "DescribeSecret", "GetSecretValue", "CreateSecret"}
    | {"PutSecretValue", "UpdateSecretVersionStage", "TagResource", "UntagResource"}
    | {"RotateSecret", "CancelRotateSecret"}
)


class SecretsManager(SecretRotation, AwsServer):
    """`secrets` maps a region to its SecretListEntry objects, `versions` an ARN to its versions."""

    content_type = "application/x-amz-json-1.1"
    faults = {
        "denied": (400, "AccessDeniedException"),
        "throttled": (400, "ThrottlingException"),
        "server-error": (500, "InternalServiceError"),
    }

    def __init__(self, page: int = 100, *, clock: Clock | None = None, iam: Iam | None = None) -> None:
        self.page = page
        self.iam = iam
        self.clock = clock or (Clock() if iam is None else iam.clock)
        self.secrets: dict[str, list[dict[str, Any]]] = {}
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.log: list[tuple[str, dict[str, Any]]] = []
        super().__init__()

    @property
    def now(self) -> int:
        return self.clock()

    def put(
        self, name: str, versions: list[dict[str, Any]] = (), *, region: str = "eu-west-1", **fields: Any
    ) -> str:
        """Add a secret; gives its ARN. Labels come from the versions unless `fields` has them."""
        identifier = arn(name, region)
        labelled = {
            each["VersionId"]: each["VersionStages"] for each in versions if each.get("VersionStages")
        }
        entry = {"ARN": identifier, "Name": name, "SecretVersionsToStages": labelled, **fields}
        self.secrets.setdefault(region, []).append(entry)
        self.versions[identifier] = list(versions)
        return identifier

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in self.log if name == operation]

    def run_rotation(
        self, secret: str, *, region: str = "eu-west-1", function: Function | None = None
    ) -> bool:
        """Invoke the steps of a rotation; says whether it succeeded. What the function raises is raised."""
        with self.lock:
            entry, rotation = self.begin_step(region, secret)
            invoked = function or self.functions[entry["RotationLambdaARN"]]
        named = {"SecretId": entry["ARN"], "ClientRequestToken": rotation.token}
        for step in rotation.steps:
            invoked({**named, "Step": step, "RotationToken": rotation.rotation_token}, None)
        with self.lock:
            return self.end_rotation(entry, rotation)

    def admit(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        if self.iam is not None:
            self.iam.authenticate(handler, asked)

    def act(self, asked: Asked) -> Answer:
        if asked.operation == "GetCallerIdentity":
            return 200, (_IDENTITY if self.iam is None else self.iam.identity(asked.key)).encode()
        if asked.operation not in _OPERATIONS:
            raise Refused(400, "UnknownOperationException")
        body = json.loads(asked.body)
        with self.lock:
            self.log.append((asked.operation, body))
            return 200, json.dumps(self.answer(asked.operation, asked.scope, body)).encode()

    def spell(self, error: Refused) -> Answer:
        status, code = _AS_JSON_SAYS_IT.get(error.code, (error.status, error.code))
        return status, json.dumps({"__type": code, "Message": "no"}).encode()

    def answer(self, operation: str, region: str, body: dict[str, Any]) -> dict[str, Any]:
        found = getattr(self, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())(region, body)
        return dict(found)

    def list_secrets(self, region: str, body: dict[str, Any]) -> dict[str, Any]:
        entries = self.secrets.get(region, [])
        if not body.get("IncludePlannedDeletion"):
            entries = [each for each in entries if "DeletedDate" not in each]
        return self._page("SecretList", entries, body)

    def list_secret_version_ids(self, region: str, body: dict[str, Any]) -> dict[str, Any]:
        named = self.find(region, body)
        entries = self.versions.get(named["ARN"], [])
        if not body.get("IncludeDeprecated"):
            entries = [each for each in entries if each.get("VersionStages")]
        return {"ARN": named["ARN"], "Name": named["Name"], **self._page("Versions", entries, body)}

    def _page(self, field: str, entries: list[dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
        token = str(body.get("NextToken", 0))
        if not token.isdecimal():
            raise Refused(400, "InvalidNextTokenException")
        start = int(token)
        end = start + min(self.page, body.get("MaxResults", 100))
        return {field: entries[start:end], **({"NextToken": str(end)} if end < len(entries) else {})}
