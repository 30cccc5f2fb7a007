"""Exported audit logs: what they tell of credentials, and to which credential of an inventory each belongs.

A log adds facts. What is not in it may have happened all the same: a trail of another region, a sink that
was not there yet, an entry past its retention. So nothing is ever concluded from an event's absence.
"""

from __future__ import annotations

from keyaudit.history.logs.noted import AuditLogs, Noted
from keyaudit.history.logs.placing import Placed, placed
from keyaudit.history.logs.reading import ENDINGS, logs_in, read_logs

__all__ = ["ENDINGS", "AuditLogs", "Noted", "Placed", "logs_in", "placed", "read_logs"]
