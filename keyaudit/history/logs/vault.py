"""The audit device of Vault and OpenBao: one JSON object a line, and of those the responses without an error.

Names are in the clear and values are HMACs, unless somebody set `log_raw`: no field of a value is decoded
either way. Of a key-value write only `response.data.version` is, which the store counts. `mount_point`
begins with the namespace, `path` does not (Vault 1.17 and OpenBao 2.2 in public logs). What asks for several
versions sends their numbers as text, of which the log has HMACs unless the mount was told to show
`versions`: then nothing says which they were. Nor does deleting the newest one.

Passwords of database and directory roles have no name of their own, and a rotation by the engine itself
leaves no entry: those are not read. Transit and its own list of keys say the same.

Source: "Audit devices" and "KV secrets engine, version 2 (API)" of Vault's documentation.
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

KIND = "vault-audit-log"
SOURCE = "vault"
_WRITES = frozenset({"create", "update", "patch"})
_OF_VERSIONS: Mapping[str, Told] = {
    "delete": Told.RETIRED,
    "destroy": Told.RETIRED,
    "undelete": Told.RESTORED,
}

_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_Text = Annotated[str, msgspec.Meta(max_length=4096)]


class _Namespace(msgspec.Struct, frozen=True):
    path: _Text = ""


class _Request(msgspec.Struct, frozen=True):
    id: _Text = ""
    operation: _Text = ""
    path: _Text = ""
    mount: _Text = msgspec.field(name="mount_point", default="")
    engine: _Text = msgspec.field(name="mount_type", default="")
    namespace: _Namespace | None = None


class _Head(msgspec.Struct, frozen=True):
    time: _Text
    type: _Text
    request: _Request
    error: str | None = None


class _Numbered(msgspec.Struct, frozen=True):
    version: int | str | None = None
    versions: list[int | str] | None = None


class _Held(msgspec.Struct, frozen=True):
    data: _Numbered | None = None


class _Answered(msgspec.Struct, frozen=True):
    held: _Held | None = msgspec.field(name="response", default=None)


class _Asked(msgspec.Struct, frozen=True):
    held: _Held | None = msgspec.field(name="request", default=None)


_HEAD = msgspec.json.Decoder(_Head)
_ANSWERED, _ASKED = msgspec.json.Decoder(_Answered), msgspec.json.Decoder(_Asked)


def recognises(entry: Encoded) -> bool:
    """Say whether an entry is one of an audit device."""
    try:
        return _HEAD.decode(entry).type in {"request", "response"}
    except MALFORMED:
        return False


def read(entry: Encoded) -> Entry | None:
    """Give what an entry tells; None for one that is not about a credential, or that failed.

    Raises one of `MALFORMED`, or ValueError, for what an audit device does not write.
    """
    head = _HEAD.decode(entry)
    request = head.request
    if head.type != "response" or head.error or request.engine not in {"", "kv"}:
        return None
    namespace = (request.namespace.path if request.namespace else "").strip("/")
    mount = request.mount.strip("/").removeprefix(f"{namespace}/" if namespace else "")
    within = request.path.removeprefix(f"{mount}/")
    kind, _, path = within.partition("/")
    if not mount or not path or within == request.path:
        return None
    versions = _versions(kind, request.operation, entry)
    if versions is None:
        return None
    where = f"{namespace}//{mount}" if namespace else mount
    subject, at = Subject(SOURCE, where, ids=(f"{mount}/{path}",), exact=True), parse_instant(head.time)
    found = (Happening(subject, version, each, at) for version, each in versions)
    return Entry(request.id, tuple(found))


def _versions(kind: str, operation: str, entry: Encoded) -> list[tuple[str | None, Told]] | None:
    """Give what became of which versions; None where the entry changed none."""
    if kind == "metadata" and operation == "delete":
        return [(None, Told.DELETED)]
    if kind == "data" and operation in _WRITES:
        number = _number(_held(_ANSWERED, entry).version)
        return [] if number is None else [(number, Told.CREATED), (number, Told.IN_USE)]
    if kind == "data" and operation == "delete":
        return []
    if kind in _OF_VERSIONS and operation in _WRITES:
        said = _held(_ASKED, entry).versions or ()
        return [(number, _OF_VERSIONS[kind]) for each in said if (number := _number(each))]
    return None


def _held(
    decoder: msgspec.json.Decoder[_Answered] | msgspec.json.Decoder[_Asked], entry: Encoded
) -> _Numbered:
    """Give the numbers that data hold; nothing where a caller put something else in their place."""
    try:
        held = decoder.decode(entry).held
    except MALFORMED:
        return _Numbered()
    return (held.data if held else None) or _Numbered()


def _number(said: int | str | None) -> str | None:
    """Give a version's number as the inventory names it; None for an HMAC, and for what is none."""
    text = str(said)
    return text if _NUMBER.fullmatch(text) else None
