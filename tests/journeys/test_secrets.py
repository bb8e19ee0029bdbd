"""No password, code, token, key or serial in any log line, error or audit text, over an account's life."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest

from core.access import SYSTEM
from core.bootstrap import Application
from core.models import Account, Channel, OutboxMessage
from core.services.messaging.delivery import claim_next
from core.services.places.key_encryption import KeyEncryption
from core.services.portfolio.gateways import issue_gateway_key
from core.services.shared.audit import acts_on
from core.services.shared.transaction import current_database
from graphql_schema.asgi import build_app
from notifications.worker import OutboxWorker, ways_of
from tests.support import factories
from tests.support.factories import NOW, OPERATOR, PASSWORD
from tests.support.servers.post import sms_centre, smtp_server

EMAIL = "claire.martin@example.org"
SERIAL = "H8CA029620"
KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
WRONG, FIRST, SECOND = "Wrong-Password-11", "Nouveau-Mot-77-Fleuve", "Encore-Autre-88-Nuage"
PHONE = "+33611546587"
NEW_EMAIL = "claire@new.example"


class Journey:
    """Asks as a browser without cookies, and keeps every answer's errors and refusals."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.token: str | None = None
        self.reported: list[str] = []

    async def ask(self, field: str, answer: str, **arguments: str) -> dict[str, Any]:
        """One mutation with text arguments as variables; answers the field."""
        given = ", ".join(f"${name}: String!" for name in arguments)
        query = f"mutation {f'({given})' if given else ''} {{ it: {field} {{ {answer} }} }}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self._client.cookies.clear()
        body = {"query": query, "variables": arguments}
        answered = (await self._client.post("/graphql", json=body, headers=headers)).json()
        self.reported += [repr(error) for error in answered.get("errors", [])]
        it = (answered.get("data") or {}).get("it") or {}
        self.reported += [repr(value) for name, value in it.items() if name in {"code", "message", "detail"}]
        if it.get("token", "").startswith("sms_"):
            self.token = it["token"]
        return it


SIGN_IN = "signIn(input: {email: $email, password: $password})"
SESSION = "... on SignedIn { token deviceToken } ... on Refusal { code message detail }"
REFUSED = "... on Refusal { code message detail }"


