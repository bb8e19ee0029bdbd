"""How an operator describes residences, dwellings, meters and people, as plain values.

In: the rows of an operator's list or form. Out: nothing; `core.services.portfolio.portfolio` writes them.
The one rule: a value is kept here as it was given, and is checked where it is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.access import Role
from core.consumption.fluids import Fluid
from core.models import (
    OccupancyKind,
)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The start of a day at a residence, aware UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """A meter. `register_capacity` is where the register starts again at 0; `key` is 16 bytes or None.

    `nominal_flow_m3_per_h` is its size: Q3 of a water meter, qp of a heat meter; None when unknown.
    `aliases` are further radio addresses; those that the meter has besides are kept. None leaves what is
    stored of a meter that is known; of a new one the register's step is 1, and its location is not known.
    """

    fluid: Fluid
    vendor: str
    printed_serial: str
    radio_address: str
    installed_at: datetime
    removed_at: datetime | None = None
    register_step: int | None = None
    register_capacity: int | None = None
    nominal_flow_m3_per_h: Decimal | None = None
    location: str | None = None
    key: bytes | None = field(default=None, repr=False)
    aliases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class OccupancySpec:
    """Somebody's time in a dwelling; without an e-mail it is a person without an account."""

    move_in: date
    move_out: date | None = None
    kind: OccupancyKind = OccupancyKind.TENANT
    email: str | None = None


@dataclass(frozen=True, slots=True)
class DwellingSpec:
    """A dwelling with its meters and occupancies."""

    number: str
    building: str = ""
    staircase: str = ""
    floor: str = ""
    lot: str | None = None
    manager_reference: str | None = None
    surface_m2: Decimal | None = None
    meters: Sequence[MeterSpec] = ()
    occupancies: Sequence[OccupancySpec] = ()


@dataclass(frozen=True, slots=True)
class ResidenceSpec:
    """A residence of an operator with its dwellings.

    `published_at`: since when residents may sign up (R-131); `publish_residence` also notifies the managers.
    `water_price_eur_per_m3`: what residents pay, waste water included. `billing_starts`: MM-DD, where billing
    periods are not calendar years. `weather_station`: whose degree days correct heating. `remote_reading` and
    `resident_portal_option`: whether its residents may register at all (C-11), both true for a residence that
    is new. None leaves each as it is in a residence that is known.
    """

    operator_code: str
    operator_name: str
    code: str
    name: str
    street: str
    postcode: str
    city: str
    time_zone: str = "Europe/Paris"
    published_at: datetime | None = None
    remote_reading: bool | None = None
    resident_portal_option: bool | None = None
    water_price_eur_per_m3: Decimal | None = None
    billing_starts: str | None = None
    weather_station: str | None = None
    dwellings: Sequence[DwellingSpec] = ()


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """A resident's account with the notifications the resident chose.

    `phone_confirmed`: the operator has verified that the number is the resident's, so SMS may go to it.
    `terms_version`: which terms of use the operator has on paper; an account that is known keeps its own.
    """

    operator_code: str
    email: str
    password: str = field(repr=False)
    first_name: str
    last_name: str
    civility: str = ""
    phone_e164: str | None = None
    phone_confirmed: bool = False
    language: str = "fr"
    leak_by_email: bool = False
    leak_by_sms: bool = False
    over_consumption_by_email: bool = False
    over_consumption_by_sms: bool = False
    role: Role = Role.RESIDENT
    terms_version: str | None = None
