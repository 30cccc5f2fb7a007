"""What every HTML page is filled in with: templates that escape, and leave nothing undefined."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined

from keyaudit import times
from keyaudit.formats.visible import visible
from keyaudit.formats.wording import plural

FILTERS: dict[str, Callable[..., object]] = {
    "v": lambda text: visible(str(text)),
    "n": lambda number: f"{number:,}",
    "day": times.format_date,
    "instant": times.format_instant,
    "plural": plural,
}
"""What pages print with: names made visible, numbers in thousands, days, instants."""


def environment(package: str, folder: str) -> Environment:
    """Open a package's folder of templates, with the filters that all pages share."""
    opened = Environment(
        loader=PackageLoader(package, folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    opened.filters |= FILTERS
    return opened
