"""`submeter drivers`: whose meters this installation reads; a new vendor's package, and its checks, are in
`driver_packages.py`, which `list` does without.
"""

from cyclopts import App
from rich.markup import escape

from core.metering import load_registry
from submeter.output import err, print_json, print_table

drivers = App(name="drivers", help="The drivers of meter vendors.")
drivers.command(
    "submeter.commands.driver_packages:new",
    help="Write the package of a new driver, with telegrams that it decodes: install it, and change it.\n\n"
    "Nothing that exists is overwritten.",
)
drivers.command(
    "submeter.commands.driver_packages:check",
    help="Hold drivers against all that an application asks of them; exit status 1 when a check fails.",
)


@drivers.command(name="list")
def list_drivers(*, json: bool = False) -> None:
    """List the drivers found through the entry points, and the plugins that are broken.

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
