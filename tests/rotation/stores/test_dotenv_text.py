"""What is read and written in .env files means the same to everybody who reads them."""

from __future__ import annotations

import io
import json
import random
import shutil
import string
import subprocess
from pathlib import Path

import dotenv
import pytest

from keyaudit.errors import RotationError
from keyaudit.rotation.stores.dotenv_text import read_text

ALIKE = {
    "NAME=value": "value",
    "NAME = value": "value",
    "  NAME=value": "value",
    "export NAME=value": "value",
    "export\tNAME=value": "value",
    "NAME=value # a comment": "value",
    "NAME=value\t# a comment": "value",
    "NAME=va#lue": "va#lue",
    "NAME=value  ": "value",
    "NAME=": "",
    "NAME= # nothing": "",
    "NAME=a=b": "a=b",
    "NAME='value'": "value",
    "NAME='va lue' # a comment": "va lue",
    "NAME='va # lue'": "va # lue",
    "NAME='pa$word'": "pa$word",
    "NAME='a\"b'": 'a"b',
    "NAME='a\\nb'": "a\\nb",
    'NAME="value"': "value",
    'NAME="va # lue"  # a comment': "va # lue",
    'NAME="it\'s"': "it's",
    'NAME=""': "",
}

REFUSED = {
    "NAME=$OTHER": "has a $ that some readers take for another variable",
    "NAME='${OTHER}'": "has a $ that some readers take for another variable",
    'NAME="pa$word"': "has a $ that some readers take for another variable",
    "NAME=`id`": "has a $ that some readers take for another variable",
    'NAME="a\\nb"': "has a backslash in double quotes, which readers take differently",
    'NAME="a\\"b"': "has a backslash in double quotes, which readers take differently",
    "NAME='a\\\\b'": "has a backslash in single quotes that readers take differently",
    "NAME='a\\'b'": "has a backslash in single quotes that readers take differently",
    "NAME=it's": "has a quote or a backslash outside quotes, which readers take differently",
    "NAME=a\\b": "has a quote or a backslash outside quotes, which readers take differently",
    "NAME='value": "has a quote that is not closed",
    "NAME='val'ue": "has something behind its closing quote",
    'NAME="two\nlines"': "goes over several lines",
    "NAME='two\r\nlines'": "goes over several lines",
    "NAME=a\x1bb": "has characters that cannot be seen",
}

VALUES = [
    "sk-proj-abc_DEF-123",
    "ghp_0123456789",
    "a/b+c==",
    "postgres://u:p@h:5432/db?x=1,2%20",
    "with space",
    "with # hash",
    "#begins",
    "pa$word",
    "semi;colon & more | < > ( ) * ? [ ] ! ~",
    "~tilde",
    'double"quote',
    "single'quote",
    '{"type":"service_account","private_key":"-----BEGIN\\nAAA\\n-----END"}',
    "ünïcode-€-🔑",
    "",
    "=",
    "export X=1",
]

IMPOSSIBLE = [
    "two\nlines",
    "carriage\rreturn",
    "${OTHER}",
    "both ' and \"",
    "it's $5",
    "ends in \\",
    "two \\\\ of them",
    "nul\x00",
]


def readings(text: str, folder: Path) -> dict[str, dict[str, str]]:
    """What python-dotenv, a shell and Node read in a file."""
    file = folder / "read.env"
    file.write_text(text, newline="")
    found = {"python-dotenv": dict(dotenv.dotenv_values(stream=io.StringIO(text)))}
    names = [name for name in found["python-dotenv"] if name]
    printed = "".join(f'printf "%s\\0" "${{{name}-}}"; ' for name in names)
    shell = subprocess.run(
        ["sh", "-c", f'set -a; . "$1"; {printed}', "sh", str(file)],
        capture_output=True, check=True, env={}, timeout=60,
    )  # fmt: skip
    found["sh"] = dict(zip(names, shell.stdout.decode().split("\0")[:-1], strict=True))
    node = shutil.which("node")
    if node:
        script = "console.log(JSON.stringify(process.env))"
        read = subprocess.run(
            [node, f"--env-file={file}", "-e", script], capture_output=True, check=True, env={}, timeout=60
        )
        found["node"] = {name: json.loads(read.stdout).get(name, "") for name in names}
    return found


