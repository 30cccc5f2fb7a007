"""What is Google Secret Manager's own in keeping a rotation's places."""

from __future__ import annotations

import pytest
from google.cloud import secretmanager_v1 as sm

from keyaudit.errors import RotationError
from keyaudit.times import HOUR
from rotation.stores.contract import CANARY
from rotation.stores.gcp_secret_case import GcpSecretCase
from rotation.stores.walking import CALLS, NEW, OLD, rotate, walk


def aliases(case: GcpSecretCase) -> dict[str, int]:
    return dict(case.manager.secrets[case.full_name].version_aliases)


def test_aliases_say_which_version_is_which_and_those_of_others_stay(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    gcp_secret.manager.secrets[gcp_secret.full_name].version_aliases["canary-fleet"] = 1
    token = store.look().token
    walk(store, token, "stage")
    assert aliases(gcp_secret) == {"canary-fleet": 1, "current": 1, "pending": 2}
    walk(store, token, "go", "promote")
    assert aliases(gcp_secret) == {"canary-fleet": 1, "current": 2, "previous": 1}
    walk(store, token, "retire", "drop previous")
    assert aliases(gcp_secret) == {"canary-fleet": 1, "current": 2}
    states = [version.state.name for version in gcp_secret.manager.versions[gcp_secret.full_name]]
    assert states == ["ENABLED", "ENABLED"], "another alias still names the old one"


def test_annotations_of_others_stay_and_the_note_holds_no_value(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    gcp_secret.manager.secrets[gcp_secret.full_name].annotations["team"] = "platform"
    rotate(store, NEW, "key-1")
    annotations = gcp_secret.manager.secrets[gcp_secret.full_name].annotations
    assert set(annotations) == {"team", "keyaudit-rotation"}
    assert CANARY not in annotations["keyaudit-rotation"]
    assert len(annotations["keyaudit-rotation"]) < 1000


def test_fifty_spent_tokens_fit_into_the_annotations(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    for _ in range(52):
        store.void(store.look().token)
    note = gcp_secret.manager.secrets[gcp_secret.full_name].annotations["keyaudit-rotation"]
    assert len(store.look().spent) == 50
    assert len(note) < 4096


@pytest.mark.parametrize("step", ["promote", "restore"])
def test_a_run_that_was_frozen_in_the_middle_never_dates_a_place_too_early(
    gcp_secret: GcpSecretCase, step: str
) -> None:
    store = gcp_secret.fresh(OLD)
    token = store.look().token
    walk(store, token, "stage", "go", *(("promote", "want back") if step == "restore" else ()))
    gcp_secret.meanwhile(lambda: gcp_secret.advance(HOUR))
    CALLS[step](store, token)
    current = store.look().current
    assert current is not None
    assert current.since is not None
    assert current.since >= gcp_secret.now()
    gcp_secret.advance(HOUR)
    CALLS[step](gcp_secret.again(), token)
    assert store.look().current == current


def test_a_note_that_cannot_be_read_stops_everything(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    secret = gcp_secret.manager.secrets[gcp_secret.full_name]
    for text in ("", "{}", "no note", '{"note": 1}', '{"schema": "keyaudit/rotation-note/2"}'):
        secret.annotations["keyaudit-rotation"] = text
        with pytest.raises(RotationError, match="cannot be read"):
            store.look()


def test_a_secret_that_was_made_anew_gives_other_tokens(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    token = store.look().token
    gcp_secret.client.delete_secret(name=gcp_secret.full_name)
    gcp_secret.advance(HOUR)
    secret = gcp_secret.manager.plant(
        gcp_secret.name, project="acme-prod", created=gcp_secret.now(), value=OLD.encode()
    )
    secret.version_aliases["current"] = 1
    assert store.look().token != token


def test_annotations_that_are_full_are_said_plainly(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    gcp_secret.manager.secrets[gcp_secret.full_name].annotations["notes"] = "x" * 16_300
    with pytest.raises(RotationError, match="INVALID_ARGUMENT"):
        CALLS["stage"](store, store.look().token)
    assert gcp_secret.in_reach() == [OLD]


def test_a_denial_names_the_permission_and_repeats_nothing(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    token = store.look().token
    for operation, needed in (("AddSecretVersion", "versions.add"), ("UpdateSecret", "secrets.update")):
        gcp_secret.server.deny(operation)
        with pytest.raises(RotationError) as caught:
            CALLS["stage"](store, token)
        assert f"secretmanager.{needed}" in str(caught.value.hint)
        assert CANARY not in f"{caught.value!r} {caught.value.__cause__} {caught.value.__context__}"
    gcp_secret.server.deny()
    CALLS["stage"](store, token)


def test_a_regional_secret_is_called_what_the_audit_calls_it(gcp_secret: GcpSecretCase) -> None:
    gcp_secret.fresh(OLD)
    gcp_secret.manager.locations.append("europe-west1")
    secret = gcp_secret.manager.plant(
        "regional", project="acme-prod", created=gcp_secret.now(), value=b"x", location="europe-west1"
    )
    secret.version_aliases["current"] = 1
    gcp_secret.name, gcp_secret.settings = "regional", {"location": "europe-west1"}
    credential = gcp_secret.again().credential
    assert credential.scope == "projects/acme-prod/locations/europe-west1"
    assert credential.id == "projects/424242/locations/europe-west1/secrets/regional"


def test_more_versions_than_a_page_are_looked_through(gcp_secret: GcpSecretCase) -> None:
    store = gcp_secret.fresh(OLD)
    gcp_secret.manager.largest_page = 2
    token = store.look().token
    gcp_secret.fail("after", after=1)
    with pytest.raises(RotationError):
        CALLS["stage"](store, token)
    for _ in range(5):
        gcp_secret.client.add_secret_version(parent=gcp_secret.full_name, payload={"data": b"by hand"})
    CALLS["stage"](gcp_secret.again(), token)
    states = [version.state for version in gcp_secret.manager.versions[gcp_secret.full_name]]
    enabled = sm.SecretVersion.State.ENABLED
    assert [at + 1 for at, state in enumerate(states) if state == enabled] == [1, 8]
