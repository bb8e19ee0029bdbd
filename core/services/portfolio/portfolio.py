"""Creates and updates operators, residences, dwellings, meters, keys and people.

In: frozen descriptions from an operator's list (or from the demo). The one rule: the same description twice
changes nothing; a changed one updates what is stored. A meter is identified by its radio address, a
dwelling by residence, building, staircase, floor and number.
"""

from dataclasses import replace
from datetime import datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Permission, Viewer
from core.access.emails import email_key
from core.errors import InvalidInput, NotFound
from core.leak_thresholds import ThresholdsOf, product_thresholds
from core.models import (
    Account,
    Dwelling,
    DwellingRequest,
    DwellingRequestState,
    Meter,
    Occupancy,
    OccupancyKind,
    Operator,
    Residence,
)
from core.operator_files import check_code
from core.services.auth.passwords import hash_password
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import (
    AccountSpec,
    DwellingSpec,
    MeterSpec,
    OccupancySpec,
    ResidenceSpec,
)
from core.services.portfolio.inventory import Inventory, Listed
from core.services.portfolio.validation import (
    can_be_stored,
    check_billing_start,
    check_texts,
    check_zone,
    checked_price,
    reported_as_input,
)
from core.services.shared.dismissals import end_dismissals
from core.services.shared.transaction import transactional


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
    check_texts(operator=spec.operator_code)
    operator = await _operator(connection, spec.operator_code, spec.operator_name)
    check_texts(residence=spec.code)
    check_zone(spec.time_zone)
    if spec.billing_starts is not None:
        check_billing_start(spec.billing_starts)
    given = {
        "published_at": spec.published_at,
        "remote_reading": spec.remote_reading,
        "resident_portal_option": spec.resident_portal_option,
        "water_price_eur_per_m3": checked_price(spec.water_price_eur_per_m3),
        "billing_starts": spec.billing_starts,
        "weather_station": spec.weather_station,
    }
    residence, _ = await Residence.update_or_create(
        {
            "name": spec.name,
            "street": spec.street,
            "postcode": spec.postcode,
            "city": spec.city,
            "time_zone": spec.time_zone,
            **{name: value for name, value in given.items() if value is not None},
        },
        using_db=connection,
        operator_id=operator.id,
        code=spec.code,
    )
    lines = [Listed(residence.id, dwelling) for dwelling in spec.dwellings]
    inventory = await Inventory.of(connection, lines)
    rows = [inventory.put(line)[0] for line in lines]
    await inventory.store(
        connection, viewer, key_encryption=key_encryption, thresholds_of=thresholds_of, now=now
    )
    for row, line in zip(rows, lines, strict=True):
        for period in line.dwelling.occupancies:
            await _upsert_occupancy(connection, row, period)
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
    line = Listed(residence.id, replace(dwelling, meters=[meter]), keep_removal)
    inventory = await Inventory.of(connection, [line])
    _, (row,) = inventory.put(line)
    await inventory.store(
        connection, viewer, key_encryption=key_encryption, thresholds_of=thresholds_of, now=now
    )
    meter_id: int = row.id
    return meter_id


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
    try:
        check_code(code)
    except InvalidInput:  # one that was stored before codes were checked can be renamed
        known = Operator.filter(code=code).using_db(connection)
        if not can_be_stored(Operator, "code", code) or not await known.exists():
            raise
    operator, _ = await Operator.update_or_create({"name": name}, using_db=connection, code=code)
    return operator


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
    is_new = period.id is None
    await period.save(using_db=connection)
    if is_new and spec.kind is not owner:
        await end_dismissals(connection, dwelling.id, on=spec.move_in, kept_of=period.account_id)


async def has_residences(viewer: Viewer) -> bool:
    """Whether anything has been described yet."""
    viewer.require(Permission.PLACES_WRITE)
    return await Residence.exists()


async def vacant_serials(viewer: Viewer, *, operator_code: str, residence_code: str) -> frozenset[str]:
    """The printed serials of the meters of homes that nobody lives in or has asked for."""
    viewer.require(Permission.PLACES_WRITE)
    homes = Dwelling.filter(residence__code=residence_code, residence__operator__code=operator_code)
    held = Occupancy.filter(move_out=None).values_list("dwelling_id", flat=True)
    asked = DwellingRequest.filter(state=DwellingRequestState.OPEN).values_list("dwelling_id", flat=True)
    taken = {*(await held), *(await asked)}
    free = [home.id for home in await homes.only("id") if home.id not in taken]
    meters = await Meter.filter(dwelling_id__in=free, removed_at=None).only("printed_serial")
    return frozenset(meter.printed_serial for meter in meters)
