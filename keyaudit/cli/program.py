"""The program: its table of commands, and what becomes of every way a run can end.

    0  nothing at or above --fail-on                 3  incomplete, and no finding
    1  findings at or above --fail-on                4  internal error; no audit was made
    2  usage, policy or input error; no audit was made

An uncaught exception would leave Python with 1, which means "findings"; here it is 4.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextvars import copy_context

import click

from keyaudit import __version__
from keyaudit.cli.lazy import Entry, LazyGroup
from keyaudit.cli.outputs import tell
from keyaudit.errors import InputError, KeyauditError

INTERNAL = 4
USAGE = 2
INTERRUPTED = 130

ROTATE_EPILOG = """\b
Start here:
  keyaudit rotate list                        what keyaudit.yaml says may be rotated
  keyaudit rotate run openai-prod --dry-run   each call it would make
  keyaudit rotate run openai-prod             rotate; stop it at any time, run it again to go on
  keyaudit rotate status openai-prod          where it is, and what comes next

\b
Exit codes of what changes something:
  0  reached what was asked, or nothing was left to do
  1  rolled back by itself, blocked, or nothing was under way: a human is needed
  2  usage or configuration; nothing was done
  3  unfinished: waiting, or somebody could not be asked; run it again
  4  internal error; running it again goes on from what the store shows"""

COMMANDS: dict[str, Entry] = {
    "scan": Entry("List, judge, report, gate.", "scan"),
    "inventory": Entry(
        "Pull inventory documents, check and look at them.",
        commands={
            "pull": Entry("List sources live and write one inventory document.", "inventory_pull"),
            "validate": Entry("Check documents and print every problem.", "inventory_validate"),
            "show": Entry("Say what documents hold.", "inventory_show"),
            "diff": Entry("Say what two inventories do not share.", "inventory_diff"),
            "history": Entry("Condense earlier inventories into one history.", "inventory_history"),
        },
    ),
    "policy": Entry(
        "Check, understand and test a policy.",
        commands={
            "check": Entry("Check a policy and print every problem.", "policy_check"),
            "explain": Entry("Say what a policy asks of one credential, and why.", "policy_explain"),
            "diff": Entry("Say what another policy would change, before anybody asks.", "policy_diff"),
            "test": Entry("Compare verdicts with those that a table expects.", "policy_test"),
            "schema": Entry("Print the JSON Schema for editors.", "policy_schema"),
        },
    ),
    "sources": Entry(
        "List the kinds of sources, and what each must be granted.",
        commands={
            "list": Entry("List the kinds of sources and those of keyaudit.yaml.", "sources_list"),
            "policy": Entry("Print the least that a provider must grant for a pull.", "sources_policy"),
        },
    ),
    "rotate": Entry(
        "Rotate credentials: the only command that changes any.",
        commands={
            "list": Entry("List the rotations of keyaudit.yaml, checked.", "rotate.list"),
            "status": Entry("Say where a rotation is, what comes next, and when.", "rotate.status"),
            "run": Entry(
                "Rotate a credential, from a new key to the end of the old one.",
                "rotate.steps",
                attribute="run",
            ),
            "begin": Entry(
                "Make a new key and store it where applications do not look.",
                "rotate.steps",
                attribute="begin",
            ),
            "verify": Entry("Try the new key.", "rotate.steps", attribute="verify"),
            "promote": Entry(
                "Give applications the new key; the old one goes on working.",
                "rotate.steps",
                attribute="promote",
            ),
            "drain": Entry("Wait until nobody uses the old key.", "rotate.steps", attribute="drain"),
            "retire": Entry("Revoke the old key, once it is silent.", "rotate.steps", attribute="retire"),
            "rollback": Entry(
                "Go back to the old key, which is possible until it is given up.",
                "rotate.steps",
                attribute="rollback",
            ),
            "resume": Entry("Go on with what was begun and not ended.", "rotate.steps", attribute="resume"),
            "emergency": Entry(
                "Revoke a compromised key at once, then replace it: an outage.", "rotate.emergency"
            ),
            "policy": Entry("Print the least that providers must grant for rotations.", "rotate.policy"),
            "simulate": Entry("Play a year of rotations under a policy.", "rotate.simulate"),
        },
        epilog=ROTATE_EPILOG,
    ),
    "rules": Entry("List the rules.", "rules"),
    "frameworks": Entry("List the frameworks, or the controls of one.", "frameworks"),
    "explain": Entry("Explain a rule, a control or one credential.", "explain"),
    "report": Entry("Render a saved report again.", "report"),
    "plan": Entry("Say what falls due, staggered.", "plan"),
    "trend": Entry("Say how things went over many saved reports.", "trend"),
    "sample": Entry(
        "Draw a sample for an auditor, or draw one again to verify it.",
        commands={
            "draw": Entry("Draw a sample of a saved report's credentials.", "sample.draw"),
            "verify": Entry("Draw a report's sample again, and compare.", "sample.verify"),
        },
    ),
    "verify": Entry("Check and replay evidence bundles.", "verify"),
    "diff": Entry("Say what two saved reports do not share, and why.", "diff"),
    "init": Entry("Write keyaudit.yaml and a policy to start from.", "init"),
    "completion": Entry("Print a shell completion script.", "completion"),
}

EPILOG = """\b
Start here:
  keyaudit init                                        write keyaudit.yaml, policy.yaml
  keyaudit scan --inventory inventory.yaml             judge a document
  keyaudit scan --source aws --framework soc2          list live, judge for SOC 2
  keyaudit explain KA101                               what a rule means, how to mend it

