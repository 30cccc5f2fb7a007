"""What only a secret of AWS has: its labels, step by step, and what else may be going on there."""

from __future__ import annotations

import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.stores.protocol import LostRaceError
from keyaudit.sources import open_source
from keyaudit.sources.aws.secrets_manager.given_up import tokens
from keyaudit.times import DAY, HOUR, SECOND
from rotation.aws_clients import REGION
from rotation.stores.aws_case import AT, AwsSecretCase
from rotation.stores.walking import HAND, NEW, OLD, base_of, rotate, walk
from servers.fault_proxy import Fault

aws = pytest.fixture(lambda aws_secret: aws_secret)


def labels(aws: AwsSecretCase) -> dict[str, str]:
    """Say where each label is, in words."""
    described = aws._hand.describe_secret(SecretId=aws._name)
    at = {label: version for version, on in described["VersionIdsToStages"].items() for label in on}
    return dict(sorted(at.items()))


def named(aws: AwsSecretCase, token: str, **versions: str) -> dict[str, str]:
    """Give the labels with versions by name, and the token of decisions as T."""
    names = {version: name for name, version in versions.items()}
    return {label.replace(token, "T"): names.get(version, version) for label, version in labels(aws).items()}


def test_the_labels_of_a_rotation_forward_are_exactly_these(aws) -> None:
    store = aws.fresh(OLD)
    token, base = store.look().token, labels(aws)["AWSCURRENT"]
    walk(store, token, "stage")
    staged = {
        "AWSCURRENT": "old",
        "AWSPENDING": "new",
        "keyaudit-base-key-0": "new",
        "keyaudit-key-key-1": "new",
    }
    assert named(aws, token, old=base, new=token) == staged
    walk(store, token, "go")
    assert named(aws, token, old=base, new=token) == staged | {"keyaudit-forward-T": "new"}
    walk(store, token, "promote")
    promoted = {
        "AWSCURRENT": "new",
        "AWSPREVIOUS": "old",
        "keyaudit-base-key-0": "new",
        "keyaudit-forward-T": "new",
        "keyaudit-key-key-1": "new",
    }
    assert named(aws, token, old=base, new=token) == promoted
    walk(store, token, "retire")
    assert named(aws, token, old=base, new=token) == promoted | {"keyaudit-final-T": "new"}
    walk(store, token, "drop previous")
    del promoted["AWSPREVIOUS"]
    ended = promoted | {"keyaudit-final-T": "new", "keyaudit-closed": "old"}
    assert named(aws, token, old=base, new=token) == ended


def test_the_labels_of_a_rotation_back_are_exactly_these(aws) -> None:
    store = aws.fresh(OLD)
    aws.clock.advance(DAY)
    token, base = store.look().token, labels(aws)["AWSCURRENT"]
    copy = f"keyaudit-restored-{AT // SECOND}-{token.replace('-', '')}"
    walk(store, token, "stage", "go", "promote", "want back", "restore")
    restored = {
        "AWSCURRENT": "copy",
        "AWSPREVIOUS": "new",
        "keyaudit-base-key-0": "new",
        "keyaudit-final-T": "old",
        "keyaudit-forward-T": "new",
        "keyaudit-key-key-0": "copy",
        "keyaudit-key-key-1": "new",
    }
    assert named(aws, token, old=base, new=token, copy=copy) == restored
    walk(store, token, "drop previous")
    ended = {
        label: at for label, at in restored.items() if label not in {"AWSPREVIOUS", "keyaudit-key-key-1"}
    }
    assert named(aws, token, old=base, new=token, copy=copy) == ended | {"keyaudit-closed": "new"}


def test_the_labels_of_a_rotation_that_was_given_up_are_exactly_these(aws) -> None:
    store = aws.fresh(OLD)
    token, base = store.look().token, labels(aws)["AWSCURRENT"]
    walk(store, token, "stage", "give up", "drop pending")
    assert named(aws, token, old=base, new=token) == {
        "AWSCURRENT": "old",
        "keyaudit-base-key-0": "new",
        "keyaudit-closed": "new",
        "keyaudit-forward-T": "old",
        "keyaudit-key-key-0": "old",
    }
    assert store.look().current.key_id == "key-0"


def test_however_many_rotations_there_were_the_labels_stay_few(aws) -> None:
    store = aws.fresh(OLD)
    most = 0
    for number in range(12):
        token = store.look().token
        value = Secret(f"CANARY-{number}")
        store.stage(token, value, f"key-{number + 1}", base=base_of(store, "key-0"))
        steps = (
            ("give up", "drop pending"),
            ("go", "promote", "want back", "restore", "drop previous"),
            ("go", "promote", "retire", "drop previous"),
        )[number % 3]
        for step in steps:
            walk(store, token, step)
            most = max(most, len(labels(aws)))
        store.void(store.look().token)
    assert most <= 12


