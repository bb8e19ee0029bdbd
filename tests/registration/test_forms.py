"""core.registration.forms, confirmation, phones, addresses: what is asked, shown and normalised."""

from dataclasses import replace

import pytest

from core.operators import Asking, DwellingParts, OperatorProfile, Step
from core.registration import machine
from core.registration.addresses import checked_search, fits
from core.registration.confirmation import FoundDwelling, confirmation_of
from core.registration.draft import Draft
from core.registration.forms import FieldKind, Form, forms_of
from core.registration.phones import is_mobile, to_e164
from core.registration.refusals import RefusalCode, RegistrationRefused
from drivers.ista.profile import PROFILE as ISTA
from drivers.ocea.profile import PROFILE as OCEA
from submeter.simulator.cast import PARC, PREDECESSOR, TILLEULS

FOUND = FoundDwelling(
    residence_name="",
    residence_code="50001369",
    street="RUE DE LA GARNISON BATIMENT D",
    postcode="34300",
    city="LE CAP D AGDE",
    parts=DwellingParts("01", "03", "00", "01"),
    manager_reference="5151 0008",
)


def _form(profile: OperatorProfile, step: Step, number: int = 0, **answered: object) -> Form:
    return forms_of(profile, replace(Draft(step=step), **answered))[number]


@pytest.mark.parametrize("profile", [OCEA, ISTA])
def test_every_form_exists_in_both_languages(profile: OperatorProfile) -> None:
    """Each title, label, choice and help has French and English words that differ where they are words."""
    for step in profile.steps:
        for form in forms_of(profile, Draft(step=step)):
            texts = [form.title, *(field.label for field in form.fields)]
            texts += [choice.label for field in form.fields for choice in field.choices]
            texts += [text for field in form.fields if (text := field.help)]
            assert all(text.fr.strip() and text.en.strip() for text in texts)


@pytest.mark.requirement("R-199")
def test_each_option_is_explained() -> None:
    """What is sent and when, what a number is needed for, what the manager sees without consent."""
    options = {field.name: field for field in _form(ISTA, Step.OPTIONS).fields}
    helps = {name: field.help for name, field in options.items()}
    assert list(helps) == ["leak_by_email", "leak_by_sms", "over_consumption_by_email", "manager_daily_data"]
    for name, part in (
        ("leak_by_email", "dès qu'une fuite est constatée"),
        ("leak_by_sms", "numéro de mobile"),
        ("over_consumption_by_email", "le double de votre consommation habituelle"),
        ("manager_daily_data", "par mois seulement"),
    ):
        explained = helps[name]
        assert explained is not None
        assert part in explained.fr
    assert len({text.en for text in helps.values() if text}) == len(helps)


@pytest.mark.requirement("R-024", "R-031", "R-032")
def test_ocea_offers_two_tenures() -> None:
    """«Propriétaire» is who does not live there, and «Locataire ou propriétaire-occupant» who does."""
    (field,) = _form(OCEA, Step.OCCUPANCY).fields
    assert [(one.value, one.label.fr) for one in field.choices] == [
        ("OWNER_NON_OCCUPANT", "Propriétaire"),
        ("TENANT", "Locataire ou propriétaire-occupant"),
    ]
    assert [one.explanation.fr[:16] for one in field.choices if one.explanation] == ["à choisir si vou"] * 2


@pytest.mark.requirement("R-035", "R-036", "R-038", "R-039", "R-040", "R-041", "R-042")
def test_ocea_asks_the_site_code_before_the_address() -> None:
    """The code comes first, with its format and where it is printed; the address is the alternative."""
    first, second = forms_of(OCEA, Draft(step=Step.RESIDENCE))[:2]
    assert (first.title.fr, first.fields[0].example, first.fields[0].pattern) == (
        "Code site (composé de 2 lettres puis 3 chiffres)",
        "AA000",
        "[A-Z]{2}[0-9]{3}",
    )
    assert first.hint is not None
    for place in ("flyer", "états de relèves et justificatif de consommation", "Votre gestionnaire"):
        assert place in first.hint.fr
    assert second.title.fr == "Je ne connais pas le code site, je préfère saisir l'adresse"
    assert OCEA.residence_code.matches("AA000")
    for wrong in ("A0000", "AA00", "AAA00", "AA0000", "aa000", "ÀA000", "AA\u0660\u0660\u0660"):
        assert not OCEA.residence_code.matches(wrong)


@pytest.mark.requirement("R-027", "R-043", "R-044", "R-055", "R-056", "R-047")
def test_ocea_asks_a_serial_or_a_lot_number() -> None:
    """One serial of any device is enough, the kind is a hint, and a lot number is the alternative."""
    serial, lot = forms_of(OCEA, Draft(step=Step.DWELLING))
    device, number = serial.fields
    assert not device.required
    assert "Eau chaude ou compteur d'énergie thermique" in [one.label.fr for one in device.choices]
    assert (number.label.fr, number.required) == ("Numéro de série de l'un de vos appareils", True)
    assert lot.title.fr == "Saisir plutôt un numéro de lot"


