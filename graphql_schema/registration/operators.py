"""Operators: what a metering company publishes before sign-in (R-112, R-147, R-165, R-211)."""

from functools import partial

import strawberry

from core.access.passwords import Criterion, OwnData, check_password, failed
from core.errors import InvalidInput
from core.operators import ActivationMode, OperatorProfile
from core.operators import HelpPage as Page
from core.services.auth.passwords import judged
from core.services.registration.rate_limits import count_password_check
from core.services.registration.support import ask_for_support
from graphql_schema.base.context import Context, Info
from graphql_schema.base.enums import Fluid
from graphql_schema.base.fields import resolved
from graphql_schema.base.texts import Text
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
    version: str
    purpose: Text
    legal_basis: Text
    retention: Text
    rights: Text
    contact: Text
    url: str


@strawberry.type(
    description="The terms of use, to be read before they are accepted: at `url`, in `text`, or in both."
)
class TermsOfUse:
    version: str = strawberry.field(description="To be sent with `acceptTerms`.")
    url: Text | None
    text: Text | None

    @classmethod
    def of(cls, profile: OperatorProfile | None) -> "TermsOfUse | None":
        if profile is None or profile.terms_version is None:
            return None
        return cls(
            version=profile.terms_version,
            url=Text.maybe(profile.terms_url),
            text=Text.maybe(profile.terms_text),
        )


@strawberry.type(description="A help page: where the serial number is found on a kind of device.")
class HelpPage:
    title: Text
    fluid: Fluid | None = strawberry.field(
        description="The fluid whose devices the page is about; null if it is about all devices."
    )
    items: list[Text]
    guide_url: str | None = strawberry.field(
        description="Where the guide to meters is downloaded: the operator's own, or this application's."
    )
    guide_label: Text | None

    @classmethod
    def of(cls, page: Page, own_guide: str) -> "HelpPage":
        return cls(
            title=Text.of(page.title),
            fluid=page.fluid,
            items=[Text.of(item) for item in page.items],
            guide_url=page.guide_url or (own_guide if page.guide_label else None),
            guide_label=Text.maybe(page.guide_label),
        )


@strawberry.type(description="A criterion of the password policy, and whether the password meets it.")
class PasswordCriterion:
    name: str
    label: Text
    passed: bool

    @classmethod
    def of(cls, criterion: Criterion) -> "PasswordCriterion":
        return cls(name=criterion.name, label=Text.of(criterion.label), passed=criterion.passed)


@strawberry.type(description="A text of the registration pages, by its key: `button.cancel`, `page.title`.")
class Label:
    key: str
    text: Text


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
    terms: TermsOfUse | None
    contact: Contact
    privacy_notice: PrivacyNotice
    password_criteria: list[PasswordCriterion] = strawberry.field(
        description="The criteria of the password policy, as `checkPassword` returns them for an empty "
        "password."
    )
    labels: list[Label] = strawberry.field(description="The texts of the registration pages and buttons.")

    @classmethod
    def of(cls, profile: OperatorProfile) -> "Operator":
        notice = profile.privacy
        return shown(
            cls,
            profile,
            terms=TermsOfUse.of(profile),
            contact=shown(Contact, profile.contact),
            privacy_notice=PrivacyNotice(
                version=notice.version,
                purpose=Text.of(notice.purpose),
                legal_basis=Text.of(notice.legal_basis),
                retention=Text.of(notice.retention),
                rights=Text.of(notice.rights),
                contact=Text.of(notice.contact),
                url=notice.url,
            ),
            profile=profile,
            password_criteria=[
                PasswordCriterion.of(criterion) for criterion in check_password(profile.password_policy, "")
            ],
            labels=[
                Label(key=key, text=Text.of(profile.text(key))) for key in profile.keys_of("page.", "button.")
            ],
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


@strawberry.type
class OperatorQuery:
    @resolved("The operators whose residents can register on this instance.")
    async def operators(self, info: Info) -> list[Operator]:
        return [Operator.of(profile) for profile in info.context.application.registry.profiles]


@strawberry.type
class OperatorMutation:
    @resolved(
        "Check a password against each criterion of the operator's policy. A mutation, so that the password "
        "is never part of a URL."
    )
    async def check_password(self, info: Info, input: CheckPasswordInput) -> PasswordCheck:  # noqa: A002 - the argument's name in the schema
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

    @resolved("Send a question to the operator («Contacter l'assistance»); no sign-in required.")
    async def contact_support(self, info: Info, operator: str, email: str, question: str) -> SupportRequested:
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
