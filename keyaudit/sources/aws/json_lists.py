"""AWS's JSON protocols: answers decoded into just the fields that an audit needs.

Clients are made with `raw=True`, so that the body comes undecoded. botocore retries what did not
arrive, but not what arrived cut short: it does not compare the length of a body with what was
announced, and takes one that is no JSON for an empty answer. So what cannot be read is asked for
again here. What a struct does not name is never decoded: a description, which people fill with
anything, is dropped with the bytes. Times arrive as seconds since the epoch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from keyaudit.sources.aws.metering import BODY
from keyaudit.sources.aws.refusals import refusing
from keyaudit.sources.pulling.decoding import MALFORMED, decoded
from keyaudit.sources.pulling.pages import Page, reread, walk, whole
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.times import from_seconds

NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]

Entry = TypeVar("Entry")
Answer = TypeVar("Answer")


class Tag(msgspec.Struct, frozen=True, gc=False):
    """A tag; AWS allows one without a value."""

    key: str = msgspec.field(name="Key")
    value: str | None = msgspec.field(name="Value", default=None)


def labels_of(tags: Iterable[Tag]) -> dict[str, str]:
    """Give tags as labels; one without a value has an empty one."""
    return {tag.key: tag.value or "" for tag in tags}


def instant(seconds: float | None) -> int | None:
    """Turn Amazon's seconds, if there are any, into microseconds; raises ValueError outside 1970..9999."""
    return None if seconds is None else from_seconds(seconds)


class JsonList(Generic[Entry]):
    """One list operation: what its entries are, and where its answers keep them and the next token."""

    def __init__(
        self, entry: type[Entry], entries: str, *, following: str = "NextToken", sent_as: str | None = None
    ) -> None:
        """`entries` and `following` (a token) are fields of an answer; `sent_as` is its name in a request."""
        self._page = msgspec.json.Decoder(_page_of(entry, entries, following))
        self._loose: Any = _page_of(Any, entries, following)
        self._entry = msgspec.json.Decoder(entry)
        self._sent_as = sent_as or following

    def pages(self, ask: Callable[..., Any]) -> Iterator[Page[Entry]]:
        """Follow the tokens; `ask` takes one by its name in a request. Raises RefusedError."""

        def body(token: str | None) -> bytes:
            return _body(lambda: ask(**{self._sent_as: token}) if token else ask())

        return walk(lambda token: reread(lambda: body(token), self.read))

    def whole(self, ask: Callable[..., Any]) -> list[Entry]:
        """Give all entries of all pages; raises RefusedError also if any of them cannot be read."""
        return whole(self.pages(ask))

    def read(self, body: bytes) -> Page[Entry]:
        """Decode a page; one unreadable entry costs only itself. Raises RefusedError."""
        try:
            page = self._page.decode(body)
        except MALFORMED:
            return self._read_one_by_one(body)
        return Page(page.entries, 0, _following(page))

    def _read_one_by_one(self, body: bytes) -> Page[Entry]:
        """Decode with the standard library, which also takes texts that are no Unicode, entry by entry."""
        try:
            page = msgspec.convert(json.loads(body), self._loose)
        except (ValueError, RecursionError):
            raise RefusedError(Kind.UNREADABLE) from None
        entries = []
        for entry in page.entries:
            try:
                entries.append(self._entry.decode(json.dumps(entry)))
            except (ValueError, RecursionError):
                continue
        return Page(entries, len(page.entries) - len(entries), _following(page))


def told(ask: Callable[[], Any], kind: type[Answer]) -> Answer:
    """Ask for one thing and decode it; raises RefusedError."""
    decoder = msgspec.json.Decoder(kind)
    return reread(lambda: _body(ask), lambda body: decoded(body, decoder))


def _page_of(entry: Any, field: str, token: str) -> Any:
    """Make the struct of a page. Only some services say by `Truncated` that there is more."""
    return msgspec.defstruct(
        "Page",
        [
            ("entries", list[entry], msgspec.field(name=field)),
            ("token", str | None, msgspec.field(name=token, default=None)),
            ("truncated", bool | None, msgspec.field(name="Truncated", default=None)),
        ],
    )


def _following(page: Any) -> str | None:
    """Give the token of the next page; raises RefusedError if there is more but no way to it."""
    if page.truncated and not page.token:
        raise RefusedError(Kind.UNREADABLE)
    token: str | None = page.token
    return token


def _body(ask: Callable[[], Any]) -> bytes:
    with refusing():
        answer = ask()
    return bytes(answer.get(BODY, b""))