@pytest.mark.requirement("R-156", "R-157", "R-159", "R-160", "R-162", "C-07")
def test_ista_asks_a_serial_or_a_building_code() -> None:
    """The serial is the usual way, with the kinds of device and «Je ne sais pas»."""
    serial, building = forms_of(ISTA, Draft(step=Step.RESIDENCE))
    assert (serial.title.fr, building.title.fr) == (
        "Numéro de série d'un de mes appareils",
        "Code immeuble ista",
    )
    assert [one.label.fr for one in serial.fields[0].choices] == [
        "Eau chaude",
        "Eau froide",
        "Chauffage",
        "Je ne sais pas",
    ]
    assert serial.fields[1].example == "542 361 524"
    assert serial.hint is not None
    assert serial.hint.fr.startswith("Pour commencer, nous avons besoin d'identifier votre logement.")


@pytest.mark.requirement("R-184", "R-185", "R-189", "R-190", "R-191", "R-192", "R-193")
def test_istas_attestation_and_profile() -> None:
    """The words of the guide, and why the day is asked for."""
    attested = _form(ISTA, Step.ATTESTATION)
    assert attested.title.fr == "Confirmation d'occupation du logement"
    assert attested.fields[0].label.fr == "J'atteste être l'occupant actuel du logement"
    assert "move_in" not in {field.name for field in attested.fields}
    kind, day, council = _form(ISTA, Step.PROFILE).fields
    assert (kind.label.fr, [one.label.fr for one in kind.choices]) == (
        "Je suis :",
        ["Propriétaire", "Locataire"],
    )
    assert day.label.fr == "J'atteste être entré(e) dans ce logement en date du :"
    assert (day.kind, day.required) == (FieldKind.DATE, True)
    assert day.help is not None
    question, answer = day.help.fr.splitlines()
    assert question == "Pourquoi vous demander la date d'entrée dans votre logement ?"
    assert "l'historique de vos consommations mensuelles depuis cette date" in answer
    assert [line[-1] for line in day.help.en.splitlines()] == ["?", "."]
    assert [one.label.fr for one in council.choices] == ["Oui", "Non", "Ne souhaite pas répondre"]
    without_day = replace(ISTA, move_in=Asking.NO)
    assert "move_in" not in {field.name for field in _form(without_day, Step.PROFILE).fields}


@pytest.mark.requirement("R-195", "R-196", "R-197", "R-198", "CN-02")
def test_istas_options_are_unticked_boxes() -> None:
    """Leak by e-mail and SMS, over-consumption, the manager's access: none is required."""
    form = _form(ISTA, Step.OPTIONS)
    assert form.title.fr == "Activer vos options"
    assert [(field.kind, field.required) for field in form.fields] == [(FieldKind.BOOLEAN, False)] * 4
    assert [field.label.fr for field in form.fields] == [
        "Être notifié en cas de fuite, par email",
        "Être notifié en cas de fuite, par SMS",
        "Être notifié en cas de surconsommation",
        "Autoriser mon gestionnaire à voir mes consommations journalières",
    ]


@pytest.mark.requirement("R-200", "R-201", "R-202", "R-203", "R-204", "R-205", "R-206", "R-211", "R-212")
def test_istas_personal_data() -> None:
    """The fields of the guide in its order; the mobile is required once SMS is ticked."""
    form = _form(ISTA, Step.PERSONAL_DATA)
    assert form.title.fr == "Vos informations personnelles"
    assert [field.label.fr.split(",")[0] for field in form.fields] == [
        "Civilité",
        "Nom",
        "Prénom",
        "Mobile",
        "Adresse mail",
        "Mot de passe",
        "Confirmer le mot de passe",
        "En cochant cette case",
        "Je m'inscris à la newsletter d'ista pour m'informer sur les domaines de l'énergie",
    ]
    assert [one.label.fr for one in form.fields[0].choices] == ["Madame", "Monsieur"]
    assert {field.name for field in form.fields if field.required} == {
        *("last_name", "first_name", "email", "password", "privacy_acknowledged")
    }
    with_sms = _form(ISTA, Step.PERSONAL_DATA, leak_by_sms=True)
    assert [field.required for field in with_sms.fields if field.name == "phone"] == [True]


@pytest.mark.requirement("R-219", "R-220")
def test_istas_code_has_six_digits() -> None:
    """One field of six digits, however a page divides it."""
    code = _form(ISTA, Step.VERIFICATION).fields[0]
    assert (code.kind, code.pattern) == (FieldKind.CODE, r"\d{6}")


