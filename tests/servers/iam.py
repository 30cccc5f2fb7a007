"""IAM as it answers, with STS and Organizations around it: users, keys, and the credential report.

A `strict` one lets in only who signs with a key that it honours (`iam_keys`); others believe whatever
key id is named. Fields, order and odd spellings are those of the API reference and of reports that AWS wrote: dates
with Z, no newline at the end, the root user first, inactive keys with their dates, two slots a user
in the order of the keys' ids. What would serve a secret is served too, so that a test can show that
nobody asked for it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from keyaudit.times import HOUR, format_instant
from servers.aws_front import Answer, AwsServer, Refused
from servers.clock import Clock
from servers.fault_proxy import Asked
from servers.iam_keys import CANARY, OWN, AccessKeys, Key, User, account_of_key, key_of_account

__all__ = ["CANARY", "OWN", "XMLNS", "Account", "Iam", "Key", "Refused", "account_of_key", "key_of_account"]

XMLNS = "https://iam.amazonaws.com/doc/2010-05-08/"
_HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,"
    "cert_2_active,cert_2_last_rotated"
)


NO_KEY = ["false", "N/A", "N/A", "N/A", "N/A"]


@dataclass
class Report:
    generated: int
    content: str


@dataclass
class Account:
    """`polls` is how often a new report is not ready yet; `kept` says whether an old one is given again."""

    id: str
    users: dict[str, User] = field(default_factory=dict)
    root_keys: list[Key] = field(default_factory=list)
    root_created: int = 1_300_000_000_000_000
    service: list[dict[str, Any]] = field(default_factory=list)
    polls: int = 0
    kept: bool = False
    report: Report | None = None
    pending: int = 0

    def arn(self, user: User) -> str:
        return f"arn:aws:iam::{self.id}:user{user.path}{user.name}"

    def put(self, name: str, created: int, *keys: Key, path: str = "/", **tags: str) -> User:
        user = self.users[name] = User(name, created, list(keys), tags, path)
        return user

    def put_service(self, user: str, service: str, identifier: str, created: int, **fields: Any) -> None:
        entry = {"UserName": user, "ServiceName": f"{service}.amazonaws.com", "Status": "Active", **fields}
        entry |= {"ServiceSpecificCredentialId": identifier, "CreateDate": format_instant(created)}
        self.service.append(entry)

    def write_report(self, now: int) -> None:
        root = self._row("<root_account>", f"arn:aws:iam::{self.id}:root", self.root_created, self.root_keys)
        users = sorted(self.users.values(), key=lambda user: user.name.lower())
        rows = [self._row(user.name, self.arn(user), user.created, user.keys) for user in users]
        more = any(len(user.keys) > 2 for user in users)
        lines = [_HEADER + (",additional_credentials_info" if more else ""), root + ("," if more else "")]
        for user, row in zip(users, rows, strict=True):
            extra = f"{len(user.keys) - 2} access keys: ListAccessKeys" if len(user.keys) > 2 else ""
            lines.append(row + (f",{extra}" if more else ""))
        self.report = Report(now, "\n".join(lines))

    def _row(self, name: str, arn: str, created: int, keys: list[Key]) -> str:
        password = ["false", "N/A", "N/A", "N/A", "false"]
        slots = [key.row() for key in sorted(keys, key=lambda key: key.id)[:2]]
        slots += [NO_KEY] * (2 - len(slots))
        return ",".join(
            [name, arn, format_instant(created), *password, *slots[0], *slots[1], "false,N/A,false,N/A"]
        )


class Iam(AccessKeys, AwsServer):
    """`accounts` by id; whoever signs with any key but an assumed role's is in `OWN`, unless it is a user's."""

    content_type = "text/xml"
    faults = {
        "denied": (403, "AccessDenied"),
        "throttled": (400, "Throttling"),
        "server-error": (500, "ServiceFailure"),
    }

    def __init__(self, now: int, *, page: int = 100, strict: bool = False) -> None:
        self.clock = Clock(now)
        self.page = page
        self.strict = strict
        self.accounts = {OWN: Account(OWN)}
        self.organization: list[dict[str, Any]] | None = None
        self.log: list[tuple[str, str, dict[str, str]]] = []
        super().__init__()

    @property
    def now(self) -> int:
        return self.clock()

    @now.setter
    def now(self, instant: int) -> None:
        self.clock.set(instant)

    def account(self, identifier: str) -> Account:
        return self.accounts.setdefault(identifier, Account(identifier))

    def asked(self, operation: str, account: str | None = None) -> list[dict[str, str]]:
        return [form for where, name, form in self.log if name == operation and account in {None, where}]

    def admit(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        if self.strict:
            self.authenticate(handler, asked)

    def act(self, asked: Asked) -> Answer:
        owner = self.owner(asked.key) if self.strict else None
        account = account_of_key(asked.key) if owner is None else owner[0].id
        if asked.operation == "ListAccounts":
            status, found = self.list_accounts(json.loads(asked.body), account)
            return status, json.dumps(found).encode()
        form = {
            name: values[0] for name, values in parse_qs(asked.body.decode(), keep_blank_values=True).items()
        }
        del form["Action"], form["Version"]
        with self.lock:
            self.caller = asked.key
            return 200, _answered(asked.operation, self.answer(asked.operation, account, form)).encode()

    def spell(self, error: Refused) -> Answer:
        return spelled_in_xml(error)

    def identity(self, key: str) -> str:
        """Give the whole answer of GetCallerIdentity to who signed with a key."""
        return _answered("GetCallerIdentity", self.identity_of(key))

    def answer(self, operation: str, account: str, form: dict[str, str]) -> str:
        self.log.append((account, operation, form))
        found = getattr(self, "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower(), None)
        if found is None:
            raise Refused(400, "InvalidAction")
        answer: str = found(self.account(account), form)
        return answer

    def _get_caller_identity(self, account: Account, form: Mapping[str, str]) -> str:
        return self.identity_of(self.caller)

    def _assume_role(self, account: Account, form: Mapping[str, str]) -> str:
        entered = form["RoleArn"].split(":")[4]
        if entered not in self.accounts:
            raise Refused(403, "AccessDenied")
        return (
            f"<Credentials><AccessKeyId>{key_of_account(entered)}</AccessKeyId>"
            f"<SecretAccessKey>{CANARY}-secret</SecretAccessKey><SessionToken>{CANARY}-token</SessionToken>"
            "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
        )

    def _generate_credential_report(self, account: Account, form: Mapping[str, str]) -> str:
        if account.pending:
            return "<State>INPROGRESS</State>"
        report = account.report
        if report is not None and account.kept and self.now - report.generated < 4 * HOUR:
            return "<State>COMPLETE</State>"
        account.write_report(self.now)
        account.pending = account.polls
        if account.pending:
            return "<State>STARTED</State><Description>No report exists.</Description>"
        return "<State>COMPLETE</State>"

    def _get_credential_report(self, account: Account, form: Mapping[str, str]) -> str:
        if account.pending:
            account.pending -= 1
            raise Refused(404, "ReportInProgress")
        report = account.report
        if report is None:
            raise Refused(410, "ReportNotPresent")
        if self.now - report.generated >= 4 * HOUR:
            raise Refused(410, "ReportExpired")
        content = base64.b64encode(report.content.encode()).decode()
        return (
            f"<Content>{content}</Content><ReportFormat>text/csv</ReportFormat>"
            f"<GeneratedTime>{format_instant(report.generated)}</GeneratedTime>"
        )

    def _get_account_summary(self, account: Account, form: Mapping[str, str]) -> str:
        counts = {"Users": len(account.users), "AccountAccessKeysPresent": int(bool(account.root_keys))}
        entries = (f"<entry><key>{key}</key><value>{count}</value></entry>" for key, count in counts.items())
        return f"<SummaryMap>{''.join(entries)}</SummaryMap>"

    def _list_users(self, account: Account, form: Mapping[str, str]) -> str:
        users = [
            {
                "Path": user.path,
                "UserName": user.name,
                "UserId": "AIDA" + user.name,
                "Arn": account.arn(user),
                "CreateDate": format_instant(user.created),
            }
            for user in account.users.values()
        ]
        return self._page("Users", users, form)

    def _list_access_keys(self, account: Account, form: Mapping[str, str]) -> str:
        user = self.user(account, form)
        keys = [
            {
                "UserName": user.name,
                "AccessKeyId": key.id,
                "Status": key.status,
                "CreateDate": format_instant(key.created),
            }
            for key in user.keys
        ]
        return self._page("AccessKeyMetadata", keys, form)

    def _get_access_key_last_used(self, account: Account, form: Mapping[str, str]) -> str:
        pairs = [(user, key) for user in account.users.values() for key in user.keys]
        for user, key in pairs:
            if key.id == form["AccessKeyId"]:
                used = key.used is not None
                date = f"<LastUsedDate>{format_instant(key.used)}</LastUsedDate>" if used else ""
                service, region = (key.service, key.region) if used else ("N/A", "N/A")
                return (
                    f"<UserName>{user.name}</UserName><AccessKeyLastUsed>{date}"
                    f"<ServiceName>{service}</ServiceName><Region>{region}</Region></AccessKeyLastUsed>"
                )
        raise Refused(403, "AccessDenied")

    def _list_service_specific_credentials(self, account: Account, form: Mapping[str, str]) -> str:
        if form.get("AllUsers") == "true" and "UserName" in form:
            raise Refused(400, "ValidationError")
        wanted = None if form.get("AllUsers") == "true" else form.get("UserName", "auditor")
        held = [entry for entry in account.service if wanted in {None, entry["UserName"]}]
        return self._page("ServiceSpecificCredentials", held, form)

    def _list_user_tags(self, account: Account, form: Mapping[str, str]) -> str:
        tags = sorted(self.user(account, form).tags.items())
        return self._page("Tags", [{"Key": key, "Value": value} for key, value in tags], form)

    def _reset_service_specific_credential(self, account: Account, form: Mapping[str, str]) -> str:
        held = f"<ServicePassword>{CANARY}</ServicePassword>"
        return f"<ServiceSpecificCredential>{held}</ServiceSpecificCredential>"

    def _page(self, name: str, entries: list[dict[str, Any]], form: Mapping[str, str]) -> str:
        start = int(form.get("Marker", "0"))
        end = start + min(self.page, int(form.get("MaxItems", "100")))
        members = "".join(f"<member>{_fields(entry)}</member>" for entry in entries[start:end])
        following = f"<Marker>{end}</Marker>" if end < len(entries) else ""
        truncated = "true" if end < len(entries) else "false"
        return f"<{name}>{members}</{name}><IsTruncated>{truncated}</IsTruncated>{following}"

    def list_accounts(self, asked: Mapping[str, Any], account: str) -> tuple[int, dict[str, Any]]:
        """Organizations speaks JSON; twenty accounts a page at most, and an empty page before the last."""
        with self.lock:
            self.log.append((account, "ListAccounts", dict(asked)))
        if self.organization is None:
            return 400, {"__type": "AWSOrganizationsNotInUseException"}
        start, again, _ = str(asked.get("NextToken", "0")).partition("+")
        end = int(start) + min(asked.get("MaxResults", 20), 20)
        if int(start) and not again:
            return 200, {"Accounts": [], "NextToken": f"{start}+"}
        following = {"NextToken": str(end)} if end < len(self.organization) else {}
        return 200, {"Accounts": self.organization[int(start) : end], **following}


def spelled_in_xml(error: Refused) -> Answer:
    """Give an error as the query protocol spells it."""
    return error.status, (
        f'<ErrorResponse xmlns="{XMLNS}"><Error><Type>Sender</Type><Code>{error.code}</Code>'
        "<Message>Unknown</Message></Error></ErrorResponse>"
    ).encode()


def _answered(operation: str, result: str) -> str:
    return (
        f'<{operation}Response xmlns="{XMLNS}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{operation}Response>"
    )


def _fields(entry: Mapping[str, Any]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in entry.items())
