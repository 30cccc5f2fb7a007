"""Anthropic's report on messages, made of what keys were used for; `delay` seconds late.

Only messages count: asking for the models does not show. Buckets without use are there, empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyaudit.times import SECOND, format_instant, parse_instant
from servers.admin_api import Asked, Entry, Refused, Routes, reported
from servers.issued_keys import Use
from servers.use_report import WIDTHS, Bucket, buckets, by_key

if TYPE_CHECKING:
    from servers.anthropic import Anthropic

_GROUPS = {
    "api_key_id",
    "workspace_id",
    "model",
    "service_tier",
    "context_window",
    "inference_geo",
    "account_id",
}


class Reports:
    def __init__(self, server: Anthropic) -> None:
        self._server = server
        self.delay = 0.0

    def routes(self) -> Routes:
        return (("GET", "/v1/organizations/usage_report/messages", self._messages),)

    def _messages(self, asked: Asked) -> Entry:
        """Give a page; buckets that a test put there take the place of those in which nothing happened."""
        width = asked.one("bucket_width", "1d")
        groups, keys = asked.many("group_by"), set(asked.many("api_key_ids"))
        since = asked.one("starting_at")
        if since is None or width not in WIDTHS or not set(groups) <= _GROUPS:
            raise Refused(400, "invalid_request_error", "no such width or group, or no starting_at")
        seconds, usual, most = WIDTHS[width]
        issued, end = self._server.issued, asked.one("ending_at")
        span = (parse_instant(since) / SECOND, parse_instant(end) / SECOND if end else issued.now())
        seen = [
            use
            for use in issued.uses
            if use.tokens and use.at <= issued.now() - self.delay and (not keys or use.key in keys)
        ]

        def shown(start: int, end: int, uses: list[Use]) -> Bucket:
            results = [_result(key, some) for key, some in by_key(uses, grouped="api_key_id" in groups)]
            return {
                "starting_at": format_instant(start * SECOND),
                "ending_at": format_instant(end * SECOND),
                "results": results,
            }

        found = buckets(seen, span, seconds, shown)
        put = [each for each in self._server.usage if each["starting_at"] >= since]
        if put:
            found = [*put, *(each for each in found if each["results"])]
        return reported(found, asked, most=most, usual=usual)


def _result(key: str | None, uses: list[Use]) -> Entry:
    said = sum(use.tokens[1] for use in uses if use.tokens)
    heard = sum(use.tokens[0] for use in uses if use.tokens)
    return spoke(key, output=said, uncached_input_tokens=heard)


def spoke(key: str | None, *, output: int = 500, **more: object) -> Entry:
    """One result of the report, as it is when grouped by key."""
    return {
        "uncached_input_tokens": 0,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        "server_tool_use": {"web_search_requests": 0},
        "api_key_id": key,
        "workspace_id": None,
        "model": None,
        "service_tier": None,
        "context_window": None,
        **more,
    }
