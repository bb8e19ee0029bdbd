"""`submeter drivers new` and `check`: a new vendor's package, and whether an application can take it."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from core.metering import Address, load_registry
from core.metering.conformance import (
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
    """Write the package of a new driver, with telegrams that it decodes: install it, and change it.

    Nothing that exists is overwritten.

    Args:
        name: one lower-case word, like acme.
        maker: the three letters that the meters send; without it the first three of the name.
        into: where the folder submeter-NAME is made.
    """
    registry = load_registry()
    try:
        letters = maker_of(name) if maker is None else maker
        package = package_files(name, letters)
    except UnusableName as error:
        fail(str(error), code="INVALID_NAME")
    if registry.named(name) is not None:
        fail(f"a driver {name} is installed already", code="INVALID_NAME")
    for medium in MEDIA:
        owner = registry.driver_for(Address(letters, "12345678", VERSION, medium))
        if registry.named(owner.name) is owner and owner.signatures:
            fail(
                f"meters of {letters} are read by {owner.name} already; name your letters with --maker",
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


def check(*names: str, path: Path | None = None, json: bool = False) -> None:
    """Hold drivers against all that an application asks of them; exit status 1 when a check fails.

    Args:
        names: the drivers; without any, all of them.
        path: the folder of a package that need not be installed; without it, installed packages.
        json: print the results as JSON.
    """
    if path is None:
        results = _results(names, None)
    else:
        with importable(path):
            results = _results(names, path)
    failed = sum(not result.passed for result in results)
    if json:
        print_json({"passed": not failed, "checks": [_as_dict(result) for result in results]})
    else:
        _show(results)
    if failed:
        raise SystemExit(1)


def _results(names: Sequence[str], path: Path | None) -> list[CheckResult]:
    try:
        plugins = installed_plugins() if path is None else plugins_in(path)
    except NotAPlugin as error:
        fail(str(error), code="NOT_A_PLUGIN")
    subjects, broken = subjects_of(plugins)
    wanted: list[Subject] = [subject for subject in subjects if not names or subject.driver.name in names]
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
        fail(f"no driver {' '.join(unknown)} is {place}; there are: {known}", code="NO_SUCH_DRIVER")
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
        print_table(f"{driver}: {verdict}", ("check", "result", "what was looked at"), rows)
