"""The texts of messages to residents."""

import pytest

from core.alerting.kinds import AlertKind
from core.consumption.fluids import Fluid
from core.language import Language
from core.leaks.episodes.events import EventKind
from core.texts.alerts import fluid_label
from notifications.channels.sms import _type as sms_type
from notifications.texts.render import Message, render

LEAK = {
    "fluid": "COLD_WATER",
    "meter": "H8CA029620",
    "level": 1,
    "started_on": "2022-03-11",
    "ended_on": None,
    "loss_litres": "13280.00",
    "mean_flow_lph": "3.9500",
}
ENDED = {**LEAK, "ended_on": "2022-07-14", "level": 2}
UNKNOWN = {"loss_litres": None, "mean_flow_lph": None, "loss_eur": None}
MONTH = {
    "fluid": "HOT_WATER",
    "month": "2026-11",
    "amount": 9000,
    "threshold": 6001,
    "started_on": "2026-11-01",
}

BURST = {"fluid": "COLD_WATER", "meter": "H8CA029620", "started_on": "2022-03-11", "ended_on": None}
GOAL = {"fluid": "HOT_WATER", "month": "2026-11", "stage": 80, "amount": 7200, "goal": 9000}
LIMIT = {"fluid": "HOT_WATER", "period": "DAY", "amount": 140, "limit": 130, "started_on": "2026-11-22"}

FRENCH = (
    "Eau froide n°H8CA029620 : débit moyen de la fuite 3.95 L/h ({}) depuis le 11/03/2022,"
    " perte totale 13.28 m3."
)
ENGLISH = "Cold water no. H8CA029620: mean leak flow 3.95 L/h ({}) since 11 March 2022, total loss 13.28 m3."

