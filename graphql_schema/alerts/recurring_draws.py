"""Recurring draws: the question whether a burst that comes back at the same hour is somebody's own.

A manager sees that there is one, and the answer; hour and litres are the occupant's.
"""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from core.access.narrowing import Audience, Basis
from core.alerting.recurring_draws import DrawAnswer
from core.services.alerts.draw_questions import RecurringDrawView, answer_recurring_draw
from core.texts.alerts import clock_text, meter_label, recurring_draw_title
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, Language, Party
from graphql_schema.base.narrowing import Narrowed, metadata_of, narrowed, noted
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import Node, global_id, number_of
from graphql_schema.base.texts import worded
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
class RecurringDraw(Node, Narrowed):
    view: strawberry.Private[RecurringDrawView]
    fluid: Fluid
    meter_serial: str
    starts_at: str | None = strawberry.field(
        description=noted("When it begins, by the residence's clock: `22:00`.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    litres: int | None = strawberry.field(
        description=noted("Litres of the larger of the first two draws.", Audience.OCCUPANT),
        metadata=metadata_of(Audience.OCCUPANT),
    )
    draws: int = strawberry.field(description="How often it was seen in the occupancy.")
    first_on: date
    last_on: date
    answer: DrawAnswer | None = strawberry.field(description="Null until somebody has answered.")
    answered_by: Party | None
    answered_at: datetime | None

    @classmethod
    def of(cls, view: RecurringDrawView, basis: Basis, dwelling_id: int) -> "RecurringDraw":
        minute = view.minute_of_day
        return shown(
            cls,
            view,
            id=global_id("RecurringDraw", view.id),
            seen_as=basis,
            dwelling_id=dwelling_id,
            view=view,
            meter_serial=view.printed_serial,
            starts_at=None if minute is None else clock_text(minute, Language.EN),
        )

    @narrowed(
        "The draw in one line: `Débit élevé récurrent vers 22 h 00 (environ 700 litres)`.", Audience.OCCUPANT
    )
    async def title(self, info: Info, language: Language | None = None) -> str | None:
        minute, litres = self.view.minute_of_day, self.litres
        if minute is None or litres is None:
            return None
        return recurring_draw_title(minute, litres, await info.context.language(language))

    @worded("The meter: `Eau froide n°H8CA029620`.")
    def meter_label(self, language: Language) -> str:
        return meter_label(self.fluid, self.meter_serial, language)


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
