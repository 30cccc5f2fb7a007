"""What a period audit recalls: earlier inventories, condensed histories and audit logs, as they are named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keyaudit.errors import UsageError
from keyaudit.inventory.opening import SUFFIXES

if TYPE_CHECKING:
    from keyaudit.history.chronicle import Chronicle
    from keyaudit.history.logs import AuditLogs

_WRITES = "`keyaudit inventory pull --output FILE` writes one"


def read_history(
    named: Sequence[str], configured: Sequence[str], over: tuple[int, int] | None
) -> Chronicle | None:
    """Read the history of a period; None where none is given. Raises UsageError.

    What keyaudit.yaml names is left alone where no period is audited.
    """
    if named and over is None:
        raise UsageError("a history is evidence of a period", hint="name it: --period FROM/TO")
    chosen = named or (configured if over else ())
    if not chosen:
        return None
    from keyaudit import history

    return history.read(checked(chosen))


def read_audit_logs(
    named: Sequence[str], configured: Sequence[str], over: tuple[int, int] | None
) -> AuditLogs | None:
    """Read the audit logs of a period; None where none are given. Raises UsageError."""
    if named and over is None:
        raise UsageError("audit logs are evidence of a period", hint="name it: --period FROM/TO")
    paths = [Path(name) for name in named or (configured if over else ())]
    if not paths:
        return None
    from keyaudit.history.logs import ENDINGS, logs_in, read_logs

    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder", hint="export the log first, as JSON")
        if path.is_dir() and not logs_in(path):
            raise UsageError(
                f"{path}: no audit log is in it", hint=f"their names end with one of {', '.join(ENDINGS)}"
            )
    return read_logs(paths)


def checked(named: Sequence[str]) -> list[Path]:
    """Give the paths of files and folders; raises UsageError for one that is not there, or holds nothing."""
    paths = [Path(name) for name in named]
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder", hint=_WRITES)
        if path.is_dir() and not any(each.suffix.lower() in SUFFIXES for each in path.iterdir()):
            raise UsageError(
                f"{path}: no inventory is in it",
                hint=f"they are called one of {', '.join(SUFFIXES)}; {_WRITES}",
            )
    return paths
