"""The index certificate of a dwelling at a day: for an inventory of fixtures (état des lieux).

In: a day that its viewer may have certified. Out: a signed PDF with a code, stored as it is handed out. The
one rule: the last reading up to midnight counts, with its own time beside it; a meter that was in service and
has none is named with the reason, and never has 0 (C-25).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from tortoise.backends.base.client import TransactionalDBClient

from core.access import Act, Viewer, Visitor
from core.bootstrap import Application
from core.consumption import day_start
from core.consumption.fluids import Fluid
from core.documents.certified import CertifiedIndex, IndexCertificate, IndexQuality
from core.documents.marks import VerificationMark
from core.documents.statement import StatementFile, safe_name
from core.language import Language, Text
from core.models import DoubtfulReading, Dwelling, IssuedPaper, IssuedPaperKind, Meter
from core.services.auth.issued_papers import PaperSubject, keep_paper, new_mark
from core.services.auth.rate_limits import RateLimit, RateLimiter
from core.services.certificates.index_days import certified_day
from core.services.certificates.signatures import identity_of, signed_pdf
from core.services.managers.senders import door_of, sender_of, site_of
from core.services.places.meters import ReadingView, newest_within
from core.services.shared.audit import Subject, record
from core.services.shared.time_series import Window
from core.services.shared.transaction import transactional

PAPERS_BY_ACCOUNT: Final = RateLimit("papers with a code by account", 30, timedelta(hours=1))
PDF: Final = "application/pdf"
_ONE_DAY = timedelta(days=1)
_FILE = Text("certificat-index", "index-certificate")


@dataclass(frozen=True, slots=True)
class FreshPaper:
    """A paper that was issued, and its file."""

    paper: IssuedPaper
    operator_code: str
    mark: VerificationMark
    file: StatementFile


async def issue_index_certificate(
    application: Application,
    viewer: Viewer,
    dwelling_id: int,
    day: date,
    *,
    language: Language,
    visitor: Visitor,
    now: datetime,
) -> FreshPaper:
    """Certify the indexes of a dwelling at the end of a day; the act is recorded.

    Raises:
        NotFound, ForbiddenPeriod, InvalidInput, ConsentRequired: see `certified_day`.
        SignatureUnavailable: the operator cannot sign.
        RateLimited: the account asked for too many papers within the hour.
    """
    certified = await certified_day(viewer, dwelling_id, day, now=now)
    await limit_papers(application, viewer, now=now)
    made = await made_certificate(
        application, certified.dwelling, day, since=certified.since, language=language, now=now
    )
    subject = PaperSubject(
        IssuedPaperKind.INDEX_CERTIFICATE, dwelling_id, day, day, account_id=viewer.account_id
    )
    return await issued(viewer, subject, made, visitor=visitor, now=now, by_consent=certified.by_consent)


async def limit_papers(application: Application, viewer: Viewer, *, now: datetime) -> None:
    """Count a paper against the hour's.

    Raises:
        RateLimited: the account asked for too many.
    """
    await RateLimiter.of(application).hit((PAPERS_BY_ACCOUNT, str(viewer.account_id)), now=now)


@dataclass(frozen=True, slots=True)
class MadePaper:
    """A file with its mark, not yet issued."""

    operator_code: str
    mark: VerificationMark
    file: StatementFile


async def made_certificate(
    application: Application,
    dwelling: Dwelling,
    day: date,
    *,
    since: date | None,
    language: Language,
    copy_of: str | None = None,
    now: datetime,
) -> MadePaper:
    """The signed file, of a dwelling with its residence and operator.

    Raises:
        SignatureUnavailable: the operator cannot sign.
    """
    from core.documents.index_certificate import index_certificate_pdf  # noqa: PLC0415 - reportlab is slow to start

    residence = dwelling.residence
    identity = await identity_of(application, residence.operator.code, now=now)
    mark = new_mark(application, residence.operator.code)
    certificate = IndexCertificate(
        sender=sender_of(application, residence),
        site=site_of(residence),
        door=door_of(dwelling),
        time_zone=residence.time_zone,
        day=day,
        copy_of=copy_of,
        indexes=await certified_indexes(dwelling, day, since=since),
        issued_at=now,
    )
    make = partial(index_certificate_pdf, certificate, mark, language, signer=identity.name)
    content = await signed_pdf(make, identity, reason=_FILE.in_language(language), now=now)
    name = safe_name(_FILE.in_language(language), residence.code, dwelling.number, day.isoformat())
    return MadePaper(residence.operator.code, mark, StatementFile(f"{name}.pdf", PDF, content))


async def certified_indexes(dwelling: Dwelling, day: date, *, since: date | None) -> list[CertifiedIndex]:
    """Each meter that was in service on the day, by fluid and place; three statements for all of them."""
    zone = ZoneInfo(dwelling.residence.time_zone)
    end_s = day_start(day + _ONE_DAY, zone) - 1
    since_s = 0 if since is None else day_start(since, zone)
    meters = [row for row in await Meter.filter(dwelling_id=dwelling.id) if in_service_on(row, day, zone)]
    newest = await newest_within([Window(row.id, 0, end_s) for row in meters]) if meters else {}
    known = {number: one for number, one in newest.items() if one.read_at.timestamp() >= since_s}
    unread = [row.id for row in meters if row.id not in known]
    doubtful: set[int] = set()
    if unread:
        rows = DoubtfulReading.filter(meter_id__in=unread, read_at__gte=since_s, read_at__lte=end_s)
        doubtful = {row["meter_id"] for row in await rows.distinct().values("meter_id")}
    order = {fluid: place for place, fluid in enumerate(Fluid)}
    meters.sort(key=lambda row: (order[row.fluid], row.location, row.installed_at, row.id))
    return [
        _indexed(row, known.get(row.id), day, zone, doubtful=row.id in doubtful, before=row.id in newest)
        for row in meters
    ]


def in_service_on(meter: Meter, day: date, zone: ZoneInfo) -> bool:
    """Whether a meter was in service on a day, that of its removal included."""
    removed = meter.removed_at
    return meter.installed_at.astimezone(zone).date() <= day and (
        removed is None or removed.astimezone(zone).date() >= day
    )


def _indexed(
    meter: Meter, reading: ReadingView | None, day: date, zone: ZoneInfo, *, doubtful: bool, before: bool
) -> CertifiedIndex:
    """The meter with its index, or with the reason why it has none."""
    if reading is not None:
        on_day = reading.read_at.astimezone(zone).date() == day
        quality = IndexQuality.ON_DAY if on_day else IndexQuality.EARLIER
    elif doubtful:
        quality = IndexQuality.DOUBTFUL_ONLY
    else:
        quality = IndexQuality.NOT_SINCE_MOVE_IN if before else IndexQuality.NEVER_READ
    return CertifiedIndex(
        fluid=meter.fluid,
        serial=meter.printed_serial,
        location=meter.location,
        index=reading.index if reading else None,
        read_at=reading.read_at if reading else None,
        quality=quality,
    )


@transactional
async def issued(
    connection: TransactionalDBClient,
    viewer: Viewer,
    subject: PaperSubject,
    made: MadePaper,
    *,
    visitor: Visitor,
    now: datetime,
    by_consent: bool = False,
) -> FreshPaper:
    """Store a paper that a viewer asked for, and record the act; of somebody's days, their disclosure too."""
    paper = await keep_paper(subject, made.mark, made.file, now=now, connection=connection)
    about = Subject("dwelling", subject.dwelling_id)
    facts = {
        "kind": subject.kind.value,
        "from": subject.first_day.isoformat(),
        "to": subject.last_day.isoformat(),
    }
    await record(Act.PAPER_ISSUED, about, viewer, visitor, now, connection, **facts)
    if by_consent:
        await record(Act.DATA_ACCESSED, about, viewer, visitor, now, connection, paper=subject.kind.value)
    return FreshPaper(paper, made.operator_code, made.mark, made.file)
