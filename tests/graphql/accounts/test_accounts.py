"""Accounts over HTTP: each mutation's answers, its refusals as data, and what a token may ask."""

from typing import Any

import pyotp
import pytest

from core.bootstrap import Application
from core.models import Account, Channel, OutboxMessage
from core.services.messaging.account_messages import opened_values
from core.services.messaging.delivery import claim_next
from tests.support.factories import NOW, PASSWORD

EMAIL = "claire.martin@example.org"
NEW = "Nouveau-Mot-77-Fleuve"
SIGN_IN = (
    "mutation ($email: String!, $password: String!) { signIn(input: {email: $email, password: $password}) "
    "{ ... on SignedIn { token state deviceToken } ... on Refusal { __typename code } "
    "... on AccountLocked { until } } }"
)
CHANGE = (
    "mutation ($old: String!, $new: String!, $again: String!) { changePassword(password: $old, "
    "input: {newPassword: $new, confirmation: $again}) { ... on SignedIn { token state } "
    "... on Refusal { __typename code fr: message(language: FR) en: message(language: EN) } "
    "... on PasswordTooWeak { criteria { name passed label(language: FR) } } "
    "... on RequestRefused { field } ... on RateLimited { retryAfter } } }"
)
ASK_RESET = (
    "mutation ($email: String!) { requestPasswordReset(email: $email) { "
    "... on PasswordResetRequested { email } ... on RateLimited { __typename code retryAfter } } }"
)
RESET = (
    "mutation ($token: String!, $new: String!) { resetPassword(token: $token, input: {newPassword: $new, "
    "confirmation: $new}) { ... on PasswordReset { deviceToken } ... on Refusal { __typename code } } }"
)
TOKEN = (
    'mutation ($scopes: [TokenScope!]!) { createAccessToken(name: "HA", scopes: $scopes, days: 30) '
    "{ ... on AccessTokenIssued { token accessToken { id name scopes } } ... on Refusal { code field } } }"
)


@pytest.fixture
def mailed(application: Application) -> Any:
    """The values of the last message of a template."""

    async def read(template: str) -> dict[str, Any]:
        if template == "password_reset":
            message = await claim_next(application, "tests", [Channel.EMAIL], now=NOW)
            assert message is not None
            return dict(message.values)
        row = await OutboxMessage.filter(template=template).order_by("-id").first()
        assert row is not None
        return opened_values(row, application.settings)

    return read


@pytest.mark.requirement("C-38", "R-061", "R-062", "R-066")
async def test_a_first_sign_in_leads_to_a_ready_session(portal: Any, home: Any) -> None:
    """Until the session is READY every field with data is refused by the state's name."""
    await Account.all().update(temporary_password_until=NOW.replace(hour=23), terms_version=None)
    session = (await portal.ask(SIGN_IN, email=EMAIL, password=PASSWORD))["signIn"]
    portal.client.cookies.clear()
    assert session["state"] == "MUST_CHANGE_PASSWORD"
    portal.token = session["token"]
    data = "{ viewer { dwellings { id } } }"
    assert await portal.refusal(data) == {"code": "MUST_CHANGE_PASSWORD"}
    assert (await portal.ask("{ viewer { state email } }"))["viewer"]["state"] == "MUST_CHANGE_PASSWORD"
    changed = (await portal.ask(CHANGE, old=PASSWORD, new=NEW, again=NEW))["changePassword"]
    portal.client.cookies.clear()
    portal.token = changed["token"]
    assert await portal.refusal(data) == {"code": "MUST_ACCEPT_TERMS"}
    version = (await portal.ask("{ viewer { termsVersion } }"))["viewer"]["termsVersion"]
    accept = """mutation ($v: String!) { acceptTerms(version: $v) {
        ... on AccountChanged { viewer { state dwellings { id } } }
        ... on Refusal { code field } } }"""
    assert (await portal.refused(accept, v="1999"))["code"] == "INVALID_INPUT"
    accepted = (await portal.ask(accept, v=version))["acceptTerms"]["viewer"]
    assert accepted["state"] == "READY"
    assert len(accepted["dwellings"]) == 1


