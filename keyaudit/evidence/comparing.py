"""A bundle audited again from its inputs alone, and every output compared byte for byte.

This finds what no signature can: outputs that somebody who holds the key changed on purpose. Nothing of
a bundle is run; its templates see what every template sees, in the same sandbox.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from keyaudit import __version__
from keyaudit.errors import InputError, KeyauditError, MissingExtraError
from keyaudit.evidence import explaining, layout, settings
from keyaudit.evidence import recipe as recipes
from keyaudit.evidence.checking import Manifest
from keyaudit.evidence.dsse import canonical
from keyaudit.evidence.recipe import Recipe
from keyaudit.evidence.replay import outputs, policy_document, replay
from keyaudit.evidence.statement import CLAIMS, claims
from keyaudit.evidence.verification import Check, Outcome, Statement, few, fits, left_open, wrong
from keyaudit.formats import pdf
from keyaudit.model import Report

UNMADE = (layout.RECIPE, layout.SUMS)
"""Files that are neither inputs nor made of a report."""
PACKAGES = ("narwhals", "polars", "duckdb", "weasyprint")
"""What a manifest may name a version of, beside keyaudit and Python."""
_CALLED = {"paper": "other fonts or libraries, by a fixed page that came out as"}
PAPER, PRINTERS, TOOL = "pdf", ("weasyprint", "paper"), "keyaudit"
"""A PDF's bytes depend on the program that lays it out, and on the fonts of a machine."""


def check_replay(folder: Path, said: Manifest, *, trusted: bool) -> Iterator[Statement]:
    """Audit again what lies under `folder`, whose files have the digests that the manifest names.

    `trusted` says whether a key that the reader trusts signed the manifest: nothing bounds what templates
    cost on paper, so that those of a stranger are not printed.
    """
    try:
        recipe = recipes.read((folder / layout.RECIPE).read_bytes(), layout.RECIPE)
    except (InputError, OSError) as error:
        yield wrong(Check.REPLAY, f"there is no recipe to go by: {error}")
        return
    if flaws := list(_inputs(recipe, said)):
        yield from flaws
        return
    maker = _Maker.of(said)
    try:
        report = replay(folder, recipe)
        made = {**outputs(report, _without_paper(recipe)), **policy_document(folder, recipe)}
    except MissingExtraError as error:
        yield left_open(Check.REPLAY, f"it was not audited again: {error}; {error.hint}")
        return
    except KeyauditError as error:
        yield maker.differs(f"its inputs cannot be audited again: {error}")
        return
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a stranger's inputs break, even a native library's panic
        yield maker.differs(f"auditing its inputs again broke off: {type(error).__name__}")
        return
    anew = _Anew(folder, said, recipe, report, made)
    compared = [*_compared(anew, maker), *_paper(anew, maker, trusted=trusted)]
    flaws = [*_claims(anew, maker), *compared]
    yield from flaws
    if not any(each.outcome is Outcome.WRONG for each in flaws):
        same = len(made) + sum(each.format == PAPER for each in recipe.renderings) - len(compared)
        text = f"audited again: {same:,} outputs are the same byte for byte"
        yield fits(Check.REPLAY, f"{text}{_in_own_words(recipe)}")


def _in_own_words(recipe: Recipe) -> str:
    """Say which documents are of templates of their maker: the same bytes again, whatever they claim."""
    own = [each.path for each in recipe.renderings if _own_templates(each.settings)]
    return f"; {few(own)}: by templates of the maker's own, which may say what no audit did" if own else ""


def _own_templates(said: Mapping[str, Any]) -> bool:
    presentation = settings.from_data(said.get("presentation"), layout.RECIPE)
    return bool(presentation and presentation.templates.texts)


@dataclass(frozen=True, slots=True)
class _Anew:
    """A bundle beside what its inputs came to: its files under `folder`, and every output but the PDFs."""

    folder: Path
    said: Manifest
    recipe: Recipe
    report: Report
    made: Mapping[str, bytes]


def _inputs(recipe: Recipe, said: Manifest) -> Iterator[Statement]:
    """Hold what the recipe says of its inputs against the manifest."""
    used = {each.path: each.sha256 for each in recipe.files}
    kept = {name: digest for name, digest in said.files.items() if name.startswith(f"{layout.INPUTS}/")}
    for path in sorted(used.keys() | kept.keys()):
        if path not in kept:
            yield wrong(Check.REPLAY, f"{path} is missing: {layout.RECIPE} needs it")
        elif path not in used:
            yield wrong(Check.REPLAY, f"{path} lies among the inputs, and {layout.RECIPE} does not use it")
        elif used[path] != kept[path]:
            yield wrong(
                Check.REPLAY, f"{path} is not the input that {layout.RECIPE} names: its SHA-256 differs"
            )


@dataclass(frozen=True, slots=True)
class _Maker:
    """What a bundle was made with that is another version than what is here."""

    tool: str | None
    others: tuple[str, ...]
    printer: str | None

    @classmethod
    def of(cls, said: Manifest) -> _Maker:
        """Compare what a manifest says with what is here."""
        claimed = _versions(said)
        here = {name: _here(name) for name in claimed}
        parted = {
            name: f"{_CALLED.get(name, name)} {claimed[name][:24]} (here {here[name][:24]})"
            for name in sorted(claimed)
            if claimed[name] != here[name]
        }
        others = tuple(text for name, text in parted.items() if name not in {TOOL, *PRINTERS})
        printer = next((parted[name] for name in PRINTERS if name in parted), None)
        return cls(parted.get(TOOL), others, printer)

    def differs(self, text: str) -> Statement:
        """Say that something is not the same: what another keyaudit made is not decided here."""
        if self.tool is not None:
            return left_open(Check.REPLAY, f"{text}. It was made by {self.tool}: decide with that version")
        beside = f". It was made with {few(self.others)}" if self.others else ""
        return wrong(Check.REPLAY, f"{text}{beside}")