@pytest.mark.requirement("R-174", "R-175", "R-176", "R-177", "R-178", "R-179", "R-180")
@pytest.mark.requirement("R-181", "R-182", "R-183", "C-35")
def test_the_confirmation_screen() -> None:
    """Building and dwelling as the guide shows them, what is missing as «Non renseigné», the reference as
    printed.
    """
    building, dwelling = confirmation_of(ISTA, FOUND)
    assert (building.title.fr, dwelling.title.fr) == (
        "Vérifiez votre immeuble :",
        "Vous demandez l'accès aux données de ce logement :",
    )
    assert [(line.label.fr, line.value.fr, line.known) for line in building.lines] == [
        ("Nom de l'immeuble :", "Non renseigné", False),
        ("Code immeuble ista :", "50001369", True),
        ("Adresse :", "RUE DE LA GARNISON BATIMENT D,34300 LE CAP D AGDE", True),
    ]
    assert [line.value.fr for line in dwelling.lines] == ["5151 0008", "01", "01030001", "03", "00", "01"]
    _, unknown = confirmation_of(
        ISTA, replace(FOUND, parts=DwellingParts("D", "", "RDC", "1"), manager_reference=None)
    )
    assert [line.value.fr for line in unknown.lines] == [
        "Non renseigné",
        "D",
        "Non renseigné",
        "Non renseigné",
        "RDC",
        "1",
    ]
    _, with_lot = confirmation_of(OCEA, replace(FOUND, lot="104"))
    assert [(line.label.fr, line.value.fr) for line in with_lot.lines][-2:] == [
        ("Porte :", "01"),
        ("Lot :", "104"),
    ]


@pytest.mark.parametrize(
    ("typed", "e164", "mobile"),
    [
        ("+33 06 11 54 65 87", "+33611546587", True),
        ("06.11.54.65.87", "+33611546587", True),
        ("0033 6 11 54 65 87", "+33611546587", True),
        ("01 42 68 53 00", "+33142685300", False),
        ("+49 0151 23456789", "+4915123456789", True),
        ("06 39 98 00 12", "+33639980012", True),
    ],
)
@pytest.mark.requirement("R-204", "C-34")
def test_phone_numbers_are_stored_in_one_form(typed: str, e164: str, mobile: bool) -> None:  # noqa: FBT001 - a column
    """The redundant 0 after +33 is dropped, French is assumed, and a landline is no mobile; the range that
    belongs to nobody is taken, for demo and tests.
    """
    assert to_e164(typed) == e164
    assert is_mobile(e164) is mobile


@pytest.mark.parametrize(
    "typed", ["", "12", "abc", "+33", "+999 1", "0" * 40, "06 11 54 65", "06 39 98 00 1", "\0", "+33 00 00"]
)
def test_an_invalid_phone_number_is_refused(typed: str) -> None:
    """Too short, too long, in no numbering plan, or without digits."""
    assert to_e164(typed) is None


@pytest.mark.requirement("C-39")
def test_addresses_are_compared_normalised() -> None:
    """Case, accents and apostrophes do not matter; every word typed must be found."""
    spellings, words = checked_search("34300", "rue de l'a garnison")
    assert spellings == {"34300"}
    assert checked_search(" sw1a 1aa", "Downing")[0] == {"SW1A1AA", "SW1A 1AA", "SW1A-1AA"}
    assert checked_search("924\x0000", "rue")[0] == {"92400", "924 00", "924-00"}
    assert fits(checked_search("34300", "Rüe de la Garn")[1], "RUE DE LA GARNISON BATIMENT D")
    assert fits(checked_search("34300", "cap d'agde")[1], "LE CAP D AGDE")
    assert not fits(words, "RUE DES TILLEULS")
    for postcode, street, refusal in (
        ("34", "rue", RefusalCode.VALUE_INVALID),
        ("3430%", "rue", RefusalCode.VALUE_REQUIRED),
        ("34300", "a ", RefusalCode.VALUE_REQUIRED),
        ("34300", "%%%", RefusalCode.VALUE_REQUIRED),
    ):
        with pytest.raises(RegistrationRefused) as refused:
            checked_search(postcode, "%" if postcode == "3430%" else street)
        assert refused.value.refusal.code is refusal


def test_the_last_steps_ask_for_nothing() -> None:
    """Where a mail is awaited, a manager decides or all is done, there is no form."""
    for step in (Step.FIRST_SIGN_IN, Step.UNDER_REVIEW, Step.COMPLETE):
        assert forms_of(OCEA, Draft(step=step)) == ()
    assert machine.begin(OCEA).step is Step.OCCUPANCY


def test_the_demos_numbers_pass_our_own_check() -> None:
    """Each is a mobile as it is stored, so that its owner can save the page and ask for a code."""
    people = [PREDECESSOR, *(flat.resident for flat in (*TILLEULS, *PARC) if flat.resident)]
    numbers = [person.phone for person in people if person.phone]
    assert numbers
    assert [to_e164(number) for number in numbers] == numbers
    assert all(is_mobile(number) for number in numbers)
