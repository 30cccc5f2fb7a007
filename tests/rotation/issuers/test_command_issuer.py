"""Keys that a program makes: a real one, in a process of its own, whose state is a file."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from keyaudit.errors import RotationError, SlotsFullError, UsageError
from keyaudit.rotation.issuers.command import Command
from keyaudit.rotation.journal import MemoryJournal
from keyaudit.rotation.parties import Parties
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.secret import Secret
from keyaudit.rotation.shape import Shape
from keyaudit.rotation.sight import Key
from keyaudit.rotation.steps import Done, Order
from keyaudit.rotation.stores.memory import MemoryStore
from keyaudit.times import parse_instant
from rotation.parties import Alone, listed, opened
from servers.admin_api import NOON
from servers.clock import Clock

TOKEN = "6d5e3f0a-4a52-5f6b-8a43-9d0c5a4f6b1f"
MADE = "2026-11-21T12:00:00Z"

ACME = """
import json, pathlib, sys
state = pathlib.Path("acme.json")
keys = json.loads(state.read_text()) if state.exists() else {}
asked = json.loads(sys.stdin.readline())
op = asked["op"]
if op == "list":
    answer = {"keys": [{"id": i, **{k: v for k, v in key.items() if k != "value"}} for i, key in keys.items()]}
elif op == "mint":
    if sum(key["active"] for key in keys.values()) >= 2:
        answer = {"full": True}
    else:
        new = f"k{len(keys) + 1}"
        keys[new] = {"active": True, "token": asked["token"], "created_at": "2026-11-21T12:00:00Z",
                     "value": f"CANARY-value-{new}"}
        answer = {"id": new, "parts": {"key": keys[new]["value"]}, "created_at": keys[new]["created_at"]}
elif op == "revoke":
    if asked["key_id"] in keys:
        keys[asked["key_id"]]["active"] = False
    answer = {}
else:
    found = [i for i, key in keys.items() if key["value"] == asked["parts"]["key"] and i in asked["keys"]]
    answer = {"key_id": found[0] if found else None}
state.write_text(json.dumps(keys))
print(json.dumps(answer))
"""
PROBE = """
import json, pathlib, sys
value = json.loads(sys.stdin.readline())["key"]
keys = json.loads(pathlib.Path("acme.json").read_text())
sys.exit(0 if any(key["active"] and key["value"] == value for key in keys.values()) else 4)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "acme.py").write_text(ACME)
    (tmp_path / "try.py").write_text(PROBE)
    first = {"active": True, "token": None, "created_at": "2026-01-01T00:00:00Z", "value": "CANARY-value-k1"}
    (tmp_path / "acme.json").write_text(json.dumps({"k1": first}))
    return tmp_path


def issuer(folder: Path, *argv: str, environment: dict | None = None, **more: object) -> Command:
    settings = {"kind": "command", "argv": [sys.executable, *(argv or ("acme.py",))], **more}
    return opened("issuer", settings, folder=folder, environment=environment or {})


def saying(folder: Path, program: str, **more: object) -> Command:
    return issuer(folder, "-c", program, **more)


def state(folder: Path) -> dict:
    return json.loads((folder / "acme.json").read_text())


def test_a_program_lists_makes_recognises_and_revokes_keys(folder: Path) -> None:
    party = issuer(folder)
    old = Key("k1", active=True, token=None, created_at=parse_instant("2026-01-01T00:00:00Z"))
    assert party.keys() == (old,)
    made = party.mint(TOKEN, {"k1"})
    assert (made.key_id, made.parts, made.created_at) == ("k2", {"key": "CANARY-value-k2"}, NOON)
    assert [key.token for key in listed(party)] == [None, TOKEN]
    assert party.recognise({"key": "CANARY-value-k1"}, party.keys()) == "k1"
    assert party.recognise({"key": "CANARY-value-k9"}, party.keys()) is None
    with pytest.raises(SlotsFullError):
        party.mint("another", set())
    party.revoke("k1")
    party.revoke("k1")
    party.revoke("never was")
    assert [key.active for key in listed(party)] == [False, True]


def test_a_rotation_by_programs_alone_comes_to_its_end(folder: Path) -> None:
    clock = Clock(NOON)
    store = MemoryStore("acme", Secret("CANARY-value-k1"), clock=clock)
    probe = opened("probe", {"kind": "command", "argv": [sys.executable, "try.py"]}, folder=folder)
    journal = MemoryJournal()
    run = Runner(Parties(store, issuer(folder), probe, None, Shape({})), journal, Alone(clock))
    ending = run.run(Order(confirmed_silent=True))
    assert isinstance(ending.step, Done)
    assert store.served() == Secret("CANARY-value-k2")
    assert [key["active"] for key in state(folder).values()] == [False, True]
    assert "CANARY" not in repr(journal.entries())


