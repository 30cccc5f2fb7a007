"""Writing an inventory and reading it back changes nothing, from every format to every format."""

from __future__ import annotations

import tempfile
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from inventory.strategies import INVENTORY, seen
from keyaudit.errors import InventoryError, UsageError
from keyaudit.inventory import merge, read, write
from keyaudit.inventory.opening import FORMATS
from keyaudit.model import Inventory

PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
"""Shrinking an inventory takes minutes; small ones are made often enough."""


def through(inventory: Inventory, format_: str, folder: Path) -> Inventory:
    path = folder / f"inventory.{format_}"
    path.write_bytes(write(inventory, format_))
    return read([path])


@settings(max_examples=40, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(INVENTORY)
@pytest.mark.parametrize("format_", FORMATS)
def test_reading_back_gives_the_same(format_: str, inventory: Inventory) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert seen(through(inventory, format_, Path(folder))) == seen(inventory)


@settings(max_examples=4, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(INVENTORY)
@pytest.mark.parametrize(("first", "second"), list(product(FORMATS, FORMATS)))
def test_every_format_turns_into_every_other(first: str, second: str, inventory: Inventory) -> None:
    with tempfile.TemporaryDirectory() as folder:
        once = through(inventory, first, Path(folder))
        assert write(through(once, second, Path(folder)), "ndjson") == write(inventory, "ndjson")


@settings(max_examples=25, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(INVENTORY, INVENTORY)
def test_what_was_merged_is_read_back_the_same(first: Inventory, second: Inventory) -> None:
    try:
        both = merge([first, second])
    except InventoryError:
        return
    with tempfile.TemporaryDirectory() as folder:
        for format_ in FORMATS:
            assert seen(through(both, format_, Path(folder))) == seen(both)


@settings(max_examples=20, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(INVENTORY)
@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_inventory_gives_the_same_bytes(format_: str, inventory: Inventory) -> None:
    assert write(inventory, format_) == write(inventory, format_)


def test_another_format_is_a_usage_error() -> None:
    from keyaudit.inventory import from_rows

    with pytest.raises(UsageError, match="xml"):
        write(from_rows((), (), None, ()), "xml")
