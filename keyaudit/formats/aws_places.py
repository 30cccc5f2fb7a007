"""Where in AWS a finding is: its account and region, read from the scope that listed it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from keyaudit.model import Coverage, Finding

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{1,9}){1,3}-\d{1,2}", re.ASCII)
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "us-iso-": "aws-us-iso", "us-isob-": "aws-us-iso-b"}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """An account and a region; None where a scope does not name it (IAM has no region)."""

    account: str | None
    region: str | None


NOWHERE = Place(None, None)


def read(text: str) -> Place | None:
    """Read `111122223333/eu-west-1` as a user writes it; None where it is not that."""
    place = _parsed(text)
    return place if place.region is not None and text == f"{place.account}/{place.region}" else None


def partition(region: str) -> str:
    """Name the partition that a region belongs to."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")


def of_scope(source: str, scope: str) -> Place:
    """Read the scope of one of AWS's sources; `NOWHERE` for all others."""
    return _parsed(scope) if source.startswith("aws-") else NOWHERE


def of_finding(finding: Finding, scopes: dict[str, Place]) -> Place:
    """Say where a finding is: its credential's scope, or the scope that it is about."""
    if finding.credential is not None:
        return of_scope(finding.credential.source, finding.credential.scope)
    return scopes.get(finding.subject or "", NOWHERE)


def scopes_named(coverage: Iterable[Coverage]) -> dict[str, Place]:
    """Map what findings about scopes call them to where those scopes are."""
    return {f"{scope.source} {scope.scope}": of_scope(scope.source, scope.scope) for scope in coverage}


def _parsed(scope: str) -> Place:
    account, _, region = scope.partition("/")
    if not _ACCOUNT.fullmatch(account):
        return NOWHERE
    return Place(account, region if _REGION.fullmatch(region) else None)
