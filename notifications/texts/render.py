"""Renders an outbox row as the text a resident reads, in French and English.

In: the template's name, the language and the values of the row. Out: a subject and a text for e-mail and
SMS. The one rule: a message is rendered when it is sent, from values stored at the time of the event; a
figure that is not known, or that the reader may not see, is left out. Labels are those of the residents'
guides («Eau froide n°H8CA029620», R-086; levels R-094…R-096).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.alerting.kinds import AlertKind
from core.alerting.over_consumption import LimitPeriod
from core.consumption import Month
from core.consumption.amounts import rounded
from core.consumption.fluids import Fluid
from core.language import Language
from core.texts.alerts import (
    amount_text,
    clock_text,
    fluid_label,
    meter_label,
    month_text,
    period_phrase,
)
from core.texts.leaks import date_text, flow_text, level_equivalent, loss_text, price_text
from notifications.texts.accounts import ACCESS_WORDS
from notifications.texts.documents import DOCUMENT_WORDS
from notifications.texts.privacy import PRIVACY_WORDS
from notifications.texts.registration import REGISTRATION_WORDS

_SUBJECTS = {
    ("leak_opened", Language.FR): "Alerte fuite niveau {level}",
    ("leak_opened", Language.EN): "Level {level} leak alert",
    ("leak_level_up", Language.FR): "Alerte fuite : passage au niveau {level}",
    ("leak_level_up", Language.EN): "Leak alert: now level {level}",
    ("leak_reopened", Language.FR): "Alerte fuite : reprise, niveau {level}",
    ("leak_reopened", Language.EN): "Leak alert: back again, level {level}",
    ("leak_relapsed", Language.FR): "Alerte fuite : la réparation n'a pas tenu",
    ("leak_relapsed", Language.EN): "Leak alert: the repair has not held",
    ("leak_closed", Language.FR): "Fin de l'alerte fuite",
    ("leak_closed", Language.EN): "End of the leak alert",
    ("over_consumption", Language.FR): "Alerte surconsommation",
    ("over_consumption", Language.EN): "Over-consumption alert",
    ("burst_opened", Language.FR): "Alerte débit anormalement élevé",
    ("burst_opened", Language.EN): "Burst alert",
    ("burst_closed", Language.FR): "Fin de l'alerte débit anormalement élevé",
    ("burst_closed", Language.EN): "End of the burst alert",
    ("meter_leak_opened", Language.FR): "Alerte fuite signalée par le compteur",
    ("meter_leak_opened", Language.EN): "Leak reported by your meter",
    ("meter_leak_closed", Language.FR): "Fin de l'alerte fuite signalée par le compteur",
    ("meter_leak_closed", Language.EN): "End of the leak reported by your meter",
    ("alert_withdrawn", Language.FR): "Correction : alerte annulée",
    ("alert_withdrawn", Language.EN): "Correction: alert withdrawn",
    ("recurring_draw", Language.FR): "Débit élevé récurrent : est-ce le vôtre ?",
    ("recurring_draw", Language.EN): "Recurring high flow: is this yours?",
    ("slow_leak", Language.FR): "Un peu d'eau coule sans interruption",
    ("slow_leak", Language.EN): "A little water runs without a pause",
    ("own_limit", Language.FR): "Votre limite de consommation est dépassée",
    ("own_limit", Language.EN): "Your consumption limit is passed",
    ("goal", Language.FR): "Votre objectif du mois : {stage} % atteints",
    ("goal", Language.EN): "Your goal of the month: {stage} % reached",
}

_TEXTS = {
    ("leak", Language.FR): (
        "{meter} : débit moyen de la fuite {flow} ({equivalent}) depuis le {since}, perte totale {loss}."
    ),
    ("leak", Language.EN): "{meter}: mean leak flow {flow} ({equivalent}) since {since}, total loss {loss}.",
    ("leak, no figures", Language.FR): "{meter} : fuite ({equivalent}) depuis le {since}.",
    ("leak, no figures", Language.EN): "{meter}: leak ({equivalent}) since {since}.",
    (
        "leak_closed",
        Language.FR,
    ): "{meter} : la fuite n'est plus constatée depuis le {until}. Perte totale {loss}.",
    ("leak_closed", Language.EN): "{meter}: no leak has been seen since {until}. Total loss {loss}.",
    ("leak_closed, with cost", Language.FR): (
        "{meter} : la fuite n'est plus constatée depuis le {until}. Perte totale {loss}, soit environ {cost}."
    ),
    ("leak_closed, with cost", Language.EN): (
        "{meter}: no leak has been seen since {until}. Total loss {loss}, about {cost}."
    ),
    ("leak_closed, no figures", Language.FR): "{meter} : la fuite n'est plus constatée depuis le {until}.",
    ("leak_closed, no figures", Language.EN): "{meter}: no leak has been seen since {until}.",
    ("over_consumption", Language.FR): (
        "{meter} : {amount} m3 en {month}, plus du double de votre moyenne pour ce mois ({mean} m3)."
    ),
    ("over_consumption", Language.EN): (
        "{meter}: {amount} m3 in {month}, more than twice your mean for that month ({mean} m3)."
    ),
    ("burst_opened", Language.FR): (
        "{meter} : un débit très élevé coule sans interruption depuis le {since}. "
        "Fermez l'arrivée d'eau si personne ne s'en sert."
    ),
    ("burst_opened", Language.EN): (
        "{meter}: a very high flow has been running since {since}. "
        "Close the stopcock if nobody is using water."
    ),
    ("burst_closed", Language.FR): "{meter} : le débit très élevé n'est plus constaté depuis le {until}.",
    ("burst_closed", Language.EN): "{meter}: the very high flow has not been seen since {until}.",
    ("meter_leak_opened", Language.FR): (
        "{meter} : le compteur signale une fuite depuis le {since}. Son débit n'est pas connu."
    ),
    ("meter_leak_opened", Language.EN): (
        "{meter}: the meter has reported a leak since {since}. Its flow is not known."
    ),
    ("meter_leak_closed", Language.FR): "{meter} : le compteur ne signale plus de fuite depuis le {until}.",
    ("meter_leak_closed", Language.EN): "{meter}: the meter has reported no leak since {until}.",
    ("alert_withdrawn", Language.FR): (
        "{meter} : {alert} est annulée : ses relevés sont écartés. La consommation affichée est corrigée. "
        "Avec nos excuses."
    ),
    ("alert_withdrawn", Language.EN): (
        "{meter}: {alert} is withdrawn: it came from readings that have been set aside. The consumption "
        "shown is corrected. We apologise."
    ),
    ("recurring_draw", Language.FR): (
        "{meter} : un débit élevé, d'environ {litres} litres, revient vers {at} depuis le {since}. "
        "Est-ce le vôtre, un arrosage par exemple ? Répondez sur votre portail ; en attendant, il ne "
        "déclenche plus d'alerte."
    ),
    ("recurring_draw", Language.EN): (
        "{meter}: a high flow of about {litres} litres has come back at about {at} since {since}. "
        "Is this yours, such as watering? Answer on your portal; until then it raises no more alerts."
    ),
    ("recurring_draw, no figures", Language.FR): (
        "{meter} : un débit élevé revient à la même heure depuis le {since}. L'occupant est interrogé ; "
        "en attendant sa réponse, il ne déclenche plus d'alerte."
    ),
    ("recurring_draw, no figures", Language.EN): (
        "{meter}: a high flow has come back at the same hour since {since}. The occupant was asked; "
        "until there is an answer it raises no more alerts."
    ),
    ("slow_leak", Language.FR): (
        "{meter} : de l'eau coule sans interruption depuis au moins dix jours, environ {flow}. C'est souvent "
        "une chasse d'eau ou un robinet qui fuit. Ceci est une indication, pas une alerte."
    ),
    ("slow_leak", Language.EN): (
        "{meter}: water has been running without a pause for at least ten days, about {flow}. Often it is a "
        "leaking toilet or tap. This is a hint, not an alert."
    ),
    ("own_limit", Language.FR): "{meter} : {amount} {when}, plus que votre limite de {limit} {per}.",
    ("own_limit", Language.EN): "{meter}: {amount} {when}, more than your limit of {limit} {per}.",
    ("goal", Language.FR): (
        "{meter} : {amount} {when} ; votre objectif est de {goal}. Ceci est une indication, pas une alerte."
    ),
    ("goal", Language.EN): "{meter}: {amount} {when}; your goal is {goal}. This is a hint, not an alert.",
}

_WITHDRAWN = {
    (AlertKind.LEAK, Language.FR): "l'alerte de fuite du {since}",
    (AlertKind.LEAK, Language.EN): "the leak alert of {since}",
    (AlertKind.OVER_CONSUMPTION, Language.FR): "l'alerte de surconsommation {when}",
    (AlertKind.OVER_CONSUMPTION, Language.EN): "the alert about over-consumption {when}",
    (AlertKind.BURST, Language.FR): "l'alerte de débit anormalement élevé du {since}",
    (AlertKind.BURST, Language.EN): "the burst alert of {since}",
    (AlertKind.BACKFLOW, Language.FR): "l'alerte de retour d'eau du {since}",
    (AlertKind.BACKFLOW, Language.EN): "the backflow alert of {since}",
    (AlertKind.DRY, Language.FR): "l'alerte de compteur sans eau du {since}",
    (AlertKind.DRY, Language.EN): "the dry meter alert of {since}",
    (AlertKind.TAMPER, Language.FR): "l'alerte de manipulation du {since}",
    (AlertKind.TAMPER, Language.EN): "the tampering alert of {since}",
    (AlertKind.NO_DATA, Language.FR): "l'alerte de relevés manquants du {since}",
    (AlertKind.NO_DATA, Language.EN): "the missing data alert of {since}",
    (AlertKind.METER_LEAK, Language.FR): "l'alerte du {since} (fuite vue par le compteur)",
    (AlertKind.METER_LEAK, Language.EN): "the alert of {since} (leak reported by your meter)",
}
"""What is withdrawn. The readings were false, or outside the meter's time in service: the text fits both."""

