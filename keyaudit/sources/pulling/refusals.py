"""Why something could not be read, in words that are safe to print.

A server's own message is never repeated: it may quote the request, key and all, and it is text
from outside. Only an error's code is kept, if it looks like one. Each provider's door turns what
its client raises into `RefusedError`; nothing above the door knows a client's exceptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Kind(StrEnum):
    """Why something could not be read."""

    DENIED = "denied"
    EXPIRED = "expired"
    CREDENTIALS = "credentials"
    CLOCK = "clock"
    THROTTLED = "throttled"
    SERVER = "server"
    SEALED = "sealed"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    REPEATED = "repeated"
    GONE = "gone"
    NOT_ENABLED = "not-enabled"
    OTHER = "other"


FATAL = frozenset({Kind.EXPIRED, Kind.CREDENTIALS, Kind.CLOCK, Kind.SEALED})
"""Nothing asked after these will be answered either."""

TRANSIENT = frozenset({Kind.THROTTLED, Kind.SERVER, Kind.UNREACHABLE, Kind.UNREADABLE})
"""May be answered if asked again."""

_SAYING: dict[Kind, str] = {
    Kind.DENIED: "denied",
    Kind.EXPIRED: "the credentials expired",
    Kind.CREDENTIALS: "the credentials are not valid here",
    Kind.CLOCK: "the signature was refused: a wrong secret key, or this machine's clock is off",
    Kind.THROTTLED: "throttled to the last attempt",
    Kind.SERVER: "the service failed",
    Kind.SEALED: "the server is sealed or in maintenance",
    Kind.UNREACHABLE: "no answer",
    Kind.UNREADABLE: "the answer could not be read",
    Kind.REPEATED: "a page token was refused or came twice, so the list could not be finished",
    Kind.GONE: "deleted meanwhile",
    Kind.NOT_ENABLED: "the service is not enabled",
    Kind.OTHER: "refused",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal: its kind, and a sentence fragment such as `denied (AccessDeniedException)`."""

    kind: Kind
    reason: str


class RefusedError(Exception):
    """A call ended without the answer it was made for.

    `hold` is how many seconds the server asked us to stay away, if it did.
    """

    def __init__(
        self, kind: Kind, detail: str | None = None, *, saying: str | None = None, hold: float | None = None
    ) -> None:
        """Say `kind` in its usual words, or in `saying`; `detail` must come from us or from `clean`."""
        said = saying or _SAYING[kind]
        self.refusal = Refusal(kind, f"{said} ({detail})" if detail else said)
        self.hold = hold
        super().__init__(self.refusal.reason)


def clean(code: object) -> str:
    """Give an error code from outside if it looks like one."""
    text = str(code)
    return text if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) else "an unnamed error"


def unexpected(error: Exception) -> Refusal:
    """Say of a fault of ours what it is and where, never its message: that may hold what a server said."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" at {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else ""
    return Refusal(Kind.OTHER, f"internal error ({type(error).__name__}{where}); please report it")
