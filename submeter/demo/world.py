"""Registers the demo's plan in the application, through the services that an operator's list uses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from core.access import SYSTEM
from core.consumption.fluids import Fluid
from core.metering import load_registry
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import (
    AccountSpec,
    DwellingSpec,
    MeterSpec,
    OccupancySpec,
    ResidenceSpec,
)
from core.services.portfolio.portfolio import upsert_account, upsert_operator, upsert_residence
from submeter.demo.rates import STATION
from submeter.simulator.registers import swap_s
from submeter.simulator.values import DemoDwelling, DemoMeter, DemoPlan, DemoResidence, DemoResident

PASSWORD = "Demo-Water-2026"  # noqa: S105 - the demo's password, printed on purpose
WATER_REGISTER_LITRES = 100_000_000
"""Five digits of cubic metres, after which the register rolls over (C-33)."""


async def describe(plan: DemoPlan, key_encryption: KeyEncryption, *, now: datetime) -> None:
    """Register operators, accounts, residences, dwellings, meters and keys. Repeating it changes nothing."""
    registry = load_registry()
    terms = {profile.code: profile.terms_version for profile in registry.profiles}
    for residence in plan.residences:
        await upsert_operator(SYSTEM, code=residence.operator, name=residence.operator_name)
        for resident in residents(residence):
            account = _account(residence, resident, terms.get(residence.operator))
            await upsert_account(SYSTEM, account, now=now)
        spec = _residence(residence, now)
        await upsert_residence(
            SYSTEM, spec, key_encryption=key_encryption, thresholds_of=registry.leak_thresholds, now=now
        )


def residents(residence: DemoResidence) -> Iterator[DemoResident]:
    for dwelling in residence.dwellings:
        yield from dwelling.residents


def _account(residence: DemoResidence, resident: DemoResident, terms: str | None) -> AccountSpec:
    mobile = resident.phone is not None
    return AccountSpec(
        operator_code=residence.operator,
        email=resident.email,
        password=PASSWORD,
        civility=resident.civility,
        first_name=resident.first_name,
        last_name=resident.last_name,
        phone_e164=resident.phone,
        phone_confirmed=resident.phone is not None,
        language=resident.language,
        leak_by_email=True,
        leak_by_sms=mobile,
        over_consumption_by_email=True,
        over_consumption_by_sms=False,
        terms_version=terms,
    )


def _residence(residence: DemoResidence, now: datetime) -> ResidenceSpec:
    zone = ZoneInfo(residence.timezone)
    return ResidenceSpec(
        operator_code=residence.operator,
        operator_name=residence.operator_name,
        code=residence.site_code,
        name=residence.name,
        street=residence.street,
        postcode=residence.postcode,
        city=residence.city,
        time_zone=residence.timezone,
        published_at=now if residence.published else None,
        water_price_eur_per_m3=Decimal(residence.water_price_eur_per_m3),
        weather_station=STATION,
        dwellings=[_dwelling(dwelling, zone) for dwelling in residence.dwellings],
    )


def _dwelling(dwelling: DemoDwelling, zone: ZoneInfo) -> DwellingSpec:
    return DwellingSpec(
        number=dwelling.number,
        building=dwelling.building,
        staircase=dwelling.staircase,
        floor=dwelling.floor,
        lot=dwelling.lot,
        manager_reference=dwelling.manager_reference,
        surface_m2=Decimal(dwelling.surface_m2),
        meters=[_meter(meter, zone) for meter in dwelling.meters],
        occupancies=[
            OccupancySpec(move_in=resident.move_in, move_out=resident.move_out, email=resident.email)
            for resident in dwelling.residents
        ],
    )


def _meter(meter: DemoMeter, zone: ZoneInfo) -> MeterSpec:
    fluid = Fluid(meter.fluid.value)
    return MeterSpec(
        fluid=fluid,
        vendor=meter.vendor.value,
        printed_serial=meter.printed_serial,
        radio_address=meter.address,
        installed_at=datetime.fromtimestamp(swap_s(meter.installed_on, zone), UTC),
        removed_at=datetime.fromtimestamp(swap_s(meter.removed_on, zone), UTC) if meter.removed_on else None,
        register_step=meter.register_step,
        register_capacity=WATER_REGISTER_LITRES if fluid.is_water else None,
        key=meter.key,
    )
