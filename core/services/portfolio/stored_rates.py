"""The tariffs and emission factors that are stored: listed, and removed where they are a mistake.

In: the operator's command line. Out: rates, each with its number. The one rule: what is removed was never in
force, also for days that are over; a figure that was wrong is imported again instead.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.access import Permission, Viewer
from core.consumption.fluids import Fluid
from core.errors import NotFound
from core.models import EmissionFactor, Tariff


class RateKind(StrEnum):
    """Which kind of rate."""

    TARIFF = "tariff"
    FACTOR = "factor"


@dataclass(frozen=True, slots=True)
class StoredRate:
    """A rate as it is listed; `residence` None: of all of the operator's. `further` is for people."""

    kind: RateKind
    id: int
    operator: str
    residence: str | None
    fluid: Fluid
    valid_from: date
    figure: str
    further: str


async def list_rates(viewer: Viewer, *, operator_code: str | None = None) -> list[StoredRate]:
    """All rates, or those of an operator: tariffs first, by operator, residence, fluid and first day."""
    viewer.require(Permission.PLACES_WRITE)
    tariffs, factors = Tariff.all(), EmissionFactor.all()
    if operator_code is not None:
        tariffs = tariffs.filter(operator__code=operator_code)
        factors = factors.filter(operator__code=operator_code)
    order = ("operator__code", "residence__code", "fluid", "valid_from", "id")
    priced = await tariffs.order_by(*order).select_related("operator", "residence")
    rated = await factors.order_by(*order).select_related("operator", "residence")
    found = [
        StoredRate(
            kind=RateKind.TARIFF,
            id=row.id,
            operator=row.operator.code,
            residence=row.residence.code if row.residence is not None else None,
            fluid=row.fluid,
            valid_from=row.valid_from,
            figure=f"{row.eur_per_unit} EUR",
            further=_further(row),
        )
        for row in priced
    ]
    return found + [
        StoredRate(
            kind=RateKind.FACTOR,
            id=row.id,
            operator=row.operator.code,
            residence=row.residence.code if row.residence is not None else None,
            fluid=row.fluid,
            valid_from=row.valid_from,
            figure=f"{row.grams_per_unit} g",
            further=row.source,
        )
        for row in rated
    ]


async def remove_rate(viewer: Viewer, kind: RateKind, number: int) -> None:
    """Remove a rate.

    Raises:
        NotFound: there is no such rate.
    """
    viewer.require(Permission.PLACES_WRITE)
    model = Tariff if kind is RateKind.TARIFF else EmissionFactor
    if not await model.filter(id=number).delete():
        raise NotFound(f"There is no {kind.value} {number}.", field="number")


def _further(row: Tariff) -> str:
    fixed = f"{row.fixed_eur} EUR a {row.fixed_per.value.lower()}" if row.fixed_eur is not None else ""
    vat = {True: "VAT included", False: "without VAT", None: ""}[row.vat_included]
    return ", ".join(part for part in (fixed, vat) if part)
