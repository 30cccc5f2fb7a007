"""Every way a run can end has its exit code, says what happened on stderr, and shows no traceback."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from keyaudit import engine
from keyaudit.cli import options, run
from keyaudit.cli.program import COMMANDS, program
from keyaudit.errors import (
    InventoryError,
    KeyauditError,
    MissingExtraError,
    PolicyError,
    Problem,
    SourceError,
    UsageError,
)


class Panic(BaseException):
    """What a native library raises when it gives up: no Exception."""


PROBLEMS = [
    Problem("a.yaml", 3, 5, "credentials[0].id", "is missing"),
    Problem("a.yaml", 9, None, None, "odd"),
]

ENDINGS = [
    (UsageError("cannot", hint="do this"), 2, "keyaudit: cannot\nhint: do this\n"),
    (InventoryError(PROBLEMS), 2, "a.yaml:3:5: credentials[0].id: is missing\na.yaml:9: odd\n"),
    (
        PolicyError(PROBLEMS[1:], total=150, hint="look"),
        2,
        "a.yaml:9: odd\n… and 149 more problems like these\nhint: look\n",
    ),
    (
        MissingExtraError("pdf", "a PDF"),
        2,
        "keyaudit: a PDF needs an extra that is not installed\nhint: pip install 'keyaudit[pdf]'\n",
    ),
    (SourceError("no such profile"), 2, "keyaudit: no such profile\n"),
    (KeyauditError("ours"), 4, "keyaudit: ours\n"),
    (click.UsageError("which?"), 2, "keyaudit: which?\nhint: keyaudit --help\n"),
    (
        click.BadParameter("bad", param_hint="--as-of"),
        2,
        "keyaudit: Invalid value for --as-of: bad\nhint: keyaudit --help\n",
    ),
    (KeyboardInterrupt(), 130, "\nkeyaudit: interrupted; no audit was made\n"),
    (click.Abort(), 130, "keyaudit: interrupted; no audit was made\n"),
]
CRASHES = [
    ValueError("boom"),
    AssertionError(),
    MemoryError(),
    RecursionError("deep"),
    Panic("native"),
    OSError(28, "No space"),
]


def raising(error: BaseException) -> click.Command:
    @click.command
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(("error", "code", "said"), ENDINGS, ids=[repr(error) for error, _, _ in ENDINGS])
def test_an_expected_failure_has_its_code_and_a_hint(error, code, said, capsys) -> None:
    assert run([], raising(error)) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", said)


@pytest.mark.parametrize("error", CRASHES, ids=lambda error: type(error).__name__)
def test_a_crash_never_looks_like_a_finding(error, capsys, monkeypatch) -> None:
    monkeypatch.delenv("KEYAUDIT_DEBUG", raising=False)
    assert run([], raising(error)) == 4
    said = capsys.readouterr().err
    assert said.startswith(f"keyaudit: internal error, no audit was made: {type(error).__name__}")
    assert "Traceback" not in said
    assert said.count("\n") == 2


def test_a_crash_of_a_rotation_says_how_to_go_on_and_quotes_no_value(capsys, monkeypatch) -> None:
    monkeypatch.delenv("KEYAUDIT_DEBUG", raising=False)
    group = click.Group(commands={"rotate": raising(ValueError("not a number: 'CANARY'"))})
    assert run(["rotate"], group) == 4
    said = capsys.readouterr().err
    assert said.startswith(
        "keyaudit: internal error, running it again goes on from what the store shows: ValueError\n"
    )
    assert "CANARY" not in said


@pytest.mark.parametrize(
    ("name", "said"),
    [("scan", "no audit was made"), ("rotate", "running it again goes on from what the store shows")],
)
def test_an_interrupt_is_130_and_says_what_that_means(name, said, capsys) -> None:
    assert run([name], click.Group(commands={name: raising(KeyboardInterrupt())})) == 130
    assert capsys.readouterr().err.strip() == f"keyaudit: interrupted; {said}"


def test_a_crash_is_traced_when_asked_for(capsys, monkeypatch) -> None:
    monkeypatch.setenv("KEYAUDIT_DEBUG", "1")
    assert run([], raising(ValueError("boom"))) == 4
    assert "Traceback" in capsys.readouterr().err


def test_names_in_messages_cannot_drive_the_terminal(capsys) -> None:
    run([], raising(UsageError("\x1b[2J\u202eevil")))
    assert capsys.readouterr().err == "keyaudit: \\x1b[2J\\u202eevil\n"


@pytest.mark.parametrize("outcome", [0, 1, 3])
def test_a_command_gives_its_exit_code(outcome) -> None:
    assert run([], click.Command("verdict", callback=lambda: outcome)) == outcome


USAGE = [
    ([], "Usage: keyaudit"),
    (["scna"], "Did you mean 'scan'?"),
    (["policy", "chekc"], "Did you mean 'check'?"),
    (["scan", "--fromat", "json"], "--format"),
    (["scan", "--fail-on", "worst"], "'critical', 'high', 'medium', 'low', 'none'"),
    (["scan", "--engine", "spark"], "'polars', 'duckdb'"),
    (["scan", "--as-of", "2026-05-01"], "a date is not an instant: write 2026-05-01T00:00:00Z"),
    (["scan", "--as-of", "2026-05-01T00:00:00"], "time has no offset"),
    (["report"], "REPORT.JSON"),
    (["completion", "tcsh"], "'bash', 'zsh', 'fish'"),
]


@pytest.mark.parametrize(("arguments", "said"), USAGE, ids=[" ".join(line) or "nothing" for line, _ in USAGE])
def test_a_slip_on_the_command_line_is_2_and_says_what_to_write(arguments, said, capsys) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def commands():
    root = program()
    for name in root.list_commands(click.Context(root)):
        command = root.get_command(click.Context(root), name)
        if isinstance(command, click.Group):
            for sub in command.list_commands(click.Context(command)):
                yield (
                    [name, sub],
                    command.get_command(click.Context(command), sub),
                    COMMANDS[name].commands[sub],
                )
        else:
            yield [name], command, COMMANDS[name]


ALL = list(commands())


@pytest.mark.parametrize(("path", "command", "entry"), ALL, ids=[" ".join(path) for path, _, _ in ALL])
def test_help_teaches_by_example(path, command, entry, capsys) -> None:
    assert run([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"  keyaudit {' '.join(path)}" in shown.partition("Examples:")[2], "no example"
    assert command.name == path[-1]
    assert command.short_help == entry.summary, "the table of commands says it differently"
    assert [
        option.name for option in command.params if isinstance(option, click.Option) and not option.help
    ] == []
    assert max(map(len, shown.splitlines())) <= 110


def test_the_engines_to_choose_from_are_those_there_are() -> None:
    assert options.ENGINES == engine.ENGINES


def test_help_imports_nothing_heavy() -> None:
    looked = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "keyaudit", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in looked.stderr.splitlines()}
    heavy = {
        "polars",
        "narwhals",
        "duckdb",
        "pyarrow",
        "boto3",
        "botocore",
        "weasyprint",
        "pydantic",
        "jinja2",
        "rich",
        "msgspec",
        "yaml",
        "croniter",
    }
    assert "click" in imported
    assert imported & heavy == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(shell, capsys) -> None:
    assert run(["completion", shell]) == 0
    assert f"_KEYAUDIT_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_completion_completes(keyaudit) -> None:
    done = keyaudit(_KEYAUDIT_COMPLETE="bash_complete", COMP_WORDS="keyaudit policy ", COMP_CWORD="2")
    assert done.stdout.split() == [
        b"plain,check",
        b"plain,explain",
        b"plain,diff",
        b"plain,test",
        b"plain,schema",
    ]


def test_a_reader_who_goes_away_changes_no_exit_code() -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m keyaudit completion bash | true"],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_program_does_not_spend_its_time_looking_for_cycles() -> None:
    program = (
        "import atexit, gc, sys; from keyaudit.__main__ import main; sys.argv = ['keyaudit', '--version']; "
        "atexit.register(lambda: print(gc.isenabled())); main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["keyaudit 0.1.0", "False"])
