"""Records what guests of a home looked at: members of the household, and providers (CN-13).

In: the viewer, and what it was shown of which dwelling. Out: rows of the audit, of guests alone. The one
rule: each look is a row, written when it is answered; the resident reads them in
`core.services.privacy.access_log`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from core.access import NOBODY, Role, Viewer, Visitor
from core.services.shared.audit import Detail, Subject, record_shown

GUESTS = frozenset({Role.HOUSEHOLD_MEMBER, Role.THIRD_PARTY})


@dataclass(frozen=True, slots=True)
class DataLook:
    """What was shown: of which dwelling and fluid (None: all), from which day to which (None: there
    was nothing), and how finely.
    """

    dwelling_id: int
    what: str
    first: date | None
    last: date | None
    fluid: str | None = None


async def record_looks(viewer: Viewer, looks: Iterable[DataLook], *, now: datetime) -> None:
    """Add the looks of a guest; those of others are not recorded here."""
    if viewer.role in GUESTS:
        await record_access(viewer, looks, visitor=NOBODY, now=now)


async def record_access(
    viewer: Viewer, looks: Iterable[DataLook], *, visitor: Visitor, now: datetime
) -> None:
    """Add the looks of whoever sees days that are not the own; all at once."""
    seen = [(Subject("dwelling", look.dwelling_id), details_of(look, viewer)) for look in looks]
    if seen:
        await record_shown(seen, viewer, visitor=visitor, now=now)


def details_of(look: DataLook, viewer: Viewer) -> dict[str, Detail]:
    """A look as the audit keeps it."""
    details: dict[str, Detail] = {"what": look.what}
    if look.first is not None and look.last is not None:
        details |= {"first": look.first.isoformat(), "last": look.last.isoformat()}
    if look.fluid is not None:
        details["fluid"] = look.fluid
    if viewer.grant is not None:
        details["grant"] = viewer.grant.id
    return details
