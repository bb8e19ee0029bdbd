"""`submeter certificates`: the certificates that operators sign papers with."""

from datetime import UTC, datetime, timedelta

from cyclopts import App

from core.access import SYSTEM
from core.documents.signing import SigningIdentity, SigningUnavailable, identity_at, make_identity, path_of
from core.services.portfolio.operators import list_operators
from submeter.application import opened
from submeter.output import fail, out

certificates = App(name="certificates", help="The certificates that operators sign papers with.")


@certificates.command
async def create(operator: str, *, years: int = 5) -> None:
    """Make a key and a certificate that is signed by itself; an existing one is never replaced.

    Args:
        operator: the operator's code, e.g. ocea.
        years: how long it is valid: 1 to 10.
    """
    if not 1 <= years <= 10:
        fail("A certificate is valid for 1 to 10 years.", code="INVALID_INPUT")
    async with opened() as application:
        name = await _name_of(operator)
        now = datetime.now(UTC)
        try:
            path = path_of(application.settings, operator)
            made = make_identity(path, name, now=now, valid_for=timedelta(days=365 * years))
            identity = identity_at(path, now=now)
        except SigningUnavailable as reason:
            fail(str(reason), code="SIGNATURE_UNAVAILABLE")
    out.print(f"{path} {'was made' if made else 'exists, and was left as it is'}.")
    _print(identity)


@certificates.command
async def show(operator: str) -> None:
    """Show whose certificate an operator signs with, until when it is valid, and its fingerprint.

    Args:
        operator: the operator's code, e.g. ocea.
    """
    async with opened() as application:
        await _name_of(operator)
        try:
            path = path_of(application.settings, operator)
            identity = identity_at(path, now=datetime.now(UTC))
        except SigningUnavailable as reason:
            fail(str(reason), code="SIGNATURE_UNAVAILABLE")
    out.print(f"{path}")
    _print(identity)


async def _name_of(operator: str) -> str:
    """The operator's name; ends the command if there is no such operator."""
    names = await list_operators(SYSTEM)
    if operator not in names:
        fail(f"There is no operator {operator}.", code="NOT_FOUND")
    return names[operator]


def _print(identity: SigningIdentity) -> None:
    out.print(f"{identity.name}, valid until {identity.not_after:%Y-%m-%d}")
    out.print(f"SHA-256 of the certificate: {identity.fingerprint}")
