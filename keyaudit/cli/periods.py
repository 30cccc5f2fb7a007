"""What an audit of a period is given: its ends, its history, and the rotation records of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli import options
from keyaudit.cli.grouping import grouped
from keyaudit.cli.histories import read_audit_logs, read_history
from keyaudit.cli.outputs import tell
from keyaudit.errors import UsageError

if TYPE_CHECKING:
    from keyaudit.cli.configuration import Configuration
    from keyaudit.history.chronicle import Chronicle
    from keyaudit.history.logs import AuditLogs
    from keyaudit.model import Inventory
    from keyaudit.rotation_record import RecordFile

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class OverTime:
    """What an audit is asked beside how things stand now, as the options say it."""

    period: str | None
    rotation_records: Sequence[str]
    histories: Sequence[str]
    audit_logs: Sequence[str]

    def given(self, as_of: int | None, settings: Configuration) -> Given:
        """Read all of it, from keyaudit.yaml where no option says it.

        `as_of` is that of the audit, None for now. Raises click.BadParameter, UsageError.
        """
        over = None if self.period is None else _period(self.period)
        if over is not None and over[1] > (options.instant_of(None) if as_of is None else as_of):
            raise _bad(f"{self.period} is not over at the instant of the audit")
        records = _records(self.rotation_records, settings.records if over else (), over)
        history = read_history(self.histories, settings.history, over)
        return Given(over, records, history, read_audit_logs(self.audit_logs, settings.audit_logs, over))


@dataclass(frozen=True, slots=True)
class Given:
    """A period, as its first and last instant, and the evidence of it; None for what was not given."""

    period: tuple[int, int] | None
    records: tuple[RecordFile, ...] | None
    history: Chronicle | None = None
    logs: AuditLogs | None = None

    def kept(self) -> dict[str, Any]:
        """Give what a bundle keeps of it, as fields of `evidence.collecting.Material`."""
        from keyaudit import history

        condensed = None if self.history is None else history.write(self.history)
        logs = None
        if self.logs is not None:
            from keyaudit.history.logs import document

            logs = document.write(self.logs)
        return {"period": self.period, "records": self.records, "history": condensed, "audit_logs": logs}

    def recalled(self, inventory: Inventory) -> Inventory:
        """Give the inventory with the past that was given beside it; says what logs told in vain."""
        if self.history is None and self.logs is None and not self.records:
            return inventory
        from keyaudit.history.widening import widen

        widened = widen(inventory, self.history, self.logs, self.records)
        left = {
            "are about credentials that no inventory has": widened.unknown,
            "may be about several credentials": widened.ambiguous,
            "do not say which version they are about": widened.silent,
        }
        for why, count in left.items():
            if count:
                tell(f"audit logs: {count:,} entries {why}", "audit-log-entries", why=why, count=count)
        known = widened.inventory.history
        if known is not None and known.contradictions:
            count, what = known.contradictions, "contradicted by other lists, audit logs or rotation records"
            tell(
                f"history: {count:,} dates of versions are {what}; what was listed last counts",
                "history-contradiction",
                count=count,
            )
        return widened.inventory


over_time: options.Decorator = grouped(
    "over", OverTime, options.period, options.rotation_records, options.history, options.audit_logs
)


def _period(text: str) -> tuple[int, int]:
    """Give the first and the last microsecond of FROM/TO.

    An end is an instant with an offset, itself inside, or a whole UTC day.
    """
    ends = text.split("/")
    if len(ends) != 2:
        raise _bad(f"{text!r} is not FROM/TO, such as 2026-01-01/2026-06-30")
    first, last = _end(ends[0], last=False), _end(ends[1], last=True)
    if first > last:
        raise _bad(f"{text} ends before it begins")
    if first < options.FIRST or last >= options.END:
        raise _bad(f"{text} does not lie in the years 1970 to 9998")
    return first, last


def _end(text: str, *, last: bool) -> int:
    from keyaudit.times import DAY, parse_instant

    day = _DAY.fullmatch(text) is not None
    try:
        instant = parse_instant(f"{text}T00:00:00Z" if day else text)
    except ValueError as error:
        raise _bad(f"{text!r}: {error}") from None
    return instant + DAY - 1 if day and last else instant


def _bad(message: str) -> click.BadParameter:
    return click.BadParameter(message, param_hint="--period")


def _records(
    named: Sequence[str], configured: Sequence[str], over: tuple[int, int] | None
) -> tuple[RecordFile, ...] | None:
    if named and over is None:
        raise UsageError("rotation records are evidence of a period", hint="name it: --period FROM/TO")
    paths = [Path(name) for name in named or configured]
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder", hint="`keyaudit rotate` writes the records")
        if path.is_dir() and not any(path.glob("*.ndjson")):
            raise UsageError(f"{path}: no file in it ends with .ndjson", hint="or name the files themselves")
    if not paths:
        return None
    from keyaudit.rotation_record import read_files

    return read_files(paths)
