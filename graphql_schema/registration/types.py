"""A registration as clients see it: the current step, all stages, the next forms, and refusals.

The one rule: a frontend needs no knowledge of the operator's journey. A form's `name` is its key in
`RegistrationAnswer`, and a field's `name` the key within it.
"""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry
from strawberry.utils.str_converters import to_camel_case

from core.language import Text as LocalText
from core.operators import WORDS, Step
from core.registration.confirmation import Block as ConfirmationBlock
from core.registration.confirmation import ConfirmationLine as BlockLine
from core.registration.forms import Choice as FormChoice
from core.registration.forms import FieldKind, FormField
from core.registration.forms import Form as StepForm
from core.services.registration.identification import ResidenceCandidate as Candidate
from core.services.registration.storage import RegistrationView
from graphql_schema.base.addresses import ResidenceAddress
from graphql_schema.base.refusals import (
    CodeInvalid,
    PasswordTooWeak,
    RateLimited,
    RequestRefused,
    SerialRefused,
)
from graphql_schema.base.relay import global_id
from graphql_schema.base.texts import optional_text_field, text_field
from graphql_schema.base.views import shown

strawberry.enum(Step, name="RegistrationStep", description="A step of a registration.")
strawberry.enum(FieldKind, name="RegistrationFieldKind", description="The input control of a field.")


@strawberry.type(description="A possible value of a field.")
class RegistrationChoice:
    choice: strawberry.Private[FormChoice]
    value: str
    label = text_field(lambda one: one.choice.label, "What people read, by default in their language.")
    explanation = optional_text_field(lambda one: one.choice.explanation, "More on it; null if clear.")


@strawberry.type(
    description="A field of a form. A BOOLEAN field has no default: nothing is ticked in advance."
)
class RegistrationField:
    field: strawberry.Private[FormField]
    name: str
    kind: FieldKind
    required: bool
    choices: list[RegistrationChoice]
    example: str | None
    pattern: str | None
    label = text_field(lambda one: one.field.label, "What people read, by default in their language.")
    help = optional_text_field(lambda one: one.field.help, "How to fill it in; null if clear.")

    @classmethod
    def of(cls, field: FormField) -> "RegistrationField":
        return shown(
            cls,
            field,
            field=field,
            name=to_camel_case(field.name),
            choices=[shown(RegistrationChoice, choice, choice=choice) for choice in field.choices],
        )


@strawberry.type(
    description="A form that answers the current step. Send it as `{name: {field: value, ...}}`."
)
class RegistrationForm:
    form: strawberry.Private[StepForm]
    name: str
    fields: list[RegistrationField]
    title = text_field(lambda one: one.form.title, "The title, by default in the reader's language.")
    hint = optional_text_field(lambda one: one.form.hint, "What to know before; null if nothing.")

    @classmethod
    def of(cls, form: StepForm) -> "RegistrationForm":
        return cls(
            form=form,
            name=to_camel_case(form.name.value.lower()),
            fields=[RegistrationField.of(field) for field in form.fields],
        )


@strawberry.type(description="A stage of the registration as residents see it; it may cover several steps.")
class RegistrationStage:
    words: strawberry.Private[LocalText]
    steps: list[Step]
    done: bool
    current: bool
    title = text_field(lambda stage: stage.words, "The title, by default in the reader's language.")


@strawberry.type(description="A label and its value; `known` is false for «Non renseigné».")
class ConfirmationLine:
    line: strawberry.Private[BlockLine]
    known: bool
    label = text_field(lambda one: one.line.label, "What people read, by default in their language.")
    value = text_field(lambda one: one.line.value, "The value, by default in the reader's language.")


@strawberry.type(description="The building or dwelling that was found and has to be confirmed.")
class Confirmation:
    block: strawberry.Private[ConfirmationBlock]
    lines: list[ConfirmationLine]
    title = text_field(lambda one: one.block.title, "The title, by default in the reader's language.")

    @classmethod
    def of(cls, block: ConfirmationBlock) -> "Confirmation":
        return cls(block=block, lines=[shown(ConfirmationLine, line, line=line) for line in block.lines])


@strawberry.type(description="A published residence that matches the address.")
class ResidenceCandidate(ResidenceAddress):
    id: strawberry.ID = strawberry.field(description="To be sent as `{residence: {residence: id}}`.")

    @classmethod
    def of(cls, found: Candidate) -> "ResidenceCandidate":
        return shown(cls, found, id=global_id("Residence", found.id))


@strawberry.type(description="The text of a step: code sent, under review, complete.")
class RegistrationScreen:
    heading: strawberry.Private[LocalText]
    words: strawberry.Private[LocalText]
    title = text_field(lambda screen: screen.heading, "The title, by default in the reader's language.")
    text = text_field(lambda screen: screen.words, "The text, by default in the reader's language.")


@strawberry.type(description="A registration in progress.")
class Registration:
    token: str | None = strawberry.field(
        description="The token for every later step. It is returned by `startRegistration` only; null "
        "afterwards."
    )
    operator: str
    step: Step
    stages: list[RegistrationStage]
    forms: list[RegistrationForm] = strawberry.field(
        description="The forms that can be sent next, the usual one first; empty if none is expected."
    )
    confirmation: list[Confirmation] = strawberry.field(
        description="The building or dwelling to confirm; empty at other steps."
    )
    candidates: list[ResidenceCandidate] = strawberry.field(
        description="The published residences that match the address that was sent."
    )
    screen: RegistrationScreen | None
    expires_at: datetime

    @classmethod
    def of(cls, view: RegistrationView) -> "Registration":
        profile, draft = view.profile, view.draft
        return cls(
            token=view.token,
            operator=profile.code,
            step=draft.step,
            stages=_stages(view),
            forms=[RegistrationForm.of(form) for form in view.forms],
            confirmation=[Confirmation.of(block) for block in view.confirmation],
            candidates=[ResidenceCandidate.of(found) for found in view.candidates],
            screen=_screen(view),
            expires_at=view.expires_at,
        )


RegistrationResult: TypeAlias = Annotated[
    Registration | RequestRefused | SerialRefused | PasswordTooWeak | CodeInvalid | RateLimited,
    strawberry.union("RegistrationResult"),
]


def _stages(view: RegistrationView) -> list[RegistrationStage]:
    profile, step = view.profile, view.draft.step
    reached = profile.steps.index(step) if step in profile.steps else len(profile.steps)
    return [
        RegistrationStage(
            words=stage.title,
            steps=list(stage.steps),
            done=profile.steps.index(stage.steps[-1]) < reached,
            current=step in stage.steps,
        )
        for stage in profile.stages
    ]


def _screen(view: RegistrationView) -> RegistrationScreen | None:
    key = f"screen.{view.draft.step}"
    if key not in WORDS:
        return None
    text = view.profile.text(f"{key}.text")
    email = view.draft.email
    return RegistrationScreen(
        heading=view.profile.text(key),
        words=LocalText(text.fr.replace("{email}", email), text.en.replace("{email}", email)),
    )
