"""`submeter drivers`: list the installed drivers; `new` and `check` are in `driver_packages.py`, which `list`
does not import.
"""

from cyclopts import App
from rich.markup import escape

from core.metering import load_registry
from submeter.output import err, print_json, print_table

drivers = App(name="drivers", help="The drivers of meter vendors.")
drivers.command(
    "submeter.commands.driver_packages:new",
    help="Create the package of a new driver that decodes sample telegrams, as a starting point.\n\n"
    "Existing files are not overwritten.",
)
drivers.command(
    "submeter.commands.driver_packages:check",
    help="Check that drivers meet all requirements of the application. Exit status 1 if a check fails.",
)


@drivers.command(name="list")
def list_drivers(*, json: bool = False) -> None:
    """List the installed drivers, and the plugins that failed to load.

    Args:
        json: print the list as JSON.
    """
    registry = load_registry()
    rows = [
        {
            "driver": loaded.driver.name,
            "title": loaded.driver.title,
            "meters": [str(signature) for signature in loaded.driver.signatures],
            "plugin": loaded.plugin,
            "distribution": f"{loaded.distribution} {loaded.version}",
        }
        for loaded in registry.drivers
    ]
    broken = [{"plugin": plugin.name, "reason": plugin.reason} for plugin in registry.broken]
    if json:
        print_json({"drivers": rows, "broken": broken})
        return
    columns = ("driver", "title", "meters", "distribution")
    print_table(
        f"{len(rows)} drivers",
        columns,
        [(row["driver"], row["title"], ", ".join(row["meters"]), row["distribution"]) for row in rows],
    )
    for plugin in registry.broken:
        err.print(f"[bold red]Broken:[/] {escape(f'{plugin.name}: {plugin.reason}')}", soft_wrap=True)
