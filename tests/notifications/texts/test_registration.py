"""Texts of the registration e-mails: both languages, nothing secret in a subject."""

import re

import pytest

from core.language import Language
from notifications.texts.registration import REGISTRATION_WORDS
from notifications.texts.render import render

VALUES = {
    "portal": "ISI HABITAT",
    "operator": "OCEA Smart Building",
    "link": "https://espace-resident.ocea-sb.com/",
    "code": "042117",
    "verify": "https://espace-resident.ocea-sb.com/verify/4Q7H-0ZKD-9M2X-TB5E",
    "password": "7KQ2M-XW4TB-7KQ2M-XW4TB",
    "until": "2027-11-16",
    "last_day": "2026-11-30",
    "day": "2026-11-10",
    "place": "A · 1 · 2 · 12",
    "residence": "AA000",
    "email": "someone@example.org",
    "question": "Où est {code} ?",
}
TEMPLATES = sorted({template for template, _ in REGISTRATION_WORDS})


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_e_mail_exists_in_both_languages(template: str) -> None:
    """Each has a subject and a text in French and English, that differ."""
    french, english = (render(template, language.value, VALUES) for language in Language)
    assert french.subject != english.subject
    assert french.text != english.text or template == "support_request"
    for mail in (french, english):
        assert not re.search(r"\{\w+\}", mail.text.replace(VALUES["question"], ""))
        assert "\n" not in mail.subject


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_subject_contains_a_secret(template: str) -> None:
    """A subject is shown on locked screens: it has neither code, password nor address."""
    for language in Language:
        subject = render(template, language.value, VALUES).subject
        assert not any(VALUES[name] in subject for name in ("code", "password", "email", "question"))


@pytest.mark.requirement("C-13")
def test_the_e_mail_to_a_taken_address_does_not_show_who_asked() -> None:
    """It states that an account exists and how to sign in, and has neither code nor password."""
    mail = render("registration_address_taken", "fr", VALUES)
    assert "Mot de passe oublié" in mail.text
    assert VALUES["code"] not in mail.text
    assert VALUES["password"] not in mail.text


@pytest.mark.parametrize(
    "template", [name for name in TEMPLATES if "{until}" in REGISTRATION_WORDS[name, Language.FR][1]]
)
def test_days_are_written_as_the_reader_does(template: str) -> None:
    """16/11/2027 in French, 16 November 2027 in English, and nowhere as a computer stores it."""
    french, english = (render(template, language.value, VALUES).text for language in Language)
    assert "16/11/2027" in french
    assert "16 November 2027" in english
    assert not re.search(r"\d{4}-\d\d-\d\d", french + english)