@pytest.mark.requirement("R-112", "R-113", "R-114", "R-115", "R-116")
async def test_a_refused_password_is_part_of_the_answer(claire: Any) -> None:
    """Each refusal has a type, a code, and a text in French and English."""
    answer = (await claire.ask(CHANGE, old=PASSWORD, new="court", again="court"))["changePassword"]
    assert (answer["__typename"], answer["code"]) == ("PasswordTooWeak", "PASSWORD_TOO_WEAK")
    assert answer["fr"] == "Le mot de passe ne respecte pas tous les critères."
    assert answer["en"] == "The password does not meet every criterion."
    labels = [criterion["label"] for criterion in answer["criteria"] if not criterion["passed"]]
    assert "Contenir un minimum de 8 caractères" in labels
    for new, again, old, code, field in (
        (NEW, "x", PASSWORD, "PASSWORD_MISMATCH", "confirmation"),
        (NEW, NEW, "wrong", "PASSWORD_WRONG", "password"),
        (PASSWORD, PASSWORD, PASSWORD, "PASSWORD_UNCHANGED", "newPassword"),
    ):
        answer = (await claire.ask(CHANGE, old=old, new=new, again=again))["changePassword"]
        assert (answer["__typename"], answer["code"], answer["field"]) == ("RequestRefused", code, field)
        assert answer["fr"] != answer["en"]


async def test_a_locked_account_opens_by_the_reset_link(portal: Any, home: Any, mailed: Any) -> None:
    """ACCOUNT_LOCKED states until when; the link of the e-mail signs in, in a browser by its cookie."""
    for _ in range(10):
        refused = (await portal.ask(SIGN_IN, email=EMAIL, password="wrong"))["signIn"]
        assert refused == {"__typename": "SignInRefused", "code": "SIGN_IN_REFUSED"}
    locked = (await portal.ask(SIGN_IN, email=EMAIL, password=PASSWORD))["signIn"]
    assert (locked["__typename"], locked["code"]) == ("AccountLocked", "ACCOUNT_LOCKED")
    assert locked["until"] > NOW.isoformat()
    assert (await portal.ask(ASK_RESET, email=EMAIL))["requestPasswordReset"] == {"email": EMAIL}
    link = (await mailed("password_reset"))["link"]
    assert link.startswith("https://espace-resident.ocea-sb.com/reset-password#smf_")
    reset = await portal.ask(RESET, token=link.partition("#")[2], new=NEW)
    assert reset["resetPassword"]["deviceToken"].startswith("smd_")
    assert "submeter_device" in portal.client.cookies
    assert (await portal.ask(SIGN_IN, email=EMAIL, password=NEW))["signIn"]["state"] == "READY"
    again = (await portal.ask(RESET, token=link.partition("#")[2], new=NEW))["resetPassword"]
    assert (again["__typename"], again["code"]) == ("RequestRefused", "CODE_EXPIRED")


async def test_a_rate_limited_reset_is_part_of_the_answer(portal: Any, home: Any) -> None:
    """RATE_LIMITED states the seconds to wait, for an address that exists or not."""
    for email in (EMAIL, "nobody@example.org"):
        answers = [(await portal.ask(ASK_RESET, email=email))["requestPasswordReset"] for _ in range(4)]
        assert answers[:3] == [{"email": email}] * 3
        assert (answers[3]["__typename"], answers[3]["code"]) == ("RateLimited", "RATE_LIMITED")
        assert answers[3]["retryAfter"] > 0


@pytest.mark.requirement(
    "R-097", "R-101", "R-102", "R-104", "R-105", "R-118", "C-19", "C-32", "C-34", "R-204"
)
async def test_contact_data_and_notifications_can_be_changed(claire: Any, mailed: Any) -> None:
    """Contact data, a mobile confirmed by its code, and alerts by SMS only after that."""
    update = (
        "mutation ($input: ContactInput!) { updateContact(input: $input) { ... on AccountChanged { viewer "
        "{ firstName phone phoneConfirmed language } } ... on Refusal { code } } }"
    )
    choose = (
        "mutation ($topic: NotificationTopic!, $sms: Boolean) "
        "{ chooseNotification(topic: $topic, bySms: $sms) { "
        "... on AccountChanged { viewer { notifications { topic byEmail bySms } } } "
        "... on RequestRefused { code field } } }"
    )
    await claire.ask(choose, topic="LEAK", sms=False)
    assert (await claire.ask(update, input={"phone": "12"}))["updateContact"] == {"code": "PHONE_INVALID"}
    changed = await claire.ask(
        update, input={"firstName": "Clara", "phone": "+33 06 11 54 65 87", "language": "EN"}
    )
    assert changed["updateContact"]["viewer"] == {
        "firstName": "Clara",
        "phone": "+33611546587",
        "phoneConfirmed": False,
        "language": "EN",
    }
    refused = (await claire.ask(choose, topic="NEW_DOCUMENT", sms=True))["chooseNotification"]
    assert refused == {"code": "PHONE_REQUIRED_FOR_SMS", "field": "phone"}
    ask = "mutation { requestPhoneCode { ... on CodeSent { to } ... on RateLimited { code retryAfter } } }"
    assert (await claire.ask(ask))["requestPhoneCode"] == {"to": "+33611546587"}
    assert (await claire.ask(ask))["requestPhoneCode"] == {"code": "CODE_RESEND_TOO_SOON", "retryAfter": 60}
    confirm = (
        "mutation ($code: String!) { confirmPhone(code: $code) { ... on AccountChanged { viewer { "
        "phoneConfirmed } } ... on CodeInvalid { code attemptsLeft } } }"
    )
    assert (await claire.ask(confirm, code="x"))["confirmPhone"] == {
        "code": "CODE_INVALID",
        "attemptsLeft": 4,
    }
    code = (await mailed("phone_code"))["code"]
    assert (await claire.ask(confirm, code=code))["confirmPhone"] == {"viewer": {"phoneConfirmed": True}}
    chosen = (await claire.ask(choose, topic="NEW_DOCUMENT", sms=True))["chooseNotification"]
    assert {"topic": "NEW_DOCUMENT", "byEmail": False, "bySms": True} in chosen["viewer"]["notifications"]


