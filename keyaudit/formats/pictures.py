"""The pictures of a report, as SVG text: the same functions for the page and for paper.

`theme="screen"` leaves colours to the style sheet around the picture; `theme="print"` has them
inside and survives a grey printer. Everything is pure: a population and an as-of in, text out.
"""

from __future__ import annotations

from keyaudit.formats.picture_bars import Column, age_columns, age_picture, due_columns, due_picture
from keyaudit.formats.picture_ink import Theme
from keyaudit.formats.picture_ledger import ledger_picture
from keyaudit.formats.picture_timeline import MOST_ROWS, timeline_picture

__all__ = [
    "MOST_ROWS",
    "Column",
    "Theme",
    "age_columns",
    "age_picture",
    "due_columns",
    "due_picture",
    "ledger_picture",
    "timeline_picture",
]
