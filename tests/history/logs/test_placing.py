from __future__ import annotations

from pathlib import Path
from typing import Any

from history.logs.exports import ACCOUNT, ARN, REGION, listed, put, secret, trail, written
from keyaudit.history.logs import placed, read_logs
from keyaudit.inventory.rows import Credential

OLD_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod/db-ZzZzZz"


def bare(at: str) -> dict[str, Any]:
    entry = put("v1", secret="prod/db", at=at)
    return entry | {"responseElements": None}


def test_a_name_belongs_to_the_secret_that_had_it_then(tmp_path: Path) -> None:
    known = listed(
        secret("v1", id_=OLD_ARN, created="2026-01-01T00:00:00Z"),
        secret("v1", created="2026-03-01T10:00:00.5Z"),
    )
    times = ("2025-12-31T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-01T10:00:00Z", "2026-03-02T00:00:00Z")
    found = []
    for at in times:
        result = placed(read_logs([written(tmp_path, [bare(at)])]), known)
        found.append((result.events[0].id if result.events else None, result.unknown))
    assert found == [(None, 1), (OLD_ARN, 0), (ARN, 0), (ARN, 0)]


def test_a_name_that_may_be_two_secrets_is_left_out_and_counted(tmp_path: Path) -> None:
    known = listed(secret("v1", id_=OLD_ARN), secret("v1", created="2026-01-01T00:00:00Z"))
    result = placed(read_logs([written(tmp_path, [bare("2026-03-01T10:00:00Z")])]), known)
    assert (result.events, result.unknown, result.ambiguous) == ((), 0, 1)


def test_a_name_in_another_region_or_account_is_another_secret(tmp_path: Path) -> None:
    entries = [
        bare("2026-03-01T10:00:00Z") | {"awsRegion": "us-west-2", "eventID": "a"},
        bare("2026-03-01T10:00:00Z") | {"recipientAccountId": "999988887777", "eventID": "b"},
    ]
    result = placed(read_logs([written(tmp_path, entries)]), listed(secret("v1")))
    assert (result.events, result.unknown) == ((), 2)


def test_a_part_of_an_arn_is_found_by_its_name(tmp_path: Path) -> None:
    entry = put("v1", secret=ARN.removesuffix("-AbCdEf"), at="2026-03-01T10:00:00Z") | {
        "responseElements": None
    }
    result = placed(read_logs([written(tmp_path, [entry])]), listed(secret("v1")))
    assert {event.id for event in result.events} == {ARN}


def test_a_secret_that_is_listed_no_longer_keeps_its_own_arn(tmp_path: Path) -> None:
    gone = trail("DeleteSecret", requestParameters={"secretId": OLD_ARN}, responseElements={"arn": OLD_ARN})
    (event,) = placed(read_logs([written(tmp_path, [gone])]), listed(secret("v1"))).events
    assert (event.source, event.scope, event.id) == ("aws-secrets-manager", f"{ACCOUNT}/{REGION}", OLD_ARN)


def test_an_event_says_where_it_stands(tmp_path: Path) -> None:
    file = written(tmp_path, [put("v1", at="2026-03-01T10:00:00Z")])
    event = placed(read_logs([file]), listed(secret("v1"))).events[0]
    assert (event.basis, event.file, event.reference) == (
        "audit-log", str(file), "PutSecretValue-2026-03-01T10:00:00Z",
    )  # fmt: skip


def test_events_are_in_the_order_of_time_whatever_the_files_are_called(tmp_path: Path) -> None:
    later = written(tmp_path, [put("v2", at="2026-04-01T00:00:00Z")], "a.json")
    sooner = written(tmp_path, [put("v1", at="2026-03-01T00:00:00+09:00")], "b.json")
    known = listed(secret("v2", "v1"))
    one, other = (placed(read_logs(files), known) for files in ([later, sooner], [sooner, later]))
    assert one == other
    assert [event.version for event in one.events] == ["v1", "v1", "v2", "v2"]


def test_a_credential_of_another_source_with_the_same_name_is_another(tmp_path: Path) -> None:
    other = Credential(source="aws-ssm", scope=f"{ACCOUNT}/{REGION}", id="x", name="prod/db", versions=[])
    result = placed(read_logs([written(tmp_path, [bare("2026-03-01T10:00:00Z")])]), listed(other))
    assert (result.events, result.unknown) == ((), 1)
