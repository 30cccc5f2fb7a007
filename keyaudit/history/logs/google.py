"""Google Cloud Audit Logs: entries as `gcloud logging read --format=json` prints them, or one a line.

Only the names of what was changed are decoded. An entry whose status has a code changed nothing.

* Secret Manager names a version in its answer, or in the request. The newest enabled version is in use
  unless an alias pins another one: that a new one took over counts only where none does.
* IAM names a key in its answer, or in the request; some entries name it nowhere, and tell nothing. An
  uploaded key may be older than its upload: its making is not told, only that it took over.
* A service account is named by its address in the labels of the entry; `resourceName` has a number.

Methods: "Secret Manager audit logging", "IAM audit logging" and "Example logs for service accounts" of
Google's documentation; entries: the reference of LogEntry. Two entries with one `insertId`, name and time
are one (LogEntry). That `response.name` is there is seen in public entries and not promised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

import msgspec

from keyaudit.history.events import Told
from keyaudit.history.logs.entries import MALFORMED, Encoded
from keyaudit.history.logs.happening import Entry, Happening, Subject
from keyaudit.times import parse_instant

KIND = "google-audit-log"
SECRETS, KEYS = "gcp-secret-manager", "gcp-iam"

_Text = Annotated[str, msgspec.Meta(max_length=4096)]
_SECRET = re.compile(r"projects/([^/]+)(/locations/[^/]+)?/secrets/([^/]+)(?:/versions/([^/]+))?")
_ACCOUNT = re.compile(r"projects/([^/]+)/serviceAccounts/([^/]+)(?:/keys/([^/]+))?")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_PREFIXES = ("google.cloud.secretmanager.", "google.cloud.secrets.", "google.iam.admin.")

_OF_VERSIONS: Mapping[str, tuple[Told, ...]] = {
    "AddSecretVersion": (Told.CREATED, Told.IN_USE),
    "DisableSecretVersion": (Told.RETIRED,),
    "DestroySecretVersion": (Told.RETIRED,),
    "EnableSecretVersion": (Told.RESTORED,),
}
_OF_KEYS: Mapping[str, tuple[Told, ...]] = {
    "CreateServiceAccountKey": (Told.CREATED, Told.IN_USE),
    "UploadServiceAccountKey": (Told.IN_USE,),
    "DeleteServiceAccountKey": (Told.RETIRED,),
    "DisableServiceAccountKey": (Told.RETIRED,),
    "EnableServiceAccountKey": (Told.RESTORED,),
}
_OF_ACCOUNTS = {
    "DeleteServiceAccount": Told.DELETED,
    "UndeleteServiceAccount": Told.RESTORED,
    "DisableServiceAccount": Told.RETIRED,
    "EnableServiceAccount": Told.RESTORED,
}
_OF_SECRETS = {"DeleteSecret": Told.DELETED}


class _Status(msgspec.Struct, frozen=True):
    code: int = 0


class _Named(msgspec.Struct, frozen=True):
    name: _Text | None = None


class _Payload(msgspec.Struct, frozen=True):
    method: _Text | None = msgspec.field(name="methodName", default=None)
    resource: _Text | None = msgspec.field(name="resourceName", default=None)
    status: _Status | None = None


class _Answers(msgspec.Struct, frozen=True):
    request: _Named | None = None
    response: _Named | None = None


class _Labels(msgspec.Struct, frozen=True):
    project: _Text | None = msgspec.field(name="project_id", default=None)
    email: _Text | None = msgspec.field(name="email_id", default=None)


class _Resource(msgspec.Struct, frozen=True):
    labels: _Labels | None = None


class _Head(msgspec.Struct, frozen=True):
    log: _Text = msgspec.field(name="logName")
    time: _Text = msgspec.field(name="timestamp")
    id: _Text = msgspec.field(name="insertId", default="")
    payload: _Payload | None = msgspec.field(name="protoPayload", default=None)


class _Told(msgspec.Struct, frozen=True):
    payload: _Answers = msgspec.field(name="protoPayload")
    resource: _Resource | None = None


_HEAD, _TOLD = msgspec.json.Decoder(_Head), msgspec.json.Decoder(_Told)


def recognises(entry: Encoded) -> bool:
    """Say whether an entry is one of Cloud Logging, of an audit log or not."""
    try:
        _HEAD.decode(entry)
    except MALFORMED:
        return False
    return True


def read(entry: Encoded) -> Entry | None:
    """Give what an entry tells; None for one that is not about a credential, or that failed.

    Raises one of `MALFORMED`, or ValueError, for what Cloud Logging does not write.
    """
    head = _HEAD.decode(entry)
    if head.payload is None or (head.payload.status and head.payload.status.code):
        return None
    method = head.payload.method or ""
    short = method.rpartition(".")[2] if method.startswith(_PREFIXES) else ""
    found: tuple[Happening, ...]
    if short in _OF_VERSIONS or short in _OF_SECRETS:
        found = _secret(short, parse_instant(head.time), head.payload, _TOLD.decode(entry))
    elif short in _OF_KEYS or short in _OF_ACCOUNTS:
        found = _key(short, parse_instant(head.time), head.payload, _TOLD.decode(entry))
    else:
        return None
    return Entry(f"{head.log} {head.time} {head.id}", found)


def _names(payload: _Payload, told: _Told) -> list[str]:
    """Give what the entry calls its resource, the most telling first."""
    named = [each.name for each in (told.payload.response, told.payload.request) if each is not None]
    return [name for name in (*named, payload.resource) if name]


def _labels(told: _Told) -> _Labels:
    return (told.resource.labels if told.resource else None) or _Labels()


def _secret(method: str, at: int, payload: _Payload, told: _Told) -> tuple[Happening, ...]:
    """Read an entry of Secret Manager. The API spells a project by its number, a scope by its id."""
    matches = [match for name in _names(payload, told) if (match := _SECRET.fullmatch(name))]
    if not matches:
        return ()
    project, location, secret, _ = matches[0].groups()
    subject = Subject(
        SECRETS,
        f"projects/{_labels(told).project or project}{location or ''}",
        ids=tuple(
            dict.fromkeys(f"projects/{match[1]}{match[2] or ''}/secrets/{match[3]}" for match in matches)
        ),
        name=secret,
    )
    if method in _OF_SECRETS:
        return (Happening(subject, None, _OF_SECRETS[method], at),)
    number = next((match[4] for match in matches if match[4] and _NUMBER.fullmatch(match[4])), None)
    return tuple(
        Happening(subject, number, each, at, if_newest=each is Told.IN_USE)
        for each in _OF_VERSIONS[method]
        if number is not None
    )


def _key(method: str, at: int, payload: _Payload, told: _Told) -> tuple[Happening, ...]:
    """Read an entry of IAM."""
    matches = [match for name in _names(payload, told) if (match := _ACCOUNT.fullmatch(name))]
    email = _labels(told).email or next((match[2] for match in matches if "@" in match[2]), None)
    project = _labels(told).project or next((match[1] for match in matches if match[1] != "-"), None)
    if email is None or project is None:
        return ()
    account = f"projects/{project}/serviceAccounts/{email}"
    subject = Subject(KEYS, f"projects/{project}", ids=(account,), name=email, exact=True)
    if method in _OF_ACCOUNTS:
        return (Happening(subject, None, _OF_ACCOUNTS[method], at),)
    key = next((match[3] for match in matches if match[3]), None)
    return tuple(Happening(subject, key, each, at) for each in _OF_KEYS[method] if key is not None)
