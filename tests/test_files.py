"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from keyaudit.files import read_own, replace_unchanged, write_atomically


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    write_atomically(target, b"new", mode=0o600)
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match="report.json"):
        write_atomically(target, b"new")
    assert os.listdir(tmp_path) == ["report.json"]


def test_a_file_that_is_what_was_seen_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    target = tmp_path / ".env"
    target.write_text("old")
    target.chmod(0o640)
    assert replace_unchanged(target, b"new", target.stat())
    assert (target.read_bytes(), stat.S_IMODE(target.stat().st_mode)) == (b"new", 0o640)
    assert os.listdir(tmp_path) == [".env"]


@pytest.mark.parametrize(
    "change", ["another text", "the same text again", "another file", "a link", "nothing"]
)
def test_a_file_that_somebody_changed_is_not_replaced(change: str, tmp_path: Path) -> None:
    target = tmp_path / ".env"
    target.write_text("old")
    seen = target.stat()
    if change == "another text":
        target.write_text("other")
    elif change == "the same text again":
        os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1))
    elif change in {"another file", "a link"}:
        target.rename(tmp_path / "moved")
        if change == "a link":
            target.symlink_to("moved")
        else:
            target.write_text("old")
            os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    kept = target.read_bytes()
    assert replace_unchanged(target, b"new", seen) is (change == "nothing")
    assert target.read_bytes() == (b"new" if change == "nothing" else kept)
    assert not [name for name in os.listdir(tmp_path) if name.startswith("..env")]


def test_a_file_that_went_away_is_not_made_again(tmp_path: Path) -> None:
    target = tmp_path / ".env"
    target.write_text("old")
    seen = target.stat()
    target.unlink()
    with pytest.raises(FileNotFoundError):
        replace_unchanged(target, b"new", seen)
    assert os.listdir(tmp_path) == []


def test_our_own_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"ours")
    assert read_own(tmp_path / "kept") == b"ours"


@pytest.mark.parametrize("who", ["the group", "everybody", "whoever has the folder", "a link"])
def test_what_somebody_else_could_have_written_is_not_read(who: str, tmp_path: Path) -> None:
    file = tmp_path / "folder" / "kept"
    file.parent.mkdir(mode=0o700)
    file.write_bytes(b"theirs")
    if who == "a link":
        (tmp_path / "folder" / "link").symlink_to(file)
        file = tmp_path / "folder" / "link"
    elif who == "whoever has the folder":
        file.parent.chmod(0o777)
    else:
        file.chmod({"the group": 0o620, "everybody": 0o602}[who])
    with pytest.raises(OSError):
        read_own(file)
