"""Recurring draws: the question whether a burst that comes back at the same hour is somebody's own."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from core.alerting.recurring_draws import DrawAnswer
from core.services.alerts.draw_questions import RecurringDrawView, answer_recurring_draw
from core.texts.alerts import clock_text, meter_label, recurring_draw_title
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, Language, Party
from graphql_schema.base.fields import resolved
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.base.views import shown

strawberry.enum(
    DrawAnswer,
    name="RecurringDrawAnswer",
    description="Whose a recurring draw is. MINE: it raises no alert until it is clearly larger, longer or "
    "at another hour. NOT_MINE: it raises an alert each time.",
)


@strawberry.type(
    description="A burst that comes back at about the same hour, such as watering. Until somebody answers, "
    "only the first one raises an alert."
)
class RecurringDraw:
    id: strawberry.ID
    view: strawberry.Private[RecurringDrawView]
    fluid: Fluid
    meter_serial: str
    starts_at: str = strawberry.field(description="When it begins, by the residence's clock: `22:00`.")
    litres: int = strawberry.field(description="Litres of the larger of the first two draws.")
    draws: int = strawberry.field(description="How often it was seen in the viewer's occupancy.")
    first_on: date
    last_on: date
    answer: DrawAnswer | None = strawberry.field(description="Null until somebody has answered.")
    answered_by: Party | None
    answered_at: datetime | None

    @classmethod
    def of(cls, view: RecurringDrawView) -> "RecurringDraw":
        return shown(
            cls,
            view,
            id=global_id("RecurringDraw", view.id),
            view=view,
            meter_serial=view.printed_serial,
            starts_at=clock_text(view.minute_of_day, Language.EN),
        )

    @resolved("The draw in one line: `Débit élevé récurrent vers 22 h 00 (environ 700 litres)`.")
    async def title(self, info: Info, language: Language | None = None) -> str:
        spoken = await info.context.language(language)
        return recurring_draw_title(self.view.minute_of_day, self.litres, spoken)

    @resolved("The meter: `Eau froide n°H8CA029620`.")
    async def meter_label(self, info: Info, language: Language | None = None) -> str:
        return meter_label(self.fluid, self.meter_serial, await info.context.language(language))


@strawberry.type(
    description="A recurring draw as managers see it: without hour and litres, which are the resident's "
    "personal data."
)
class ManagedRecurringDraw:
    id: strawberry.ID
    draws: int
    answer: DrawAnswer | None
    answered_by: Party | None
    answered_at: datetime | None

    @classmethod
    def known(cls, view: RecurringDrawView | None) -> "ManagedRecurringDraw | None":
        return None if view is None else shown(cls, view, id=global_id("RecurringDraw", view.id))


@strawberry.input
class AnswerRecurringDrawInput:
    id: strawberry.ID
    answer: DrawAnswer


@strawberry.type(description="The answer was recorded. It counts for the draws after it.")
class RecurringDrawAnswered:
    id: strawberry.ID
    answer: DrawAnswer


AnswerRecurringDrawResult: TypeAlias = Annotated[
    RecurringDrawAnswered | RequestRefused, strawberry.union("AnswerRecurringDrawResult")
]


@strawberry.type
class RecurringDrawMutation:
    @answered("Answer whether a recurring draw is one's own, or change the answer.")
    async def answer_recurring_draw(
        self,
        info: Info,
        input: AnswerRecurringDrawInput,  # noqa: A002 - the argument's name in the schema
    ) -> AnswerRecurringDrawResult:
        context = info.context
        await answer_recurring_draw(
            await context.viewer(),
            number_of(input.id, "RecurringDraw"),
            input.answer,
            visitor=context.visitor,
            now=context.now,
        )
        return RecurringDrawAnswered(id=input.id, answer=input.answer)
