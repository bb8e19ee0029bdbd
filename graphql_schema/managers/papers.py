"""What a manager prints: flyers, certificates to residents without an account, documents of a residence."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from core.errors import InvalidInput
from core.services.auth.download_links import LIFETIME
from core.services.managers.papers import PaperAsked, PaperKind, link_of_paper
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import number_of


@strawberry.type(description="A PDF to print, behind a link.")
class PaperFile:
    name: str = strawberry.field(description="The name to save the file under.")
    media_type: str = strawberry.field(description="The media type: `application/pdf`.")
    url: str = strawberry.field(
        description="The address of the file. It is for this account: a browser follows it as it is, a "
        "program sends its access token with it."
    )
    url_expires_at: datetime = strawberry.field(description="Until when `url` is valid: ten minutes.")


MakeFlyerResult: TypeAlias = Annotated[PaperFile | RequestRefused, strawberry.union("MakeFlyerResult")]
MakeCertificatesResult: TypeAlias = Annotated[
    PaperFile | RequestRefused, strawberry.union("MakeCertificatesResult")
]
MakeDocumentResult: TypeAlias = Annotated[PaperFile | RequestRefused, strawberry.union("MakeDocumentResult")]


@strawberry.input(
    description="A flyer that invites residents to register: of a residence or of a dwelling, not both."
)
class MakeFlyerInput:
    residence: strawberry.ID | None = strawberry.field(
        default=None, description="The residence; null if it is of a dwelling."
    )
    dwelling: strawberry.ID | None = strawberry.field(
        default=None, description="The dwelling; null if it is of a residence."
    )
    each_dwelling: bool = strawberry.field(
        default=False, description="Of a residence: a page for each dwelling, instead of one for all."
    )
    language: Language | None = strawberry.field(
        default=None, description="The language of the flyer; by default the reader's."
    )


@strawberry.type
class PaperMutation:
    @answered(
        "Make a flyer with the code of the residence, the address to register at, and a QR code of it. It "
        "shows no serial number."
    )
    async def make_flyer(self, info: Info, input: MakeFlyerInput) -> MakeFlyerResult:  # noqa: A002 - the argument's name in the schema
        if (input.residence is None) == (input.dwelling is None):
            raise InvalidInput("Name either a residence or a dwelling.", field="residence")
        language = await info.context.language(input.language)
        if input.dwelling is not None:
            number = number_of(input.dwelling, "Dwelling", field="dwelling")
            return await _file(info, PaperAsked(PaperKind.FLYER, number, language, of_dwelling=True))
        assert input.residence is not None
        kind = PaperKind.FLYERS if input.each_dwelling else PaperKind.FLYER
        return await _file(
            info, PaperAsked(kind, number_of(input.residence, "Residence", field="residence"), language)
        )

    @answered(
        "Make the certificates of consumption for residents without an account: a page for each, with the "
        "figures of the last month and of the year, and how to register."
    )
    async def make_certificates(
        self, info: Info, residence: strawberry.ID, language: Language | None = None
    ) -> MakeCertificatesResult:
        spoken = await info.context.language(language)
        return await _file(
            info,
            PaperAsked(PaperKind.CERTIFICATES, number_of(residence, "Residence", field="residence"), spoken),
        )

    @answered("Make the PDF of a document of a managed residence.")
    async def make_document(
        self, info: Info, document: strawberry.ID, language: Language | None = None
    ) -> MakeDocumentResult:
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
