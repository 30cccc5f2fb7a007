"""An access key of IAM in a secret of Secrets Manager is rotated under an application that uses both throughout."""

from __future__ import annotations

import json
import logging
import threading
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from keyaudit.errors import RotationError, SlotsFullError
from keyaudit.rotation.doors.aws_grants import actions, least_privilege
from keyaudit.rotation.journal import FileJournal, Request
from keyaudit.rotation.party import Means
from keyaudit.rotation.runner import Runner
from keyaudit.rotation.settings import open_parties, read_settings
from keyaudit.rotation.steps import Blocked, Goal, Order, Outcome, Stage
from keyaudit.sources import open_source
from keyaudit.sources.aws.grants import NEVER
from keyaudit.times import DAY, SECOND
from rotation.aws_clients import REGION, client, signs_by_itself
from servers.fault_proxy import Fault
from servers.iam import OWN, Iam
from servers.iam_keys import CANARY, Key
from servers.secrets_manager import SecretsManager
from servers.sts import Sts

START = 1_767_225_600 * SECOND
SECRET = "prod/deployer"


class Around:
    """Time that passes when somebody waits for it, and an application's answers in between."""

    def __init__(self, clock) -> None:
        self.now = clock
        self._clock = clock
        self.told: list = []
        self.meanwhile = lambda: None

    def sleep(self, until: int) -> bool:
        self.meanwhile()
        self._clock.set(max(until, self._clock()))
        return True

    def agrees(self, step, sight) -> bool:
        return True

    def tell(self, step, sight) -> None:
        self.told.append(step)


class Application:
    """Fetches the value in use, calls STS with it, and starts again; every refusal is kept."""

    def __init__(self, aws) -> None:
        self._aws, self._done = aws, threading.Event()
        self._answered = threading.Condition()
        self.count, self.failures, self.keys = 0, [], []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        store = client("secretsmanager", self._aws.secrets.url, self._aws.iam.admin)
        users = {}
        while not self._done.is_set():
            try:
                held = json.loads(store.get_secret_value(SecretId=SECRET)["SecretString"])
                identifier, secret = held["AWS_ACCESS_KEY_ID"], held["AWS_SECRET_ACCESS_KEY"]
                if identifier not in users:
                    users[identifier] = client("sts", self._aws.sts.url, Key(identifier, 0, secret=secret))
                    self.keys.append(identifier)
                users[identifier].get_caller_identity()
            except (ClientError, KeyError) as error:
                self.failures.append(error)
            with self._answered:
                self.count += 1
                self._answered.notify_all()

    def more_answers(self) -> None:
        with self._answered:
            enough = self.count + 2
            assert self._answered.wait_for(lambda: self.count >= enough, timeout=20)

    def __enter__(self):
        self._thread.start()
        self.more_answers()
        return self

    def __exit__(self, *_) -> None:
        self._done.set()
        self._thread.join()


class Aws:
    """Three servers that believe the same keys, and one secret that holds a user's key."""

    def __init__(self, iam, secrets, sts, folder: Path) -> None:
        self.iam, self.secrets, self.sts, self.folder = iam, secrets, sts, folder
        self.user = iam.account(OWN).put("deployer", START, Key("AKIAFIRSTFIRSTFIRST0", START))
        self.first = self.user.keys[0].id
        value = {"AWS_ACCESS_KEY_ID": self.first, "AWS_SECRET_ACCESS_KEY": self.user.keys[0].secret}
        client("secretsmanager", secrets.url, iam.admin).create_secret(
            Name=SECRET, SecretString=json.dumps(value | {"NOTE": "kept"})
        )
        self.around = Around(iam.clock)

    def runner(self) -> Runner:
        where = {"region": REGION, "endpoint_url": self.secrets.url}
        at_iam = {"kind": "aws-iam", "endpoint_url": self.iam.url}
        fields = {"access_key_id": "AWS_ACCESS_KEY_ID", "secret_access_key": "AWS_SECRET_ACCESS_KEY"}
        settings = read_settings(
            {
                "name": "deployer",
                "store": {"kind": "aws-secrets-manager", "secret": SECRET, "fields": fields, **where},
                "issuer": at_iam | {"user": "deployer"},
                "probe": {"kind": "aws-sts", "endpoint_url": self.sts.url},
                "silence": at_iam,
            }
        )
        self.parties = open_parties(settings, Means(clock=self.iam.clock))
        self.journal = FileJournal(
            self.folder / "rotation.ndjson", "deployer", self.parties.store.credential, Request("me", "you")
        )
        return Runner(self.parties, self.journal, self.around)

    def served(self) -> dict:
        store = client("secretsmanager", self.secrets.url, self.iam.admin)
        return json.loads(store.get_secret_value(SecretId=SECRET)["SecretString"])

    def live(self) -> list[str]:
        return [key.id for key in self.user.keys if key.status == "Active"]