def test_a_secret_whose_labels_are_all_taken_says_so(aws) -> None:
    store = aws.fresh(OLD)
    current = labels(aws)["AWSCURRENT"]
    for number in range(19):
        aws._hand.update_secret_version_stage(
            SecretId=aws._name, VersionStage=f"theirs-{number}", MoveToVersionId=current
        )
    with pytest.raises(RotationError, match="all the labels"):
        walk(store, store.look().token, "stage")
    assert aws.served() == OLD


def test_tokens_are_the_same_for_everybody_and_others_for_every_secret_and_version() -> None:
    every = [*tokens("arn:a", "1"), *tokens("arn:a", "2"), *tokens("arn:b", "1")]
    assert len(set(every)) == len(every)
    assert tokens("arn:a", "1")[0] == "f74847c9-071f-5622-a3b3-0f3135c65b20"


def test_a_token_stays_spent_when_aws_forgets_deprecated_versions(aws) -> None:
    store = aws.fresh(OLD)
    gone = [store.look().token]
    store.void(gone[0])
    gone.append(store.look().token)
    walk(store, gone[1], "stage", "give up", "drop pending")
    arn = store.credential.id
    kept = [each for each in aws.server.versions[arn] if each.get("VersionStages")]
    assert len(kept) == len(aws.server.versions[arn]) - 1
    aws.server.versions[arn] = kept
    shelf = store.look()
    assert shelf.token not in gone
    assert set(gone) <= shelf.spent
    aws.server.values[arn].pop(gone[0])
    with pytest.raises(LostRaceError):
        walk(store, gone[0], "stage")


def test_a_value_staged_under_a_token_that_was_closed_and_forgotten_is_overtaken(aws) -> None:
    store = aws.fresh(OLD)
    first = store.look().token
    store.void(first)
    store.void(store.look().token)
    arn = store.credential.id
    aws.server.versions[arn] = [each for each in aws.server.versions[arn] if each["VersionId"] != first]
    aws.server.values[arn].pop(first)
    aws._hand.put_secret_value(
        SecretId=aws._name,
        ClientRequestToken=first,
        SecretString=NEW,
        VersionStages=["AWSPENDING", "keyaudit-key-key-1"],
    )
    shelf = store.look()
    assert (shelf.pending.key_id, shelf.overtaken) == ("key-1", True)
    walk(store, first, "give up", "drop pending")
    assert (store.look().pending, aws.served()) == (None, OLD)


def test_a_promotion_that_was_cut_off_is_seen_and_its_label_goes_at_the_end(aws) -> None:
    store = aws.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go")
    aws.fail("after")
    with pytest.raises(RotationError):
        store.promote(token)
    assert labels(aws)["AWSPENDING"] == labels(aws)["AWSCURRENT"] == token
    shelf = aws.again().look()
    assert (shelf.promoted, shelf.pending, shelf.previous.key_id) == (True, None, "key-0")
    walk(store, token, "retire", "drop previous")
    assert "AWSPENDING" not in labels(aws)


def test_the_old_value_is_not_dropped_before_it_was_taken_back(aws) -> None:
    store = aws.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", "promote", "want back")
    with pytest.raises(LostRaceError):
        store.drop("previous", token)
    assert OLD in aws.in_reach()


def test_the_tokens_of_values_that_were_retired_stay_spent(aws) -> None:
    store = aws.fresh(OLD)
    gone = [rotate(store, f"CANARY-{number}", f"key-{number + 1}") for number in range(4)]
    assert set(gone[:-1]) <= store.look().spent
    assert gone[-1] not in store.look().spent


@pytest.mark.parametrize("number", range(3))
def test_a_value_that_was_taken_back_is_spent_wherever_the_dropping_broke(aws, number) -> None:
    store = aws.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", "promote", "want back", "restore")
    aws.server.plan(Fault("lost", "UpdateSecretVersionStage", after=number, times=1))
    with pytest.raises(RotationError):
        store.drop("previous", token)
    if aws.again().look().previous is not None:
        aws.again().drop("previous", token)
    assert token in store.look().spent
    assert aws.in_reach() == [OLD]


def test_a_value_that_a_human_took_back_stays_taken_back(aws) -> None:
    store = aws.fresh(OLD)
    token, base = store.look().token, labels(aws)["AWSCURRENT"]
    walk(store, token, "stage", "go", "promote")
    aws._hand.update_secret_version_stage(
        SecretId=aws._name, VersionStage="AWSCURRENT", MoveToVersionId=base, RemoveFromVersionId=token
    )
    shelf = store.look()
    assert (shelf.pending, shelf.promoted, shelf.token != token) == (None, False, True)
    assert token not in shelf.spent, "applications may still hold its key"
    with pytest.raises(LostRaceError):
        store.promote(token)
    assert aws.served() == OLD


def test_a_promoted_value_that_was_replaced_by_hand_keeps_its_key_through_the_next_rotations(aws) -> None:
    store = aws.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", "promote")
    aws.put(HAND)
    rotate(store, NEW + "-2", "key-2")
    assert token not in store.look().spent
    rotate(store, NEW + "-3", "key-3")
    assert token not in store.look().spent


