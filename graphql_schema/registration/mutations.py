"""Registration: from the operator's flyer to the account (R-017 to R-061, R-145 to R-226).

`startRegistration` returns a token and the first forms; `answerRegistration` takes one form at a time. The
one rule: all are mutations, reads included, so that the token is never part of a URL.
"""

from collections.abc import Awaitable

import strawberry

from core.errors import RateLimited
from core.registration.refusals import RegistrationRefused
from core.services.registration import flow as service
from core.services.registration.activation import correct_email, send_again
from core.services.registration.storage import RegistrationView
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.fields import resolved
from graphql_schema.registration.inputs import RegistrationAnswer
from graphql_schema.registration.types import Registration, RegistrationResult, refusal_of


@strawberry.type(description="The registration was deleted with everything that was entered.")
class RegistrationCancelled:
    cancelled: bool


@strawberry.type
class RegistrationMutation:
    @resolved("Start a registration with an operator; `operators` lists them.")
    async def start_registration(
        self, info: Info, operator: str, language: Language = Language.FR
    ) -> RegistrationResult:
        context = info.context
        return await _answer(
            service.start(
                context.application, operator, language=language, visitor=context.visitor, now=context.now
            )
        )

    @resolved("Get the state of a registration, to resume it on any device.")
    async def resume_registration(self, info: Info, token: str) -> RegistrationResult:
        return await _answer(service.resume(info.context.application, token, now=info.context.now))

    @resolved("Send one of the forms that the current step offers.")
    async def answer_registration(
        self, info: Info, token: str, answer: RegistrationAnswer
    ) -> RegistrationResult:
        context = info.context
        context.try_sign_in()
        given = answer.filled()
        return await _answer(
            service.answer(context.application, token, given, visitor=context.visitor, now=context.now)
        )

    @resolved("Reject the dwelling that was found («Ce n'est pas mon logement») and go back to the search.")
    async def reject_registration_dwelling(self, info: Info, token: str) -> RegistrationResult:
        return await _answer(service.reject_dwelling(info.context.application, token, now=info.context.now))

    @resolved("Go back to the previous step.")
    async def go_back_in_registration(self, info: Info, token: str) -> RegistrationResult:
        return await _answer(service.go_back(info.context.application, token, now=info.context.now))

    @resolved("Send a new code or temporary password («Renvoyer le code»).")
    async def resend_registration_secret(self, info: Info, token: str) -> RegistrationResult:
        context = info.context
        return await _answer(send_again(context.application, token, visitor=context.visitor, now=context.now))

    @resolved("Correct the e-mail address («Corriger mon adresse email»).")
    async def correct_registration_email(self, info: Info, token: str, email: str) -> RegistrationResult:
        context = info.context
        return await _answer(
            correct_email(context.application, token, email, visitor=context.visitor, now=context.now)
        )

    @resolved("Cancel the registration («Annuler ma demande») and delete everything that was entered.")
    async def cancel_registration(self, info: Info, token: str) -> RegistrationCancelled:
        await service.cancel(token, visitor=info.context.visitor, now=info.context.now)
        return RegistrationCancelled(cancelled=True)


async def _answer(asked: Awaitable[RegistrationView]) -> RegistrationResult:
    """The registration or the refusal, as part of the answer."""
    try:
        return Registration.of(await asked)
    except (RegistrationRefused, RateLimited) as failure:
        return refusal_of(failure)
