"""`submeter consents`: the operator records answers that occupants gave on paper."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import NOBODY, SYSTEM
from core.services.occupancy.consents import record_consent
from submeter.application import opened
from submeter.output import out

consents = App(name="consents", help="Consents that occupants gave or refused on paper.")


@consents.command
async def record(email: str, *, granted: bool, evidence: str | None = None) -> None:
    """Record an occupant's answer; the occupant is notified, and can change it at any time.

    The occupant's own refusal cannot be changed to a consent.

    Args:
        email: e-mail address of the occupant's account.
        granted: whether the occupant consented (--granted or --no-granted).
        evidence: reference of the signed paper; required for a consent.
    """
    async with opened() as application:
        view = await record_consent(
            application,
            SYSTEM,
            email,
            granted=granted,
            evidence_reference=evidence,
            visitor=NOBODY,
            now=datetime.now(UTC),
        )
    out.print(f"The answer of {email} is now {view.answer.value}.")
