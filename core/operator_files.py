"""Operators that are described by a file instead of a plugin: `<code>.toml` in the folder of the settings.

In: the folder, and the registry of the plugins. Out: a registry that knows these operators too. Two rules
hold here. A plugin's profile wins over a file of the same operator. A file that is incomplete or cannot be
read is named with what it lacks (`Registry.broken`), and the others work. Files are read at start, as plugins
are.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.errors import Conflict, InvalidInput
from core.metering import Registry, load_registry
from core.metering.registry import BrokenPlugin, LoadedOperator
from core.settings import Settings

SUFFIX = ".toml"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def load_plugins(settings: Settings) -> Registry:
    """The installed drivers and operators, and the operators of the settings' folder."""
    return with_files(load_registry(), settings.operators_dir)


def with_files(registry: Registry, folder: Path) -> Registry:
    """The registry, and the operators that files of the folder describe."""
    operators, broken = list(registry.operators), list(registry.broken)
    brought = {loaded.profile.code for loaded in operators}
    for path in _files_of(folder):
        if path.stem in brought:
            continue
        loaded = _read(path)
        if isinstance(loaded, LoadedOperator):
            operators.append(loaded)
        else:
            broken.append(loaded)
    if len(operators) + len(broken) == len(registry.operators) + len(registry.broken):
        return registry
    return replace(registry, operators=tuple(operators), broken=tuple(broken))


def sign_up_faults(registry: Registry, settings: Settings, operator_code: str) -> tuple[str, ...]:
    """Why the residents of an operator cannot register; empty if they can."""
    if registry.profile(operator_code) is not None:
        return ()
    try:
        path = path_of(settings, operator_code)
    except InvalidInput as failure:  # stored before codes were checked
        return (failure.message,)
    for broken in registry.broken:
        if broken.name == path.name:
            return (f"{path}: {broken.reason}",)
    return (f"no plugin describes the operator, and there is no file {path}",)


def check_code(operator_code: str) -> None:
    """Check the code of a new operator, which names its file, at whatever door it comes in.

    Raises:
        InvalidInput: the code is no name of a file.
    """
    if _CODE.fullmatch(operator_code) is None:
        raise InvalidInput(
            "an operator's code has up to 32 letters, digits, - and _, and begins with a letter or digit",
            field="operator",
        )


def path_of(settings: Settings, operator_code: str) -> Path:
    """The file of an operator.

    Raises:
        InvalidInput: the code is no name of a file.
    """
    check_code(operator_code)
    return settings.operators_dir / f"{operator_code}{SUFFIX}"


def write(settings: Settings, operator_code: str, text: str) -> Path:
    """Write the file of a new operator, checked; returns its path.

    Raises:
        InvalidInput: what it describes cannot be used; nothing is written.
        Conflict: there is such a file, or a plugin describes the operator.
    """
    from core.operators.described import ProfileIncomplete, profile_of  # noqa: PLC0415 - see _read

    path = path_of(settings, operator_code)
    if load_registry().profile(operator_code) is not None:
        raise Conflict(f"a plugin describes {operator_code}", field="operator")
    try:
        profile_of(operator_code, tomllib.loads(text))
    except ProfileIncomplete as failure:
        raise InvalidInput(str(failure), field="operator") from failure
    if path.exists():
        raise Conflict(f"{path} exists: edit it", field="operator")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _files_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file())


def _read(path: Path) -> LoadedOperator | BrokenPlugin:
    from core.operators.described import ProfileIncomplete, profile_of  # noqa: PLC0415 - pydantic, where a file is

    if _CODE.fullmatch(path.stem) is None:
        return BrokenPlugin(path.name, "its name is no operator's code")
    try:
        values: Mapping[str, object] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return LoadedOperator(profile_of(path.stem, values), path.name)
    except ProfileIncomplete as failure:
        return BrokenPlugin(path.name, str(failure))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        return BrokenPlugin(path.name, f"cannot be read ({failure})")
