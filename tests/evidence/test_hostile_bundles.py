"""Bundles made to mislead whoever opens them: names, links, archives that two programs read differently."""

from __future__ import annotations

import os
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from evidence import sealing, written
from evidence.written import SIGNER, wrong
from keyaudit.errors import UsageError
from keyaudit.evidence import opening
from keyaudit.evidence.verification import Outcome

CREATED = "2026-07-01T00:00:00Z"
FIRST = {
    "sequence": 1,
    "previous": None,
    "created_at": CREATED,
    "as_of": CREATED,
    "signer": {"kind": "ed25519", "key_id": sealing.key_id(SIGNER)},
}
FILES = {"report.json": b"{}\n" * 50, "inputs/policy.yaml": b"policy: acme\n" * 50}


def folder(at: Path, files: Mapping[str, bytes] = FILES) -> Path:
    bundle = at / "bundle"
    bundle.mkdir()
    sealing.seal(bundle, files, FIRST)
    sealing.sign(bundle, SIGNER)
    return bundle


def entries(bundle: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(bundle.rglob("*")):
        if path.is_file():
            yield path.relative_to(bundle).as_posix(), path.read_bytes()


def packed(bundle: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    archive = bundle.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", method) as into:
        for name, content in entries(bundle):
            into.writestr(name, content)
    return archive


def structure(bundle: Path) -> str:
    found = written.verified(bundle)
    return "\n".join(text for text in wrong(found).splitlines() if text.startswith("structure: "))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return folder(tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_folder_and_its_archive_are_one_bundle(bundle: Path, method: int) -> None:
    one, other = written.verified(bundle), written.verified(packed(bundle, method))
    assert wrong(one) == wrong(other) == ""
    assert one.bundles[0].statements == other.bundles[0].statements


def test_a_link_is_named_and_not_followed(bundle: Path) -> None:
    (bundle / "link").symlink_to(bundle / "report.json")
    assert structure(bundle) == "structure: link is a symbolic link, not a file"


def test_a_listed_file_that_became_a_link_to_the_same_bytes_is_named(bundle: Path) -> None:
    (bundle / "report.json").rename(bundle.parent / "report.json")
    (bundle / "report.json").symlink_to(bundle.parent / "report.json")
    found = wrong(written.verified(bundle))
    assert "report.json is a symbolic link" in found
    assert "report.json is missing" in found


def test_a_folder_that_is_a_link_is_named(bundle: Path) -> None:
    (bundle / "inputs").rename(bundle.parent / "inputs")
    (bundle / "inputs").symlink_to(bundle.parent / "inputs")
    assert structure(bundle) == "structure: inputs is a symbolic link, not a file"


def test_a_pipe_is_named_and_not_waited_for(bundle: Path) -> None:
    os.mkfifo(bundle / "pipe")
    assert structure(bundle) == "structure: pipe is a device, a pipe or a socket, not a file"
    (bundle / "pipe").rename(bundle / "report.json")
    assert "report.json is missing" in wrong(written.verified(bundle))


@pytest.mark.parametrize(
    "name",
    [
        "../outside", "/etc/passwd", "a/../../b", "a//b", "./a", "a\\..\\b", "C:/a", "a\nb", "a\x00b", "a\x1b[2Jb",
        "con\u202egnp.exe", " a", "a.", "a/", "", "x" * 300, "/".join("a" * 20),
    ],
)  # fmt: skip
def test_a_name_that_leads_elsewhere_is_no_name(name: str) -> None:
    assert not opening.sound(name)


@pytest.mark.parametrize(
    "name", ["manifest.json", "inputs/inventory/01-a b.yaml", "reports/report.html", "ä.json"]
)
def test_a_plain_name_is_one(name: str) -> None:
    assert opening.sound(name)


@pytest.mark.parametrize("name", ["../outside", "/outside", "a\\..\\..\\outside", "inputs/../../outside"])
def test_an_archive_that_would_write_outside_is_named_and_writes_nothing(bundle: Path, name: str) -> None:
    archive = packed(bundle)
    with zipfile.ZipFile(archive, "a") as into:
        into.writestr(name, b"x")
    before = set(bundle.parent.rglob("*"))
    assert "is no name that every system understands alike" in structure(archive)
    assert set(bundle.parent.rglob("*")) == before


@pytest.mark.parametrize("other", ["REPORT.json", "report.json/x"])
def test_names_that_are_one_file_somewhere_are_named(bundle: Path, other: str) -> None:
    archive = packed(bundle)
    with zipfile.ZipFile(archive, "a") as into:
        into.writestr(other, b"x")
    assert "where capitals do not count" in structure(archive) or "a file as well" in structure(archive)


def test_a_composed_and_a_decomposed_name_are_one_file(bundle: Path) -> None:
    archive = packed(bundle)
    with zipfile.ZipFile(archive, "a") as into:
        into.writestr("\u00e4", b"x")
        into.writestr("a\u0308", b"y")
    assert "where capitals do not count" in structure(archive)


def test_two_entries_of_one_name_are_named(bundle: Path) -> None:
    archive = packed(bundle)
    with zipfile.ZipFile(archive, "a") as into, pytest.warns(UserWarning, match="Duplicate name"):
        into.writestr("report.json", b"all is well")
    assert structure(archive) == "structure: report.json stands 2 times in the archive"


def test_a_link_in_an_archive_is_named(bundle: Path) -> None:
    archive = packed(bundle)
    with zipfile.ZipFile(archive, "a") as into:
        entry = zipfile.ZipInfo("link")
        entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        into.writestr(entry, "/etc/passwd")
    assert structure(archive) == "structure: link is a symbolic link, not a file"


def test_bytes_before_the_entries_and_a_comment_are_named(bundle: Path) -> None:
    archive = packed(bundle)
    content = archive.read_bytes()
    archive.write_bytes(b"#!/bin/sh\n" + content)
    assert "bytes that are of none" in structure(archive)
    archive.write_bytes(content)
    with zipfile.ZipFile(archive, "a") as into:
        into.comment = b"all is well"
    assert "or a comment" in structure(archive)


def test_bytes_between_two_entries_are_named(bundle: Path) -> None:
    """A second file hides where only a program that looks for headings from the front finds it."""
    archive = bundle.with_suffix(".zip")
    with archive.open("wb") as raw, zipfile.ZipFile(raw, "w") as into:
        for name, content in entries(bundle):
            into.writestr(name, content)
            into.fp.write(b"PK\x03\x04 hidden")
            into.start_dir = into.fp.tell()
    assert "follows bytes that are of none" in structure(archive)


def test_bytes_behind_the_end_are_named(bundle: Path) -> None:
    archive = packed(bundle)
    archive.write_bytes(archive.read_bytes() + b"%PDF-1.7 another reading of the same file")
    assert "bytes behind its end" in structure(archive)


def test_a_second_name_is_named(bundle: Path) -> None:
    """Info-ZIP takes a name from this extra field, Python does not: two tables would change places."""
    archive = bundle.with_suffix(".zip")
    others = {"report.json": b"inputs/policy.yaml", "inputs/policy.yaml": b"report.json"}
    with zipfile.ZipFile(archive, "w") as into:
        for name, content in entries(bundle):
            entry = zipfile.ZipInfo(name)
            if name in others:
                field = struct.pack("<BL", 1, zlib.crc32(name.encode())) + others[name]
                entry.extra = struct.pack("<HH", 0x7075, len(field)) + field
            into.writestr(entry, content)
    assert "report.json has another name, or nothing that can be read, in an extra field" in structure(
        archive
    )


@pytest.mark.parametrize(
    ("offset", "what"), [(6, "flags"), (8, "method"), (14, "CRC"), (18, "packed"), (22, "size")]
)
def test_a_heading_that_contradicts_the_list_is_named(bundle: Path, offset: int, what: str) -> None:
    """A program that reads from the front would unpack something else."""
    archive = packed(bundle, zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[offset] ^= 0x2
    archive.write_bytes(content)
    assert "is not in its own heading what the list of entries says of it" in structure(archive), what


@pytest.mark.parametrize("mark", [0o040755 << 16, 0o100644 << 16 | 0x10, 0o020644 << 16])
def test_a_file_that_is_marked_as_something_else_is_named(bundle: Path, mark: int) -> None:
    archive = bundle.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as into:
        for name, content in entries(bundle):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mark if name == "report.json" else 0o100600 << 16
            into.writestr(entry, content)
    assert "report.json is marked as" in structure(archive)


def test_a_folder_without_a_file_is_named(bundle: Path) -> None:
    (bundle / "nothing-was-found" / "at-all").mkdir(parents=True)
    assert "nothing-was-found/ is a folder without a file" in structure(bundle)
    archive = packed(bundle)
    with zipfile.ZipFile(archive, "a") as into:
        into.writestr("../elsewhere/", b"")
    assert structure(archive) == "structure: ../elsewhere/ is a folder without a file"


def test_an_archive_with_folders_and_times_of_another_program_is_the_same_bundle(bundle: Path) -> None:
    archive = bundle.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as into:
        into.mkdir("inputs/")
        for name, content in entries(bundle):
            entry = zipfile.ZipInfo(name)
            entry.extra = struct.pack("<HHBL", 0x5455, 5, 1, 1_700_000_000)
            with into.open(entry, "w", force_zip64=True) as to:
                to.write(content)
    assert wrong(written.verified(archive)) == ""


def test_a_folder_that_nobody_can_look_into_is_named(bundle: Path) -> None:
    """As its name is in another encoding, it stands for what permissions do to anybody but root."""
    (bundle / os.fsdecode(b"caf\xe9")).mkdir()
    assert "cannot be looked into" in structure(bundle)


def test_entries_that_share_their_bytes_are_named(bundle: Path) -> None:
    """How a small archive comes to petabytes: many names for one stretch of it."""
    archive = bundle.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as into:
        for name, content in entries(bundle):
            into.writestr(name, content)
        one = into.getinfo("report.json")
        into.filelist.append(one)
    assert "report.json stands 2 times" in structure(archive)
    assert "overlaps another entry" in structure(archive)


def test_an_archive_that_would_fill_a_disk_is_named_before_it_is_unpacked(bundle: Path) -> None:
    archive = packed(bundle)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as into:
        into.writestr("inputs/zeros", b"\0" * (80 << 20))
    assert archive.stat().st_size < 1 << 20
    assert "no bundle does" in structure(archive)


def test_an_archive_that_lies_about_a_size_gives_no_more_than_it_says(bundle: Path) -> None:
    archive = packed(bundle)
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as read:
        size = read.getinfo("report.json").file_size
    for magic, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = -1
        while (at := content.find(magic, at + 1)) >= 0:
            if content[at + offset : at + offset + 4] == struct.pack("<I", size):
                content[at + offset : at + offset + 4] = struct.pack("<I", size - 1)
    archive.write_bytes(content)
    assert "report.json cannot be read: is damaged in the archive" in wrong(written.verified(archive))


def test_every_byte_of_an_archive_is_caught_or_changes_no_file(bundle: Path) -> None:
    archive = packed(bundle)
    content, kept = archive.read_bytes(), dict(entries(bundle))
    chosen = random.Random(1)
    noticed = 0
    for offset in range(0, len(content), 3):
        changed = bytearray(content)
        changed[offset] ^= chosen.randrange(1, 256)
        archive.write_bytes(changed)
        try:
            found = written.verified(archive)
        except UsageError:
            noticed += 1
            continue
        if found.outcome is Outcome.WRONG:
            noticed += 1
            continue
        with opening.opened(archive) as unpacked:
            assert {name: unpacked.read(name) for name in unpacked.names} == kept, offset
    assert noticed > len(content) // 3 * 0.8


@pytest.mark.parametrize("content", [b"", b"PK", b"not an archive", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "bundle.zip"
    archive.write_bytes(content)
    try:
        found = wrong(written.verified(archive))
    except UsageError as error:
        found = str(error)
    assert "cannot be read" in found or "is no bundle" in found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"_type":1}', "cannot be read"),
    ],
)
def test_a_manifest_that_is_none_is_wrong(bundle: Path, changed: bytes, said: str) -> None:
    (bundle / "manifest.json").write_bytes(changed)
    assert said in wrong(written.verified(bundle))


def rewritten(bundle: Path, changed: dict[str, object]) -> str:
    document = {**sealing.statement(bundle), **changed}
    (bundle / "manifest.json").write_bytes(sealing.canonical(document))
    sealing.sign(bundle, SIGNER)
    return wrong(written.verified(bundle))


def test_a_signed_manifest_that_means_two_things_is_wrong(bundle: Path) -> None:
    subject = sealing.statement(bundle)["subject"]
    assert "names a file twice" in rewritten(bundle, {"subject": [*subject, subject[0]]})
    slip = {"name": "../x", "digest": {"sha256": "0" * 64}}
    assert "names ../x" in rewritten(bundle, {"subject": [*subject, slip]})
    own = {"name": "manifest.json", "digest": {"sha256": "0" * 64}}
    assert "one that is made of it" in rewritten(bundle, {"subject": [*subject, own]})
    assert "no statement of the kind" in rewritten(
        bundle, {"predicateType": "https://slsa.dev/provenance/v1"}
    )
    twice = (bundle / "manifest.json").read_bytes().replace(b'{"_type"', b'{"_type":"x","_type"', 1)
    (bundle / "manifest.json").write_bytes(twice)
    assert "not in the canonical form" in wrong(written.verified(bundle))


def test_a_bundle_without_a_manifest_was_never_finished(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()
    with pytest.raises(UsageError, match="is no bundle: there is no manifest.json in it"):
        written.verified(bundle)
    with pytest.raises(UsageError, match="No such file"):
        written.verified(bundle / "nothing")
    with pytest.raises(UsageError, match="is neither a folder nor a file"):
        written.verified(Path("/dev/null"))
