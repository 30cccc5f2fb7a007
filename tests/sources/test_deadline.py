"""Answers have an end on every way to a server: plain, by TLS, by way of a proxy."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keyaudit.sources.pulling import web
from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import Pace
from keyaudit.sources.pulling.refusals import RefusedError
from sources.test_web import DRIPS, Scripted, answer, opened

LARGE = bytes(range(256)) * 16_384
"""Four mebibytes: many records of TLS."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1's own, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    )
    return file


class Sealed(Scripted):
    """Speaks TLS."""

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def address(self) -> str:
        return f"{self.url.replace('http:', 'https:')}/v1/keys"


def a_meter() -> Meter:
    return Meter(Pace(10_000, threading.Event()))


def test_a_large_answer_by_tls_arrives_whole(certificate: Path) -> None:
    with Sealed(certificate) as server, opened(a_meter()) as session:
        session.trust_env, session.verify = False, str(certificate)
        server.say = answer(LARGE)
        assert web.get(session, server.address) == LARGE
        assert web.get(session, server.address) == LARGE


@pytest.mark.parametrize("drip", ["headers", "body"])
def test_an_answer_that_drips_by_tls_has_an_end(certificate: Path, drip: str) -> None:
    with Sealed(certificate) as server, opened(a_meter(), timeout=2.0, longest=1.0) as session:
        session.trust_env, session.verify = False, str(certificate)
        server.say = DRIPS[drip]
        started = time.monotonic()
        with pytest.raises(RefusedError, match=r"^the answer took longer than 1 s$"):
            web.get(session, server.address)
        assert time.monotonic() - started < 3


def test_a_proxy_that_drips_has_an_end() -> None:
    with Scripted() as proxy, opened(a_meter(), timeout=2.0, longest=1.0) as session:
        session.proxies = {"http": proxy.url}
        session.trust_env = False
        proxy.say = answer(b"{}")
        assert web.get(session, "http://far.example/v1/keys") == b"{}"
        proxy.say = DRIPS["body"]
        with pytest.raises(RefusedError, match=r"^the answer took longer than 1 s$"):
            web.get(session, "http://far.example/v1/keys")
        assert {path for _, path, _ in proxy.seen} == {"http://far.example/v1/keys"}


def test_a_tunnel_that_drips_has_an_end() -> None:
    with Scripted() as proxy, opened(a_meter(), attempts=1, timeout=2.0, longest=1.0) as session:
        session.proxies = {"https": proxy.url}
        session.trust_env = False
        proxy.say = DRIPS["headers"]
        started = time.monotonic()
        with pytest.raises(RefusedError, match=r"^the answer took longer than 1 s$"):
            web.get(session, "https://far.example/v1/keys")
        assert time.monotonic() - started < 3


def test_a_slow_answer_within_its_time_is_an_answer() -> None:
    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        for _ in range(4):
            handler.wfile.write(b"x")
            time.sleep(0.15)

    with Scripted() as server, opened(a_meter(), timeout=0.3) as session:
        server.say = say
        assert web.get(session, f"{server.url}/v1/keys") == b"xxxx"
        assert len(server.seen) == 1
