"""`submeter drivers new` and `check`: create the package of a new driver, and check drivers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.text import Text

from core.metering import Address, load_registry
from core.metering.conformance import (
    A_FEW,
    CheckResult,
    NotAPlugin,
    Subject,
    importable,
    installed_plugins,
    plugins_in,
    run_checks,
    subjects_of,
)
from core.metering.template import MEDIA, VERSION, UnusableName, maker_of, package_files
from submeter.output import fail, out, print_json, print_table


def new(name: str, *, maker: str | None = None, into: Path = Path()) -> None:
    """Create the package of a new driver that decodes sample telegrams, as a starting point.

    Existing files are not overwritten.

    Args:
        name: name of the driver, one lower-case word, e.g. acme.
        maker: the three-letter manufacturer code on air; by default the first three letters of the name.
        into: folder in which submeter-NAME is created.
    """
    registry = load_registry()
    try:
        letters = maker_of(name) if maker is None else maker
        package = package_files(name, letters)
    except UnusableName as error:
        fail(str(error), code="INVALID_NAME")
    if registry.named(name) is not None:
        fail(f"a driver {name} is already installed", code="INVALID_NAME")
    for medium in MEDIA:
        owner = registry.driver_for(Address(letters, "12345678", VERSION, medium))
        if registry.named(owner.name) is owner and owner.signatures:
            fail(
                f"meters of {letters} are already read by {owner.name}; set another code with --maker",
                code="INVALID_NAME",
            )
    folder = into / f"submeter-{name}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        fail(f"{folder}: {error.strerror}; nothing was written", code="NOT_WRITTEN")
    for path, text in package.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text, encoding="utf-8")
        out.print(str(target), soft_wrap=True)
    out.print(f"Next: submeter drivers check {name} --path {folder}", soft_wrap=True)


def check(*names: str, path: Path | None = None, random_contents: int = A_FEW, json: bool = False) -> None:
    """Check that drivers meet all requirements of the application. Exit status 1 if a check fails.

    Args:
        names: names of the drivers; by default all.
        path: folder of a package, which need not be installed; by default the installed packages.
        random_contents: how many random contents each driver must refuse; 60000 before it is handed over.
        json: print the results as JSON.
    """
    if path is None:
        results = _results(names, None, random_contents)
    else:
        with importable(path):
            results = _results(names, path, random_contents)
    failed = sum(not result.passed for result in results)
    if json:
        print_json({"passed": not failed, "checks": [_as_dict(result) for result in results]})
    else:
        _show(results)
    if failed:
        raise SystemExit(1)


def _results(names: Sequence[str], path: Path | None, random_contents: int) -> list[CheckResult]:
    try:
        plugins = installed_plugins() if path is None else plugins_in(path)
    except NotAPlugin as error:
        fail(str(error), code="NOT_A_PLUGIN")
    subjects, broken = subjects_of(plugins)
    wanted: list[Subject] = [
        replace(subject, random_contents=random_contents)
        for subject in subjects
        if not names or subject.driver.name in names
    ]
    results = [
        CheckResult(plugin.name, "load", "The plugin loads and answers its hook.", "", (plugin.reason,))
        for plugin in broken
        if not names or plugin.name in names
    ]
    found = {subject.driver.name for subject in wanted} | {result.driver for result in results}
    unknown = [name for name in names if name not in found]
    if unknown or not found:
        known = ", ".join(sorted({subject.driver.name for subject in subjects})) or "none"
        place = "installed" if path is None else f"in {path}"
        fail(f"no driver {' '.join(unknown)} is {place}; found: {known}", code="NO_SUCH_DRIVER")
    return [*results, *run_checks(wanted)]


def _as_dict(result: CheckResult) -> dict[str, object]:
    return {
        "driver": result.driver,
        "check": result.check,
        "promise": result.promise,
        "passed": result.passed,
        "looked_at": result.looked_at,
        "failures": list(result.failures),
    }


def _show(results: Sequence[CheckResult]) -> None:
    for driver in dict.fromkeys(result.driver for result in results):
        mine = [result for result in results if result.driver == driver]
        failed = sum(not result.passed for result in mine)
        verdict = f"{failed} of {len(mine)} checks failed" if failed else f"all {len(mine)} checks passed"
        rows = [
            (
                result.check,
                Text("passed", "green") if result.passed else Text("FAILED", "bold red"),
                result.looked_at if result.passed else "\n".join(result.failures),
            )
            for result in mine
        ]
        print_table(f"{driver}: {verdict}", ("check", "result", "details"), rows)
