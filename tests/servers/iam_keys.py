"""Access keys as IAM and STS honour them: made, deactivated, deleted, and believed by their signature.

A new key may be refused for a while, as a real one is until every region has heard of it:
`new_key_refusals` calls signed by it, or until `new_key_delay` microseconds of the server's clock have
passed. What is minted begins with the canary, so that a test can look for it where it must not be.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from keyaudit.times import MINUTE, format_instant
from servers.aws_front import Refused
from servers.aws_signature import Signature
from servers.fault_proxy import Asked

if TYPE_CHECKING:
    from servers.iam import Account

OWN = "111122223333"
CANARY = "CANARY-value"
MOST_KEYS, MOST_TAGS = 2, 50


def key_of_account(account: str) -> str:
    return f"ASIA{account}"


def account_of_key(key: str) -> str:
    return key.removeprefix("ASIA") if key.startswith("ASIA") else OWN


@dataclass
class Key:
    """An access key, as IAM and the report see it; times in microseconds."""

    id: str
    created: int
    status: str = "Active"
    used: int | None = None
    changed: int | None = None
    secret: str = ""
    service: str = "s3"
    region: str = "us-east-1"
    refusals: int = 0
    honoured_from: int = 0

    def __post_init__(self) -> None:
        self.secret = self.secret or f"{CANARY}-secret-of-{self.id}"

    def row(self) -> list[str]:
        used = ("N/A", "N/A", "N/A")
        if self.used is not None:
            used = (format_instant(self.used), self.region, self.service)
        changed = format_instant(self.created if self.changed is None else self.changed)
        return ["true" if self.status == "Active" else "false", changed, *used]


@dataclass
class User:
    name: str
    created: int
    keys: list[Key] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    path: str = "/"


class AccessKeys:
    """The half of IAM that makes keys and knows who signs; `admin` may sign whatever a test sets up."""

    now: int
    accounts: dict[str, Account]

    def __init__(self) -> None:
        self.admin = Key("AKIAADMINISTRATOR000", 0)
        self.new_key_refusals = 0
        self.new_key_delay = 0
        self.caller = ""
        super().__init__()

    def authenticate(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        """Believe a request that a live key signed, and remember that it was used; the query protocol's codes."""
        signature = Signature.read(handler.headers.get("authorization", ""))
        if signature is None:
            raise Refused(403, "MissingAuthenticationToken")
        with self.lock:
            key = self._held(signature.key)
            if key is None or key.status != "Active" or self._not_heard_of(key):
                raise Refused(403, "InvalidClientTokenId")
            if not signature.genuine(key.secret, handler.command, handler.path, handler.headers, asked.body):
                raise Refused(403, "SignatureDoesNotMatch")
            key.used = self.now // MINUTE * MINUTE
            key.service, key.region = signature.service, signature.region

    def _not_heard_of(self, key: Key) -> bool:
        key.refusals, left = max(key.refusals - 1, 0), key.refusals
        return left > 0 or self.now < key.honoured_from

    def _held(self, identifier: str) -> Key | None:
        if identifier == self.admin.id:
            return self.admin
        if identifier.startswith("ASIA") and account_of_key(identifier) in self.accounts:
            return Key(identifier, 0, secret=f"{CANARY}-secret")
        accounts = self.accounts.values()
        keys = [key for account in accounts for user in account.users.values() for key in user.keys]
        keys += [key for account in accounts for key in account.root_keys]
        return next((key for key in keys if key.id == identifier), None)

    def owner(self, identifier: str) -> tuple[Account, User] | None:
        """Say whose a key is; None for the administrator's, a role's, and a deleted one."""
        pairs = ((account, user) for account in self.accounts.values() for user in account.users.values())
        return next((pair for pair in pairs if any(key.id == identifier for key in pair[1].keys)), None)

    def identity_of(self, identifier: str) -> str:
        """Give what GetCallerIdentity says of who signed with a key."""
        owner = self.owner(identifier)
        account = account_of_key(identifier) if owner is None else owner[0].id
        arn = f"arn:aws:iam::{account}:user/auditor" if owner is None else owner[0].arn(owner[1])
        name = "auditor" if owner is None else owner[1].name
        return f"<Account>{account}</Account><Arn>{arn}</Arn><UserId>AIDA{name}</UserId>"

    def user(self, account: Account, form: Mapping[str, str]) -> User:
        """Find the user that a form names, or else whose key signed."""
        owner = self.owner(self.caller)
        user = account.users.get(form["UserName"]) if "UserName" in form else owner and owner[1]
        if user is None:
            raise Refused(404, "NoSuchEntity")
        return user

    def _create_access_key(self, account: Account, form: Mapping[str, str]) -> str:
        user = self.user(account, form)
        if len(user.keys) >= MOST_KEYS:
            raise Refused(409, "LimitExceeded")
        key = Key("AKIA" + base64.b32encode(secrets.token_bytes(10)).decode(), self.now)
        key.secret = (CANARY + secrets.token_hex(20))[:40]
        key.refusals, key.honoured_from = self.new_key_refusals, self.now + self.new_key_delay
        user.keys.append(key)
        return (
            f"<AccessKey><UserName>{user.name}</UserName><AccessKeyId>{key.id}</AccessKeyId>"
            f"<Status>{key.status}</Status><SecretAccessKey>{key.secret}</SecretAccessKey>"
            f"<CreateDate>{format_instant(key.created)}</CreateDate></AccessKey>"
        )

    def _update_access_key(self, account: Account, form: Mapping[str, str]) -> str:
        if form["Status"] not in {"Active", "Inactive"}:
            raise Refused(400, "ValidationError")
        key = self._own_key(account, form)
        key.status, key.changed = form["Status"], self.now
        return ""

    def _delete_access_key(self, account: Account, form: Mapping[str, str]) -> str:
        key = self._own_key(account, form)
        self.user(account, form).keys.remove(key)
        return ""

    def _own_key(self, account: Account, form: Mapping[str, str]) -> Key:
        for key in self.user(account, form).keys:
            if key.id == form["AccessKeyId"]:
                return key
        raise Refused(404, "NoSuchEntity")

    def _tag_user(self, account: Account, form: Mapping[str, str]) -> str:
        user = self.user(account, form)
        tags = dict(user.tags)
        for number in range(1, MOST_TAGS + 2):
            name = form.get(f"Tags.member.{number}.Key")
            if name is not None:
                tags = {kept: value for kept, value in tags.items() if kept.lower() != name.lower()}
                tags[name] = form[f"Tags.member.{number}.Value"]
        if len(tags) > MOST_TAGS:
            raise Refused(409, "LimitExceeded")
        user.tags = tags
        return ""

    def _untag_user(self, account: Account, form: Mapping[str, str]) -> str:
        user = self.user(account, form)
        gone = {value.lower() for name, value in form.items() if name.startswith("TagKeys.member.")}
        user.tags = {name: value for name, value in user.tags.items() if name.lower() not in gone}
        return ""
