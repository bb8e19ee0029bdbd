"""Whether a paper is genuine: for whoever holds it, without an account.

In: a code as it was typed, and where the question comes from. Out: what was issued, when and by whom, and its
hash; or nothing. The one rule: nothing of a home or a person is shown, and an unknown code takes the same
work as a known one: one statement. Tries are counted by address.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.access import Visitor
from core.access.paper_codes import read, shown
from core.bootstrap import Application
from core.models import IssuedPaper, IssuedPaperKind
from core.services.auth.rate_limits import RateLimit, RateLimiter, network_of

VERIFICATIONS_BY_ADDRESS: Final = RateLimit("verifications by address", 60, timedelta(minutes=10))
_NO_CODE: Final = ""
"""What no paper has."""


@dataclass(frozen=True, slots=True)
class VerifiedPaper:
    """What the page says of a genuine paper."""

    code: str
    kind: IssuedPaperKind
    issued_at: datetime
    operator_name: str
    sha256: str
    size: int


async def verified_paper(
    application: Application, text: str, *, visitor: Visitor, now: datetime
) -> VerifiedPaper | None:
    """The paper that has this code; None for a code that none has.

    Raises:
        RateLimited: too many were asked for from this address.
    """
    limit = (VERIFICATIONS_BY_ADDRESS, network_of(visitor))
    await RateLimiter.of(application).hit(limit, now=now)
    rows = await IssuedPaper.filter(code=read(text) or _NO_CODE).values(
        "code", "kind", "issued_at", "sha256", "size", "dwelling__residence__operator__name"
    )
    if not rows:
        return None
    (row,) = rows
    return VerifiedPaper(
        code=shown(row["code"]),
        kind=row["kind"],
        issued_at=row["issued_at"],
        operator_name=row["dwelling__residence__operator__name"],
        sha256=row["sha256"],
        size=row["size"],
    )
