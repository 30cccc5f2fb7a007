"""The report document `keyaudit/report/1` as JSON; `report_document` has the shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from keyaudit.model import Report
from keyaudit.report_document import to_document

LARGEST_INDENTED = 16 * 1024 * 1024
"""Bytes. Up to here a person may open the document; beyond it indenting only costs."""


def render(report: Report) -> bytes:
    """Print the report document, indented by 2 unless it is huge, with a newline at the end."""
    return encode(to_document(report))


def encode(document: Mapping[str, Any]) -> bytes:
    """Print a report document that was made already."""
    content = msgspec.json.encode(document)
    if len(content) <= LARGEST_INDENTED:
        content = msgspec.json.format(content, indent=2)
    return content + b"\n"
