"""Bundles that somebody changed: every byte, every file, and those who know what they do."""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from evidence import sealing, written
from evidence.written import NOBODY, OTHER, SIGNER, WHO, wrong
from keyaudit import inventory
from keyaudit.evidence.recipe import Recipe
from keyaudit.evidence.replay import remade
from keyaudit.evidence.trust import Trust, of_ed25519
from keyaudit.evidence.verification import Outcome

SMALL = 512
"""Bytes up to which a file is changed at every offset; of a larger one ends and some between are."""
SOME = 24


@pytest.fixture(scope="module")
def original() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield written.original(Path(folder))


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    return written.copied(original, tmp_path / "bundle")


def insider(bundle: Path, changed: dict[str, bytes], **predicate: object) -> None:
    """Change files, make every digest fit again, and sign with the key that the auditor trusts."""
    sealing.reseal(bundle, changed, **predicate)
    sealing.sign(bundle, SIGNER)


def names(bundle: Path) -> list[str]:
    return sorted(path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file())


def missed(bundle: Path, name: str, trust: Trust) -> list[int]:
    """Change one byte at a time; list the offsets that nobody noticed, or noticed without naming the file."""
    path, seen = bundle / name, (bundle / name).read_bytes()
    chosen = random.Random(name)
    offsets = set(range(len(seen)))
    if len(seen) > SMALL:
        offsets = {0, 1, len(seen) // 2, len(seen) - 2, len(seen) - 1, *chosen.sample(range(len(seen)), SOME)}
    passed = []
    for offset in sorted(offsets):
        content = bytearray(seen)
        content[offset] ^= chosen.randrange(1, 256)
        path.write_bytes(content)
        found = written.verified(bundle, trust=trust)
        if found.outcome is not Outcome.WRONG or name not in wrong(found):
            passed.append(offset)
    path.write_bytes(seen)
    return passed


def test_an_untouched_bundle_fits_in_everything(original: Path) -> None:
    found = written.verified(original, replay=True)
    assert wrong(found) == ""
    assert found.exit_code == 0


def test_every_file_is_caught_with_any_one_byte_changed(bundle: Path) -> None:
    listed = names(bundle)
    assert len(listed) > 16
    assert {name: at for name in listed if (at := missed(bundle, name, written.TRUSTED))} == {}
    assert written.verified(bundle).outcome is Outcome.OPEN  # not audited again, and nothing else


def test_every_byte_of_an_ssh_signature_counts(bundle: Path, tmp_path: Path) -> None:
    sealing.reseal(bundle, {}, signer={"kind": "ssh", "key_id": None})
    sealing.sign_ssh(bundle, sealing.write_keys(tmp_path, "key", SIGNER))
    assert wrong(written.verified(bundle)) == ""
    for name in ("manifest.json.sig", "manifest.pub"):
        assert missed(bundle, name, written.TRUSTED) == []


@pytest.mark.parametrize(
    "name", ["report.json", "inputs/policy.yaml", "manifest.sig", "SHA256SUMS", "audit.json"]
)
def test_a_file_that_was_taken_away_is_named(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert f"{name} is missing" in wrong(written.verified(bundle)) or f"{name} cannot be read" in wrong(
        written.verified(bundle)
    )


@pytest.mark.parametrize("name", ["note.txt", "inputs/inventory/04-more.yaml", "manifest.note", ".hidden"])
def test_a_file_that_was_added_is_named(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"")
    assert f"{name} was added" in wrong(written.verified(bundle))


def test_a_file_under_another_name_is_named_twice(bundle: Path) -> None:
    (bundle / "findings.csv").rename(bundle / "finding.csv")
    found = wrong(written.verified(bundle))
    assert "finding.csv was added" in found
    assert "findings.csv is missing" in found


def test_a_truncated_table_is_named(bundle: Path) -> None:
    table = bundle / "findings.csv"
    table.write_bytes(b"".join(table.read_bytes().splitlines(keepends=True)[:-1]))
    assert "findings.csv was changed" in wrong(written.verified(bundle))


def test_sums_that_do_not_agree_with_the_manifest_are_named_by_whoever_signed_both(bundle: Path) -> None:
    sums = (bundle / "SHA256SUMS").read_bytes()
    files = sealing.contents(bundle)
    sealing.seal(bundle, files, sealing.statement(bundle)["predicate"])
    other = sums.replace(sealing.digest(files["report.json"]).encode(), b"0" * 64)
    document = sealing.statement(bundle)
    for subject in document["subject"]:
        if subject["name"] == "SHA256SUMS":
            subject["digest"]["sha256"] = sealing.digest(other)
    (bundle / "SHA256SUMS").write_bytes(other)
    (bundle / "manifest.json").write_bytes(sealing.canonical(document))
    sealing.sign(bundle, SIGNER)
    found = wrong(written.verified(bundle))
    assert found == "sums: SHA256SUMS does not say the same as the manifest of report.json"


def test_a_policy_swapped_under_the_old_signature_is_named_by_the_signature(bundle: Path) -> None:
    policy = (bundle / "inputs/policy.yaml").read_bytes().replace(b"90d", b"900d")
    kept = {name: (bundle / name).read_bytes() for name in names(bundle) if name.startswith("manifest.")}
    sealing.reseal(bundle, {"inputs/policy.yaml": policy})
    for name in kept.keys() - {"manifest.json"}:
        (bundle / name).write_bytes(kept[name])
    assert "what manifest.dsse.json has signed is not manifest.json" in wrong(written.verified(bundle))


def test_a_policy_swapped_and_signed_again_with_another_key_is_named_by_the_key(bundle: Path) -> None:
    policy = (bundle / "inputs/policy.yaml").read_bytes().replace(b"90d", b"900d")
    sealing.reseal(bundle, {"inputs/policy.yaml": policy})
    sealing.sign(bundle, OTHER)
    found = wrong(written.verified(bundle))
    assert f"key: it was signed by another key, {sealing.key_id(OTHER)}, than the one that you trust" in found
    assert sealing.key_id(SIGNER) in found


def test_a_policy_swapped_by_whoever_holds_the_key_is_found_by_auditing_again(bundle: Path) -> None:
    policy = (bundle / "inputs/policy.yaml").read_bytes().replace(b"90d", b"900d")
    insider(bundle, {"inputs/policy.yaml": policy})
    found = wrong(written.verified(bundle, replay=True))
    assert found == "replay: inputs/policy.yaml is not the input that audit.json names: its SHA-256 differs"
    recipe = json.loads((bundle / "audit.json").read_bytes())
    recipe["policy"]["sha256"] = sealing.digest(policy)
    insider(bundle, {"audit.json": sealing.canonical(recipe)})
    found = wrong(written.verified(bundle, replay=True))
    assert "replay: the documents name another digest of inputs/policy.yaml than the manifest does" in found
    assert (
        "replay: policy.resolved.json is not what its inputs come to: schedules[1].rotation_period is '90d'"
        in found
    )
    assert "high fail in the bundle, no finding made anew (policy: " in found
    assert "findings.csv is not what its inputs come to" in found


def test_a_manifest_signed_by_another_key_needs_a_trusted_one_to_be_found(bundle: Path) -> None:
    sealing.sign(bundle, OTHER)
    assert "another key" in wrong(written.verified(bundle))
    assert "the manifest names another" in wrong(written.verified(bundle, trust=written.NOBODY))
    signer = {**sealing.statement(bundle)["predicate"]["signer"], "key_id": sealing.key_id(OTHER)}
    sealing.reseal(bundle, {}, signer=signer)
    sealing.sign(bundle, OTHER)
    found = written.verified(bundle, trust=written.NOBODY)
    assert wrong(found) == ""
    assert found.exit_code == 3
    [open_] = [each.text for each in found.bundles[0].statements if each.check == "key"]
    assert "a key that nobody vouched for" in open_


def test_a_signature_that_was_taken_away_is_named(bundle: Path) -> None:
    for name in ("manifest.dsse.json", "manifest.pae", "manifest.sig", "manifest.pub.pem"):
        (bundle / name).unlink()
    assert "its signature was taken away" in wrong(written.verified(bundle, trust=written.NOBODY))
    sealing.reseal(bundle, {}, signer={"kind": "none"})
    assert wrong(written.verified(bundle, trust=written.NOBODY)) == ""
    assert "nobody signed it" in wrong(written.verified(bundle))


def test_a_signature_of_ssh_in_place_of_one_by_the_trusted_key_is_named(bundle: Path, tmp_path: Path) -> None:
    sealing.reseal(bundle, {}, signer={"kind": "ssh", "key_id": None})
    sealing.sign_ssh(bundle, sealing.write_keys(tmp_path, "key", OTHER))
    assert "it was signed by another key" in wrong(written.verified(bundle))


def test_an_ssh_signature_for_something_else_is_named(bundle: Path, tmp_path: Path) -> None:
    key = sealing.write_keys(tmp_path, "key", SIGNER)
    sealing.reseal(bundle, {}, signer={"kind": "ssh", "key_id": None})
    sealing.sign_ssh(bundle, key, namespace="git")
    assert "not for keyaudit-bundle" in wrong(written.verified(bundle))


def test_only_the_named_signer_of_a_file_of_signers_is_trusted(bundle: Path, tmp_path: Path) -> None:
    sealing.reseal(bundle, {}, signer={"kind": "ssh", "key_id": None})
    sealing.sign_ssh(bundle, sealing.write_keys(tmp_path, "key", SIGNER))
    signers = tmp_path / "signers"
    signers.write_text(f'{WHO} namespaces="keyaudit-bundle" {sealing.public_ssh(SIGNER).decode()}\n')
    assert wrong(written.verified(bundle, trust=Trust((), signers, WHO))) == ""
    assert "does not accept for mallory@acme.example" in wrong(
        written.verified(bundle, trust=Trust((), signers, "mallory@acme.example"))
    )
    signers.write_text(f'{WHO} namespaces="git" {sealing.public_ssh(SIGNER).decode()}\n')
    assert "does not accept" in wrong(written.verified(bundle, trust=Trust((), signers, WHO)))


def report_without_a_finding(bundle: Path) -> bytes:
    document = json.loads((bundle / "report.json").read_bytes())
    del document["findings"][0]
    return with_digest(document)


def with_digest(document: dict[str, object]) -> bytes:
    body = {key: value for key, value in document.items() if key != "sha256"}
    body["sha256"] = sealing.digest(sealing.canonical(body))
    return json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n"


def test_a_finding_that_the_holder_of_the_key_left_out_is_found_by_auditing_again(bundle: Path) -> None:
    insider(bundle, {"report.json": report_without_a_finding(bundle)})
    assert wrong(written.verified(bundle)) == ""
    found = wrong(written.verified(bundle, replay=True))
    assert found.startswith("replay: report.json is not what its inputs come to: it contradicts itself")


def test_a_report_of_another_policy_and_a_true_signature_is_found_by_auditing_again(
    bundle: Path, tmp_path: Path
) -> None:
    example = Path(shutil.copytree(written.FIRST, tmp_path / "example"))
    policy = example / "policy.yaml"
    policy.write_bytes(policy.read_bytes().replace(b"90d", b"900d"))
    milder = written.scan(tmp_path / "milder", cwd=example)
    insider(bundle, {name: (milder / name).read_bytes() for name in ("report.json", "findings.csv")})
    found = wrong(written.verified(bundle, replay=True)).splitlines()
    assert len(found) == 2
    assert found[0].startswith("replay: findings.csv is not what its inputs come to: line 4 is ")
    assert found[1].startswith("replay: report.json is not what its inputs come to: KA102 of ")
    assert "no finding in the bundle, high fail made anew (policy: " in found[1]


def test_a_sentence_that_the_holder_of_the_key_changed_is_named_by_its_field(bundle: Path) -> None:
    document = json.loads((bundle / "report.json").read_bytes())
    document["findings"][0]["message"] = "all is well"
    insider(bundle, {"report.json": with_digest(document)})
    found = wrong(written.verified(bundle, replay=True))
    assert "findings[0].message is 'all is well' in the bundle" in found


@pytest.mark.parametrize("name", ["VERIFY.md", "reports/report.html", "coverage.csv", "policy.resolved.json"])
def test_a_document_that_the_holder_of_the_key_changed_is_named(bundle: Path, name: str) -> None:
    changed = (bundle / name).read_bytes().replace(b"a", b"e", 1)
    insider(bundle, {name: changed})
    found = wrong(written.verified(bundle, replay=True))
    assert found.startswith(f"replay: {name} is not what its inputs come to: ")
    assert len(found.splitlines()) == 1


def test_a_document_that_nothing_makes_is_named(bundle: Path) -> None:
    insider(bundle, {"reports/opinion.txt": b"all is well\n"})
    found = wrong(written.verified(bundle, replay=True))
    assert found == "replay: reports/opinion.txt is nothing that an audit of these inputs makes"


def test_a_manifest_that_says_something_else_of_the_audit_is_named(bundle: Path) -> None:
    insider(bundle, {}, population=1, summary={"verdicts": {}, "exit_code": 0})
    found = wrong(written.verified(bundle, replay=True))
    assert "replay: the manifest's population is not what its inputs come to" in found
    assert "replay: the manifest's summary is not what its inputs come to: exit_code is '0'" in found


def test_an_input_that_no_recipe_uses_is_named(bundle: Path) -> None:
    insider(bundle, {"inputs/inventory/09-more.yaml": b""})
    found = wrong(written.verified(bundle, replay=True))
    assert "inputs/inventory/09-more.yaml lies among the inputs" in found


def test_what_another_version_made_is_not_decided_but_named(bundle: Path) -> None:
    insider(bundle, {"coverage.csv": b"\n"}, tool={"name": "keyaudit", "version": "99.0"})
    found = written.verified(bundle, replay=True)
    assert found.exit_code == 3
    [said] = [
        each.text for each in found.bundles[0].statements if each.check == "replay" and each.outcome == "open"
    ]
    assert said.startswith("coverage.csv is not what its inputs come to")
    assert "It was made by keyaudit 99.0 (here " in said


def test_a_recipe_of_a_stranger_breaks_nothing_but_its_bundle(bundle: Path) -> None:
    recipe = json.loads((bundle / "audit.json").read_bytes())
    for changed, said in (
        ({"engine": "spark"}, "its inputs cannot be audited again"),
        (
            {"renderings": [{"format": "html", "path": "reports/report.html", "settings": {"x": 1}}]},
            "broke off",
        ),
        (
            {"renderings": [{"format": "html", "path": "report.json", "settings": {}}]},
            "is not where a document",
        ),
        ({"surprise": 1}, "there is no recipe to go by"),
    ):
        insider(bundle, {"audit.json": sealing.canonical({**recipe, **changed})})
        assert said in wrong(written.verified(bundle, replay=True))


def made_anew(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the recipe as whoever holds the key can, and make every document by what it says then."""
    said = json.loads((bundle / "audit.json").read_bytes())
    change(said)
    content = sealing.canonical(said)
    _, documents = remade(bundle, msgspec.json.decode(content, type=Recipe))
    insider(bundle, {**documents, "audit.json": content})


def test_no_document_takes_the_place_of_another(bundle: Path) -> None:
    """Made anew to the same bytes, the findings for workpapers would be what a report's template prints."""

    def change(recipe: dict[str, Any]) -> None:
        recipe["renderings"] = [{"format": "markdown", "path": "findings.csv", "settings": {}}]

    shutil.rmtree(bundle / "reports")
    made_anew(bundle, change)
    assert (bundle / "findings.csv").read_bytes().startswith(b"# keyaudit")
    found = wrong(written.verified(bundle, replay=True))
    assert "'findings.csv' is not where a document in the format 'markdown' lies" in found


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("namespace", "file", "the documents name another namespace than the manifest does"),
        ("identity", "Big Auditors LLP", "the documents name another identity than the manifest does"),
        ("inputs", [], "the documents do not name the inputs of the bundle, each of them"),
    ],
)
def test_steps_by_hand_for_another_bundle_are_named(bundle: Path, name: str, value: Any, said: str) -> None:
    made_anew(bundle, lambda recipe: recipe["evidence"].update({name: value}))
    assert said in wrong(written.verified(bundle, replay=True))


def test_a_claim_that_no_audit_comes_to_is_named(bundle: Path) -> None:
    insider(bundle, {}, opinion="unqualified")
    found = wrong(written.verified(bundle, replay=True))
    assert found == "replay: the manifest claims what no audit comes to: opinion"


def test_a_signature_that_the_manifest_does_not_speak_of_is_named(bundle: Path, tmp_path: Path) -> None:
    before = (bundle / "manifest.pub.pem").read_bytes()
    sealing.sign_ssh(bundle, sealing.write_keys(tmp_path, "key", sealing.private_key(3)))
    assert before == (bundle / "manifest.pub.pem").read_bytes()
    found = wrong(written.verified(bundle, trust=NOBODY))
    assert found == "signature: a signature was added: the manifest does not say that it has one, ssh"


def test_a_document_by_templates_of_the_makers_own_is_said_to_be_one(bundle: Path) -> None:
    def change(recipe: dict[str, Any]) -> None:
        [page] = [each for each in recipe["renderings"] if each["format"] == "html"]
        page["settings"]["presentation"]["$presentation"]["templates"] = {
            "html/findings.html": "<p>No exceptions were found.</p>"
        }

    made_anew(bundle, change)
    assert b"No exceptions were found." in (bundle / "reports" / "report.html").read_bytes()
    found = written.verified(bundle, replay=True)
    assert found.exit_code == 0
    said = found.bundles[0].statements[-1].text
    assert said.endswith(
        "; reports/report.html: by templates of the maker's own, which may say what no audit did"
    )


def test_a_table_that_breaks_the_library_which_reads_it_breaks_nothing_but_its_bundle(tmp_path: Path) -> None:
    """polars panics on some damaged Parquet, and a panic is no Exception."""
    june = Path(__file__).parents[2] / "examples" / "13-evidence-bundle" / "june.yaml"
    (tmp_path / "june.parquet").write_bytes(inventory.write(inventory.read([june]), "parquet"))
    given = ("--inventory", "june.parquet", "--as-of", "2026-06-30T12:00:00Z", "--bundle", "bundle")
    assert written.keyaudit("scan", *given, cwd=tmp_path).returncode in {0, 1, 3}
    bundle, name = tmp_path / "bundle", "inputs/inventory/01-june.parquet"
    good, recipe = (bundle / name).read_bytes(), (bundle / "audit.json").read_bytes()
    for offset in (427, 1204):
        changed = bytearray(good)
        changed[offset] ^= 0x40
        digests = sealing.digest(good).encode(), sealing.digest(bytes(changed)).encode()
        sealing.reseal(bundle, {name: bytes(changed), "audit.json": recipe.replace(*digests)})
        found = written.verified(bundle, trust=NOBODY, replay=True)
        assert found.exit_code == 1, offset
        assert "inputs" in wrong(found), offset


def test_templates_on_paper_are_filled_for_a_trusted_key_and_break_only_their_bundle(tmp_path: Path) -> None:
    """A style sheet can ask for pages without end, and nothing tells it from one that asks for many."""
    key = sealing.write_keys(tmp_path, "key", SIGNER)
    with_paper = written.scan(tmp_path / "paper", "--format", "pdf", "--sign-key", key)
    said = json.loads((with_paper / "audit.json").read_bytes())
    [page] = said["renderings"]
    page["settings"]["presentation"]["$presentation"]["templates"] = {"pdf_cover.html.j2": "{{ nothing }}"}
    insider(with_paper, {"audit.json": sealing.canonical(said)})
    found = wrong(written.verified(with_paper, replay=True))
    assert "reports/report.pdf cannot be made of these inputs: templates/pdf_cover.html.j2:1: " in found
    for trust in (NOBODY, Trust((of_ed25519(sealing.raw(OTHER)),))):
        verification = written.verified(with_paper, trust=trust, replay=True)
        assert "cannot be made" not in wrong(verification)
        [last] = [each.text for each in verification.bundles[0].statements if "report.pdf" in each.text][:1]
        assert last.startswith("reports/report.pdf was not compared: templates of the maker's own")
