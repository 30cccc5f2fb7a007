"""KMS as it answers, with STS beside it: keys, what they are made of, aliases and tags.

Fields, errors and paging are those of the API reference. What would serve plaintext is served too,
so that a test can show that nobody asked for it. `Kms.closed` is what a key's own policy denies.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from keyaudit.times import DAY, SECOND
from servers.aws_dialect import AwsJson, json_error
from servers.breakages import OWN_TOKEN, page
from servers.iam import OWN, Refused, account_of_key, key_of_account
from servers.loopback import Loopback

CANARY = "CANARY-plaintext"
TRACKED_SINCE = 1_767_225_600_000_000
"""When this KMS began to record use."""


class Key:
    """One key: its KeyMetadata, and what the other operations say of it; times in microseconds."""

    def __init__(
        self, metadata: dict[str, Any], rotated: Sequence[int], period: int | None, **more: Any
    ) -> None:
        self.metadata = metadata
        self.rotated = rotated
        self.period = period
        self.tags: dict[str, str] = more.pop("tags", {})
        self.used: int | None = more.pop("used", None)
        self.materials: list[dict[str, Any]] | None = more.pop("materials", None)

    @property
    def symmetric(self) -> bool:
        known = self.metadata["Origin"] in {"AWS_KMS", "EXTERNAL"}
        return known and self.metadata["KeySpec"] == "SYMMETRIC_DEFAULT"

    def entries(self) -> list[dict[str, Any]]:
        """Newest first, the first material last."""
        if self.materials is not None:
            return self.materials
        identifier = self.metadata["KeyId"]
        found: list[dict[str, Any]] = [{"KeyMaterialId": f"{identifier}-m0"}]
        for number, when in enumerate(self.rotated, 1):
            rotation = {"RotationDate": when / SECOND, "RotationType": "AUTOMATIC"}
            found.append({"KeyMaterialId": f"{identifier}-m{number}", **rotation})
        for entry in found:
            entry |= {
                "KeyId": identifier,
                "KeyMaterialState": "CURRENT" if entry is found[-1] else "NON_CURRENT",
            }
        return found[::-1]


class Kms(Loopback):
    """`keys` by account and region, in the order in which they were put."""

    def __init__(self, *, page: int = 1000) -> None:
        self.page = page
        self.keys: dict[tuple[str, str], dict[str, Key]] = {}
        self.aliases: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.closed: dict[str, set[str]] = {}
        self.log: list[tuple[str, str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        super().__init__()

    def put(
        self,
        alias: str | None,
        *,
        created: int,
        rotated: Sequence[int] = (),
        period: int | None = None,
        region: str = "eu-west-1",
        account: str = OWN,
        key_id: str | None = None,
        **fields: Any,
    ) -> str:
        """Add a key; gives its ARN. `fields` are those of KeyMetadata, or `tags`, `used`, `materials`."""
        keys = self.keys.setdefault((account, region), {})
        identifier = key_id or f"{len(keys):08d}-aaaa-bbbb-cccc-0123456789ab"
        more = {name: fields.pop(name) for name in ("tags", "used", "materials") if name in fields}
        metadata = {
            "AWSAccountId": account,
            "KeyId": identifier,
            "Arn": f"arn:aws:kms:{region}:{account}:key/{identifier}",
            "CreationDate": created / SECOND,
            "Description": f"{CANARY} in a description",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "MultiRegion": identifier.startswith("mrk-"),
            **fields,
        }
        metadata["Enabled"] = metadata["KeyState"] == "Enabled"
        keys[identifier] = Key(metadata, rotated, period, **more)
        if alias is not None:
            self.name(alias, identifier, region=region, account=account)
        return str(metadata["Arn"])

    def name(
        self, alias: str, identifier: str | None, *, region: str = "eu-west-1", account: str = OWN
    ) -> None:
        entry = {"AliasName": f"alias/{alias}", "AliasArn": f"arn:aws:kms:{region}:{account}:alias/{alias}"}
        entry |= {} if identifier is None else {"TargetKeyId": identifier}
        self.aliases.setdefault((account, region), []).append(entry)

    def put_family(self, alias: str | None, *, created: dict[str, int], **fields: Any) -> list[str]:
        """Add a multi-region key: one key in each region of `created`, the first of them the primary.

        `states` maps a region to its KeyState.
        """
        states = fields.pop("states", {})
        identifier = fields.pop("key_id", f"mrk-{len(self.keys):032x}")
        arns = {region: f"arn:aws:kms:{region}:{OWN}:key/{identifier}" for region in created}
        listed = [{"Arn": arn, "Region": region} for region, arn in arns.items()]
        for number, (region, made) in enumerate(created.items()):
            family = {"PrimaryKey": listed[0], "ReplicaKeys": listed[1:]}
            family["MultiRegionKeyType"] = "REPLICA" if number else "PRIMARY"
            self.put(
                alias,
                created=made,
                region=region,
                key_id=identifier,
                MultiRegionConfiguration=family,
                KeyState=states.get(region, "Enabled"),
                **fields,
            )
        return list(arns.values())

    def asked(self, operation: str) -> list[dict[str, Any]]:
        return [body for _, name, body in self.log if name == operation]

    def answer(self, operation: str, account: str, region: str, body: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.log.append((region, operation, body))
        where = (account, region)
        if operation == "ListKeys":
            keys = [key.metadata for key in self.keys.get(where, {}).values()]
            listed = [{"KeyId": each["KeyId"], "KeyArn": each["Arn"]} for each in keys]
            return self._page("Keys", listed, body, 100)
        if operation == "ListAliases":
            return self._page("Aliases", self.aliases.get(where, []), body, 50)
        if "CiphertextBlob" in body or operation.startswith("Generate"):
            return {"Plaintext": base64.b64encode(CANARY.encode()).decode(), "KeyId": "any"}
        key = self.keys.get(where, {}).get(body["KeyId"].rpartition("/")[2])
        if key is None:
            raise Refused(400, "NotFoundException")
        if operation in self.closed.get(key.metadata["Arn"], set()):
            raise Refused(400, "AccessDeniedException")
        known = getattr(self, "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower(), None)
        if known is None:
            raise Refused(400, "UnknownOperationException")
        found: dict[str, Any] = known(key, body)
        return found

    def _describe_key(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        return {"KeyMetadata": key.metadata}

    def _get_key_rotation_status(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        if not key.symmetric or key.metadata["Origin"] != "AWS_KMS":
            raise Refused(400, "UnsupportedOperationException")
        found = {"KeyRotationEnabled": key.period is not None, "KeyId": key.metadata["Arn"]}
        if key.period is None:
            return found
        latest = max([*key.rotated, key.metadata["CreationDate"] * SECOND])
        due = latest + key.period * DAY
        return {**found, "RotationPeriodInDays": key.period, "NextRotationDate": due / SECOND}

    def _list_key_rotations(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        if not key.symmetric:
            raise Refused(400, "UnsupportedOperationException")
        if key.metadata["KeyState"] in {"PendingDeletion", "PendingReplicaDeletion"}:
            raise Refused(400, "KMSInvalidStateException")
        entries = key.entries()
        if body.get("IncludeKeyMaterial") != "ALL_KEY_MATERIAL":
            entries = [entry for entry in entries if "RotationDate" in entry]
        return self._page("Rotations", entries, body, 100)

    def _list_resource_tags(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        tags = [{"TagKey": name, "TagValue": value} for name, value in key.tags.items()]
        return self._page("Tags", tags, body, 50)

    def _get_key_last_usage(self, key: Key, body: dict[str, Any]) -> dict[str, Any]:
        created = key.metadata["CreationDate"]
        use = {} if key.used is None else {"Operation": "Decrypt", "Timestamp": key.used / SECOND}
        since = max(created, TRACKED_SINCE / SECOND)
        return {"KeyLastUsage": use, "KeyCreationDate": created, "TrackingStartDate": since}

    def _page(
        self, field: str, entries: list[dict[str, Any]], body: dict[str, Any], usual: int
    ) -> dict[str, Any]:
        start = int(body.get("Marker", 0))
        end = start + min(self.page, body.get("Limit", usual))
        more = end < len(entries)
        return {field: entries[start:end], "Truncated": more, **({"NextMarker": str(end)} if more else {})}

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                scope = self.headers["authorization"].split("Credential=")[1].split("/")
                account = account_of_key(scope[0])
                target = self.headers.get("x-amz-target")
                if target is None:
                    form = {name: values[0] for name, values in parse_qs(body).items()}
                    return self.say(200, _signing_in(form, account))
                try:
                    found = server.answer(target.split(".")[-1], account, scope[2], json.loads(body))
                except Refused as error:
                    return self.say(error.status, json.dumps({"__type": error.code, "message": CANARY}))
                return self.say(200, json.dumps(found))

            def say(self, status: int, text: str) -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler


def _signing_in(form: dict[str, str], account: str) -> str:
    operation = form["Action"]
    found = f"<Account>{account}</Account><Arn>arn:aws:iam::{account}:user/auditor</Arn>"
    if operation == "AssumeRole":
        entered = form["RoleArn"].split(":")[4]
        found = (
            f"<Credentials><AccessKeyId>{key_of_account(entered)}</AccessKeyId>"
            f"<SecretAccessKey>{CANARY}-secret</SecretAccessKey><SessionToken>{CANARY}-token</SessionToken>"
            "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        )
    return (
        f'<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<{operation}Result>{found}</{operation}Result></{operation}Response>"
    )


class KmsJson(AwsJson):
    """How KMS's lists break: they go on by Marker, and say by Truncated that they do."""

    def __init__(self) -> None:
        super().__init__("Keys", token="NextMarker", name="KeyArn")
        for name in ("empty-page", "repeated-token", "duplicate-page"):
            self.breakages[name] = self._truncated(name)
        self.breakages["no-token"] = page(lambda found, _: found.update(Truncated=True))
        self.breakages["bad-time"] = page(lambda found, _: found["KeyMetadata"].update(CreationDate=9e99))
        self.breakages["key-gone"] = json_error(400, "NotFoundException")
        self.breakages["marker-refused"] = json_error(400, "InvalidMarkerException")
        self.breakages["other-list-broken"] = page(lambda found, _: found.clear())

    @staticmethod
    def _truncated(name: str):
        def change(found: dict, count: int) -> None:
            token = f"{OWN_TOKEN}same" if name == "repeated-token" else f"{OWN_TOKEN}{count}"
            if name != "duplicate-page":
                found["Keys"] = []
            found.update(Truncated=True, NextMarker=token)

        return page(change)

    def forwarded(self, path: str, body: bytes) -> tuple[str, bytes]:
        if OWN_TOKEN.encode() not in body:
            return path, body
        found = json.loads(body)
        found.pop("Marker")
        return path, json.dumps(found).encode()
