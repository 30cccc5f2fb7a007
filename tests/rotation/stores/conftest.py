"""Every store that must keep the contract, each behind a server of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rotation.aws_clients import signs_by_itself
from rotation.stores.aws_case import AwsSecretCase
from rotation.stores.contract import StoreCase
from rotation.stores.dotenv_case import DotenvCase
from rotation.stores.gcp_secret_case import GcpSecretCase
from rotation.stores.memory_case import MemoryCase
from rotation.stores.vault_kv_case import VaultKvCase


@pytest.fixture
def dotenv_file(tmp_path: Path) -> DotenvCase:
    return DotenvCase(tmp_path)


@pytest.fixture
def memory() -> MemoryCase:
    return MemoryCase()


@pytest.fixture
def aws_secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsSecretCase]:
    signs_by_itself(monkeypatch)
    case = AwsSecretCase()
    with case.server:
        yield case


@pytest.fixture
def gcp_secret() -> Iterator[GcpSecretCase]:
    with GcpSecretCase.started() as case:
        yield case


@pytest.fixture
def vault_kv() -> Iterator[VaultKvCase]:
    with VaultKvCase.started() as case:
        yield case


CASES: dict[str, tuple[str, type[StoreCase]]] = {
    "aws-secrets-manager": ("aws_secret", AwsSecretCase),
    "dotenv": ("dotenv_file", DotenvCase),
    "gcp-secret-manager": ("gcp_secret", GcpSecretCase),
    "memory": ("memory", MemoryCase),
    "vault-kv": ("vault_kv", VaultKvCase),
}
"""Each kind of store: the fixture that opens its case, and the case's class."""

NEEDS = {"hand", "foreign", "meanwhile"}
"""A test that is marked `needs(…)` runs for the stores whose `CANNOT` does not have it."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(what): only for stores whose CANNOT does not have it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what asks for `case` once a store, and what asks for `moment` once for each of its faults."""
    if "case" not in metafunc.fixturenames:
        return
    needed = {need for mark in metafunc.definition.iter_markers("needs") for need in mark.args}
    assert needed <= NEEDS
    kinds = [kind for kind, (_, case) in CASES.items() if not needed & set(case.CANNOT)]
    if "moment" not in metafunc.fixturenames:
        metafunc.parametrize("case", kinds, indirect=True)
        return
    every = [
        pytest.param(kind, moment, id=f"{kind}-{moment}")
        for kind in kinds
        for moment in sorted(CASES[kind][1].FAULTS)
    ]
    metafunc.parametrize(("case", "moment"), every, indirect=["case"])


@pytest.fixture
def case(request: pytest.FixtureRequest) -> StoreCase:
    """Every store that must keep the contract, in turn."""
    found: StoreCase = request.getfixturevalue(CASES[request.param][0])
    return found
