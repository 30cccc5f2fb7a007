"""What a .env file has that no other store has."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic import ValidationError

from keyaudit.client import from_environment
from keyaudit.errors import RotationError
from keyaudit.rotation.party import Means
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.stores.dotenv import DotenvFile, DotenvSettings
from keyaudit.rotation.stores.protocol import LostRaceError
from rotation.stores.dotenv_case import NAME, DotenvCase, at
from rotation.stores.walking import CALLS, NEW, OLD, OTHER, WALKS, base_of, rotate, walk

ROOT = Path(__file__).parents[3]
PLACES = {f"{NAME}_NEXT", NAME, f"{NAME}_OLD"}


@pytest.fixture
def file(dotenv_file: DotenvCase) -> DotenvCase:
    return dotenv_file


def places(file: DotenvCase) -> dict[str, str | None]:
    return {name.removeprefix(NAME): value for name, value in file.values().items() if name in PLACES}


def test_the_variables_of_each_step_are_those_that_an_application_looks_for(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    token = store.look().token
    keys = from_environment(NAME, {})
    walk(store, token, "stage", "go")
    assert places(file) == {"": OLD, "_NEXT": NEW}
    keys = from_environment(NAME, {name: str(value) for name, value in file.values().items()})
    assert keys() == (OLD,)
    walk(store, token, "promote")
    assert places(file) == {"": NEW, "_OLD": OLD}
    keys = from_environment(NAME, {name: str(value) for name, value in file.values().items()})
    assert keys() == (NEW, OLD)
    walk(store, token, "retire", "drop previous")
    assert places(file) == {"": NEW}


def test_all_that_is_not_ours_stays_byte_by_byte(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    before = f"# top\r\nFIRST='1' # one\r\n\r\n export {NAME}=\"{OLD}\" # the key\r\nLAST=x\r\n"
    file.path.write_bytes(before.encode())
    rotate(store, NEW, "key-1")
    lines = file.path.read_bytes().decode().split("\r\n")
    (comment,) = [line for line in lines if line.startswith("# keyaudit")]
    assert "\n" not in "".join(lines)
    lines.remove(comment)
    assert "\r\n".join(lines) == before.replace(OLD, NEW)
    assert NEW not in comment
    assert OLD not in comment


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_mode_and_owner_stay(file: DotenvCase, mode: int) -> None:
    store = file.fresh(OLD)
    owner = (12345, 23456) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(file.path, *owner)
    file.path.chmod(mode)
    rotate(store, NEW, "key-1")
    found = file.path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (mode, *owner)
    assert os.listdir(file.path.parent) == [".env"]


def test_a_link_is_refused_and_what_it_points_to_stays(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    real = file.path.with_name("real.env")
    file.path.rename(real)
    file.path.symlink_to(real)
    before = real.read_bytes()
    for call in (store.look, lambda: store.read("0"), lambda: CALLS["stage"](store, "token")):
        with pytest.raises(RotationError, match="is a link"):
            call()
    assert real.read_bytes() == before
    file.path.unlink()
    os.link(real, file.path)
    with pytest.raises(RotationError, match="no file with one name"):
        store.look()


def test_what_is_no_file_is_refused(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    file.path.unlink()
    with pytest.raises(RotationError, match="there is no .*env"):
        store.look()
    os.mkfifo(file.path)
    with pytest.raises(RotationError, match="no file with one name"):
        store.look()
    file.path.unlink()
    file.path.write_text("OTHER=x\n")
    with pytest.raises(RotationError, match=f"{NAME} is not set in"):
        store.look()
    file.path.write_bytes(b"#" * (1 << 20) + b"\n")
    with pytest.raises(RotationError, match="no .env file"):
        store.look()


def test_a_value_of_several_lines_is_refused(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    file.path.write_text(f'{NAME}="CANARY-1\nCANARY-2"\n')
    with pytest.raises(RotationError) as caught:
        store.look()
    assert str(caught.value) == f"{NAME} goes over several lines"


def test_a_value_that_no_line_can_hold_is_refused_and_nothing_changes(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    before = file.path.read_bytes()
    with pytest.raises(RotationError) as caught:
        store.stage(store.look().token, Secret("CANARY ' and \""), "key-1", base=base_of(store, "key-0"))
    assert "CANARY" not in f"{caught.value} {caught.value.hint}"
    assert file.path.read_bytes() == before


@pytest.mark.parametrize("step", ["stage", "promote"])
def test_an_edit_that_knows_no_lock_is_not_overwritten(file: DotenvCase, step: str) -> None:
    store = file.fresh(OLD)
    token = store.look().token
    if step == "promote":
        walk(store, token, "stage", "go")

    def edit() -> None:
        file.path.write_text(file.path.read_text() + "ADDED=1\n")

    at("tempfile.mkstemp", edit)
    with pytest.raises(LostRaceError):
        CALLS[step](store, token)
    assert file.values()["ADDED"] == "1"
    assert file.served() == OLD
    assert os.listdir(file.path.parent) == [".env"]


KILLED = """
import sys, os, signal
from pathlib import Path
from rotation.stores.dotenv_case import DotenvCase, at
from rotation.stores.dotenv_case import NAME
from keyaudit.rotation.stores.dotenv import DotenvSettings
from rotation.stores.walking import CALLS
folder, token, step, event, passed = sys.argv[1:]
case = DotenvCase(Path(folder))
case._settings = DotenvSettings.model_validate({"kind": "dotenv", "path": ".env", "variable": NAME})
for _ in range(int(passed)):
    at(event, lambda: None)