SENT = [
    (
        *("leak_opened", "fr", LEAK, "Alerte fuite niveau 1"),
        FRENCH.format("goutte à goutte"),
    ),
    (
        *("leak_opened", "en", LEAK, "Level 1 leak alert"),
        ENGLISH.format("dripping"),
    ),
    (
        *("leak_level_up", "fr", {**LEAK, "level": 3}, "Alerte fuite : passage au niveau 3"),
        FRENCH.format("robinet ouvert"),
    ),
    (
        *("leak_level_up", "en", {**LEAK, "level": 3}, "Leak alert: now level 3"),
        ENGLISH.format("open tap"),
    ),
    (
        *("leak_reopened", "fr", {**LEAK, "level": 2, **UNKNOWN}, "Alerte fuite : reprise, niveau 2"),
        "Eau froide n°H8CA029620 : fuite (filet d'eau) depuis le 11/03/2022.",
    ),
    (
        *("leak_reopened", "en", {**LEAK, "level": 2, **UNKNOWN}, "Leak alert: back again, level 2"),
        "Cold water no. H8CA029620: leak (trickle of water) since 11 March 2022.",
    ),
    (
        *("leak_closed", "fr", ENDED, "Fin de l'alerte fuite"),
        (
            "Eau froide n°H8CA029620 : la fuite n'est plus constatée depuis le 14/07/2022. "
            "Perte totale 13.28 m3."
        ),
    ),
    (
        *("leak_closed", "fr", {**ENDED, "loss_eur": "60.03"}, "Fin de l'alerte fuite"),
        (
            "Eau froide n°H8CA029620 : la fuite n'est plus constatée depuis le 14/07/2022. "
            "Perte totale 13.28 m3, soit environ 60.03 €."
        ),
    ),
    (
        *("leak_closed", "en", {**ENDED, "loss_eur": "60.03"}, "End of the leak alert"),
        (
            "Cold water no. H8CA029620: no leak has been seen since 14 July 2022. "
            "Total loss 13.28 m3, about €60.03."
        ),
    ),
    (
        *("leak_closed", "en", {**ENDED, **UNKNOWN}, "End of the leak alert"),
        "Cold water no. H8CA029620: no leak has been seen since 14 July 2022.",
    ),
    (
        *("burst_opened", "fr", BURST, "Alerte débit anormalement élevé"),
        (
            "Eau froide n°H8CA029620 : un débit très élevé coule sans interruption depuis le 11/03/2022. "
            "Fermez l'arrivée d'eau si personne ne s'en sert."
        ),
    ),
    (
        *("burst_closed", "en", {**BURST, "ended_on": "2022-03-12"}, "End of the burst alert"),
        "Cold water no. H8CA029620: the very high flow has not been seen since 12 March 2022.",
    ),
    (
        *("meter_leak_opened", "fr", BURST, "Alerte fuite signalée par le compteur"),
        (
            "Eau froide n°H8CA029620 : le compteur signale une fuite depuis le 11/03/2022. "
            "Son débit n'est pas connu."
        ),
    ),
    (
        *(
            "meter_leak_closed",
            "en",
            {**BURST, "ended_on": "2022-03-12"},
            "End of the leak reported by your meter",
        ),
        "Cold water no. H8CA029620: the meter has reported no leak since 12 March 2022.",
    ),
    (
        *("own_limit", "fr", LIMIT, "Votre limite de consommation est dépassée"),
        "Eau chaude : 0.14 m3 le 22/11/2026, plus que votre limite de 0.13 m3 par jour.",
    ),
    (
        *(
            "own_limit",
            "en",
            {**LIMIT, "fluid": "HEAT", "period": "MONTH"},
            "Your consumption limit is passed",
        ),
        "Heating: 0.14 kWh in November 2026, more than your limit of 0.13 kWh a month.",
    ),
    (
        *("goal", "fr", GOAL, "Votre objectif du mois : 80 % atteints"),
        (
            "Eau chaude : 7.20 m3 en novembre 2026 ; votre objectif est de 9.00 m3. Ceci est une indication, "
            "pas une alerte."
        ),
    ),
    (
        *("goal", "en", {**GOAL, "stage": 100, "amount": 9000}, "Your goal of the month: 100 % reached"),
        "Hot water: 9.00 m3 in November 2026; your goal is 9.00 m3. This is a hint, not an alert.",
    ),
    (
        *("over_consumption", "fr", MONTH, "Alerte surconsommation"),
        "Eau chaude : 9.00 m3 en novembre 2026, plus du double de votre moyenne pour ce mois (3.00 m3).",
    ),
    (
        *("over_consumption", "en", MONTH, "Over-consumption alert"),
        "Hot water: 9.00 m3 in November 2026, more than twice your mean for that month (3.00 m3).",
    ),
]


WITHDRAWN = {**BURST, "kind": "BURST", "period": None, "place": None}
OF_A_MONTH = {"meter": None, "started_on": "2026-10-01", "fluid": "HOT_WATER"}
NAMES = [
    ("LEAK", {}, "l'alerte de fuite du 11/03/2022", "the leak alert of 11 March 2022"),
    ("BURST", {}, "l'alerte de débit anormalement élevé du 11/03/2022", "the burst alert of 11 March 2022"),
    ("BACKFLOW", {}, "l'alerte de retour d'eau du 11/03/2022", "the backflow alert of 11 March 2022"),
    ("DRY", {}, "l'alerte de compteur sans eau du 11/03/2022", "the dry meter alert of 11 March 2022"),
    ("TAMPER", {}, "l'alerte de manipulation du 11/03/2022", "the tampering alert of 11 March 2022"),
    ("NO_DATA", {}, "l'alerte de relevés manquants du 11/03/2022", "the missing data alert of 11 March 2022"),
    (
        *("METER_LEAK", {}),
        "l'alerte du 11/03/2022 (fuite vue par le compteur)",
        "the alert of 11 March 2022 (leak reported by your meter)",
    ),
    (
        *("OVER_CONSUMPTION", OF_A_MONTH),
        "l'alerte de surconsommation en octobre 2026",
        "the alert about over-consumption in October 2026",
    ),
    (
        *("OVER_CONSUMPTION", {**OF_A_MONTH, "period": "MONTH"}),
        "l'alerte de dépassement de votre limite en octobre 2026",
        "the alert that your limit was passed in October 2026",
    ),
    (
        *("OVER_CONSUMPTION", {**OF_A_MONTH, "period": "DAY"}),
        "l'alerte de dépassement de votre limite le 01/10/2026",
        "the alert that your limit was passed on 1 October 2026",
    ),
]


