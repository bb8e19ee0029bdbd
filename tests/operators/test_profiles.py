"""Operator profiles: what a plugin brings, what it must have, and the texts of the guides."""

import re
import sys
import types
from dataclasses import fields, replace
from fractions import Fraction
from importlib.metadata import EntryPoint

import pytest

from core.access.passwords import OwnData, check_password, failed
from core.access.refusals import Refused
from core.consumption.fluids import Fluid
from core.errors import (
    AccountLocked,
    AlertEnded,
    Busy,
    Conflict,
    ForbiddenPeriod,
    InvalidInput,
    NoOccupant,
    NotFound,
    RateLimited,
    ResidenceNotReady,
    SignatureUnavailable,
    SignInRefused,
    Unavailable,
)
from core.language import Language
from core.metering import DriverConflict, Registry, hookimpl, load_registry
from core.operators import (
    WORDS,
    ActivationMode,
    DwellingParts,
    OperatorProfile,
    PrivacyNotice,
    SignUpStage,
    Step,
    Text,
)
from core.registration.refusals import RefusalCode
from core.retention_periods import (
    ARCHIVE_YEARS,
    DAILY_YEARS,
    MONTHLY_YEARS,
    READING_YEARS,
    RetentionPeriods,
)
from core.texts.retention import CONSUMPTION_PERIODS
from drivers.ista.profile import PROFILE as ISTA
from drivers.ocea.profile import PROFILE as OCEA

BOTH = pytest.mark.parametrize("profile", [OCEA, ISTA], ids=lambda profile: profile.code)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch):
    """Makes a module that answers the operators' hook, and its entry point."""

    def make(name: str, *profiles: object) -> EntryPoint:
        module = types.ModuleType(f"operators_{name}")

        @hookimpl
        def submeter_operators() -> list[object]:
            return list(profiles)

        module.submeter_operators = submeter_operators
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name, module.__name__, "submeter.drivers")

    return make


def test_our_operators_come_through_entry_points(registry: Registry) -> None:
    """OCEA and ista are found as an external operator would be; no other is."""
    assert [profile.code for profile in registry.profiles] == ["ista", "ocea"]
    assert registry.profile("ocea") is OCEA
    assert registry.profile("acme") is None


def test_a_plugin_may_bring_operators_alone(plugin) -> None:
    """A metering company without meters of its own needs no driver."""
    acme = replace(OCEA, code="acme")
    registry = load_registry([plugin("acme", acme)])
    assert registry.profile("acme") == acme
    assert registry.drivers == ()
    assert registry.broken == ()


def test_what_is_no_profile_is_reported_and_left_out(plugin) -> None:
    """A plugin that answers something else is reported, and the others work."""
    registry = load_registry([plugin("bad", "no profile"), plugin("good", OCEA)])
    (broken,) = registry.broken
    assert (broken.name, broken.reason) == (
        "bad",
        "TypeError: submeter_operators() answered str, not OperatorProfile",
    )
    assert registry.profile("ocea") == OCEA


def test_two_profiles_of_one_operator_are_a_conflict(plugin) -> None:
    """Which of the two is used must not depend on the order of loading."""
    with pytest.raises(DriverConflict, match="the operator 'ocea'"):
        load_registry([plugin("one", OCEA), plugin("two", OCEA)])


def test_a_profile_that_contradicts_itself_cannot_be_made() -> None:
    """A journey without attestation, one with another end, and unknown text keys are errors at start."""
    stage = SignUpStage(
        Text("…", "..."), (Step.RESIDENCE, Step.DWELLING, Step.PERSONAL_DATA, Step.FIRST_SIGN_IN)
    )
    with pytest.raises(ValueError, match="lacks ATTESTATION"):
        replace(OCEA, stages=(stage,))
    with pytest.raises(ValueError, match="must end with VERIFICATION"):
        replace(OCEA, activation=ActivationMode.EMAIL_CODE)
    with pytest.raises(ValueError, match=r"button\.contineu"):
        replace(OCEA, texts={"button.contineu": Text("…", "...")})


