"""What the audit makes of a secret whose rotation was given up: nothing was rolled back, and labels alone prove nothing."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from keyaudit import inventory, policy
from keyaudit.audit import audit
from keyaudit.model import Report
from keyaudit.rules import CATALOGUE
from keyaudit.sources import open_source
from keyaudit.times import DAY
from rotation.stores.aws_case import AwsSecretCase
from rotation.stores.test_records_in_an_audit import result, source_of
from rotation.stores.walking import OLD, walk
from sources.contract import nobody

POLICY = """
policy: acme
reviewed_on: 2026-01-01
schedules: [{name: all, rotation_period: 365d, grace_period: 2d}]
"""


def scanned(case: AwsSecretCase, folder: Path) -> Report:
    entry, _ = source_of("aws-secrets-manager", case)
    pulled = open_source(entry, clock=case.now).pull(nobody)
    listed = inventory.from_rows(pulled.rows, pulled.coverage, case.now(), pulled.columns)
    (folder / "policy.yaml").write_text(POLICY)
    rules = policy.load(folder / "policy.yaml", rules=CATALOGUE, frameworks={})
    return audit(listed, rules, (), case.now())


def rolled_back(case: AwsSecretCase, folder: Path) -> bool:
    found = result(scanned(case, folder), "KA112")
    assert found.passed + found.failed == 1, "it was judged"
    return found.failed == 1


def move(case: AwsSecretCase, label: str, to: str | None, source: str | None = None) -> None:
    ends = {"MoveToVersionId": to, "RemoveFromVersionId": source}
    given = {name: version for name, version in ends.items() if version}
    case._hand.update_secret_version_stage(SecretId=case._name, VersionStage=label, **given)


def labels(case: AwsSecretCase) -> dict[str, str]:
    held = case._hand.describe_secret(SecretId=case._name)["VersionIdsToStages"]
    return {label: version for version, on in held.items() for label in on}


def test_a_value_that_was_staged_and_given_up_was_never_replaced(aws_secret, tmp_path) -> None:
    store = aws_secret.fresh(OLD)
    aws_secret.advance(DAY)
    walk(store, store.look().token, "stage", "give up", "drop pending")
    assert not rolled_back(aws_secret, tmp_path)
    aws_secret.advance(DAY)
    walk(store, store.look().token, "stage", "go", "promote")
    assert not rolled_back(aws_secret, tmp_path)


def test_several_that_were_given_up_one_after_the_other_are_none_either(aws_secret, tmp_path) -> None:
    store = aws_secret.fresh(OLD)
    for _ in range(2):
        aws_secret.advance(DAY)
        walk(store, store.look().token, "stage", "give up", "drop pending")
    assert not rolled_back(aws_secret, tmp_path)


@pytest.mark.parametrize("times", [1, 2])
def test_a_token_under_which_nothing_was_stored_is_no_value(times, aws_secret, tmp_path) -> None:
    store = aws_secret.fresh(OLD)
    for _ in range(times):
        aws_secret.advance(DAY)
        store.void(store.look().token)
    assert not rolled_back(aws_secret, tmp_path)


def test_a_rotation_that_was_taken_back_after_applications_had_it_is_rolled_back(
    aws_secret, tmp_path
) -> None:
    store = aws_secret.fresh(OLD)
    aws_secret.advance(DAY)
    steps = ("stage", "go", "promote", "want back", "restore")
    walk(store, token := store.look().token, *steps)
    assert rolled_back(aws_secret, tmp_path)
    walk(store, token, "drop previous")
    assert labels(aws_secret)["keyaudit-closed"] == token
    assert rolled_back(aws_secret, tmp_path)


def test_labels_hide_no_roll_back_by_hand(aws_secret, tmp_path) -> None:
    aws_secret.fresh(OLD)
    old = labels(aws_secret)["AWSCURRENT"]
    aws_secret.advance(DAY)
    aws_secret.put("CANARY-new")
    new = labels(aws_secret)["AWSCURRENT"]
    move(aws_secret, "AWSCURRENT", old, new)
    move(aws_secret, "AWSPREVIOUS", None, new)
    move(aws_secret, "keyaudit-closed", new)
    assert rolled_back(aws_secret, tmp_path)
    move(aws_secret, "keyaudit-closed", None, new)
    move(aws_secret, f"keyaudit-forward-{new}", old)
    assert rolled_back(aws_secret, tmp_path)


def test_a_promoted_version_that_a_human_moved_back_from_was_in_use(aws_secret, tmp_path) -> None:
    store = aws_secret.fresh(OLD)
    aws_secret.advance(DAY)
    old, token = labels(aws_secret)["AWSCURRENT"], store.look().token
    walk(store, token, "stage", "go", "promote")
    move(aws_secret, "AWSCURRENT", old, token)
    move(aws_secret, "keyaudit-closed", token)
    assert rolled_back(aws_secret, tmp_path)
    move(aws_secret, "AWSPREVIOUS", None, token)
    assert rolled_back(aws_secret, tmp_path), "our label says that it was promoted"
    move(aws_secret, "AWSPREVIOUS", token)
    move(aws_secret, f"keyaudit-forward-{token}", old, token)
    assert rolled_back(aws_secret, tmp_path), "AWS's own label says that it was"


def test_what_a_human_left_behind_by_taking_awspending_off_may_have_been_in_use(aws_secret, tmp_path) -> None:
    aws_secret.fresh(OLD)
    aws_secret.advance(DAY)
    staged = str(uuid4())
    aws_secret._hand.put_secret_value(
        SecretId=aws_secret._name,
        SecretString="CANARY-x",
        VersionStages=["AWSPENDING"],
        ClientRequestToken=staged,
    )
    move(aws_secret, "AWSPENDING", None, staged)
    assert rolled_back(aws_secret, tmp_path), "nothing tells it from one that was moved back from"


@pytest.mark.parametrize("way", [("give up", "drop pending"), ()])
def test_what_was_given_up_stays_listed_with_its_dates(way, aws_secret, tmp_path) -> None:
    store = aws_secret.fresh(OLD)
    aws_secret.advance(DAY)
    token = store.look().token
    if way:
        walk(store, token, "stage", *way)
    else:
        store.void(token)
    entry, _ = source_of("aws-secrets-manager", aws_secret)
    [row] = open_source(entry, clock=aws_secret.now).pull(nobody).rows
    [found] = [each for each in row.versions if each.id == token]
    assert (found.state, found.superseded_at) == ("superseded", found.created_at)
    assert found.created_at is not None
