"""Papers with a verification code: index certificates (état des lieux), leak dossiers, and their files."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self, TypeAlias

import strawberry

from core.bootstrap import Application
from core.services.auth.download_links import LIFETIME
from core.services.auth.issued_papers import mark_of
from core.services.certificates.index_certificates import FreshPaper, issue_index_certificate
from core.services.certificates.leak_dossiers import issue_leak_dossier
from core.services.certificates.papers import IssuedPaperView, link_of_issued, open_paper, view_of
from graphql_schema.base.context import Info
from graphql_schema.base.enums import IssuedPaperKind, Language, PaperSide
from graphql_schema.base.refusals import RateLimited, RequestRefused, answered
from graphql_schema.base.relay import number_of
from graphql_schema.consumption.consumption import checked_day


@strawberry.type(
    description="A paper that was issued with a verification code. Whoever holds it can have it verified at "
    "`verificationUrl`, without an account."
)
class IssuedPaper:
    kind: IssuedPaperKind
    code: str = strawberry.field(description="The code that is printed on it: `4Q7H-0ZKD-9M2X-TB5E`.")
    verification_url: str
    side: PaperSide | None = strawberry.field(
        description="Whose copy of the certificate of a move it is; null if it is none."
    )
    first_day: date = strawberry.field(description="The first day that it is about.")
    last_day: date = strawberry.field(
        description="The last day that it is about; of an index certificate, the day whose end it is of."
    )
    issued_at: datetime = strawberry.field(description="When it was issued.")
    kept_until: datetime = strawberry.field(
        description="Until when its file can be fetched; it is verified longer than that."
    )
    name: str = strawberry.field(description="The name to save the file under.")
    media_type: str = strawberry.field(description="The media type: `application/pdf`.")
    size: int = strawberry.field(description="The size of the file in bytes.")
    sha256: str = strawberry.field(name="sha256", description="The SHA-256 of the file, in hexadecimal.")

    @classmethod
    def of(cls, view: IssuedPaperView, application: Application) -> Self:
        mark = mark_of(application, view.operator_code, view.code)
        return cls(
            kind=view.kind,
            code=mark.text,
            verification_url=mark.address,
            side=view.side,
            first_day=view.first_day,
            last_day=view.last_day,
            issued_at=view.issued_at,
            kept_until=view.kept_until,
            name=view.file_name,
            media_type=view.media_type,
            size=view.size,
            sha256=view.sha256,
        )


@strawberry.type(description="A paper that was issued, and a link to its file.")
class IssuedPaperFile:
    paper: IssuedPaper = strawberry.field(description="What was issued.")
    url: str = strawberry.field(
        description="The address of the file. It is for this account: a browser follows it as it is, a "
        "program sends its access token with it."
    )
    url_expires_at: datetime = strawberry.field(description="Until when `url` is valid: ten minutes.")

    @classmethod
    def of(cls, info: Info, view: IssuedPaperView, link: str) -> Self:
        context = info.context
        return cls(
            paper=IssuedPaper.of(view, context.application),
            url=f"{context.request.base_url}downloads?link={link}",
            url_expires_at=context.now + LIFETIME,
        )


IssueIndexCertificateResult: TypeAlias = Annotated[
    IssuedPaperFile | RequestRefused | RateLimited, strawberry.union("IssueIndexCertificateResult")
]
IssueLeakDossierResult: TypeAlias = Annotated[
    IssuedPaperFile | RequestRefused | RateLimited, strawberry.union("IssueLeakDossierResult")
]
OpenIssuedPaperResult: TypeAlias = Annotated[
    IssuedPaperFile | RequestRefused, strawberry.union("OpenIssuedPaperResult")
]


@strawberry.input(description="The indexes to certify. Each certificate is recorded.")
class IssueIndexCertificateInput:
    dwelling: strawberry.ID
    day: date = strawberry.field(
        description="The day whose final indexes are certified. An occupant may name the day before the "
        "move-in as well; a manager or staff, without the occupant's consent to daily data, the last day "
        "before or of an occupancy, or the last day of a month that is over."
    )
    language: Language | None = strawberry.field(
        default=None, description="The language of the paper; by default the reader's."
    )


@strawberry.input(description="The leak to make a dossier of. Each one is recorded.")
class IssueLeakDossierInput:
    alert: strawberry.ID = strawberry.field(description="The alert of a leak of water.")
    price_eur_per_m3: Decimal | None = strawberry.field(
        name="priceEurPerM3",
        default=None,
        description="The price of a cubic metre in euros, as it is on the bill; by default the residence's.",
    )
    language: Language | None = strawberry.field(
        default=None, description="The language of the paper; by default the reader's."
    )


@strawberry.type
class IssuedPaperMutation:
    @answered(
        "Issue an index certificate for an inventory of fixtures (état des lieux): a PDF, signed by the "
        "operator, with the index of every meter of the dwelling at the end of a day."
    )
    async def issue_index_certificate(
        self,
        info: Info,
        input: IssueIndexCertificateInput,  # noqa: A002 - the argument's name in the schema
    ) -> IssueIndexCertificateResult:
        context = info.context
        day = checked_day(input.day, field="day")
        assert day is not None
        fresh = await issue_index_certificate(
            context.application,
            await context.viewer(),
            number_of(input.dwelling, "Dwelling", field="dwelling"),
            day,
            language=await context.language(input.language),
            visitor=context.visitor,
            now=context.now,
        )
        return await _issued(info, fresh)

    @answered(
        "Issue the dossier of a leak of water, for an insurer, a landlord or a request to cap the bill: a "
        "PDF, signed by the operator. For the occupant whose leak it is; for the manager by that person's "
        "consent."
    )
    async def issue_leak_dossier(
        self,
        info: Info,
        input: IssueLeakDossierInput,  # noqa: A002 - the argument's name in the schema
    ) -> IssueLeakDossierResult:
        context = info.context
        fresh = await issue_leak_dossier(
            context.application,
            await context.viewer(),
            number_of(input.alert, "Alert", field="alert"),
            price_eur_per_m3=input.price_eur_per_m3,
            language=await context.language(input.language),
            visitor=context.visitor,
            now=context.now,
        )
        return await _issued(info, fresh)

    @answered(
        "Get a new link to the file of a paper that the viewer was issued, or of a copy of the viewer's move."
    )
    async def open_issued_paper(self, info: Info, code: str) -> OpenIssuedPaperResult:
        context = info.context
        view, link = await open_paper(context.application, await context.viewer(), code, now=context.now)
        return IssuedPaperFile.of(info, view, link)


async def _issued(info: Info, fresh: FreshPaper) -> IssuedPaperFile:
    context = info.context
    link = link_of_issued(context.application, await context.viewer(), fresh.mark.code, now=context.now)
    return IssuedPaperFile.of(info, view_of(fresh.paper, fresh.operator_code), link)