@pytest.mark.parametrize(("kind", "more", "french", "english"), NAMES)
def test_a_correction_says_which_alert_is_withdrawn(kind, more, french, english) -> None:
    """Which alert, of which day, on which meter; and that the figures are corrected."""
    values = {**WITHDRAWN, "kind": kind, **more}
    of_a_month = values["meter"] is None
    assert render("alert_withdrawn", "fr", values) == Message(
        "Correction : alerte annulée",
        f"{'Eau chaude' if of_a_month else 'Eau froide n°H8CA029620'} : {french} est annulée : ses relevés"
        " sont écartés. La consommation affichée est corrigée. Avec nos excuses.",
    )
    assert render("alert_withdrawn", "en", values) == Message(
        "Correction: alert withdrawn",
        f"{'Hot water' if of_a_month else 'Cold water no. H8CA029620'}: {english} is withdrawn: it came from"
        " readings that have been set aside. The consumption shown is corrected. We apologise.",
    )


def test_a_correction_names_every_kind_of_alert_in_an_sms_of_three_parts() -> None:
    """153 characters a part; 67 where a character such as n° is outside the GSM alphabet."""
    assert {kind for kind, *_ in NAMES} == set(AlertKind)
    for kind, more, _, _ in NAMES:
        for language in Language:
            message = render("alert_withdrawn", language, {**WITHDRAWN, "kind": kind, **more})
            sent = f"{message.subject}\n{message.text}"
            assert len(sent) <= 3 * (153 if sms_type(sent) == "text" else 67), sent


def test_a_managers_correction_says_which_home() -> None:
    """Who has more than one dwelling."""
    message = render("alert_withdrawn", "fr", {**WITHDRAWN, "place": "A · 1 · 2 · 12"})
    assert message.text.startswith("A · 1 · 2 · 12 : Eau froide n°H8CA029620 : l'alerte de débit")


@pytest.mark.requirement("R-086", "R-094", "R-095", "R-096", "R-197")
@pytest.mark.parametrize(("template", "language", "values", "subject", "text"), SENT)
def test_a_message_in_its_language(template, language, values, subject, text) -> None:
    """Labels and figures are those of the guide; an unknown figure is left out."""
    assert render(template, language, values) == Message(subject, text)


@pytest.mark.parametrize("language", list(Language))
def test_there_is_a_text_for_every_event(language) -> None:
    """Every event of leak detection, at any level, with or without figures."""
    for kind in EventKind:
        for level in (1, 2, 3):
            for figures in ({}, UNKNOWN):
                values = {**LEAK, **figures, "level": level, "ended_on": "2022-07-14"}
                message = render(f"leak_{kind.value.lower()}", language.value, values)
                assert message.subject
                assert "{" not in message.subject + message.text
                assert "None" not in message.text


@pytest.mark.requirement("R-069")
def test_every_fluid_has_a_name_in_every_language() -> None:
    """«Eau froide», «Eau chaude» as on the tabs."""
    names = {(fluid, language): fluid_label(fluid, language) for fluid in Fluid for language in Language}
    assert len(set(names.values())) == len(names)
    assert names[Fluid.COLD_WATER, Language.FR] == "Eau froide"
    assert names[Fluid.HOT_WATER, Language.FR] == "Eau chaude"


def test_an_unknown_template_or_language_is_an_error() -> None:
    """Rather than an empty message."""
    with pytest.raises(KeyError):
        render("leak_vanished", "fr", LEAK)
    with pytest.raises(ValueError, match="de"):
        render("leak_opened", "de", LEAK)
