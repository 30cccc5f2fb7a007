"""What a shape of report is: an order of chapters, the words of one kind of reader, and its limits.

A shape changes no verdict. It takes the results that the audit came to and says them in the order and
the words in which that reader files them; each word names the result behind it, so that the attached
report can be compared line by line. Nothing that is not known is ever said with a positive word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keyaudit.formats.chapters import Chapter


@dataclass(frozen=True, slots=True)
class Word:
    """How a shape calls the result of a control, and what that means to its reader."""

    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of report.

    `framework` is the id of the framework whose controls it shows, None for all that were asked for.
    `kind` stands above the title and `disclaimer` below it; `preamble` opens the summary and `limits`
    close the report's own. `paper` and `screen` are the chapters in their order. `words` are those for
    the results of controls. `control` lists, under the heading that the reader knows, what is said of
    each control: names of `keyaudit.formats.shaping.SAYS`; empty for the general list. `identification`
    does the same for the audit as a whole, with names of `shaping.IDENTIFIES`. `modalities` says
    how binding a control is in the framework's own words. `prescribes` is False where the reader may
    not be told how to mend a finding. `retention_years` is how long the framework has documents kept.
    `cites` numbers the items of evidence and cites them.
    """

    id: str
    framework: str | None
    kind: str
    disclaimer: str
    preamble: tuple[str, ...]
    limits: tuple[str, ...]
    paper: tuple[Chapter, ...]
    screen: tuple[Chapter, ...]
    words: Mapping[str, Word]
    control: tuple[tuple[str, str], ...] = ()
    identification: tuple[tuple[str, str], ...] = ()
    modalities: Mapping[str, str] | None = None
    prescribes: bool = True
    retention_years: int | None = None
    cites: bool = False