@pytest.fixture
def aws(monkeypatch, tmp_path):
    with Iam(START + 30 * DAY, strict=True) as iam:
        signs_by_itself(monkeypatch, iam.admin)
        with SecretsManager(iam=iam) as secrets, Sts(iam) as sts:
            found = Aws(iam, secrets, sts, tmp_path)
            yield found
    journal = tmp_path / "rotation.ndjson"
    assert not journal.exists() or CANARY not in journal.read_text()


def test_an_application_is_answered_throughout_and_the_old_key_ends(aws) -> None:
    aws.iam.new_key_refusals = 2
    with Application(aws) as application:
        aws.around.meanwhile = application.more_answers
        ending = aws.runner().run(Order())
        application.more_answers()
    assert application.failures == []
    assert ending.step.outcome is Outcome.ROTATED
    (new,) = aws.live()
    assert application.keys == [aws.first, new]
    assert [key.id for key in aws.user.keys] == [new]
    assert aws.served() == {
        "AWS_ACCESS_KEY_ID": new,
        "AWS_SECRET_ACCESS_KEY": aws.user.keys[0].secret,
        "NOTE": "kept",
    }
    assert {step.name for step in aws.around.told if hasattr(step, "name")} == {
        "provision", "verify", "decide", "promote", "drain", "revoke", "drop",
    }  # fmt: skip