@pytest.mark.parametrize("line", ALIKE)
def test_a_value_is_read_as_python_dotenv_reads_it(line: str) -> None:
    text = f"BEFORE=1\n{line}\nAFTER=2\n"
    found = read_text(text)
    assert found.value("NAME") == ALIKE[line] == dotenv.dotenv_values(stream=io.StringIO(text))["NAME"]
    assert found.text() == text


@pytest.mark.parametrize("line", REFUSED)
def test_a_value_that_readers_take_differently_is_refused_without_showing_it(line: str) -> None:
    text = f"BEFORE=1\n{line}\nAFTER=2\n"
    found = read_text(text)
    with pytest.raises(RotationError) as caught:
        found.value("NAME")
    assert str(caught.value) == f"NAME {REFUSED[line]}"
    assert (found.value("BEFORE"), found.text()) == ("1", text)
    assert line.partition("=")[2] not in repr(found)


def test_a_variable_that_is_set_twice_is_refused() -> None:
    with pytest.raises(RotationError, match="NAME is set twice"):
        read_text("NAME=a\nOTHER=b\nNAME=a\n").value("NAME")


def test_what_looks_like_an_assignment_inside_a_value_of_several_lines_is_none() -> None:
    text = 'PEM="-----BEGIN\nNAME=inside\n-----END"\nNAME=outside\n'
    found = read_text(text)
    assert found.value("NAME") == "outside" == dotenv.dotenv_values(stream=io.StringIO(text))["NAME"]
    assert found.with_value("NAME", "new", after="NAME").text() == text.replace("outside", "new")


def test_every_reader_takes_a_written_value_for_the_same(tmp_path: Path) -> None:
    generated = random.Random(20261121)
    alphabet = string.ascii_letters + string.digits + string.punctuation + " é"
    values = VALUES + ["".join(generated.choices(alphabet, k=generated.randint(1, 24))) for _ in range(400)]
    text, expected = read_text("FIRST=x\n"), {"FIRST": "x"}
    for number, value in enumerate(values):
        name = f"V{number}"
        try:
            text = text.with_value(name, value, after="FIRST")
        except RotationError:
            assert value not in VALUES
            continue
        expected[name] = value
        assert text.value(name) == value
    assert len(expected) > 250
    for reader, found in readings(text.text(), tmp_path).items():
        assert found == expected, reader


@pytest.mark.parametrize("value", IMPOSSIBLE)
def test_a_value_that_cannot_be_written_for_everybody_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(RotationError) as caught:
        read_text("NAME=x\n").with_value("NAME", value, after="NAME")
    assert value not in f"{caught.value} {caught.value.hint}"


def test_only_the_line_of_the_variable_changes() -> None:
    text = "# top\r\n\r\nA=1 # one\r\n  export NAME='old' # ours\r\nB='two'\r\nnonsense\r\nC=3"
    changed = read_text(text).with_value("NAME", "new", after="NAME")
    assert changed.text() == text.replace("'old'", "'new'")
    beside = changed.with_value("NAME_OLD", "old", after="NAME")
    assert beside.text() == changed.text().replace("# ours\r\n", "# ours\r\n  export NAME_OLD='old'\r\n")
    assert beside.without("NAME_OLD").text() == changed.text()


def test_a_line_is_added_after_a_last_line_without_an_end() -> None:
    assert read_text("A=1\r\nNAME=x").with_value("NAME_OLD", "y", after="NAME").text() == (
        "A=1\r\nNAME=x\r\nNAME_OLD=y"
    )
    assert read_text("NAME=x").with_value("NAME_OLD", "y", after="NAME").text() == "NAME=x\nNAME_OLD=y"


def test_a_name_that_is_part_of_export_is_found_behind_it() -> None:
    assert read_text("export port=1\n").with_value("port_OLD", "2", after="port").text() == (
        "export port=1\nexport port_OLD=2\n"
    )


def test_bytes_that_are_no_text_stay() -> None:
    text = b"# caf\xe9\nNAME=x\n".decode("utf-8", "surrogateescape")
    changed = read_text(text).with_value("NAME", "y", after="NAME").text()
    assert changed.encode("utf-8", "surrogateescape") == b"# caf\xe9\nNAME=y\n"
