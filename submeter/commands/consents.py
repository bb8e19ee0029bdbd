"""`submeter consents`: answers that occupants gave on paper, written down by the operator."""

from datetime import UTC, datetime

from cyclopts import App

from core.access import NOBODY, SYSTEM
from core.services.occupancy.consents import record_consent
from submeter.application import opened
from submeter.output import out

consents = App(name="consents", help="Consents that occupants gave or refused on paper.")


@consents.command
async def record(email: str, *, granted: bool, evidence: str | None = None) -> None:
    """Write down an occupant's answer; the occupant is told, and can change it at any time.

    A refusal of the occupant's own is never turned into a consent.

    Args:
        email: the occupant's account.
        granted: --granted or --no-granted.
        evidence: where the signed paper is; a consent needs it.
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
