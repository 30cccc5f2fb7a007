"""Keys that never leave a KMS: signed over real clients by servers on loopback, checked with the public key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cli.live_sources import NOBODY
from keyaudit.errors import UsageError
from keyaudit.evidence import dsse, layout
from keyaudit.evidence.signing import Surroundings, open_kms
from keyaudit.evidence.signing.crc32c import crc32c
from servers.signing_keys import ARN, NAME, VAULT_TOKEN, VERSION, SigningKeys

URIS = {"awskms": f"awskms:///{ARN}", "gcpkms": f"gcpkms://{VERSION}", "hashivault": f"hashivault://{NAME}"}
MANIFEST = b'{"a":1}'
FIRST = Path(__file__).parents[2] / "examples" / "01-first-audit"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SigningKeys]:
    with SigningKeys() as server:
        for name, value in NOBODY.items():
            monkeypatch.setenv(name, value)
        private = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        account = {
            "type": "service_account",
            "client_email": "audit@p.iam.gserviceaccount.com",
            "private_key": private.decode(),
            "private_key_id": "k",
            "token_uri": f"{server.url}/token",
            "project_id": "p",
        }
        (tmp_path / "account.json").write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
        yield server


def surroundings(server: SigningKeys) -> Surroundings:
    return Surroundings({"VAULT_ADDR": server.url, "VAULT_TOKEN": VAULT_TOKEN}, server.url)


@pytest.mark.parametrize("kind", URIS)
def test_a_key_in_a_kms_signs_what_its_public_key_verifies(keys, kind) -> None:
    signer = open_kms(URIS[kind], surroundings(keys))
    files = signer.sign(MANIFEST)
    assert (signer.kind, signer.place, signer.key_id) == ("ed25519", kind, dsse.key_id(keys.raw))
    keys.key.public_key().verify(files[layout.RAW_SIGNATURE], dsse.encoded(MANIFEST))
    assert serialization.load_pem_public_key(files[layout.PUBLIC_KEY]) == keys.key.public_key()
    assert len(keys.calls) == 2, "one call for the public key, one for the signature"


@pytest.mark.parametrize("kind", URIS)
def test_a_refusal_is_named_by_its_code_and_never_in_the_words_of_a_server(keys, kind) -> None:
    keys.denied = True
    with pytest.raises(UsageError) as error:
        open_kms(URIS[kind], surroundings(keys))
    said = f"{error.value} {error.value.hint} {error.value!r}"
    assert any(code in said for code in ("AccessDeniedException", "PERMISSION_DENIED", "Forbidden"))
    assert "CANARY" not in said


@pytest.mark.parametrize("kind", URIS)
def test_a_refusal_when_it_signs_is_one_too(keys, kind) -> None:
    signer = open_kms(URIS[kind], surroundings(keys))
    keys.denied = True
    with pytest.raises(UsageError, match="refused"):
        signer.sign(MANIFEST)


@pytest.mark.parametrize("kind", URIS)
def test_a_key_of_another_kind_is_refused(keys, kind) -> None:
    keys.kind = "p256"
    with pytest.raises(UsageError, match="no Ed25519 key"):
        open_kms(URIS[kind], surroundings(keys))


@pytest.mark.parametrize("kind", URIS)
def test_a_signature_by_another_key_is_noticed_before_it_is_believed(keys, kind) -> None:
    signer = open_kms(URIS[kind], surroundings(keys))
    keys.swapped = True
    with pytest.raises(UsageError, match="does not fit the public key"):
        signer.sign(MANIFEST)


@pytest.mark.parametrize("kind", ["gcpkms", "hashivault"])
def test_an_answer_that_is_no_signature_is_refused(keys, kind) -> None:
    signer = open_kms(URIS[kind], surroundings(keys))
    keys.garbage = True
    with pytest.raises(UsageError, match="no signature that can be read"):
        signer.sign(MANIFEST)


def test_the_checksum_is_castagnolis() -> None:
    ascending, descending = bytes(range(32)), bytes(reversed(range(32)))
    samples = {bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, ascending: 0x46DD794E, descending: 0x113FDB5C}
    assert {content: crc32c(content) for content in samples} == samples, "RFC 3720, appendix B.4"
    assert (crc32c(b""), crc32c(b"123456789")) == (0, 0xE3069283)


TORN = [
    ({"pem": "-----BEGIN PUBLIC KEY-----CANARY"}, "checksum of its pem does not fit"),
    ({"pemCrc32c": "1"}, "checksum of its pem does not fit"),
    ({"pemCrc32c": None}, "checksum of its pem does not fit"),
    ({"name": VERSION.replace("/1", "/2")}, "another version of a key"),
    ({"signature": "AAAA"}, "checksum of its signature does not fit"),
    ({"signatureCrc32c": "CANARY"}, "checksum of its signature does not fit"),
    ({"signature": 5}, "no signature that can be read"),
    ({"verifiedDataCrc32c": False}, "did not check what it was sent"),
]


@pytest.mark.parametrize(("torn", "said"), TORN, ids=map(str, range(len(TORN))))
def test_an_answer_of_google_that_changed_on_the_way_is_refused(keys, torn, said) -> None:
    if "signature" in str(torn) or "verified" in str(torn):
        signer = open_kms(URIS["gcpkms"], surroundings(keys))
        keys.torn = torn
        with pytest.raises(UsageError, match=said) as error:
            signer.sign(MANIFEST)
    else:
        keys.torn = torn
        with pytest.raises(UsageError, match=said) as error:
            open_kms(URIS["gcpkms"], surroundings(keys))
    assert "CANARY" not in f"{error.value} {error.value.hint}"


@pytest.mark.parametrize("kind", URIS)
def test_a_server_that_is_not_there_is_said(keys, kind, monkeypatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    nowhere = Surroundings({"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "t"}, "http://127.0.0.1:9")
    with pytest.raises(UsageError) as error:
        open_kms(URIS[kind], nowhere)
    assert any(word in str(error.value) for word in ("could not be asked", "refused"))


def test_aws_signs_no_more_than_its_limit_and_that_is_said(keys) -> None:
    signer = open_kms(URIS["awskms"], surroundings(keys))
    heading = len(dsse.encoded(b"x" * 4000)) - 4000
    signer.sign(b"x" * (4096 - heading))
    with pytest.raises(UsageError, match=r"at most 4,096 bytes .* has 4,097"):
        signer.sign(b"x" * (4097 - heading))
    assert keys.calls.count("Sign") == 1, "AWS is not asked in vain"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("awskms://", "no key of a KMS"),
        ("hashivault:///", "no key of a KMS"),
        ("key.pem", "no key of a KMS"),
        ("hashivaults://x", "did you mean 'hashivault'?"),
        ("gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k", "no version of a key"),
        (f"gcpkms://{VERSION}/../../1", "no version of a key"),
        ("hashivault://../sys/seal", "no name of a key"),
    ],
)
def test_what_names_no_key_is_refused_before_anybody_is_asked(keys, uri, said) -> None:
    with pytest.raises(UsageError) as error:
        open_kms(uri, surroundings(keys))
    assert said in str(error.value)
    assert keys.calls == []


def test_what_a_kms_is_found_by_is_never_shown() -> None:
    assert "CANARY" not in repr(Surroundings({"VAULT_TOKEN": VAULT_TOKEN}))


def test_vault_is_asked_only_with_an_address_and_a_token() -> None:
    for environment, missing in (({}, "VAULT_ADDR"), ({"VAULT_ADDR": "http://127.0.0.1:9"}, "VAULT_TOKEN")):
        with pytest.raises(UsageError, match=missing):
            open_kms("hashivault://k", Surroundings(environment))


@pytest.mark.parametrize("kind", URIS)
def test_a_scan_has_its_bundle_signed_by_a_kms(keys, keyaudit, tmp_path, kind, monkeypatch) -> None:
    (tmp_path / "keyaudit.yaml").write_text(
        f"inventory: [{FIRST}/inventory/gcp.yaml]\nbundle: {{sign_kms: '{URIS[kind]}', kms_endpoint: '{keys.url}'}}\n"
    )
    environment = {**NOBODY, "VAULT_ADDR": keys.url, "VAULT_TOKEN": VAULT_TOKEN}
    account = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "account.json")}
    done = keyaudit("scan", "--as-of", "2026-05-01T00:00:00Z", "--bundle", "bundle", **environment, **account)
    assert done.returncode in {0, 1, 3}, done.stderr.decode()
    manifest = (tmp_path / "bundle/manifest.json").read_bytes()
    signature = (tmp_path / "bundle/manifest.sig").read_bytes()
    keys.key.public_key().verify(signature, dsse.encoded(manifest))
    written = b"".join(each.read_bytes() for each in (tmp_path / "bundle").rglob("*") if each.is_file())
    assert b"CANARY" not in written + done.stderr
