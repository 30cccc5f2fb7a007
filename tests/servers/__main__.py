"""`make servers`: Acme, Inc. on this machine, to try things by hand; ends with Ctrl-C.

Writes keyaudit.yaml and what goes with it into a folder, with the addresses where the servers listen:
the sources of examples/05-every-source, the rotations and the application of examples/11-rotate-a-key.
A file to be sourced there sets nobody's keys, and finds `keyaudit` and `python`.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import threading
from pathlib import Path

from servers.estate import Estate

_EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = _EXAMPLES / "05-every-source"
ROTATING = _EXAMPLES / "11-rotate-a-key"
SETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_EC2_METADATA_DISABLED",
    "VAULT_TOKEN",
    "OPENAI_ADMIN_KEY",
    "ANTHROPIC_ADMIN_KEY",
)

_NEXT = """
In another terminal:

  cd {folder} && source ./env
  keyaudit scan                             examples/05-every-source
  keyaudit rotate run openai-staging        examples/11-rotate-a-key
  python application.py                     uses the key of openai-prod once a second

Ctrl-C ends the servers.
"""


def lay_out(acme: Estate, folder: Path) -> None:
    """Write the examples into a folder, pointed at running servers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("policy.yaml", "declared.yaml"):
        shutil.copy(EXAMPLE / name, folder / name)
    settings = [
        acme.configuration(EXAMPLE / "keyaudit.yaml"),
        acme.configuration(ROTATING / "rotations.yaml"),
    ]
    (folder / "keyaudit.yaml").write_text("\n".join(settings), "utf-8")
    (folder / "application.py").write_text(acme.configuration(ROTATING / "application.py"), "utf-8")
    # What a former set of servers had is not there any more: what was recorded of it would only confuse.
    shutil.rmtree(folder / ".keyaudit" / "rotations", ignore_errors=True)
    lines = [f"export {name}={shlex.quote(acme.environment[name])}" for name in SETS]
    programs = shlex.quote(str(Path(sys.executable).parent.absolute()))
    lines.append(f"export PATH={programs}:$PATH")
    (folder / "env").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-servers")
    with Estate() as acme:
        lay_out(acme, folder)
        for name, address in acme.addresses.items():
            sys.stdout.write(f"{name:12} {address}\n")
        sys.stdout.write(_NEXT.format(folder=folder))
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
