"""Fill blanks: what the store did not say, the policy may. A fact from the store always wins."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from keyaudit import match
from keyaudit.model import Policy


def apply(frame: nw.LazyFrame[Any], policy: Policy) -> nw.LazyFrame[Any]:
    """Set missing fields of credentials, field by field, by the first classification that sets them.

    Matches look at what the store said: classifications do not build on each other. One whose
    match is not sure fills nothing.
    """
    filled: dict[str, nw.Expr] = {}
    for classification in policy.classify:
        hit = match.expression(classification.match).fill_null(value=False)
        for name, value in classification.set.items():
            before = filled.get(name, nw.col(name))
            filled[name] = nw.when(before.is_null() & hit).then(nw.lit(value)).otherwise(before)
    return frame.with_columns(**filled) if filled else frame
