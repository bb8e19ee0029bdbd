"""Creates and updates operators, residences, dwellings, meters, keys and people.

In: frozen descriptions from an operator's list (or from the demo). The one rule: the same description twice
changes nothing; a changed one updates what is stored. A meter is identified by its radio address, a dwelling
by residence, building, staircase, floor and number.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.access.emails import email_key
from core.errors import Conflict, InvalidInput, NotFound
from core.leak_thresholds import ThresholdsOf, product_thresholds
from core.metering import normalise_serial
from core.models import (
    Account,
    Dwelling,
    Meter,
    Occupancy,
    OccupancyKind,
    Operator,
    Residence,
)
from core.services.auth.passwords import hash_password
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import (
    AccountSpec,
    DwellingSpec,
    MeterSpec,
    OccupancySpec,
    ResidenceSpec,
)
from core.services.portfolio.meter_aliases import check_no_alias, upsert_aliases
from core.services.portfolio.meter_keys import add_key
from core.services.portfolio.validation import (
    canonical_address,
    check_texts,
    check_zone,
    checked_price,
    reported_as_input,
)
from core.services.shared.transaction import transactional
from core.services.telegrams.service_correction import correct_service

LARGEST_REGISTER = {"register_step": 1_000_000, "register_capacity": 10**15}
"""Litres, watt-hours or allocator units; no register holds more."""

LARGEST_FLOW_M3_PER_H = 6300
"""The largest Q3 that ISO 4064-1 has a number for in its series; no meter of a building is larger."""

SMALLEST_FLOW_M3_PER_H = Decimal("0.001")
"""The last decimal that the table keeps: less would be stored as 0."""

KEY_BYTES = {8, 16}
"""PRIOS, and AES-128."""


@reported_as_input
@transactional
async def upsert_residence(
    connection: TransactionalDBClient,
    viewer: Viewer,
    spec: ResidenceSpec,
    *,
    key_encryption: KeyEncryption,
    thresholds_of: ThresholdsOf = product_thresholds,
    now: datetime,
) -> int:
    """Create or update a residence with all in it; returns its id.

    `thresholds_of` judges the leaks of removed meters (`Application.registry.leak_thresholds`).

    Raises:
        NotFound: an occupancy names an account that does not exist.
        InvalidInput: no such time zone, no such price, or a radio address or key cannot be read.
        Conflict: another dwelling's meter has this radio address.
    """
    viewer.require(Permission.PLACES_WRITE)
    operator = await _operator(connection, spec.operator_code, spec.operator_name)
    check_texts(operator=spec.operator_code, residence=spec.code)
    check_zone(spec.time_zone)
    given = {
        "published_at": spec.published_at,
        "water_price_eur_per_m3": checked_price(spec.water_price_eur_per_m3),
    }
    residence, _ = await Residence.update_or_create(
        {
            "name": spec.name,
            "street": spec.street,
            "postcode": spec.postcode,
            "city": spec.city,
            "time_zone": spec.time_zone,
            "remote_reading": spec.remote_reading,
            "resident_portal_option": spec.resident_portal_option,
            **{name: value for name, value in given.items() if value is not None},
        },
        using_db=connection,
        operator_id=operator.id,
        code=spec.code,
    )
    for dwelling in spec.dwellings:
        await _upsert_dwelling(
            connection,
            viewer,
            residence,
            dwelling,
            key_encryption=key_encryption,
            thresholds_of=thresholds_of,
            now=now,
        )
    residence_id: int = residence.id
    return residence_id


@reported_as_input
@transactional
async def upsert_meter(
    connection: TransactionalDBClient,
    viewer: Viewer,
    *,
    residence_code: str,
    operator_code: str,
    dwelling: DwellingSpec,
    meter: MeterSpec,
    keep_removal: bool = False,
    key_encryption: KeyEncryption,
    thresholds_of: ThresholdsOf = product_thresholds,
    now: datetime,
) -> int:
    """Create or update one meter of a known residence; returns its id. The dwelling is made if it is new.

    Raises:
        NotFound: no such residence.
        InvalidInput: the radio address or key cannot be read.
        Conflict: another dwelling's meter has this radio address.
    """
    viewer.require(Permission.METERS_WRITE)
    residence = await Residence.get_or_none(
        code=residence_code, operator__code=operator_code, using_db=connection
    )
    if residence is None:
        raise NotFound(f"Operator {operator_code} has no residence {residence_code}.", field="residence")
    row = await _dwelling_row(connection, residence, dwelling)
    if keep_removal:
        address = canonical_address(meter.radio_address)
        known = await Meter.get_or_none(radio_address=address, using_db=connection)
        meter = replace(meter, removed_at=known.removed_at if known else None)
    return await _upsert_meter(
        connection, viewer, row, meter, key_encryption=key_encryption, thresholds_of=thresholds_of, now=now
    )


async def zone_of_residence(viewer: Viewer, *, operator_code: str, residence_code: str) -> ZoneInfo:
    """The time zone of a residence, which defines its civil days.

    Raises:
        NotFound: no such residence.
    """
    viewer.require(Permission.METERS_WRITE)
    residence = await Residence.get_or_none(code=residence_code, operator__code=operator_code)
    if residence is None:
        raise NotFound(f"Operator {operator_code} has no residence {residence_code}.", field="residence")
    return ZoneInfo(residence.time_zone)


@transactional
async def upsert_account(
    connection: TransactionalDBClient, viewer: Viewer, spec: AccountSpec, *, now: datetime
) -> int:
    """Create or update an account; returns its id. The password of a known account is left as it is."""
    viewer.require(Permission.PLACES_WRITE)
    operator = await Operator.get_or_none(code=spec.operator_code, using_db=connection)
    if operator is None:
        raise NotFound(f"There is no operator {spec.operator_code}.", field="operator_code")
    account = await Account.get_or_none(email_key=email_key(spec.email), using_db=connection)
    if account is None:
        account = Account(
            operator_id=operator.id,
            email_key=email_key(spec.email),
            password_hash=hash_password(spec.password),
            role=spec.role,
            terms_version=spec.terms_version,
            created_at=now,
        )
    account.email = spec.email.strip()
    account.civility, account.first_name, account.last_name = spec.civility, spec.first_name, spec.last_name
    if account.phone_e164 != spec.phone_e164 or spec.phone_confirmed:
        account.phone_confirmed_at = now if spec.phone_confirmed else None
    account.phone_e164, account.language = spec.phone_e164, spec.language
    account.leak_by_email, account.leak_by_sms = spec.leak_by_email, spec.leak_by_sms
    account.over_consumption_by_email = spec.over_consumption_by_email
    account.over_consumption_by_sms = spec.over_consumption_by_sms
    await account.save(using_db=connection)
    account_id: int = account.id
    return account_id


@transactional
async def upsert_operator(connection: TransactionalDBClient, viewer: Viewer, *, code: str, name: str) -> int:
    """Create or update an operator; returns its id."""
    viewer.require(Permission.PLACES_WRITE)
    operator_id: int = (await _operator(connection, code, name)).id
    return operator_id


async def _operator(connection: TransactionalDBClient, code: str, name: str) -> Operator:
    operator, _ = await Operator.update_or_create({"name": name}, using_db=connection, code=code)
    return operator


async def _dwelling_row(
    connection: TransactionalDBClient, residence: Residence, spec: DwellingSpec
) -> Dwelling:
    known = {
        name: value
        for name, value in (
            ("lot", spec.lot),
            ("manager_reference", spec.manager_reference),
            ("surface_m2", spec.surface_m2),
        )
        if value is not None
    }
    dwelling, _ = await Dwelling.update_or_create(
        known,
        using_db=connection,
        residence_id=residence.id,
        building=spec.building,
        staircase=spec.staircase,
        floor=spec.floor,
        number=spec.number,
    )
    return dwelling


async def _upsert_dwelling(
    connection: TransactionalDBClient,
    viewer: Viewer,
    residence: Residence,
    spec: DwellingSpec,
    *,
    key_encryption: KeyEncryption,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> None:
    dwelling = await _dwelling_row(connection, residence, spec)
    for meter in spec.meters:
        await _upsert_meter(
            connection,
            viewer,
            dwelling,
            meter,
            key_encryption=key_encryption,
            thresholds_of=thresholds_of,
            now=now,
        )
    for period in spec.occupancies:
        await _upsert_occupancy(connection, dwelling, period)


async def _upsert_occupancy(
    connection: TransactionalDBClient, dwelling: Dwelling, spec: OccupancySpec
) -> None:
    """A dwelling has one occupant at a time (R-140); an owner who lives elsewhere does not count (C-01)."""
    account = None
    if spec.email:
        account = await Account.get_or_none(email_key=email_key(spec.email), using_db=connection)
        if account is None:
            raise NotFound(f"There is no account {spec.email}.", field="email")
    owner = OccupancyKind.OWNER_NON_OCCUPANT
    same_day = Occupancy.filter(dwelling_id=dwelling.id, move_in=spec.move_in).using_db(connection)
    known = same_day.filter(kind=owner) if spec.kind is owner else same_day.exclude(kind=owner)
    period = await known.first() or Occupancy(dwelling_id=dwelling.id, move_in=spec.move_in)
    period.move_out, period.kind = spec.move_out, spec.kind
    period.account_id = account.id if account else None
    await period.save(using_db=connection)


def _check_meter(spec: MeterSpec) -> None:
    """Check that a meter's figures are consistent.

    Raises:
        InvalidInput: the length of its key, its register, or a removal before the installation.
    """
    if spec.key is not None and len(spec.key) not in KEY_BYTES:
        raise InvalidInput("a meter key has 16 bytes (8 for PRIOS)", field="key")
    for name, amount in (
        ("register_step", spec.register_step),
        ("register_capacity", spec.register_capacity),
    ):
        if amount is not None and not 1 <= amount <= LARGEST_REGISTER[name]:
            raise InvalidInput(f"must be a whole number from 1 to {LARGEST_REGISTER[name]}", field=name)
    flow = spec.nominal_flow_m3_per_h
    if flow is not None and not (
        flow.is_finite() and SMALLEST_FLOW_M3_PER_H <= flow <= LARGEST_FLOW_M3_PER_H
    ):
        raise InvalidInput(
            f"must be from {SMALLEST_FLOW_M3_PER_H} to {LARGEST_FLOW_M3_PER_H} m3/h",
            field="nominal_flow_m3_per_h",
        )
    if spec.removed_at is not None and spec.removed_at < spec.installed_at:
        raise InvalidInput("lies before installed_on", field="removed_on")


async def _upsert_meter(
    connection: TransactionalDBClient,
    viewer: Viewer,
    dwelling: Dwelling,
    spec: MeterSpec,
    *,
    key_encryption: KeyEncryption,
    thresholds_of: ThresholdsOf,
    now: datetime,
) -> int:
    address = canonical_address(spec.radio_address)
    _check_meter(spec)
    meter = await Meter.get_or_none(radio_address=address, using_db=connection)
    if meter is not None and meter.dwelling_id != dwelling.id:
        raise Conflict(f"The meter {address} is installed in another dwelling.", field="radio_address")
    if meter is None:
        await check_no_alias(connection, address)
    meter = meter or Meter(dwelling_id=dwelling.id, radio_address=address)
    meter.fluid, meter.vendor, meter.location = spec.fluid, spec.vendor, spec.location
    meter.printed_serial, meter.serial_key = spec.printed_serial, normalise_serial(spec.printed_serial)
    meter.register_step, meter.register_capacity = spec.register_step, spec.register_capacity
    meter.nominal_flow_m3_per_h = spec.nominal_flow_m3_per_h
    before = (meter.installed_at, meter.removed_at) if meter.id else None
    meter.installed_at, meter.removed_at = spec.installed_at, spec.removed_at
    await meter.save(using_db=connection)
    if spec.key is not None:
        await add_key(connection, meter, spec.key, key_encryption=key_encryption, now=now)
    await upsert_aliases(connection, viewer, meter, spec.aliases, now=now)
    if before is not None and before != (spec.installed_at, spec.removed_at):
        await correct_service(
            connection, address, key_encryption=key_encryption, thresholds_of=thresholds_of, now=now
        )
    meter_id: int = meter.id
    return meter_id


async def has_residences(viewer: Viewer) -> bool:
    """Whether anything has been described yet."""
    viewer.require(Permission.PLACES_WRITE)
    return await Residence.exists()
