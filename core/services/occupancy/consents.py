"""Answers to the consent question: who may see daily data, answered by whom and when (R-063 to R-065,
R-106).

In: an occupancy and an answer. Out: one more row; the last row counts, for the whole occupancy period,
however many occupancies it is made of (a lease renewed, a day corrected). The one rule: only the occupant
consents. A manager may record a consent given on paper, with where that paper is, or a refusal; the
occupant is notified; and a manager never turns the occupant's own refusal into a consent (C-17).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from tortoise.backends.base.client import BaseDBAsyncClient, TransactionalDBClient
from tortoise.queryset import QuerySet

from core.access import Act, Permission, Viewer, Visitor
from core.access.emails import email_key
from core.access.refusals import ConsentNotTheManagers
from core.bootstrap import Application
from core.consumption.periods import civil_day
from core.errors import InvalidInput, NotFound
from core.language import Language, Text
from core.models import (
    Account,
    ConsentAuthor,
    ConsentPurpose,
    ConsentRecord,
    ConsentState,
    Occupancy,
)
from core.operators import WORDS, OperatorProfile
from core.sanitize import escape_for_database
from core.services.messaging.account_messages import AccountMessage, portal_link, queue_account_message
from core.services.places.occupant_periods import rows_of_period
from core.services.shared.audit import Subject, record
from core.services.shared.place_rows import PlaceRow
from core.services.shared.scope import PresentPeriod, occupancy_period_at, occupants
from core.services.shared.transaction import transactional

LONGEST_REFERENCE = 200
_AT = "dwelling__residence__operator"
_QUESTION = "field.manager_daily_data"


class ConsentAnswer(StrEnum):
    """Three states: no answer counts as a refusal, and the question is asked again (C-18)."""

    UNANSWERED = "UNANSWERED"
    GRANTED = "GRANTED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class ConsentView:
    """The state of the question; author and time are those of the last answer (R-107, R-121).

    `question` is the operator's own sentence; `recorded_on` is a civil day of the residence.
    """

    question: Text
    answer: ConsentAnswer
    by_manager: bool = False
    recorded_at: datetime | None = None
    recorded_on: date | None = None


async def my_consent(application: Application, viewer: Viewer, dwelling_id: int) -> ConsentView:
    """The state of the viewer's own consent at a dwelling.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.CONSENT_WRITE)
    await occupancy_period_at(viewer, dwelling_id)
    return await consent_of(application, await _my_occupancy(viewer, dwelling_id))


@transactional
async def answer_consent(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    *,
    granted: bool,
    visitor: Visitor,
    now: datetime,
) -> ConsentView:
    """Grant or refuse, at any time (R-065, R-120); it takes effect at once.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
    """
    viewer.require(Permission.CONSENT_WRITE)
    await occupancy_period_at(viewer, dwelling_id)
    occupancy = await _my_occupancy(viewer, dwelling_id)
    await _add(
        connection,
        application,
        occupancy,
        granted=granted,
        author=ConsentAuthor.OCCUPANT,
        viewer=viewer,
        visitor=visitor,
        now=now,
    )
    return await consent_of(application, occupancy, connection=connection)


@transactional
async def record_consent(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    email: str,
    *,
    granted: bool,
    evidence_reference: str | None = None,
    visitor: Visitor,
    now: datetime,
) -> ConsentView:
    """Record an answer on the occupant's behalf (R-121), for the account's latest occupancy period.

    Raises:
        NotFound: nobody with this e-mail address lives or lived anywhere.
        InvalidInput: a consent without the paper it was given on (CN-08).
        ConsentNotTheManagers: the occupant refused (C-17).
    """
    viewer.require(Permission.CONSENT_RECORD)
    known = occupants().filter(account__email_key=email_key(email)).using_db(connection)
    occupancy = await known.order_by("-move_in", "-id").first().select_related("account", _AT)
    if occupancy is None:
        raise NotFound("Nobody with this e-mail address has a dwelling.", field="email")
    return await record_on_paper(
        connection,
        application,
        viewer,
        occupancy,
        granted=granted,
        evidence_reference=evidence_reference,
        visitor=visitor,
        now=now,
    )


async def record_on_paper(
    connection: TransactionalDBClient,
    application: Application,
    viewer: Viewer,
    occupancy: Occupancy,
    *,
    granted: bool,
    evidence_reference: str | None,
    visitor: Visitor,
    now: datetime,
) -> ConsentView:
    """Record an answer given on paper for an occupancy whose account, residence and operator are loaded.

    Raises:
        InvalidInput: a consent without the paper it was given on (CN-08).
        ConsentNotTheManagers: the occupant refused, or withdrew on paper (C-17).
    """
    reference = escape_for_database((evidence_reference or "").strip())
    if granted and not 0 < len(reference) <= LONGEST_REFERENCE:
        raise InvalidInput("A consent needs the paper it was given on.", field="evidenceReference")
    if len(reference) > LONGEST_REFERENCE:
        raise InvalidInput(f"has at most {LONGEST_REFERENCE} characters", field="evidenceReference")
    if granted and await _refused(occupancy, connection):
        raise ConsentNotTheManagers("The occupant refused; only the occupant can change that.")
    await _add(
        connection,
        application,
        occupancy,
        granted=granted,
        author=ConsentAuthor.MANAGER,
        viewer=viewer,
        evidence_reference=reference or None,
        visitor=visitor,
        now=now,
    )
    if occupancy.account is not None:
        notice = await _notice(connection, application, occupancy.account, granted=granted)
        await queue_account_message(connection, application.settings, notice, now=now)
    return await consent_of(application, occupancy, connection=connection)


