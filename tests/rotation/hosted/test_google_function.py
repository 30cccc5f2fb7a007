"""Reminders of Secret Manager, pushed over HTTP, and the tasks that end what they began."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyaudit.errors import PolicyError, UsageError
from keyaudit.rotation import google_function
from keyaudit.rotation_record.reading import read_files
from keyaudit.times import DAY, HOUR, MINUTE
from rotation.hosted.exporting import exported
from rotation.hosted.google_world import FIRST, GoogleWorld
from rotation.hosted.lambda_world import Kill, Killed
from rotation.stores.gcp_secret_case import GcpSecretCase

EXAMPLE = Path(__file__).parents[3] / "examples" / "09-google-rotation-function"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GoogleWorld]:
    with GcpSecretCase.started() as case, GoogleWorld(case, tmp_path) as world:
        yield world


def test_a_reminder_rotates_and_the_old_key_goes_by_itself_once_it_is_silent(world: GoogleWorld) -> None:
    old = world.case.served()
    status, answer = world.push(world.reminder())
    assert (status, answer["waits"]) == (200, "the old key must be silent first")
    new = world.served()
    assert world.live() == {FIRST, new} != {FIRST}
    world.pass_time(30 * MINUTE)
    world.openai.issued.honoured(old)
    world.openai.touch(FIRST)
    world.pass_time(HOUR)
    assert FIRST in world.live()
    world.pass_time(3 * HOUR)
    assert (world.live(), world.tasks.waiting) == ({new}, [])
    assert world.case.in_reach() == [world.case.served()]
    assert world.tasks.done[-1].account == "keyaudit-tasks@acme-prod.iam.gserviceaccount.com"


def test_a_reminder_that_comes_again_does_nothing_more(world: GoogleWorld) -> None:
    reminder = world.reminder()
    for _ in range(3):
        assert world.push(reminder)[0] == 200
    assert len(world.live()) == 2
    assert len({task.body for task in world.tasks.waiting}) == 1
    world.pass_time(3 * DAY)
    assert world.push(reminder) == (200, {"outcome": "nothing", "why": "no rotation is under way"})
    assert len(world.live()) == 1
    assert world.push(world.reminder())[1]["waits"]


def test_tasks_that_are_called_twice_or_in_parallel_chains_do_no_harm(world: GoogleWorld) -> None:
    world.tasks.twice = True
    world.push(world.reminder())
    world.push(world.reminder())
    world.pass_time(DAY)
    assert world.live() == {world.served()} != {FIRST}
    assert world.tasks.waiting == []


@pytest.mark.parametrize(
    "event", ["SECRET_VERSION_ADD", "SECRET_UPDATE", "SECRET_VERSION_DISABLE", "TOPIC_CONFIGURED"]
)
def test_every_other_event_is_ignored_also_those_that_the_rotation_causes(
    world: GoogleWorld, event: str
) -> None:
    assert world.push(world.reminder(event)) == (200, {"ignored": "no reminder to rotate"})
    assert world.live() == {FIRST}


@pytest.mark.parametrize(
    "secret",
    [
        "projects/{number}/secrets/other",
        "projects/{number}/locations/europe-west1/secrets/{own}",
        "projects/1/secrets/{own}",
        "projects/acme-staging/secrets/{own}",
        "{own}",
    ],
)
def test_a_reminder_about_another_secret_is_ignored(world: GoogleWorld, secret: str) -> None:
    reminder = world.reminder()
    reminder["message"]["attributes"]["secretId"] = secret.format(own=world.case.name, number=world.number)
    assert world.push(reminder) == (200, {"ignored": "a reminder about another secret"})
    assert world.live() == {FIRST}


@pytest.mark.parametrize("body", [None, [], {}, {"rotation": "other"}, {"message": "x"}, "x"])
def test_what_is_neither_a_reminder_nor_a_task_is_a_bad_request(world: GoogleWorld, body: object) -> None:
    assert world.push(body)[0] == 400
    assert world.live() == {FIRST}


def test_a_task_of_a_rotation_that_is_over_does_nothing(world: GoogleWorld) -> None:
    world.push(world.reminder())
    [task] = world.tasks.waiting
    world.pass_time(DAY)
    assert world.push(json.loads(task.body)) == (200, {"ignored": "that rotation is over"})


def test_a_provider_that_fails_is_asked_again_by_whoever_called(world: GoogleWorld) -> None:
    reminder = world.reminder()
    world.openai.fail("POST", ".*/api_keys", None, after=True)
    assert world.push(reminder)[0] == 503
    assert len(world.live()) == 2
    world.clock.advance(2 * MINUTE)
    assert world.push(reminder)[0] == 200
    assert world.live() == {FIRST, world.served()}, "the lost key was not revoked"


def test_an_alarm_that_cannot_be_set_is_no_success(world: GoogleWorld) -> None:
    world.tasks.refuses = 403
    reminder = world.reminder()
    status, answer = world.push(reminder)
    assert (status, answer["hint"]) == (503, "may this function's account create tasks in that queue?")
    world.tasks.refuses = None
    assert world.push(reminder)[0] == 200
    world.pass_time(DAY)
    assert world.live() == {world.served()}


def test_without_a_witness_a_human_must_say_that_the_old_key_is_silent(world: GoogleWorld) -> None:
    world.changes = {"silence": "none"}
    world.function = world.started()
    assert world.push(world.reminder())[1]["waits"].startswith("nobody can tell")
    world.pass_time(2 * DAY)
    [task] = world.tasks.waiting
    assert set(task.answers) == {503}
    assert FIRST in world.live()
    assert world.push({"rotation": "openai-prod", "confirmed_silent": True})[0] == 200
    assert world.live() == {world.served()}
    world.pass_time(HOUR)
    assert world.tasks.waiting == []


def test_keys_without_names_are_left_to_whoever_keeps_a_record(world: GoogleWorld) -> None:
    issuer = {"kind": "google-service-account", "project": "acme-prod"}
    issuer["account"] = "app@acme-prod.iam.gserviceaccount.com"
    world.changes = {"issuer": issuer, "probe": {"kind": "google"}, "silence": "none"}
    world.function = world.started()
    status, answer = world.push(world.reminder())
    assert (status, "bear no name" in answer["error"]) == (503, True)


def test_a_function_killed_after_any_change_ends_with_one_key_and_no_orphan(tmp_path: Path) -> None:
    at, died = 0, True
    while died:
        at += 1
        with GcpSecretCase.started() as case, GoogleWorld(case, tmp_path) as world:
            died = survived(world, Kill(at))
    assert at > 8, "nothing was killed any more, after so few changes"


def survived(world: GoogleWorld, kill: Kill) -> bool:
    """Push a reminder to a function that is killed once, in that call or in a task's; says whether it was."""
    reminder = world.reminder()
    running = world.started(kill)
    for _ in range(3):
        try:
            assert running.answer(reminder)[1] == 200
        except Killed:
            running = world.started()  # and Pub/Sub, which had no answer, pushes again
            world.clock.advance(MINUTE)
        assert world.served() is not None
    for _ in range(4):
        world.clock.advance(2 * HOUR)
        for task in list(world.tasks.waiting):
            try:
                assert running.answer(json.loads(task.body))[1] == 200
                world.tasks.waiting.remove(task)
            except Killed:
                running = world.started()
            assert world.served() is not None
    assert (world.live(), world.tasks.waiting) == ({world.served()}, [])
    assert world.served() != FIRST
    assert world.case.in_reach() == [world.case.served()]
    return kill.calls >= kill.at


