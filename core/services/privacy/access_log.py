"""Who looked at a resident's consumption: read by that resident (CN-13).

In: the resident and a dwelling. Out: a page of looks, the newest first. The one rule: only looks made
during the own occupancy are shown, whoever lived there before or lives there since; a look is what the
audit keeps of it (`DATA_ACCESSED`), so it is gone when the audit's period is over. Persons who look for an
organisation are not named: which account it was is the operator's to know (`submeter audit`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from core.access import Act, Permission, Viewer
from core.consumption import day_start
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.models import HouseholdMember, ThirdPartyGrant
from core.services.shared import columns
from core.services.shared.paging import Page
from core.services.shared.scope import Home, home_at
from core.services.shared.time_series import run
from core.services.shared.transaction import current_database, is_sqlite
from core.texts.access_log import LookedAt, LookerKind, LookWords

_ONE_DAY = timedelta(days=1)
_ROLES: Final = ", ".join(f"'{kind.value}'" for kind in LookerKind)


@dataclass(frozen=True, slots=True)
class LookView:
    """A look at the consumption of the own occupancy."""

    id: int
    at: datetime
    words: LookWords


async def access_log(
    viewer: Viewer, dwelling_id: int, *, first: int, after: int | None = None
) -> Page[LookView]:
    """A page of the looks; `after` is the last one of the page before.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.ACCESS_LOG_READ)
    home = await home_at(viewer, dwelling_id)
    zone = ZoneInfo(home.place["time_zone"])
    database = current_database()
    begin = datetime.fromtimestamp(day_start(home.period.first_day, zone), zone)
    bounds: list[Any] = [begin]
    ended = ""
    if home.period.last_day is not None:
        bounds.append(datetime.fromtimestamp(day_start(home.period.last_day + _ONE_DAY, zone), zone))
        ended = "AND a.at < $3"
    if is_sqlite(database):  # stored as texts in UTC
        bounds = [str(bound.astimezone(ZoneInfo("UTC"))) for bound in bounds]
    rows = await run(
        database,
        "SELECT a.id, a.at, a.role, a.actor_id, a.details FROM audit_record a"  # noqa: S608 - our own words and numbers
        f" WHERE a.subject = 'dwelling' AND a.subject_id = $1 AND a.act = '{Act.DATA_ACCESSED.value}'"
        f" AND a.role IN ({_ROLES}) AND a.at >= $2 {ended}"
        # Days of somebody who lived here before, looked at on the day of the move.
        f" AND COALESCE(a.details ->> 'last', '9999') >= '{home.period.first_day.isoformat()}'"
        f" AND a.id < {after if after is not None else 1 << 62} ORDER BY a.id DESC LIMIT {first + 1}",
        [dwelling_id, *bounds],
    )
    names = await _names(viewer, rows)
    views = [_view(row, home, zone, names) for row in rows[:first]]
    return Page(views, has_next=len(rows) > first)


async def _names(viewer: Viewer, rows: Sequence[Mapping[str, Any]]) -> Mapping[tuple[LookerKind, int], str]:
    """Whom the resident let in, by their numbers."""
    members = {row["actor_id"] for row in rows if row["role"] == LookerKind.HOUSEHOLD_MEMBER}
    grants = {columns.document(row["details"]).get("grant") for row in rows} - {None}
    found: dict[tuple[LookerKind, int], str] = {}
    if members:
        mine = HouseholdMember.filter(holder_id=viewer.account_id, member_id__in=list(members))
        for member in await mine.order_by("id"):
            found[LookerKind.HOUSEHOLD_MEMBER, member.member_id or 0] = member.name
    if grants:
        for grant in await ThirdPartyGrant.filter(account_id=viewer.account_id, id__in=list(grants)):
            found[LookerKind.THIRD_PARTY, grant.id] = grant.provider
    return found


def _view(
    row: Mapping[str, Any], home: Home, zone: ZoneInfo, names: Mapping[tuple[LookerKind, int], str]
) -> LookView:
    details, kind, at = columns.document(row["details"]), LookerKind(row["role"]), columns.moment(row["at"])
    number = details.get("grant", 0) if kind is LookerKind.THIRD_PARTY else row["actor_id"]
    name = home.place["operator_name"] if kind is LookerKind.STAFF else names.get((kind, number or 0), "")
    words = LookWords(
        kind=kind,
        name=name,
        what=LookedAt(details.get("what", LookedAt.DAYS)),
        fluid=Fluid(details["fluid"]) if details.get("fluid") else None,
        first=_day(details.get("first")),
        last=_day(details.get("last")),
        on=civil_day(at, zone.key),
    )
    return LookView(row["id"], at, words)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
