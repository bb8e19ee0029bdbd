"""The consent to the manager's access to daily data: question, answer and record of it (R-063, R-106)."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from core.services.occupancy.consents import ConsentAnswer, ConsentView, answer_consent
from core.texts.consents import consent_trace
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import number_of
from graphql_schema.base.texts import worded
from graphql_schema.base.views import shown

strawberry.enum(
    ConsentAnswer,
    description="The answer to a consent question. UNANSWERED counts as REFUSED, and is asked again.",
)


@strawberry.type(description="The consent to the manager's access to daily data of the viewer's occupancy.")
class Consent:
    view: strawberry.Private[ConsentView]
    answer: ConsentAnswer
    recorded_at: datetime | None = strawberry.field(
        description="When the answer was recorded; null if there is none."
    )
    by_manager: bool = strawberry.field(description="Whether a manager recorded the answer.")

    @classmethod
    def of(cls, view: ConsentView) -> "Consent":
        return shown(cls, view, view=view)

    @worded("The exact text of the question.")
    def question(self, language: Language) -> str:
        return self.view.question.in_language(language)

    @worded(
        "Who answered and when: `Information renseignée par l'occupant le 07/09/2022 …`; null if there is "
        "no answer."
    )
    def trace(self, language: Language) -> str | None:
        if self.view.recorded_on is None:
            return None
        return consent_trace(self.view.recorded_on, language, by_manager=self.by_manager)


@strawberry.type(description="The answer was recorded.")
class ConsentAnswered:
    consent: Consent


AnswerConsentResult: TypeAlias = Annotated[
    ConsentAnswered | RequestRefused, strawberry.union("AnswerConsentResult")
]


@strawberry.type
class ConsentMutation:
    @answered("Answer the consent question of a dwelling, or change the answer. It takes effect at once.")
    async def answer_consent(self, info: Info, dwelling: strawberry.ID, granted: bool) -> AnswerConsentResult:  # noqa: FBT001 - an answer
        context = info.context
        view = await answer_consent(
            context.application,
            await context.viewer(),
            number_of(dwelling, "Dwelling", field="dwelling"),
            granted=granted,
            visitor=context.visitor,
            now=context.now,
        )
        return ConsentAnswered(consent=Consent.of(view))
