"""What a plugin imports: nothing heavy, and of this project the vendor surface alone.

In: the import name of a plugin's package and its source files. Out: failures with file and line. The one
rule: what is read from the sources holds for every line, also one that no telegram reaches; what is loaded is
looked at in a process of its own, since this one has loaded other things already.
"""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

HEAVY: Final = ("tortoise", "strawberry", "starlette", "numpy")
_DOORS: Final = ("graphql_schema", "notifications")
_OURS: Final = ("core", "drivers", "submeter", *_DOORS)
_SURFACE: Final = "submeter.vendor"
_ABOVE: Final = ("core.models", "core.services", "core.bootstrap", "core.settings", *_DOORS)
_LOADED: Final = (
    "import importlib, json, sys\n"
    "importlib.import_module(sys.argv[1])\n"
    "print(json.dumps(sorted(sys.modules)))\n"
)


def look_for_heavy_imports(package: str) -> tuple[list[str], str]:
    """Imports the package in a fresh interpreter and looks at what came with it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)}  # noqa: PTH100 - an entry may be empty, and may not exist
    run = subprocess.run(  # noqa: S603 - our own interpreter, and a module name that is installed
        [sys.executable, "-P", "-c", _LOADED, package],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        return [f"import {package} fails in a fresh interpreter: {run.stderr.strip().splitlines()[-1]}"], ""
    loaded = set(json.loads(run.stdout))
    unwanted = [name for name in (*HEAVY, *_ABOVE) if name in loaded]
    return [f"import {package} also loads {name}" for name in unwanted], f"{len(loaded)} modules loaded"


def look_for_foreign_imports(package: str, sources: Iterable[Path]) -> tuple[list[str], str]:
    """Reads every import statement of the package."""
    failures: list[str] = []
    count = 0
    for source in sources:
        count += 1
        try:
            tree = ast.parse(source.read_bytes())
        except SyntaxError as error:
            failures.append(f"{source.name}:{error.lineno}: {error.msg}")
            continue
        failures += [
            f"{source.name}:{line} imports {name}; a plugin imports submeter.vendor alone"
            for line, name in _imported(tree)
            if name.partition(".")[0] in _OURS and not _within(name, _SURFACE) and not _within(name, package)
        ]
    return failures, f"{count} file{'' if count == 1 else 's'}"


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module is not None:
            if node.module in _OURS:  # `from core import models` names the module by its last word
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")
