"""Google's IAM and Cloud Monitoring as their protocols document them: accounts, keys, and what keys did.

* Accounts come 20 a page unless asked for more, 100 at most; keys of one account all at once, with
  Google's own among them unless `key_types` leaves them out.
* Events older than six weeks or younger than three hours do not show. Sums are aligned backwards
  from the end of the interval, newest first, and a page holds so many points.

Handlers take the client library's own messages and give them back; `grpc_server.py` carries them. Keys are
made and ended in `google_keys.py`, and honoured in `google_tokens.py`.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from typing import Any

from google.cloud import iam_admin_v1 as iam
from google.cloud import monitoring_v3 as monitoring
from google.protobuf import timestamp_pb2
from google.rpc import status_pb2

from servers.clock import Clock
from servers.google_keys import Keys
from servers.grpc_errors import Refused
from servers.grpc_server import Handler, Method

IAM = "google.iam.admin.v1.IAM"
METRICS = "google.monitoring.v3.MetricService"
DAY = 86_400 * 1_000_000
KEPT = 42 * DAY
LAG = DAY // 8
KeyType = iam.ListServiceAccountKeysRequest.KeyType
FILTER = (
    'metric.type = "iam.googleapis.com/service_account/key/authn_events_count" '
    'AND resource.type = "iam_service_account"'
)


def timestamp(micros: int) -> timestamp_pb2.Timestamp:
    seconds, rest = divmod(micros, 1_000_000)
    return timestamp_pb2.Timestamp(seconds=seconds, nanos=rest * 1000)


def micros(value: Any) -> int:
    return int(value.timestamp_pb().seconds) * 1_000_000 + value.timestamp_pb().nanos // 1000


NEVER = timestamp_pb2.Timestamp(seconds=253_402_300_799)


class GoogleIam:
    """`accounts` by project, `keys` by account name, `events` as (project, unique id, key, when)."""

    def __init__(self, *projects: str, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.propagation = 0
        """How many microseconds later than this API the token endpoint knows what became of a key."""
        self.token_uri = "https://oauth2.googleapis.com/token"
        self.accounts: dict[str, list[iam.ServiceAccount]] = {f"projects/{each}": [] for each in projects}
        self.keys: dict[str, list[iam.ServiceAccountKey]] = {}
        self.events: list[tuple[str, str, str, int]] = []
        self.points_a_page = 100_000
        self.incomplete = False
        self.ignores_key_types = False
        self._lock = threading.RLock()
        self._keys = Keys(self)

    def methods(self) -> dict[str, Method]:
        answers = {
            f"/{IAM}/ListServiceAccounts": (iam.ListServiceAccountsRequest, self.list_accounts),
            f"/{IAM}/ListServiceAccountKeys": (iam.ListServiceAccountKeysRequest, self.list_keys),
            f"/{METRICS}/ListTimeSeries": (monitoring.ListTimeSeriesRequest, self.list_series),
            **{f"/{IAM}/{name}": answer for name, answer in self._keys.answers().items()},
        }
        return {name: Method(request, self._in_turn(answer)) for name, (request, answer) in answers.items()}

    def _in_turn(self, answer: Handler) -> Handler:
        def locked(request: Any) -> Any:
            with self._lock:
                return answer(request)

        return locked

    def add(self, project: str, account: str, **fields: Any) -> str:
        """Add a service account with the key that Google keeps for itself; gives its name."""
        email = f"{account}@{project}.iam.gserviceaccount.com"
        name = f"projects/{project}/serviceAccounts/{email}"
        found = iam.ServiceAccount(
            name=name,
            project_id=project,
            email=email,
            unique_id=f"1{zlib.crc32(name.encode()):020}",
            **fields,
        )
        self.accounts[f"projects/{project}"].append(found)
        self.keys[name] = []
        self.put(name, "google0", made=0, key_type=KeyType.SYSTEM_MANAGED, until=timestamp(2**50))
        return name

    def put(self, account: str, key: str, *, made: int, until: Any = NEVER, **fields: Any) -> str:
        """Keep a key of which only the metadata exists; gives its name."""
        fields.setdefault("key_type", KeyType.USER_MANAGED)
        fields.setdefault("key_origin", iam.ServiceAccountKeyOrigin.GOOGLE_PROVIDED)
        name = f"{account}/keys/{key}"
        self.keys[account].append(
            iam.ServiceAccountKey(
                name=name, valid_after_time=timestamp(made), valid_before_time=until, **fields
            )
        )
        return name

    def account(self, name: str) -> iam.ServiceAccount:
        """Find an account by its email or unique id, in its project or in any (`projects/-`)."""
        _, project, _, named = name.split("/")
        for account in self._every():
            if named in {account.email, account.unique_id} and project in {"-", account.project_id}:
                return account
        raise Refused("PERMISSION_DENIED" if project == "-" else "NOT_FOUND")

    def by_email(self, email: str) -> iam.ServiceAccount | None:
        with self._lock:
            return next((each for each in self._every() if each.email == email), None)

    def honoured(self, account: str) -> dict[str, bytes]:
        """Give the public keys, by id, whose signatures get tokens now."""
        with self._lock:
            return self._keys.honoured(account, at=self.clock() - self.propagation)

    def _every(self) -> Iterator[iam.ServiceAccount]:
        return (account for accounts in self.accounts.values() for account in accounts)

    def sign_in(self, account: str, key: str, when: int) -> None:
        """Let a key be used."""
        project = "/".join(account.split("/")[:2])
        unique_id = next(each.unique_id for each in self.accounts[project] if each.name == account)
        with self._lock:
            self.events.append((project, unique_id, key, when))

    def list_accounts(self, request: Any) -> Any:
        rows = self.accounts.get(request.name)
        if rows is None:
            raise Refused("PERMISSION_DENIED", "IAM_PERMISSION_DENIED")
        page, token = page_of(rows, min(request.page_size or 20, 100), request.page_token)
        return iam.ListServiceAccountsResponse(accounts=page, next_page_token=token)

    def list_keys(self, request: Any) -> Any:
        if request.name not in self.keys:
            raise Refused("NOT_FOUND")
        wanted = (not self.ignores_key_types and list(request.key_types)) or [
            KeyType.USER_MANAGED,
            KeyType.SYSTEM_MANAGED,
        ]
        found = [key for key in self.keys[request.name] if key.key_type in wanted]
        return iam.ListServiceAccountKeysResponse(keys=found)

    def list_series(self, request: Any) -> Any:
        aggregation = request.aggregation
        if request.filter != FILTER or aggregation.per_series_aligner.name != "ALIGN_SUM":
            raise Refused("INVALID_ARGUMENT")
        start, end = micros(request.interval.start_time), micros(request.interval.end_time)
        period = int(aggregation.alignment_period.total_seconds()) * 1_000_000
        every = [
            (which, point)
            for which, points in self._sums(request.name, start, end, period).items()
            for point in points
        ]
        page, token = page_of(
            every, min(request.page_size or 100_000, self.points_a_page), request.page_token
        )
        return monitoring.ListTimeSeriesResponse(
            time_series=list(_series(page)),
            next_page_token=token,
            execution_errors=[status_pb2.Status(code=4)] if self.incomplete else [],
        )

    def _sums(self, project: str, start: int, end: int, period: int) -> dict[tuple[str, str], list[Any]]:
        """Sum each key's events by period, newest first; a day in which others signed in holds a zero."""
        counts: dict[tuple[str, str], dict[int, int]] = {}
        for place, unique_id, key, when in self.events:
            if place == project and max(start, end - KEPT) < when <= end - LAG:
                bucket = end - (end - when) // period * period
                sums = counts.setdefault((unique_id, key), {end: 0})
                sums[bucket] = sums.get(bucket, 0) + 1
        return {
            which: [(bucket, sums[bucket], period) for bucket in sorted(sums, reverse=True)]
            for which, sums in sorted(counts.items())
        }


def page_of(rows: Any, size: int, token: str) -> tuple[Any, str]:
    """Cut a page; a token that this server never gave is an invalid argument."""
    if token and not token.removeprefix("after-").isdigit():
        raise Refused("INVALID_ARGUMENT")
    start = int(token.removeprefix("after-")) if token else 0
    return rows[start : start + size], f"after-{start + size}" if start + size < len(rows) else ""


def _series(page: list[Any]) -> Iterator[Any]:
    """Give the series of a page's points: one that does not fit goes on in the next page."""
    together: dict[tuple[str, str], list[Any]] = {}
    for which, (bucket, total, period) in page:
        interval = {"start_time": timestamp(bucket - period), "end_time": timestamp(bucket)}
        together.setdefault(which, []).append({"interval": interval, "value": {"int64_value": total}})
    for (unique_id, key), points in together.items():
        yield monitoring.TimeSeries(
            metric={"type": FILTER.split('"')[1], "labels": {"key_id": key}},
            resource={"type": "iam_service_account", "labels": {"unique_id": unique_id}},
            points=points,
        )
