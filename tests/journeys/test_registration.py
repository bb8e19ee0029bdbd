"""From the flyer in the letter box to the dashboard, over HTTP, for both operators of the seeds."""

import re

from core.bootstrap import House
from core.models import Account
from core.services.vault import Vault
from tests.graphql.conftest import Portal, door, portal  # noqa: F401 - fixtures
from tests.support.sign_up import Applicant, describe, letters_to

EMAIL = "marcialemars@example.org"
PASSWORD = "Vierzon&Quimper&Lot7"
SIGN_IN = """mutation ($email: String!, $password: String!) {
  signIn(input: {email: $email, password: $password}) {
    __typename
    ... on SignedIn { token viewer { email dwellings { id number visibleFrom } } }
    ... on SignInRefused { code message }
  }
}"""


async def test_ista(portal: Portal, house: House, vault: Vault) -> None:  # noqa: F811 - the fixture
    """A serial, the confirmation screen, status and day, options, personal data, six digits, sign-in,
    dashboard.
    """
    await describe(vault, "ista")
    applicant = Applicant(portal.client, "ista")
    await applicant.start()
    found = await applicant.fill("serial", serial="542 361 524", device="UNKNOWN")
    building, dwelling = found["confirmation"]
    assert [(line["label"]["fr"], line["value"]["fr"]) for line in building["lines"]] == [
        ("Nom de l'immeuble :", "Non renseigné"),
        ("Code immeuble ista :", "50001369"),
        ("Adresse :", "RUE DE LA GARNISON BATIMENT D,34300 LE CAP D AGDE"),
    ]
    assert [(line["label"]["fr"], line["value"]["fr"]) for line in dwelling["lines"]] == [
        ("Code / numéro :", "5151 0008"),
        ("Bâtiment :", "01"),
        ("Code logement ista :", "01030001"),
        ("Escalier :", "03"),
        ("Étage :", "00"),
    ]
    await applicant.fill("attestation", attested=True)
    await applicant.fill("profile", kind="TENANT", moveIn="2026-05-12", councilMember="NO")
    await applicant.fill("options", leakByEmail=True, leakBySms=True, managerDailyData=True)
    sent = await applicant.fill(
        "personalData",
        civility="MADAME",
        lastName="Marciale",
        firstName="Marseille",
        phone="+33 06 11 54 65 87",
        email=EMAIL,
        password=PASSWORD,
        privacyAcknowledged=True,
    )
    assert EMAIL in sent["screen"]["text"]["fr"]
    ((_, letter),) = await letters_to(EMAIL, house.settings)
    code = re.search(r"\b\d{6}\b", letter.text)
    assert code
    done = await applicant.fill("verification", verificationCode=code[0])
    assert done["screen"]["title"]["fr"] == "Félicitations !"
    assert done["step"] == "COMPLETE"
    signed_in = (await portal.ask(SIGN_IN, email=EMAIL, password=PASSWORD))["signIn"]
    assert signed_in["viewer"]["dwellings"][0]["visibleFrom"] == "2026-05-12"


async def test_ocea(portal: Portal, house: House, vault: Vault) -> None:  # noqa: F811 - the fixture
    """Occupancy, site code, serial, attestation, data, a temporary password by e-mail, first sign-in."""
    await describe(vault, "ocea")
    applicant = Applicant(portal.client, "ocea")
    await applicant.start()
    await applicant.fill("occupancy", kind="TENANT")
    await applicant.fill("siteCode", code="aa 000")
    await applicant.fill("serial", serial="H08CA 029620")
    await applicant.fill("attestation", attested=True, moveIn="2026-03-01")
    await applicant.fill(
        "personalData", lastName="Martin", firstName="Claire", email=EMAIL, privacyAcknowledged=True
    )
    ((_, letter),) = await letters_to(EMAIL, house.settings)
    password = re.search(r"[0-9A-Z]{5}(?:-[0-9A-Z]{5}){3}", letter.text)
    assert password
    assert await Account.filter(email=EMAIL).count() == 0
    signed_in = (await portal.ask(SIGN_IN, email=EMAIL, password=password[0]))["signIn"]
    assert signed_in["__typename"] == "SignedIn", signed_in
