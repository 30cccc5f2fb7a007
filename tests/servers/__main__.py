"""`make servers`: Acme, Inc. on this machine, to try things by hand; ends with Ctrl-C.

Writes keyaudit.yaml and what goes with it into a folder, with the addresses where the servers listen,
and a file to be sourced that sets nobody's keys.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import threading
from pathlib import Path

from servers.estate import Estate

EXAMPLE = Path(__file__).parents[2] / "examples" / "05-every-source"
SETS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_EC2_METADATA_DISABLED",
    "VAULT_TOKEN",
    "OPENAI_ADMIN_KEY",
    "ANTHROPIC_ADMIN_KEY",
)


def lay_out(acme: Estate, folder: Path) -> None:
    """Write the example into a folder, pointed at running servers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("policy.yaml", "declared.yaml"):
        shutil.copy(EXAMPLE / name, folder / name)
    (folder / "keyaudit.yaml").write_text(acme.configuration(EXAMPLE / "keyaudit.yaml"), "utf-8")
    lines = [f"export {name}={shlex.quote(acme.environment[name])}" for name in SETS]
    (folder / "env").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-servers")
    with Estate() as acme:
        lay_out(acme, folder)
        for name, address in acme.addresses.items():
            sys.stdout.write(f"{name:12} {address}\n")
        sys.stdout.write(
            f"\nIn another terminal:\n\n  cd {folder} && source ./env\n  keyaudit scan\n  keyaudit inventory pull --output today.json\n\nCtrl-C ends the servers.\n"
        )
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
