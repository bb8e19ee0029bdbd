"""Tells when a package of another distribution stands in the place of ours, before anything of it runs.

In: where Python finds our top-level packages, and the list of files that the wheel came with. Out: nothing,
or one line that names the file. The one rule: `core` and `drivers` are names that others use too, so a start
finds its own files or none; what is looked at here is names and sizes of files, which takes milliseconds.
"""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

IMPORTED = (".py", ".so", ".pyd")
PACKAGES = ("core", "drivers", "graphql_schema", "notifications")
HOME = Path(__file__).resolve().parent.parent
"""The folder that holds our packages: site-packages, or a checkout."""


def refuse_strangers() -> None:
    """End the process with status 1 where a stranger's package would be run instead of ours."""
    fault = what_is_wrong()
    if fault is not None:
        sys.stderr.write(f"INSTALLATION: {fault}. Install Submeter in an environment of its own.\n")
        raise SystemExit(1)


def what_is_wrong() -> str | None:
    """A sentence about a file that is not ours, or that is gone, where one of ours is looked for."""
    return _found_elsewhere() or _laid_among(HOME)


def _found_elsewhere() -> str | None:
    """A package that Python finds in another folder, which comes before ours."""
    for name in PACKAGES:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            return _missing(HOME / name / "__init__.py")
        origin = Path(spec.origin).resolve()
        if origin.parent != HOME / name:
            return _strange(origin)
    return None


def _laid_among(home: Path) -> str | None:
    """A file that another wheel has laid into our folders, over one of ours or beside it, or taken along.

    Only a wheel that was unpacked can be laid into, and it has brought a list of its files (RECORD).
    """
    record = next(home.glob("submeter-*.dist-info/RECORD"), None)
    if record is None:
        return None
    ours = dict(_sizes(record))
    folders = list(PACKAGES)
    while folders:  # as text, not as Path: this is asked at every start
        folder = folders.pop()
        for entry in os.scandir(home / folder):
            name = f"{folder}/{entry.name}"
            if entry.is_dir():
                folders += [name] * (entry.name != "__pycache__")
            elif name not in ours and not name.endswith(IMPORTED):
                continue  # a note or an editor's backup, which nothing imports
            elif ours.pop(name, None) != entry.stat().st_size:
                return _strange(home / name)
    gone = next((name for name in ours if name.startswith(tuple(f"{one}/" for one in PACKAGES))), None)
    return None if gone is None else _missing(home / gone)


def _strange(path: Path) -> str:
    return f"{path} is not Submeter's: another distribution{_owner(path)} has a package of the same name"


def _missing(path: Path) -> str:
    return (
        f"{path} is missing: another distribution that has a package of the same name may have taken it along"
    )


def _sizes(record: Path) -> Iterator[tuple[str, int]]:
    """The files of a wheel and their sizes; those that an installer added have none."""
    for line in record.read_text(encoding="utf-8").splitlines():
        name, _, size = line.rsplit(",", 2)
        if size:
            yield name, int(size)


def _owner(path: Path) -> str:
    """The other distribution's name, where one of the folder lists the file."""
    for home in path.parents:
        for record in home.glob("*.dist-info/RECORD"):
            name = record.parent.name.partition("-")[0]
            listed = (line.partition(",")[0] for line in record.read_text(encoding="utf-8").splitlines())
            if name != "submeter" and path.relative_to(home).as_posix() in listed:
                return f" ({name})"
    return ""
