"""The operations of Secrets Manager that rotation needs beside the two lists, as the API reference has them.

They write into the documents that the lists answer with, so a scan sees what a rotation did. Errors
are of status 400 whatever they say, which is the real service's way (localstack's recordings) and not
moto's. What nobody recorded is marked "assumed".
"""

from __future__ import annotations

import base64
import re
from typing import Any

from keyaudit.times import DAY, SECOND
from servers.aws_front import Refused
from servers.secret_labels import CURRENT, PENDING, Labels

MOST_BYTES = 65_536
CANARY = "CANARY-value"
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")

Document = dict[str, Any]


def arn(name: str, region: str = "eu-west-1", account: str = "111122223333") -> str:
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"


class SecretWriting:
    """Each method answers one operation; `values` maps an ARN to its versions' SecretString or SecretBinary."""

    now: int
    secrets: dict[str, list[Document]]
    versions: dict[str, list[Document]]

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Document]] = {}
        self.rotation_tokens: dict[str, str] = {}
        super().__init__()

    def find(self, region: str, body: Document, *, to_write: bool = False) -> Document:
        """Find a secret by ARN, by an ARN without its suffix, or by name, as every operation may name it."""
        wanted = body["SecretId"]
        for entry in self.secrets.get(region, []):
            if wanted in {entry["ARN"], entry["ARN"][:-7], entry["Name"]}:
                if to_write:
                    _writable(entry, region)
                return entry
        raise Refused(400, "ResourceNotFoundException")

    def labels(self, entry: Document) -> Labels:
        return Labels(entry, self.versions.setdefault(entry["ARN"], []))

    def create_secret(self, region: str, body: Document) -> Document:
        if not _NAME.fullmatch(body["Name"]):
            raise Refused(400, "ValidationException")
        token, value = _token(body), _value(body, needed=False)
        held = [entry for entry in self.secrets.get(region, []) if entry["Name"] == body["Name"]]
        if held:
            return self._created_before(held[0], token, value)
        entry = {"ARN": arn(body["Name"], region), "Name": body["Name"], "CreatedDate": self.now / SECOND}
        entry |= {name: body[name] for name in ("Description", "KmsKeyId", "Tags") if body.get(name)}
        self.secrets.setdefault(region, []).append(entry)
        self._changed(entry)
        if not value:
            return _named(entry)
        self._keep(entry, token, value, [CURRENT])
        return _named(entry, VersionId=token)

    def _created_before(self, entry: Document, token: str, value: Document) -> Document:
        if "DeletedDate" in entry:
            raise Refused(400, "InvalidRequestException")
        if not value or self.values.get(entry["ARN"], {}).get(token) != value:
            raise Refused(400, "ResourceExistsException")
        return _named(entry, VersionId=token)

    def put_secret_value(self, region: str, body: Document) -> Document:
        entry = self.find(region, body, to_write=True)
        token, value = _token(body), _value(body, needed=True)
        self._rotation_token(entry, body)
        stages = body.get("VersionStages") or []
        if any(not 1 <= len(label) <= 256 for label in stages):
            raise Refused(400, "ValidationException")
        known = token in {each["VersionId"] for each in self.versions.get(entry["ARN"], [])}
        if known and self.value(entry, token) != value:
            raise Refused(400, "ResourceExistsException")
        if not known:
            self._keep(entry, token, value, stages)
        return _named(entry, VersionId=token, VersionStages=self.labels(entry).of(token))

    def _rotation_token(self, entry: Document, body: Document) -> None:
        """Assumed: a token of no rotation under way is refused as a caller without permission is."""
        given = body.get("RotationToken")
        if given is not None and given != self.rotation_tokens.get(entry["ARN"]):
            raise Refused(400, "AccessDeniedException")

    def _keep(self, entry: Document, version: str, value: Document, stages: list[str]) -> None:
        """Add a version; without labels it takes over, and a version that was pending no longer is."""
        labels = self.labels(entry)
        wanted = stages or [CURRENT]
        if CURRENT not in labels.at:
            wanted = [CURRENT, *wanted]
        if not stages and labels.at.get(PENDING) not in {None, version}:
            del labels.at[PENDING]  # recorded; CloudTrail calls it RotationAbandoned
        for label in wanted:
            labels.put(label, version)
        made = {"VersionId": version, "CreatedDate": self.now / SECOND, "KmsKeyIds": ["DefaultEncryptionKey"]}
        versions = self.versions.setdefault(entry["ARN"], [])
        versions.append(made)
        try:
            labels.commit()
        except Refused:
            versions.remove(made)
            raise
        self.values.setdefault(entry["ARN"], {})[version] = value
        self._changed(entry)

    def value(self, entry: Document, version: str) -> Document:
        """Give a version's value; a canary for what a test planted without one."""
        kept = self.values.get(entry["ARN"], {})
        return kept.get(version, {"SecretString": f"{CANARY}-of-{version}"})

    def get_secret_value(self, region: str, body: Document) -> Document:
        entry = self.find(region, body)
        if "DeletedDate" in entry:
            raise Refused(400, "InvalidRequestException")
        labels = self.labels(entry)
        label, named = body.get("VersionStage"), body.get("VersionId")
        wanted = named or labels.at.get(label or CURRENT)
        kept = [each for each in self.versions[entry["ARN"]] if each["VersionId"] == wanted]
        if not kept:  # never heard of, or reserved by RotateSecret and empty
            raise Refused(400, "ResourceNotFoundException")
        if label is not None and labels.at.get(label) != wanted:
            raise Refused(400, "InvalidRequestException")
        entry["LastAccessedDate"] = kept[0]["LastAccessedDate"] = self.now // DAY * DAY / SECOND
        dated = {"CreatedDate": kept[0].get("CreatedDate", 0), "VersionStages": labels.of(wanted)}
        return _named(entry, VersionId=wanted, **dated, **self.value(entry, wanted))

    def describe_secret(self, region: str, body: Document) -> Document:
        found = dict(self.find(region, body))
        labelled = found.pop("SecretVersionsToStages", None)
        return {**found, **({"VersionIdsToStages": labelled} if labelled else {})}

    def update_secret_version_stage(self, region: str, body: Document) -> Document:
        entry = self.find(region, body, to_write=True)
        if not 1 <= len(body["VersionStage"]) <= 256:
            raise Refused(400, "ValidationException")
        labels = self.labels(entry)
        labels.move(body["VersionStage"], body.get("MoveToVersionId"), body.get("RemoveFromVersionId"))
        labels.commit()
        self._changed(entry)
        return _named(entry)

    def tag_resource(self, region: str, body: Document) -> Document:
        entry = self.find(region, body, to_write=True)
        added = {tag["Key"]: tag for tag in body["Tags"]}
        entry["Tags"] = list({**{tag["Key"]: tag for tag in entry.get("Tags", [])}, **added}.values())
        self._changed(entry)
        return {}

    def untag_resource(self, region: str, body: Document) -> Document:
        entry = self.find(region, body, to_write=True)
        left = [tag for tag in entry.get("Tags", []) if tag["Key"] not in body["TagKeys"]]
        if left != entry.get("Tags", []):
            entry["Tags"] = left
            self._changed(entry)
        return {}

    def _changed(self, entry: Document) -> None:
        entry["LastChangedDate"] = self.now / SECOND


def _named(entry: Document, **more: Any) -> Document:
    return {"ARN": entry["ARN"], "Name": entry["Name"], **more}


def _writable(entry: Document, region: str) -> None:
    if "DeletedDate" in entry or "OwningService" in entry:
        raise Refused(400, "InvalidRequestException")
    if entry.get("PrimaryRegion", region) != region:
        raise Refused(400, "InvalidParameterException")


def _token(body: Document) -> str:
    token = body.get("ClientRequestToken")
    if not token:
        raise Refused(400, "InvalidRequestException")
    if not 32 <= len(token) <= 64:
        raise Refused(400, "ValidationException")
    return str(token)


def _value(body: Document, *, needed: bool) -> Document:
    given = {name: body[name] for name in ("SecretString", "SecretBinary") if name in body}
    if len(given) > 1:
        raise Refused(400, "InvalidParameterException")
    if needed and not given:
        raise Refused(400, "InvalidRequestException")
    for name, value in given.items():
        length = len(value.encode()) if name == "SecretString" else len(base64.b64decode(value))
        if not 1 <= length <= MOST_BYTES:
            raise Refused(400, "ValidationException")
    return given
