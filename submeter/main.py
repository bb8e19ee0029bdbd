"""The `submeter` command: joins the commands, each of which lives in a file of its own.

A command's module is imported when it is called, so `submeter decode` starts without a database library.
"""

from collections.abc import Sequence

from cyclopts import App

from submeter.output import reported_errors


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - slow, and for `--version` alone

    return version("submeter")


app = App(
    name="submeter",
    help="Radio telegrams of water and heat meters in; dashboards and leak alerts of residents out.",
    version=_version,
    version_format="plaintext",
)
for command, summary in {
    "submeter.demo.command:demo": "Make the demo (or find it as it was) and serve it on 127.0.0.1.",
    "submeter.commands.serve:serve": "Serve the GraphQL API.",
    "submeter.commands.migrate:migrate": "Bring the tables up to date.",
    "submeter.commands.ingest:ingest": "Take in files of gateway lines.",
    "submeter.commands.ingest:replay": "Take in again the lines that are kept as unusable.",
    "submeter.commands.dead_letters:dead_letters": "Lines that could not be used, and why.",
    "submeter.commands.decode:decode": "Say what one telegram means, layer by layer.",
    "submeter.commands.classify:classify": "Find the leaks in a file of readings.",
    "submeter.commands.drivers:drivers": "The drivers of meter vendors.",
    "submeter.commands.residences:residences": "Residences and their operators.",
    "submeter.commands.meters:meters": "Meters and their keys.",
    "submeter.commands.gateways:gateways": "Radio gateways and their API keys.",
    "submeter.commands.outbox:outbox": "Messages to residents.",
    "submeter.commands.dwelling_requests:dwelling_requests": "Requests for a dwelling that a manager decides.",
    "submeter.commands.accounts:accounts": "The access of residents and managers.",
    "submeter.commands.managers:managers": "Managers and the residences they look after.",
    "submeter.commands.audit:audit": "Who did what, when, and from where.",
    "submeter.commands.consents:consents": "Consents that occupants gave or refused on paper.",
    "submeter.commands.worker:worker": "Send the messages that wait.",
    "submeter.commands.purge:purge": "Delete what has outlived its period.",
}.items():
    app.command(command, help=summary)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the application's own errors end it with one line and exit status 1.

    Args:
        arguments: what stands after `submeter`; without it, what the process was given.
    """
    with reported_errors():
        app(arguments)


if __name__ == "__main__":
    main()
