"""Runs the commands of a documentation page as they are written, in a shell and an empty folder.

The one rule: nothing of a page is replaced but the port of the server, which has to be a free one.
"""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PRELUDE = "set -e -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || :; wait || :' EXIT\n"


def commands_of(page: Path, *, until: str | None = None, since: str | None = None) -> str:
    """The indented blocks of a page, in order, between two headings."""
    text = page.read_text(encoding="utf-8")
    if since is not None:
        text = text[text.index(f"\n{since}\n") :]
    if until is not None:
        text = text[: text.index(f"\n{until}\n")]
    blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
    return "".join(re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def run(
    commands: str, folder: Path, settings: Mapping[str, str], *, port: int
) -> subprocess.CompletedProcess[str]:
    """Run commands in one shell; whatever they leave running is ended with it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return subprocess.run(
        ["/bin/bash", "-c", _PRELUDE + commands.replace(":8000", f":{port}")],
        cwd=folder,
        env={**kept, **settings, "PATH": path, "SUBMETER_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )
