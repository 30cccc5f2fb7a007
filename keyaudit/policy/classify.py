"""Fill blanks: what the store did not say, the policy may. A fact from the store always wins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw

from keyaudit import match
from keyaudit.model import Collection, Policy


def carried(
    collections: Sequence[Collection], policy: Policy, beside: Iterable[str] = ()
) -> tuple[Collection, ...]:
    """Count what the policy fills as collected: where it then fills nothing, the value is not known.

    So is what was given `beside` the inventory, whatever it is about.
    """
    filled = frozenset(name for classification in policy.classify for name in classification.set)
    filled |= frozenset(beside)
    return tuple(replace(collection, columns=collection.columns | filled) for collection in collections)


def apply(frame: nw.LazyFrame[Any], policy: Policy) -> nw.LazyFrame[Any]:
    """Set missing fields of credentials, field by field, by the first classification that sets them.

    Matches look at what the store said: classifications do not build on each other. One whose
    match is not sure fills nothing.
    """
    given: dict[str, nw.Expr] = {}
    for classification in reversed(policy.classify):
        hit = match.expression(classification.match)
        for name, value in classification.set.items():
            chosen = nw.when(hit).then(nw.lit(value))
            given[name] = chosen.otherwise(given[name]) if name in given else chosen
    filled = {name: nw.coalesce(nw.col(name), value) for name, value in given.items()}
    return frame.with_columns(**filled) if filled else frame
