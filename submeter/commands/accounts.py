"""`submeter accounts`: disable or enable an account, or reset its second factor."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.services.accounts.administration import disable_account, enable_account, reset_second_factor
from submeter.application import opened
from submeter.output import out

accounts = App(name="accounts", help="Access of residents and managers.")


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
