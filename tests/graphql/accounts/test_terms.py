"""Terms of use over HTTP: they can be read before they are accepted."""

from typing import Any

import pytest

from core.models import Account
from tests.graphql.accounts.test_accounts import EMAIL, SIGN_IN
from tests.support.factories import PASSWORD

TERMS = """terms { version fr: text(language: FR) en: text(language: EN)
  frenchUrl: url(language: FR) englishUrl: url(language: EN) }"""
NOTICE = """{ operators { privacyNotice { version url
  purposeFr: purpose(language: FR) purposeEn: purpose(language: EN)
  rightsFr: rights(language: FR) rightsEn: rights(language: EN) } } }"""
ACCEPT = """mutation ($v: String!) { acceptTerms(version: $v) {
  ... on AccountChanged { viewer { state } } ... on Refusal { code } } }"""


@pytest.mark.requirement("R-062", "C-38")
async def test_terms_are_read_before_they_are_accepted(portal: Any, home: Any) -> None:
    """By a session that sees nothing else yet, and by anybody; the version that was read is accepted."""
    await Account.all().update(terms_version="2025-01")
    session = (await portal.ask(SIGN_IN, email=EMAIL, password=PASSWORD))["signIn"]
    portal.client.cookies.clear()
    assert session["state"] == "MUST_ACCEPT_TERMS"
    operators = (await portal.ask(f"{{ operators {{ code {TERMS} }} }}"))["operators"]
    (public,) = [one["terms"] for one in operators if one["code"] == "ocea"]
    portal.token = session["token"]
    read = (await portal.ask(f"{{ viewer {{ {TERMS} }} }}"))["viewer"]["terms"]
    assert read == public
    assert read["fr"].startswith("Conditions générales d'utilisation")
    assert read["en"].startswith("Terms of use")
    for operator in (await portal.ask(NOTICE))["operators"]:
        assert all(operator["privacyNotice"].values())
        assert len(operator["privacyNotice"]) == 6
    data = "{ viewer { dwellings { id } } }"
    assert await portal.refusal(data) == {"code": "MUST_ACCEPT_TERMS"}
    assert (await portal.ask(ACCEPT, v=read["version"]))["acceptTerms"]["viewer"]["state"] == "READY"
    assert (await Account.get()).terms_version == read["version"]
    assert len((await portal.ask(data))["viewer"]["dwellings"]) == 1
