"""Killed outright (SIGKILL) at a moment, gone on with by `rotate resume`: the same good end, and nothing failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotation.worlds.audits import OVERDUE, audited
from rotation.worlds.death import WHO, DeadlyAws, begun
from rotation.worlds.dotenv import DotenvCommand
from rotation.worlds.world import Application, World, this_second

Command = Callable[..., Any]


def opened(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    world.configure()
    return world


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeadlyAws]:
    with DeadlyAws(tmp_path) as world:
        opened(world, monkeypatch)
        yield world


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DotenvCommand]:
    with DotenvCommand(tmp_path) as world:
        opened(world, monkeypatch)
        yield world


def finished(command: Command, world: World, *, afresh: bool) -> None:
    """Go on to the end; where the key's value was lost with the process, a new rotation is needed."""
    old = world.live()[0]
    resumed = command("rotate", "resume", "demo", "--yes", "--wait", *WHO)
    assert resumed.returncode == 0, resumed.stderr.decode()
    if afresh:
        assert world.live() == [old], "the key that nobody knows is gone, and the one in use is not"
        done = command("rotate", "run", "demo", "--yes", "--wait", *WHO)
        assert done.returncode == 0, done.stderr.decode()


def assert_good_end(command: Command, world: World, since: int) -> None:
    assert world.live() == [key for key in world.live() if key != "key_first"]
    assert len(world.live()) == 1
    world.use(world.fetch().value)
    after = audited(command, world, since)
    assert after.found(*OVERDUE, "KA104", "KA112", "KA201", "KA202", "KA701", "KA702") == set()
    assert (after.passed("KA701"), after.passed("KA702")) == (len(world.listed), 1)
    assert "CANARY" not in world.written()


@pytest.mark.parametrize(
    ("change", "number", "afresh"),
    [
        ("POST", 1, True),
        ("PutSecretValue", 1, False),
        ("UpdateSecretVersionStage", 2, False),
        ("UpdateSecretVersionStage", 4, False),
        ("DELETE", 1, False),
    ],
)
def test_a_process_that_is_killed_once_a_server_has_acted_leaves_a_rotation_that_goes_on(
    aws: DeadlyAws, command: Command, change: str, number: int, afresh: bool
) -> None:
    since = this_second()
    with Application(aws) as application:
        aws.death.of(aws, change, number)
        application.more_answers()
        finished(command, aws, afresh=afresh)
        application.more_answers()
    assert application.failures == []
    assert len(application.used) == 2
    assert_good_end(command, aws, since)


def test_between_the_kill_and_the_end_an_audit_names_the_old_key(aws: DeadlyAws, command: Command) -> None:
    since = this_second()
    with Application(aws) as application:
        aws.death.of(aws, "TagResource", 1)
        time.sleep(2.5)
        half = audited(command, aws, since)
        assert half.found("KA201") == {("KA201", "openai")}
        assert half.exit_code == 1
        finished(command, aws, afresh=False)
    assert application.failures == []
    assert_good_end(command, aws, since)


@pytest.mark.parametrize(
    ("moment", "afresh"), [("mint after", True), ("probe before", False), ("revoke after", False)]
)
def test_a_process_that_is_killed_by_the_program_it_runs_leaves_a_rotation_that_goes_on(
    file: DotenvCommand, command: Command, moment: str, afresh: bool
) -> None:
    since = this_second()
    (file.folder / "kill").write_text(moment)
    with Application(file) as application:
        process = begun(file)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == -9, said.decode()
        finished(command, file, afresh=afresh)
        application.more_answers()
    assert application.failures == []
    assert_good_end(command, file, since)


def test_two_processes_at_once_rotate_once(file: DotenvCommand, command: Command) -> None:
    since = this_second()
    with Application(file) as application:
        both = [begun(file), begun(file)]
        said = [process.communicate(timeout=60)[0] for process in both]
        assert {process.returncode for process in both} == {0}, said
        application.more_answers()
    assert application.failures == []
    assert len(application.used) == 2
    after = audited(command, file, since)
    assert after.found(*OVERDUE, "KA201", "KA701") == set()
    assert len(file.live()) == 1
