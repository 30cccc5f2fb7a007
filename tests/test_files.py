"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from keyaudit.files import read_own, write_atomically


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
