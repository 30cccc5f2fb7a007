"""What keyaudit.yaml may say about a vault source, besides what all sources share.

    - name: vault
      kind: vault                           # HashiCorp Vault or OpenBao
      address: https://vault.acme.example:8200
      token_variable: VAULT_TOKEN           # the environment variable that holds the token
      cluster: production                   # begins every scope; without it the host of the address
      ca_cert: ca.pem                       # the authority that signed the server's certificate
      standbys: [https://vault-2.acme.example:8200]   # where the token may be sent on to, besides this host
      namespaces: [team-a, team-a/web]      # or all; without it the token's own
      mounts: {kv: [secret], approle: [auth/approle]}   # or all; by engine
      engines: [kv, transit]                # of `mounts: all`; without it all that are listed here
      scan: true                            # OpenBao: its bulk list, if the policy grants it

Only `name`, `kind` and `address` are needed. A scope is `CLUSTER/MOUNT`, in a namespace
`CLUSTER/NAMESPACE//MOUNT`. A standby that sends everybody on is followed on its own host and to
`standbys`, with TLS, and nowhere else. Nothing is read from `VAULT_ADDR`, `VAULT_NAMESPACE` or
`~/.vault-token`: two people who run the same file ask the same server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from keyaudit.sources.pulling.settings import Endpoint, PullSettings, Variable, distinct, not_empty

Engine = Literal["kv", "kv-v1", "database", "ldap", "aws", "gcp", "transit", "approle"]
ENGINES: tuple[Engine, ...] = ("kv", "kv-v1", "database", "ldap", "aws", "gcp", "transit", "approle")
"""`kv` is the version that keeps versions; of `kv-v1` there are only names."""
AUTH = frozenset({"approle"})
"""Engines that are mounted under `auth/`."""
EVERY: Literal["all"] = "all"

_SEGMENT = r"(?!\.{1,2}(?:/|$))[^/\x00-\x1f\x7f]+"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_CLUSTER = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_USUAL_PORTS = frozenset({None, 443, 8200})
LONGEST_PATH = 4096
"""Characters of any path; a server that has a longer one makes it up."""


def is_path(text: str) -> bool:
    """Say whether a text is a path that nobody can walk out of: no empty, `.` or `..` segment."""
    return _PATH.fullmatch(text) is not None


def is_mount(text: str) -> bool:
    """Say whether a path can be a mount's: `*` alone would be taken for any, wherever scopes are matched."""
    return is_path(text) and len(text) <= LONGEST_PATH and "*" not in text.split("/")


def is_namespace(text: str) -> bool:
    """Say whether a path can be a namespace's: it is sent in a header, which keeps no blanks at an end."""
    return is_mount(text) and all(each == each.strip() for each in text.split("/"))


def _path(text: str) -> str:
    path = text.strip("/")
    if not is_path(path):
        raise ValueError("not a path such as team-a/secret")
    if any(each == "+" or each.endswith("*") for each in path.split("/")):
        raise ValueError("`+`, and `*` at an end, would match other paths in a policy")
    return path


def _namespace(text: str) -> str:
    if text in {"", "root"}:
        return ""
    path = _path(text)
    if not is_namespace(path):
        raise ValueError("no namespace has blanks around its name")
    return path


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Give scheme, host and port of an address; raises ValueError for what is none."""
    found = urlsplit(url)
    usual = 443 if found.scheme == "https" else 80
    return found.scheme, found.hostname, usual if found.port is None else found.port


def _address(text: str) -> str:
    try:
        origin(text)
    except ValueError:
        raise ValueError("no such host or port") from None
    return text


def _standby(text: str) -> str:
    if urlsplit(_address(text)).path not in {"", "/"}:
        raise ValueError("only https://HOST:PORT; its paths are those of `address`")
    return text


def _cluster(text: str) -> str:
    if not _CLUSTER.fullmatch(text):
        raise ValueError("not a name such as production: letters, digits, . _ : -")
    return text


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) and value != EVERY else value


Address = Annotated[Endpoint, AfterValidator(_address)]
Standby = Annotated[Endpoint, AfterValidator(_standby)]
Path_ = Annotated[str, AfterValidator(_path)]
Paths = Annotated[
    tuple[Path_, ...], BeforeValidator(_one_or_many), AfterValidator(distinct), AfterValidator(not_empty)
]
Namespaces = Annotated[
    tuple[Annotated[str, AfterValidator(_namespace)], ...],
    BeforeValidator(_one_or_many),
    AfterValidator(distinct),
    AfterValidator(not_empty),
]


class VaultSettings(PullSettings):
    """Checked settings of one vault source. A rate-limit quota is the client's, so scopes share one pace."""

    kind: Literal["vault"]
    requests_per_second: float = Field(default=50, gt=0, le=100_000)
    calls_per_scope: int = Field(default=8, ge=1, le=64)
    address: Address
    token_variable: Variable = "VAULT_TOKEN"
    cluster: Annotated[str, AfterValidator(_cluster)] | None = None
    ca_cert: Path | None = None
    standbys: Annotated[tuple[Standby, ...], BeforeValidator(_one_or_many), AfterValidator(distinct)] = ()
    namespaces: Literal["all"] | Namespaces = ("",)
    mounts: Literal["all"] | Mapping[Engine, Paths] = EVERY
    engines: Annotated[tuple[Engine, ...], AfterValidator(distinct), AfterValidator(not_empty)] = ENGINES
    scan: bool = False
    scan_page: int = Field(default=1000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _agree(self) -> VaultSettings:
        if self.mounts == EVERY:
            return self
        if "engines" in self.model_fields_set:
            raise ValueError("`mounts` names the engines already; leave `engines` out")
        if not self.mounts:
            raise ValueError("`mounts` names none; write `all`, or leave the setting out")
        every = [path for paths in self.declared.values() for path in paths]
        distinct(every)
        for engine, paths in self.declared.items():
            for path in paths:
                if (engine in AUTH) is not path.startswith("auth/"):
                    where = "begins with auth/" if engine in AUTH else "does not begin with auth/"
                    raise ValueError(f"{path!r}: a mount of {engine} {where}")
        return self

    @property
    def declared(self) -> Mapping[Engine, tuple[str, ...]]:
        """Give the mounts that were named, by engine; empty for `all`."""
        return {} if isinstance(self.mounts, str) else self.mounts

    @property
    def place(self) -> str:
        """Give the name that begins every scope: without `cluster` the host, and a port that is unusual."""
        if self.cluster:
            return self.cluster
        _, host, port = origin(self.address)
        name = f"[{host}]" if ":" in str(host) else str(host)
        return str(host) if urlsplit(self.address).port in _USUAL_PORTS else f"{name}:{port}"
