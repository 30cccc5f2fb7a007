"""Rows of a live source become columns; what it cannot know is not collected there."""

from __future__ import annotations

import pytest

from keyaudit.columns import polars_schema
from keyaudit.errors import InventoryError
from keyaudit.inventory import from_rows
from keyaudit.inventory.rows import Credential, Rotation, Version
from keyaudit.model import Coverage, ScopeStatus

AWS = {"source": "aws-secrets-manager", "scope": "111122223333/us-east-1"}


def test_rows_become_columns() -> None:
    full = Credential(
        **AWS,
        id="a",
        name="prod/a",
        cls="api-key",
        labels={"team": "x", "pci": "true"},
        created_at=5,
        rotation=Rotation(enabled=True, schedule="rate(30 days)"),
        versions=[
            Version(id="v2", state="current", stages=["AWSCURRENT"]),
            Version(id="v1", state="superseded"),
        ],
    )
    rows = [full, Credential(**AWS, id="b", name="b", versions=[]), Credential(**AWS, id="c", name="c")]
    frame = from_rows(rows, (), 7, ["created_at", "versions", "rotation_enabled"]).credentials.collect()
    assert dict(frame.schema) == polars_schema()
    first = frame.row(0, named=True)
    assert (first["class"], first["created_at"], first["rotation_enabled"]) == ("api-key", 5, True)
    assert first["labels"] == '{"pci":"true","team":"x"}'
    assert [version["id"] for version in first["versions"]] == ["v2", "v1"]
    assert first["versions"][0]["stages"] == ["AWSCURRENT"]
    assert frame["row"].to_list() == [0, 1, 2]
    assert frame["versions"].to_list()[1:] == [[], None]
    assert frame["rotation_enabled"].to_list() == [True, None, None]


def test_a_scope_that_cannot_know_a_column_has_its_own_collection() -> None:
    rows = [Credential(**AWS, id="a", name="a"), Credential(source="gcp", scope="p", id="b", name="b")]
    coverage = [Coverage("gcp", "p", ScopeStatus.COMPLETE, cannot_know=("last_used_at", "versions"))]
    inventory = from_rows(rows, coverage, 7, ["last_used_at", "versions.created_at"])
    aws, gcp = (inventory.collections[index] for index in inventory.credentials.collect()["collection"])
    base = {"source", "scope", "id", "name"}
    versions = {"versions", "versions.created_at", "versions.id", "versions.state"}
    assert aws.columns == base | {"last_used_at"} | versions
    assert gcp.columns == base
    assert (gcp.source, gcp.scope) == ("gcp", "p")


def test_more_rows_than_a_batch_keep_their_order() -> None:
    rows = [
        Credential(
            **AWS,
            id=str(index),
            name="x",
            versions=[Version(id=str(n), state="current") for n in range(index % 3)],
        )
        for index in range(45_000)
    ]
    frame = from_rows(rows, (), None, ["versions"]).credentials.collect()
    assert frame["id"].to_list() == [str(index) for index in range(45_000)]
    assert frame["row"].to_list() == list(range(45_000))
    assert frame["versions"].list.len().to_list() == [index % 3 for index in range(45_000)]


def test_no_rows_is_an_inventory_too() -> None:
    frame = from_rows((), (), 1, []).credentials.collect()
    assert frame.height == 0
    assert dict(frame.schema) == polars_schema()


def test_a_credential_listed_twice_is_refused() -> None:
    rows = [Credential(**AWS, id="a", name="a"), Credential(**AWS, id="a", name="b")]
    with pytest.raises(InventoryError, match="listed 'a' twice"):
        from_rows(rows, (), 1, [])


def test_an_empty_text_is_not_known() -> None:
    frame = from_rows([Credential(**AWS, id="a", name="a", owner="")], (), 1, ["owner"]).credentials.collect()
    assert frame["owner"].to_list() == [None]


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InventoryError, match="surrogates not allowed"):
        from_rows([Credential(**AWS, id="a", name="\ud800")], (), 1, [])


def test_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="last_usd_at"):
        from_rows((), (), 1, ["last_usd_at"])