at(event, lambda: os.kill(os.getpid(), signal.SIGKILL))
CALLS[step](case.again(), token)
"""


@pytest.mark.parametrize("passed", [0, 1])
@pytest.mark.parametrize("event", ["tempfile.mkstemp", "os.rename"])
@pytest.mark.parametrize("step", ["stage", "go", "promote", "want back", "restore", "drop previous"])
def test_a_run_that_is_killed_while_it_writes_leaves_the_old_file_or_the_new_one(
    file: DotenvCase, step: str, event: str, passed: int
) -> None:
    steps = WALKS["back"]
    store = file.fresh(OLD)
    token = store.look().token
    walk(store, token, *steps[: steps.index(step)])
    before, earliest = store.look(), file.now()
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(file.path.parent), token, step, event, str(passed)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        check=False,
        timeout=120,
    )
    writes = 2 if step in {"promote", "restore"} else 1
    assert ended.returncode == (-9 if passed < writes else 0)
    shelf = store.look()
    if passed == 0:
        assert shelf == before
    elif writes == 2:
        assert shelf != before
        assert shelf.current is not None
        assert shelf.current.since is not None, "killed before it said since when"
        assert earliest <= shelf.current.since <= file.now()
        assert store.look() == shelf
    walk(store, token, *steps[steps.index(step) + passed :])
    assert places(file) == {"": OLD}


def test_two_processes_that_stage_at_once_stage_one(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    token = store.look().token
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED, str(file.path.parent), token, step, "never", "0"],
            env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
            stderr=subprocess.PIPE,
        )
        for step in ("stage", "stage another")
    ]
    said = [process.communicate(timeout=120)[1] for process in racing]
    ended = [process.returncode for process in racing]
    assert sorted(ended) == [0, 1]
    assert b"LostRaceError" in said[ended.index(1)]
    assert places(file) == {"": OLD, "_NEXT": NEW if ended[0] == 0 else OTHER}


def test_a_run_waits_for_the_lock_only_so_long(file: DotenvCase) -> None:
    file.fresh(OLD)
    settings = DotenvSettings.model_validate(
        {"kind": "dotenv", "path": ".env", "variable": NAME, "timeout": "100ms"}
    )
    store = DotenvFile.opened(settings, Means(clock=file.now, folder=file.path.parent))
    with file.path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        token = store.look().token  # looking needs no lock
        with pytest.raises(RotationError, match="another run keeps the lock"):
            CALLS["stage"](store, token)
    CALLS["stage"](store, token)


def test_a_lock_on_a_file_that_was_replaced_is_no_lock(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage")
    successor = file.path.with_name("successor")
    ended: list[object] = []
    waiting = threading.Thread(target=lambda: ended.append(store.decide(token, "forward", False)))
    with file.path.open() as old:
        fcntl.flock(old, fcntl.LOCK_EX)
        waiting.start()
        waiting.join(timeout=0.2)
        successor.write_bytes(file.path.read_bytes())
        shutil.copystat(file.path, successor)
        new = successor.open()
        fcntl.flock(new, fcntl.LOCK_EX)
        successor.replace(file.path)
    waiting.join(timeout=0.5)
    assert waiting.is_alive()
    new.close()
    waiting.join(timeout=60)
    assert ended == [False]


def test_a_file_that_lost_its_comment_gives_out_no_token_again(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    tokens = {store.look().token}
    for number in range(3):
        rotate(store, f"{NEW}-{number}", f"key-{number + 1}")
        lines = file.path.read_text().splitlines(keepends=True)
        file.path.write_text("".join(line for line in lines if "keyaudit" not in line))
        assert store.look().token not in tokens
        tokens.add(store.look().token)


@pytest.mark.parametrize("change", ["{", "{}", '{"note": 1}', ""])
def test_a_comment_that_somebody_changed_is_not_guessed_at(file: DotenvCase, change: str) -> None:
    store = file.fresh(OLD)
    rotate(store, NEW, "key-1")
    lines = file.path.read_text().splitlines(keepends=True)
    file.path.write_text(
        "".join(line.split(": ")[0] + f": {change}\n" if "keyaudit" in line else line for line in lines)
    )
    with pytest.raises(RotationError, match="somebody changed the comment"):
        store.look()
    (comment,) = [line for line in lines if "keyaudit" in line]
    file.path.write_text("".join([*lines, comment]))
    with pytest.raises(RotationError, match="says twice"):
        store.look()


def test_a_staged_value_that_somebody_changed_is_never_promoted(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go")
    file.path.write_text(file.path.read_text().replace(NEW, OTHER))
    assert store.look().overtaken
    with pytest.raises(LostRaceError):
        store.promote(token)
    walk(store, token, "drop pending")
    assert places(file) == {"": OLD, "_NEXT": OTHER}
    assert store.look().foreign == f"{NAME}_NEXT is set, and not by keyaudit"


def test_an_old_value_that_somebody_removed_cannot_be_restored(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", "promote")
    lines = file.path.read_text().splitlines(keepends=True)
    file.path.write_text("".join(line for line in lines if not line.startswith(f"{NAME}_OLD")))
    walk(store, token, "want back")
    with pytest.raises(RotationError, match=f"{NAME}_OLD was changed by hand"):
        store.restore(token)
    assert places(file) == {"": NEW}


def test_a_variable_of_somebody_else_is_not_overwritten_by_the_old_value(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go")
    file.path.write_text(file.path.read_text() + f"{NAME}_OLD=CANARY-theirs\n")
    with pytest.raises(RotationError, match=f"{NAME}_OLD is set, and not by keyaudit"):
        store.promote(token)
    assert places(file) == {"": OLD, "_NEXT": NEW, "_OLD": "CANARY-theirs"}


def test_two_credentials_in_one_file_are_rotated_apart(file: DotenvCase) -> None:
    first = file.fresh(OLD)
    file.path.write_text(file.path.read_text() + "DB_USER=u1\nDB_PASSWORD='p 1'\n")
    settings = DotenvSettings.model_validate(
        {"kind": "dotenv", "path": ".env", "fields": {"username": "DB_USER", "password": "DB_PASSWORD"}}
    )
    second = DotenvFile.opened(settings, Means(clock=file.now, folder=file.path.parent))
    token, other = first.look().token, second.look().token
    assert second.credential.id == f"{file.path}#DB_USER+DB_PASSWORD"
    second.stage(other, Secret('{"DB_USER": "u2", "DB_PASSWORD": "p 2"}'), "u2", base=base_of(second, "u1"))
    walk(first, first.look().token, "stage", "go", "promote")
    assert second.look().token == other
    assert second.look().pending is not None
    walk(second, other, "go", "promote")
    found = file.values()
    assert (found["DB_USER"], found["DB_PASSWORD"], found[NAME]) == ("u2", "p 2", NEW)
    assert (found["DB_USER_OLD"], found["DB_PASSWORD_OLD"], found[f"{NAME}_OLD"]) == ("u1", "p 1", OLD)
    assert token != other


@pytest.mark.parametrize(
    ("store", "message"),
    [
        ({}, "say either `variable` or `fields`"),
        ({"variable": NAME, "fields": {"key": NAME}}, "say either `variable` or `fields`"),
        ({"variable": "not a name"}, "not the name of an environment variable"),
        ({"variable": NAME, "next_suffix": "_OLD"}, "one name would hold two values"),
        ({"fields": {"a": "X", "b": "X_OLD"}}, "one name would hold two values"),
        ({"variable": NAME, "next_suffix": "_NEW"}, "an application would prefer _NEW"),
        ({"variable": NAME, "next_suffix": "_v2"}, "an application would prefer _v2"),
        ({"variable": NAME, "next_suffix": ""}, "String should match"),
    ],
)
def test_settings_that_would_lose_a_value_are_refused(store: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DotenvSettings.model_validate({"kind": "dotenv", "path": ".env", **store})


def test_a_copy_of_the_file_does_not_pass_for_the_file(file: DotenvCase, tmp_path: Path) -> None:
    """Both would have the same tokens, and each would revoke, as lost, the keys that the other one made."""
    rotate(file.fresh(OLD), NEW, "key-1")
    copy = tmp_path / "copy" / ".env"
    copy.parent.mkdir()
    shutil.copy(file.path, copy)
    settings = DotenvSettings(kind="dotenv", path=str(copy), variable=NAME)
    copied = DotenvFile.opened(settings, Means(lambda: 0))
    with pytest.raises(RotationError, match="written for another file"):
        copied.look()
    with pytest.raises(RotationError, match="written for another file"):
        copied.void(file.fresh(OLD).look().token)
    lines = [line for line in copy.read_text().splitlines() if not line.startswith("# keyaudit")]
    copy.write_text("\n".join(lines) + "\n")
    assert (
        copied.look().token
        != DotenvFile.opened(
            DotenvSettings(kind="dotenv", path=str(file.path), variable=NAME), Means(lambda: 0)
        )
        .look()
        .token
    )


def test_what_a_killed_run_left_with_all_values_in_it_is_removed_by_the_next(file: DotenvCase) -> None:
    store = file.fresh(OLD)
    token, folder = store.look().token, file.path.parent
    arguments = [str(folder), token, "stage", "os.rename", "0"]
    subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        check=False,
        timeout=120,
    )
    (left,) = set(os.listdir(folder)) - {".env"}
    assert NEW in (folder / left).read_text()
    kept = {"..env.backup", "..env.01234567.old", ".env.01234567", "..env.ABCDEFGH"}
    for name in kept:
        (folder / name).write_text("ours")
    walk(store, token, "stage")
    assert set(os.listdir(folder)) == {".env", *kept}
