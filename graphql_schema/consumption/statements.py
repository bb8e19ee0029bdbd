"""Index statements: «Obtenir un relevé», as data and as a file (R-077, C-22)."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry
from strawberry.scalars import Base64

from core.documents.statement import csv_text
from core.services.auth.download_links import LIFETIME
from core.services.consumption.statement_links import issued_statement
from core.services.consumption.statements import Statement, StatementLine, issue_statement, printable
from graphql_schema.base.amounts import Amount
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Fluid, Language, StatementFormat, StatementReason
from graphql_schema.base.refusals import RateLimited, RequestRefused, answered
from graphql_schema.base.relay import number_of
from graphql_schema.base.texts import worded
from graphql_schema.consumption.consumption import checked_day


@strawberry.type(
    description="The index of a device on the day of the statement; null if it had no reading by then."
)
class IndexLine:
    fluid: Fluid
    serial: str
    location: str
    index: Amount | None
    read_at: datetime | None

    @classmethod
    def of(cls, line: StatementLine) -> "IndexLine":
        meter, reading = line.meter, line.reading
        return cls(
            fluid=meter.fluid,
            serial=meter.printed_serial,
            location=meter.location,
            index=Amount.of(meter.fluid, reading.index) if reading else None,
            read_at=reading.read_at if reading else None,
        )


@strawberry.type(description="The indexes of all devices of a dwelling at the end of a day.")
class IndexStatement:
    statement: strawberry.Private[Statement]
    day: date
    lines: list[IndexLine]

    @classmethod
    def of(cls, statement: Statement) -> "IndexStatement":
        lines = [IndexLine.of(line) for line in statement.lines]
        return cls(statement=statement, day=statement.day, lines=lines)

    @worded("The statement as CSV: UTF-8 with byte order mark, separated by semicolons.")
    def csv(self, language: Language) -> str:
        return csv_text(printable(self.statement), language)


@strawberry.input(description="A statement to issue. Each one is recorded with its reason.")
class IssueIndexStatementInput:
    dwelling: strawberry.ID
    format: StatementFormat
    reason: StatementReason
    day: date | None = strawberry.field(
        default=None,
        description="The day whose final indexes are stated; by default today, or the last day of an ended "
        "occupancy.",
    )
    language: Language | None = None


@strawberry.type(description="A file to save under `name`.")
class IndexStatementFile:
    name: str
    media_type: str
    content: Base64
    url: str = strawberry.field(
        description="The address of the same file, to be opened in place of `content`. It is for this "
        "account: a browser follows it as it is, a program sends its access token with it."
    )
    url_expires_at: datetime = strawberry.field(description="Until when `url` is valid: ten minutes.")
    size: int = strawberry.field(description="The size of the file in bytes, before Base64.")
    statement: IndexStatement
    verification_code: str
    verification_url: str


IssueIndexStatementResult: TypeAlias = Annotated[
    IndexStatementFile | RequestRefused | RateLimited, strawberry.union("IssueIndexStatementResult")
]


@strawberry.type
class StatementMutation:
    @answered("Issue an index statement («Obtenir un relevé») as a file.")
    async def issue_index_statement(
        self,
        info: Info,
        input: IssueIndexStatementInput,  # noqa: A002 - the argument's name in the schema
    ) -> IssueIndexStatementResult:
        context = info.context
        viewer = await context.viewer()
        statement = await issue_statement(
            context.application,
            viewer,
            number_of(input.dwelling, "Dwelling", field="dwelling"),
            input.reason,
            input.format,
            day=checked_day(input.day, field="day"),
            visitor=context.visitor,
            now=context.now,
        )
        language = await context.language(input.language)
        issued = await issued_statement(
            context.application,
            viewer,
            statement,
            input.format,
            input.reason,
            language=language,
            now=context.now,
        )
        file = issued.file
        return IndexStatementFile(
            name=file.name,
            media_type=file.media_type,
            content=Base64(file.content),
            url=f"{context.request.base_url}downloads?link={issued.link}",
            url_expires_at=context.now + LIFETIME,
            size=len(file.content),
            statement=IndexStatement.of(statement),
            verification_code=issued.mark.text,
            verification_url=issued.mark.address,
        )
