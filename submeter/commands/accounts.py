"""`submeter accounts`: disable or enable an account, reset its second factor, invite staff and analysts."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM, Role
from core.language import Language
from core.services.accounts.administration import disable_account, enable_account, reset_second_factor
from core.services.portfolio.invitations import invite
from submeter.application import opened
from submeter.commands.lists.accounts import list_accounts
from submeter.output import out

accounts = App(name="accounts", help="Access of residents, managers, staff and analysts.")
accounts.command(list_accounts, name="list")


@accounts.command
async def disable(email: str, operator: str) -> None:
    """Disable an account; its sessions and access tokens end at once.

    Args:
        email: the account's address.
        operator: the operator's code, e.g. ocea.
    """
    async with opened():
        changed = await disable_account(SYSTEM, email=email, operator_code=operator, now=datetime.now(UTC))
    out.print(f"{email} is disabled." if changed else f"{email} is already disabled.")


@accounts.command
async def enable(email: str, operator: str) -> None:
    """Enable a disabled account; its password is unchanged.

    Args:
        email: the account's address.
        operator: the operator's code, e.g. ocea.
    """
    async with opened():
        changed = await enable_account(SYSTEM, email=email, operator_code=operator, now=datetime.now(UTC))
    out.print(f"{email} is enabled." if changed else f"{email} was not disabled.")


@accounts.command(name="reset-second-factor")
async def reset_factor(email: str, operator: str) -> None:
    """Remove an account's second factor after loss of phone and recovery codes; the owner is notified.

    Verify the caller's identity first: from now on the password alone signs in. A manager has to set up a new
    second factor at the next sign-in.

    Args:
        email: the account's address.
        operator: the operator's code, e.g. ocea.
    """
    async with opened() as application:
        changed = await reset_second_factor(
            application, SYSTEM, email=email, operator_code=operator, now=datetime.now(UTC)
        )
    out.print(
        f"The second factor of {email} is reset; its sessions have ended."
        if changed
        else f"{email} has no second factor."
    )


@accounts.command(name="invite-staff")
async def invite_staff(
    email: str, operator: str, first_name: str, last_name: str, *, language: Language = Language.FR
) -> None:
    """Create an account of the operator's staff, who see and correct readings of the operator's meters.

    A temporary password, valid once within a day, is sent by e-mail.

    Args:
        email: the address to sign in with.
        operator: the operator's code, e.g. ocea.
        first_name: first name.
        last_name: last name.
        language: fr or en.
    """
    await send_invitation(Role.STAFF, email, operator, first_name, last_name, language)
    out.print(f"{email} is invited.")


@accounts.command(name="invite-analyst")
async def invite_analyst(
    email: str, operator: str, first_name: str, last_name: str, *, language: Language = Language.FR
) -> None:
    """Create an account of an analyst, who reads the operator's monthly statistics and nothing else.

    A temporary password, valid once within a day, is sent by e-mail.

    Args:
        email: the address to sign in with.
        operator: the operator's code, e.g. ocea.
        first_name: first name.
        last_name: last name.
        language: fr or en.
    """
    await send_invitation(Role.ANALYST, email, operator, first_name, last_name, language)
    out.print(f"{email} is invited.")


async def send_invitation(
    role: Role, email: str, operator: str, first_name: str, last_name: str, language: Language
) -> None:
    """Create an account of a role, whose temporary password goes to its mailbox."""
    async with opened() as application:
        await invite(
            application.settings,
            SYSTEM,
            role=role,
            email=email,
            operator_code=operator,
            first_name=first_name,
            last_name=last_name,
            language=language,
            now=datetime.now(UTC),
        )
