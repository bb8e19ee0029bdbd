"""Monthly notes on consumption, for managers: what became of each, which are missing, and which to print."""

from datetime import datetime
from typing import Annotated, TypeAlias, TypeVar

import strawberry
from strawberry.relay import PageInfo

from core.consumption import Month
from core.errors import InvalidInput
from core.services.auth.download_links import LIFETIME
from core.services.documents.files import link_of_batch
from core.services.documents.monthly_notes import last_month
from core.services.documents.note_status import (
    Channel,
    MissingNote,
    NoteDelivery,
    NotesAsked,
    NoteState,
    WhyNoNote,
    missing_notes,
)
from core.services.shared.paging import Page
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.paging import PAGE, Edge, checked_first, cursor, number_of_cursor, page_info
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.documents.documents import DocumentFile

ItemT = TypeVar("ItemT")
_NOTE, _MISSING = "note", "missing-note"

strawberry.enum(
    NoteDelivery,
    description="What became of a note. SENT: an e-mail was accepted by the next server. QUEUED: one waits "
    "to be sent. PRINTED: it was in a batch that was fetched. TO_PRINT: the occupant has no account, or "
    "every e-mail failed.",
)
strawberry.enum(
    WhyNoNote,
    description="Why an occupied dwelling has no note. NOT_READ: nothing was read in the month. NOT_MADE: it "
    "is still to be made.",
)
strawberry.enum(Channel, name="MessageChannel", description="How a message is sent.")


@strawberry.type(description="A monthly note on consumption, and the proof of what became of it.")
class NoteStatus:
    document: strawberry.ID = strawberry.field(description="The id of the note, a document.")
    dwelling: strawberry.ID = strawberry.field(description="The id of the dwelling.")
    place: str = strawberry.field(description="The place of the dwelling in the residence: `A · 1 · 2 · 12`.")
    delivery: NoteDelivery = strawberry.field(description="What became of it.")
    channel: Channel | None = strawberry.field(description="How it was or will be sent; null if it is not.")
    at: datetime | None = strawberry.field(
        description="When it was sent, queued or printed; null while it is to be printed."
    )
    failure: str | None = strawberry.field(
        description="Why the last e-mail was not sent, or not yet: `SMTP_550`; null if it was, or if there "
        "is none."
    )

    @classmethod
    def of(cls, state: NoteState) -> "NoteStatus":
        return cls(
            document=global_id("Document", state.document_id),
            dwelling=global_id("Dwelling", state.dwelling_id),
            place=state.place,
            delivery=state.delivery,
            channel=state.channel,
            at=state.at,
            failure=state.failure,
        )


@strawberry.type(description="An occupied dwelling without a note of the month.")
class DwellingWithoutNote:
    dwelling: strawberry.ID = strawberry.field(description="The id of the dwelling.")
    place: str = strawberry.field(description="The place of the dwelling in the residence: `A · 1 · 2 · 12`.")
    why: WhyNoNote = strawberry.field(description="Why it has none.")

    @classmethod
    def of(cls, missing: MissingNote) -> "DwellingWithoutNote":
        return cls(dwelling=global_id("Dwelling", missing.dwelling_id), place=missing.place, why=missing.why)


@strawberry.type(description="A page of notes by place. `totalCount`: the notes on all pages.")
class NoteStatusConnection:
    edges: list[Edge[NoteStatus]]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="A page of dwellings without a note. `totalCount`: those on all pages.")
class DwellingWithoutNoteConnection:
    edges: list[Edge[DwellingWithoutNote]]
    page_info: PageInfo
    total_count: int


@strawberry.type(description="How many notes of a month have come to this.")
class NoteCount:
    delivery: NoteDelivery = strawberry.field(description="What became of them.")
    count: int = strawberry.field(description="How many notes.")


