"""The accounts of an organization, as AWS Organizations lists them.

Only its management account and its delegated administrators are answered. A page may be empty and
not the last. `State` is the newer field and knows more states than `Status`, which is going away.
Only active accounts are entered: in a suspended or closed one no credential works.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from keyaudit.sources.aws.accounts import Session
from keyaudit.sources.aws.metering import watch
from keyaudit.sources.aws.refusals import promised, refusing
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pages import Page, reread, walk
from keyaudit.sources.pulling.refusals import Kind, Refusal, RefusedError

ACTIVE = "ACTIVE"
_STATES = {"PENDING_ACTIVATION", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"}


@dataclass
class Members:
    """The accounts that were listed; `refusal` says why there may be more."""

    active: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    unreadable: int = 0
    refusal: Refusal | None = None

    def entered(self, own: str, skipped: Collection[str]) -> list[str]:
        """Give the accounts to enter, our own first: it needs no list."""
        listed = dict.fromkeys([own, *self.active] if self.refusal or own in self.active else self.active)
        return [account for account in listed if account not in skipped]

    def problems(self) -> list[str]:
        """Say why accounts may be missing."""
        problems = []
        if self.refusal is not None:
            pages = f"{self.pages:,} page{'' if self.pages == 1 else 's'}"
            where = f"broke off after {pages}" if self.pages else "was not given"
            problems.append(f"the list of accounts {where}: {self.refusal.reason}")
            if self.refusal.kind is Kind.DENIED:
                problems.append("only the management account and delegated administrators may list them")
        if self.unreadable:
            problems.append(f"{self.unreadable:,} accounts could not be read")
        return problems

    def remarks(self, skipped: Sequence[str]) -> list[str]:
        """Say which accounts were left out, and that it was meant so."""
        remarks = []
        left_out = [account for account in skipped if account in self.active]
        strange = [account for account in skipped if account not in self.active]
        if left_out:
            remarks.append(f"left out by `skip_accounts`: {', '.join(left_out)}")
        if strange and self.refusal is None:
            remarks.append(f"`skip_accounts` names no active account here: {', '.join(strange)}")
        if self.others:
            states = ", ".join(f"{count:,} {state}" for state, count in sorted(self.others.items()))
            remarks.append(f"accounts that are not active were not entered: {states}")
        return remarks


def list_members(session: Session, meter: Meter) -> Members:
    """List the accounts of the organization that `session` may list."""
    members = Members()
    try:
        with refusing():
            client = watch(session.client("organizations", session.home_region()), meter)

        def ask(token: str | None) -> Page[tuple[str, str]]:
            extra = {"NextToken": token} if token else {}
            with refusing():
                answer = client.list_accounts(MaxResults=20, **extra)
            return _read(answer)

        for page in walk(lambda token: reread(lambda: token, ask)):
            members.pages += 1
            members.unreadable += page.unreadable
            for account, state in page.entries:
                if state == ACTIVE:
                    members.active.append(account)
                else:
                    members.others[state] += 1
    except RefusedError as error:
        members.refusal = error.refusal
    return members


def _read(answer: dict[str, Any]) -> Page[tuple[str, str]]:
    listed = promised(answer, "Accounts")
    accounts = [account for account in listed if str(account.get("Id", "")).isdigit()]
    entries = [(str(account["Id"]), _state(account)) for account in accounts]
    return Page(entries, len(listed) - len(entries), answer.get("NextToken"))


def _state(account: dict[str, Any]) -> str:
    """Take an account of which nothing says that it is inactive for an active one: entering it shows."""
    state = account.get("State") or account.get("Status")
    return str(state) if state in _STATES else ACTIVE
