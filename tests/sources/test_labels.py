"""Which tags fill which column, and which stay mere labels."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from keyaudit.inventory.rows import Credential
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources import open_source
from keyaudit.sources.labels import COLUMNS, TAGGED, distrust, read_labels, say_exempt, tagged
from keyaudit.sources.pulling.settings import PullSettings
from servers.secrets_manager import SecretsManager

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


SAID = {"keyaudit:class": "dynamic-secret", "keyaudit:user_owned": "true", "env": "development", "owner": "a"}
NOT_TRUSTED = [
    (True, ("dynamic-secret", True, "development", "a")),
    (False, (None, None, None, None)),
    ((), (None, None, None, None)),
    (("owner",), (None, None, None, "a")),
    (("class", "environment"), ("dynamic-secret", None, "development", None)),
]


@pytest.mark.parametrize(("trusted", "left"), NOT_TRUSTED)
def test_labels_that_are_not_trusted_exempt_from_nothing_and_stay_to_be_read(trusted, left) -> None:
    row = Credential(source="s", scope="x", id="i", name="n", labels=dict(SAID), **read_labels(SAID))
    bare = Credential(source="s", scope="x", id="j", name="n", owner="store")
    distrust([row, bare], trusted=trusted)
    assert (row.cls, row.user_owned, row.environment, row.owner) == left
    assert row.labels == SAID
    assert bare.owner == "store"


def test_what_the_store_says_against_its_labels_is_kept() -> None:
    row = Credential(source="s", scope="x", id="i", name="n", labels=dict(SAID), cls="api-key")
    distrust([row], trusted=False)
    assert row.cls == "api-key"


@pytest.mark.parametrize("said", [True, False, [], ["owner"], list(COLUMNS)])
def test_a_source_says_which_columns_labels_may_fill(said) -> None:
    settings = PullSettings(name="a", trust_labels=said)
    assert settings.trust_labels == (said if isinstance(said, bool) else tuple(said))


@pytest.mark.parametrize("said", [["labels"], ["owner", "owner"], "owner", None])
def test_a_column_that_no_label_fills_cannot_be_trusted(said) -> None:
    with pytest.raises(ValidationError):
        PullSettings(name="a", trust_labels=said)


def test_a_scope_says_how_many_exempt_themselves_by_their_labels() -> None:
    def row(scope: str, number: int, labels: dict[str, str], **facts: object) -> Credential:
        found = {**read_labels(labels), **facts}
        return Credential(source="s", scope=scope, id=str(number), name="n", labels=labels, **found)

    theirs = {"keyaudit:user_owned": "true"}
    rows = [
        row("x", 1, SAID),
        row("x", 2, theirs),
        row("x", 3, {"keyaudit:user_owned": "false"}),
        row("x", 4, {}, cls="dynamic-secret"),
        row("y", 5, {"keyaudit:class": "dynamic-secret"}, cls="api-key"),
        row("z", 6, theirs),
    ]
    asked = [
        Coverage("s", name, ScopeStatus.COMPLETE, reason=why)
        for name, why in (("x", None), ("y", None), ("z", "slow"))
    ]
    assert [scope.reason for scope in say_exempt(asked, rows)] == [
        "exempt by their own labels: class dynamic-secret: 1, user_owned: 2",
        None,
        "slow; exempt by their own labels: user_owned: 1",
    ]
    distrust(rows, trusted=False)
    assert [scope.reason for scope in say_exempt(asked, rows)] == [None, None, "slow"]


@pytest.mark.parametrize(
    ("trusted", "cls", "owner", "said"),
    [
        (True, "dynamic-secret", "ann@acme.example", "exempt by their own labels: class dynamic-secret: 1"),
        (False, None, None, None),
        (["owner"], None, "ann@acme.example", None),
    ],
    ids=str,
)
def test_a_pull_believes_labels_as_far_as_its_settings_do(trusted, cls, owner, said) -> None:
    with SecretsManager() as server:
        tags = {"keyaudit:class": "dynamic-secret", "owner": "ann@acme.example"}
        server.put("app", Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        entry = {
            "name": "aws",
            "kind": "aws-secrets-manager",
            "regions": ["eu-west-1"],
            "endpoint_url": server.url,
            "trust_labels": trusted,
            "cache": False,
        }
        pulled = open_source(entry, clock=lambda: 0).pull(lambda report: None)
    (row,), (scope,) = pulled.rows, pulled.coverage
    assert (row.cls, row.owner, row.labels) == (cls, owner, tags)
    assert (scope.status, scope.reason) == ("complete", said)
