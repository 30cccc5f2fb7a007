"""Lists that go on after the last id of a page, as the AI providers serve them.

    {"data": [...], "has_more": true, "last_id": "key_abc"}

Entries are decoded one by one: what cannot be read costs only itself. Reports of use come in
pages as well, by a token of their own; there a page that cannot be read costs the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from keyaudit.sources.pulling.decoding import MALFORMED, decoded
from keyaudit.sources.pulling.pages import Entry, Page, reread, walk
from keyaudit.sources.pulling.refusals import Kind, RefusedError
from keyaudit.times import from_seconds, parse_instant

Ask = Callable[[str | None], bytes]
"""Asks for the page after an id or a token, None for the first, and gives its body."""

Id = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,200}\Z")]
"""What an entry, or anything that it belongs to, is called: goes into reports, and into requests."""

_TOKEN = re.compile(r"[!-~]{1,2000}")
_MOST_ENTRIES = 100_000
"""On one page; a hundred times what any of these services gives."""
_MOST_COMMAS = {"list": 2_000_000, "report": 5_000_000}
"""In one answer: each entry costs memory even if it is but one byte."""

_Read = TypeVar("_Read")


class _List(msgspec.Struct):
    data: list[msgspec.Raw]
    has_more: bool
    last_id: str | None = None


class _LooseList(msgspec.Struct):
    data: list[Any]
    has_more: bool
    last_id: str | None = None


class _Named(msgspec.Struct):
    id: Id


class _Bucket(msgspec.Struct):
    results: list[dict[str, Any]]
    start_time: int | None = None
    starting_at: str | None = None


class _Report(msgspec.Struct):
    data: list[_Bucket]
    has_more: bool
    next_page: str | None = None


_REPORT = msgspec.json.Decoder(_Report)


class _Detail(msgspec.Struct):
    code: str | None = None
    type: str | None = None


class _Error(msgspec.Struct):
    error: _Detail


def instant(seconds: int | None) -> int | None:
    """Turn seconds, if there are any, into microseconds; raises ValueError outside 1970..9999."""
    return None if seconds is None else from_seconds(seconds)


def error_code(body: bytes) -> str | None:
    """Find the code of an error, or its type; never its message, which may quote a key."""
    try:
        detail = msgspec.json.decode(body, type=_Error).error
    except MALFORMED:
        return None
    return detail.code or detail.type


def entries(ask: Ask, kind: type[Entry]) -> Iterator[Page[Entry]]:
    """Give a list page by page; raises RefusedError where it breaks off."""
    return walk(lambda after: reread(lambda: ask(after), lambda body: _page(body, kind)))


def _page(body: bytes, kind: type[Entry]) -> Page[Entry]:
    found = _listed(body)
    read = [entry for entry in (_entry(raw, kind) for raw in found.data) if entry is not None]
    token = _next(found) if found.has_more else None
    return Page(read, len(found.data) - len(read), token)


def _listed(body: bytes) -> _List:
    _bounded(body, "list")
    found = _list(body)
    if len(found.data) > _MOST_ENTRIES:
        raise RefusedError(Kind.UNREADABLE, "too many entries")
    return found


def _bounded(body: bytes, what: str) -> None:
    """Refuse what would take far more memory than it has bytes, before it is decoded."""
    if body.count(b",") > _MOST_COMMAS[what]:
        raise RefusedError(Kind.UNREADABLE, "too many entries")


def _list(body: bytes) -> _List:
    try:
        return msgspec.json.decode(body, type=_List)
    except MALFORMED:
        pass
    # The standard library also takes texts that are no Unicode: then only their entry is lost.
    try:
        loose = msgspec.convert(json.loads(body), _LooseList)
        raw = [msgspec.Raw(json.dumps(entry).encode()) for entry in loose.data]
    except (ValueError, msgspec.ValidationError, RecursionError):
        raise RefusedError(Kind.UNREADABLE) from None
    return _List(raw, loose.has_more, loose.last_id)


def _next(page: _List) -> str:
    """Say after which id the list goes on; it must, so an end without one is no end."""
    last = _entry(page.data[-1], _Named) if page.data else None
    token = page.last_id or (last.id if last else None)
    if not token:
        raise RefusedError(Kind.OTHER, saying="the list goes on, but does not say after which entry")
    return _token(token)


def _token(text: str) -> str:
    """Give a token that a request can carry; raises RefusedError for any other."""
    if not _TOKEN.fullmatch(text):
        raise RefusedError(Kind.UNREADABLE)
    return text


def last_use(ask: Ask) -> dict[str, int]:
    """Give the start of the newest bucket in which each key was used, by key id.

    A report that was not read to its end says nothing: what is missing is the newest. Raises
    RefusedError.
    """
    used: dict[str, int] = {}
    for page in walk(lambda token: reread(lambda: ask(token), _buckets)):
        for bucket in page.entries:
            at = _start(bucket)
            for result in bucket.results:
                key = result.get("api_key_id")
                if isinstance(key, str) and _counts(result):
                    used[key] = max(at, used.get(key, at))
    return used


def _buckets(body: bytes) -> Page[_Bucket]:
    _bounded(body, "report")
    found = decoded(body, _REPORT)
    if found.has_more and not found.next_page:
        raise RefusedError(Kind.OTHER, saying="the report goes on, but does not say where")
    for bucket in found.data:
        _start(bucket)
    more = found.has_more and found.next_page
    return Page(found.data, 0, _token(more) if more else None)


def _start(bucket: _Bucket) -> int:
    """Give when a bucket begins: seconds at OpenAI, RFC 3339 at Anthropic."""
    try:
        at = parse_instant(bucket.starting_at) if bucket.starting_at else instant(bucket.start_time)
    except ValueError:
        at = None
    if at is None:
        raise RefusedError(Kind.UNREADABLE)
    return at


def _counts(value: object) -> bool:
    """Say whether anything was counted in a result, however deep: tokens, requests, money."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, int | float) and not isinstance(each, bool) and each > 0:
            return True
    return False


def _entry(raw: msgspec.Raw, kind: type[_Read]) -> _Read | None:
    try:
        return msgspec.json.decode(raw, type=kind)
    except MALFORMED:
        return None
