"""What a probe of an access key finds, and what it must not take for a dead key."""

from __future__ import annotations

import pytest

from keyaudit.rotation.party import Means
from keyaudit.rotation.probes.aws_sts import CallerIdentity
from keyaudit.rotation.sight import Liveness
from keyaudit.times import SECOND
from rotation.aws_clients import signs_by_itself
from servers.aws_front import Refused
from servers.fault_proxy import Fault
from servers.iam import OWN, Iam
from servers.iam_keys import Key
from servers.sts import Sts

START = 1_767_225_600 * SECOND
KEY = Key("AKIATRIEDTRIEDTRIED0", START)


class Speaking(Sts):
    """Refuses everybody with a code and a message, as AWS does."""

    says: tuple[str, str] | None = None

    def admit(self, handler, asked):
        if self.says is None:
            super().admit(handler, asked)
        else:
            raise Refused(403, self.says[0])

    def spell(self, error):
        status, body = super().spell(error)
        message = self.says[1] if self.says else "no"
        return status, body.replace(b"<Message>Unknown", b"<Message>" + message.encode())


@pytest.fixture
def sts(monkeypatch):
    with Iam(START, strict=True) as iam, Speaking(iam) as server:
        iam.account(OWN).put("deployer", START, KEY)
        signs_by_itself(monkeypatch, iam.admin)
        yield server


def asked(sts, identifier=KEY.id, secret=KEY.secret, **parts):
    entry = {"kind": "aws-sts", "endpoint_url": sts.url, "timeout": "5s"}
    probe = CallerIdentity.opened(CallerIdentity.Settings.model_validate(entry), Means(clock=sts.iam.clock))
    return probe.ask({"access_key_id": identifier, "secret_access_key": secret, **parts})


def test_a_key_is_tried_by_its_own_signature_and_no_other(sts) -> None:
    assert asked(sts) is Liveness.ALIVE
    assert [(call.operation, call.key) for call in sts.calls] == [("GetCallerIdentity", KEY.id)]
    assert CallerIdentity.calls == ("sts:GetCallerIdentity",)


def test_a_key_that_is_not_honoured_is_dead(sts) -> None:
    assert asked(sts, secret="guessed") is Liveness.DEAD
    assert asked(sts, identifier="AKIANOBODYSOWNKEY000") is Liveness.DEAD
    KEY.status = "Inactive"
    try:
        assert asked(sts) is Liveness.DEAD
    finally:
        KEY.status = "Active"


SAID = {
    ("ExpiredToken", "expired"): Liveness.DEAD,
    ("InvalidClientTokenId", "The security token included in the request is invalid."): Liveness.DEAD,
    ("SignatureDoesNotMatch", "The request signature we calculated does not match"): Liveness.DEAD,
    ("SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than"): Liveness.UNKNOWN,
    ("SignatureDoesNotMatch", "Signature not yet current: 20260101T000000Z"): Liveness.UNKNOWN,
    ("AccessDenied", "with an explicit deny in a service control policy"): Liveness.RESTRICTED,
    ("Unheard", "of"): Liveness.UNKNOWN,
}


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said[0]}: {said[1][:20]}")
def test_each_refusal_means_what_it_says(sts, said) -> None:
    sts.says = said
    assert asked(sts) is SAID[said]


@pytest.mark.parametrize("kind", ["reset", "lost", "server-error", "throttled"])
def test_what_goes_wrong_on_the_way_says_nothing_of_the_key(sts, kind) -> None:
    sts.plan(Fault(kind, "GetCallerIdentity"))
    assert asked(sts) is Liveness.UNKNOWN


def test_what_is_no_access_key_is_not_tried(sts) -> None:
    probe = CallerIdentity.opened(
        CallerIdentity.Settings.model_validate({"kind": "aws-sts", "endpoint_url": sts.url}),
        Means(clock=sts.iam.clock),
    )
    assert probe.ask({"key": "whole"}) is Liveness.UNKNOWN
    assert asked(sts, identifier="AKIA\r\nX-Evil: 1") is Liveness.UNKNOWN
    assert sts.calls == []
