"""`keyaudit rotate` from a .env file and a provider that is a program, with everything real in between."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from cli.rotating import CANARY, alive, asked, entry, prepare, record, served
from keyaudit.rotation.stores.dotenv import DotenvFile


def err(done) -> str:
    return done.stderr.decode()


def out(done) -> str:
    return done.stdout.decode()


def rotated(command, *more: str) -> None:
    done = command("rotate", "run", "demo", "--confirm-silent", "--yes", *more)
    assert done.returncode == 0, err(done)


def state(folder: Path) -> tuple[str, ...]:
    names = (".env", "provider.json")
    files = [folder / name for name in names] + [folder / ".keyaudit" / "rotations" / "demo.ndjson"]
    return tuple(file.read_text() if file.exists() else "" for file in files)


def test_a_rotation_from_its_beginning_to_its_end(command, tmp_path) -> None:
    prepare(tmp_path)
    waiting = command("rotate", "run", "demo", "--ticket", "CHG-1", "--approved-by", "boss@acme.example")
    assert waiting.returncode == 3, "nobody can tell whether the old key is used: its grace is kept"
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-2", ["key-1", "key-2"]), "both keys work"
    assert "demo: not finished; nothing to do before " in err(waiting)
    assert "hint: keyaudit rotate resume demo goes on then" in err(waiting)

    unasked = command("rotate", "resume", "demo", "--confirm-silent")
    assert unasked.returncode == 1, "nobody was there to be asked"
    assert alive(tmp_path) == ["key-1", "key-2"]
    assert "key key-1 is revoked for good" in err(unasked)
    assert "hint: say yes when asked, or give --yes" in err(unasked)

    done = command("rotate", "resume", "demo", "--confirm-silent", "--yes")
    assert done.returncode == 0
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-2", ["key-2"])
    assert "demo: rotated: the rotation is at its end" in err(done)
    assert waiting.stdout + unasked.stdout + done.stdout == b"", "stdout is for documents"

    entries = record(tmp_path)
    assert [entry["outcome"] for entry in entries if entry["event"] == "ended"] == [
        "waiting",
        "blocked",
        "rotated",
    ]
    assert (entries[0]["ticket"], entries[0]["approved_by"]) == ("CHG-1", "boss@acme.example")
    assert re.fullmatch(r"\S+@\S+", entries[0]["requested_by"])
    assert "CANARY" not in json.dumps(entries) + err(waiting) + err(unasked) + err(done)


def test_step_by_step_it_stops_where_it_was_asked_to(command, tmp_path) -> None:
    prepare(tmp_path)
    steps = [
        ("begin", f"{CANARY}-1", ["key-1", "key-2"]),
        ("verify", f"{CANARY}-1", ["key-1", "key-2"]),
        ("promote", f"{CANARY}-2", ["key-1", "key-2"]),
        ("begin", f"{CANARY}-2", ["key-1", "key-2"]),
    ]
    for step, value, keys in steps:
        assert command("rotate", step, "demo").returncode == 0
        assert (served(tmp_path), alive(tmp_path)) == (value, keys), step
    assert command("rotate", "drain", "demo").returncode == 3
    assert command("rotate", "retire", "demo", "--confirm-silent", "--yes").returncode == 0
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-2", ["key-2"])
    assert asked(tmp_path).count("mint") == 1


@pytest.mark.parametrize("way", ["verify", "promote", "drain", "retire", "resume", "rollback"])
def test_where_nothing_is_under_way_no_step_of_it_was_done_and_none_is_begun(way, command, tmp_path) -> None:
    prepare(tmp_path)
    met = way in {"resume", "rollback"}
    for options in ([], ["--dry-run"]):
        done = command("rotate", way, "demo", *options)
        assert done.returncode == (0 if met else 1), "who takes a step wants to hear that it was taken"
        if not options:
            assert "demo: nothing to do: no rotation is under way" in err(done)
            begins = "hint: keyaudit rotate begin demo, or keyaudit rotate run demo, begins one"
            assert (begins in err(done)) is not met
    assert (alive(tmp_path), asked(tmp_path).count("mint")) == (["key-1"], 0)


def test_what_was_rotated_a_moment_ago_is_rotated_again_only_if_that_is_said(command, tmp_path) -> None:
    prepare(tmp_path)
    rotated(command)
    rotated(command)
    assert alive(tmp_path) == ["key-2"]
    rotated(command, "--again")
    assert alive(tmp_path) == ["key-3"]


def test_there_is_a_way_back_until_the_old_key_is_given_up(command, tmp_path) -> None:
    prepare(tmp_path)
    command("rotate", "promote", "demo")
    assert command("rotate", "run", "demo").returncode == 3
    back = command("rotate", "rollback", "demo", "--confirm-silent")
    assert back.returncode == 0, err(back)
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-1", ["key-1"])
    assert "demo: rolled-back: the rotation is at its end" in err(back)
    assert command("rotate", "rollback", "demo").returncode == 0, "there is nothing left to take back"


def test_a_way_back_that_waits_is_what_resume_goes_on_with(command, tmp_path) -> None:
    prepare(tmp_path)
    command("rotate", "run", "demo")
    assert command("rotate", "rollback", "demo").returncode == 3, "somebody may hold the new key already"
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-1", ["key-1", "key-2"])
    assert command("rotate", "resume", "demo", "--confirm-silent").returncode == 0
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-1", ["key-1"])


def test_a_new_key_that_does_not_work_is_never_given_to_applications(command, tmp_path) -> None:
    prepare(tmp_path)
    (tmp_path / "broken").touch()
    done = command("rotate", "run", "demo", "--confirm-silent", "--yes")
    assert done.returncode == 1, err(done)
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-1", ["key-1"])
    assert "demo: rolled-back" in err(done)


DRY = [
    ("run", ["--confirm-silent"], []),
    ("run", [], []),
    ("begin", [], []),
    ("resume", ["--confirm-silent"], [("begin",)]),
    ("retire", ["--confirm-silent"], [("run",)]),
    ("rollback", ["--confirm-silent"], [("run",)]),
    ("emergency", ["--key-id", "key-1"], []),
    ("emergency", ["--key-id", "key-2"], [("begin",), ("promote",)]),
]


@pytest.mark.parametrize(("way", "options", "before"), DRY)
def test_a_dry_run_prints_the_requests_that_the_run_makes_and_changes_nothing(
    way, options, before, command, tmp_path
) -> None:
    prepare(tmp_path)
    for step in before:
        command("rotate", *step, "demo")
    was = state(tmp_path)
    printed = command("rotate", way, "demo", *options, "--dry-run")
    assert state(tmp_path) == was
    assert "CANARY" not in out(printed) + err(printed)
    requests = [line.strip() for line in out(printed).splitlines() if line.startswith(" " * 8)]
    asked(tmp_path)
    ran = command("rotate", way, "demo", *options, "--yes")
    assert asked(tmp_path) == requests
    assert ran.returncode == printed.returncode


def test_status_says_what_there_is_what_comes_next_and_what_it_had_to_read(command, tmp_path) -> None:
    prepare(tmp_path)
    idle = json.loads(out(command("rotate", "status", "demo", "--format", "json")))
    assert (idle["under_way"], idle["values_read"], idle["record"]) == (None, ["0"], [])
    assert idle["keys"][0]["is"] == "in use", "by the value, since nobody ever wrote it down"
    assert idle["next"][0]["step"] == "provision"

    command("rotate", "run", "demo")
    was = state(tmp_path)
    asked(tmp_path)
    half = json.loads(out(command("rotate", "status", "demo", "--format", "json")))
    assert asked(tmp_path) == ["list"], "it neither tries the new key nor uses the old one"
    assert state(tmp_path) == was
    assert (half["under_way"], half["values_read"]) == ("forward", [])
    assert {key["id"]: key["is"] for key in half["keys"]} == {"key-1": "previous", "key-2": "in use"}
    assert [step["step"] for step in half["next"]] == ["verify", "wait"]
    assert half["next"][1]["not_before"] > half["as_of"]
    assert half["decisions"] == {"promote": True, "retire": None}
    assert half["grace_decided_by"] == "schedule production of policy keyaudit-default"
    assert half["record"][-1]["outcome"] == "waiting"
    shown = out(command("rotate", "status", "demo"))
    assert "  previous: key-1, version 0" in shown
    assert "  grace: 2 d (schedule production of policy keyaudit-default)" in shown
    assert "CANARY" not in shown + json.dumps(half)


def test_status_names_a_key_that_nothing_explains_and_one_whose_value_was_lost(command, tmp_path) -> None:
    prepare(tmp_path)
    keys = json.loads((tmp_path / "provider.json").read_text())
    token = json.loads(out(command("rotate", "status", "demo", "--format", "json")))["token"]
    more = [
        {**keys[0], "id": "foreign", "value": "a"},
        {**keys[0], "id": "lost", "value": "b", "token": token},
    ]
    (tmp_path / "provider.json").write_text(json.dumps([*keys, *more]))
    found = json.loads(out(command("rotate", "status", "demo", "--format", "json")))
    assert {key["id"]: key["is"] for key in found["keys"]} == {
        "key-1": "in use",
        "foreign": "unaccounted",
        "lost": "minted, not stored",
    }
    rotated(command)
    assert alive(tmp_path) == ["foreign", "key-4"], "what is lost is revoked, what is foreign is left alone"


def test_an_emergency_revokes_first_replaces_then_and_asks_about_the_escape(command, tmp_path) -> None:
    prepare(tmp_path)
    unasked = command("rotate", "emergency", "demo")
    assert unasked.returncode == 1
    assert alive(tmp_path) == ["key-1"]
    assert "key key-1 is revoked NOW" in err(unasked)
    asked(tmp_path)
    done = command("rotate", "emergency", "demo", "--yes", "--reason", "in a public repository")
    assert done.returncode == 0, err(done)
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-2", ["key-2"])
    requests = asked(tmp_path)
    assert requests.index("revoke") < requests.index("mint"), "the outage is accepted, the leak is not"
    for said in (
        "find out how it escaped",
        "pre-commit hook",
        "redact",
        "every consumer",
        "provider's own log",
    ):
        assert said in err(done)

    found = json.loads(out(command("rotate", "status", "demo", "--format", "json")))
    assert found["escape_to_look_into"] == record(tmp_path)[0]["at"]
    assert command("rotate", "emergency", "demo", "--audited", " ").returncode == 2
    audited = command("rotate", "emergency", "demo", "--audited", "provider log read: no foreign use")
    assert audited.returncode == 0
    assert record(tmp_path)[-1]["reason"] == "provider log read: no foreign use"
    found = json.loads(out(command("rotate", "status", "demo", "--format", "json")))
    assert found["escape_to_look_into"] is None
    assert command("rotate", "emergency", "demo", "--audited", "again").returncode == 2


def test_an_emergency_never_takes_the_new_key_for_the_one_that_escaped(command, tmp_path) -> None:
    prepare(tmp_path)
    command("rotate", "emergency", "demo", "--yes")
    again = command("rotate", "emergency", "demo", "--yes")
    assert again.returncode == 2
    assert "--key-id key-2, or another" in err(again)
    assert alive(tmp_path) == ["key-2"]
    named = command("rotate", "emergency", "demo", "--yes", "--key-id", "key-2")
    assert named.returncode == 0
    assert alive(tmp_path) == ["key-3"]


def test_an_emergency_refuses_a_key_that_is_nobodys(command, tmp_path) -> None:
    prepare(tmp_path)
    slip = command("rotate", "emergency", "demo", "--yes", "--key-id", "key-l")
    assert slip.returncode == 2
    assert "no key is called key-l; nothing was revoked" in err(slip)
    assert "lists key-1; in use is key-1" in err(slip)
    assert alive(tmp_path) == ["key-1"]


def test_an_emergency_says_no_more_than_what_it_did(command, tmp_path) -> None:
    """A key that is not in use is not replaced; one that is not listed may still work."""
    prepare(tmp_path)
    state = tmp_path / "provider.json"
    (first,) = json.loads(state.read_text())
    state.write_text(json.dumps([first, {**first, "id": "key-0", "value": "x"}]))
    other = command("rotate", "emergency", "demo", "--yes", "--key-id", "key-0")
    assert other.returncode == 0
    assert "the key is dead; it was not the one in use here, and nothing was replaced" in err(other)
    assert (alive(tmp_path), served(tmp_path)) == (["key-1"], f"{CANARY}-1")
    state.write_text(json.dumps([{**first, "id": "key-0", "value": "x"}]))
    elsewhere = command("rotate", "emergency", "demo", "--yes", "--key-id", "key-1")
    assert elsewhere.returncode == 0, err(elsewhere)
    assert "key key-1 is not listed by its provider" in err(elsewhere)
    assert "make sure that key-1 is dead; it is replaced" in err(elsewhere)
    assert "the key is dead" not in err(elsewhere)


def test_a_dead_key_in_use_is_named_where_no_record_tells_of_the_emergency(command, tmp_path) -> None:
    """On another machine nothing is left to go on with, and yet applications fail."""
    prepare(tmp_path)
    (tmp_path / "broken").touch()
    first = command("rotate", "emergency", "demo", "--yes")
    assert "applications are given key key-1, which its provider does not list" in err(first)
    shutil.rmtree(tmp_path / ".keyaudit")
    (tmp_path / "broken").unlink()
    assert "key key-1: current, not listed by its provider" in out(command("rotate", "status", "demo"))
    for way in ("resume", "rollback"):
        left = command("rotate", way, "demo", "--yes")
        assert left.returncode == 1
        assert "hint: applications fail if that key is dead: keyaudit rotate run demo" in err(left)
    mended = command("rotate", "run", "demo", "--again", "--yes", "--no-wait")
    assert mended.returncode == 0
    assert "applications are given key key-3\n" in err(mended)


def test_an_emergency_that_was_blocked_goes_on_with_its_own_keys_by_resume_too(command, tmp_path) -> None:
    prepare(tmp_path)
    (tmp_path / "broken").touch()
    first = command("rotate", "emergency", "demo", "--yes")
    assert first.returncode == 1, "the new key does not work, and the old one is dead"
    assert (alive(tmp_path), asked(tmp_path).count("mint")) == ([], 1), "no provider is asked for ever"
    (tmp_path / "broken").unlink()
    resumed = command("rotate", "resume", "demo", "--yes")
    assert resumed.returncode == 0, err(resumed)
    assert len(alive(tmp_path)) == 1
    assert "find out how it escaped" in err(resumed)
    goals = [each["goal"] for each in record(tmp_path) if each["event"] == "requested"]
    assert goals == ["emergency", "emergency"]


def two(tmp_path: Path, **settings) -> None:
    staging = entry("staging", "STAGING_KEY", environment="staging")
    prepare(tmp_path, staging, entry("demo", after="staging", **settings))
    keys = json.loads((tmp_path / "provider.json").read_text())
    keys.append({**keys[0], "id": "key-staging", "value": f"{CANARY}-staging"})
    (tmp_path / "provider.json").write_text(json.dumps(keys))
    with (tmp_path / ".env").open("a") as file:
        file.write(f"STAGING_KEY={CANARY}-staging\n")


def test_production_waits_for_staging_and_says_until_when(command, tmp_path) -> None:
    two(tmp_path)
    first = command("rotate", "run", "demo", "--yes")
    assert first.returncode == 1
    assert "demo: not begun: staging goes first, and no rotation put its value there" in err(first)
    assert command("rotate", "run", "staging", "--yes").returncode == 3
    assert "staging is being rotated itself" in err(command("rotate", "begin", "demo"))
    assert command("rotate", "resume", "staging", "--yes", "--confirm-silent").returncode == 0
    early = command("rotate", "run", "demo", "--yes", "--confirm-silent")
    assert early.returncode == 3, "time will do, no human is needed"
    assert re.search(r"7 d must lie between: not before 20\d\d-\d\d-\d\dT", err(early))
    assert "key-1" in alive(tmp_path)

    unfounded = command("rotate", "run", "demo", "--yes", "--confirm-silent", "--out-of-order")
    assert unfounded.returncode == 2
    assert "--out-of-order needs a --reason" in err(unfounded)
    rotated(command, "--out-of-order", "--reason", "the key is in a screenshot")
    assert {each["reason"] for each in record(tmp_path)} == {"out of order: the key is in a screenshot"}


def test_when_staging_is_long_enough_ago_production_begins(command, tmp_path) -> None:
    two(tmp_path, apart="0s")
    assert command("rotate", "run", "staging", "--yes", "--confirm-silent").returncode == 0
    rotated(command)


def test_an_emergency_and_what_is_under_way_wait_for_no_other_environment(command, tmp_path) -> None:
    two(tmp_path)
    assert command("rotate", "emergency", "demo", "--yes").returncode == 0
    two(tmp_path)
    assert command("rotate", "begin", "demo", "--out-of-order", "--reason", "drill").returncode == 0
    assert command("rotate", "run", "demo", "--yes", "--confirm-silent").returncode == 0


REFUSED = [
    ({"labels": {"keyaudit:user_owned": "true"}}, "demo: this key is its user's own (user_owned)"),
    ({"window": "3d"}, "the window of silence (3d) is longer than the grace period (2d, schedule production"),
    ({"window": "2h", "grace_period": "1h"}, "is longer than the grace period (1h, grace_period of keyaudit"),
]


@pytest.mark.parametrize(("settings", "said"), REFUSED)
def test_what_must_not_be_rotated_so_is_not(settings, said, command, tmp_path) -> None:
    prepare(tmp_path, entry(**settings))
    done = command("rotate", "run", "demo", "--yes")
    assert done.returncode == 2
    assert said in err(done)
    assert alive(tmp_path) == ["key-1"]


def test_the_strictest_grace_counts_where_not_enough_is_known(command, tmp_path) -> None:
    prepare(tmp_path, entry(environment=None))
    shown = out(command("rotate", "status", "demo"))
    assert (
        "grace: 1 d (schedule production-tier-1 of policy keyaudit-default, the strictest of those" in shown
    )
    prepare(tmp_path, entry(environment=None, labels={"env": "staging"}))
    assert "grace: 7 d (schedule staging" in out(command("rotate", "status", "demo"))
    prepare(tmp_path, entry(environment=None), frameworks=["pci-dss"])
    assert "grace: 1 d" in out(command("rotate", "status", "demo"))


def test_a_policy_without_a_grace_period_leaves_the_question_to_the_entry(command, tmp_path) -> None:
    prepare(tmp_path)
    (tmp_path / "p.yaml").write_text(
        (Path(__file__).parents[2] / "policies" / "default.yaml")
        .read_text()
        .replace("    grace_period: ", "    # ")
    )
    done = command("rotate", "status", "demo", "--policy", "p.yaml")
    assert done.returncode == 2
    assert "no schedule of policy keyaudit-default says how long an old key may stay usable" in err(done)
    prepare(tmp_path, entry(grace_period="2h"))
    assert "grace: 2 h (grace_period of keyaudit.yaml)" in out(
        command("rotate", "status", "demo", "--policy", "p.yaml")
    )


AWS = {"kind": "aws-secrets-manager", "secret": "prod/app"}
WRONG = [
    ({"rotations": "x"}, "1:15: rotations: expected a list of `- name: …`"),
    ({"rotations": ["x"]}, "rotations[0]: expected settings: name, store, issuer, probe, …"),
    ({"rotations": [entry(), entry()]}, "rotations[1].name: another rotation has this name"),
    ({"rotations": [entry(windw="1h")]}, "rotations[0].windw: unknown setting; did you mean 'window'?"),
    ({"rotations": [entry(after="demo2")]}, "rotations[0].after: no such rotation; did you mean 'demo'?"),
    ({"rotations": [entry(after="demo")]}, "`after` names this rotation itself"),
    (
        {"rotations": [entry("a", "A", after="b"), entry("b", "B", after="c"), entry("c", "C", after="a")]},
        "rotations[0].after: these wait for each other: b → c → a",
    ),
    (
        {"rotations": [entry(store={"kind": "dotenv", "path": ".env", "variabel": "X"})]},
        "rotations[0].store.variabel: unknown setting; did you mean 'variable'?",
    ),
    ({"rotations": [entry(issuer={"kind": "openia"})]}, "no such issuer; did you mean 'openai'?"),
    ({"rotations": [entry(probe=None)]}, "rotations[0].probe: is missing"),
    (
        {"rotations": [entry(), entry("b")]},
        "rotations[1].store: this is the secret of demo: a secret holds one",
    ),
    (
        {"rotations": [entry(name, store={**AWS, "fields": {"key": name}}) for name in ("a", "b")]},
        "rotations[1].store: this is the secret of a: a secret holds one",
    ),
    ({"rotations": [entry(apart=7)]}, "rotations[0].apart: a duration has a unit: write 30s, 5m or 24h"),
    (
        {"rotations": [entry(probe={"kind": "command", "argv": ["true"], "timeout": 30})]},
        "rotations[0].probe.timeout: a duration has a unit: write 30s, 5m or 24h",
    ),
]


@pytest.mark.parametrize(("document", "said"), WRONG)
def test_what_cannot_be_obeyed_is_refused_with_its_line(document, said, command, tmp_path) -> None:
    (tmp_path / "keyaudit.yaml").write_text(json.dumps(document))
    done = command("rotate", "list")
    assert done.returncode == 2
    assert said in err(done)
    assert all(re.match(r"keyaudit\.yaml:\d+:\d+: ", line) for line in err(done).splitlines())


def test_every_problem_is_said_at_once(command, tmp_path) -> None:
    prepare(tmp_path, entry(window="soon", after="nobody"), entry("demo2", "OTHER_KEY", grace_period=3))
    assert len(err(command("rotate", "list")).splitlines()) == 3


def test_list_shows_the_rotations_in_their_order(command, tmp_path) -> None:
    two(tmp_path)
    rows = json.loads(out(command("rotate", "list", "--format", "json")))
    assert [row["name"] for row in rows] == ["staging", "demo"]
    assert rows[1]["after"] == "staging"
    assert "command key in dotenv, probe command, silence none" in out(command("rotate", "list"))


def test_names_and_files_that_there_are_not_say_what_to_write(command, tmp_path) -> None:
    none = command("rotate", "run", "demo")
    assert (none.returncode, "there is no keyaudit.yaml here" in err(none)) == (2, True)
    prepare(tmp_path)
    near = command("rotate", "run", "dmeo")
    assert (near.returncode, "hint: did you mean 'demo'?" in err(near)) == (2, True)
    (tmp_path / "keyaudit.yaml").write_text("fail_on: high\n")
    assert "has no rotation yet" in err(command("rotate", "run", "demo"))


def test_what_a_record_could_not_show_is_refused_before_anything_is_done(command, tmp_path) -> None:
    prepare(tmp_path)
    for option in ("--reason", "--ticket", "--requested-by", "--approved-by"):
        for text in ("two\nlines", "\x1b[2J", "x" * 1001):
            done = command("rotate", "run", "demo", option, text)
            assert done.returncode == 2
            assert err(done).startswith(f"keyaudit: {option}: one line")
    assert alive(tmp_path) == ["key-1"]


def test_who_asks_and_allows_alike_is_told_that_an_audit_will_say_so(command, tmp_path) -> None:
    prepare(tmp_path)
    done = command("rotate", "begin", "demo", "--requested-by", "Me@acme", "--approved-by", "me@acme")
    assert "requested and approved by the same person" in err(done)


def test_the_record_goes_where_it_is_wanted(command, tmp_path) -> None:
    prepare(tmp_path)
    command("rotate", "begin", "demo", "--journal", "records")
    assert (tmp_path / "records" / "demo.ndjson").exists()
    assert not (tmp_path / ".keyaudit").exists()
    unwritable = command("rotate", "run", "demo", "--journal", "keyaudit.yaml", "--yes")
    assert unwritable.returncode == 3
    assert "nothing is changed without a record" in err(unwritable)
    assert (served(tmp_path), alive(tmp_path)) == (f"{CANARY}-1", ["key-1", "key-2"])


def test_a_key_that_is_made_by_hand_comes_over_stdin_and_is_never_shown(keyaudit, tmp_path) -> None:
    manual = {"kind": "manual", "provider": "other", "url": "https://acme.example/keys"}
    trusting = {"kind": "command", "argv": [sys.executable, "-c", "pass"]}
    prepare(tmp_path, entry(issuer=manual, probe=trusting))
    nobody = keyaudit("rotate", "run", "demo")
    assert nobody.returncode == 3
    assert "Make the new key by hand:" in err(nobody)
    given = keyaudit("rotate", "run", "demo", "--new-value", "-", stdin=f"{CANARY}-by-hand\n".encode())
    assert given.returncode == 3, err(given)
    assert served(tmp_path) == f"{CANARY}-by-hand"
    told = keyaudit("rotate", "resume", "demo", "--confirm-silent", "--yes")
    assert told.returncode == 3
    assert "Revoke a key by hand, for good:" in err(told)
    done = keyaudit("rotate", "resume", "demo", "--confirm-silent", "--yes", "--done")
    assert done.returncode == 0, err(done)
    assert "_OLD" not in (tmp_path / ".env").read_text()
    said = b"".join(each.stdout + each.stderr for each in (nobody, given, told, done)).decode()
    assert "CANARY" not in said + json.dumps(record(tmp_path))


def test_nothing_over_stdin_is_said_without_being_taken_for_a_key(keyaudit, tmp_path) -> None:
    manual = {"kind": "manual", "provider": "other", "url": "https://acme.example/keys"}
    prepare(tmp_path, entry(issuer=manual))
    done = keyaudit("rotate", "run", "demo", "--new-value", "-", stdin=b"\n")
    assert (done.returncode, "nothing came over stdin" in err(done)) == (2, True)


def test_a_log_for_machines_has_an_object_a_line(command, tmp_path) -> None:
    prepare(tmp_path)
    done = command("rotate", "run", "demo", "--log-format", "json")
    events = [json.loads(line) for line in err(done).splitlines()]
    steps = [each["step"] for each in events if each["event"] == "rotation-step"]
    assert steps == ["provision", "verify", "decide", "promote", "wait"]
    assert events[-1]["exit_code"] == 3


def test_a_store_that_cannot_be_asked_is_3_and_names_no_value(command, tmp_path) -> None:
    prepare(tmp_path)
    (tmp_path / ".env").unlink()
    done = command("rotate", "run", "demo")
    assert done.returncode == 3
    assert alive(tmp_path) == ["key-1"]


def test_an_audit_loads_nothing_that_could_change_a_credential(keyaudit, tmp_path) -> None:
    """Only what `rotations:` is called is looked at there, even where its settings are wrong."""
    import subprocess

    prepare(tmp_path, entry(), entry("demo2", store={"kind": "nothing"}), inventory=["inventory.json"])
    (tmp_path / "inventory.json").write_text('{"schema": "keyaudit/inventory/1", "credentials": []}')
    program = (
        "import sys; from keyaudit.cli import run; run(['scan', '--as-of', '2026-05-01T00:00:00Z']);"
        "sys.exit(any(name.startswith('keyaudit.rotation.') or name == 'keyaudit.rotation' for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, b"unknown setting" in done.stderr) == (0, False), done.stderr
    assert DotenvFile.kind == "dotenv"
