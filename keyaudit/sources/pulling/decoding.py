"""JSON that came from outside: decoded as it must be, or refused.

Whoever answers may nest what nobody asked for as deep as they like, which msgspec follows only so far.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from keyaudit.sources.pulling.refusals import Kind, RefusedError

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for an answer that is not what it should be."""

Answer = TypeVar("Answer")


def decoded(body: bytes, decoder: msgspec.json.Decoder[Answer]) -> Answer:
    """Decode an answer; raises RefusedError (`unreadable`)."""
    try:
        return decoder.decode(body)
    except MALFORMED:
        raise RefusedError(Kind.UNREADABLE) from None