async def consent_of(
    application: Application, occupancy: Occupancy, *, connection: BaseDBAsyncClient | None = None
) -> ConsentView:
    """The state of the question for an occupancy whose residence and operator are loaded."""
    last = await (await _answers(occupancy, connection)).order_by("-id").first()
    return _consent(_profile(application, occupancy), last, occupancy.dwelling.residence.time_zone)


def _consent(profile: OperatorProfile | None, last: ConsentRecord | None, time_zone: str) -> ConsentView:
    question = profile.text(_QUESTION) if profile else WORDS[_QUESTION]
    if last is None:
        return ConsentView(question, ConsentAnswer.UNANSWERED)
    return ConsentView(
        question,
        ConsentAnswer(last.state.value),
        by_manager=last.author is ConsentAuthor.MANAGER,
        recorded_at=last.recorded_at,
        recorded_on=civil_day(last.recorded_at, time_zone),
    )


async def last_answers(periods: Iterable[PresentPeriod]) -> dict[int, ConsentRecord | None]:
    """The last answer for each period, by the number of its dwelling; one statement for all."""
    asked = list(periods)
    numbers = [number for period in asked for number in period.occupancy_ids]
    given = ConsentRecord.filter(occupancy_id__in=numbers, purpose=ConsentPurpose.MANAGER_DAILY_DATA)
    of_occupancy = {answer.occupancy_id: answer for answer in (await given.order_by("id") if numbers else [])}
    found: dict[int, ConsentRecord | None] = {}
    for period in asked:
        answers = [of_occupancy[number] for number in period.occupancy_ids if number in of_occupancy]
        found[period.place["dwelling_id"]] = max(answers, key=lambda answer: answer.id, default=None)
    return found


def consent_view(application: Application, place: PlaceRow, last: ConsentRecord | None) -> ConsentView:
    """The state of the question for the present occupancy of a place, by its last answer."""
    return _consent(application.registry.profile(place["operator_code"]), last, place["time_zone"])


def _profile(application: Application, occupancy: Occupancy) -> OperatorProfile | None:
    return application.registry.profile(occupancy.dwelling.residence.operator.code)


async def _refused(occupancy: Occupancy, connection: BaseDBAsyncClient) -> bool:
    """Whether the occupant's own last answer was a refusal, whatever a manager recorded since; or the last
    answer of all, which then was refused or withdrawn on paper.
    """
    given = await _answers(occupancy, connection)
    last = await given.order_by("-id").first()
    own = await given.filter(author=ConsentAuthor.OCCUPANT).order_by("-id").first()
    return any(one is not None and one.state is ConsentState.REFUSED for one in (last, own))


async def _answers(
    occupancy: Occupancy, connection: BaseDBAsyncClient | None = None
) -> QuerySet[ConsentRecord]:
    """All answers for the occupancy period which an occupancy is part of."""
    numbers, purpose = (
        await rows_of_period(occupancy, connection=connection),
        ConsentPurpose.MANAGER_DAILY_DATA,
    )
    return ConsentRecord.filter(occupancy_id__in=numbers, purpose=purpose).using_db(connection)


async def _my_occupancy(viewer: Viewer, dwelling_id: int) -> Occupancy:
    """The viewer's latest occupancy of a dwelling."""
    mine = occupants().filter(account_id=viewer.account_id, dwelling_id=dwelling_id)
    found = await mine.order_by("-move_in", "-id").first().select_related(_AT)
    if found is None:
        raise NotFound("No such dwelling.", field="id")
    return found


async def _add(
    connection: TransactionalDBClient,
    application: Application,
    occupancy: Occupancy,
    *,
    granted: bool,
    author: ConsentAuthor,
    viewer: Viewer,
    evidence_reference: str | None = None,
    visitor: Visitor,
    now: datetime,
) -> None:
    state = ConsentState.GRANTED if granted else ConsentState.REFUSED
    profile = _profile(application, occupancy)
    await ConsentRecord.create(
        occupancy_id=occupancy.id,
        purpose=ConsentPurpose.MANAGER_DAILY_DATA,
        state=state,
        author=author,
        author_account_id=viewer.account_id,
        text_version=profile.consent_version if profile else "1",  # of the sentence that was answered
        evidence_reference=evidence_reference,
        recorded_at=now,
        using_db=connection,
    )
    await record(
        Act.CONSENT_CHANGED,
        Subject("occupancy", occupancy.id),
        viewer,
        visitor,
        now,
        connection,
        state=state.value,
        author=author.value,
    )


async def _notice(
    connection: BaseDBAsyncClient, application: Application, account: Account, *, granted: bool
) -> AccountMessage:
    french = account.language == Language.FR
    choice = ("accordé" if granted else "refusé") if french else ("granted" if granted else "refused")
    return AccountMessage.to(
        account,
        "consent_changed",
        values={"choice": choice, "link": await portal_link(connection, application, account)},
    )
