"""Writing a bundle: staged, audited again from what was staged, sealed, and only then given its name.

Whatever the time at which a run is killed, the target is the whole bundle or is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from keyaudit.errors import KeyauditError, UsageError
from keyaudit.evidence import layout, recipe, staging
from keyaudit.evidence.collecting import Material, collect
from keyaudit.evidence.following import refuse_backwards
from keyaudit.evidence.replay import outputs, remade
from keyaudit.evidence.resolved import resolved
from keyaudit.evidence.statement import Made, statement
from keyaudit.formats.verification_steps import NONE, Evidence
from keyaudit.times import SECOND

if TYPE_CHECKING:
    from keyaudit.evidence.chain import Link
    from keyaudit.evidence.signing import Signer
    from keyaudit.model import Report


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle that was written: where, its place in the chain, and the digest that names it."""

    target: Path
    sequence: int
    manifest_sha256: str


def write(
    target: Path,
    material: Material,
    report: Report,
    made: Made,
    *,
    signer: Signer | None = None,
    previous: Link | None = None,
) -> Sealed:
    """Write the bundle of a report. `material` is what the audit was made of, `previous` what it follows.

    Raises UsageError for a target that is there, for inputs that changed since they were read, for a time
    that goes backwards and for a key that does not sign; KeyauditError where auditing the staged inputs
    again does not give the same bytes. Then there is no bundle.
    """
    staging.refuse_existing(target)
    if previous is not None:
        refuse_backwards(previous, material.as_of, made.created_at)
    asked, inputs = collect(material)
    evidence = _evidence(target, asked, made, signer, previous)
    asked = msgspec.structs.replace(asked, evidence=msgspec.to_builtins(asdict(evidence)))
    try:
        with staging.staged(target) as folder:
            staging.put(folder, inputs)
            documents = {
                **outputs(report, asked),
                layout.RESOLVED_POLICY: resolved(material.policy),
                layout.RECIPE: recipe.write(asked),
            }
            _compare(documents, remade(folder, asked)[1])
            staging.put(folder, documents)
            files = {name: _digest(content) for name, content in {**inputs, **documents}.items()}
            sums = "".join(f"{files[name]}  {name}\n" for name in sorted(files)).encode()
            files[layout.SUMS] = _digest(sums)
            manifest = statement(files, report, asked, made, signer, previous)
            seal = {} if signer is None else signer.sign(manifest)
            staging.put(folder, {layout.SUMS: sums, **seal, layout.MANIFEST: manifest})
            staging.publish(folder, target, _calendar(material.as_of))
    except OSError as error:
        raise UsageError(f"--bundle {target}: {error.strerror or error}") from None
    sequence = 1 if previous is None else previous.sequence + 1
    return Sealed(target, sequence, _digest(manifest))


def _evidence(
    target: Path, asked: recipe.Recipe, made: Made, signer: Signer | None, previous: Link | None
) -> Evidence:
    return Evidence(
        bundle=target.name,
        signer=NONE if signer is None else signer.kind,
        key_id=None if signer is None else signer.key_id,
        identity=made.run_by,
        inputs=tuple((file.path, file.sha256) for file in asked.files),
        previous=None if previous is None else previous.manifest_sha256,
    )


def _compare(written: Mapping[str, bytes], again: Mapping[str, bytes]) -> None:
    """Refuse a bundle that nobody could verify: its own inputs must give its own documents."""
    wrong = [name for name, content in again.items() if written.get(name) != content]
    if not wrong and set(written) - set(again) == {layout.RECIPE}:
        return
    name = wrong[0] if wrong else "another file"
    place = _difference(written.get(name, b""), again.get(name, b""))
    raise KeyauditError(
        f"no bundle was written: audited again from its inputs, {name} is another one, from byte {place}",
        hint="please report it; the report itself stands",
    )


def _difference(one: bytes, other: bytes) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _calendar(instant: int) -> tuple[int, int, int, int, int, int]:
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant // SECOND)
    return time.year, time.month, time.day, time.hour, time.minute, time.second