\b
Exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on
  2  usage, policy or input error; no audit was made
  3  incomplete: something could not be seen, or nothing was there
  4  internal error; no audit was made"""


def program() -> click.Group:
    """Build the command line; `keyaudit --help` imports no command for it."""
    group = LazyGroup(
        "keyaudit",
        table=COMMANDS,
        help="Proves, from metadata alone, that every credential is rotated on time and every old one is "
        "gone, and says honestly what it could not see.",
        epilog=EPILOG,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    return click.version_option(__version__, prog_name="keyaudit", message="%(prog)s %(version)s")(group)


def run(arguments: Sequence[str], root: click.Command | None = None) -> int:
    """Run one command of `root` and give the exit code; what goes wrong is said on stderr, not traced."""
    # How stderr is written is a choice of this run alone.
    return copy_context().run(_run, arguments, root)


def _run(arguments: Sequence[str], root: click.Command | None) -> int:
    try:
        outcome = (root or program()).main(
            list(arguments), prog_name="keyaudit", standalone_mode=False, obj=tuple(arguments)
        )
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        return _say(error.format_message(), None, USAGE)
    except InputError as error:
        return _refused(error)
    except KeyauditError as error:
        return _say(str(error), error.hint, error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _say(f"interrupted; {_consequence(arguments)}", None, INTERRUPTED)
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of a native library is no Exception
        return _internal(error, arguments)
    return outcome if isinstance(outcome, int) else 0


def _usage(error: click.UsageError) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return USAGE
    path = error.ctx.command_path if error.ctx else "keyaudit"
    return _say(error.format_message(), f"{path} --help", USAGE)


def _refused(error: InputError) -> int:
    """Print every problem on its own line, as `file:line:column: field: message`."""
    for line in str(error).splitlines():
        tell(line, "problem")
    return _hint(error.hint, error.exit_code)


def _say(message: str, hint: str | None, code: int) -> int:
    tell(f"keyaudit: {message}", "error", exit_code=code)
    return _hint(hint, code)


def _hint(hint: str | None, code: int) -> int:
    if hint:
        tell(f"hint: {hint}", "hint")
    return code


def _consequence(arguments: Sequence[str]) -> str:
    """Say what it means that a command broke off."""
    if arguments[:1] == ["rotate"]:
        return "running it again goes on from what the store shows"
    return "no audit was made"


def _internal(error: BaseException, arguments: Sequence[str]) -> int:
    if os.environ.get("KEYAUDIT_DEBUG") == "1":
        sys.excepthook(type(error), error, error.__traceback__)
    what = f"internal error, {_consequence(arguments)}: {type(error).__name__}"
    if arguments[:1] != ["rotate"]:  # where keys are made, what nobody foresaw may quote one
        what = f"{what}: {error}".rstrip(": ")
    return _say(what, "KEYAUDIT_DEBUG=1 prints where it happened; please report it", INTERNAL)
