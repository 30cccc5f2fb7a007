"""AWS's four steps over the local Secrets Manager and OpenAI, killed and asked again wherever that can happen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from keyaudit.errors import PolicyError, RotationError, UsageError
from keyaudit.rotation import aws_lambda
from keyaudit.rotation_record.reading import read_files
from keyaudit.times import DAY, HOUR, MINUTE
from rotation.aws_clients import signs_by_itself
from rotation.hosted.exporting import exported
from rotation.hosted.lambda_world import FIRST, NAME, TOKENS, Kill, Killed, World
from servers.fault_proxy import Fault
from servers.issued_keys import Lag
from servers.secrets_manager import arn

EXAMPLE = Path(__file__).parents[3] / "examples" / "08-aws-rotation-lambda"
OLD = "0" * 36
NEW = TOKENS[0]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    signs_by_itself(monkeypatch)
    with World() as world:
        yield world


def test_a_rotation_gives_applications_a_new_key_and_both_go_on_working(world: World) -> None:
    world.rotate()
    assert world.value() == world.openai.issued.by_id(world.served()).value != world.value("AWSPREVIOUS")
    assert world.live() == {FIRST, world.served()}
    assert world.labels() == {
        "AWSCURRENT": NEW,
        "AWSPREVIOUS": OLD,
        f"keyaudit-key-{world.served()}": NEW,
        f"keyaudit-key-{FIRST}": OLD,
    }
    answer = world.aws.get_secret_value(SecretId=NAME)
    assert json.loads(answer["SecretString"])["model"] == "gpt-5"
    tags = {tag["Key"]: tag["Value"] for tag in world.aws.describe_secret(SecretId=NAME)["Tags"]}
    assert tags == {"keyaudit:key_id": world.served(), "keyaudit:old_key_id": FIRST}


def test_the_value_is_stored_with_what_proves_where_the_call_comes_from(world: World) -> None:
    world.begin()
    proof = world.aws_server.rotation_tokens[arn(NAME)]
    assert world.aws_server.run_rotation(NAME)
    [put] = [body for body in world.aws_server.asked("PutSecretValue") if body["ClientRequestToken"] == NEW]
    assert put["RotationToken"] == proof


def test_the_old_key_is_retired_once_it_is_silent_and_not_before(world: World) -> None:
    old = world.value()
    world.rotate()
    world.minutes(30)
    [waiting] = world.retire()["older_versions"]
    assert (waiting["until"] is not None, world.live() > {FIRST}) == (True, True)
    world.openai.issued.honoured(old)
    world.openai.touch(FIRST)
    world.minutes(50)
    [waiting] = world.retire()["older_versions"]
    assert waiting["why"] == "the old key was used after its successor took over"
    assert FIRST in world.live()
    world.clock.advance(2 * HOUR)
    assert world.retire()["older_versions"] == [
        {"why": "the rotation is at its end", "until": None, "late": False}
    ]
    assert world.live() == {world.served()}
    assert world.labels() == {"AWSCURRENT": NEW, f"keyaudit-key-{world.served()}": NEW}
    assert world.retire() == {"older_versions": []}


def test_a_second_rotation_may_begin_while_the_first_old_key_is_in_use_and_both_are_retired(
    world: World,
) -> None:
    world.rotate()
    second = world.served()
    world.clock.advance(HOUR // 2)
    world.rotate(TOKENS[1])
    assert world.live() == {FIRST, second, world.served()}
    for _ in range(2):
        world.clock.advance(3 * HOUR)
        world.retire()
    assert world.live() == {world.served()}
    assert set(world.labels()) == {"AWSCURRENT", f"keyaudit-key-{world.served()}"}


STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def survived(world: World, kill: Kill) -> bool:
    """Rotate and retire with a function that is killed once, and started anew; says whether it was."""
    running = [world.function(kill)]

    def mortal(event, context):
        assert world.served() is not None, "applications were given a dead key"
        try:
            return running[0].handle(event, context)
        except Killed:
            running[0] = world.function()
            world.minutes(1)
            raise

    world.begin()
    try:
        world.aws_server.run_rotation(NAME, function=mortal)
    except Killed:
        if "AWSPENDING" in world.labels():  # or AWS takes it for done
            assert world.aws_server.run_rotation(NAME, function=mortal)
    assert world.labels()["AWSCURRENT"] == NEW
    assert world.live() == {FIRST, world.served()}, "an orphan, or a key too few"
    assert not [label for label in world.labels() if label.startswith("keyaudit-minting-")]
    for wait in (10 * MINUTE, 3 * HOUR, 3 * HOUR):
        world.clock.advance(wait)
        with suppress(Killed):
            mortal({"Step": "retireSecret"}, None)
    assert world.live() == {world.served()}
    assert world.labels() == {"AWSCURRENT": NEW, f"keyaudit-key-{world.served()}": NEW}
    return kill.calls >= kill.at


def test_a_function_killed_after_any_change_ends_with_one_key_and_no_orphan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signs_by_itself(monkeypatch)
    at, died = 0, True
    while died:
        at += 1
        with World() as world:
            died = survived(world, Kill(at))
    assert at > 10, "nothing was killed any more, after so few changes"


MOVES = 5
"""Labels that a rotation moves: the old key's name, that a key is asked for, and off, AWSCURRENT, AWSPENDING."""


