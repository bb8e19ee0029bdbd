"""Depositing documents: what a document is by a mutation, its file by a link; and withdrawing them."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from core.documents.media import FORMATS
from core.services.auth.download_links import LIFETIME
from core.services.documents.deposits import NewDocument, request_upload, withdraw_document
from core.services.documents.seen import DocumentType
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Language
from graphql_schema.base.refusals import RateLimited, RequestRefused, answered
from graphql_schema.base.relay import global_id, number_of
from graphql_schema.consumption.consumption import checked_day


@strawberry.input(
    description="A document to be deposited, of a residence as a whole or of one dwelling, not both."
)
class RequestDocumentUploadInput:
    title: str = strawberry.field(description="From 1 to 120 characters.")
    type: DocumentType = strawberry.field(description="Any but the notes on consumption.")
    file_name: str = strawberry.field(
        description="The name of the file. It is made safe, and its ending is that of its content."
    )
    residence: strawberry.ID | None = strawberry.field(
        default=None, description="The residence; null if it is of a dwelling."
    )
    dwelling: strawberry.ID | None = strawberry.field(
        default=None,
        description="The dwelling; null if it is of a residence. It is for whoever lives there from the "
        "later of today and `validFrom`, and for nobody who moves in after that person.",
    )
    language: Language | None = strawberry.field(
        default=None, description="The language of the document; by default the reader's."
    )
    valid_from: date | None = strawberry.field(
        default=None,
        description="From when on it applies, at most a year ahead, and is not shown before; by default "
        "today.",
    )
    for_owner: bool = strawberry.field(
        default=True, description="Whether an owner who lives elsewhere is to see it as well."
    )


@strawberry.type(
    description="Where to send the file: `PUT` the bytes as they are to `url`, as the body. The answer is "
    "JSON with the `id` of the document, 413 for a file that is too large, 422 for one of another format."
)
class DocumentUpload:
    document: strawberry.ID = strawberry.field(
        description="The document's id, from when on its file was received."
    )
    url: str = strawberry.field(
        description="The address. It is for this account: a browser sends to it as it is, a program sends "
        "its token with it. It takes one file."
    )
    url_expires_at: datetime = strawberry.field(description="Until when `url` is valid: ten minutes.")
    most_bytes: int = strawberry.field(description="The largest file.")
    media_types: list[str] = strawberry.field(
        description="The media types that are taken; the content decides which one a file has."
    )


@strawberry.type(description="The document was withdrawn: nobody sees it any more.")
class DocumentWithdrawn:
    document: strawberry.ID = strawberry.field(description="The id of the document.")


RequestDocumentUploadResult: TypeAlias = Annotated[
    DocumentUpload | RequestRefused | RateLimited, strawberry.union("RequestDocumentUploadResult")
]
WithdrawDocumentResult: TypeAlias = Annotated[
    DocumentWithdrawn | RequestRefused, strawberry.union("WithdrawDocumentResult")
]


@strawberry.type
class DocumentMutation:
    @answered(
        "Begin to deposit a document. It exists, and those who asked for it are notified, once its file was "
        "received."
    )
    async def request_document_upload(
        self,
        info: Info,
        input: RequestDocumentUploadInput,  # noqa: A002 - the argument's name in the schema
    ) -> RequestDocumentUploadResult:
        context = info.context
        new = NewDocument(
            title=input.title,
            type=input.type,
            language=await context.language(input.language),
            file_name=input.file_name,
            residence_id=_number(input.residence, "Residence", "residence"),
            dwelling_id=_number(input.dwelling, "Dwelling", "dwelling"),
            valid_from=checked_day(input.valid_from, "valid_from"),
            for_owner=input.for_owner,
        )
        upload = await request_upload(context.application, await context.viewer(), new, now=context.now)
        return DocumentUpload(
            document=global_id("Document", upload.document_id),
            url=f"{context.request.base_url}uploads?link={upload.link}",
            url_expires_at=context.now + LIFETIME,
            most_bytes=upload.most_bytes,
            media_types=[one.media_type.partition(";")[0] for one in FORMATS],
        )

    @answered("Withdraw a document that was deposited. Messages about it that wait are not sent.")
    async def withdraw_document(self, info: Info, document: strawberry.ID) -> WithdrawDocumentResult:
        context = info.context
        number = number_of(document, "Document", field="document")
        await withdraw_document(await context.viewer(), number, visitor=context.visitor, now=context.now)
        return DocumentWithdrawn(document=document)


def _number(text: strawberry.ID | None, type_name: str, field: str) -> int | None:
    return None if text is None else number_of(text, type_name, field=field)
