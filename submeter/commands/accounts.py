"""`submeter accounts`: what an operator does about an account's access."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.services.accounts.administration import disable_account, enable_account, reset_second_factor
from submeter.application import opened
from submeter.output import out

accounts = App(name="accounts", help="The access of residents and managers.")


@accounts.command
async def disable(email: str, operator: str) -> None:
    """Let nobody in by an account; its sessions and access tokens end at once.

    Args:
        email: the account's address.
        operator: the operator's code, e.g. ocea.
    """
    async with opened():
        changed = await disable_account(SYSTEM, email=email, operator_code=operator, now=datetime.now(UTC))
    out.print(f"{email} is disabled." if changed else f"{email} was disabled before.")


@accounts.command
async def enable(email: str, operator: str) -> None:
    """Let an account in again, by its password.

    Args:
        email: the account's address.
        operator: the operator's code, e.g. ocea.
    """
    async with opened():
        changed = await enable_account(SYSTEM, email=email, operator_code=operator, now=datetime.now(UTC))
    out.print(f"{email} is enabled." if changed else f"{email} was not disabled.")


@accounts.command(name="reset-second-factor")
async def reset_factor(email: str, operator: str) -> None:
    """Take away the second factor of somebody who has lost phone and recovery codes; the owner is told.

    Make sure who asks: from now on the password alone opens the account, and a manager's sets up a new one.

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