@pytest.mark.parametrize(
    ("operation", "kind", "after"),
    [
        *[("PutSecretValue", kind, 0) for kind in ("reset", "lost", "throttled", "server-error")],
        *[("TagResource", kind, 0) for kind in ("reset", "denied")],
        *[
            ("UpdateSecretVersionStage", kind, after)
            for kind in ("reset", "lost", "throttled")
            for after in range(MOVES)
        ],
    ],
)
def test_a_call_that_is_refused_or_cut_off_is_made_good_when_aws_asks_again(
    world: World, operation: str, kind: str, after: int
) -> None:
    world.begin()
    fault = Fault(kind, operation, after=after, times=1)
    world.aws_server.plan(fault)
    with suppress(RotationError):
        world.aws_server.run_rotation(NAME)
    if world.labels()["AWSCURRENT"] != NEW or "AWSPENDING" in world.labels():
        world.aws_server.run_rotation(NAME)
    assert world.labels()["AWSCURRENT"] == NEW
    assert world.live() == {FIRST, world.served()}
    assert fault.seen > after, "nothing went wrong"


@pytest.mark.parametrize("after", [False, True])
def test_a_key_whose_answer_was_lost_is_revoked_once_another_is_stored(world: World, after: bool) -> None:
    world.begin()
    world.openai.fail("POST", ".*/api_keys", None, after=after)
    with pytest.raises(RotationError):
        world.aws_server.run_rotation(NAME)
    assert len(world.live()) == (2 if after else 1)
    assert world.aws_server.run_rotation(NAME)
    assert world.live() == {FIRST, world.served()}


def test_a_key_that_aws_refused_to_store_is_revoked_at_once(world: World) -> None:
    world.begin()
    world.aws_server.deny("PutSecretValue")
    with pytest.raises(RotationError, match="nothing was stored"):
        world.aws_server.run_rotation(NAME)
    assert world.live() == {FIRST}
    world.aws_server.allow()
    assert world.aws_server.run_rotation(NAME)


def test_a_key_that_a_cancelled_rotation_left_behind_is_revoked_by_the_next(world: World) -> None:
    world.begin()
    world.openai.fail("POST", ".*/api_keys", None, after=True)
    with pytest.raises(RotationError):
        world.aws_server.run_rotation(NAME)
    [orphan] = world.live() - {FIRST}
    world.aws.cancel_rotate_secret(SecretId=NAME)
    world.aws.update_secret_version_stage(SecretId=NAME, VersionStage="AWSPENDING", RemoveFromVersionId=NEW)
    world.rotate(TOKENS[1])
    assert orphan in world.live(), "whoever asked for it might have been storing it"
    world.clock.advance(HOUR)
    world.rotate(TOKENS[2])
    assert orphan not in world.live()
    assert not [label for label in world.labels() if "minting" in label]


def test_two_invocations_at_once_store_one_key_and_the_slower_one_revokes_its_own(world: World) -> None:
    world.begin()
    event = {"SecretId": arn(NAME), "ClientRequestToken": NEW, "Step": "createSecret"}

    class Slower(Kill):
        def __call__(self, call):
            answer = call()
            if len(world.live()) == 2 and self.at is None:
                self.at = -1
                world.invoke(event, None)
            return answer

    world.function(Slower()).handle(event, None)
    assert len(world.live()) == 2
    assert world.aws_server.run_rotation(NAME)
    assert world.live() == {FIRST, world.served()}