async def test_the_newsletter_is_shown_and_ended(claire: Any) -> None:
    """Nobody has it without having asked, or where the operator has none; one mutation ends it."""
    choose = """mutation ($w: Boolean!) { chooseNewsletter(wished: $w) {
        ... on AccountChanged { viewer { newsletter } }
        ... on Refusal { code field } } }"""
    see = "{ viewer { newsletter } }"
    assert (await claire.ask(see))["viewer"] == {"newsletter": False}
    assert (await claire.refused(choose, w=True))["code"] == "INVALID_INPUT"
    await Account.all().update(newsletter_since=NOW)
    assert (await claire.ask(see))["viewer"] == {"newsletter": True}
    assert (await claire.ask(choose, w=False))["chooseNewsletter"]["viewer"] == {"newsletter": False}


async def test_the_form_of_address_is_an_enum_on_both_sides(claire: Any) -> None:
    """Left out it is unchanged, null removes it; a stored text that is no form of address is null."""
    change = """mutation ($input: ContactInput!) { updateContact(input: $input) {
        ... on AccountChanged { viewer { civility } } } }"""
    for given, shown, stored in (
        ({"civility": "MONSIEUR"}, "MONSIEUR", "M."),
        ({"lastName": "Martin"}, "MONSIEUR", "M."),
        ({"civility": "MADAME"}, "MADAME", "Mme"),
        ({"civility": None}, None, ""),
    ):
        changed = (await claire.ask(change, input=given))["updateContact"]
        assert changed == {"viewer": {"civility": shown}}
        assert (await Account.get()).civility == stored
    for stored, shown in (("Madame", "MADAME"), ("Mr.", "MONSIEUR"), ("Dr", None)):
        await Account.all().update(civility=stored)
        assert (await claire.ask("{ viewer { civility } }"))["viewer"] == {"civility": shown}


async def test_an_address_is_changed_by_its_code(claire: Any, mailed: Any) -> None:
    """An invalid address is refused in the answer."""
    ask = (
        'mutation ($email: String!) { requestEmailChange(email: $email, password: "' + PASSWORD + '") '
        "{ ... on CodeSent { to } ... on RequestRefused { code field } } }"
    )
    changed = "... on AccountChanged { viewer { email } }"
    confirm = "mutation ($c: String!) { confirmEmailChange(code: $c) { " + changed + " } }"
    assert (await claire.ask(ask, email="no"))["requestEmailChange"] == {
        "code": "EMAIL_INVALID",
        "field": "email",
    }
    assert (await claire.ask(ask, email="c@new.example"))["requestEmailChange"] == {"to": "c@new.example"}
    changed = await claire.ask(confirm, c=(await mailed("email_code"))["code"])
    assert changed["confirmEmailChange"] == {"viewer": {"email": "c@new.example"}}


