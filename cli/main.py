"""The `submeter` command: joins the commands, each of which lives in a file of its own.

A command's module is imported when it is called, so `submeter decode` starts without a database library.
"""

from importlib.metadata import version

from cyclopts import App

from cli.installation import refuse_strangers

app = App(
    name="submeter",
    help="Radio telegrams of water and heat meters in; dashboards and leak alerts of residents out.",
    version=version("submeter"),
)
for command, summary in {
    "cli.demo.command:demo": "Make the demo (or find it as it was) and serve it on 127.0.0.1.",
    "cli.server:serve": "Serve the GraphQL API.",
    "cli.server:migrate": "Bring the tables up to date.",
    "cli.intake:ingest": "Take in files of gateway lines.",
    "cli.intake:replay": "Take in again the lines that are kept as unusable.",
    "cli.kept:kept": "Lines that could not be used, and why.",
    "cli.decode:decode": "Say what one telegram means, layer by layer.",
    "cli.classify:classify": "Find the leaks in a file of readings.",
    "cli.drivers:drivers": "The drivers of meter vendors.",
    "cli.residences:residences": "Residences and their operators.",
    "cli.meters:meters": "Meters and their keys.",
    "cli.gateways:gateways": "Radio gateways and their API keys.",
    "cli.outbox:outbox": "Messages to residents.",
    "cli.cases:cases": "Requests for a dwelling that a manager decides.",
    "cli.accounts:accounts": "The access of residents and managers.",
    "cli.managers:managers": "Managers and the residences they look after.",
    "cli.audit:audit": "Who did what, when, and from where.",
    "cli.consents:consents": "Consents that occupants gave or refused on paper.",
    "cli.send:send": "Send the messages that wait.",
    "cli.purge:purge": "Delete what has outlived its period.",
}.items():
    app.command(command, help=summary)


def main() -> None:
    """Run the command line; the house's own errors end it with one line and exit status 1."""
    refuse_strangers()
    from cli.output import told_errors  # noqa: PLC0415 - imports `core`, which is ours from here on

    with told_errors():
        app()


if __name__ == "__main__":
    main()
