"""`submeter gateways`: API keys for radio gateways that submit telegrams over HTTP."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import SYSTEM
from core.services.portfolio.gateways import issue_gateway_key
from submeter.application import opened
from submeter.output import err, out

gateways = App(name="gateways", help="Radio gateways and their API keys.")


@gateways.command
async def issue_key(operator: str, name: str) -> None:
    """Issue an API key for a gateway; an earlier key of this gateway becomes invalid.

    Args:
        operator: the operator's code, e.g. ocea.
        name: the gateway's name.
    """
    async with opened():
        key = await issue_gateway_key(SYSTEM, operator_code=operator, name=name, now=datetime.now(UTC))
    out.print(key, soft_wrap=True)
    err.print("Save the key now: only its hash is stored, and it cannot be shown again.")