@pytest.mark.requirement("R-063", "R-065", "R-106", "R-107", "R-120", "R-121", "C-18")
async def test_the_consent_question_is_asked_and_answered(claire: Any) -> None:
    """Word for word, with its trace; an answer can be changed."""
    question = "{ viewer { dwellings { id consent { answer question trace byManager } } } }"
    (dwelling,) = (await claire.ask(question))["viewer"]["dwellings"]
    assert dwelling["consent"] == {
        "answer": "UNANSWERED",
        "question": "J'autorise mon gestionnaire ou bailleur à accéder à mes données de consommations"
        " quotidiennes afin qu'il puisse m'accompagner au mieux sur l'individualisation des frais de ma"
        " résidence",
        "trace": None,
        "byManager": False,
    }
    answer = (
        "mutation ($id: ID!, $granted: Boolean!) { answerConsent(dwelling: $id, granted: $granted) "
        "{ ... on ConsentAnswered { consent { answer trace } } ... on Refusal { code field } } }"
    )
    granted = (await claire.ask(answer, id=dwelling["id"], granted=True))["answerConsent"]["consent"]
    assert granted == {
        "answer": "GRANTED",
        "trace": "Information renseignée par l'occupant le 22/11/2026 conformément au règlement général sur"
        " la protection des données (RGPD)",
    }
    assert (await claire.ask(answer, id=dwelling["id"], granted=False))["answerConsent"]["consent"][
        "answer"
    ] == "REFUSED"


async def test_two_factor_sign_in_is_enrolled_used_and_removed(claire: Any) -> None:
    """Started, confirmed, required at the next sign-in, replaced by a recovery code, removed."""
    begin = (
        "mutation ($p: String!) { startSecondFactor(password: $p) { "
        "... on SecondFactorStarted { secret uri } ... on RequestRefused { code } } }"
    )
    confirm = (
        "mutation ($c: String!) { confirmSecondFactor(code: $c) "
        "{ ... on SecondFactorEnrolled { recoveryCodes signedIn { token state } } "
        "... on Refusal { code } } }"
    )
    give = (
        "mutation ($c: String!) { verifySecondFactor(code: $c) { ... on SignedIn { token state } "
        "... on CodeInvalid { code attemptsLeft } } }"
    )
    assert (await claire.ask(begin, p="wrong"))["startSecondFactor"] == {"code": "PASSWORD_WRONG"}
    app = pyotp.TOTP((await claire.ask(begin, p=PASSWORD))["startSecondFactor"]["secret"])
    assert (await claire.ask(confirm, c="nonsense"))["confirmSecondFactor"] == {"code": "CODE_INVALID"}
    enrolled = (await claire.ask(confirm, c=app.at(NOW)))["confirmSecondFactor"]
    claire.client.cookies.clear()
    assert enrolled["signedIn"]["state"] == "READY"
    session = (await claire.ask(SIGN_IN, email=EMAIL, password=PASSWORD))["signIn"]
    claire.client.cookies.clear()
    claire.token = session["token"]
    assert session["state"] == "MUST_VERIFY_SECOND_FACTOR"
    assert await claire.refusal("{ viewer { email } }") == {"code": "MUST_VERIFY_SECOND_FACTOR"}
    replayed = (await claire.ask(give, c=app.at(NOW)))["verifySecondFactor"]
    assert replayed == {"code": "CODE_INVALID", "attemptsLeft": None}
    given = (await claire.ask(give, c=enrolled["recoveryCodes"][0]))["verifySecondFactor"]
    claire.client.cookies.clear()
    claire.token = given["token"]
    assert (await claire.ask("{ viewer { secondFactor } }"))["viewer"] == {"secondFactor": True}
    removed = "... on SecondFactorRemoved { removed }"
    remove = "mutation ($p: String!) { removeSecondFactor(password: $p) { " + removed + " } }"
    assert (await claire.ask(remove, p=PASSWORD))["removeSecondFactor"] == {"removed": True}


async def test_sessions_are_listed_renewed_and_ended(claire: Any) -> None:
    """By their owner, through the API."""
    for _ in range(2):
        await claire.ask(SIGN_IN, email=EMAIL, password=PASSWORD)
        claire.client.cookies.clear()
    sessions = (await claire.ask("{ viewer { sessions { id current address } } }"))["viewer"]["sessions"]
    assert [one["current"] for one in sessions].count(True) == 1
    other = next(one["id"] for one in sessions if not one["current"])
    revoke = """mutation ($id: ID!) { revokeSession(id: $id) {
        ... on SessionsEnded { count }
        ... on Refusal { code field } } }"""
    assert (await claire.ask(revoke, id=other))["revokeSession"] == {"count": 1}
    assert (await claire.refused(revoke, id=other))["code"] == "NOT_FOUND"
    renewed = (
        await claire.ask("""mutation { renewSession {
        ... on SignedIn { token state }
        ... on Refusal { code field } } }""")
    )["renewSession"]
    claire.client.cookies.clear()
    assert await claire.refusal("{ viewer { id } }") == {"code": "UNAUTHENTICATED"}
    claire.token = renewed["token"]
    assert (
        await claire.ask("""mutation { revokeOtherSessions {
        ... on SessionsEnded { count }
        ... on Refusal { code field } } }""")
    )["revokeOtherSessions"] == {"count": 1}