def test_what_somebody_stores_meanwhile_is_not_written_over(world: World) -> None:
    by_hand = json.dumps({"OPENAI_API_KEY": world.value(), "model": "gpt-6"})

    class Meanwhile(Kill):
        def __call__(self, call):
            answer = call()
            if len(world.live()) == 2 and self.at is None:
                self.at = -1
                world.aws.put_secret_value(SecretId=NAME, SecretString=by_hand, ClientRequestToken=TOKENS[5])
            return answer

    world.begin()
    with pytest.raises(RotationError, match="somebody else changed the value"):
        world.aws_server.run_rotation(NAME, function=world.function(Meanwhile()).handle)
    assert json.loads(world.aws.get_secret_value(SecretId=NAME)["SecretString"])["model"] == "gpt-6"
    assert world.live() == {FIRST}
    world.rotate(TOKENS[1])
    assert json.loads(world.aws.get_secret_value(SecretId=NAME)["SecretString"])["model"] == "gpt-6"
    world.clock.advance(3 * HOUR)
    world.retire()
    assert world.live() == {world.served()}


def test_a_new_key_that_its_provider_does_not_know_at_once_is_waited_for(world: World) -> None:
    world.openai.issued.waits = Lag(seconds=20)
    world.rotate()
    assert world.live() == {FIRST, world.served()}


def test_a_new_key_that_is_dead_is_given_up_and_aws_may_begin_again(world: World) -> None:
    world.openai.issued.waits = Lag(seconds=3600)
    world.begin()
    with pytest.raises(RotationError, match="does not work"):
        world.aws_server.run_rotation(NAME)
    assert world.live() == {FIRST}
    asked_for = {f"keyaudit-minting-{NEW}": OLD}
    assert world.labels() == {"AWSCURRENT": OLD, f"keyaudit-key-{FIRST}": OLD, **asked_for}
    world.openai.issued.waits = Lag()
    world.rotate(TOKENS[1])
    assert world.live() == {FIRST, world.served()}
    assert not [label for label in world.labels() if "minting" in label]


def test_a_provider_that_does_not_answer_is_asked_again_and_nothing_is_given_up(world: World) -> None:
    world.begin()
    world.openai.fail("GET", "/v1/models", 503, times=None)
    with pytest.raises(RotationError, match="could not be told"):
        world.aws_server.run_rotation(NAME)
    world.openai.heal()
    assert world.aws_server.run_rotation(NAME)


def test_steps_may_be_spelled_as_the_user_guide_does(world: World) -> None:
    world.begin()
    for step in ("create_secret", "set_secret", "test_secret", "finish_secret"):
        world.invoke({"SecretId": arn(NAME), "ClientRequestToken": NEW, "Step": step}, None)
    assert world.labels()["AWSCURRENT"] == NEW


def test_turning_rotation_on_without_rotating_tests_what_is_in_use_and_changes_nothing(world: World) -> None:
    world.begin(RotateImmediately=False)
    assert world.aws_server.run_rotation(NAME)
    assert (world.live(), world.labels()) == ({FIRST}, {"AWSCURRENT": OLD})


def test_a_value_put_by_hand_ends_the_rotation_and_its_key_is_retired(world: World) -> None:
    world.begin()
    event = {"SecretId": arn(NAME), "ClientRequestToken": NEW}
    for step in STEPS[:3]:
        world.invoke({**event, "Step": step}, None)
    by_hand = json.dumps({"OPENAI_API_KEY": world.value()})
    world.aws.put_secret_value(SecretId=NAME, SecretString=by_hand, ClientRequestToken=TOKENS[5])
    with pytest.raises(RotationError, match="AWSPENDING"):
        world.invoke({**event, "Step": "finishSecret"}, None)
    assert world.served() == FIRST


def test_moving_the_label_back_by_hand_retires_the_new_key_instead(world: World) -> None:
    world.rotate()
    unwanted = world.served()
    world.aws.update_secret_version_stage(
        SecretId=NAME, VersionStage="AWSCURRENT", MoveToVersionId=OLD, RemoveFromVersionId=NEW
    )
    world.clock.advance(3 * HOUR)
    world.retire()
    assert (world.served(), world.live()) == (FIRST, {FIRST})
    assert unwanted not in world.live()


def test_a_new_key_that_dies_while_the_old_one_works_is_taken_back(world: World) -> None:
    world.rotate()
    world.openai.issued.kill(world.served())
    world.minutes(30)
    world.retire()
    assert world.served() == FIRST
    assert world.labels()["AWSCURRENT"] == OLD


