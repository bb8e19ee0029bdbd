"""A registration in progress: all answers so far, as one frozen value.

In: answers, one after the other (core.registration.machine). Out: the next draft. The one rule: nothing here
is an account yet; when it is cancelled or expires, all its data are deleted (C-37).
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from core.operators import OccupancyKind, Path, Step


class CouncilMember(StrEnum):
    """Whether somebody belongs to the owners' council (R-191)."""

    YES = "YES"
    NO = "NO"
    UNDISCLOSED = "UNDISCLOSED"


class Civility(StrEnum):
    """How somebody is addressed (R-201)."""

    MADAME = "MADAME"
    MONSIEUR = "MONSIEUR"

    @property
    def abbreviation(self) -> str:
        """As accounts store it, and as letters begin."""
        return _ABBREVIATIONS[self]

    @classmethod
    def of_text(cls, text: str) -> "Civility | None":
        """The form of address that a stored text means; None for none, and for one that is not known."""
        return _CIVILITY_OF.get(text.strip().rstrip(".").casefold())


_ABBREVIATIONS = {Civility.MADAME: "Mme", Civility.MONSIEUR: "M."}
_CIVILITY_OF = {
    "mme": Civility.MADAME,
    "madame": Civility.MADAME,
    "m": Civility.MONSIEUR,
    "mr": Civility.MONSIEUR,
    "monsieur": Civility.MONSIEUR,
}
"""The operator's lists of accounts write them in full, too."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was answered so far.

    Attributes:
        step: what is asked next.
        kind: the tenure of the dwelling.
        residence_id, dwelling_id: what was found.
        path: how the dwelling was found.
        proven: whether a serial of the dwelling was known.
        contested: an account exists already and is declared to be somebody else's.
        attested_at: when the person confirmed on their honour (R-048, R-185).
        move_in: the attested first day in the dwelling; None: not asked or not given.
        manager_daily_data: None: not answered, which counts as refused (C-16, C-18).
        privacy_version: the notice that was acknowledged.
        password_hash: where the password is chosen at sign-up.
    """

    step: Step
    kind: OccupancyKind | None = None
    residence_id: int | None = None
    dwelling_id: int | None = None
    path: Path | None = None
    proven: bool = False
    contested: bool = False
    attested_at: datetime | None = None
    move_in: date | None = None
    council_member: CouncilMember | None = None
    leak_by_email: bool = False
    leak_by_sms: bool = False
    over_consumption_by_email: bool = False
    manager_daily_data: bool | None = None
    civility: Civility | None = None
    first_name: str = field(default="", repr=False)
    last_name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    phone_e164: str | None = field(default=None, repr=False)
    privacy_version: str | None = None
    newsletter: bool = False
    password_hash: str | None = field(default=None, repr=False)