async def test_a_monthly_token_reads_months_alone(claire: Any) -> None:
    """No day, no meter, no alert, no personal data, and no mutation at all."""
    issued = (await claire.ask(TOKEN, scopes=["READ_MONTHLY"]))["createAccessToken"]
    assert issued["accessToken"]["scopes"] == ["READ_MONTHLY"]
    claire.token = issued["token"]
    months = (
        "{ viewer { id dwellings { id monthlyConsumption(fluid: COLD_WATER) { month amount { value } } } } }"
    )
    (dwelling,) = (await claire.ask(months))["viewer"]["dwellings"]
    assert dwelling["monthlyConsumption"]
    for fields in (
        "dwellings { dailyConsumption(fluid: COLD_WATER) { day } }",
        "dwellings { dashboard { label } }",
        "dwellings { meters { serial } }",
        "dwellings { activeAlertCount }",
        "dwellings { pastAlerts { totalCount } }",
        "dwellings { consent { answer } }",
        "email",
        "phone",
        "notifications { topic }",
        "sessions { id }",
        "accessTokens { id }",
    ):
        response = await claire.post("{ viewer { " + fields + " } }")
        codes = {error["extensions"]["code"] for error in response.json()["errors"]}
        assert codes == {"FORBIDDEN"}, fields
    id_ = dwelling["id"]
    typed = f'{{newPassword: "{NEW}", confirmation: "{NEW}"}}'
    change = f'mutation {{ changePassword(password: "{PASSWORD}", input: {typed}) {{ __typename }} }}'
    for mutation in (
        TOKEN.replace("$scopes: [TokenScope!]!", "")
        .replace("mutation ()", "mutation")
        .replace("$scopes", "[ALERTS]"),
        "mutation { revokeOtherSessions { ... on SessionsEnded { count } ... on Refusal { code field } } }",
        "mutation { renewSession { ... on SignedIn { token } ... on Refusal { code field } } }",
        f"""mutation {{ answerConsent(dwelling: "{id_}", granted: true) {{
            ... on ConsentAnswered {{ consent {{ answer }} }}
            ... on Refusal {{ code field }} }} }}""",
        'mutation { updateContact(input: {firstName: "X"}) { __typename } }',
        "mutation { chooseNotification(topic: LEAK, byEmail: false) { __typename } }",
        """mutation { acceptTerms(version: "1") {
            ... on AccountChanged { viewer { id } }
            ... on Refusal { code field } } }""",
        change,
        f'mutation {{ startSecondFactor(password: "{PASSWORD}") {{ __typename }} }}',
        'mutation { verifySecondFactor(code: "1") { __typename } }',
        f'mutation {{ requestEmailChange(email: "a@b.example", password: "{PASSWORD}") {{ __typename }} }}',
        "mutation { requestPhoneCode { __typename } }",
        """mutation { submitTelegrams(lines: []) {
            ... on TelegramsSubmitted { lines }
            ... on Refusal { code field } } }""",
    ):
        assert (await claire.refusal(mutation))["code"] == "FORBIDDEN", mutation


async def test_a_revoked_token_is_refused(claire: Any) -> None:
    """From the next request on; it is no longer listed."""
    session = claire.token
    issued = (await claire.ask(TOKEN, scopes=["ALERTS"]))["createAccessToken"]
    claire.token = issued["token"]
    assert (await claire.ask("{ viewer { dwellings { activeAlertCount } } }"))["viewer"]["dwellings"]
    claire.token = session
    revoke = """mutation ($id: ID!) { revokeAccessToken(id: $id) {
        ... on AccessTokenRevoked { id }
        ... on Refusal { code field } } }"""
    await claire.ask(revoke, id=issued["accessToken"]["id"])
    assert (await claire.ask("{ viewer { accessTokens { id } } }"))["viewer"]["accessTokens"] == []
    claire.token = issued["token"]
    assert await claire.refusal("{ viewer { id } }") == {"code": "UNAUTHENTICATED"}