OTHERS = {
    "RotationEnabled": (True, "AWS rotates this secret by itself"),
    "OwningService": ("rds", "the service rds owns"),
}


@pytest.mark.parametrize("field", OTHERS)
def test_a_secret_that_somebody_else_rotates_is_left_alone(aws, field) -> None:
    store = aws.fresh(OLD)
    value, words = OTHERS[field]
    aws.server.secrets[REGION][-1][field] = value
    shelf = store.look()
    assert words in shelf.foreign
    with pytest.raises(LostRaceError):
        walk(store, shelf.token, "stage")


def test_a_copy_of_another_region_and_a_secret_to_be_deleted_are_refused(aws) -> None:
    store = aws.fresh(OLD)
    entry = aws.server.secrets[REGION][-1]
    entry["PrimaryRegion"] = "us-east-1"
    with pytest.raises(RotationError, match="copy of a secret") as caught:
        store.look()
    assert caught.value.hint == "region: us-east-1"
    del entry["PrimaryRegion"]
    entry["DeletedDate"] = 1.0
    with pytest.raises(RotationError, match="to be deleted"):
        store.look()


def test_a_secret_without_a_value_has_no_place(aws) -> None:
    store = aws.fresh(OLD)
    aws._hand.create_secret(Name="prod/empty")
    aws._name = "prod/empty"
    empty = aws.again()
    shelf = empty.look()
    assert (shelf.current, shelf.pending) == (None, None)
    with pytest.raises(LostRaceError):
        walk(empty, shelf.token, "stage")
    assert store.look().current is not None


def test_bytes_and_a_version_without_a_value_are_said_to_be_so(aws) -> None:
    store = aws.fresh(OLD)
    made = aws._hand.put_secret_value(SecretId=aws._name, SecretBinary=b"CANARY")
    with pytest.raises(RotationError, match="holds bytes"):
        store.read(made["VersionId"])
    with pytest.raises(RotationError, match="holds no value"):
        store.read("3" * 36)


def test_a_key_whose_id_fits_no_label_is_refused_before_anything_is_stored(aws) -> None:
    store = aws.fresh(OLD)
    with pytest.raises(RotationError, match="too long"):
        store.stage(store.look().token, Secret(NEW), "k" * 244, base=base_of(store))
    assert list(labels(aws)) == ["AWSCURRENT"]


@pytest.mark.parametrize("operation", ["DescribeSecret", "ListSecretVersionIds", "PutSecretValue"])
def test_what_is_denied_is_said_by_its_name_and_code(aws, operation) -> None:
    store = aws.fresh(OLD)
    token = store.look().token
    aws.server.deny(operation)
    with pytest.raises(RotationError, match=rf"secretsmanager:{operation}: denied \(AccessDeniedException\)"):
        walk(store, token, "stage")


def test_tags_name_the_key_and_who_may_not_tag_rotates_all_the_same(aws) -> None:
    store = aws.fresh(OLD)

    def tags():
        found = aws._hand.describe_secret(SecretId=aws._name).get("Tags", [])
        return {tag["Key"]: tag["Value"] for tag in found}

    token = store.look().token
    walk(store, token, "stage", "go", "promote")
    assert tags() == {"keyaudit:key_id": "key-1", "keyaudit:old_key_id": "key-0"}
    walk(store, token, "want back", "restore", "drop previous")
    assert tags() == {"keyaudit:key_id": "key-0", "keyaudit:old_key_id": "key-1"}
    aws.server.deny("TagResource")
    rotate(store, NEW + "-2", "key-2")
    assert (aws.served(), tags()["keyaudit:key_id"]) == (NEW + "-2", "key-0")


def test_while_a_key_drains_nothing_moves_the_instant_since_when(aws) -> None:
    store = aws.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", "promote")
    since = store.look().current.since
    assert since == aws.now() + 1000
    aws.advance(HOUR)
    for _ in range(3):
        shelf = aws.again().look()
        aws.again().read(shelf.current.version)
        assert shelf.current.since == since


def test_the_audit_sees_a_value_that_was_taken_back_as_old_as_it_is(aws) -> None:
    store = aws.fresh(OLD)
    aws.advance(90 * DAY)
    token = store.look().token
    walk(store, token, "stage", "go", "promote", "want back", "restore", "drop previous")
    second = store.look().token
    aws.advance(DAY)
    walk(store, second, "stage another", "go", "promote", "want back", "restore", "drop previous")
    entry = {"name": "aws", "kind": "aws-secrets-manager", "regions": [REGION], "cache": False}
    source = open_source(entry | {"endpoint_url": aws.server.url}, clock=aws.now)
    (row,) = source.pull(lambda _: None).rows
    current = {version.id: version.created_at for version in row.versions if version.state == "current"}
    assert list(current.values()) == [AT]
    assert next(iter(current)).startswith("keyaudit-restored-")
    assert max(version.created_at for version in row.versions) == AT + 91 * DAY
