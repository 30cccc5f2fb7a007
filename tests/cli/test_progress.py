"""What a person sees move, in a real pseudo-terminal, and what a log gets instead."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cli.live_sources import ACCOUNT, NOBODY, STORE, configure, entry
from cli.test_listing import fill
from keyaudit.cli.progress import MOST_LINES, Progress, Standing, _lines
from keyaudit.model import Coverage, ScopeStatus
from keyaudit.sources import ScopeProgress
from servers.secrets_manager import SecretsManager
from transcripts import surroundings

ESCAPES = re.compile(r"\x1b\[(\d*)([A-Za-z])")


def on_a_terminal(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run the program with a terminal as stderr; gives what it wrote there."""
    leader, follower = pty.openpty()
    written: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(leader, 65_536):
                written.append(part)
        except OSError:  # what Linux says when the other end is closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    done = subprocess.run(
        [sys.executable, "-m", "keyaudit", *arguments],
        cwd=folder,
        env={
            **surroundings(),
            **NOBODY,
            "XDG_CACHE_HOME": str(folder / "cache"),
            "COLUMNS": "80",
            "TERM": "xterm",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=follower,
        check=False,
        timeout=120,
    )
    os.close(follower)
    reader.join()
    os.close(leader)
    return done.returncode, b"".join(written).decode().replace("\r\n", "\n")


def screen(written: str) -> tuple[list[str], list[str]]:
    """Play what was written on a terminal that knows three escapes; gives what stays, and every line ever shown."""
    lines, row, shown, at = [""], 0, [], 0
    while at < len(written):
        if match := ESCAPES.match(written, at):
            assert match[2] in {"A", "J"}, f"no colours, nothing but movement: {match[0]!r}"
            if match[2] == "A":
                row -= int(match[1] or 1)
            else:
                lines = [*lines[:row], ""]
            at = match.end()
            continue
        if written[at] == "\n":
            row += 1
            lines.append("")
        elif written[at] != "\r":
            lines[row] += written[at]
            shown.append(lines[row])
        at += 1
    return lines, shown


@pytest.fixture
def store():
    with SecretsManager(page=5) as server:
        fill(server, count=20)
        fill(server, "eu-west-2", count=20)
        yield server


def test_a_person_sees_lines_that_move_fit_and_vanish(store, tmp_path) -> None:
    name = "the secrets of everything in production " * 2
    configure(
        tmp_path,
        entry(store.url, name.strip(), requests_per_second=20),
        entry(store.url, "elsewhere", "eu-west-2", requests_per_second=20),
        entry(store.url, "gone", profile="nobodys"),
    )
    code, written = on_a_terminal(tmp_path, "inventory", "pull")
    assert code == 3
    stays, shown = screen(written)
    moving = [line for line in shown if not any(each.startswith(line) for each in stays)]
    assert 70 < max(map(len, moving)) <= 79
    assert any("of 1 scopes" in line and line.startswith("elsewhere: ") for line in shown)
    assert any(line.startswith("all 3 sources: ") and "credentials, " in line for line in shown)
    assert [line for line in stays if line.startswith(("all 3", "elsewhere: 0"))] == []
    assert stays[-2:] == ["40 credentials in 3 scopes; 1 of them empty or not seen completely", ""]
    assert "source gone: no AWS profile named 'nobodys'" in stays
    assert not [line for line in stays if f"{STORE} {ACCOUNT}" in line], (
        "what went well leaves no line of its scope"
    )


def test_what_did_not_go_well_stays_above_the_lines_that_move(store, tmp_path) -> None:
    configure(
        tmp_path,
        entry(store.url, regions=["eu-west-1", "us-east-1"], timeout="1s", endpoint_url="http://127.0.0.1:9"),
    )
    code, written = on_a_terminal(tmp_path, "inventory", "pull", "--source", "production")
    assert code == 3
    stays, _ = screen(written)
    assert len([line for line in stays if "failed, 0 credentials" in line]) == 2


def test_one_line_is_enough_for_one_source_and_no_colour_is_used(store, tmp_path) -> None:
    configure(tmp_path, entry(store.url, requests_per_second=20))
    for environment in ({}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}):
        code, written = on_a_terminal(tmp_path, "inventory", "pull", **environment)
        stays, shown = screen(written)
        assert code == 0
        assert any(line.startswith("production: 0 of 1 scopes, ") for line in shown)
        assert not any("sources" in line for line in shown)
        assert stays == ["20 credentials in 1 scopes", ""]


@pytest.mark.parametrize("arguments", [(), ("--log-format", "json")])
def test_a_dumb_terminal_and_a_machine_get_lines_that_stay(arguments, store, tmp_path) -> None:
    configure(tmp_path, entry(store.url))
    code, written = on_a_terminal(tmp_path, "inventory", "pull", *arguments, TERM="dumb")
    assert code == 0
    assert "\x1b" not in written
    assert f"{STORE} {ACCOUNT}/eu-west-1: complete, 20 credentials, 24 calls" in written or arguments


def report(
    scope: str, credentials: int, calls: int, throttled: int = 0, done: int = 0, status=None
) -> ScopeProgress:
    coverage = None if status is None else Coverage(STORE, scope, status, reason="because")
    return ScopeProgress(STORE, scope, credentials, calls, throttled, done, 2, coverage)


def test_sums_are_over_scopes_and_grow_with_each(capsys) -> None:
    standing = Standing("production", STORE)
    for each in (report("a", 100, 1), report("b", 7, 9, 2), report("a", 150, 3), report("a", 150, 4, 1, 1)):
        standing.take(each)
    assert str(standing) == "production: 1 of 2 scopes, 157 credentials, 13 calls, 3 throttled"


def test_a_log_gets_a_line_a_scope_and_one_a_source_where_there_are_several(capsys) -> None:
    with Progress([("one", STORE), ("two", STORE)]) as progress:
        tell = progress.of("one")
        tell(report("a", 100, 1))
        tell(report("a", 120, 2, done=1, status=ScopeStatus.PARTIAL))
        progress.finished("one")
        progress.finished("two", "no key")
    tell(report("b", 1, 1, done=2, status=ScopeStatus.FAILED))
    assert capsys.readouterr().err.splitlines() == [
        f"{STORE} a: partial, 120 credentials, 2 calls: because",
        "one: 1 of 2 scopes, 120 credentials, 2 calls, done",
        "no key",
    ]


def test_many_sources_are_a_few_lines() -> None:
    standings = [Standing(f"s{number}", STORE, calls=number) for number in range(12)]
    standings[0].running = False
    drawn = _lines(standings)
    assert len(drawn) == MOST_LINES + 2
    assert drawn[0].startswith("s1: ")
    assert drawn[-2:] == ["and 3 more sources", "all 12 sources: 0 of 0 scopes, 0 credentials, 66 calls"]