async def test_no_secret_is_logged_answered_or_recorded(
    application: Application,
    key_encryption: KeyEncryption,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the first wrong password to the lost phone, at DEBUG; nor is one in the clear in a table."""
    meter = factories.meter(
        printed_serial=SERIAL, vendor="itron", radio_address="ITW-48349952-33-07", key=KEY
    )
    await factories.residence(key_encryption, meter)
    await Account.all().update(phone_e164=PHONE, leak_by_sms=False)
    for name in logging.root.manager.loggerDict:
        if name.split(".")[0] in {"core", "graphql_schema", "notifications", "strawberry", "graphql"}:
            logging.getLogger(name).setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    secrets = {PASSWORD, WRONG, FIRST, SECOND, SERIAL, KEY.hex(), KEY.hex().upper()}
    secrets.add(await issue_gateway_key(SYSTEM, operator_code=OPERATOR, name="roof", now=NOW))
    clock = [NOW]
    transport = httpx.ASGITransport(build_app(application, clock=lambda: clock[0]))
    with sms_centre(monkeypatch), smtp_server() as (box, port):
        settings = replace(
            application.settings,
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="PLAIN",
            mail_from="p@x.org",
            vonage_api_key="k",
            vonage_api_secret="an SMS account's secret",
        )
        secrets.add(settings.vonage_api_secret)
        room = OutboxWorker(
            replace(application, settings=settings), ways_of(settings), clock=lambda: clock[0]
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            journey = Journey(client)
            secrets |= await _live(journey, application, room, clock)
        assert len(box.mails) >= 5
    audit = repr(await acts_on(SYSTEM, limit=1_000))
    outbox = repr([dict(row) for row in await OutboxMessage.all()])
    stored = ""
    for table in ("account", "session", "challenge", "device", "access_token", "recovery_code"):
        stored += repr(await current_database().execute_query_dict(f"SELECT * FROM {table}"))
    reported = "\n".join(journey.reported)
    assert len(secrets) > 30
    assert "SIGN_IN_REFUSED" in reported
    assert "PASSWORD_RESET" in audit
    assert "was sent by EMAIL" in caplog.text
    for secret in secrets:
        for place, text in {"log": caplog.text, "errors": reported, "audit": audit}.items():
            assert secret not in text, (place, secret)
        if secret != SERIAL:
            assert secret not in outbox
            assert secret not in stored
    for personal in (EMAIL, NEW_EMAIL, PHONE):
        assert personal not in caplog.text
        assert personal not in audit


async def _live(journey: Journey, application: Application, room: OutboxWorker, clock: list[Any]) -> set[str]:
    """Use every part of an account; answers every secret that was issued."""
    secrets: set[str] = set()

    def seen(*values: str | None) -> None:
        secrets.update(value for value in values if value)

    await journey.ask(SIGN_IN, SESSION, email=EMAIL, password=WRONG)
    await journey.ask(SIGN_IN, SESSION, email="nobody@example.org", password=WRONG)
    session = await journey.ask(SIGN_IN, SESSION, email=EMAIL, password=PASSWORD)
    seen(session["token"], session["deviceToken"])
    new = "input: {newPassword: $new, confirmation: $new}"
    for password in (WRONG, PASSWORD):
        answer = await journey.ask(f"changePassword(password: $old, {new})", SESSION, old=password, new=FIRST)
        seen(answer.get("token"))
    await journey.ask("requestPhoneCode", REFUSED)
    code = await _encrypted(application, "phone_code")
    for shown in ("000 000", code, code):
        await journey.ask("confirmPhone(code: $code)", REFUSED, code=shown)
    seen(code)
    await journey.ask("requestEmailChange(email: $to, password: $p)", REFUSED, to=NEW_EMAIL, p=WRONG)
    await journey.ask("requestEmailChange(email: $to, password: $p)", REFUSED, to="no address", p=FIRST)
    clock[0] += timedelta(minutes=2)
    await journey.ask("requestEmailChange(email: $to, password: $p)", REFUSED, to=NEW_EMAIL, p=FIRST)
    code = await _encrypted(application, "email_code")
    await journey.ask("confirmEmailChange(code: $code)", REFUSED, code=code)
    seen(code)
    begun = await journey.ask(
        "startSecondFactor(password: $p)", "... on SecondFactorStarted { secret uri }", p=FIRST
    )
    app = pyotp.TOTP(begun["secret"])
    enrolled = await journey.ask(
        "confirmSecondFactor(code: $code)",
        "... on SecondFactorEnrolled { recoveryCodes signedIn { token } }",
        code=app.at(clock[0]),
    )
    seen(begun["secret"], begun["uri"], app.at(clock[0]), *enrolled["recoveryCodes"])
    journey.token = enrolled["signedIn"]["token"]
    made = await journey.ask(
        'createAccessToken(name: "HA", scopes: [READ_DAILY])', "... on AccessTokenIssued { token }"
    )
    seen(journey.token, made["token"])
    await room.send_due()
    await journey.ask("requestPasswordReset(email: $email)", REFUSED, email=NEW_EMAIL)
    message = await claim_next(application, "tests", [Channel.EMAIL], now=clock[0])
    assert message is not None
    link = str(message.values["link"]).partition("#")[2]
    reset = f"resetPassword(token: $token, {new})"
    for shown in ("smf_wrong", link, link):
        await journey.ask(reset, REFUSED, token=shown, new=SECOND)
    seen(link)
    session = await journey.ask(SIGN_IN, SESSION, email=NEW_EMAIL, password=SECOND)
    for shown in (app.at(clock[0]), enrolled["recoveryCodes"][0]):
        answer = await journey.ask("verifySecondFactor(code: $code)", SESSION, code=shown)
        seen(answer.get("token"))
    await journey.ask("signOut", "... on SignedOut { sessionEnded }")
    clock[0] += timedelta(minutes=6)
    await room.send_due()
    return secrets


async def _encrypted(application: Application, template: str) -> str:
    from core.services.messaging.account_messages import opened_values  # noqa: PLC0415 - as the worker does

    row = await OutboxMessage.filter(template=template).order_by("-id").first()
    assert row is not None
    return str(opened_values(row, application.settings)["code"])
