"""Documents: what managers and staff deposited for residents, and the notes on consumption (R-034)."""

from datetime import date, datetime

import strawberry
from strawberry.relay import PageInfo

from core.consumption import Month
from core.documents.note_values import NoteBlock, WhyNotApplicable, blocks_of, year_of_json
from core.services.auth.download_links import LIFETIME
from core.services.documents.files import link_of_document
from core.services.documents.seen import DocumentType, ResidentDocumentView
from core.services.shared.paging import Page
from core.texts.notes import annual_title, monthly_title
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import Edge, cursor, page_info
from graphql_schema.base.relay import Node, global_id
from graphql_schema.base.texts import worded

CURSOR = "document"

strawberry.enum(
    DocumentType,
    name="DocumentType",
    description="What a document is about. MONTHLY_NOTE and ANNUAL_NOTE: notes on consumption, which the "
    "application makes; all others are deposited. CHARGES: a statement of charges. INSPECTION: a report on "
    "the building or its installations. MEETING: a meeting of co-owners. RULES: the rules of the residence. "
    "WORKS: works in the building.",
)


@strawberry.type(description="The file of a document, behind a link.")
class DocumentFile:
    name: str = strawberry.field(description="The name to save the file under.")
    media_type: str = strawberry.field(description="The media type: `application/pdf`.")
    url: str = strawberry.field(
        description="The address of the file. It is for this account: a browser follows it as it is, a "
        "program sends its access token with it."
    )
    url_expires_at: datetime = strawberry.field(description="Until when `url` is valid: ten minutes.")
    size: int | None = strawberry.field(
        description="The size of the file in bytes; null for a note, whose file is laid out when it is "
        "fetched."
    )


strawberry.enum(
    NoteBlock,
    name="AnnualNoteBlockKind",
    description="The blocks of an annual note (Energy Efficiency Directive, Annex VIIa). PRICES: prices and "
    "the consumption of the year. COMPARISON: with the year before, by month. ADVICE: bodies that advise on "
    "saving energy. AVERAGE_USER: the average user of the building, by surface.",
)
strawberry.enum(
    WhyNotApplicable,
    name="AnnualNoteBlockReason",
    description="Why a block of an annual note is not filled. NOT_STATED: the operator has not given it. "
    "NO_YEAR_BEFORE: it was not of this occupancy, or not read. NO_HEATING: no meter depends on the weather. "
    "NO_DEGREE_DAYS: those of the year are not known. TOO_FEW_DWELLINGS: fewer than five are known.",
)


@strawberry.type(description="A block of an annual note: filled, or with the reason why it is not.")
class AnnualNoteBlock:
    kind: NoteBlock = strawberry.field(description="Which block.")
    not_applicable_reason: WhyNotApplicable | None = strawberry.field(
        description="Why it is not filled; null if it is."
    )


@strawberry.type(description="A document of a residence, or of one dwelling.")
class Document(Node):
    view: strawberry.Private[ResidentDocumentView]
    type: DocumentType = strawberry.field(description="What it is about.")
    language: Language = strawberry.field(description="The language that it is written in.")
    month: Month | None = strawberry.field(description="For MONTHLY_NOTE: the month; null for all others.")
    year: int | None = strawberry.field(description="For ANNUAL_NOTE: the year; null for all others.")
    valid_from: date = strawberry.field(description="From when on it applies.")
    for_owner: bool = strawberry.field(
        description="Whether an owner who lives elsewhere sees it as well; never of a note on consumption."
    )
    whole_residence: bool = strawberry.field(
        description="Whether it is of the residence as a whole, and not of one dwelling."
    )
    deposited_at: datetime = strawberry.field(description="When it was deposited, or made.")

    @classmethod
    def of(cls, view: ResidentDocumentView) -> "Document":
        kind, day = view.type, view.period_on
        return cls(
            id=global_id("Document", view.id),
            view=view,
            type=kind,
            language=view.language,
            month=Month.of(day) if day and kind is DocumentType.MONTHLY_NOTE else None,
            year=day.year if day and kind is DocumentType.ANNUAL_NOTE else None,
            valid_from=view.valid_from,
            for_owner=view.for_owner and not kind.is_note,
            whole_residence=view.dwelling_id is None,
            deposited_at=view.deposited_at,
        )

    @worded("The title: as it was deposited, or `Consommations d'octobre 2026`.")
    def title(self, language: Language) -> str:
        if self.view.title is not None:
            return self.view.title
        day = self.view.period_on
        assert day is not None
        is_monthly = self.type is DocumentType.MONTHLY_NOTE
        return monthly_title(Month.of(day), language) if is_monthly else annual_title(day.year, language)

    @resolved("For ANNUAL_NOTE: its blocks, each filled or with the reason; empty for all others.")
    def annual_blocks(self) -> list[AnnualNoteBlock]:
        if self.type is not DocumentType.ANNUAL_NOTE or self.view.figures is None:
            return []
        found = blocks_of(year_of_json(self.view.figures))
        return [AnnualNoteBlock(kind=kind, not_applicable_reason=why) for kind, why in found.items()]

    @resolved("The file, behind a link that is made for this answer.")
    async def file(self, info: Info) -> DocumentFile:
        context, view = info.context, self.view
        link = link_of_document(context.application, await context.viewer(), view.id, now=context.now)
        return DocumentFile(
            name=view.file_name,
            media_type=view.media_type,
            url=f"{context.request.base_url}downloads/documents?link={link}",
            url_expires_at=context.now + LIFETIME,
            size=view.size_bytes,
        )


@strawberry.type(description="A page of documents, newest first. `totalCount`: the documents on all pages.")
class DocumentConnection:
    edges: list[Edge[Document]]
    page_info: PageInfo
    total_count: int

    @classmethod
    def of(cls, page: Page[ResidentDocumentView], *, after: str | None) -> "DocumentConnection":
        edges = [Edge(cursor=cursor(CURSOR, view.id), node=Document.of(view)) for view in page.items]
        return cls(edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0)
