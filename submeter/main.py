"""The `submeter` command: registers the commands, each of which has its own file.

A command's module is imported on the call, so `submeter decode` starts without a database library.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App

from submeter.installation import refuse_strangers


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 - slow, and only for `--version`

    return version("submeter")


app = App(
    name="submeter",
    help="Decode radio telegrams of water and heat meters; serve consumption and leak alerts to residents.",
    version=_version,
    version_format="plaintext",
)
for command, summary in {
    "submeter.demo.command:demo": "Create the demo, or reuse an existing one, and serve it on 127.0.0.1.",
    "submeter.commands.serve:serve": "Serve the GraphQL API.",
    "submeter.commands.migrate:migrate": "Apply the pending database migrations.",
    "submeter.commands.ingest:ingest": "Ingest files of gateway lines.",
    "submeter.commands.ingest:replay": "Process the dead letters again.",
    "submeter.commands.dead_letters:dead_letters": "Gateway lines that could not be used, with the reason.",
    "submeter.commands.decode:decode": "Decode one telegram, layer by layer.",
    "submeter.commands.classify:classify": "Find the leaks in a file of readings.",
    "submeter.commands.drivers:drivers": "The drivers of meter vendors.",
    "submeter.commands.portfolio.operators:operators": "Operators, and whether their residents can register.",
    "submeter.commands.portfolio.residences:residences": "Residences and their operators.",
    "submeter.commands.lists.places:dwellings": "The dwellings of residences.",
    "submeter.commands.portfolio.meters:meters": "Meters and their keys.",
    "submeter.commands.readings:readings": "Readings of a meter, those that do not count, corrections.",
    "submeter.commands.portfolio.rates:rates": "Tariffs and emission factors.",
    "submeter.commands.portfolio.gateways:gateways": "Radio gateways and their API keys.",
    "submeter.commands.outbox:outbox": "Messages to residents.",
    "submeter.commands.notes:notes": "Notes on consumption: make, print and follow them.",
    "submeter.commands.dwelling_requests:dwelling_requests": "Dwelling requests that a manager decides.",
    "submeter.commands.accounts:accounts": "Access of residents, managers, staff and analysts.",
    "submeter.commands.managers:managers": "Managers and their residences.",
    "submeter.commands.audit:audit": "The audit log: who did what, when, and from where.",
    "submeter.commands.consents:consents": "Consents that occupants gave or refused on paper.",
    "submeter.commands.certificates:certificates": "The certificates that operators sign papers with.",
    "submeter.commands.worker:worker": "Send the queued messages and run the periodic jobs.",
    "submeter.commands.operation.doctor:doctor": "Check what this installation needs to work.",
    "submeter.commands.operation.recompute:recompute": "Recompute volumes, leaks and alerts from readings.",
    "submeter.commands.operation.secret:secret": "The secret key that meter keys are encrypted with.",
    "submeter.commands.purge:purge": "Delete data past its retention period.",
    "submeter.commands.retention:retention": "How long data are kept, and what was deleted.",
}.items():
    app.command(command, help=summary)
app.command(  # no function of Python can have this name
    "submeter.commands.portfolio.imports:imports",
    name="import",
    help="Import an operator's lists: CSV files and workbooks.",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; errors of the application are one line and exit status 1.

    Args:
        arguments: what follows `submeter`; by default the arguments of the process.
    """
    _open_closed_streams()
    refuse_strangers()
    from submeter.output import reported_errors  # noqa: PLC0415 - imports `core`, checked to be ours just before

    with reported_errors():
        app(arguments)


def _open_closed_streams() -> None:
    """A standard stream that whoever started us had closed is an empty one: no file of ours takes its number,
    and nothing asks what is not there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open while we run


if __name__ == "__main__":
    main()
