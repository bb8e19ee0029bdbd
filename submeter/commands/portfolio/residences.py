"""`submeter residences`: describe and publish residences."""

from datetime import UTC, datetime
from decimal import Decimal

from cyclopts import App

from core.access import SYSTEM
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.descriptions import ResidenceSpec
from core.services.portfolio.portfolio import upsert_residence
from core.services.portfolio.publication import publish_residence
from submeter.application import opened
from submeter.output import out

residences = App(name="residences", help="Residences and their operators.")


@residences.command
async def add(
    operator: str,
    operator_name: str,
    code: str,
    name: str,
    street: str,
    postcode: str,
    city: str,
    *,
    time_zone: str = "Europe/Paris",
    water_price: Decimal | None = None,
) -> None:
    """Add a residence, or update it; its operator is added if it is new.

    Residents can register once it is published (`submeter residences publish`).

    Args:
        operator: the operator's code, e.g. ocea.
        operator_name: the operator's name as shown to residents.
        code: the site code or building code, e.g. AA000.
        name: the residence's name.
        street: street and number.
        postcode: the postcode.
        city: the city.
        time_zone: time zone of the residence's days and months (IANA name).
        water_price: EUR per cubic metre, waste water included; without it the cost of a leak is not shown. If
            left out in an update, the price is unchanged.
    """
    now = datetime.now(UTC)
    spec = ResidenceSpec(
        operator,
        operator_name,
        code,
        name,
        street,
        postcode,
        city,
        time_zone,
        water_price_eur_per_m3=water_price,
    )
    async with opened() as application:
        key_encryption, thresholds_of = (
            KeyEncryption.under(application.settings.secret_key),
            application.registry.leak_thresholds,
        )
        await upsert_residence(
            SYSTEM, spec, key_encryption=key_encryption, thresholds_of=thresholds_of, now=now
        )
    out.print(f"Residence {code} of {operator} is saved.")


@residences.command
async def publish(operator: str, code: str) -> None:
    """Publish a residence, so that residents can register; its administrators are notified, once only.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
    """
    async with opened() as application:
        fresh = await publish_residence(
            application, SYSTEM, operator_code=operator, residence_code=code, now=datetime.now(UTC)
        )
    out.print(f"Residence {code} is published." if fresh else f"Residence {code} was already published.")
