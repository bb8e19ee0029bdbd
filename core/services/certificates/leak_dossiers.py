"""A leak's dossier, from what the meter counted and what was done about it.

In: an alert of a leak. Out: a signed PDF with a code. The one rule: it is the occupant's whose leak it is,
and shows that occupant's days alone; the manager of the residence gets it by that person's consent to daily
data (CN-01). What a leak of several occupants lost is nobody's, and is left out with the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from core.access import Permission, Role, Viewer, Visitor
from core.access.narrowing import Basis
from core.alerting.claims import VolumeComparison, attestation_due, years_before
from core.alerting.kinds import AlertKind
from core.alerting.workflow import AlertActionKind
from core.bootstrap import Application
from core.consumption import DayTotal, Quality, day_start
from core.consumption.fluids import Fluid
from core.consumption.periods import civil_day
from core.documents.certified import LeakDay, LeakDossier, LeakRepair, NoticeChannel, PriceSource
from core.documents.statement import StatementFile, safe_name
from core.errors import Forbidden, InvalidInput, NotFound
from core.language import Language, Text
from core.leaks.cost import cost_of
from core.models import Alert, Channel, Dwelling, IssuedPaperKind, LeakEpisode, MessageState, OutboxMessage
from core.services.alerts.resident_alerts import AlertView, Look, OneAlert, question_of, views_of
from core.services.auth.issued_papers import PaperSubject, new_mark
from core.services.certificates.index_certificates import PDF, FreshPaper, MadePaper, issued, limit_papers
from core.services.certificates.signatures import identity_of, signed_pdf
from core.services.managers.senders import door_of, sender_of, site_of
from core.services.occupancy.present_occupancies import home_with_days, present_occupancies
from core.services.places.dwelling_days import DaysAsked, totals_of
from core.services.shared.alert_rows import alerts_of
from core.services.shared.scope import Home, homes
from core.services.shared.transaction import current_database

HIGHEST_PRICE: Final = Decimal(100)
"""Euros a cubic metre: more is a slip of the decimal point."""

DAYS_BEFORE: Final = 14
"""What a home uses without the leak, beside it."""

DAYS_AFTER: Final = 7
_ONE_DAY = timedelta(days=1)
_LARGEST_ID = 2**63 - 1
_FILE = Text("dossier-fuite", "leak-dossier")


async def issue_leak_dossier(
    application: Application,
    viewer: Viewer,
    alert_id: int,
    *,
    price_eur_per_m3: Decimal | None = None,
    language: Language,
    visitor: Visitor,
    now: datetime,
) -> FreshPaper:
    """Make the dossier of a leak; the act is recorded.

    Args:
        application: settings and operators.
        viewer: whose leak it is, or the manager.
        alert_id: of a leak.
        price_eur_per_m3: of water, as the viewer states it; by default the residence's.
        language: of the paper.
        visitor: who asks, by the connection.
        now: the moment.

    Raises:
        NotFound: there is no such alert, or it is not the viewer's.
        NoOccupant, ConsentRequired: the manager's residence, and nobody there has consented.
        InvalidInput: it is no leak of water, or no price.
        SignatureUnavailable: the operator cannot sign.
        RateLimited: the account asked for too many papers within the hour.
    """
    viewer.require(Permission.PAPERS_ISSUE)
    viewer.require(Permission.ALERTS_READ)
    if price_eur_per_m3 is not None and not 0 < price_eur_per_m3 <= HIGHEST_PRICE:
        raise InvalidInput(f"A price is above 0 and at most {HIGHEST_PRICE} euros.", field="priceEurPerM3")
    seen = await _seen(application, viewer, alert_id, now)
    view = seen.view
    if view.kind is not AlertKind.LEAK or not view.fluid.is_water:
        raise InvalidInput("A dossier is made of a leak of water.", field="alert")
    await limit_papers(application, viewer, now=now)
    dwelling = await Dwelling.get(id=view.dwelling_id).select_related("residence__operator")
    dossier = await _dossier(application, dwelling, seen, price_eur_per_m3, now)
    made = await _made(application, dwelling, dossier, language, now)
    subject = PaperSubject(
        IssuedPaperKind.LEAK_DOSSIER,
        dwelling.id,
        view.started_on,
        max(view.started_on, (view.ended_on or seen.today + _ONE_DAY) - _ONE_DAY),
        account_id=viewer.account_id,
        alert_id=alert_id,
    )
    by_consent = viewer.role is not Role.RESIDENT
    return await issued(viewer, subject, made, visitor=visitor, now=now, by_consent=by_consent)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An alert, and the home in whose days it is seen."""

    view: AlertView
    home: Home
    today: date