@strawberry.type(description="The monthly notes of a residence: the proof that its residents were informed.")
class MonthlyNotes:
    states: strawberry.Private[list[NoteState]]
    residence_id: strawberry.Private[int]
    month: Month = strawberry.field(description="The month that was asked for.")

    @classmethod
    async def read(cls, info: Info, residence_id: int, month: Month | None) -> "MonthlyNotes":
        asked = month or last_month(info.context.now)
        if asked > last_month(info.context.now):
            raise InvalidInput("The month is not over yet.", field="month")
        states = await info.context.loaders.notes.load(NotesAsked(residence_id, asked))
        return cls(states=states, residence_id=residence_id, month=asked)

    @resolved("How many notes were sent, wait, were printed, or are to be printed.")
    def counts(self) -> list[NoteCount]:
        return [
            NoteCount(delivery=one, count=sum(state.delivery is one for state in self.states))
            for one in NoteDelivery
        ]

    @resolved("The notes with what became of each, by place; or only those of which this is so.")
    def notes(
        self, delivery: NoteDelivery | None = None, first: int = PAGE, after: str | None = None
    ) -> NoteStatusConnection:
        shown = [one for one in self.states if delivery in {None, one.delivery}]
        page = _page([(one.document_id, one) for one in shown], first, number_of_cursor(after, _NOTE))
        edges = [Edge(cursor=cursor(_NOTE, one.document_id), node=NoteStatus.of(one)) for one in page.items]
        return NoteStatusConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )

    @resolved("The occupied dwellings that have no note, by number, at most a thousand.")
    async def missing(
        self, info: Info, first: int = PAGE, after: str | None = None
    ) -> DwellingWithoutNoteConnection:
        context = info.context
        found = await missing_notes(
            context.application,
            await context.viewer(),
            self.month,
            residence_id=self.residence_id,
            now=context.now,
        )
        seen = number_of_cursor(after, _MISSING)
        page = _page([(one.dwelling_id, one) for one in found], first, seen)
        edges = [
            Edge(cursor=cursor(_MISSING, one.dwelling_id), node=DwellingWithoutNote.of(one))
            for one in page.items
        ]
        return DwellingWithoutNoteConnection(
            edges=edges, page_info=page_info(edges, page, after), total_count=page.total or 0
        )


PrintMonthlyNotesResult: TypeAlias = Annotated[
    DocumentFile | RequestRefused, strawberry.union("PrintMonthlyNotesResult")
]


@strawberry.input(description="Which notes to print.")
class PrintMonthlyNotesInput:
    residence: strawberry.ID
    month: Month | None = strawberry.field(
        default=None, description="The month; by default the last one that is over."
    )
    again: bool = strawberry.field(
        default=False, description="Whether those that were printed before are to be in it as well."
    )


@strawberry.type
class NoteMutation:
    @answered(
        "Make the PDF of the monthly notes of residents who were not reached by e-mail, a page each. Once it "
        "was fetched they count as printed."
    )
    async def print_monthly_notes(
        self,
        info: Info,
        input: PrintMonthlyNotesInput,  # noqa: A002 - the argument's name in the schema
    ) -> PrintMonthlyNotesResult:
        context = info.context
        name, link = await link_of_batch(
            context.application,
            await context.viewer(),
            number_of(input.residence, "Residence", field="residence"),
            input.month or last_month(context.now),
            again=input.again,
            now=context.now,
        )
        return DocumentFile(
            name=name,
            media_type="application/pdf",
            url=f"{context.request.base_url}downloads/documents?link={link}",
            url_expires_at=context.now + LIFETIME,
            size=None,
        )


def _page(found: list[tuple[int, ItemT]], first: int, after: int | None) -> Page[ItemT]:
    """A page of items by their numbers; empty after a number that none of them has."""
    size, numbers = checked_first(first), [number for number, _ in found]
    begin = 0
    if after is not None:
        begin = numbers.index(after) + 1 if after in numbers else len(numbers)
    rest = [one for _, one in found[begin:]]
    return Page(rest[:size], has_next=len(rest) > size, total=len(found))
