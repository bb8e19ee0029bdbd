"""What a person agreed to, purpose by purpose, with the text and the history of each (CN-02, CN-07).

In: the resident. Out: the present answer of each purpose, and all answers, the newest first. The one rule:
each purpose is answered on its own and is refused until it is granted; rows are only ever added, so the
history is the proof: who answered, when, and to which version of which text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.access import Permission, Viewer
from core.access.purposes import Purpose
from core.bootstrap import Application
from core.language import Text
from core.models import (
    Account,
    AccountConsent,
    ConsentAuthor,
    ConsentRecord,
    ConsentState,
)
from core.services.occupancy.consents import ConsentAnswer
from core.services.shared.paging import Page
from core.texts.consents import PURPOSE_TEXTS


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One answer. `text` is the sentence that was answered; None where that version is no longer known."""

    purpose: Purpose
    granted: bool
    by_manager: bool
    text_version: str
    text: Text | None
    recorded_at: datetime
    dwelling_id: int | None


@dataclass(frozen=True, slots=True)
class PurposeView:
    """The present answer for one purpose; of the manager's access that of the latest occupancy."""

    purpose: Purpose
    answer: ConsentAnswer
    recorded_at: datetime | None
    text_version: str | None


async def consents_by_purpose(application: Application, viewer: Viewer) -> list[PurposeView]:
    """The present answer of every purpose; of a third party whether any grant was agreed to last."""
    entries = await _entries(application, viewer)
    found = []
    for purpose in Purpose:
        last = next((entry for entry in entries if entry.purpose is purpose), None)
        found.append(
            PurposeView(
                purpose,
                ConsentAnswer.UNANSWERED
                if last is None
                else ConsentAnswer.GRANTED
                if last.granted
                else ConsentAnswer.REFUSED,
                last.recorded_at if last else None,
                last.text_version if last else None,
            )
        )
    return found


async def consent_history(
    application: Application, viewer: Viewer, *, first: int, after: int | None = None
) -> Page[ConsentEntry]:
    """A page of all answers, the newest first; `after`: the place, counted from the oldest, of the last one
    of the page before. Answers are only added, before the first, so that place remains what it was.
    """
    entries = await _entries(application, viewer)
    begin = 0 if after is None else max(0, len(entries) - after + 1)
    page = entries[begin : begin + first]
    return Page(list(page), has_next=len(entries) > begin + first, total=len(entries))


async def _entries(application: Application, viewer: Viewer) -> Sequence[ConsentEntry]:
    viewer.require(Permission.CONSENT_WRITE)
    account = await Account.get(id=viewer.account_id).select_related("operator")
    profile = application.registry.profile(account.operator.code)
    question = None if profile is None else profile.text("field.manager_daily_data")
    of_home = ConsentRecord.filter(occupancy__account_id=account.id).select_related("occupancy")
    found = [
        ConsentEntry(
            purpose=Purpose(row.purpose.value),
            granted=row.state is ConsentState.GRANTED,
            by_manager=row.author is ConsentAuthor.MANAGER,
            text_version=row.text_version,
            text=question if profile and row.text_version == profile.consent_version else None,
            recorded_at=row.recorded_at,
            dwelling_id=row.occupancy.dwelling_id,
        )
        for row in await of_home.order_by("-id")
    ]
    found += [
        ConsentEntry(
            purpose=Purpose(row.purpose.value),
            granted=row.state is ConsentState.GRANTED,
            by_manager=False,
            text_version=row.text_version,
            text=PURPOSE_TEXTS.get(row.text_version, {}).get(row.purpose.value),
            recorded_at=row.recorded_at,
            dwelling_id=None,
        )
        for row in await AccountConsent.filter(account_id=account.id).order_by("-id")
    ]
    return sorted(found, key=lambda entry: entry.recorded_at, reverse=True)
