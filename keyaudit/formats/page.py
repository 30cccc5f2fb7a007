"""What every HTML page is filled in with: templates that escape, and leave nothing undefined."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from keyaudit import times
from keyaudit.formats.visible import visible
from keyaudit.formats.wording import plural


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
    opened.filters |= {
        "v": lambda text: visible(str(text)),
        "n": lambda number: f"{number:,}",
        "day": times.format_date,
        "instant": times.format_instant,
        "plural": plural,
    }
    return opened
