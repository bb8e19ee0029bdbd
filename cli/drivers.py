"""`submeter drivers`: which vendors' meters this installation reads."""

from cyclopts import App

from cli.output import err, print_json, print_table
from core.metering import load_registry

drivers = App(name="drivers", help="The drivers of meter vendors.")


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
        err.print(f"[bold red]Broken:[/] {plugin.name}: {plugin.reason}", soft_wrap=True)
