"""What a manager prints: flyers, certificates to residents without an account, documents of a residence."""

from datetime import datetime

import strawberry

from core.errors import InvalidInput
from core.services.auth.download_links import LIFETIME
from core.services.managers.papers import PaperAsked, PaperKind, link_of_paper
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import number_of
from graphql_schema.managers.places import dwelling_number, residence_number


@strawberry.type(description="A PDF to print, behind a link.")
class PaperFile:
    name: str
    media_type: str
    url: str = strawberry.field(
        description="The address of the file. It is for this account: a browser follows it as it is, a "
        "program sends its access token with it."
    )
    url_expires_at: datetime = strawberry.field(description="Until when `url` is valid: ten minutes.")


@strawberry.input(
    description="A flyer that invites residents to register: of a residence or of a dwelling, not both."
)
class MakeFlyerInput:
    residence: strawberry.ID | None = None
    dwelling: strawberry.ID | None = None
    each_dwelling: bool = strawberry.field(
        default=False, description="Of a residence: a page for each dwelling, instead of one for all."
    )
    language: Language | None = None


@strawberry.type
class PaperMutation:
    @resolved(
        "Make a flyer with the code of the residence, the address to register at, and a QR code of it. It "
        "shows no serial number."
    )
    async def make_flyer(self, info: Info, input: MakeFlyerInput) -> PaperFile:  # noqa: A002 - the argument's name in the schema
        if (input.residence is None) == (input.dwelling is None):
            raise InvalidInput("Name either a residence or a dwelling.", field="residence")
        language = await info.context.language(input.language)
        if input.dwelling is not None:
            number = dwelling_number(input.dwelling)
            return await _file(info, PaperAsked(PaperKind.FLYER, number, language, of_dwelling=True))
        assert input.residence is not None
        kind = PaperKind.FLYERS if input.each_dwelling else PaperKind.FLYER
        return await _file(info, PaperAsked(kind, residence_number(input.residence), language))

    @resolved(
        "Make the certificates of consumption for residents without an account: a page for each, with the "
        "figures of the last month and of the year, and how to register."
    )
    async def make_certificates(
        self, info: Info, residence: strawberry.ID, language: Language | None = None
    ) -> PaperFile:
        spoken = await info.context.language(language)
        return await _file(info, PaperAsked(PaperKind.CERTIFICATES, residence_number(residence), spoken))

    @resolved("Make the PDF of a document of a managed residence.")
    async def make_document(
        self, info: Info, document: strawberry.ID, language: Language | None = None
    ) -> PaperFile:
        spoken = await info.context.language(language)
        number = number_of(document, "ResidenceDocument", field="document")
        return await _file(info, PaperAsked(PaperKind.NOTICE, number, spoken))


async def _file(info: Info, asked: PaperAsked) -> PaperFile:
    context = info.context
    name, link = await link_of_paper(context.application, await context.viewer(), asked, now=context.now)
    return PaperFile(
        name=name,
        media_type="application/pdf",
        url=f"{context.request.base_url}downloads?link={link}",
        url_expires_at=context.now + LIFETIME,
    )