_OWN_LIMIT_WITHDRAWN = {
    Language.FR: "l'alerte de dépassement de votre limite {when}",
    Language.EN: "the alert that your limit was passed {when}",
}

_PER = {
    (LimitPeriod.DAY, Language.FR): "par jour",
    (LimitPeriod.MONTH, Language.FR): "par mois",
    (LimitPeriod.GOAL, Language.FR): "par mois",
    (LimitPeriod.DAY, Language.EN): "a day",
    (LimitPeriod.MONTH, Language.EN): "a month",
    (LimitPeriod.GOAL, Language.EN): "a month",
}


_LETTERS = {**ACCESS_WORDS, **DOCUMENT_WORDS, **PRIVACY_WORDS, **REGISTRATION_WORDS}

_DAYS = ("day", "last_day", "until")
"""The names of days among the values of a letter."""

_GREETINGS = {Language.FR: "Bonjour", Language.EN: "Hello"}


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered message; an SMS joins subject and text."""

    subject: str
    text: str

    def email_text(self, addressed_to: str, language: str) -> str:
        """The text of an e-mail, with a greeting by the name of the account (R-110)."""
        greeting = _GREETINGS[Language(language)]
        return f"{greeting} {addressed_to}".rstrip() + f",\n\n{self.text}\n"


def render(template: str, language: str, values: Mapping[str, Any]) -> Message:
    """Render one message.

    Raises:
        KeyError: no such template.
        ValueError: no such language.
    """
    tongue = Language(language)
    if (template, tongue) in _LETTERS:
        title, text = _LETTERS[template, tongue]
        shown = _with_days(values, tongue)
        return Message(subject=title.format_map(shown), text=text.format_map(shown))
    subject = _SUBJECTS[template, tongue]
    if template in _WORDS_OF:
        name, words = template, _WORDS_OF[template](tongue, values)
        if template == "recurring_draw" and values.get("litres") is None:
            name += ", no figures"
    else:
        name, words = "leak_closed" if template == "leak_closed" else "leak", _leak(tongue, values)
        if values["loss_litres"] is None:
            name += ", no figures"
        elif name == "leak_closed" and values.get("loss_eur") is not None:
            name += ", with cost"
    text = _TEXTS[name, tongue].format(**words)
    place = values.get("place")  # for a manager, who has more than one dwelling
    if place:
        text = f"{place} : {text}" if tongue is Language.FR else f"{place}: {text}"
    return Message(subject=subject.format(**words), text=text)


class _Over(dict[str, Any]):
    """Values over others; what neither has is asked of the others, which may have an answer of their
    own.
    """

    def __init__(self, under: Mapping[str, Any], over: Mapping[str, Any]) -> None:
        super().__init__({**under, **over})
        self._under = under

    def __missing__(self, name: str) -> Any:
        return self._under[name]


def _with_days(values: Mapping[str, Any], language: Language) -> Mapping[str, Any]:
    """The values of a letter, its days as the reader writes them; they are stored as ISO 8601."""
    days = {name: values[name] for name in _DAYS if values.get(name)}
    shown = {name: date_text(date.fromisoformat(day), language) for name, day in days.items()}
    return _Over(values, shown)


def _leak(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    loss, flow, cost = values["loss_litres"], values["mean_flow_lph"], values.get("loss_eur")
    return {
        **_condition(language, values),
        "level": values["level"],
        "flow": flow_text(None if flow is None else Decimal(flow)),
        "equivalent": level_equivalent(values["level"], language),
        "loss": loss_text(None if loss is None else Decimal(loss)),
        "cost": price_text(Decimal(cost), language) if cost is not None else "",
    }


def _condition(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    ended_on, fluid, serial = values["ended_on"], Fluid(values["fluid"]), values["meter"]
    return {
        "meter": fluid_label(fluid, language) if serial is None else meter_label(fluid, serial, language),
        "since": date_text(date.fromisoformat(values["started_on"]), language),
        "until": date_text(date.fromisoformat(ended_on), language) if ended_on else "",
    }


def _withdrawn(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    """Names the alert as its own message did: by its first day, or by the day or month of a limit."""
    words = _condition(language, values)
    own_limit = values.get("period")
    period = LimitPeriod(own_limit) if own_limit else LimitPeriod.MONTH
    words["when"] = period_phrase(period, date.fromisoformat(values["started_on"]), language)
    named = _OWN_LIMIT_WITHDRAWN[language] if own_limit else _WITHDRAWN[AlertKind(values["kind"]), language]
    return {**words, "alert": named.format(**words)}


def _recurring_draw(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    words: dict[str, object] = {
        "meter": meter_label(Fluid(values["fluid"]), values["meter"], language),
        "since": date_text(date.fromisoformat(values["started_on"]), language),
    }
    if values.get("litres") is not None:
        words["litres"] = values["litres"]
        words["at"] = clock_text(values["minute_of_day"], language)
    return words


def _slow_leak(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    return {
        "meter": meter_label(Fluid(values["fluid"]), values["meter"], language),
        "flow": flow_text(rounded(Decimal(values["flow_lph"]), 1)),
    }


def _own_limit(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    fluid, period = Fluid(values["fluid"]), LimitPeriod(values["period"])
    return {
        "meter": fluid_label(fluid, language),
        "amount": amount_text(fluid, values["amount"], language),
        "limit": amount_text(fluid, values["limit"], language),
        "when": period_phrase(period, date.fromisoformat(values["started_on"]), language),
        "per": _PER[period, language],
    }


def _goal(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    fluid, first_day = Fluid(values["fluid"]), date.fromisoformat(f"{values['month']}-01")
    return {
        "meter": fluid_label(fluid, language),
        "stage": values["stage"],
        "amount": amount_text(fluid, values["amount"], language),
        "goal": amount_text(fluid, values["goal"], language),
        "when": period_phrase(LimitPeriod.MONTH, first_day, language),
    }


def _over_consumption(language: Language, values: Mapping[str, Any]) -> dict[str, object]:
    return {
        "meter": fluid_label(Fluid(values["fluid"]), language),
        "amount": _cubic_metres(values["amount"]),
        "mean": _cubic_metres(Fraction(values["threshold"], 2)),
        "month": month_text(Month.of(date.fromisoformat(f"{values['month']}-01")), language),
    }


def _cubic_metres(litres: int | Fraction) -> str:
    return loss_text(Decimal(Fraction(litres).numerator) / Fraction(litres).denominator).removesuffix(" m3")


_WORDS_OF = {
    "over_consumption": _over_consumption,
    "own_limit": _own_limit,
    "goal": _goal,
    "recurring_draw": _recurring_draw,
    "slow_leak": _slow_leak,
    "alert_withdrawn": _withdrawn,
    **dict.fromkeys(("burst_opened", "burst_closed", "meter_leak_opened", "meter_leak_closed"), _condition),
}
"""The words of each template but those of a leak."""
