"""Two logs of the resident: who looked at the consumption (CN-13), and what was agreed to (CN-02,
CN-07).
"""

from datetime import date, datetime

import strawberry
from strawberry.relay import PageInfo

from core.access.purposes import Purpose
from core.services.occupancy.consents import ConsentAnswer
from core.services.privacy.access_log import LookView
from core.services.privacy.consent_log import ConsentEntry, PurposeView
from core.services.shared.paging import Page
from core.texts.access_log import LookedAt, LookerKind, look_sentence
from graphql_schema.base.enums import Fluid, Language
from graphql_schema.base.paging import Edge, cursor, page_info
from graphql_schema.base.relay import global_id
from graphql_schema.base.texts import worded
from graphql_schema.base.views import shown

LOOK, ENTRY = "look", "consent-entry"

strawberry.enum(
    LookerKind,
    description="Who looked. MANAGER: the residence's. STAFF: of the operator. HOUSEHOLD_MEMBER: whom the "
    "resident invited. THIRD_PARTY: a provider whom the resident let read.",
)
strawberry.enum(
    LookedAt,
    description="What was looked at: the dashboard, or consumption by hours, days, weeks, months or years, "
    "or the readings of meters.",
)
strawberry.enum(
    Purpose,
    name="ConsentPurpose",
    description="What is agreed to, each on its own. MANAGER_DAILY_DATA: the manager sees days. "
    "THIRD_PARTY: a provider reads. NEWSLETTER: the operator's. The others are notifications, by topic and "
    "channel.",
)


@strawberry.type(description="A look at the consumption of the viewer's own occupancy.")
class AccessLogEntry:
    view: strawberry.Private[LookView]
    at: datetime = strawberry.field(description="When.")
    looker: LookerKind
    looked_at: LookedAt
    name: str | None = strawberry.field(
        description="Of whom the resident let in, or of the operator; null for a manager, who is not named."
    )
    fluid: Fluid | None = strawberry.field(description="The fluid; null if all were shown.")
    first_day: date | None = strawberry.field(description="Of the days shown; null if that was not kept.")
    last_day: date | None = strawberry.field(description="Of the days shown; null if that was not kept.")

    @classmethod
    def of(cls, view: LookView) -> "AccessLogEntry":
        words = view.words
        return cls(
            view=view,
            at=view.at,
            looker=words.kind,
            looked_at=words.what,
            name=words.name or None,
            fluid=words.fluid,
            first_day=words.first,
            last_day=words.last,
        )

    @worded("The look as a sentence; by default in the account's language.")
    def sentence(self, language: Language) -> str:
        return look_sentence(self.view.words, language)


@strawberry.type(description="A page of looks, the newest first.")
class AccessLogEntryConnection:
    edges: list[Edge[AccessLogEntry]]
    page_info: PageInfo

    @classmethod
    def of(cls, page: Page[LookView], *, after: str | None) -> "AccessLogEntryConnection":
        edges = [Edge(cursor=cursor(LOOK, view.id), node=AccessLogEntry.of(view)) for view in page.items]
        return cls(edges=edges, page_info=page_info(edges, page, after))


@strawberry.type(description="The present answer for one purpose.")
class PurposeConsent:
    consent_purpose: Purpose
    answer: ConsentAnswer
    recorded_at: datetime | None = strawberry.field(description="When it was answered; null if it was not.")
    text_version: str | None = strawberry.field(
        description="The version of the text that was answered; null if there is no answer."
    )

    @classmethod
    def of(cls, view: PurposeView) -> "PurposeConsent":
        return shown(cls, view, consent_purpose=view.purpose)


@strawberry.type(description="One answer to one question. Answers are only ever added.")
class ConsentLogEntry:
    entry: strawberry.Private[ConsentEntry]
    consent_purpose: Purpose
    granted: bool = strawberry.field(
        description="Whether it was agreed to; false for a refusal or withdrawal."
    )
    by_manager: bool = strawberry.field(description="Whether a manager recorded it, from paper.")
    text_version: str = strawberry.field(description="The version of the text that was answered.")
    recorded_at: datetime
    dwelling: strawberry.ID | None = strawberry.field(
        description="The id of the dwelling; null if it is of the account."
    )

    @classmethod
    def of(cls, entry: ConsentEntry) -> "ConsentLogEntry":
        return shown(
            cls,
            entry,
            entry=entry,
            consent_purpose=entry.purpose,
            dwelling=None if entry.dwelling_id is None else global_id("Dwelling", entry.dwelling_id),
        )

    @worded("The text that was answered; null if that version is no longer known.")
    def text(self, language: Language) -> str | None:
        return None if self.entry.text is None else self.entry.text.in_language(language)


@strawberry.type(description="A page of answers, the newest first. `totalCount`: the answers on all pages.")
class ConsentLogEntryConnection:
    edges: list[Edge[ConsentLogEntry]]
    page_info: PageInfo
    total_count: int

    @classmethod
    def of(
        cls, page: Page[ConsentEntry], *, after: str | None, place: int | None
    ) -> "ConsentLogEntryConnection":
        total = page.total or 0
        newest = total if place is None else min(total, place - 1)
        edges = [
            Edge(cursor=cursor(ENTRY, newest - number), node=ConsentLogEntry.of(entry))
            for number, entry in enumerate(page.items)
        ]
        return cls(edges=edges, page_info=page_info(edges, page, after), total_count=total)
