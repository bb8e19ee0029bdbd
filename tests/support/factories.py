"""Small residences for tests, described through the services as an operator would."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from tortoise.backends.base.client import TransactionalDBClient

from core.access import SYSTEM, Role
from core.consumption.fluids import Fluid
from core.services.places.key_encryption import KeyEncryption
from core.services.places.meter_states import LONG_AGO_S, MeterFlag, MeterState, save_states
from core.services.portfolio.descriptions import (
    AccountSpec,
    DwellingSpec,
    MeterSpec,
    OccupancySpec,
    ResidenceSpec,
)
from core.services.portfolio.portfolio import upsert_account, upsert_operator, upsert_residence
from core.services.shared.time_series import ReadingRow, insert_readings, newest_readings

PASSWORD = "Correct-Horse-42"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
OPERATOR = "ocea"
TERMS = "2026-11"
"""The version of the terms of use that the profile of `ocea` has in force."""


def meter(
    radio_address: str = "SAP-21131C34-0C-04",
    *,
    fluid: Fluid = Fluid.COLD_WATER,
    vendor: str = "ocea",
    printed_serial: str = "H18CA029620",
    installed_at: datetime = datetime(2024, 1, 1, tzinfo=UTC),
    removed_at: datetime | None = None,
    key: bytes | None = None,
) -> MeterSpec:
    return MeterSpec(
        fluid=fluid,
        vendor=vendor,
        printed_serial=printed_serial,
        radio_address=radio_address,
        installed_at=installed_at,
        removed_at=removed_at,
        register_capacity=None if fluid is Fluid.HEAT else 100_000_000,
        key=key,
    )


async def account(
    *,
    email: str = "claire.martin@example.org",
    first_name: str = "Claire",
    notified: bool = True,
    role: Role = Role.RESIDENT,
) -> int:
    """An account of the operator `ocea`, notified of everything by default."""
    await upsert_operator(SYSTEM, code=OPERATOR, name="OCEA Smart Building")
    return await upsert_account(
        SYSTEM,
        AccountSpec(
            operator_code=OPERATOR,
            email=email,
            password=PASSWORD,
            first_name=first_name,
            last_name="Martin",
            civility="Mme",
            phone_e164="+33639980012",
            phone_confirmed=True,
            role=role,
            terms_version=TERMS,
            leak_by_email=notified,
            leak_by_sms=notified,
            over_consumption_by_email=notified,
        ),
        now=NOW,
    )


async def residence(
    key_encryption: KeyEncryption,
    *meters: MeterSpec,
    email: str | None = "claire.martin@example.org",
    move_in: date = date(2024, 2, 1),
    number: str = "12",
    predecessor: OccupancySpec | None = None,
    time_zone: str = "Europe/Paris",
) -> int:
    """Residence AA000 with one dwelling that holds the meters; answers the residence's id."""
    if email is not None:
        await account(email=email)
    occupancy_periods = [] if predecessor is None else [predecessor]
    return await upsert_residence(
        SYSTEM,
        ResidenceSpec(
            operator_code=OPERATOR,
            operator_name="OCEA Smart Building",
            code="AA000",
            name="Résidence Les Tilleuls",
            street="1 place Victor Hugo",
            postcode="92400",
            city="Courbevoie",
            time_zone=time_zone,
            published_at=NOW,
            dwellings=[
                DwellingSpec(
                    building="A",
                    staircase="1",
                    floor="2",
                    number=number,
                    lot="104",
                    meters=meters,
                    occupancies=[*occupancy_periods, OccupancySpec(move_in=move_in, email=email)],
                )
            ],
        ),
        key_encryption=key_encryption,
        now=NOW,
    )


async def store_readings(connection: TransactionalDBClient, rows: Sequence[ReadingRow]) -> None:
    """Store readings with the states that intake would leave behind them."""
    await insert_readings(connection, rows)
    last = await newest_readings(connection, {row.meter_id for row in rows})
    await save_states(
        connection,
        [
            MeterState(
                row.meter_id,
                row.read_at_s,
                row.index_value,
                row.telegram_digest,
                LONG_AGO_S,
                row.read_at_s,
                LONG_AGO_S,
                row.read_at_s,
                row.index_value,
                int(row.evidence),
                0,
                int(MeterFlag.DAY_UNCLEAR),
            )
            for row in last.values()
        ],
    )
