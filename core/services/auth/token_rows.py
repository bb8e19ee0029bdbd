"""The rows behind a token: its session or access token, the account, the operator, and the account's homes.

In: a token as it was sent. Out: rows, all of one account. The one rule: one statement. Every request asks
for token, account and operator; one that shows homes is given the account's occupancies in further columns
(`occupancy_rows`), a row for each, so that it asks the database once less.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from core.access.codes import token_hash
from core.services.shared import columns
from core.services.shared.occupancy_rows import BESIDE_ACCOUNT, BESIDE_COLUMNS
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database

_ACCOUNT = (
    "a.id, a.operator_id, a.email, a.civility, a.first_name, a.last_name, a.phone_e164, a.language,"
    " a.role, a.temporary_password_until, a.terms_version, a.phone_confirmed_at, a.second_factor_since,"
    " a.newsletter_since, a.disabled_at, op.code AS operator_code"
)
_FROM_ACCOUNT = "FROM account a JOIN operator op ON op.id = a.operator_id"


class Credential(Enum):
    """What a token is: the columns and the table it is looked up in."""

    SESSION = (
        "t.id AS session_id, t.expires_at, t.revoked_at, t.last_seen_at, t.second_factor_at",
        "session",
    )
    ACCESS_TOKEN = ("t.id AS token_id, t.expires_at, t.revoked_at, t.last_used_at, t.scopes", "access_token")


def _statement(credential: Credential, *, homes: bool) -> str:
    own, table = credential.value
    beside, joined = (f", {BESIDE_COLUMNS}", BESIDE_ACCOUNT) if homes else ("", "")
    return (
        f"SELECT {_ACCOUNT}, {own}{beside} {_FROM_ACCOUNT}"
        f" JOIN {table} t ON t.account_id = a.id {joined} WHERE t.token_hash = $1"
    )


_STATEMENTS = {
    (credential, homes): _statement(credential, homes=homes)
    for credential in Credential
    for homes in (False, True)
}


async def token_rows(
    credential: Credential, token: str, *, homes: bool, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """The rows of a token that is valid now; none of another."""
    rows = await run(current_database(), _STATEMENTS[credential, homes], [token_hash(token)])
    if not rows or rows[0]["revoked_at"] is not None or rows[0]["disabled_at"] is not None:
        return ()
    expires_at = columns.moment_or_none(rows[0]["expires_at"])
    return rows if expires_at is None or expires_at > now else ()


async def account_row(account_id: int) -> Mapping[str, Any] | None:
    """The row of an account with its operator."""
    found = await run(
        current_database(),
        f"SELECT {_ACCOUNT} {_FROM_ACCOUNT} WHERE a.id = $1",
        [account_id],
    )
    return found[0] if found else None
