"""`inventory pull`: one document of what stores say now, whole or not at all, also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.live_sources import ACCOUNT, NOBODY, STORE, configure, entry
from keyaudit import inventory
from servers.aws_dialect import AwsJson
from servers.fault_proxy import Fault, FaultProxy
from servers.listing import asked, listing_server
from servers.secrets_manager import SecretsManager
from transcripts import surroundings

DAY = 86_400
PULL = ("inventory", "pull")


@pytest.fixture
def store() -> Iterator[SecretsManager]:
    then = int(time.time()) - 30 * DAY
    with SecretsManager() as server:
        for name in ("one", "two"):
            versions = [{"VersionId": f"{name}-1", "VersionStages": ["AWSCURRENT"], "CreatedDate": then}]
            server.put(name, versions, CreatedDate=then, LastChangedDate=then)
        yield server


def test_everything_that_keyaudit_yaml_names_becomes_one_document_on_stdout(
    store, keyaudit, tmp_path
) -> None:
    configure(tmp_path, entry(store.url), entry(store.url, "elsewhere", "eu-west-2"), inventory=["own.yaml"])
    store.secrets["eu-west-2"] = store.secrets["eu-west-1"][:1]
    done = keyaudit(*PULL, **NOBODY)
    assert done.returncode == 0, done.stderr.decode()
    document = json.loads(done.stdout)
    assert document["schema"] == "keyaudit/inventory/1"
    scopes = [
        (each["source"], each["scope"], each["status"], each["credentials"]) for each in document["coverage"]
    ]
    assert scopes == [
        (STORE, f"{ACCOUNT}/eu-west-1", "complete", 2),
        (STORE, f"{ACCOUNT}/eu-west-2", "complete", 1),
    ]
    assert [each["name"] for each in document["credentials"]] == ["one", "two", "one"]
    assert "3 credentials in 2 scopes" in done.stderr.decode().splitlines()


def test_only_the_sources_that_are_named_are_asked(store, keyaudit, tmp_path) -> None:
    configure(tmp_path, entry(store.url), entry("http://127.0.0.1:9", "unreachable"))
    done = keyaudit(*PULL, "--source", "production", "--source", "production", **NOBODY)
    assert done.returncode == 0, done.stderr.decode()
    assert len(store.asked("ListSecrets")) == 1


@pytest.mark.parametrize("suffix", ["json", "yaml", "ndjson", "csv", "parquet"])
def test_the_suffix_says_the_format_and_a_scan_reads_it_back(suffix, store, keyaudit, tmp_path) -> None:
    configure(tmp_path, entry(store.url))
    done = keyaudit(*PULL, "--output", f"pulled.{suffix}", **NOBODY)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr.decode()
    assert f"wrote pulled.{suffix}" in done.stderr.decode().splitlines()
    listed = inventory.read([tmp_path / f"pulled.{suffix}"])
    assert [each.status for each in listed.coverage] == ["complete"]
    assert listed.credentials.collect()["name"].to_list() == ["one", "two"]


def test_without_a_suffix_the_format_is_an_option(store, keyaudit, tmp_path) -> None:
    configure(tmp_path, entry(store.url))
    assert keyaudit(*PULL, "--output", "pulled", "--format", "ndjson", **NOBODY).returncode == 0
    first = (tmp_path / "pulled").read_text().splitlines()[0]
    assert json.loads(first)["schema"] == "keyaudit/inventory/1"
    assert keyaudit(*PULL, "--format", "csv", **NOBODY).stdout.startswith(b'"# {')


REFUSED = [
    (("--output", "pulled"), "its suffix is of no format"),
    (("--output", "pulled.csv", "--format", "json"), "its suffix says csv, --format says json"),
    (("--output", "missing/pulled.csv"), "there is no folder missing"),
    (("--output", "."), "is a folder"),
    (("--source", "prodution"), "no source is called 'prodution'"),
    (("--log-format", "xml"), "'text', 'json'"),
]


@pytest.mark.parametrize(("arguments", "said"), REFUSED)
def test_what_cannot_be_written_is_refused_before_anybody_is_asked(
    arguments, said, tmp_path, command
) -> None:
    with SecretsManager() as server:
        configure(tmp_path, entry(server.url))
        done = command(*PULL, *arguments)
        assert server.log == []
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()


def test_with_nothing_to_pull_it_says_how_to_start(command, tmp_path) -> None:
    assert b"nothing to pull: there is no keyaudit.yaml here" in command(*PULL).stderr
    (tmp_path / "keyaudit.yaml").write_text("inventory: [own.yaml]\n")
    done = command(*PULL)
    assert done.returncode == 2
    assert b"nothing to pull: keyaudit.yaml has no `sources`" in done.stderr


UNSEEN = {
    "denied": (Fault("denied", "ListSecrets", scope="eu-west-2"), "failed"),
    "broken off": (Fault("denied", "ListSecrets", scope="eu-west-2", after=1), "partial"),
    "empty": (None, "empty"),
}


@pytest.mark.parametrize("case", UNSEEN)
def test_what_was_not_seen_is_in_the_document_and_the_exit_code_is_3(case, store, keyaudit, tmp_path) -> None:
    fault, status = UNSEEN[case]
    if fault is not None:
        store.secrets["eu-west-2"] = store.secrets["eu-west-1"]
    store.page = 1
    with FaultProxy(store.url, AwsJson("SecretList")) as proxy:
        proxy.plan(*([fault] if fault else []))
        configure(tmp_path, entry(proxy.url, regions=["eu-west-1", "eu-west-2"]))
        done = keyaudit(*PULL, "--output", "pulled.json", **NOBODY)
    assert done.returncode == 3, done.stderr.decode()
    document = json.loads((tmp_path / "pulled.json").read_text())
    assert [each["status"] for each in document["coverage"]] == ["complete", status]
    assert "2 scopes; 1 of them empty or not seen completely" in done.stderr.decode()
    again = keyaudit("scan", "--inventory", "pulled.json", "--fail-on", "none")
    assert again.returncode == 3, "a scan of the document is as incomplete"


SECRETS = 10_000


def start(folder: Path, *more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "keyaudit", *PULL, "--output", "pulled.json", *more],
        cwd=folder,
        env={**surroundings(), **NOBODY, "XDG_CACHE_HOME": str(folder / "cache")},
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    said = process.communicate()[1].decode()
    assert process.returncode == 0, said


def wait_for(url: str, answers: int) -> int:
    """Wait until the server has answered so many version lists; gives how many it has."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (count := asked(url).get("ListSecretVersionIds", 0)) >= answers:
            return count
        time.sleep(0.02)
    raise AssertionError("nobody asked")