@pytest.mark.requirement("R-062")
@pytest.mark.parametrize("text", [None, Text("", ""), Text("Conditions", " ")])
def test_terms_that_nobody_can_read_cannot_be_made(text: Text | None) -> None:
    """Terms to be accepted have a text or an address, in both languages."""
    with pytest.raises(ValueError, match="terms_url or terms_text"):
        replace(OCEA, terms_text=text)
    url = Text("https://acme.example/cgu", "https://acme.example/terms")
    assert replace(OCEA, terms_text=text, terms_url=url).terms_url == url
    assert replace(OCEA, terms_text=None, terms_version=None).terms_version is None


@BOTH
@pytest.mark.requirement("C-31", "R-211", "R-213", "R-215")
def test_the_privacy_notice_is_complete(profile: OperatorProfile) -> None:
    """Purpose, basis, retention, rights and contact are stated, of this processing and not of quotes."""
    notice = profile.privacy
    for part in fields(PrivacyNotice):
        value = getattr(notice, part.name)
        for empty in (Text("", "x"), Text("x", " ")) if isinstance(value, Text) else ("",):
            with pytest.raises(ValueError, match=part.name):
                replace(notice, **{part.name: empty})
    reported = f"{notice.purpose.fr} {notice.legal_basis.fr} {notice.retention.fr}"
    assert "devis" not in reported
    assert "CNIL" in notice.rights.fr


@BOTH
@pytest.mark.requirement("R-214")
def test_the_notice_promises_three_years_at_most(profile: OperatorProfile) -> None:
    """Every period that it names, in either language, is three years or less; and those of a request that
    is not finished and of a former occupant's account are the profile's own.
    """
    for language in Language:
        text = profile.privacy.retention.in_language(language)
        periods = [_days(*found) for found in _PERIOD.findall(text)]
        assert len(periods) >= 3, text
        assert max(periods) == 3 * 365
        assert profile.registration_lifetime.days in periods
        assert profile.predecessor_access.days in periods


@BOTH
@pytest.mark.requirement("CN-03")
def test_the_notice_and_what_is_deleted_are_of_one_source(profile: OperatorProfile) -> None:
    """Two years of readings, three of days, three of months and four in the archive, in both languages: the
    figures that retention deletes by; and each profile's own words name no other period of days.
    """
    for language in Language:
        text = CONSUMPTION_PERIODS.in_language(language)
        periods = [_days(*found) for found in _PERIOD.findall(text)]
        years = [READING_YEARS, DAILY_YEARS, MONTHLY_YEARS, ARCHIVE_YEARS]
        assert [period for period in periods if period >= 365] == [365 * number for number in years]
        own = [_days(*found) for found in _PERIOD.findall(profile.privacy.retention.in_language(language))]
        assert 365 * DAILY_YEARS in own
    periods = RetentionPeriods()
    assert periods.reading_months + 1 == 12 * READING_YEARS
    assert periods.daily_months + 1 == 12 * DAILY_YEARS


_PERIOD = re.compile(r"(\d+|une?|one) (heures?|hours?|jours?|days?|mois|months?|ans?|years?)\b")


def _days(number: str, unit: str) -> int:
    of_unit = {"h": Fraction(1, 24), "j": 1, "d": 1, "m": 30, "a": 365, "y": 365}[unit[0]]
    return int((int(number) if number.isdecimal() else 1) * of_unit)


@BOTH
def test_every_refusal_has_its_text(profile: OperatorProfile) -> None:
    """Each code of sign-up, access and other mutations has a text in French and English, and no two texts
    are the same.
    """
    access = {one.code for one in (*Refused.__subclasses__(), AccountLocked, RateLimited, SignInRefused)}
    others = {
        one.code
        for one in (
            *(InvalidInput, NotFound, Conflict, ForbiddenPeriod, AlertEnded, Busy, Unavailable),
            *(NoOccupant, ResidenceNotReady, SignatureUnavailable),
        )
    }
    codes = {str(code) for code in RefusalCode} | access | others
    reported = [profile.text(f"error.{code}") for code in codes]
    assert all(text.fr and text.en and text.fr != text.en for text in reported)
    assert len({text.fr for text in reported}) == len(reported)
    assert {key.removeprefix("error.") for key in WORDS if key.startswith("error.")} == codes


