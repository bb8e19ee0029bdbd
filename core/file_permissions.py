"""Keeps what the embedded database and the data folder hold from other users of the machine.

In: the settings. Out: the data folder for its owner alone (0700), and so the files of the database and the
secret (0600). The one rule: what is looser is tightened at the start, and reported; what belongs to another
user or is no folder of ours is left as it is, and `submeter doctor` reports it.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from core.settings import OLD_SECRET_FILE, SECRET_FILE, Settings, sqlite_path

FOLDER_MODE = 0o700
FILE_MODE = 0o600

_BESIDE_A_DATABASE = ("", "-wal", "-shm", "-journal")
"""SQLite makes the others with the mode of the database itself."""


def make_database_file(settings: Settings) -> None:
    """Make the file of the embedded database, empty, before SQLite would make it readable to others."""
    path = Path(sqlite_path(settings.database_url))
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, FILE_MODE))


def tighten(settings: Settings) -> list[str]:
    """Take the rights of other users away; returns what was changed, as sentences for the log."""
    changed = []
    for path, wanted in too_open(settings):
        if path.stat().st_uid != os.geteuid():
            continue
        before = stat.S_IMODE(path.stat().st_mode)
        path.chmod(before & wanted)
        changed.append(f"{path} had the mode {before:04o} and has {before & wanted:04o} now.")
    return changed


def too_open(settings: Settings) -> Iterator[tuple[Path, int]]:
    """Each path that others may use, and the most that it may allow."""
    for path, wanted in _paths(settings):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & ~wanted:
            yield path, wanted


def signing_folder(settings: Settings) -> Path:
    """Where the operators' certificates are, with the keys that papers are signed with."""
    return settings.signing_dir or settings.data_dir / "signing"


def _paths(settings: Settings) -> Iterator[tuple[Path, int]]:
    folder = settings.data_dir
    secrets = [folder / name for name in (SECRET_FILE, OLD_SECRET_FILE)]
    database = Path(sqlite_path(settings.database_url)).absolute() if settings.is_sqlite else None
    is_ours = any(path.exists() for path in (*secrets, folder / "submeter.db"))
    if is_ours or (database is not None and database.parent == folder):  # not a folder that is shared
        yield folder, FOLDER_MODE
    yield from ((path, FILE_MODE) for path in secrets)
    signing = signing_folder(settings)
    if settings.signing_dir is None:
        yield signing, FOLDER_MODE
    for pattern in ("*.p12", "*.passphrase"):
        yield from ((path, FILE_MODE) for path in sorted(signing.glob(pattern)))
    if database is not None:
        yield from ((database.with_name(database.name + end), FILE_MODE) for end in _BESIDE_A_DATABASE)