def test_without_a_witness_a_human_must_say_that_the_old_key_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signs_by_itself(monkeypatch)
    with World(silence="none") as world:
        world.rotate()
        [waiting] = world.retire()["older_versions"]
        assert waiting["until"] is not None
        world.clock.advance(2 * DAY)
        with pytest.raises(RotationError, match="still used"):
            world.retire()
        assert FIRST in world.live()
        world.retire(ConfirmedSilent=True)
        assert world.live() == {world.served()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Step": "dropSecret"}, "no such step"),
        ({"ClientRequestToken": TOKENS[7]}, "AWSPENDING"),
        ({"SecretId": arn("other")}, "another secret"),
    ],
)
def test_what_aws_would_never_ask_is_refused(world: World, change: dict, said: str) -> None:
    world.begin()
    event = {"SecretId": arn(NAME), "ClientRequestToken": NEW, "Step": "createSecret", **change}
    with pytest.raises((RotationError, UsageError), match=said):
        world.invoke(event, None)
    assert world.live() == {FIRST}


def test_nothing_is_done_for_a_secret_whose_rotation_is_off(world: World) -> None:
    world.begin()
    world.aws.cancel_rotate_secret(SecretId=NAME)
    with pytest.raises(RotationError, match="not turned on"):
        world.invoke({"SecretId": arn(NAME), "ClientRequestToken": NEW, "Step": "createSecret"}, None)
    assert world.live() == {FIRST}


def test_a_key_that_nobody_recognises_is_named_by_a_label(world: World) -> None:
    for key in world.openai.keys["proj_web"]:
        key["redacted_value"] = "sk-...nothing"
    world.begin()
    with pytest.raises(RotationError, match="which of the provider's keys") as caught:
        world.aws_server.run_rotation(NAME)
    assert "--version-stage keyaudit-key-KEY" in caught.value.hint
    world.aws.update_secret_version_stage(
        SecretId=NAME, VersionStage=f"keyaudit-key-{FIRST}", MoveToVersionId=OLD
    )
    assert world.aws_server.run_rotation(NAME)


def test_the_record_is_one_that_an_audit_reads_and_no_value_is_in_it(world: World, tmp_path) -> None:
    world.rotate()
    world.clock.advance(3 * HOUR)
    world.retire()
    assert not [line for line in world.said if "CANARY" in line]
    exported(EXAMPLE, ["START RequestId: 1", *world.said, "REPORT RequestId: 1"], tmp_path)
    read = read_files([tmp_path])
    assert len(read) == 4
    assert [problem for file in read for problem in file.problems] == []
    records = [record for file in read for record in file.records]
    [promoted] = [each for each in records if (each.event, each.step) == ("result", "promote")]
    assert (promoted.id, promoted.token) == (arn(NAME), NEW)
    assert promoted.detail["pending"] == {"version": NEW, "key_id": world.served()}
    assert promoted.requested_by == "aws-secrets-manager"
    assert "revoke" in {record.step for record in records}


def test_the_entry_point_reads_the_environment_and_speaks_to_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEYAUDIT_REQUEST", "{requested_by: platform@acme.example, ticket: OPS-1}")
    world.begin()
    assert world.aws_server.run_rotation(NAME, function=aws_lambda.handler)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["ticket"] for line in lines} == {"OPS-1"}
    assert {line["step"] for line in lines} == {"provision", "verify", "promote"}


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("KEYAUDIT_ROTATION", "", "is not set"),
        ("KEYAUDIT_ROTATION", "[1]", "not an object"),
        ("KEYAUDIT_ROTATION", "{name: x}", "store"),
        ("KEYAUDIT_ROTATION", "a: [", "KEYAUDIT_ROTATION"),
        ("KEYAUDIT_REQUEST", "{by: me}", "one line for each"),
    ],
)
def test_settings_that_are_wrong_are_said_before_anything_is_done(
    world: World, variable: str, text: str, said: str
) -> None:
    world.begin()

    def configured(event, context):
        environment = {**world.environment, variable: text}
        return aws_lambda.RotationFunction(environment, world.clock, lambda _: None, print).handle(
            event, context
        )

    with pytest.raises((UsageError, PolicyError), match=said.replace("[", r"\[")):
        world.aws_server.run_rotation(NAME, function=configured)
    assert world.live() == {FIRST}
