"""`submeter managers`: accounts of managers, and their residences."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM, Role
from core.language import Language
from core.services.places.managed_residences import grant_residence, revoke_residence
from submeter.application import opened
from submeter.commands.accounts import send_invitation
from submeter.output import out

managers = App(name="managers", help="Managers and their residences.")


@managers.command
async def invite(
    email: str, operator: str, first_name: str, last_name: str, *, language: Language = Language.FR
) -> None:
    """Create a manager's account; a temporary password, valid once within a day, is sent by e-mail.

    Args:
        email: the address to sign in with.
        operator: the operator's code, e.g. ocea.
        first_name: first name.
        last_name: last name.
        language: fr or en.
    """
    await send_invitation(Role.MANAGER, email, operator, first_name, last_name, language)
    out.print(f"{email} is invited; assign residences with [bold]submeter managers grant[/].")


@managers.command
async def grant(email: str, operator: str, residence: str, *, administrator: bool = False) -> None:
    """Give a manager access to a residence.

    Args:
        email: the manager's address.
        operator: the operator's code, e.g. ocea.
        residence: the residence's code, e.g. AA000.
        administrator: notify this manager by e-mail when the residence is published.
    """
    async with opened():
        await grant_residence(
            SYSTEM,
            email=email,
            operator_code=operator,
            residence_code=residence,
            administrator=administrator,
            now=datetime.now(UTC),
        )
    out.print(f"{email} has access to {residence}.")


@managers.command
async def revoke(email: str, operator: str, residence: str) -> None:
    """Revoke a manager's access to a residence, with immediate effect.

    Args:
        email: the manager's address.
        operator: the operator's code, e.g. ocea.
        residence: the residence's code, e.g. AA000.
    """
    async with opened():
        changed = await revoke_residence(
            SYSTEM,
            email=email,
            operator_code=operator,
            residence_code=residence,
            now=datetime.now(UTC),
        )
    out.print(
        f"{email} no longer has access to {residence}."
        if changed
        else f"{email} has no access to {residence}."
    )
