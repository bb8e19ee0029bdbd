"""Operators: what a metering company publishes before sign-in (R-112, R-147, R-165, R-211)."""

from functools import partial
from typing import Annotated, TypeAlias

import strawberry

from core.access.passwords import OwnData, check_password, failed
from core.bootstrap import Application
from core.errors import InvalidInput
from core.language import Text as LocalText
from core.operators import ActivationMode, OperatorProfile
from core.operators import HelpPage as Page
from core.operators import PrivacyNotice as Notice
from core.services.auth.passwords import judged
from core.services.registration.rate_limits import count_password_check
from core.services.registration.support import ask_for_support
from core.texts.retention import CONSUMPTION_PERIODS
from graphql_schema.base.context import Context, Info
from graphql_schema.base.enums import Fluid
from graphql_schema.base.fields import resolved
from graphql_schema.base.refusals import PasswordCriterion, RateLimited, RequestRefused, answered
from graphql_schema.base.texts import optional_text_field, text_field, texts_field
from graphql_schema.base.views import shown

LONGEST_OWN_DATUM = 254

strawberry.enum(ActivationMode, description="How an applicant proves control of the mailbox.")


@strawberry.type(description="The contact data of an operator.")
class Contact:
    name: str
    email: str
    phone: str
    address: str
    website: str


@strawberry.type(description="The operator's privacy notice (Article 13 GDPR).")
class PrivacyNotice:
    notice: strawberry.Private[Notice]
    version: str
    url: str
    purpose = text_field(lambda one: one.notice.purpose, "What the data are for.")
    legal_basis = text_field(lambda one: one.notice.legal_basis, "The legal basis.")
    retention = text_field(lambda one: one.notice.retention, "How long the data are kept.")
    consumption_retention = text_field(
        lambda _one: CONSUMPTION_PERIODS, "How long readings and volumes are kept: what is deleted, and when."
    )
    rights = text_field(lambda one: one.notice.rights, "The rights of the persons concerned.")
    contact = text_field(lambda one: one.notice.contact, "Whom to write to.")


@strawberry.type(
    description="The terms of use, to be read before they are accepted: at `url`, in `text`, or in both."
)
class TermsOfUse:
    profile: strawberry.Private[OperatorProfile]
    version: str = strawberry.field(description="To be sent with `acceptTerms`.")
    url = optional_text_field(
        lambda terms: terms.profile.terms_url, "Where they are read; null if only `text` has them."
    )
    text = optional_text_field(
        lambda terms: terms.profile.terms_text,
        "The terms themselves, lines separated by line breaks; null if they are only at `url`.",
    )

    @classmethod
    def of(cls, profile: OperatorProfile | None) -> "TermsOfUse | None":
        if profile is None or profile.terms_version is None:
            return None
        return cls(profile=profile, version=profile.terms_version)


@strawberry.type(description="A help page: where the serial number is found on a kind of device.")
class HelpPage:
    page: strawberry.Private[Page]
    fluid: Fluid | None = strawberry.field(
        description="The fluid whose devices the page is about; null if it is about all devices."
    )
    guide_url: str | None = strawberry.field(
        description="Where the guide to meters is downloaded: the operator's own, or this application's; "
        "null if there is none."
    )
    title = text_field(lambda one: one.page.title, "The title.")
    items = texts_field(lambda one: one.page.items, "The steps, in order.")
    guide_label = optional_text_field(
        lambda one: one.page.guide_label, "The label of the link to `guideUrl`; null if there is none."
    )

    @classmethod
    def of(cls, page: Page, own_guide: str) -> "HelpPage":
        link = page.guide_url or (own_guide if page.guide_label else None)
        return shown(cls, page, page=page, guide_url=link)


@strawberry.type(description="A text of the registration pages, by its key: `button.cancel`, `page.title`.")
class Label:
    words: strawberry.Private[LocalText]
    key: str
    text = text_field(lambda label: label.words, "The text, by default in the reader's language.")


