"""`submeter meters`: import meters and their keys from a list; maintenance of meters; their aliases.

The list is CSV with a header. Keys are never an argument, which the shell's history would keep.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from cyclopts import App

from core.access import SYSTEM
from core.errors import SubmeterError
from core.services.alerts.missing_data import raise_missing_data
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.meter_aliases import add_alias, list_aliases, remove_alias
from core.services.portfolio.meter_import import LineRefused, check_list, import_list
from core.services.portfolio.validation import canonical_address
from core.services.telegrams.future_readings import future_readings
from core.services.telegrams.future_readings import set_apart as set_readings_apart
from core.services.telegrams.pipeline import replay
from core.services.telegrams.replay_protection import restart_counter
from submeter.application import opened
from submeter.commands.ingest import progress_bar
from submeter.commands.lists.meters import list_meters
from submeter.meter_lists import list_file
from submeter.output import counted, fail, out, print_json, print_table

meters = App(name="meters", help="Meters, their keys and their radio addresses.")
alias = App(name="alias", help="Further radio addresses of meters.")
meters.command(alias)
meters.command(list_meters, name="list")


@meters.command(name="import")
async def import_meters(file: Path) -> None:
    """Register the meters of a CSV file, or update them; keys are stored encrypted.

    The whole file is checked first: if a line is at fault, it is named and nothing is changed.

    Columns: operator, residence, building, staircase, floor, number, lot, fluid (COLD_WATER, HOT_WATER, HEAT,
    HEAT_ALLOCATOR), vendor, printed_serial, radio_address (MMM-IIIIIIII-VV-TT), register_step,
    register_capacity, nominal_flow_m3_per_h (Q3 of a water meter, qp of a heat meter), location, installed_on
    and removed_on (YYYY-MM-DD, days of the residence), key (hex), aliases (further radio addresses, separated
    by blanks; those a meter has besides are kept).

    Dates may be corrected at any time: readings outside a meter's time in service count no more, its volumes
    and alerts are recomputed, and refused lines inside it are processed again.

    Args:
        file: the CSV file.
    """
    async with opened() as application:
        with list_file(file) as lines:
            try:
                with progress_bar(f"Checking {file.name}", None) as advance:
                    checked = await check_list(SYSTEM, lines, progress=advance)
                with progress_bar(f"Registering {file.name}", len(checked)) as advance:
                    returned = await import_list(
                        application, SYSTEM, checked, now=datetime.now(UTC), progress=advance
                    )
            except LineRefused as refused:
                cause = refused.cause
                what = cause.message if cause.field is None else f"{cause.field}: {cause.message}"
                fail(f"{file}, line {refused.place}: {what}", code=cause.code)
    if returned:
        out.print(f"{counted(returned, 'line')} outside the time in service until now: stored.")
    out.print(
        f"{counted(len(checked), 'meter')} registered. [bold]submeter replay[/] processes their dead letters."
    )


@meters.command
async def missing_data() -> None:
    """Raise the alerts of meters that stopped sending, as the server does every hour."""
    async with opened():
        raised = await raise_missing_data(now=datetime.now(UTC))
    out.print(f"{counted(raised, 'alert')} of missing data raised.")


@meters.command(name="restart-counter")
async def restart_message_counter(address: str) -> None:
    """Accept a meter's next message counter whatever its value, after its radio was reset.

    Without this its telegrams become dead letters (COUNTER_NOT_RISEN). A new key has the same effect.

    Args:
        address: radio address, MMM-IIIIIIII-VV-TT.
    """
    async with opened():
        try:
            await restart_counter(SYSTEM, radio_address=address)
        except SubmeterError as failure:
            fail(failure.message, code=failure.code)
    out.print("The message counter is reset. [bold]submeter replay[/] processes the meter's dead letters.")


@meters.command(name="future-readings")
async def list_future_readings(*, set_apart: bool = False) -> None:
    """List the meters with readings dated after the present, after the server's clock was ahead.

    Check the clock first: to a server whose clock is behind, every reading lies in the future.

    Args:
        set_apart: set these readings apart for good, and recompute volumes and alerts.
    """
    now = datetime.now(UTC)
    async with opened() as application:
        found = await future_readings(SYSTEM, now=now)
        for one in found if set_apart else ():
            await set_readings_apart(
                SYSTEM,
                radio_address=one.radio_address,
                key_encryption=KeyEncryption.under(application.settings.secret_key),
                thresholds_of=application.registry.leak_thresholds,
                now=now,
            )
    print_table(
        "Readings set apart" if set_apart else "Readings in the future",
        ("meter", "readings"),
        [(one.radio_address, one.readings) for one in found],
    )


@alias.default
@alias.command(name="add")
async def add_meter_alias(meter: str, address: str) -> None:
    """Give a meter a further radio address, and process its dead letters.

    For a meter that sends two kinds of telegrams, or a radio module whose number is not the meter's
    (`submeter decode` shows the number that a telegram names). The meter's keys open the telegrams of both.

    Args:
        meter: radio address of the meter, MMM-IIIIIIII-VV-TT, or one of its aliases.
        address: the further radio address.
    """
    now = datetime.now(UTC)
    async with opened() as application:
        try:
            added = await add_alias(SYSTEM, meter_address=meter, alias=address, now=now)
        except SubmeterError as failure:
            fail(failure.message, code=failure.code)
        summary = await replay(application, SYSTEM, radio_addresses=[canonical_address(address)], now=now)
    out.print("The alias is added." if added else "The meter has this alias already.")
    if summary.lines:
        out.print(f"{counted(summary.lines, 'dead letter')} processed, {summary.stored} stored.")


@alias.command(name="remove")
async def remove_meter_alias(meter: str, address: str) -> None:
    """Take a further radio address from a meter; the readings that came with it remain.

    Args:
        meter: radio address of the meter.
        address: the alias.
    """
    async with opened():
        try:
            await remove_alias(SYSTEM, meter_address=meter, alias=address, now=datetime.now(UTC))
        except SubmeterError as failure:
            fail(failure.message, code=failure.code)
    out.print("The alias is removed.")


@alias.command(name="list")
async def list_meter_aliases(meter: str | None = None, *, json: bool = False) -> None:
    """List aliases with the addresses of their meters.

    Args:
        meter: only those of the meter with this radio address or alias.
        json: print the list as JSON.
    """
    async with opened():
        try:
            rows = [asdict(one) for one in await list_aliases(SYSTEM, meter_address=meter)]
        except SubmeterError as failure:
            fail(failure.message, code=failure.code)
    if json:
        print_json(rows)
        return
    columns = ("meter_address", "radio_address", "added_at", "added_by")
    print_table("Aliases", columns, [[row[name] for name in columns] for row in rows])
