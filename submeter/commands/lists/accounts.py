"""`submeter accounts list`: who has an account, and which homes and residences each reaches."""

from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime

from core.access import NOBODY, SYSTEM, Role
from core.services.accounts.account_lists import AccountInList, AccountsAsked, reach_of
from core.services.accounts.account_lists import list_accounts as accounts_page
from core.services.shared.paging import Page
from submeter.application import opened
from submeter.commands.lists.listing import Row, asked_rows, pages, print_list
from submeter.output import AtMost

_COLUMNS = (
    *("operator", "role", "email", "first name", "last name", "dwellings", "residences", "disabled at"),
)


async def list_accounts(
    *,
    operator: str | None = None,
    role: Role | None = None,
    residence: str | None = None,
    search: str | None = None,
    limit: AtMost | None = None,
    json: bool = False,
) -> None:
    """List accounts by e-mail address, with the dwellings that residents see and the residences of managers.

    Args:
        operator: the operator's code, e.g. ocea.
        role: RESIDENT, MANAGER, STAFF or ANALYST.
        residence: the code of a residence in which they have or had a dwelling, or that they manage.
        search: part of the name or the e-mail address, whatever its case.
        limit: maximum number of accounts; by default 50 in a table, all with --json.
        json: print a JSON object a line.
    """
    asked = AccountsAsked(
        first=0, operator=operator, role=role, residence=residence, search=search, counted=False
    )
    now = datetime.now(UTC)

    async def read(first: int, after: int | None) -> Page[AccountInList]:
        return await accounts_page(SYSTEM, replace(asked, first=first, after=after), visitor=NOBODY, now=now)

    async def rows() -> AsyncIterator[list[Row]]:
        async for some in pages(read, lambda one: one.id, limit=asked_rows(limit, json=json)):
            reach = await reach_of(SYSTEM, [one.id for one in some], now=now)
            yield [
                {
                    **asdict(one),
                    "dwellings": [f"{home.residence} {home.place}".strip() for home in reach[one.id].homes],
                    "residences": [place.code for place in reach[one.id].residences],
                }
                for one in some
            ]

    async with opened():
        await print_list(rows(), "account", _COLUMNS, limit=limit, json=json)