async def _seen(application: Application, viewer: Viewer, alert_id: int, now: datetime) -> _Seen:
    row = await Alert.get_or_none(id=alert_id) if 0 < alert_id <= _LARGEST_ID else None
    if row is None:
        raise NotFound("No such alert.", field="alert")
    for home in await dossier_homes(viewer, row.dwelling_id, now=now):
        basis = Basis.OCCUPANT if viewer.role is Role.RESIDENT else Basis.MANAGER
        reader = viewer.account_id if basis is Basis.OCCUPANT else None
        thresholds = application.registry.leak_thresholds
        look = Look.of(home, thresholds, now, basis=basis, reader=reader)
        question = await question_of(look, reader, OneAlert(row.dwelling_id, alert_id))
        if question is None:
            continue
        (found,) = await alerts_of(current_database(), [question])
        views = await views_of({question: found}, lambda _row, look=look: look)  # type: ignore[misc]
        if views[question]:
            return _Seen(views[question][0], home, look.today)
    raise NotFound("No such alert.", field="alert")


async def dossier_homes(viewer: Viewer, dwelling_id: int, *, now: datetime) -> list[Home]:
    """The periods at a dwelling in whose days a viewer may have a dossier.

    Raises:
        NotFound: no such dwelling, or not the viewer's.
        NoOccupant, ConsentRequired: of a manager's dwelling nobody has consented.
    """
    if viewer.role is Role.RESIDENT:
        mine = [home for home in await homes(viewer) if home.period.dwelling_id == dwelling_id]
        if not mine:
            raise NotFound("No such alert.", field="alert")
        return mine
    if viewer.role is not Role.MANAGER:
        raise Forbidden("Dossiers are for residents and managers.")
    present = await present_occupancies(viewer, [dwelling_id], now=now)
    if dwelling_id not in present:
        raise NotFound("No such alert.", field="alert")
    return [home_with_days(present, dwelling_id)]


async def _dossier(
    application: Application, dwelling: Dwelling, seen: _Seen, stated: Decimal | None, now: datetime
) -> LeakDossier:
    view, residence = seen.view, dwelling.residence
    alert = await Alert.get(id=view.id)
    episode = await LeakEpisode.get_or_none(id=alert.episode_id)
    own = alert.started_on == view.started_on
    noticed_at, channel = await _notice(alert, seen)
    price = residence.water_price_eur_per_m3 if stated is None else stated
    cost = cost_of(view.loss_litres, None, eur_per_m3=price)
    return LeakDossier(
        sender=sender_of(application, residence),
        site=site_of(residence),
        door=door_of(dwelling),
        time_zone=residence.time_zone,
        fluid=view.fluid,
        serial=view.printed_serial or "",
        level=view.level_max or view.level or 1,
        started_on=view.started_on,
        detected_at=episode.detected_at if episode and own else None,
        ended_on=view.ended_on,
        noticed_at=noticed_at,
        notice_channel=channel,
        due_on=attestation_due(civil_day(noticed_at, residence.time_zone)),
        repair=_repair(view),
        loss_litres=view.loss_litres,
        mean_flow_lph=view.mean_flow_lph,
        price_eur_per_m3=price,
        price_source=PriceSource.RESIDENCE if stated is None else PriceSource.STATED,
        cost_eur=cost.eur,
        comparison=await _comparison(seen, residence.time_zone),
        days=await _days(seen, residence.time_zone, view.fluid),
        today=seen.today,
        issued_at=now,
    )


