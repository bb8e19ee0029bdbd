"""The viewer that a provider's token stands for (EED-07).

In: a token. Out: a viewer of the role THIRD_PARTY with its grant. The one rule: a grant that was revoked,
whose last day is over where the dwelling is, or whose resident's account is disabled, is a token that
nobody knows; that the occupancy has ended is seen by `core.services.shared.scope`.
"""

from datetime import datetime, timedelta
from typing import Final

from core.access import Grant, Role, Viewer
from core.access.codes import token_hash
from core.consumption.periods import civil_day
from core.consumption.resolutions import Resolution
from core.models import ThirdPartyGrant

GRANT_PREFIX: Final = "smt_"
_SEEN_EVERY: Final = timedelta(minutes=5)
_WITH_DAYS: Final = frozenset({Resolution.DAILY, Resolution.HOURLY})


async def viewer_of_grant(token: str, *, now: datetime) -> Viewer | None:
    """Who reads by this token; None for one that is not valid."""
    row = await ThirdPartyGrant.get_or_none(
        token_hash=token_hash(token), revoked_at=None, account__disabled_at=None
    ).select_related("account", "dwelling__residence")
    if row is None or civil_day(now, row.dwelling.residence.time_zone) > row.last_day:
        return None
    if row.last_used_at is None or now - row.last_used_at >= _SEEN_EVERY:
        await ThirdPartyGrant.filter(id=row.id).update(last_used_at=now)
    grant = Grant(
        id=row.id,
        account_id=row.account_id,
        dwelling_id=row.dwelling_id,
        fluids=frozenset(row.fluids),
        days=row.resolution in _WITH_DAYS,
        hours=row.resolution is Resolution.HOURLY,
        first_day=row.first_day,
        last_day=row.last_day,
    )
    return Viewer(role=Role.THIRD_PARTY, operator_id=row.account.operator_id, asked_at=now, grant=grant)