@strawberry.type(description="A metering company whose residents can register.")
class Operator:
    profile: strawberry.Private[OperatorProfile]
    code: str
    name: str
    portal_name: str
    portal_url: str
    registration_url: str
    activation: ActivationMode
    allow_non_occupant_owner: bool
    terms_version: str | None = strawberry.field(
        description="The version of the terms of use; null if there are none."
    )
    terms: TermsOfUse | None = strawberry.field(
        description="The terms of use in force; null if there are none."
    )
    contact: Contact
    privacy_notice: PrivacyNotice
    password_criteria: list[PasswordCriterion] = strawberry.field(
        description="The criteria of the password policy, as `checkPassword` returns them for an empty "
        "password."
    )
    labels: list[Label] = strawberry.field(description="The texts of the registration pages and buttons.")

    @classmethod
    def of(cls, application: Application, profile: OperatorProfile) -> "Operator":
        notice = profile.privacy
        return shown(
            cls,
            profile,
            profile=profile,
            portal_url=application.portal_link(profile.code),
            registration_url=application.registration_page(profile.code),
            terms=TermsOfUse.of(profile),
            contact=shown(Contact, profile.contact),
            privacy_notice=shown(PrivacyNotice, notice, notice=notice),
            password_criteria=[
                PasswordCriterion.of(criterion) for criterion in check_password(profile.password_policy, "")
            ],
            labels=[Label(key=key, words=profile.text(key)) for key in profile.keys_of("page.", "button.")],
        )

    @resolved("Where the serial number is found, page by page.")
    def help_pages(self, info: Info) -> list[HelpPage]:
        own_guide = f"{info.context.request.base_url}downloads/meter-guide?operator={self.code}"
        return [HelpPage.of(page, own_guide) for page in self.profile.help_pages]


@strawberry.input(
    description="A password to check; it is not stored. Personal data that are given must not occur in it."
)
class CheckPasswordInput:
    operator: str
    password: str
    last_name: str | None = None
    first_name: str | None = None
    email: str | None = None
    phone: str | None = None


@strawberry.type(description="The result of checking a password.")
class PasswordCheck:
    accepted: bool
    criteria: list[PasswordCriterion]


@strawberry.type(description="The question was sent to the operator.")
class SupportRequested:
    operator: str


CheckPasswordResult: TypeAlias = Annotated[
    PasswordCheck | RequestRefused | RateLimited, strawberry.union("CheckPasswordResult")
]
ContactSupportResult: TypeAlias = Annotated[
    SupportRequested | RequestRefused | RateLimited, strawberry.union("ContactSupportResult")
]


@strawberry.type
class OperatorQuery:
    @resolved("The operators whose residents can register on this instance.")
    async def operators(self, info: Info) -> list[Operator]:
        application = info.context.application
        return [Operator.of(application, profile) for profile in application.registry.profiles]


@strawberry.type
class OperatorMutation:
    @answered(
        "Check a password against each criterion of the operator's policy. A mutation, so that the password "
        "is never part of a URL."
    )
    async def check_password(self, info: Info, input: CheckPasswordInput) -> CheckPasswordResult:  # noqa: A002 - the argument's name in the schema
        context = info.context
        await count_password_check(context.application, context.visitor, now=context.now)
        profile = profile_of(context, input.operator)
        texts = (input.last_name, input.first_name, input.email, input.phone)
        own = OwnData.of(*(text[:LONGEST_OWN_DATUM] for text in texts if text))
        criteria = await judged(partial(check_password, profile.password_policy, input.password, own))
        return PasswordCheck(
            accepted=not failed(criteria),
            criteria=[PasswordCriterion.of(criterion) for criterion in criteria],
        )

    @answered("Send a question to the operator («Contacter l'assistance»); no sign-in required.")
    async def contact_support(
        self, info: Info, operator: str, email: str, question: str
    ) -> ContactSupportResult:
        context = info.context
        profile = profile_of(context, operator)
        await ask_for_support(
            context.application,
            profile,
            email=email,
            question=question,
            visitor=context.visitor,
            now=context.now,
        )
        return SupportRequested(operator=profile.code)


def profile_of(context: Context, code: str) -> OperatorProfile:
    """An operator's profile.

    Raises:
        InvalidInput: there is none.
    """
    profile = context.application.registry.profile(code)
    if profile is None:
        raise InvalidInput("No such operator.", field="operator")
    return profile
