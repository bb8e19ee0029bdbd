"""The `submeter` command: joins the commands, each of which lives in a file of its own."""

from importlib.metadata import version

from cyclopts import App

from cli.decode import decode
from cli.demo.command import demo
from cli.drivers import drivers
from cli.gateways import gateways
from cli.intake import ingest, replay
from cli.meters import meters
from cli.outbox import outbox
from cli.output import told_errors
from cli.server import migrate, serve

app = App(
    name="submeter",
    help="Radio telegrams of water and heat meters in; dashboards and leak alerts of residents out.",
    version=version("submeter"),
)
for command in (demo, serve, migrate, ingest, replay, decode):
    app.command(command)
for group in (drivers, gateways, meters, outbox):
    app.command(group)


def main() -> None:
    """Run the command line; the house's own errors end it with one line and exit status 1."""
    with told_errors():
        app()


if __name__ == "__main__":
    main()
