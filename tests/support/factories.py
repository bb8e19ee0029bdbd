"""Small residences for tests, described through the services as an operator would."""

from datetime import UTC, date, datetime

from core.access import SYSTEM, Role
from core.consumption.fluids import Fluid
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import (
    AccountSpec,
    DwellingSpec,
    MeterSpec,
    OccupancySpec,
    ResidenceSpec,
)
from core.services.portfolio.portfolio import upsert_account, upsert_operator, upsert_residence

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