@pytest.mark.requirement("C-08", "R-132", "R-133")
def test_the_message_before_publication_is_the_guides() -> None:
    """«Portail en cours de construction», letter for letter."""
    assert ISTA.text("error.NOT_PUBLISHED").fr == "Portail en cours de construction"


@pytest.mark.requirement("C-01", "C-02", "R-130")
def test_the_operator_decides_who_may_register() -> None:
    """OCEA accepts owners who live elsewhere, ista does not."""
    assert OCEA.allow_non_occupant_owner
    assert not ISTA.allow_non_occupant_owner


@pytest.mark.requirement("R-020", "R-022", "R-023", "R-025", "R-026", "R-027", "R-028", "R-029")
@pytest.mark.requirement("R-033", "R-034", "R-050", "R-059")
def test_oceas_labels() -> None:
    """Titles and buttons of the guide."""
    assert [stage.title.fr for stage in OCEA.stages] == [
        "Êtes-vous propriétaire ou locataire ?",
        "Rechercher votre résidence",
        "Saisissez le n° de série d'un appareil de votre logement",
        "Saisissez vos informations",
    ]
    assert [OCEA.text(f"button.{name}").fr for name in ("continue", "create", "cancel", "help")] == [
        "CONTINUER",
        "ACTIVER MON COMPTE",
        "ANNULER MA DEMANDE",
        "Où trouver le n° de série de mon appareil ?",
    ]
    assert OCEA.text("page.title").fr == "Activer votre espace résident ISI HABITAT®"
    for benefit in (
        "Suivre en ligne les consommations de votre résidence.",
        "Disposer d'alertes par mail ou par SMS en cas d'alertes fuites et de nouveaux documents déposés",
        "Espace Résident",
    ):
        assert benefit in OCEA.text("page.intro").fr
    assert OCEA.registration_url == "https://espace-resident-inscription.ocea-sb.com/"
    assert OCEA.portal_url == "https://espace-resident.ocea-sb.com/"


@pytest.mark.requirement("R-141", "R-143", "R-147", "R-153", "R-154", "R-155", "R-161", "R-163")
@pytest.mark.requirement("R-172", "R-187", "R-216", "R-221", "R-222", "R-224", "R-225", "R-226")
def test_istas_labels() -> None:
    """Titles, buttons and messages of the guide."""
    assert ISTA.text("page.title").fr == "Créer votre compte"
    assert ISTA.text("page.subtitle").fr == "Identifier votre logement"
    assert "avec l'option « Portail résident »" in ISTA.text("page.intro").fr
    assert [ISTA.text(f"button.{name}").fr for name in ("continue", "create", "support", "verify")] == [
        "Continuer",
        "Créer mon compte",
        "Contacter l'assistance",
        "Vérifier",
    ]
    assert ISTA.text("button.not_my_dwelling").fr == "Ce n'est pas mon logement"
    assert ISTA.text("button.resend_code").fr == "Vous n'avez pas reçu le code ? Renvoyer le code"
    assert ISTA.text("button.correct_email").fr == "Corriger mon adresse email"
    assert ISTA.text("button.sign_in").fr == "Se connecter"
    assert ISTA.text("screen.COMPLETE").fr == "Félicitations !"
    assert ISTA.text("screen.COMPLETE.text").fr == (
        'Votre compte "Mes suivis de consommation" a été créé avec succès.\n'
        "Vous pouvez vous connecter à votre portail résident."
    )
    assert ISTA.registration_url == "https://monespaceista.fr"


@pytest.mark.requirement("R-045", "R-051", "R-052", "R-057")
def test_oceas_help() -> None:
    """Where the number stands, for each fluid, with the guide to download."""
    assert {page.fluid for page in OCEA.help_pages} == {Fluid.COLD_WATER, Fluid.HOT_WATER, Fluid.HEAT}
    for page in OCEA.help_pages:
        assert page.title.fr == "Où trouver le numéro de série de mon appareil ?"
        assert "un ensemble composé de chiffres (mais qui peut contenir des lettres)" in page.items[0].fr
        assert page.guide_label
        assert page.guide_label.fr == "Télécharger notre guide des compteurs (PDF)"
        assert "Guide identification compteur" in page.items[-1].fr
    assert OCEA.text("button.help_close").fr == "FERMER"


