"""Evidence bundles, verified: structure, digests, signature, chain, and the audit made again.

Each bundle is read once. With a replay its files are copied while their digests are counted, and the copy
is what is audited: nobody can give one file to the digest and another to the audit. It reads files and
asks ssh-keygen; it never asks a network.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit.errors import UsageError
from keyaudit.evidence import checking, layout
from keyaudit.evidence.chain import check_place
from keyaudit.evidence.checking import Manifest, NotAManifestError
from keyaudit.evidence.opening import Opened, no_room, opened
from keyaudit.evidence.signatures import check_signature
from keyaudit.evidence.trust import Trust
from keyaudit.evidence.verification import (
    BundleVerification,
    Check,
    Outcome,
    Statement,
    Verification,
    fits,
    left_open,
    wrong,
)

FACTS = ("sequence", "created_at", "as_of")
LARGEST_MANIFEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a verification.

    `previous` is the manifest of the bundle before the first one; `replay` whether to audit again.
    """

    trust: Trust
    previous: Manifest | None
    replay: bool = True


def verify(bundles: Sequence[Path], asked: Asked) -> Verification:
    """Verify bundles, each of which follows the one before it; raises UsageError for what is no bundle."""
    found, before, known = list[BundleVerification](), asked.previous, asked.previous is not None
    for path in bundles:
        one, said = _verified(path, asked, before, follows=known)
        found.append(one)
        before, known = said, True
    return Verification(tuple(found))


def manifest_of(path: Path) -> Manifest:
    """Read the manifest of a bundle, or one that lies alone; raises UsageError."""
    try:
        if path.is_file() and not layout.is_zip(path.name):
            with path.open("rb") as file:
                return checking.manifest(file.read(LARGEST_MANIFEST))
        with opened(path) as found:
            if found.problems:
                raise UsageError(f"{path}: {found.problems[0]}")
            return checking.manifest(found.read(layout.MANIFEST))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except NotAManifestError as error:
        raise UsageError(f"{path}: {error}", hint="give a bundle or its manifest.json") from None


def _verified(
    path: Path, asked: Asked, before: Manifest | None, *, follows: bool
) -> tuple[BundleVerification, Manifest | None]:
    statements, said = list[Statement](), None
    with ExitStack() as held:
        found = held.enter_context(opened(path))
        statements += _structure(found)
        if layout.MANIFEST in found.names:
            said = _read(found, statements)
        if said is not None:
            copy = Path(held.enter_context(_temporary())) if asked.replay else None
            # Names that are not sound are no names for copies.
            statements += checking.check_files(found, said, None if found.problems else copy)
            statements += checking.check_sums(found, said)
            statements += check_signature(found, said, asked.trust)
            statements += _chain(said, before, follows=follows)
            statements += _replay(copy, said, statements)
    digest = None if said is None else said.sha256
    return BundleVerification(str(path), digest, tuple(statements), _facts(said)), said


@contextmanager
def _temporary() -> Iterator[str]:
    try:
        folder = tempfile.mkdtemp(prefix="keyaudit-")
    except OSError as error:
        raise no_room(error) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _structure(found: Opened) -> Iterator[Statement]:
    if found.problems:
        yield from (wrong(Check.STRUCTURE, each) for each in found.problems)
    else:
        yield fits(
            Check.STRUCTURE, f"{len(found.names):,} plain files, under names that every system reads alike"
        )


def _read(found: Opened, statements: list[Statement]) -> Manifest | None:
    try:
        said = checking.manifest(found.read(layout.MANIFEST))
    except NotAManifestError as error:
        statements.append(wrong(Check.MANIFEST, str(error)))
    except OSError as error:
        text = f"{layout.MANIFEST} cannot be read: {error.strerror or error}"
        statements.append(wrong(Check.MANIFEST, text))
    else:
        statements.append(fits(Check.MANIFEST, f"a statement about {len(said.files):,} files, {said.sha256}"))
        return said
    return None


def _chain(said: Manifest, before: Manifest | None, *, follows: bool) -> Iterator[Statement]:
    if follows and before is None:
        yield left_open(Check.CHAIN, "the bundle before it has no manifest that it could follow")
    else:
        yield from check_place(said, before)


def _replay(copy: Path | None, said: Manifest, so_far: Sequence[Statement]) -> Iterator[Statement]:
    if copy is None:
        yield left_open(Check.REPLAY, "it was not audited again: --no-replay")
        return
    if any(each.outcome is Outcome.WRONG and each.check in _GROUND for each in so_far):
        yield left_open(Check.REPLAY, "it was not audited again: its files are not those of its manifest")
        return
    from keyaudit.evidence.comparing import check_replay

    signer = [each.outcome for each in so_far if each.check in {Check.SIGNATURE, Check.KEY}]
    trusted = Outcome.FITS in [each.outcome for each in so_far if each.check is Check.KEY]
    yield from check_replay(copy, said, trusted=trusted and Outcome.WRONG not in signer)


_GROUND = (Check.STRUCTURE, Check.MANIFEST, Check.FILES)


def _facts(said: Manifest | None) -> dict[str, Any]:
    if said is None:
        return {}
    return {name: said.predicate[name] for name in FACTS if isinstance(said.predicate.get(name), str | int)}
