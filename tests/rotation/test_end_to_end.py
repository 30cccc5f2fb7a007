"""From finding to fixed by the command line, under an application that never fails, and the audit afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rotation.worlds.audits import OVERDUE, RECORDS, Audit, audited
from rotation.worlds.aws import AwsIam, AwsOpenAi
from rotation.worlds.dotenv import DotenvCommand
from rotation.worlds.google import Google
from rotation.worlds.vault import VaultDatabase
from rotation.worlds.world import Application, World, this_second

WORLDS: dict[str, type[World]] = {
    "aws-secrets-manager x aws-iam": AwsIam,
    "aws-secrets-manager x openai": AwsOpenAi,
    "gcp-secret-manager x google-service-account": Google,
    "vault-kv x vault-database": VaultDatabase,
    "dotenv x command": DotenvCommand,
}
ASKED = ("--requested-by", "a@acme.example", "--ticket", "CHG-1")
APPROVED = ("--approved-by", "b@acme.example")
Command = Callable[..., Any]


@pytest.fixture
def begun(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a world with its folder, whose shell is this process's environment."""
    with request.param(tmp_path) as world:
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
        world.configure()
        yield world


every_world = pytest.mark.parametrize("begun", WORLDS.values(), ids=list(WORLDS), indirect=True)


def rotate(command: Command, way: str, *more: str, code: int = 0) -> str:
    done = command("rotate", way, "demo", "--yes", "--wait", *ASKED, *more)
    assert done.returncode == code, done.stderr.decode()
    assert b"CANARY" not in done.stdout + done.stderr
    return done.stderr.decode()


@every_world
def test_a_finding_is_rotated_away_without_a_failed_request_and_the_record_is_evidence(
    begun: World, command: Command
) -> None:
    since = this_second()
    before = audited(command, begun)
    assert before.exit_code == 1
    assert {source for _, source in before.found(*OVERDUE)} == set(begun.listed)
    old = begun.live()
    with Application(begun) as application:
        rotate(command, "run", *APPROVED)
        application.more_answers()
    assert application.failures == []
    assert len(application.used) == 2
    assert set(begun.live()) & set(old) == set()
    assert len(begun.live()) == 1
    after = audited(command, begun, since)
    assert after.found(*OVERDUE, "KA104", "KA112", "KA201", "KA202", "KA701", "KA702") == set()
    assert after.passed("KA101") + after.passed("KA102") == len(begun.listed)
    assert after.found("KA701", "KA702", verdict="unknown") == set()
    assert (after.passed("KA701"), after.passed("KA702")) == (len(begun.listed), 1)
    assert all(each["problem"] is None for each in after.document["records"])
    assert "CANARY" not in begun.written()


def value_since(world: World, audit: Audit) -> dict[str, str]:
    """Give since when, by the finding about each source, the value in use exists; to the second."""
    rules = {source: rule for rule, source in audit.found(*OVERDUE)}
    assert set(rules) == set(world.listed)
    found = {source: audit.finding(rule, source)["evidence"] for source, rule in rules.items()}
    return {source: evidence["value_created_at"][:19] for source, evidence in found.items()}


@every_world
def test_what_was_taken_back_is_as_late_as_before_and_its_promotion_is_on_record(
    begun: World, command: Command
) -> None:
    since = this_second()
    before, old = value_since(begun, audited(command, begun)), begun.live()
    with Application(begun) as application:
        rotate(command, "begin", *APPROVED)
        rotate(command, "promote", *APPROVED)
        application.more_answers()
        rotate(command, "rollback", *APPROVED)
        application.more_answers()
    assert application.failures == []
    assert len(application.used) >= 2
    assert begun.live() == old
    after = audited(command, begun, since)
    assert value_since(begun, after) == before
    assert after.found("KA201", "KA701", "KA702") == set()
    assert after.passed("KA702") == 1
    assert "CANARY" not in begun.written()


@pytest.mark.parametrize("begun", [VaultDatabase], indirect=True)
def test_one_person_who_asked_and_agreed_is_a_finding_and_so_is_a_record_that_was_lost(
    begun: World, command: Command
) -> None:
    since = this_second()
    with Application(begun):
        said = rotate(command, "run", "--approved-by", "A@acme.example")
    assert "requested and approved by the same person" in said
    after = audited(command, begun, since)
    assert after.found("KA702") == {("KA702", "vault")}
    assert after.found(*OVERDUE, "KA701") == set()
    assert after.exit_code == 1
    (begun.folder / RECORDS / "demo.ndjson").write_bytes(b"")
    assert audited(command, begun, since).found("KA701", "KA702") == {("KA701", "vault")}


@every_world
def test_with_what_an_audit_is_granted_a_scan_finds_the_same_and_a_rotation_changes_nothing(
    begun: World, command: Command
) -> None:
    allowed = audited(command, begun)
    was, live = begun.fetch(), begun.live()
    begun.deny_writes()
    denied = audited(command, begun)
    assert denied.scopes == allowed.scopes
    assert denied.found(*OVERDUE) == allowed.found(*OVERDUE) != set()
    refused = command("rotate", "run", "demo", "--yes", "--wait", *ASKED, *APPROVED)
    assert refused.returncode == 3, refused.stderr.decode()
    begun.allow_writes()
    assert (begun.fetch(), begun.live()) == (was, live)
