"""Lists that come in pages: a page may be empty and not the last, and a token that comes twice never ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from keyaudit.sources.pulling.refusals import Kind, RefusedError

READINGS = 3
MOST_EMPTY = 1_000
"""Pages without an entry, one after the other."""

Entry = TypeVar("Entry")
Asked = TypeVar("Asked")
Read = TypeVar("Read")


class Page(msgspec.Struct, Generic[Entry], frozen=True):
    """One page: the entries that can be read, how many cannot, and the token of the next."""

    entries: list[Entry]
    unreadable: int = 0
    token: str | None = None


def walk(ask: Callable[[str | None], Page[Entry]]) -> Iterator[Page[Entry]]:
    """Give page after page; `ask` takes the token of the page before, None for the first.

    Raises RefusedError (`repeated`) for a token that came before.
    """
    seen: set[str] = set()
    token: str | None = None
    empty = 0
    while True:
        page = ask(token)
        yield page
        token = page.token
        if not token:
            return
        empty = 0 if page.entries else empty + 1
        if empty >= MOST_EMPTY:
            raise RefusedError(Kind.REPEATED, saying=f"{empty:,} pages in a row held nothing")
        if token in seen:
            raise RefusedError(Kind.REPEATED)
        seen.add(token)


def whole(pages: Iterable[Page[Entry]]) -> list[Entry]:
    """Give all entries of all pages; raises RefusedError also if any of them cannot be read."""
    found: list[Entry] = []
    for page in pages:
        if page.unreadable:
            raise RefusedError(Kind.UNREADABLE)
        found += page.entries
    return found


def reread(ask: Callable[[], Asked], read: Callable[[Asked], Read]) -> Read:
    """Ask for one page, or one thing, until `read` can make sense of it, `READINGS` times at most.

    For clients that retry what did not arrive but not what arrived cut short.
    """
    for reading in range(READINGS):
        answer = ask()
        try:
            return read(answer)
        except RefusedError as error:
            if error.refusal.kind is not Kind.UNREADABLE or reading == READINGS - 1:
                raise
    raise AssertionError("the last reading returns or raises")
