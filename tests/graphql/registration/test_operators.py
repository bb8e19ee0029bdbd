"""What is answered without sign-in: operators, their notices and help, password checks, support."""

import threading
from typing import Any

import pytest
from zxcvbn import zxcvbn

from core.bootstrap import Application
from core.models import OutboxMessage
from notifications.texts.render import render

NOTICE = " ".join(
    f"{part}_{spoken}: {part}(language: {spoken})"
    for part in ("purpose", "legalBasis", "retention", "rights", "contact")
    for spoken in ("FR", "EN")
)
OPERATORS = f"""{{ operators {{
  code name portalName portalUrl registrationUrl activation allowNonOccupantOwner termsVersion
  contact {{ name email phone address website }}
  privacyNotice {{ version url {NOTICE} }}
  helpPages {{ title fluid items guideUrl guideLabel }}
  passwordCriteria {{ name label passed }}
  labels {{ key text }}
}} }}"""
CHECK = """mutation ($input: CheckPasswordInput!) {
  checkPassword(input: $input) {
  ... on PasswordCheck { accepted criteria { name passed label } } ... on Refusal { code field } }
}"""
SUPPORT = """mutation ($operator: String!, $email: String!, $question: String!) {
  contactSupport(operator: $operator, email: $email, question: $question) {
  ... on SupportRequested { operator } ... on Refusal { code field } }
}"""


@pytest.mark.requirement("R-020", "R-125", "R-127", "R-211", "R-215")
async def test_the_operators_of_the_application(portal: Any) -> None:
    """Every operator has its portal, its contact, its privacy notice, its help and its texts."""
    ista, ocea = (await portal.ask(OPERATORS))["operators"]
    assert (ista["code"], ista["activation"], ista["allowNonOccupantOwner"]) == ("ista", "EMAIL_CODE", False)
    assert (ocea["code"], ocea["activation"], ocea["allowNonOccupantOwner"]) == (
        "ocea",
        "TEMPORARY_PASSWORD",
        True,
    )
    assert ocea["registrationUrl"] == "https://espace-resident-inscription.ocea-sb.com/"
    assert (ocea["contact"]["phone"], ocea["contact"]["address"]) == (
        "0 810 006 841",
        "1 Place Victor Hugo, 92400 Courbevoie",
    )
    for operator in (ista, ocea):
        notice = operator["privacyNotice"]
        for part in ("purpose", "legalBasis", "retention", "rights", "contact"):
            assert notice[f"{part}_FR"] != notice[f"{part}_EN"]
        assert {page["fluid"] for page in operator["helpPages"]} == {"COLD_WATER", "HOT_WATER", "HEAT"}
        assert not any(one["passed"] for one in operator["passwordCriteria"])
        labels = {one["key"]: one["text"] for one in operator["labels"]}
        assert {"button.cancel", "button.support", "page.title"} <= set(labels)


@pytest.mark.requirement("R-112", "R-207", "C-04")
async def test_a_password_is_checked_while_it_is_typed(portal: Any) -> None:
    """Each criterion is answered in the operator's words; the password is not stored."""
    judged = (await portal.ask(CHECK, input={"operator": "ista", "password": "Zkvi"}))["checkPassword"]
    assert not judged["accepted"]
    assert [(one["label"], one["passed"]) for one in judged["criteria"]][:4] == [
        ("10 caractères minimum", False),
        ("Minuscules", True),
        ("Majuscules", True),
        ("Chiffres ou caractères spéciaux (@$!%*&)", False),
    ]
    given = {"operator": "ocea", "password": "Xy!7-Marciale-Qv", "lastName": "Marciale"}
    judged = (await portal.ask(CHECK, input=given))["checkPassword"]
    assert [one["name"] for one in judged["criteria"] if not one["passed"]] == ["NOT_OWN_DATA"]
    assert (await portal.ask(CHECK, input={**given, "lastName": "Durand"}))["checkPassword"]["accepted"]


async def test_a_password_is_checked_beside_the_other_requests(portal: Any, monkeypatch: Any) -> None:
    """The estimate of guesses, which is expensive, is computed in a thread and never on the event loop."""
    judged_in: list[threading.Thread] = []

    def noted(*args: Any, **more: Any) -> Any:
        judged_in.append(threading.current_thread())
        return zxcvbn(*args, **more)

    monkeypatch.setattr("zxcvbn.zxcvbn", noted)
    await portal.ask(CHECK, input={"operator": "ista", "password": "Zkvi-7"})
    assert judged_in
    assert threading.main_thread() not in judged_in


async def test_password_checks_are_rate_limited(portal: Any) -> None:
    """A check is expensive: after 120 a minute from one address it is refused with the time to wait."""
    one = """checkPassword(input: {operator: "ocea", password: "x"}) {
        ... on PasswordCheck { accepted }
        ... on Refusal { code field } }"""
    many = "mutation { " + " ".join(f"p{number}: {one}" for number in range(30)) + " }"
    for _ in range(4):
        await portal.ask(many)
    assert (await portal.refused(f"mutation {{ {one} }}"))["code"] == "RATE_LIMITED"


async def test_an_unknown_operator_checks_no_password(portal: Any) -> None:
    refusal = await portal.refused(CHECK, input={"operator": "acme", "password": "x"})
    assert refusal == {"code": "INVALID_INPUT", "field": "operator"}


@pytest.mark.requirement("R-147", "R-124")
async def test_support_is_asked_before_there_is_an_account(portal: Any, application: Application) -> None:
    """The question is sent to the operator with the asker's address, and to nobody else."""
    asked = {"operator": "ista", "email": "someone@example.org", "question": "Où est mon code UEx ?"}
    assert await portal.ask(SUPPORT, **asked) == {"contactSupport": {"operator": "ista"}}
    (row,) = await OutboxMessage.all()
    assert row.recipient == "assistance@ista.example"
    mail = render(row.template, row.language, row.values)
    assert mail.text == "De : someone@example.org\n\nOù est mon code UEx ?"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "someone"}, "email"),
        ({"question": " "}, "question"),
        ({"question": "x" * 2_001}, "question"),
        ({"operator": "acme"}, "operator"),
    ],
)
async def test_an_invalid_question_is_refused(
    portal: Any, application: Application, changes: dict[str, str], field: str
) -> None:
    asked = {"operator": "ista", "email": "someone@example.org", "question": "?", **changes}
    assert await portal.refused(SUPPORT, **asked) == {"code": "INVALID_INPUT", "field": field}
    assert await OutboxMessage.all().count() == 0


async def test_support_questions_are_rate_limited(portal: Any, application: Application) -> None:
    """Five questions a day from one address."""
    asked = {"operator": "ista", "email": "someone@example.org"}
    for number in range(5):
        await portal.ask(SUPPORT, **asked, question=f"? {number}")
    assert (await portal.refused(SUPPORT, **asked, question="?"))["code"] == "RATE_LIMITED"