async def _notice(alert: Alert, seen: _Seen) -> tuple[datetime, NoticeChannel]:
    """When and how the occupant was first notified: by a message that was sent, or else on the portal."""
    period, time_zone = seen.home.period, seen.home.place["time_zone"]
    sent = OutboxMessage.filter(alert_id=alert.id, state=MessageState.SENT, sent_at__not_isnull=True)
    for message in await sent.order_by("sent_at", "id"):
        if message.sent_at is not None and period.holds(civil_day(message.sent_at, time_zone)):
            channel = NoticeChannel.EMAIL if message.channel is Channel.EMAIL else NoticeChannel.SMS
            return message.sent_at, channel
    moved_in = datetime.fromtimestamp(day_start(period.first_day, ZoneInfo(time_zone)), UTC)
    return max(alert.raised_at, moved_in), NoticeChannel.PORTAL


def _repair(view: AlertView) -> LeakRepair | None:
    """The last repair that was reported, and the verdicts after it."""
    repair: LeakRepair | None = None
    for action in view.workflow.actions:
        if action.action is AlertActionKind.REPAIRED:
            repair = LeakRepair(action.repaired_at or action.done_at, action.note)
        elif repair is not None and action.action is AlertActionKind.VERIFIED:
            repair = replace(repair, verified_at=action.done_at)
        elif repair is not None and action.action is AlertActionKind.RELAPSED:
            repair = replace(repair, relapsed_at=action.done_at)
    return repair


async def _comparison(seen: _Seen, time_zone: str) -> VolumeComparison | None:
    """What the home used of the fluid during the leak, and on the same days of three years before (WAR-01).

    Of all meters of the fluid, since one may have been replaced; of this occupancy and whole periods alone.
    """
    view, period = seen.view, seen.home.period
    last = min((view.ended_on or seen.today) - _ONE_DAY, period.last_day or date.max)
    if last < view.started_on:
        return None
    spans = [(view.started_on, last), *years_before(view.started_on, last)]
    asked = [DaysAsked(view.dwelling_id, time_zone, view.fluid, *span) for span in spans]
    found = await totals_of(current_database(), asked)
    sums = [
        sum(total.amount for total in totals) if _is_whole(totals, span) and period.holds(span[0]) else None
        for span, totals in zip(spans, found, strict=True)
    ]
    if sums[0] is None:
        return None
    return VolumeComparison(sums[0], [litres for litres in sums[1:] if litres is not None])


def _is_whole(totals: Sequence[DayTotal], span: tuple[date, date]) -> bool:
    """Whether each day of a period is known in full."""
    days = (span[1] - span[0]).days + 1
    return len(totals) == days and all(total.quality is not Quality.PARTIAL for total in totals)


async def _days(seen: _Seen, time_zone: str, fluid: Fluid) -> list[LeakDay]:
    """The days of the leak's meter, with some before and after it, within the occupancy."""
    view, period = seen.view, seen.home.period
    leak_until = (view.ended_on or seen.today + _ONE_DAY) - _ONE_DAY
    first = max(view.started_on - timedelta(days=DAYS_BEFORE), period.first_day)
    last = min(leak_until + timedelta(days=DAYS_AFTER), seen.today, period.last_day or date.max)
    if first > last or view.meter_id is None:
        return []
    asked = DaysAsked(view.dwelling_id, time_zone, fluid, first, last, view.meter_id)
    (totals,) = await totals_of(current_database(), [asked])
    known = {total.day: total for total in totals}
    span = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return [
        LeakDay(
            day,
            known[day].amount if day in known else None,
            known[day].quality if day in known else None,
            view.started_on <= day <= leak_until,
        )
        for day in span
    ]


async def _made(
    application: Application, dwelling: Dwelling, dossier: LeakDossier, language: Language, now: datetime
) -> MadePaper:
    from core.documents.leak_dossier import leak_dossier_pdf  # noqa: PLC0415 - reportlab is slow to start

    residence = dwelling.residence
    identity = await identity_of(application, residence.operator.code, now=now)
    mark = new_mark(application, residence.operator.code)
    make = partial(leak_dossier_pdf, dossier, mark, language, signer=identity.name)
    content = await signed_pdf(make, identity, reason=_FILE.in_language(language), now=now)
    day = dossier.started_on.isoformat()
    name = safe_name(_FILE.in_language(language), residence.code, dwelling.number, day)
    return MadePaper(residence.operator.code, mark, StatementFile(f"{name}.pdf", PDF, content))
