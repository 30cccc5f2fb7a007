"""OpenAI's reports of costs and of completions, made of what keys were used for; `delay` seconds late.

Buckets without use are there, with no results. Grouped by nothing, a result has no key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from servers.admin_api import Asked, Entry, Refused, Routes, reported
from servers.issued_keys import Use
from servers.use_report import COST_WIDTHS, WIDTHS, Bucket, buckets, by_key

if TYPE_CHECKING:
    from servers.openai import OpenAi

_PRICE = 0.01
"""Dollars a token here."""
_GROUPS = {"project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "line_item", "api_source"}


class Reports:
    def __init__(self, server: OpenAi) -> None:
        self._server = server
        self.delay = 0.0

    def routes(self) -> Routes:
        return (
            ("GET", "/v1/organization/costs", self._costs),
            ("GET", "/v1/organization/usage/completions", self._completions),
        )

    def _costs(self, asked: Asked) -> Entry:
        put = [each for each in self._server.costs if each["start_time"] >= self._since(asked)]
        return self._report(asked, COST_WIDTHS, _cost, put)

    def _completions(self, asked: Asked) -> Entry:
        return self._report(asked, WIDTHS, _completion, [])

    def _since(self, asked: Asked) -> int:
        since = asked.one("start_time") or ""
        if not since.isdigit():
            raise Refused(400, "missing_required_parameter", about="start_time")
        return int(since)

    def _report(self, asked: Asked, widths: dict, show: object, put: list[Bucket]) -> Entry:
        """Give a page; buckets that a test put there take the place of those in which nothing happened."""
        width = asked.one("bucket_width", "1d")
        groups, keys = asked.many("group_by"), set(asked.many("api_key_ids"))
        if width not in widths or not set(groups) <= _GROUPS:
            raise Refused(400, "invalid_value", "no such width or group")
        seconds, usual, most = widths[width]
        now = self._server.issued.now()
        span = (self._since(asked), float(asked.one("end_time") or now))
        seen = [
            use
            for use in self._server.issued.uses
            if use.tokens and use.at <= now - self.delay and (not keys or use.key in keys)
        ]

        def shown(start: int, end: int, uses: list[Use]) -> Bucket:
            results = [show(key, some) for key, some in by_key(uses, grouped="api_key_id" in groups)]
            return {"object": "bucket", "start_time": start, "end_time": end, "results": results}

        found = buckets(seen, span, seconds, shown)
        if put:
            found = [*put, *(each for each in found if each["results"])]
        return {"object": "page", **reported(found, asked, most=most, usual=usual)}


def _cost(key: str | None, uses: list[Use]) -> Entry:
    value = round(sum(sum(use.tokens or ()) for use in uses) * _PRICE, 6)
    return {
        "object": "organization.costs.result",
        "amount": {"value": value, "currency": "usd"},
        "line_item": None,
        "project_id": None,
        "api_key_id": key,
    }


def _completion(key: str | None, uses: list[Use]) -> Entry:
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": sum(use.tokens[0] for use in uses if use.tokens),
        "output_tokens": sum(use.tokens[1] for use in uses if use.tokens),
        "input_cached_tokens": 0,
        "num_model_requests": len(uses),
        "project_id": None,
        "user_id": None,
        "api_key_id": key,
        "model": None,
        "batch": None,
        "service_tier": None,
    }
