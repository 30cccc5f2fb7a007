"""What holds for every file: budgets, names, and nothing of one particular machine."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyaudit import __version__

ROOT = Path(__file__).parent.parent
CODE = sorted((ROOT / "keyaudit").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST_FUNCTION = 50
LONGEST_FILE = 400
MOST_UNSAID = 12  # files of a package, before somebody new needs a map
PRODUCT = re.compile(r"(?i)secrets?_manager|rotation_manager")  # names of others, and of the first lesson
CATCH_ALL = re.compile(r"(?i)(^|_)(utils?|helpers?|common|core|misc|manager)(_|$)")
WALL_CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
}
SURROUNDINGS = {
    ("sys", "stdout"),
    ("sys", "exit"),
    ("sys", "argv"),
    ("os", "environ"),
    ("os", "environb"),
    ("os", "getenv"),
    ("os", "getenvb"),
}
IN_PROGRAMS_OF_OTHERS = {
    "keyaudit/client/keys.py",  # runs in an application, whose environment has its keys
    "keyaudit/rotation/aws_lambda.py",  # AWS calls it: there is no command line
    "keyaudit/rotation/google_function.py",  # nor where Google does
    "keyaudit/rotation/simulation/clock.py",  # a lesson's `KeyStore()` takes nothing, and it is now
}
LOCK_HOSTS = {"https://pypi.org", "https://files.pythonhosted.org"}
MACHINE = re.compile(
    rb"(?<![\w.-])/(work|root|tmp|home)/[A-Za-z]|index[-_]url|\[\[tool\.uv\.index\]\]|find[-_]links"
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", CODE, ids=name_of)
def test_a_file_and_its_functions_fit_a_screen(file: Path) -> None:
    long = [
        f"{node.name}: {length} lines"
        for node in functions(file)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long
    assert len(file.read_text("utf-8").splitlines()) <= LONGEST_FILE


def test_a_large_package_says_in_its_first_lines_which_file_holds_what() -> None:
    left_out = []
    for package in (file for file in CODE if file.name == "__init__.py"):
        modules = [file.stem for file in package.parent.glob("*.py") if file != package]
        said = package.read_text("utf-8")
        families = {word.rstrip("…") for word in re.findall(r"`(\w+_…)`", said)}
        left_out += [
            f"{package.parent.relative_to(ROOT)}: {name}"
            for name in modules
            if len(modules) > MOST_UNSAID
            and not re.search(rf"\b{name}\b", said)
            and not name.startswith(tuple(families))
        ]
    assert left_out == []


def test_no_module_is_called_after_nothing_in_particular() -> None:
    names = [file.stem for file in CODE]
    for file in CODE:
        nodes = ast.walk(ast.parse(file.read_bytes()))
        names += [
            re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name) for node in nodes if isinstance(node, ast.ClassDef)
        ]
    assert [name for name in names if CATCH_ALL.search(PRODUCT.sub("", name))] == []


def test_only_the_command_line_reads_the_clock_and_the_environment() -> None:
    found = []
    for file in CODE:
        if file.is_relative_to(ROOT / "keyaudit" / "cli") or file.name == "__main__.py":
            continue
        if name_of(file) in IN_PROGRAMS_OF_OTHERS:
            continue
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                if (owner, node.attr) in WALL_CLOCKS | SURROUNDINGS:
                    found.append(f"{name_of(file)}:{node.lineno}: {owner}.{node.attr}")
            if isinstance(node, ast.ImportFrom):
                names = [alias.name for alias in node.names if (node.module, alias.name) in SURROUNDINGS]
                found += [f"{name_of(file)}:{node.lineno}: {node.module}.{name}" for name in names]
    assert not found


def test_tests_replace_nothing_of_ours() -> None:
    banned = re.compile(r"mock\.patch|from unittest import mock|MagicMock|monkeypatch\.setattr")
    assert [
        name_of(file) for file in TESTS if file != Path(__file__) and banned.search(file.read_text("utf-8"))
    ] == []


def test_the_lock_file_names_the_two_public_hosts_only() -> None:
    hosts = set(re.findall(r'https?://[^/"]+', (ROOT / "uv.lock").read_text("utf-8")))
    assert hosts == LOCK_HOSTS


def test_nothing_committed_knows_one_particular_machine() -> None:
    found = []
    for file in tracked():
        for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
            if MACHINE.search(line) and file != Path(__file__):
                found.append(f"{name_of(file)}:{number}: {line[:100]!r}")
    assert not found


def test_set_up_names_no_host() -> None:
    set_up = [ROOT / "Makefile", *(ROOT / ".ci").iterdir()]
    assert [name_of(file) for file in set_up if re.search(r"https?://", file.read_text("utf-8"))] == []


def test_the_version_is_the_same_wherever_it_stands() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == __version__
    assert project["scripts"] == {"keyaudit": "keyaudit.__main__:main"}


def test_every_optional_package_is_in_all() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    (everything,) = extras.pop("all")
    assert everything == f"keyaudit[{','.join(extras)}]"
