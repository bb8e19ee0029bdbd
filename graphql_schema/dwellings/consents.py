"""The consent to the manager's look at daily data: the question, the answer, and its trace (R-063, R-106)."""

from datetime import datetime

import strawberry

from core.services.occupancy.consents import ConsentAnswer, ConsentView, answer_consent
from core.texts.consents import consent_trace
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import number_of

strawberry.enum(ConsentAnswer, description="UNANSWERED counts as REFUSED, and the question is asked again.")


@strawberry.type(description="The consent to the manager's access to daily data of the viewer's occupancy.")
class Consent:
    view: strawberry.Private[ConsentView]
    answer: ConsentAnswer
    recorded_at: datetime | None
    by_manager: bool = strawberry.field(description="Whether a manager recorded the answer.")

    @classmethod
    def of(cls, view: ConsentView) -> "Consent":
        return cls(view=view, answer=view.answer, recorded_at=view.recorded_at, by_manager=view.by_manager)

    @resolved("The text of the question, word for word.")
    async def question(self, info: Info, language: Language | None = None) -> str:
        return self.view.question.in_language(await info.context.language(language))

    @resolved("`Information renseignée par l'occupant le 07/09/2022 …`; null until there is an answer.")
    async def trace(self, info: Info, language: Language | None = None) -> str | None:
        if self.view.recorded_on is None:
            return None
        spoken = await info.context.language(language)
        return consent_trace(self.view.recorded_on, spoken, by_manager=self.by_manager)


@strawberry.type
class ConsentMutation:
    @resolved("Answer the consent question of a dwelling, at any time; the answer takes effect at once.")
    async def answer_consent(self, info: Info, dwelling: strawberry.ID, granted: bool) -> Consent:  # noqa: FBT001 - an answer
        context = info.context
        view = await answer_consent(
            context.application,
            await context.viewer(),
            number_of(dwelling, "Dwelling", field="dwelling"),
            granted=granted,
            visitor=context.visitor,
            now=context.now,
        )
        return Consent.of(view)
