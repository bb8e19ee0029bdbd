"""The alerts of a residence or a dwelling for its manager, and for whoever asks.

The one rule: a manager sees that a dwelling has an alert, since when, its level and its status, as the
resident does; loss and flow are the resident's consumption and are not shown here (CN-01), and so is the
hour of a recurring draw. Alerts of an own limit are private.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeAlias, cast

from core.access import Permission, Viewer
from core.access.narrowing import Basis
from core.errors import Forbidden, NotFound, SubmeterError
from core.leak_thresholds import ThresholdsOf, product_thresholds
from core.leaks.cost import cost_of
from core.models import Alert
from core.services.alerts.resident_alerts import (
    ActiveAlertCount,
    AlertView,
    Look,
    OneAlert,
    Question,
    alerts_asked,
    found_of,
    page_of,
    question_of,
    views_of,
)
from core.services.shared.alert_rows import AlertsAsked
from core.services.shared.guests import BASIS_OF
from core.services.shared.paging import Page
from core.services.shared.place_rows import PlaceRow
from core.services.shared.scope import charge_of, places_in_charge, residences_in_charge, whole_time


@dataclass(frozen=True, slots=True)
class ResidenceAlerts:
    """The question for a page of a residence's alerts, newest first: the active ones, or the ended ones.

    `after` is start day and number of the last alert of the page before.
    """

    residence_id: int
    active: bool
    first: int
    after: tuple[date, int] | None = None


ManagersQuestion: TypeAlias = Question | ResidenceAlerts
_LARGEST_ID = 2**63 - 1


async def managed_alerts(
    viewer: Viewer,
    residence_id: int,
    *,
    active: bool,
    first: int,
    after: tuple[date, int] | None = None,
    now: datetime,
) -> Page[AlertView]:
    """A page of a residence's alerts, newest first, with the count of all.

    Raises:
        NotFound: no such residence, or not the viewer's.
    """
    (page,) = await alerts_in_charge(viewer, [ResidenceAlerts(residence_id, active, first, after)], now=now)
    if isinstance(page, SubmeterError):
        raise page
    return page


async def alerts_in_charge(
    viewer: Viewer,
    asked: Sequence[ManagersQuestion],
    *,
    thresholds_of: ThresholdsOf = product_thresholds,
    now: datetime,
) -> list[Page[AlertView] | SubmeterError]:
    """Alerts of any number of residences and dwellings; each refusal stands for itself."""
    viewer.require(Permission.ALERTS_READ)
    charge = charge_of(viewer)
    if charge is None or charge.basis is not Basis.MANAGER:
        return [Forbidden("Alerts are for residents and managers.") for _ in asked]
    looks = await _looks(viewer, asked, thresholds_of, now)
    questions: dict[int, AlertsAsked] = {}
    for place, one in enumerate(asked):
        look = looks.get(_place_of(one))
        question = None if look is None else await _question(look, one)
        if question is not None:
            questions[place] = question
    found = await found_of(questions.values())
    look_of: dict[int, Look] = {
        row.id: looks[_place_of(asked[place])]
        for place, question in questions.items()
        for row in found[question].rows
    }
    counted = {place for place in questions if isinstance(asked[place], ActiveAlertCount)}
    shown_of = {question for place, question in questions.items() if place not in counted}
    views = await views_of({question: found[question] for question in shown_of}, lambda row: look_of[row.id])
    pages: list[Page[AlertView] | SubmeterError] = []
    for place, one in enumerate(asked):
        if place not in questions:
            noun = "residence" if isinstance(one, ResidenceAlerts) else "dwelling"
            pages.append(NotFound(f"No such {noun}.", field="id"))
            continue
        if place in counted:
            pages.append(looks[_place_of(one)].count(found[questions[place]].rows))
            continue
        shown = [_without_figures(view) for view in views[questions[place]]]
        total = found[questions[place]].total
        if isinstance(one, ResidenceAlerts):
            pages.append(Page(shown[: one.first], has_next=len(shown) > one.first, total=total))
        else:
            pages.append(page_of(one, shown, total))
    return pages


def _place_of(asked: ManagersQuestion) -> tuple[str, int]:
    if isinstance(asked, ResidenceAlerts):
        return ("residence", asked.residence_id)
    return ("dwelling", asked.dwelling_id)


async def _looks(
    viewer: Viewer, asked: Sequence[ManagersQuestion], thresholds_of: ThresholdsOf, now: datetime
) -> dict[tuple[str, int], Look]:
    """How the manager sees the alerts of each place; one that is not the manager's is left out."""
    residences = {one.residence_id for one in asked if isinstance(one, ResidenceAlerts)}
    dwellings = {one.dwelling_id for one in asked if not isinstance(one, ResidenceAlerts)}
    rows = {("dwelling", number): row for number, row in (await places_in_charge(viewer, dwellings)).items()}
    for number, row in (await residences_in_charge(viewer, residences)).items():
        rows["residence", number] = cast("PlaceRow", {**row, "dwelling_id": 0})
    return {
        place: Look.of(whole_time(row), thresholds_of, now, basis=Basis.MANAGER)
        for place, row in rows.items()
    }


async def _question(look: Look, asked: ManagersQuestion) -> AlertsAsked | None:
    if not isinstance(asked, ResidenceAlerts):
        return await question_of(look, None, asked)
    return AlertsAsked(
        dwelling_id=None,
        account_id=None,
        first_day=look.period.first_day,
        last_day=None,
        running_on=look.today if asked.active else None,
        ended_by=None if asked.active else look.today,
        after=asked.after,
        most=asked.first + 1,
        residence_id=asked.residence_id,
    )


def _without_figures(view: AlertView) -> AlertView:
    """What a manager sees of it."""
    draw = view.recurring_draw
    return replace(
        view,
        over_range=None,
        loss_litres=None,
        mean_flow_lph=None,
        cost=cost_of(None, None, eur_per_m3=None),
        q_min_at_opening_lph=None,
        amount=None,
        threshold=None,
        stored_evidence=None,
        recurring_draw=None if draw is None else draw.without_figures(),
    )


async def alerts_seen(
    viewer: Viewer, asked: Sequence[ManagersQuestion], *, thresholds_of: ThresholdsOf, now: datetime
) -> list[Page[AlertView] | SubmeterError]:
    """The alerts of each place that was asked for; a resident's are those of dwellings."""
    if viewer.role not in BASIS_OF:
        return await alerts_in_charge(viewer, asked, thresholds_of=thresholds_of, now=now)
    own = [one for one in asked if not isinstance(one, ResidenceAlerts)]
    found = iter(await alerts_asked(viewer, own, thresholds_of=thresholds_of, now=now))
    return [
        NotFound("No such residence.", field="id") if isinstance(one, ResidenceAlerts) else next(found)
        for one in asked
    ]


async def alert_seen(
    viewer: Viewer, alert_id: int, *, thresholds_of: ThresholdsOf, now: datetime
) -> AlertView:
    """One alert.

    Raises:
        NotFound: there is no such alert, or it is not the viewer's.
    """
    viewer.require(Permission.ALERTS_READ)
    row = await Alert.get_or_none(id=alert_id) if 0 < alert_id <= _LARGEST_ID else None
    if row is not None:
        asked = [OneAlert(row.dwelling_id, alert_id)]
        (page,) = await alerts_seen(viewer, asked, thresholds_of=thresholds_of, now=now)
        if not isinstance(page, SubmeterError) and page.items:
            return page.items[0]
    raise NotFound("No such alert.", field="id")