def comparable(document: bytes) -> object:
    """Give a document without what a pull cost and when it was made."""
    content = json.loads(document)
    del content["collected_at"]
    for scope in content["coverage"]:
        for name in ("calls", "started_at", "finished_at"):
            del scope[name]
    return content


def test_a_killed_pull_leaves_no_document_and_the_next_one_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Each of 10,000 secrets costs a call, behind a quota; a kill gives nobody the time to save anything."""
    with listing_server(SECRETS, latency=0.01, quota=1500) as url:
        source = entry(url, requests_per_second=1200, calls_per_scope=16)
        configure(tmp_path, source)
        process = start(tmp_path)
        before = wait_for(url, 4_000)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        before = wait_for(url, before)
        assert sorted(os.listdir(tmp_path)) == ["cache", "keyaudit.yaml"]
        finish(start(tmp_path))
        resumed = (tmp_path / "pulled.json").read_bytes()
        again = asked(url)["ListSecretVersionIds"] - before
        uninterrupted = tmp_path / "uninterrupted"
        uninterrupted.mkdir()
        configure(uninterrupted, source)
        finish(start(uninterrupted))
        assert asked(url)["ListSecretVersionIds"] - before - again == SECRETS
    repeated = before + again - SECRETS
    assert 0 <= repeated <= 500 + 100 + 2 * 16, "at most what one checkpoint, a page and calls under way hold"
    assert comparable(resumed) == comparable((uninterrupted / "pulled.json").read_bytes())


def test_an_interrupted_pull_ends_soon_keeps_all_it_knows_and_writes_nothing(tmp_path: Path) -> None:
    """Two sources at once, one of them held back by its quota: neither keeps the other waiting."""
    total = 3_000
    with listing_server(total // 2, latency=0.01) as url:
        configure(
            tmp_path,
            entry(url, requests_per_second=300),
            entry(url, "slow", "eu-west-2", requests_per_second=50),
        )
        process = start(tmp_path)
        wait_for(url, 500)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        said = process.communicate()[1].decode()
        took = time.monotonic() - began
        assert (process.returncode, took < 5) == (130, True), (took, said)
        assert said.splitlines()[-3:] == [
            "stopping; what was listed is kept for two hours, and the same command goes on from there",
            "",
            "keyaudit: interrupted; no audit was made",
        ]
        assert not (tmp_path / "pulled.json").exists()
        before = asked(url)["ListSecretVersionIds"]
        configure(tmp_path, entry(url), entry(url, "slow", "eu-west-2"))
        text = (tmp_path / "keyaudit.yaml").read_text()
        (tmp_path / "keyaudit.yaml").write_text(
            text.replace("attempts: 2", "attempts: 2\n  requests_per_second: 2000")
        )
        finish(start(tmp_path))
        again = asked(url)["ListSecretVersionIds"] - before
    # A page of each source may have been under way: its answers are taken in when all of them are there.
    assert total <= before + again <= total + 200
    document = json.loads((tmp_path / "pulled.json").read_text())
    assert [each["credentials"] for each in document["coverage"]] == [total // 2, total // 2]