def test_the_record_is_one_that_an_audit_reads_and_no_value_is_said_anywhere(
    world: GoogleWorld, tmp_path: Path
) -> None:
    answers = [world.push(world.reminder())]
    world.pass_time(DAY)
    folder = tmp_path / "records"
    folder.mkdir()
    exported(EXAMPLE, ["Default STARTUP TCP probe succeeded", *world.said], folder)
    read = read_files([folder])
    assert [problem for file in read for problem in file.problems] == []
    promoted = [
        record
        for file in read
        for record in file.records
        if (record.event, record.step) == ("result", "promote")
    ]
    assert [(each.id, each.requested_by) for each in promoted] == [(world.case.full_name, "secret-manager")]
    everything = [*world.said, json.dumps(answers), *(task.body.decode() for task in world.tasks.done)]
    assert not [text for text in everything if "CANARY" in text]


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("KEYAUDIT_ROTATION", "", "is not set"),
        ("KEYAUDIT_TASKS", "", "queue, url, service_account"),
        ("KEYAUDIT_TASKS", "{queue: nowhere}", "queue"),
    ],
)
def test_settings_that_are_wrong_are_said(world: GoogleWorld, variable: str, text: str, said: str) -> None:
    environment = {**world.environment, variable: text}
    with pytest.raises((UsageError, PolicyError), match=said):
        google_function.ReminderFunction(environment, world.clock, lambda _: None, print)


def test_the_entry_point_answers_flask_requests_by_the_environment(
    world: GoogleWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def push(body: object) -> tuple[int, dict]:
        with world.app.test_request_context(method="POST", json=body) as context:
            answer, status = google_function.rotate(context.request)
        return status, answer

    world.clock.set(time.time_ns() // 1000)
    assert push({})[0] == 500
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    assert push({})[0] == 400
    status, answer = push(world.reminder())
    assert (status, "until" in answer) == (200, True), answer
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1].removeprefix("record "))["event"] == "ended"
