"""A registration asked of the services, without HTTP.

In: an application, and answers to forms. Out: a registration's token, its view after the answers, the mailed
code. The one rule: the answers are those of the guide's resident, unless a test gives others.
"""

from datetime import date
from typing import Any

from core.access import Visitor
from core.bootstrap import Application
from core.language import Language
from core.operators import OccupancyKind
from core.registration.answers import SerialAnswer, VerificationAnswer
from core.registration.machine import Attestation, Options, PersonalData, ProfileAnswer
from core.services.registration import flow
from core.services.registration.storage import RegistrationView
from tests.support.sign_up import NOW, code_for

VISITOR = Visitor("203.0.113.7")
EMAIL = "marcialemars@example.org"


async def begin(application: Application, operator: str = "ista") -> str:
    """Start a registration; answers its token."""
    view = await flow.start(application, operator, language=Language.FR, visitor=VISITOR, now=NOW)
    assert view.token
    return view.token


async def answer(application: Application, token: str, *answers: Any) -> RegistrationView:
    """Give the answers in order; answers the view after the last."""
    view = None
    for one in answers:
        view = await flow.answer(application, token, one, visitor=VISITOR, now=NOW)
    assert view is not None
    return view


def ista_answers(email: str = EMAIL, serial: str = "542 361 524") -> tuple[Any, ...]:
    """ista's answers from the serial to the personal data, which a code follows."""
    return (
        SerialAnswer(serial),
        Attestation(attested=True),
        ProfileAnswer(OccupancyKind.TENANT, date(2026, 5, 12)),
        Options(leak_by_sms=True),
        PersonalData(
            last_name="Marciale",
            first_name="Marseille",
            email=email,
            phone="+33 06 11 54 65 87",
            password="Vierzon&Quimper&Lot7",
            privacy_acknowledged=True,
        ),
    )


async def mailed_code(application: Application, email: str = EMAIL) -> VerificationAnswer:
    """The code of the last e-mail to an address, as the answer to the step that asks for it."""
    return VerificationAnswer(await code_for(email, application))
