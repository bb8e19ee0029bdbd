"""What a viewer sees of a dwelling, by what right: whom each field is for, and why it is withheld.

In: the right by which a viewer sees a dwelling, whom a field is for, and whether somebody lives there who
consented. Out: nothing, or the reason why the field is withheld. The one rule: this decides about fields;
which rows there are for a viewer at all is decided in `core.services.shared.scope`.
"""

from enum import StrEnum


class Basis(StrEnum):
    """By what right a viewer sees a dwelling."""

    OCCUPANT = "OCCUPANT"
    OWNER = "OWNER"
    HOUSEHOLD = "HOUSEHOLD"
    THIRD_PARTY = "THIRD_PARTY"
    MANAGER = "MANAGER"
    STAFF = "STAFF"


class Audience(StrEnum):
    """Whom a field is for, beside the occupant, for whom all are.

    BUILDING: managers and staff, who know the building. MANAGERS: managers. OCCUPANCY: managers, while
    somebody lives there. CONSENTED: managers, where that person has consented (CN-01). OCCUPANT: nobody
    else but the household. GRANTED: the household, and a provider whom the occupant lets read (EED-07).
    HOLDER: the occupant with the account, and no household. MANAGER_ONLY: managers alone, and no occupant.
    PAPERS: whom a paper may be for: everybody but the household and providers.
    """

    BUILDING = "BUILDING"
    MANAGERS = "MANAGERS"
    OCCUPANCY = "OCCUPANCY"
    CONSENTED = "CONSENTED"
    OCCUPANT = "OCCUPANT"
    GRANTED = "GRANTED"
    HOLDER = "HOLDER"
    MANAGER_ONLY = "MANAGER_ONLY"
    PAPERS = "PAPERS"


class WithheldReason(StrEnum):
    """Why a viewer does not see a field of what it sees."""

    NOT_FOR_ROLE = "NOT_FOR_ROLE"
    NOT_OCCUPANT = "NOT_OCCUPANT"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    NO_OCCUPANT = "NO_OCCUPANT"
    TOKEN_SCOPE = "TOKEN_SCOPE"  # noqa: S105 - a reason's name


_NOT_HOUSEHOLDS = frozenset({Audience.HOLDER, Audience.OCCUPANCY})
"""The own limits, answers and statements of who has the account; the tenure and the consent."""

ASKING_FOR_OCCUPANT = frozenset({Audience.OCCUPANCY, Audience.CONSENTED})
"""Whether a manager sees such a field depends on the present occupant."""


def reason_withheld(
    basis: Basis, audience: Audience, *, occupied: bool = False, consented: bool = False
) -> WithheldReason | None:
    """Why a field is withheld; None if it is shown.

    Args:
        basis: by what right the viewer sees the dwelling.
        audience: whom the field is for.
        occupied: whether an occupant is known today; of importance for managers alone.
        consented: whether that occupant's last answer is a consent.
    """
    if audience is Audience.MANAGER_ONLY:
        return None if basis is Basis.MANAGER else WithheldReason.NOT_FOR_ROLE
    if audience is Audience.PAPERS:
        return WithheldReason.NOT_FOR_ROLE if basis in {Basis.HOUSEHOLD, Basis.THIRD_PARTY} else None
    match basis:
        case Basis.OCCUPANT:
            return None
        case Basis.HOUSEHOLD:
            return WithheldReason.NOT_FOR_ROLE if audience in _NOT_HOUSEHOLDS else None
        case Basis.THIRD_PARTY:
            return None if audience is Audience.GRANTED else WithheldReason.NOT_FOR_ROLE
        case Basis.OWNER:
            return WithheldReason.NOT_OCCUPANT
        case Basis.STAFF:
            return None if audience is Audience.BUILDING else WithheldReason.NOT_FOR_ROLE
        case Basis.MANAGER:
            return _from_managers(audience, occupied=occupied, consented=consented)


def _from_managers(audience: Audience, *, occupied: bool, consented: bool) -> WithheldReason | None:
    if audience in {Audience.OCCUPANT, Audience.GRANTED, Audience.HOLDER}:
        return WithheldReason.NOT_FOR_ROLE
    if audience in ASKING_FOR_OCCUPANT and not occupied:
        return WithheldReason.NO_OCCUPANT
    if audience is Audience.CONSENTED and not consented:
        return WithheldReason.CONSENT_REQUIRED
    return None
