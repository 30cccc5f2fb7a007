"""The manifest: an in-toto Statement v1 about every file of a bundle.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md; the predicate is our own,
`urn:keyaudit:evidence-bundle:1`:

    tool, versions        keyaudit, and what it ran on: python, the engine, what laid a PDF out, and
                          `paper`: how a fixed page comes out there, which tells fonts apart
    command_line, run_by  the arguments as they were typed, and who says that they typed them
    identities            who asked each store, where a source could tell
    created_at, as_of, period
    population, coverage  how many credentials, and how many scopes were complete, partial, failed, empty
    summary               verdicts, and the exit code of the audit
    signer                kind (`ed25519`, `ssh`, `none`), the key's fingerprint, and what holds the key
    sequence, previous    its place in the chain: the manifest before it, or null for the first

Nothing of the environment is in it. What the machine's clock said is `created_at`: a signature does not
prove when it was made.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from keyaudit import __version__, times
from keyaudit.evidence import layout
from keyaudit.evidence.dsse import canonical

if TYPE_CHECKING:
    from keyaudit.evidence.chain import Link
    from keyaudit.evidence.recipe import Recipe
    from keyaudit.evidence.signing import Signer
    from keyaudit.model import Report


CLAIMS = (
    "tool", "versions", "command_line", "run_by", "created_at", "signer", "sequence", "previous",
)  # fmt: skip
"""What a predicate says beside `claims`: the word of whoever made the bundle, or checked by itself."""


@dataclass(frozen=True, slots=True)
class Made:
    """How a bundle came to be: arguments as typed, who says they ran it, and when, in microseconds."""

    command_line: Sequence[str]
    run_by: str | None
    created_at: int


def statement(
    files: Mapping[str, str],
    report: Report,
    recipe: Recipe,
    made: Made,
    signer: Signer | None,
    previous: Link | None,
) -> bytes:
    """Print the manifest of files, given by name with their SHA-256 in hex."""
    return canonical(
        {
            "_type": layout.STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": files[name]}} for name in sorted(files)],
            "predicateType": layout.PREDICATE_TYPE,
            "predicate": {
                "tool": {"name": "keyaudit", "version": __version__},
                "versions": versions(recipe),
                "command_line": list(made.command_line),
                "run_by": made.run_by,
                "created_at": times.format_instant(made.created_at),
                **claims(report, recipe),
                "signer": _signer(signer),
                "sequence": 1 if previous is None else previous.sequence + 1,
                "previous": previous and _link(previous),
            },
        }
    )


def claims(report: Report, recipe: Recipe) -> dict[str, Any]:
    """Say of an audit what a manifest says of it: whoever audits again can hold one against the other."""
    period = recipe.period
    return {
        "identities": _identities(report),
        "as_of": recipe.as_of,
        "period": period and {"first": period.first, "last": period.last},
        "population": report.inventory.credentials,
        "coverage": dict(sorted(Counter(str(scope.status) for scope in report.coverage).items())),
        "summary": {
            "verdicts": {str(verdict): n for verdict, n in report.summary.verdicts.items()},
            "exit_code": report.summary.exit_code,
        },
    }


def versions(recipe: Recipe) -> dict[str, str]:
    """Name what decides on bytes: other versions of these may print another report."""
    packages = ["narwhals", "polars", *({recipe.engine} - {"polars"})]
    from keyaudit.formats.pdf import paper

    printed = any(each.format == "pdf" for each in recipe.renderings)
    packages += ["weasyprint"] if printed else []
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in packages},
        **({"paper": paper()} if printed else {}),
    }


def _identities(report: Report) -> list[str]:
    return sorted({scope.identity for scope in report.coverage if scope.identity})


def _signer(signer: Signer | None) -> dict[str, Any]:
    if signer is None:
        return {"kind": "none"}
    return {"kind": signer.kind, "key_id": signer.key_id, "place": signer.place}


def _link(link: Link) -> dict[str, Any]:
    return {
        "manifest_sha256": link.manifest_sha256,
        "sequence": link.sequence,
        "created_at": link.created_at,
        "as_of": link.as_of,
    }
