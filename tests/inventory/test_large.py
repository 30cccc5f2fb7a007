"""A large document becomes columns; no object a credential stays behind."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from keyaudit.columns import CREDENTIALS, polars_schema
from keyaudit.inventory import read, write

ROWS = 100_000
HEAD = '{"schema":"keyaudit/inventory/1"'


def lines() -> Iterator[str]:
    for n in range(ROWS):
        yield (
            f'{{"source":"s","scope":"x","id":"{n}","name":"n{n}","created_at":"2026-05-01T00:00:00Z",'
            f'"labels":{{"team":"t{n % 7}"}},"versions":[{{"id":"a","state":"current"}},{{"id":"b","state":"superseded"}}]}}'
        )


@pytest.mark.parametrize("format_", ["json", "ndjson"])
def test_no_object_a_credential_stays_behind(format_: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{format_}"
    if format_ == "json":
        path.write_text(f'{HEAD},"credentials":[{",".join(lines())}]}}', "utf-8")
    else:
        path.write_text("\n".join([f"{HEAD}}}", *lines()]), "utf-8")
    read([path])
    gc.collect()
    tracemalloc.start()
    inventory = read([path])
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    frame = inventory.credentials.collect()
    assert frame.height == ROWS
    assert frame["versions"].list.len().sum() == 2 * ROWS
    # A million bytes of Python objects is ten a credential; one small object is fifty.
    assert kept < ROWS * 10


def test_parquet_with_every_column_as_it_is_can_be_read_in_place(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    types = polars_schema()
    frame = pl.DataFrame(
        {
            name: ["1"] if name in {"source", "scope", "id", "name"} else [None]
            for name in (*CREDENTIALS, "versions")
        },
        schema={name: types[name] for name in (*CREDENTIALS, "versions")},
    )
    frame.write_parquet(path)
    inventory = read([path])
    assert inventory.parquet == (str(path),)
    path.write_bytes(write(inventory, "parquet"))
    assert read([path]).parquet == ()
