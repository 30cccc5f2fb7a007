"""Several sources at once: one that cannot begin, one that crashes, and what stderr says of all of them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from cli.live_sources import ACCOUNT, NOBODY, STORE, configure, entry
from servers.aws_dialect import AwsJson
from servers.fault_proxy import Fault, FaultProxy
from servers.secrets_manager import SecretsManager
from transcripts import surroundings

THEN = int(time.time()) - 30 * 86_400
OWN = {
    "schema": "keyaudit/inventory/1",
    "credentials": [{"source": "hand", "scope": "acme", "id": "groq", "name": "groq"}],
}


def fill(server: SecretsManager, region: str = "eu-west-1", count: int = 1, name: str = "app") -> None:
    for number in range(count):
        versions = [{"VersionId": f"{number}", "VersionStages": ["AWSCURRENT"], "CreatedDate": THEN}]
        server.put(f"{name}/{number}", versions, region=region, CreatedDate=THEN, LastChangedDate=THEN)


@pytest.fixture
def store() -> Iterator[SecretsManager]:
    with SecretsManager() as server:
        fill(server)
        yield server


def lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stderr.decode("ascii").splitlines()]


class Meeting(SecretsManager):
    """Answers a list only when another server is asked for one at the same time."""

    def __init__(self, both: threading.Barrier) -> None:
        self.both = both
        super().__init__()

    def answer(self, operation: str, region: str, body: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListSecrets":
            self.both.wait(20)
        return super().answer(operation, region, body)


def test_sources_are_listed_at_the_same_time(keyaudit, tmp_path) -> None:
    both = threading.Barrier(2)
    with Meeting(both) as one, Meeting(both) as other:
        fill(one)
        fill(other, "eu-west-2")
        configure(
            tmp_path, entry(one.url, timeout="25s"), entry(other.url, "other", "eu-west-2", timeout="25s")
        )
        done = keyaudit("inventory", "pull", **NOBODY)
    assert done.returncode == 0, done.stderr.decode()
    assert len(json.loads(done.stdout)["credentials"]) == 2


NOT_BEGUN = "source other: no AWS profile named 'nobodys'"


def test_a_source_that_cannot_begin_is_a_failed_scope_among_others(store, keyaudit, tmp_path) -> None:
    configure(tmp_path, entry(store.url), entry(store.url, "other", profile="nobodys"))
    done = keyaudit("scan", "--format", "json", "--fail-on", "none", **NOBODY)
    assert done.returncode == 3, done.stderr.decode()
    report = json.loads(done.stdout)
    coverage = {
        each["scope"]: (each["source"], each["status"], each["reason"]) for each in report["coverage"]
    }
    assert coverage == {
        f"{ACCOUNT}/eu-west-1": (STORE, "complete", None),
        "*": (STORE, "failed", NOT_BEGUN),
    }
    assert ("KA901", f"{STORE} *") in {(each["rule"], each["subject"]) for each in report["findings"]}
    assert NOT_BEGUN in done.stderr.decode().splitlines()


def test_one_that_cannot_begin_beside_a_document_is_said_on_page_one(keyaudit, tmp_path) -> None:
    (tmp_path / "own.json").write_text(json.dumps(OWN))
    configure(tmp_path, entry("http://127.0.0.1:9", "other", profile="nobodys"), inventory=["own.json"])
    done = keyaudit("scan", **NOBODY)
    assert done.returncode == 3
    assert f"{STORE} *" in done.stdout.decode()
    assert NOT_BEGUN in re.sub(r"\s+", " ", done.stdout.decode())


def test_two_of_a_kind_that_cannot_begin_are_both_named(store, keyaudit, tmp_path) -> None:
    failing = [entry(store.url, name, profile=f"{name}s") for name in ("one", "two")]
    configure(tmp_path, entry(store.url), *failing)
    done = keyaudit("inventory", "pull", "--output", "pulled.json", **NOBODY)
    assert done.returncode == 3
    (reason,) = [
        each["reason"]
        for each in json.loads((tmp_path / "pulled.json").read_text())["coverage"]
        if each["scope"] == "*"
    ]
    assert reason == "source one: no AWS profile named 'ones'; source two: no AWS profile named 'twos'"
    assert keyaudit("inventory", "validate", "pulled.json").returncode == 0


@pytest.mark.parametrize("command", [("scan",), ("inventory", "pull")])
def test_where_none_can_begin_nothing_is_audited(command, keyaudit, tmp_path) -> None:
    configure(tmp_path, *(entry("http://127.0.0.1:9", name, profile=f"{name}s") for name in ("one", "two")))
    done = keyaudit(*command, **NOBODY)
    assert (done.returncode, done.stdout) == (2, b"")
    said = done.stderr.decode().splitlines()
    assert said[-2:] == [
        "keyaudit: source one: no AWS profile named 'ones'; source two: no AWS profile named 'twos'",
        "hint: aws configure list-profiles",
    ]


def test_a_missing_extra_is_an_error_whoever_else_could_be_listed(store, tmp_path) -> None:
    (tmp_path / "own.json").write_text(json.dumps(OWN))
    configure(tmp_path, entry(store.url), entry(store.url, "other"), inventory=["own.json"])
    program = (
        "import sys; sys.modules['botocore'] = None; from keyaudit.cli import run; sys.exit(run(['scan']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**surroundings(), **NOBODY, "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "hint: pip install 'keyaudit[aws]'"


def test_what_two_sources_both_list_is_refused_with_their_names(store, keyaudit, tmp_path) -> None:
    configure(tmp_path, entry(store.url), entry(store.url, "again"))
    done = keyaudit("inventory", "pull", **NOBODY)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "is in production and again" in done.stderr.decode()


def test_an_audit_without_as_of_is_of_the_moment_when_all_was_listed(store, keyaudit, tmp_path) -> None:
    """Otherwise whatever changed while a long listing ran would lie in the future, and so would the listing."""
    configure(tmp_path, entry(store.url))
    done = keyaudit("scan", "--framework", "soc2", "--format", "json", **NOBODY)
    report = json.loads(done.stdout)
    assert report["inventory"]["collected_at"] <= report["as_of"]
    assert "after the instant of the audit" not in done.stdout.decode()
    earlier = keyaudit(
        "scan", "--framework", "soc2", "--as-of", "2026-05-01T00:00:00Z", "--format", "json", **NOBODY
    )
    assert "after the instant of the audit" in earlier.stdout.decode()


EVENTS = {
    "source-started": {"name", "source"},
    "scope-progress": {"name", "source", "scope", "credentials", "calls", "throttled", "done", "scopes"},
    "scope-finished": {
        "name", "source", "scope", "credentials", "calls", "throttled", "done", "scopes", "status", "pages", "reason",
    },
    "source-finished": {"name", "source", "status", "credentials", "calls", "throttled", "scopes", "reason"},
    "written": {"path", "message"},
    "pulled": {"credentials", "scopes", "incomplete", "exit_code", "message"},
}  # fmt: skip


def test_a_machine_reads_one_object_a_line(store, keyaudit, tmp_path) -> None:
    store.page = 1
    fill(store, "eu-west-2", 3)
    with FaultProxy(store.url, AwsJson("SecretList")) as proxy:
        throttled = Fault(
            "throttled", "ListSecrets", scope="eu-west-2", times=1, headers={"Retry-After": "0"}
        )
        proxy.plan(throttled, Fault("denied", "ListSecrets", scope="eu-central-1"))
        configure(
            tmp_path,
            entry(proxy.url, regions=["eu-west-2", "eu-central-1"]),
            entry(proxy.url, "other", profile="nobodys"),
        )
        done = keyaudit("inventory", "pull", "--output", "p.json", "--log-format", "json", **NOBODY)
    assert done.returncode == 3
    said = lines(done)
    assert [set(each) - {"time", "event"} for each in said] == [EVENTS[each["event"]] for each in said]
    assert all(datetime.fromisoformat(each["time"]).utcoffset() is not None for each in said)
    by_event: dict[str, list[dict[str, Any]]] = {}
    for each in said:
        by_event.setdefault(each["event"], []).append(each)
    assert [each["name"] for each in by_event["source-started"]] == ["production", "other"]
    finished = {each["scope"]: each for each in by_event["scope-finished"]}
    well, denied = finished[f"{ACCOUNT}/eu-west-2"], finished[f"{ACCOUNT}/eu-central-1"]
    assert [well[name] for name in ("name", "source", "status", "credentials", "pages", "calls", "throttled")] == [
        "production", STORE, "complete", 3, 3, 7, 1,
    ]  # fmt: skip
    assert (denied["status"], denied["reason"]) == ("failed", "denied (AccessDeniedException)")
    assert max(finished.values(), key=lambda each: each["done"])["done"] == 2
    ended = {each["name"]: each for each in by_event["source-finished"]}
    assert (ended["production"]["status"], ended["production"]["credentials"]) == ("incomplete", 3)
    assert (ended["other"]["status"], ended["other"]["reason"]) == ("failed", NOT_BEGUN)
    assert [each["path"] for each in by_event["written"]] == ["p.json"]
    assert (by_event["pulled"][0]["incomplete"], by_event["pulled"][0]["exit_code"]) == (2, 3)
    assert b"CANARY" not in done.stderr


def test_errors_are_objects_too(keyaudit, tmp_path) -> None:
    configure(tmp_path, {**entry("http://127.0.0.1:9"), "region": "x"})
    done = keyaudit("scan", "--log-format", "json", **NOBODY)
    assert done.returncode == 2
    assert [each["event"] for each in lines(done)] == ["problem"]
    done = keyaudit("scan", "--log-format", "json", "--config", "none.yaml", **NOBODY)
    assert [(each["event"], each.get("exit_code")) for each in lines(done)] == [("error", 2), ("hint", None)]
    done = keyaudit("scan", "--log-format", "json", "--fail-on", "worst", **NOBODY)
    assert [each["event"] for each in lines(done)] == ["error", "hint"]


HOSTILE = "prod\x1b[2J\u202eevil\x7f"


@pytest.mark.parametrize("form", ["text", "json"])
def test_names_cannot_drive_a_terminal_or_a_log(form, store, keyaudit, tmp_path) -> None:
    configure(tmp_path, entry(store.url, HOSTILE), entry(store.url, "other", profile="nobodys"))
    done = keyaudit("inventory", "pull", "--log-format", form, **NOBODY)
    assert done.returncode == 3, done.stderr
    assert not {0x1B, 0x7F} & set(done.stderr)
    assert "\u202e" not in done.stderr.decode()
    if form == "json":
        assert HOSTILE in {each.get("name") for each in lines(done)}
    else:
        assert "prod\\x1b[2J\\u202eevil\\x7f: 1 of 1 scopes" in done.stderr.decode()


def interrupted(folder, *arguments: str) -> tuple[int, list[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "keyaudit", *arguments],
        cwd=folder,
        env={**surroundings(), **NOBODY, "XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"scope-progress" in line:
            break
    time.sleep(0.5)  # until everybody waits
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    said = process.communicate()[1].decode()
    assert time.monotonic() - began < 5
    return process.returncode, said.splitlines()


def test_an_interrupt_ends_a_scan_although_polars_is_loaded_and_a_machine_reads_on(store, tmp_path) -> None:
    """polars, which reads the document first, restarts a wait that a signal broke off."""
    (tmp_path / "own.json").write_text(json.dumps(OWN))
    fill(store, "eu-west-2", 200)
    configure(
        tmp_path,
        entry(store.url, region="eu-west-2", requests_per_second=5, cache=False),
        inventory=["own.json"],
    )
    code, said = interrupted(tmp_path, "scan", "--log-format", "json")
    assert code == 130
    assert [json.loads(line)["event"] for line in said][-1] == "error"
    assert json.loads(said[-1])["message"] == "keyaudit: interrupted; no audit was made"
    assert not [line for line in said if "goes on from there" in line], "nothing is kept where nothing may be"
