"""Who looked at somebody's consumption, as a sentence in the resident's words (CN-13).

In: who looked, what was shown, of which days, and when. Out: French and English. The one rule: a person who
looks for an organisation is named by what they are, never by name; named is whom the resident let in.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from core.consumption.fluids import Fluid
from core.language import Language, Text


class LookerKind(StrEnum):
    """Who looked: the residence's manager, the operator's staff, the household, or a provider."""

    MANAGER = "MANAGER"
    STAFF = "STAFF"
    HOUSEHOLD_MEMBER = "HOUSEHOLD_MEMBER"
    THIRD_PARTY = "THIRD_PARTY"


class LookedAt(StrEnum):
    """What was shown."""

    DASHBOARD = "DASHBOARD"
    HOURS = "HOURS"
    DAYS = "DAYS"
    WEEKS = "WEEKS"
    MONTHS = "MONTHS"
    YEARS = "YEARS"
    READINGS = "READINGS"


@dataclass(frozen=True, slots=True)
class LookWords:
    """What a sentence is made of; `name` is that of whom the resident let in, or of the operator."""

    kind: LookerKind
    name: str
    what: LookedAt
    fluid: Fluid | None
    first: date | None
    last: date | None
    on: date


_WHO: Final = {
    LookerKind.MANAGER: Text("Votre gestionnaire", "Your manager"),
    LookerKind.STAFF: Text("Le service de {name}", "The staff of {name}"),
    LookerKind.HOUSEHOLD_MEMBER: Text("{name}, de votre foyer,", "{name}, of your household,"),
    LookerKind.THIRD_PARTY: Text("{name}, que vous avez autorisé,", "{name}, whom you authorised,"),
}
_WHAT: Final = {
    LookedAt.DASHBOARD: Text("votre tableau de bord", "your dashboard"),
    LookedAt.HOURS: Text("vos consommations horaires", "your hourly consumption"),
    LookedAt.DAYS: Text("vos consommations journalières", "your daily consumption"),
    LookedAt.WEEKS: Text("vos consommations hebdomadaires", "your weekly consumption"),
    LookedAt.MONTHS: Text("vos consommations mensuelles", "your monthly consumption"),
    LookedAt.YEARS: Text("vos consommations annuelles", "your yearly consumption"),
    LookedAt.READINGS: Text("les relevés de vos compteurs", "the readings of your meters"),
}
_OF_FLUID: Final = {
    Fluid.COLD_WATER: Text(" d'eau froide", " of cold water"),
    Fluid.HOT_WATER: Text(" d'eau chaude", " of hot water"),
    Fluid.HEAT: Text(" de chauffage", " of heating"),
    Fluid.HEAT_ALLOCATOR: Text(" de chauffage (répartiteurs)", " of heating (allocators)"),
}


def look_sentence(look: LookWords, language: Language) -> str:
    """`Votre gestionnaire a consulté le 03/11/2026 vos consommations journalières d'eau froide du
    01/10/2026 au 31/10/2026.`
    """
    who = _WHO[look.kind].in_language(language).format(name=look.name)
    what = _WHAT[look.what].in_language(language)
    fluid = _OF_FLUID[look.fluid].in_language(language) if look.fluid else ""
    if language is Language.FR:
        return f"{who} a consulté le {look.on:%d/%m/%Y} {what}{fluid}{_days_fr(look)}."
    return f"{who} looked on {look.on.isoformat()} at {what}{fluid}{_days_en(look)}."


def _days_fr(look: LookWords) -> str:
    if look.first is None or look.last is None:
        return ""
    if look.first == look.last:
        return f" du {look.first:%d/%m/%Y}"
    return f" du {look.first:%d/%m/%Y} au {look.last:%d/%m/%Y}"


def _days_en(look: LookWords) -> str:
    if look.first is None or look.last is None:
        return ""
    if look.first == look.last:
        return f" of {look.first.isoformat()}"
    return f" from {look.first.isoformat()} to {look.last.isoformat()}"
