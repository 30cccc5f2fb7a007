"""When a key of a Google service account last signed in, as Cloud Monitoring counts it.

    silence:
      kind: google-service-account
      project: acme-prod            # of the account
      impersonate: keyaudit-rotate@acme-prod.iam.gserviceaccount.com   # and `quota_project`, `endpoint`

What a key did shows three hours later, so nothing is said of the last three. Uses are summed by the
hour, and a use counts as of its hour's end. An access token that a key got before is good for an hour
and is no use of the key: let `window` be longer than that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import ClassVar, Self

from keyaudit.errors import RotationError, SourceError
from keyaudit.rotation.doors.google import GoogleSettings
from keyaudit.rotation.party import Means, PartySettings
from keyaudit.rotation.sight import Quiet
from keyaudit.sources.gcp.caller import sign_in
from keyaudit.sources.gcp.clients import open_client
from keyaudit.sources.gcp.iam.use import KEPT, LAG, METRIC, KeyUse, key_use
from keyaudit.sources.gcp.packages import library
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import RefusedError
from keyaudit.times import DAY, HOUR

_PER_SECOND = 5.0


class KeyMetricSettings(PartySettings, GoogleSettings):
    """Checked settings of the witness."""


class KeyMetric:
    """Asks Cloud Monitoring about all keys of a project, and tells of one."""

    kind = "google-service-account"
    Settings = KeyMetricSettings
    calls: ClassVar[Mapping[str, tuple[str, ...]]] = {"ask": ("monitoring.timeSeries.list",)}

    def __init__(self, settings: KeyMetricSettings, clock: Callable[[], int]) -> None:
        """Ask nothing yet; `clock` gives microseconds, UTC."""
        self._settings, self._clock = settings, clock

    @classmethod
    def opened(cls, settings: KeyMetricSettings, means: Means) -> Self:
        """Open the witness that settings describe."""
        return cls(settings, means.clock)

    def ask(self, key_id: str | None, version: str, since: int | None) -> Quiet:
        """See `Silence.ask`."""
        del version
        if key_id is None:
            raise RotationError("which key the old value is, is not known", hint="name it: --old-key-id")
        now = self._clock()
        span = KEPT if since is None else min(KEPT, max(now - since, 0) + DAY)
        use = self._use(now, -(-span // HOUR) * HOUR)
        used = [at + HOUR for (_, key), at in use.last.items() if key == key_id]
        return Quiet(now - LAG, max(used, default=None), METRIC)

    def _use(self, now: int, span: int) -> KeyUse:
        connection = self._settings.connection(self._settings.timeout)
        client_class = library("google.cloud.monitoring_v3").MetricServiceClient
        meter = Meter(Pace(_PER_SECOND, threading.Event()))
        try:
            client = open_client(client_class, sign_in(connection), connection, meter)
            with closing(client.transport):
                return key_use(client, f"projects/{self._settings.project}", now, span=span, bucket=HOUR)
        except (RefusedError, SourceError) as error:
            reason = str(error)
        raise RotationError(
            f"Cloud Monitoring: {reason}", hint="monitoring.timeSeries.list is needed, to know what is silent"
        )
