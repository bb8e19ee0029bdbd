"""The `submeter` command as a shell runs it, and in this process where a process is not what is promised."""

import io
import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from unittest import mock

import pytest

from core.settings import SECRET_FILE, write_secret
from submeter import output
from submeter.main import main


def _environment(data_dir: Path, settings: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUBMETER_")}
    return kept | {"SUBMETER_DATA_DIR": str(data_dir), **settings}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """The data folder of the test's commands; none of them has made it yet."""
    return tmp_path / "data"


@pytest.fixture
def tables(data_dir: Path, sqlite_template: Path) -> None:
    """The database and the secret of the data folder, as `submeter migrate` leaves them."""
    data_dir.mkdir(mode=0o700)
    write_secret(data_dir / SECRET_FILE)
    shutil.copyfile(sqlite_template, data_dir / "submeter.db")


@pytest.fixture
def shell(data_dir: Path):
    """Runs the command in a process of its own; answers exit status, output and errors."""

    def submeter(*arguments: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "submeter.main", *arguments],
            input=given,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            env=_environment(data_dir, settings),
            cwd=data_dir.parent,  # no file `.env` of whoever runs the tests
            check=False,
        )

    return submeter


@pytest.fixture
def run(data_dir: Path):
    """Runs the command in this process, which is cheaper; answers as `shell` does."""

    def submeter(*arguments: str, given: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        streams = {
            name: io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="surrogateescape")
            for name, content in (
                ("stdin", given.encode("utf-8", "surrogateescape")),
                ("stdout", b""),
                ("stderr", b""),
            )
        }
        # What a command adds to the environment, as `serve` does for its processes, goes with it.
        with mock.patch.dict(os.environ), pytest.MonkeyPatch.context() as patch:
            for name in os.environ.keys() - _environment(data_dir, {}).keys():
                patch.delenv(name)
            for name, value in _environment(data_dir, settings).items():
                patch.setenv(name, value)
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            patch.setattr(output.out, "width", output.WIDTH_OF_A_PIPE)  # it may have been made at a terminal
            status = _status_of(lambda: main(arguments))
        texts = []
        for name in ("stdout", "stderr"):
            streams[name].seek(0)
            texts.append(streams[name].read())
        return subprocess.CompletedProcess(list(arguments), status, *texts)

    return submeter


def _status_of(command) -> int:
    """The exit status, as the interpreter would make it."""
    try:
        command()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
            return 1
        return ended.code or 0
    except Exception:  # noqa: BLE001 - whatever it is, an interpreter shows its stack trace
        traceback.print_exc()
        return 1
    return 0
