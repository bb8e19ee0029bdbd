"""The demo's accounts beside its residents, its residence that is not published, and its gateway.

In: the open application. Out: rows, made through the services that an operator's commands use. The one rule:
repeating it changes nothing, so that a demo that was interrupted is completed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from core.access import SYSTEM, Role
from core.bootstrap import Application
from core.consumption.fluids import Fluid
from core.services.accounts.second_factor import install_second_factor
from core.services.places.key_encryption import KeyEncryption
from core.services.places.managed_residences import grant_residence
from core.services.portfolio.descriptions import AccountSpec, DwellingSpec, MeterSpec, ResidenceSpec
from core.services.portfolio.portfolio import upsert_account, upsert_residence
from submeter.demo.world import PASSWORD

SECOND_FACTOR = "DEMOWATERDEMOWATERDEMOWATERDEMOW"
"""The secret of the authenticator of managers and staff, printed on purpose."""

GATEWAY = "demo-roof"
UNPUBLISHED = "AA001"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody who is no resident: `residences` are those of a manager, `shows` is a line of the banner."""

    email: str
    operator: str
    first_name: str
    last_name: str
    role: Role
    shows: str
    residences: tuple[str, ...] = ()


ACCOUNTS = (
    DemoAccount(
        email="odile.garnier@example.org",
        operator="ocea",
        first_name="Odile",
        last_name="Garnier",
        role=Role.MANAGER,
        shows="manager: alerts, requests, and days of homes that consent",
        residences=("AA000", UNPUBLISHED),
    ),
    DemoAccount(
        email="marc.leroy@example.org",
        operator="ocea",
        first_name="Marc",
        last_name="Leroy",
        role=Role.STAFF,
        shows="staff: readings that do not count, and their correction",
    ),
)


async def describe_people(application: Application, *, now: datetime) -> None:
    """Make the residence that is not published, and the accounts with their second factors."""
    settings, registry = application.settings, application.registry
    await upsert_residence(
        SYSTEM,
        _unpublished(),
        key_encryption=KeyEncryption.under(settings.secret_key),
        thresholds_of=registry.leak_thresholds,
        now=now,
    )
    for account in ACCOUNTS:
        profile = registry.profile(account.operator)
        await upsert_account(
            SYSTEM,
            AccountSpec(
                operator_code=account.operator,
                email=account.email,
                password=PASSWORD,
                first_name=account.first_name,
                last_name=account.last_name,
                language="en",
                role=account.role,
                terms_version=profile.terms_version if profile else None,
            ),
            now=now,
        )
        await install_second_factor(settings, SYSTEM, email=account.email, secret=SECOND_FACTOR, now=now)
        for code in account.residences:
            await grant_residence(
                SYSTEM,
                email=account.email,
                operator_code=account.operator,
                residence_code=code,
                administrator=True,
                now=now,
            )


def _unpublished() -> ResidenceSpec:
    """A residence that residents cannot register at yet: `submeter residences publish` opens it."""
    return ResidenceSpec(
        operator_code="ocea",
        operator_name="OCEA Smart Building",
        code=UNPUBLISHED,
        name="Résidence Les Érables",
        street="4 rue des Érables",
        postcode="92400",
        city="Courbevoie",
        dwellings=[
            DwellingSpec(
                number="01",
                building="A",
                floor="0",
                lot="1",
                meters=[
                    MeterSpec(
                        fluid=Fluid.COLD_WATER,
                        vendor="ocea",
                        printed_serial="H18CA090001",
                        radio_address="SAP-21140811-0C-04",
                        installed_at=datetime(2024, 1, 1, tzinfo=UTC),
                    )
                ],
            )
        ],
    )
