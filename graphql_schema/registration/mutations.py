"""Registration: from the operator's flyer to the account (R-017 to R-061, R-145 to R-226).

`startRegistration` returns a token and the first forms; `answerRegistration` takes one form at a time. The
one rule: all are mutations, reads included, so that the token is never part of a URL.
"""

from typing import Annotated, TypeAlias

import strawberry

from core.services.registration import flow as service
from core.services.registration.activation import correct_email, send_again
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.registration.inputs import RegistrationAnswer
from graphql_schema.registration.types import Registration, RegistrationResult


@strawberry.type(description="The registration was deleted with everything that was entered.")
class RegistrationCancelled:
    cancelled: bool


CancelRegistrationResult: TypeAlias = Annotated[
    RegistrationCancelled | RequestRefused, strawberry.union("CancelRegistrationResult")
]


@strawberry.type
class RegistrationMutation:
    @answered(
        "Start a registration with an operator; `operators` lists them. `language`: that of its messages, by "
        "default the reader's."
    )
    async def start_registration(
        self, info: Info, operator: str, language: Language | None = None
    ) -> RegistrationResult:
        context = info.context
        spoken = await context.language(language)
        return Registration.of(
            await service.start(
                context.application, operator, language=spoken, visitor=context.visitor, now=context.now
            )
        )

    @answered("Get the state of a registration, to resume it on any device.")
    async def resume_registration(self, info: Info, token: str) -> RegistrationResult:
        return Registration.of(await service.resume(info.context.application, token, now=info.context.now))

    @answered("Send one of the forms that the current step offers.")
    async def answer_registration(
        self, info: Info, token: str, answer: RegistrationAnswer
    ) -> RegistrationResult:
        context = info.context
        context.try_sign_in()
        given = answer.filled()
        return Registration.of(
            await service.answer(context.application, token, given, visitor=context.visitor, now=context.now)
        )

    @answered("Reject the dwelling that was found («Ce n'est pas mon logement») and go back to the search.")
    async def reject_registration_dwelling(self, info: Info, token: str) -> RegistrationResult:
        return Registration.of(
            await service.reject_dwelling(info.context.application, token, now=info.context.now)
        )

    @answered("Go back to the previous step.")
    async def go_back_in_registration(self, info: Info, token: str) -> RegistrationResult:
        return Registration.of(await service.go_back(info.context.application, token, now=info.context.now))

    @answered("Send a new code or temporary password («Renvoyer le code»).")
    async def resend_registration_secret(self, info: Info, token: str) -> RegistrationResult:
        context = info.context
        return Registration.of(
            await send_again(context.application, token, visitor=context.visitor, now=context.now)
        )

    @answered("Correct the e-mail address («Corriger mon adresse email»).")
    async def correct_registration_email(self, info: Info, token: str, email: str) -> RegistrationResult:
        context = info.context
        return Registration.of(
            await correct_email(context.application, token, email, visitor=context.visitor, now=context.now)
        )

    @answered("Cancel the registration («Annuler ma demande») and delete everything that was entered.")
    async def cancel_registration(self, info: Info, token: str) -> CancelRegistrationResult:
        await service.cancel(token, visitor=info.context.visitor, now=info.context.now)
        return RegistrationCancelled(cancelled=True)
