"""Exported audit logs: what they tell of credentials, and to which credential of an inventory each belongs.

A log adds facts. What is not in it may have happened all the same: a trail of another region, a sink that
was not there yet, an entry past its retention. So nothing is ever concluded from an event's absence.

reading, entries         files, and the entries in them, whoever wrote them
cloudtrail, aws_call     AWS: events, and the fields of a call; one file a service: `aws_secrets`,
                         `aws_parameters`, `aws_access_keys`, `aws_keys`
google, vault            Google Cloud; Vault and OpenBao
happening, noted         what one entry tells; what all of them tell together
placing                  which credential of an inventory each is about
document, shape          `keyaudit/audit-log-entries/1`: what was told, without the logs; its lines;
                         `document_problems` what is wrong with one
"""

from __future__ import annotations

from keyaudit.history.logs.noted import AuditLogs, Noted
from keyaudit.history.logs.placing import Placed, placed
from keyaudit.history.logs.reading import ENDINGS, logs_in, read_logs

__all__ = ["ENDINGS", "AuditLogs", "Noted", "Placed", "logs_in", "placed", "read_logs"]
