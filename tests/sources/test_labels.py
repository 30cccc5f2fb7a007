"""Which tags fill which column, and which stay mere labels."""

from __future__ import annotations

import pytest

from keyaudit.inventory.rows import Credential
from keyaudit.sources.labels import TAGGED, read_labels, tagged

CASES = [
    ({}, {}),
    ({"environment": "production"}, {"environment": "production"}),
    ({"Env": "prod"}, {"environment": "prod"}),
    ({"env": "b", "Environment": "a"}, {"environment": "a"}),
    ({"environment": "a", "keyaudit:environment": "z"}, {"environment": "z"}),
    ({"tier": "1"}, {"tier": 1}),
    ({"tier": "gold"}, {}),
    ({"tier": "-1"}, {}),
    ({"tier": "٣"}, {}),
    ({"tier": "9" * 30}, {}),
    ({"Owner": " payments@acme.example "}, {"owner": "payments@acme.example"}),
    ({"owner": "   "}, {}),
    ({"team": "payments"}, {}),
    ({"class": "api-key", "provider": "x", "lineage": "y"}, {}),
    ({"keyaudit:class": "api-key"}, {"cls": "api-key"}),
    ({"keyaudit:class": "API key"}, {}),
    (
        {"keyaudit:reach": "project", "keyaudit:exposure": "public"},
        {"reach": "project", "exposure": "public"},
    ),
    ({"keyaudit:exposure": "maybe"}, {}),
    ({"keyaudit:user_owned": "True"}, {"user_owned": True}),
    ({"keyaudit:user_owned": "yes"}, {}),
    ({"keyaudit:consumers": "12", "keyaudit:lineage": "openai"}, {"consumers": 12, "lineage": "openai"}),
    ({"owner": "<script>=cmd()"}, {"owner": "<script>=cmd()"}),
]


@pytest.mark.parametrize(("labels", "columns"), CASES, ids=[str(case[0]) for case in CASES])
def test_labels_fill_columns(labels: dict, columns: dict) -> None:
    assert read_labels(labels) == columns


@pytest.mark.parametrize("prefix", ["keyaudit:", "keyaudit_", "keyaudit-", "KeyAudit_"])
def test_stores_that_take_no_colon_have_other_spellings(prefix: str) -> None:
    assert read_labels({f"{prefix}lineage": "openai", f"{prefix}user_owned": "true"}) == {
        "lineage": "openai",
        "user_owned": True,
    }


TAGS = [
    ([], set()),
    ([{}], set()),
    ([{"consumers": 3}], {"consumers"}),
    ([{}, {"reach": "project"}, {"user_owned": False}], {"reach", "user_owned"}),
    ([{"reach": "project", "consumers": 0, "exposure": "public", "user_owned": True}, {}], set(TAGGED)),
    ([{"owner": "ann", "environment": "production"}], set()),
]


@pytest.mark.parametrize(("rows", "columns"), TAGS)
def test_what_only_a_label_fills_was_asked_for_where_anybody_has_one(
    rows: list[dict], columns: set[str]
) -> None:
    """Otherwise nobody's label would leave a verdict unknown for everybody."""
    listed = [
        Credential(source="s", scope="a", id=str(number), name="n", **row) for number, row in enumerate(rows)
    ]
    assert tagged(listed) == columns