def _versions(said: Manifest) -> dict[str, str]:
    tool, versions = said.predicate.get("tool"), said.predicate.get("versions")
    found = {str(name): str(each) for name, each in versions.items()} if isinstance(versions, dict) else {}
    if isinstance(tool, dict):
        found[TOOL] = str(tool.get("version"))
    return found


def _here(name: str) -> str:
    if name == "paper":
        return _paper_here()
    if name in {TOOL, "python"}:
        return __version__ if name == TOOL else platform.python_version()
    try:
        return metadata.version(name) if name in PACKAGES else "not known"
    except metadata.PackageNotFoundError:
        return "not installed"


def _paper_here() -> str:
    try:
        return pdf.paper()
    except KeyauditError:
        return "not known"


def _without_paper(recipe: Recipe) -> Recipe:
    kept = tuple(each for each in recipe.renderings if each.format != PAPER)
    return msgspec.structs.replace(recipe, renderings=kept)


def _claims(anew: _Anew, maker: _Maker) -> Iterator[Statement]:
    """Compare what the manifest says of the audit with the audit, and what documents say of the manifest."""
    for name, made in claims(anew.report, anew.recipe).items():
        if (kept := anew.said.predicate.get(name)) != made:
            differs = explaining.document(canonical(kept), canonical(made))
            yield maker.differs(f"the manifest's {name} is not what its inputs come to: {differs}")
    predicate = anew.said.predicate
    if other := sorted(predicate.keys() - {*claims(anew.report, anew.recipe), *CLAIMS}):
        yield maker.differs(f"the manifest claims what no audit comes to: {few(other)}")
    signer, previous = predicate.get("signer"), predicate.get("previous")
    of_manifest = {
        "signer": signer.get("kind") if isinstance(signer, dict) else None,
        "key_id": signer.get("key_id") if isinstance(signer, dict) else None,
        "namespace": layout.NAMESPACE,
        "identity": predicate.get("run_by"),
        "previous": previous.get("manifest_sha256") if isinstance(previous, dict) else None,
    }
    for name, kept in of_manifest.items():
        if anew.recipe.evidence.get(name) != kept:
            yield wrong(Check.REPLAY, f"the documents name another {name} than the manifest does")
    inputs = settings.from_data({"$evidence": anew.recipe.evidence}, layout.RECIPE).inputs
    if [path for path, _ in inputs] != [each.path for each in anew.recipe.files]:
        yield wrong(Check.REPLAY, "the documents do not name the inputs of the bundle, each of them")
    for path, digest in inputs:
        if anew.said.files.get(path) != digest:
            yield wrong(Check.REPLAY, f"the documents name another digest of {path} than the manifest does")


def _compared(anew: _Anew, maker: _Maker) -> Iterator[Statement]:
    papers = {each.path for each in anew.recipe.renderings}
    for path in sorted(anew.made.keys() | anew.said.files.keys()):
        if path in UNMADE or path.startswith(f"{layout.INPUTS}/"):
            continue
        if path not in anew.made:
            if path not in papers:
                yield maker.differs(f"{path} is nothing that an audit of these inputs makes")
        elif path not in anew.said.files:
            yield maker.differs(f"{path} is missing: an audit of these inputs makes it")
        elif (kept := (anew.folder / path).read_bytes()) != anew.made[path]:
            yield maker.differs(f"{path} is not what its inputs come to: {_why(path, kept, anew)}")


def _why(path: str, kept: bytes, anew: _Anew) -> str:
    if path == layout.REPORT:
        return explaining.report(kept, anew.report, anew.made[path])
    return explaining.document(kept, anew.made[path])


def _paper(anew: _Anew, maker: _Maker, *, trusted: bool) -> Iterator[Statement]:
    """Compare documents in PDF, where what lays them out is what laid them out."""
    for each in (each for each in anew.recipe.renderings if each.format == PAPER):
        if not trusted and _own_templates(each.settings):
            why = "templates of the maker's own are printed only where a key that you trust signed them"
            yield left_open(Check.REPLAY, f"{each.path} was not compared: {why}")
            continue
        if maker.printer is not None:
            yield left_open(Check.REPLAY, f"{each.path} was not compared: made with {maker.printer}")
            continue
        alone = msgspec.structs.replace(anew.recipe, renderings=(each,))
        try:
            made = outputs(anew.report, alone)[each.path]
        except MissingExtraError as error:
            yield left_open(Check.REPLAY, f"{each.path} was not compared: {error}; {error.hint}")
            continue
        except Exception as error:  # noqa: BLE001 - a stranger's templates
            why = str(error) if isinstance(error, KeyauditError) else type(error).__name__
            yield maker.differs(f"{each.path} cannot be made of these inputs: {why}")
            continue
        if each.path not in anew.said.files:
            yield maker.differs(f"{each.path} is missing: an audit of these inputs makes it")
        elif (kept := (anew.folder / each.path).read_bytes()) != made:
            why = explaining.document(kept, made)
            yield maker.differs(f"{each.path} is not what its inputs come to: {why}")
