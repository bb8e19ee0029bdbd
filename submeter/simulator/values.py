"""The values of `demo_plan`, frozen and without behaviour.

`Fluid`, `Vendor` and `Layout` are the demo's own enums: it does not use the decoder's.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

SWAP_HOUR = 10  # local hour at which a fitter takes the old meter out and puts the new one in


class Fluid(StrEnum):
    """What a meter measures."""

    COLD_WATER = "COLD_WATER"
    HOT_WATER = "HOT_WATER"
    HEAT = "HEAT"


class Vendor(StrEnum):
    """Whose driver reads the meter (the driver's name)."""

    OCEA = "ocea"
    ISTA = "ista"
    ITRON = "itron"
    KAMSTRUP = "kamstrup"


class Layout(StrEnum):
    """Which telegram a meter sends."""

    PRIOS = "PRIOS"
    KAMSTRUP_HEAT = "KAMSTRUP_HEAT"
    ITRON_WATER = "ITRON_WATER"
    ISTA_WATER = "ISTA_WATER"
    ISTA_HEAT = "ISTA_HEAT"


class GatewayFormat(StrEnum):
    """The line format of a residence's gateway."""

    RTL_WMBUS = "RTL_WMBUS"
    JSON_LINES = "JSON_LINES"


class Scenario(StrEnum):
    """What a dwelling demonstrates."""

    LEAK_LEVEL_1 = "LEAK_LEVEL_1"
    LEAK_LEVEL_2 = "LEAK_LEVEL_2"
    LEAK_LEVEL_3 = "LEAK_LEVEL_3"
    LEAK_ENDED = "LEAK_ENDED"
    OVER_CONSUMPTION = "OVER_CONSUMPTION"
    METER_REPLACED = "METER_REPLACED"
    WEEK_WITHOUT_DATA = "WEEK_WITHOUT_DATA"
    NEW_RESIDENT = "NEW_RESIDENT"


@dataclass(frozen=True, slots=True)
class ExtraFlow:
    """A flow in addition to the habits: litres in each UTC hour whose local hour is among `local_hours`."""

    starts_at: datetime
    ends_at: datetime | None
    litres_per_hour: int
    local_hours: frozenset[int] = frozenset(range(24))

    @property
    def is_leak(self) -> bool:
        """Whether it runs day and night."""
        return len(self.local_hours) == 24


@dataclass(frozen=True, slots=True)
class DemoMeter:
    """A meter: its printed serial, its address on air, its key, and when it was in service.

    `address` is `MMM-IIIIIIII-VV-TT`; `wire_address` the eight bytes M + A as on air.
    `register_step` is in litres (water) or watt-hours (heat).
    A meter installed or removed inside the history is replaced at `SWAP_HOUR` local time.
    """

    fluid: Fluid
    vendor: Vendor
    layout: Layout
    printed_serial: str
    address: str
    wire_address: bytes
    register_step: int
    key: bytes | None = field(repr=False)
    installed_on: date
    removed_on: date | None = None
    extra_flows: tuple[ExtraFlow, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoResident:
    """A person with an account; `move_out` is set for one who has left the dwelling (day exclusive)."""

    civility: str
    first_name: str
    last_name: str
    email: str
    language: str
    phone: str | None
    move_in: date
    move_out: date | None = None


@dataclass(frozen=True, slots=True)
class DayRange:
    """Civil days from `first` up to, not including, `end`."""

    first: date
    end: date


@dataclass(frozen=True, slots=True)
class DemoDwelling:
    """A dwelling; `code` is the operator's own (ista's eight digits, empty at OCEA)."""

    code: str
    building: str
    staircase: str
    floor: str
    number: str
    lot: str
    manager_reference: str
    surface_m2: int
    persons: int
    meters: tuple[DemoMeter, ...]
    residents: tuple[DemoResident, ...]
    scenarios: frozenset[Scenario]
    no_data: DayRange | None = None


@dataclass(frozen=True, slots=True)
class DemoResidence:
    """A residence of one operator; `site_code` is OCEA's «code site» or ista's «code immeuble»."""

    operator: str
    operator_name: str
    site_code: str
    name: str
    street: str
    postcode: str
    city: str
    timezone: str
    published: bool
    water_price_eur_per_m3: str
    gateway: GatewayFormat
    dwellings: tuple[DemoDwelling, ...]


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """The whole demo. History runs from `history_start` to `anchor`, hourly from `hourly_start`."""

    anchor: datetime
    history_start: datetime
    hourly_start: datetime
    residences: tuple[DemoResidence, ...]
