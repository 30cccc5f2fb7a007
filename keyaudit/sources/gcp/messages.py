"""Answers of Google's clients, as the protobuf messages beneath."""

from __future__ import annotations

from typing import Any


def plain(message: Any) -> Any:
    """Give the protobuf message inside one of the client library's, which wraps every field again."""
    return type(message).pb(message)


def only_page(pager: Any) -> Any:
    """Give the one page that was asked for, as the message beneath; the next is asked for by `walk`."""
    return plain(next(iter(pager.pages)))
