"""A registration as clients see it: the current step, all stages, the next forms, and refusals.

The one rule: a frontend needs no knowledge of the operator's journey. A form's `name` is its key in
`RegistrationAnswer`, and a field's `name` the key within it.
"""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry
from strawberry.utils.str_converters import to_camel_case

from core.errors import RateLimited
from core.operators import WORDS, Path, Step
from core.registration.confirmation import Block as ConfirmationBlock
from core.registration.forms import Choice as FormChoice
from core.registration.forms import FieldKind, FormField
from core.registration.forms import Form as StepForm
from core.registration.refusals import RefusalCode, RegistrationRefused
from core.services.registration.identification import ResidenceCandidate as Candidate
from core.services.registration.storage import RegistrationView
from graphql_schema.base.addresses import ResidenceAddress
from graphql_schema.base.relay import global_id
from graphql_schema.base.texts import Text
from graphql_schema.base.views import shown
from graphql_schema.registration.operators import PasswordCriterion

strawberry.enum(Step, name="RegistrationStep", description="A step of a registration.")
strawberry.enum(Path, name="IdentificationPath", description="A way to find a residence or dwelling.")
strawberry.enum(FieldKind, name="RegistrationFieldKind", description="The input control of a field.")
strawberry.enum(RefusalCode, name="RegistrationErrorCode", description="Why an answer was refused.")


@strawberry.type(description="A possible value of a field.")
class RegistrationChoice:
    value: str
    label: Text
    explanation: Text | None

    @classmethod
    def of(cls, choice: FormChoice) -> "RegistrationChoice":
        return cls(
            value=choice.value, label=Text.of(choice.label), explanation=Text.maybe(choice.explanation)
        )


@strawberry.type(
    description="A field of a form. A BOOLEAN field has no default: nothing is ticked in advance."
)
class RegistrationField:
    name: str
    kind: FieldKind
    label: Text
    required: bool
    choices: list[RegistrationChoice]
    example: str | None
    pattern: str | None
    help: Text | None

    @classmethod
    def of(cls, field: FormField) -> "RegistrationField":
        return shown(
            cls,
            field,
            name=to_camel_case(field.name),
            label=Text.of(field.label),
            choices=[RegistrationChoice.of(choice) for choice in field.choices],
            help=Text.maybe(field.help),
        )


@strawberry.type(
    description="A form that answers the current step. Send it as `{name: {field: value, ...}}`."
)
class RegistrationForm:
    name: str
    title: Text
    hint: Text | None
    fields: list[RegistrationField]

    @classmethod
    def of(cls, form: StepForm) -> "RegistrationForm":
        return cls(
            name=to_camel_case(form.name.value.lower()),
            title=Text.of(form.title),
            hint=Text.maybe(form.hint),
            fields=[RegistrationField.of(field) for field in form.fields],
        )


@strawberry.type(description="A stage of the registration as residents see it; it may cover several steps.")
class RegistrationStage:
    title: Text
    steps: list[Step]
    done: bool
    current: bool


@strawberry.type(description="A label and its value; `known` is false for «Non renseigné».")
class ConfirmationLine:
    label: Text
    value: Text
    known: bool


@strawberry.type(description="The building or dwelling that was found and has to be confirmed.")
class Confirmation:
    title: Text
    lines: list[ConfirmationLine]

    @classmethod
    def of(cls, block: ConfirmationBlock) -> "Confirmation":
        lines = [
            ConfirmationLine(label=Text.of(line.label), value=Text.of(line.value), known=line.known)
            for line in block.lines
        ]
        return cls(title=Text.of(block.title), lines=lines)


@strawberry.type(description="A published residence that matches the address.")
class ResidenceCandidate(ResidenceAddress):
    id: strawberry.ID = strawberry.field(description="To be sent as `{residence: {residence: id}}`.")

    @classmethod
    def of(cls, found: Candidate) -> "ResidenceCandidate":
        return shown(cls, found, id=global_id("Residence", found.id))


@strawberry.type(description="The text of a step: code sent, under review, complete.")
class RegistrationScreen:
    title: Text
    text: Text


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


@strawberry.interface(description="The answer was refused. The registration is unchanged.")
class RegistrationError:
    code: RefusalCode
    message: Text
    field: str | None = strawberry.field(
        description="The name of the form field at fault; null if it is not one field."
    )


@strawberry.type(description="A refusal without details beyond its code.")
class AnswerRefused(RegistrationError):
    pass


@strawberry.type(description="The serial number does not identify the dwelling.")
class SerialRefused(RegistrationError):
    fallback: Path | None = strawberry.field(
        description="Another way to find the dwelling; null if there is none."
    )


@strawberry.type(
    description="The password does not meet the policy. `criteria` lists all criteria, met or not."
)
class PasswordRefused(RegistrationError):
    criteria: list[PasswordCriterion]


@strawberry.type(description="The six-digit code is wrong.")
class CodeRefused(RegistrationError):
    attempts_left: int


@strawberry.type(description="Too many attempts, or a code was requested again too soon.")
class TryLater(RegistrationError):
    retry_after: int = strawberry.field(description="Seconds until the request can be repeated.")


RegistrationResult: TypeAlias = Annotated[
    Registration | AnswerRefused | SerialRefused | PasswordRefused | CodeRefused | TryLater,
    strawberry.union("RegistrationResult"),
]


def refusal_of(failure: RegistrationRefused | RateLimited) -> RegistrationResult:
    """A refusal as part of the answer."""
    if isinstance(failure, RateLimited):
        code = RefusalCode.RATE_LIMITED
        message = Text.of(WORDS[f"error.{code}"])
        return TryLater(code=code, message=message, field=None, retry_after=failure.retry_after_s)
    refusal = failure.refusal
    field = to_camel_case(refusal.field) if refusal.field else None
    message = Text.of(failure.message_text)
    match refusal.code:
        case RefusalCode.SERIAL_FORMAT_UNSUPPORTED | RefusalCode.SERIAL_AMBIGUOUS:
            return SerialRefused(code=refusal.code, message=message, field=field, fallback=refusal.fallback)
        case RefusalCode.PASSWORD_TOO_WEAK:
            criteria = [PasswordCriterion.of(criterion) for criterion in refusal.criteria]
            return PasswordRefused(code=refusal.code, message=message, field=field, criteria=criteria)
        case RefusalCode.CODE_INVALID:
            left = refusal.attempts_left or 0
            return CodeRefused(code=refusal.code, message=message, field=field, attempts_left=left)
        case RefusalCode.CODE_RESEND_TOO_SOON:
            wait = refusal.retry_after_s or 0
            return TryLater(code=refusal.code, message=message, field=field, retry_after=wait)
        case _:
            return AnswerRefused(code=refusal.code, message=message, field=field)


def _stages(view: RegistrationView) -> list[RegistrationStage]:
    profile, step = view.profile, view.draft.step
    reached = profile.steps.index(step) if step in profile.steps else len(profile.steps)
    return [
        RegistrationStage(
            title=Text.of(stage.title),
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
        title=Text.of(view.profile.text(key)),
        text=Text(fr=text.fr.replace("{email}", email), en=text.en.replace("{email}", email)),
    )
