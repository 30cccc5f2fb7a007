"""Secrets Manager's two lists as the API reference describes them, where moto does not.

What a test puts into `secrets` and `versions` is what is answered, field by field and number by
number; planned deletions and deprecated versions only when asked for, pages by token.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

from servers.loopback import Loopback

ACCOUNT = "111122223333"
_IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>arn:aws:iam::{ACCOUNT}:user/auditor</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)


def arn(name: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-AbCdEf"


class SecretsManager(Loopback):
    """`secrets` maps a region to its SecretListEntry objects, `versions` an ARN to its versions."""

    def __init__(self, page: int = 100) -> None:
        self.page = page
        self.secrets: dict[str, list[dict[str, Any]]] = {}
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.log: list[tuple[str, dict[str, Any]]] = []
        super().__init__()

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

    def answer(self, operation: str, region: str, body: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListSecrets":
            entries = self.secrets.get(region, [])
            if not body.get("IncludePlannedDeletion"):
                entries = [each for each in entries if "DeletedDate" not in each]
            return self._page("SecretList", entries, body)
        entries = self.versions[body["SecretId"]]
        if not body.get("IncludeDeprecated"):
            entries = [each for each in entries if each.get("VersionStages")]
        return {"ARN": body["SecretId"], "Name": "any", **self._page("Versions", entries, body)}

    def _page(self, field: str, entries: list[dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
        start = int(body.get("NextToken", 0))
        end = start + min(self.page, body.get("MaxResults", 100))
        return {field: entries[start:end], **({"NextToken": str(end)} if end < len(entries) else {})}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                target = self.headers.get("x-amz-target")
                if target is None:
                    return self.say(_IDENTITY.encode())
                operation, asked = target.split(".")[-1], json.loads(body)
                server.log.append((operation, asked))
                region = self.headers["authorization"].split("/")[2]
                return self.say(json.dumps(server.answer(operation, region, asked)).encode())

            def say(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler
