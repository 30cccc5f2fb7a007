"""Small frames of credentials for the tests of facts."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import polars as pl

from keyaudit import facts
from keyaudit.columns import CREDENTIALS, VERSIONS, polars_schema
from keyaudit.engine import Engine
from keyaudit.model import Collection, Inventory

ALL = frozenset({*CREDENTIALS, "versions", *(f"versions.{name}" for name in VERSIONS)})


def version(**fields: Any) -> dict[str, Any]:
    """Make one version; what is not given is not known."""
    return {**dict.fromkeys(VERSIONS), "id": "v", "state": "current", **fields}


def inventory(rows: list[dict[str, Any]]) -> Inventory:
    """Make an inventory in which every column was collected."""
    full = [
        {
            **dict.fromkeys(CREDENTIALS),
            "versions": None,
            "row": i,
            "collection": 0,
            "source": "store",
            "scope": "one",
            "id": str(i),
            "name": str(i),
            **row,
        }
        for i, row in enumerate(rows)
    ]
    frame = pl.DataFrame(full, schema=polars_schema())  # type: ignore[arg-type]
    return Inventory(frame.lazy(), (), (Collection(ALL),), None, lambda: "")


def derived(engine: Engine, rows: list[dict[str, Any]], as_of: int, names: list[str]) -> list[dict[str, Any]]:
    """Derive facts of credentials and give the named ones, a dict a credential."""
    frame = facts.derive(engine.open(inventory(rows)), as_of=as_of, collected=ALL, engine=engine)
    [answer] = engine.collect([frame.select("row", *(nw.col(name) for name in names)).sort("row")])
    return answer.drop("row").to_dicts()
