"""`submeter rates`: the tariffs and emission factors that residents' consumption is rated by."""

from dataclasses import asdict

from cyclopts import App

from core.access import SYSTEM
from core.services.portfolio.stored_rates import RateKind, list_rates, remove_rate
from submeter.application import opened
from submeter.output import RowNumber, out, print_json, print_table

rates = App(name="rates", help="Tariffs and emission factors: what is stored. `submeter import` enters them.")


@rates.command(name="list")
async def list_stored(*, operator: str | None = None, json: bool = False) -> None:
    """List tariffs and emission factors, by operator, residence, fluid and first day.

    Args:
        operator: only those of the operator with this code.
        json: print the list as JSON.
    """
    async with opened():
        rows = [asdict(one) for one in await list_rates(SYSTEM, operator_code=operator)]
    if json:
        print_json(rows)
        return
    columns = ("kind", "id", "operator", "residence", "fluid", "valid_from", "figure", "further")
    print_table("Rates", columns, [[row[name] for name in columns] for row in rows])


@rates.command
async def remove(kind: RateKind, number: RowNumber) -> None:
    """Remove a tariff or an emission factor that should never have been in force.

    A figure that was wrong is imported again instead, with the same first day.

    Args:
        kind: tariff or factor.
        number: its number, as `submeter rates list` shows it.
    """
    async with opened():
        await remove_rate(SYSTEM, kind, number)
    out.print("Removed.")