@pytest.mark.parametrize("asked_for", ["", "botocore"])
def test_a_log_that_wants_everything_gets_no_value(aws, caplog, asked_for) -> None:
    """A function whose log level is DEBUG has botocore write down every request and answer, whole."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, asked_for)
    aws.runner().run(Order())
    assert aws.live() != [aws.first]
    assert CANARY not in caplog.text


def test_an_application_is_answered_throughout_a_way_back(aws) -> None:
    with Application(aws) as application:
        aws.around.meanwhile = application.more_answers
        aws.runner().run(Order(until=Stage.PROMOTE))
        application.more_answers()
        ending = aws.runner().run(Order(goal=Goal.BACK))
        application.more_answers()
    assert application.failures == []
    assert ending.step.outcome is Outcome.ROLLED_BACK
    assert aws.live() == [aws.first]
    assert aws.served()["AWS_ACCESS_KEY_ID"] == aws.first
    assert application.keys[0] == aws.first


@pytest.mark.parametrize("kind", ["reset", "lost"])
@pytest.mark.parametrize(
    ("server", "operation", "after"),
    [("secrets", "PutSecretValue", 0), ("secrets", "TagResource", 0), ("iam", "DeleteAccessKey", 0)]
    + [("secrets", "UpdateSecretVersionStage", number) for number in range(6)],
)
def test_a_run_that_breaks_at_any_change_is_finished_by_running_again(
    aws, server, operation, after, kind
) -> None:
    getattr(aws, server).plan(Fault(kind, operation, after=after, times=1))
    broke = 0
    with Application(aws) as application:
        for _ in range(3):
            try:
                ending = aws.runner().run(Order())
            except RotationError:
                broke += 1
                continue
            break
    assert application.failures == []
    assert broke == (0 if operation == "TagResource" else 1)
    (live,) = aws.live()
    assert (aws.served()["AWS_ACCESS_KEY_ID"], len(aws.user.keys)) == (live, 1)
    if live == aws.first:  # a value whose storing was not confirmed is given up, and its key with it
        assert operation == "PutSecretValue"
    else:
        assert ending.step.outcome in {Outcome.ROTATED, Outcome.NOTHING}


def test_a_key_that_was_made_and_lost_is_found_and_named_to_a_human(aws) -> None:
    aws.iam.plan(Fault("lost", "CreateAccessKey", times=1))
    with pytest.raises(RotationError):
        aws.runner().run(Order())
    (orphan,) = set(aws.live()) - {aws.first}
    ending = aws.runner().run(Order())
    assert isinstance(ending.step, Blocked)
    assert orphan in ending.step.why
    assert aws.iam.called("CreateAccessKey") == 1
    ending = aws.runner().run(Order(discard=frozenset({orphan})))
    assert ending.step.outcome is Outcome.ROTATED
    assert len(aws.live()) == 1
    assert aws.served()["AWS_ACCESS_KEY_ID"] == aws.live()[0]


def test_two_keys_already_stop_it_before_anything_is_changed(aws) -> None:
    aws.user.keys.append(Key("AKIASECONDSECONDSEC0", START))
    with pytest.raises(SlotsFullError, match="AKIASECONDSECONDSEC0"):
        aws.runner().run(Order())
    assert aws.live() == [aws.first, "AKIASECONDSECONDSEC0"]
    assert aws.secrets.called("PutSecretValue") == 0


def test_two_runners_at_once_rotate_once_and_leave_one_key(aws) -> None:
    with Application(aws) as application:
        runners = [aws.runner(), aws.runner()]
        endings: list = []

        def run(runner) -> None:
            try:
                endings.append(runner.run(Order()).step)
            except RotationError as error:
                endings.append(error)

        threads = [threading.Thread(target=run, args=(runner,)) for runner in runners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        aws.runner().run(Order(begin=False))
    assert application.failures == []
    assert aws.served()["AWS_ACCESS_KEY_ID"] in aws.live()
    assert aws.iam.called("CreateAccessKey") <= 2
    unexplained = set(aws.live()) - {aws.served()["AWS_ACCESS_KEY_ID"]}
    assert not unexplained, endings


def test_the_old_key_s_application_keeps_it_alive(aws) -> None:
    """The window begins again with every use; nothing is revoked under whoever is late."""
    late = client("sts", aws.sts.url, aws.user.keys[0])
    waits = 0

    def used() -> None:
        nonlocal waits
        waits += 1
        if waits <= 4:
            late.get_caller_identity()

    aws.around.meanwhile = used
    ending = aws.runner().run(Order())
    assert ending.step.outcome is Outcome.ROTATED
    assert waits > 4
    assert aws.live() == [aws.served()["AWS_ACCESS_KEY_ID"]]


def test_a_new_key_that_is_dead_is_never_handed_out(aws) -> None:
    aws.iam.new_key_delay = 365 * DAY
    with Application(aws) as application:
        aws.runner().run(Order())
    assert application.failures == []
    assert application.keys == [aws.first]
    assert (aws.live(), aws.served()["AWS_ACCESS_KEY_ID"]) == ([aws.first], aws.first)


def test_the_audit_sees_the_finding_gone_and_the_record_names_what_it_lists(aws) -> None:
    aws.runner().run(Order())
    entry = {"name": "aws", "kind": "aws-secrets-manager", "regions": [REGION], "cache": False}
    (row,) = (
        open_source(entry | {"endpoint_url": aws.secrets.url}, clock=aws.iam.clock).pull(lambda _: None).rows
    )
    current = [version for version in row.versions if version.state == "current"]
    assert [version.created_at for version in current] == [START + 30 * DAY]
    assert row.labels["keyaudit:key_id"] == aws.live()[0]
    recorded = aws.journal.entries()[0]["credential"]
    assert recorded == {"source": row.source, "scope": row.scope, "id": row.id, "name": row.name}


def seen(aws) -> set[str]:
    named = {"iam": aws.iam.calls, "secretsmanager": aws.secrets.calls, "sts": aws.sts.calls}
    return {f"{service}:{call.operation}" for service, calls in named.items() for call in calls}


def test_what_is_granted_is_what_is_asked_for_and_the_audit_is_denied_all_of_it_but_the_lists(aws) -> None:
    aws.secrets.calls.clear()
    aws.runner().run(Order())
    aws.runner().run(Order(fresh=0, until=Stage.PROMOTE))
    aws.runner().run(Order(goal=Goal.BACK))
    parties = (aws.parties.store, aws.parties.issuer, aws.parties.probe, aws.parties.silence)
    assert seen(aws) == set(actions(parties))
    arn, user = aws.parties.store.credential.id, f"arn:aws:iam::{OWN}:user/deployer"
    policy = json.loads(least_privilege(parties, secrets=[arn], users=[user]))
    granted = {action: each["Resource"] for each in policy["Statement"] for action in each["Action"]}
    assert set(granted) | {"sts:GetCallerIdentity"} == set(actions(parties))
    assert {action for action, on in granted.items() if on == [arn]} == {
        action for action in granted if action.startswith("secretsmanager:")
    }
    assert granted["iam:CreateAccessKey"] == [user]
    lists = {"secretsmanager:DescribeSecret", "secretsmanager:ListSecretVersionIds"}
    lists |= {"iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"}
    denied = [pattern for kind in ("aws-iam", "aws-secrets-manager") for pattern in NEVER[kind]]
    kept_out = {action for action in granted if any(fnmatchcase(action, pattern) for pattern in denied)}
    assert kept_out == set(granted) - lists


def test_a_key_of_a_customer_s_own_is_granted_through_the_service_only() -> None:
    policy = json.loads(least_privilege([], kms_key="arn:aws:kms:eu-west-1:111122223333:key/k"))
    (statement,) = policy["Statement"]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"] == {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}
