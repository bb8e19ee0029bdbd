"""`submeter residences`: the buildings that meters hang in."""

from datetime import UTC, datetime

from cyclopts import App

from cli.house import opened
from cli.output import out
from core.access import SYSTEM
from core.services.portfolio import ResidenceSpec, put_residence
from core.services.publication import publish_residence
from core.services.vault import Vault

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
) -> None:
    """Describe a residence, or bring it up to date; its operator is made if it is new.

    Args:
        operator: the operator's code, e.g. ocea.
        operator_name: the operator's name as residents read it.
        code: the site code or building code, e.g. AA000.
        name: the residence's name.
        street: street and number.
        postcode: the postcode.
        city: the city.
        time_zone: whose civil days count there (IANA name).
    """
    now = datetime.now(UTC)
    spec = ResidenceSpec(
        operator, operator_name, code, name, street, postcode, city, time_zone, published_at=now
    )
    async with opened() as house:
        await put_residence(SYSTEM, spec, vault=Vault.under(house.settings.secret_key), now=now)
    out.print(f"Residence {code} of {operator} is described.")


@residences.command
async def publish(operator: str, code: str) -> None:
    """Open a residence to its residents, and tell its administrators; twice is once.

    Args:
        operator: the operator's code, e.g. ista.
        code: the residence's code.
    """
    async with opened() as house:
        fresh = await publish_residence(
            house, SYSTEM, operator_code=operator, residence_code=code, now=datetime.now(UTC)
        )
    out.print(f"Residence {code} is published." if fresh else f"Residence {code} was published before.")
