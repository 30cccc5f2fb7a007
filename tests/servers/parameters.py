"""Parameter Store as it answers, with STS around it: DescribeParameters by filter and page, tags one by one.

Fields and odd spellings are those of the API reference: seconds with milliseconds, policies as JSON
inside JSON, fifty entries at most, errors with their code in `__type`. What would give a value gives
one too, so that a test can show that nobody asked.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from keyaudit.times import SECOND, format_instant
from servers.iam import CANARY, account_of_key, key_of_account
from servers.loopback import Loopback

ACCOUNT = "111122223333"
REGION = "eu-west-1"
AT_MOST = 50
_STS = "https://sts.amazonaws.com/doc/2011-06-15/"


def policy(kind: str, **attributes: str) -> dict[str, str]:
    text = json.dumps({"Type": kind, "Version": "1.0", "Attributes": attributes}, separators=(",", ":"))
    return {"PolicyText": text, "PolicyType": kind, "PolicyStatus": "Pending"}


def expires(at: int) -> dict[str, str]:
    return policy("Expiration", Timestamp=format_instant(at))


def reminds(after: int, unit: str = "Days") -> dict[str, str]:
    return policy("NoChangeNotification", After=str(after), Unit=unit)


class Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Parameters(Loopback):
    """`held` maps an account and region to its parameters by name, `tags` those three to tags."""

    def __init__(self, page: int = AT_MOST) -> None:
        self.page = page
        self.held: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        self.tags: dict[tuple[str, str, str], dict[str, str]] = {}
        self.log: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        super().__init__()

    def put(
        self,
        name: str,
        *,
        changed: int,
        version: int,
        region: str = REGION,
        account: str = ACCOUNT,
        tags: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> str:
        """Add a parameter that was last changed at `changed` (microseconds); gives its ARN."""
        arn = f"arn:aws:ssm:{region}:{account}:parameter/{name.removeprefix('/')}"
        self.held.setdefault((account, region), {})[name] = {
            "Name": name,
            "ARN": arn,
            "Type": "SecureString",
            "KeyId": "alias/aws/ssm",
            "LastModifiedDate": changed / SECOND,
            "LastModifiedUser": f"arn:aws:iam::{account}:user/{CANARY}",
            "Description": f"{CANARY}-description",
            "AllowedPattern": f"{CANARY}.*",
            "Version": version,
            "Tier": "Standard",
            "Policies": [],
            "DataType": "text",
            **fields,
        }
        self.tags[account, region, name] = dict(tags or {})
        return arn

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [body for name, body in self.log if name == operation]

    def answer(self, operation: str, account: str, region: str, body: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.log.append((operation, body))
        held = self.held.get((account, region), {})
        if operation == "DescribeParameters":
            return self._described(held, body)
        if operation == "ListTagsForResource":
            return self._tagged(account, region, body)
        if operation in {"GetParameters", "GetParametersByPath"}:
            return {"Parameters": [_with_value(entry) for entry in held.values()]}
        if operation in {"GetParameter", "GetParameterHistory"}:
            if body["Name"] not in held:
                raise Refused("ParameterNotFound")
            entry = _with_value(held[body["Name"]])
            return {"Parameter": entry} if operation == "GetParameter" else {"Parameters": [entry]}
        raise Refused("UnknownOperationException")

    def _described(self, held: Mapping[str, dict[str, Any]], body: dict[str, Any]) -> dict[str, Any]:
        size = body.get("MaxResults", 10)
        if not 1 <= size <= AT_MOST:
            raise Refused("ValidationException")
        entries = [entry for entry in held.values() if _passes(entry, body.get("ParameterFilters", []))]
        start = int(body.get("NextToken", 0))
        end = start + min(self.page, size)
        return {"Parameters": entries[start:end], **({"NextToken": str(end)} if end < len(entries) else {})}

    def _tagged(self, account: str, region: str, body: dict[str, Any]) -> dict[str, Any]:
        if body["ResourceType"] != "Parameter":
            raise Refused("InvalidResourceType")
        tags = self.tags.get((account, region, body["ResourceId"]))
        if tags is None:
            raise Refused("InvalidResourceId")
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def sts(self, action: str, account: str, form: Mapping[str, str]) -> str:
        with self._lock:
            self.log.append((action, dict(form)))
        if action == "AssumeRole":
            entered = form["RoleArn"].split(":")[4]
            result = (
                f"<Credentials><AccessKeyId>{key_of_account(entered)}</AccessKeyId>"
                f"<SecretAccessKey>{CANARY}-secret</SecretAccessKey><SessionToken>{CANARY}-token"
                "</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
            )
        else:
            result = f"<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/auditor</Arn>"
        return (
            f'<{action}Response xmlns="{_STS}"><{action}Result>{result}</{action}Result></{action}Response>'
        )

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                key, _, region, *_ = self.headers["authorization"].split("Credential=")[1].split("/")
                account, target = account_of_key(key), self.headers.get("x-amz-target")
                if target is None:
                    form = {name: values[0] for name, values in parse_qs(body).items()}
                    return self.say(200, "text/xml", server.sts(form["Action"], account, form))
                try:
                    found = server.answer(
                        target.removeprefix("AmazonSSM."), account, region, json.loads(body)
                    )
                except Refused as error:
                    return self.say(400, _JSON, json.dumps({"__type": error.code, "message": "no"}))
                return self.say(200, _JSON, json.dumps(found))

            def say(self, status: int, kind: str, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


_JSON = "application/x-amz-json-1.1"


def _passes(entry: Mapping[str, Any], filters: list[dict[str, Any]]) -> bool:
    for wanted in filters:
        if wanted["Key"] not in {"Type", "Name", "KeyId", "Tier"}:
            raise Refused("InvalidFilterKey")
        if wanted.get("Option", "Equals") != "Equals":
            raise Refused("InvalidFilterOption")
        if entry.get(wanted["Key"]) not in wanted["Values"]:
            return False
    return True


def _with_value(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "Value": f"{CANARY}-of-{entry['Name']}"}
