"""The bundle that a new one follows: found, compared with its own digests, and never later than the new."""

from __future__ import annotations

from pathlib import Path

from keyaudit import times
from keyaudit.errors import UsageError
from keyaudit.evidence import layout
from keyaudit.evidence.chain import Link, place
from keyaudit.evidence.checking import Manifest, NotAManifestError, check_files, check_sums, manifest
from keyaudit.evidence.opening import opened
from keyaudit.evidence.verification import Outcome

_HINT = "`keyaudit verify` says what is wrong with it; a new chain begins without --previous"


def follow(path: Path) -> Link:
    """Give the place in its chain of a bundle, or of a `manifest.json` that is all that was kept of one.

    Every file of a bundle is compared with its digest before anything is chained on to it. Raises
    UsageError for what cannot be read or does not fit.
    """
    try:
        said = manifest(path.read_bytes()) if path.is_file() and path.suffix == ".json" else _bundle(path)
    except OSError as error:
        raise UsageError(f"--previous {path}: {error.strerror}") from None
    except NotAManifestError as error:
        raise UsageError(f"--previous {path}: {error}", hint=_HINT) from None
    found = place(said)
    if found is None:
        raise UsageError(f"--previous {path}: it does not say where in its chain it stands", hint=_HINT)
    return found.link


def _bundle(path: Path) -> Manifest:
    with opened(path) as found:
        said = manifest(found.read(layout.MANIFEST))
        checks = [*check_files(found, said, None), *check_sums(found, said)]
        flaws = [*found.problems, *(each.text for each in checks if each.outcome is Outcome.WRONG)]
    if flaws:
        raise UsageError(f"--previous {path}: {flaws[0]}", hint=_HINT)
    return said


def refuse_backwards(previous: Link, as_of: int, created_at: int) -> None:
    """Raise UsageError where a bundle would follow one that is later than itself."""
    for what, own, before in (
        ("judges as of", as_of, previous.as_of),
        ("is made at", created_at, previous.created_at),
    ):
        if own < times.parse_instant(before):
            said = times.format_instant(own)
            hint = "name the bundles in the order of time, or begin another chain without --previous"
            raise UsageError(f"this bundle {what} {said}, the previous one {before}", hint=hint)