@pytest.mark.requirement("R-150", "R-152", "R-158", "R-164", "R-165", "R-166", "R-167", "R-168")
@pytest.mark.requirement("R-169", "R-170")
def test_istas_help() -> None:
    """Three tabs; where the meter is, which number it is, the index, and what to do in doubt."""
    pages = {page.fluid: page for page in ISTA.help_pages}
    assert set(pages) == {Fluid.HOT_WATER, Fluid.COLD_WATER, Fluid.HEAT}
    hot = pages[Fluid.HOT_WATER]
    assert hot.title.fr == "Trouver mon numéro de série"
    look, serial, index, doubt = (item.fr for item in hot.items)
    assert "Il est rouge ou comporte un liseré rouge, selon le modèle." in look
    assert serial.startswith("Notez le numéro de série à 9 chiffres.")
    assert "les 5 chiffres sur fond noir" in index
    assert doubt.startswith("Si votre appareil est installé dans les parties communes")
    assert (ISTA.text("button.help").fr, ISTA.text("button.help_close").fr) == ("Aide", "J'ai compris")


@pytest.mark.requirement("C-04", "R-112", "R-113", "R-114", "R-115")
@pytest.mark.parametrize(
    ("password", "names"),
    [
        ("Zk7!pqWx", set()),
        ("Zk7!pqW", {"LENGTH"}),
        ("zk7!pqwx", {"UPPER_AND_LOWER"}),
        ("Zkv!pqWx", {"DIGIT_AND_SPECIAL"}),
        ("Zk7vpqWx", {"DIGIT_AND_SPECIAL"}),
    ],
)
def test_oceas_password_policy(password: str, names: set[str]) -> None:
    """Eight characters, both cases, a digit and a special character."""
    criteria = check_password(OCEA.password_policy, password)
    assert {criterion.name for criterion in failed(criteria)} == names
    assert [criterion.label.fr for criterion in criteria][:3] == [
        "Contenir un minimum de 8 caractères",
        "Contenir au moins une majuscule et une minuscule",
        "Contenir un chiffre et un caractère spécial",
    ]


@pytest.mark.requirement("C-04", "R-207", "R-208", "R-209", "R-210")
@pytest.mark.parametrize(
    ("password", "names"),
    [
        ("ZkvipqWxrt7", set()),
        ("ZkvipqWxrt!", set()),
        ("ZkvipqWx7", {"LENGTH"}),
        ("ZKVIPQWXRT7", {"LOWER"}),
        ("zkvipqwxrt7", {"UPPER"}),
        ("ZkvipqWxrt?", {"DIGIT_OR_SPECIAL"}),
    ],
)
def test_istas_password_policy(password: str, names: set[str]) -> None:
    """Ten characters, both cases, a digit or one of six special characters."""
    criteria = check_password(ISTA.password_policy, password, OwnData.of("Marciale"))
    assert {criterion.name for criterion in failed(criteria)} == names


@pytest.mark.requirement("R-181")
def test_istas_dwelling_code() -> None:
    """01030001 is bâtiment 01, escalier 03, étage 00, number 01; letters make no code."""
    assert ISTA.dwelling_code(DwellingParts("01", "03", "00", "01")) == "01030001"
    assert ISTA.dwelling_code(DwellingParts("1", "3", "0", "1")) == "01030001"
    for parts in (
        DwellingParts("D", "3", "0", "1"),
        DwellingParts("1", "", "0", "1"),
        DwellingParts("1", "3", "-1", "1"),
    ):
        assert ISTA.dwelling_code(parts) is None
    assert OCEA.dwelling_code(DwellingParts("01", "03", "00", "01")) is None


@BOTH
def test_the_french_of_a_profile_is_french(profile: OperatorProfile) -> None:
    """Its typography is right: no double spaces, and no English left in the French."""
    for key in WORDS:
        text = profile.text(key)
        assert "  " not in text.fr + text.en, key
        assert not re.search(r"\b(the|your|is)\b", text.fr), key
