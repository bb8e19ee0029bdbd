"""The stored readings of one meter, as the operator's command line lists them.

In: a serial number or a radio address, and a time. Out: the meter, and pages of the readings that count. The
one rule: a name that several meters have is refused with their radio addresses, since each of those is one.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.access import Permission, Viewer
from core.consumption.fluids import Fluid
from core.errors import Conflict, InvalidInput, NotFound
from core.mbus.address import Address
from core.mbus.errors import TelegramError
from core.sanitize import normalise_serial
from core.services.places.meters import ReadingsAsked, ReadingView, readings_in
from core.services.shared.operator_scope import OperatorRows, operator_in_charge
from core.services.shared.paging import Page
from core.services.shared.time_series import Window
from core.services.shared.transaction import current_database

_FAR_S = 1 << 40
_MOST_NAMED = 10
_TABLES = (
    "meter m JOIN dwelling d ON d.id = m.dwelling_id JOIN residence r ON r.id = d.residence_id"
    " JOIN operator p ON p.id = r.operator_id"
)
_NAMED = (
    "m.serial_key = {0} OR m.radio_address = {1} OR EXISTS (SELECT 1 FROM meter_alias x"
    " WHERE x.meter_id = m.id AND (x.serial_key = {0} OR x.radio_address = {1}))"
)


@dataclass(frozen=True, slots=True)
class NamedMeter:
    """The meter that a name means. `zone` is that of its residence."""

    id: int
    radio_address: str
    printed_serial: str
    fluid: Fluid
    zone: ZoneInfo


async def meter_named(viewer: Viewer, name: str, *, operator: str | None = None) -> NamedMeter:
    """The meter with this serial number or radio address; its aliases count.

    Raises:
        InvalidInput: nothing is named.
        NotFound: no meter is named so.
        Conflict: several are.
    """
    viewer.require(Permission.METERS_LIST)
    key = normalise_serial(name)
    if not key:
        raise InvalidInput("give a serial number or a radio address, MMM-IIIIIIII-VV-TT", field="meter")
    rows = OperatorRows(current_database(), viewer, tables=_TABLES, own="r.operator_id = {0}", code=operator)
    rows.where(_NAMED.format(rows.value(key), rows.value(_canonical(name))))
    found = await rows.page(
        "m.id, m.radio_address, m.printed_serial, m.fluid, r.time_zone",
        key="m.id",
        order=("m.id",),
        first=_MOST_NAMED,
        after=None,
        counted=False,
    )
    if not found.rows:
        raise NotFound(f"there is no meter {name}", field="meter")
    if len(found.rows) > 1:
        known = ", ".join(row["radio_address"] for row in found.rows)
        raise Conflict(f"several meters have this number; name one by its address: {known}", field="meter")
    (row,) = found.rows
    return NamedMeter(
        id=row["id"],
        radio_address=row["radio_address"],
        printed_serial=row["printed_serial"],
        fluid=Fluid(row["fluid"]),
        zone=ZoneInfo(row["time_zone"]),
    )


async def stored_readings(viewer: Viewer, meter: NamedMeter, asked: ReadingsAsked) -> Page[ReadingView]:
    """A page of the readings of a meter that count, whoever lived there.

    Raises:
        Forbidden: for staff too, since an index, asked for every day, tells the days of a home.
    """
    viewer.require(Permission.READINGS_READ)
    operator_in_charge(viewer)
    return await readings_in(Window(meter.id, -_FAR_S, _FAR_S), asked)


def _canonical(name: str) -> str:
    try:
        return str(Address.parse(name))
    except TelegramError:
        return ""
