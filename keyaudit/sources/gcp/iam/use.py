"""When keys last signed in, as far as Cloud Monitoring remembers.

* The metric counts what a key was used for, also calls that were then refused. Google says that it
  may count a key that was only listed, by whoever checks a signature.
* It reaches six weeks back and lags up to three hours: a key that is missing was not used *in that
  time*, no more. Only for a key that is younger than that is it proof that it never was.
* One sum a key and day: a use counts from the start of its day, which never makes it later. Days
  end at the time of the pull.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keyaudit.sources.gcp.iam.entries import Account, Key, micros
from keyaudit.sources.gcp.messages import only_page
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.pulling.pages import Page, walk
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.times import DAY, HOUR, SECOND

METRIC = "iam.googleapis.com/service_account/key/authn_events_count"
FILTER = f'metric.type = "{METRIC}" AND resource.type = "iam_service_account"'
KEPT = 42 * DAY
LAG = 3 * HOUR


@dataclass(frozen=True)
class KeyUse:
    """Last uses by account (its unique id) and key; `since` is None where they were not told."""

    since: int | None = None
    until: int = 0
    last: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, account: Account, key: Key) -> int | None:
        """Give the start of the day of a key's last use, None if there is none or it is not known."""
        return self.last.get((account.unique_id, key.id))

    def never(self, account: Account, keys: Iterable[Key]) -> bool | None:
        """Say whether none of an account's keys was ever used, None if that cannot be known.

        True holds until three hours before the pull: later use does not show yet.
        """
        if any(self.of(account, key) is not None for key in keys):
            return False
        if self.since is None:
            return None
        told = all(self.since <= key.valid_after <= self.until - LAG and not key.uploaded for key in keys)
        return True if told else None


def key_use(client: Any, project: str, now: int, *, span: int = KEPT, bucket: int = DAY) -> KeyUse:
    """Ask about every key of `projects/ID` at once. Raises RefusedError: then nothing is known.

    Uses of the last `span` are summed by `bucket`, at whose start they count. An answer that says of
    itself that it lacks something is refused as well: it would make a use look earlier than it was.
    """
    types = library("google.cloud.monitoring_v3")
    last: dict[tuple[str, str], int] = {}
    request = types.ListTimeSeriesRequest(
        name=project,
        filter=FILTER,
        interval={"start_time": _timestamp(now - span), "end_time": _timestamp(now)},
        aggregation={
            "alignment_period": {"seconds": bucket // SECOND},
            "per_series_aligner": types.Aggregation.Aligner.ALIGN_SUM,
        },
    )

    def ask(token: str | None) -> Page[Any]:
        request.page_token = token or ""
        answer = only_page(client.list_time_series(request))
        if answer.execution_errors:
            raise RefusedError(Kind.SERVER, "some of the time series are missing")
        return Page(list(answer.time_series), token=answer.next_page_token)

    for page in walk(ask):
        for series in page.entries:
            _take(series, last, bucket)
    return KeyUse(now - span, now, last)


def _take(series: Any, last: dict[tuple[str, str], int], bucket: int) -> None:
    """Note the latest bucket of one key's series on which it was used at all."""
    which = (series.resource.labels["unique_id"], series.metric.labels["key_id"])
    for point in series.points:
        if point.value.int64_value > 0:
            try:
                used = micros(point.interval.end_time) - bucket
            except ValueError:
                raise RefusedError(Kind.UNREADABLE) from None
            last[which] = max(used, last.get(which, used))


def _timestamp(instant: int) -> dict[str, int]:
    seconds, rest = divmod(instant, SECOND)
    return {"seconds": seconds, "nanos": rest * 1000}
