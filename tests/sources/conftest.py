"""Surroundings in which no source can reach anything but this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sources.anthropic_case import AnthropicCase
from sources.aws_case import AwsCase, moto_server
from sources.contract import SourceCase
from sources.gcp_iam_case import GcpIamCase
from sources.gcp_secret_manager_case import GcpSecretManagerCase
from sources.iam_case import IamCase, ServiceSpecificCase
from sources.kms_case import KmsCase
from sources.openai_case import OpenAiCase
from sources.ssm_case import SsmCase
from sources.vault_case import VaultCase


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """Set credentials that are nobody's, and nothing of the machine's own configuration."""
    import os

    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "CLOUDSDK_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-secret-access-key")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("GRPC_VERBOSITY", "ERROR")


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def aws(moto: str, tmp_path) -> Iterator[AwsCase]:
    with AwsCase(moto, tmp_path) as case:
        yield case


@pytest.fixture
def gcp_secrets(tmp_path) -> Iterator[GcpSecretManagerCase]:
    with GcpSecretManagerCase(tmp_path) as case:
        yield case


@pytest.fixture
def vault(tmp_path) -> Iterator[VaultCase]:
    with VaultCase(tmp_path) as case:
        yield case


@pytest.fixture
def gcp_iam(tmp_path) -> Iterator[GcpIamCase]:
    with GcpIamCase(tmp_path) as case:
        yield case


@pytest.fixture
def openai(tmp_path) -> Iterator[OpenAiCase]:
    with OpenAiCase(tmp_path) as case:
        yield case


@pytest.fixture
def anthropic(tmp_path) -> Iterator[AnthropicCase]:
    with AnthropicCase(tmp_path) as case:
        yield case


@pytest.fixture
def iam(tmp_path) -> Iterator[IamCase]:
    with IamCase(tmp_path) as case:
        yield case


@pytest.fixture
def service_specific(tmp_path) -> Iterator[ServiceSpecificCase]:
    with ServiceSpecificCase(tmp_path) as case:
        yield case


@pytest.fixture
def ssm(tmp_path) -> Iterator[SsmCase]:
    with SsmCase(tmp_path) as case:
        yield case


@pytest.fixture
def kms(tmp_path) -> Iterator[KmsCase]:
    with KmsCase(tmp_path) as case:
        yield case


CASES: dict[str, tuple[str, type[SourceCase]]] = {
    "aws-iam": ("iam", IamCase),
    "aws-iam-service-specific": ("service_specific", ServiceSpecificCase),
    "aws-kms": ("kms", KmsCase),
    "aws-secrets-manager": ("aws", AwsCase),
    "aws-ssm": ("ssm", SsmCase),
    "gcp-iam": ("gcp_iam", GcpIamCase),
    "gcp-secret-manager": ("gcp_secrets", GcpSecretManagerCase),
    "vault": ("vault", VaultCase),
    "openai": ("openai", OpenAiCase),
    "anthropic": ("anthropic", AnthropicCase),
}
"""Each kind of source: the fixture that plants its case, and the case's class."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for `case` once a source, and what asks for `fault` too once for each of its faults."""
    if "fault" in metafunc.fixturenames:
        every = [
            pytest.param(kind, fault, id=f"{kind}-{fault}")
            for kind, (_, case) in CASES.items()
            for fault in case.FAULTS
        ]
        metafunc.parametrize(("case", "fault"), every, indirect=["case"])
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", CASES, indirect=True)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> SourceCase:
    """Every source that must keep the contract, in turn."""
    found: SourceCase = request.getfixturevalue(CASES[request.param][0])
    return found


@pytest.fixture(params=CASES)
def case_class(request: pytest.FixtureRequest) -> type[SourceCase]:
    return CASES[request.param][1]