def test_a_key_that_was_made_and_not_told_is_found_by_its_token_and_revoked(folder: Path) -> None:
    (folder / "dies.py").write_text(ACME.replace("print(", "op == 'mint' and sys.exit(7)\nprint("))
    clock = Clock(NOON)
    store = MemoryStore("acme", Secret("CANARY-value-k1"), clock=clock)
    probe = opened("probe", {"kind": "command", "argv": [sys.executable, "try.py"]}, folder=folder)
    dying = Parties(store, issuer(folder, "dies.py"), probe, None, Shape({}))
    with pytest.raises(RotationError, match=r"mint failed \(exit code 7\)"):
        Runner(dying, MemoryJournal(), Alone(clock)).run(Order())
    assert [key["active"] for key in state(folder).values()] == [True, True]
    again = Parties(store, issuer(folder), probe, None, Shape({}))
    ending = Runner(again, MemoryJournal(), Alone(clock)).run(Order(confirmed_silent=True))
    assert isinstance(ending.step, Done)
    assert {key: each["active"] for key, each in state(folder).items()} == {
        "k1": False,
        "k2": False,
        "k3": True,
    }


def test_values_are_in_no_argument_and_no_variable(folder: Path) -> None:
    program = (
        "import json, os, pathlib, sys\n"
        "asked = sys.stdin.read()\n"
        "pathlib.Path('seen').write_text(json.dumps([sys.argv, dict(os.environ), asked]))\n"
        "print('{\"key_id\": null}')"
    )
    environment = {"PATH": os.environ["PATH"], "ACME_ADMIN": "an-admin-key", "OTHER": "not for it"}
    party = saying(folder, program, environment=environment, variables=["ACME_ADMIN"])
    assert party.recognise({"key": "CANARY-value"}, (Key("k1"),)) is None
    argv, variables, stdin = json.loads((folder / "seen").read_text())
    assert "CANARY" not in json.dumps([argv, variables])
    assert json.loads(stdin)["parts"] == {"key": "CANARY-value"}
    assert variables["ACME_ADMIN"] == "an-admin-key"
    assert "OTHER" not in variables
    with pytest.raises(UsageError, match="ACME_ADMIN is not set"):
        issuer(folder, variables=["ACME_ADMIN"])


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; print('CANARY', file=sys.stderr); sys.exit(3)", r"failed \(exit code 3\)"),
        ("import sys; print('CANARY'); sys.exit(0)", "did not answer with a JSON object"),
        ("print('[\"CANARY\"]')", "did not answer with a JSON object"),
        ('print(\'{"id": "k2", "value": "CANARY"}\')', "something else than was asked for"),
        ('print(\'{"id": "", "parts": {"key": "CANARY"}}\')', "something else than was asked for"),
        ('print(\'{"id": "k2", "parts": {"key": ""}}\')', "something else than was asked for"),
        ("print('\"CANARY\"' * 200000)", "far too much"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"exit code -9"),
        ("raise SystemExit('CANARY')", r"failed \(exit code 1\)"),
    ],
)
def test_what_is_no_answer_is_refused_without_being_repeated(folder: Path, program: str, said: str) -> None:
    with pytest.raises(RotationError, match=said) as caught:
        saying(folder, program).mint(TOKEN, set())
    assert "CANARY" not in f"{caught.value}{caught.value.hint}"
    assert caught.value.__cause__ is None


def test_half_a_list_is_none_and_no_list_is_said(folder: Path) -> None:
    assert saying(folder, "print('{\"keys\": null}')").keys() is None
    for answer in (
        {},
        {"keys": [{"id": "k1"}]},
        {"keys": [{"id": "k1", "active": True, "created_at": "now"}]},
    ):
        with pytest.raises(RotationError, match="something else"):
            saying(folder, f"print({json.dumps(json.dumps(answer))})").keys()


def test_a_program_that_hangs_is_ended_with_all_that_it_started(folder: Path) -> None:
    program = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('child').write_text(str(child.pid))\n"
        "time.sleep(60)"
    )
    began = time.monotonic()
    with pytest.raises(RotationError, match="took longer than 1 s"):
        saying(folder, program, timeout="1s").revoke("k1")
    assert time.monotonic() - began < 20
    child = Path("/proc") / (folder / "child").read_text() / "stat"
    for _ in range(100):
        if not child.exists() or child.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("what it started is still running")


def test_a_program_that_is_not_there_is_said(folder: Path) -> None:
    party = opened("issuer", {"kind": "command", "argv": ["./nowhere"]}, folder=folder)
    with pytest.raises(RotationError, match="nowhere cannot be run: No such file"):
        party.keys()


def test_no_shell_reads_the_arguments(folder: Path) -> None:
    program = "import json, sys; print(json.dumps({'keys': [{'id': sys.argv[1], 'active': True}]}))"
    party = issuer(folder, "-c", program, "$(echo x); rm -rf *")
    assert [key.id for key in listed(party)] == ["$(echo x); rm -rf *"]


@pytest.mark.parametrize(
    "wrong", [{"argv": []}, {"argv": "rm -rf x"}, {"argv": [""]}, {"argv": ["x"], "shell": True}]
)
def test_settings_that_cannot_be_obeyed_are_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        Command.Settings.model_validate({"kind": "command", **wrong})
