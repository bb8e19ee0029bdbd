"""A type made from a view by equal names has the view's own types."""

from dataclasses import dataclass, fields
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
import strawberry

from core.operators import Contact as OperatorContact
from core.operators import OperatorProfile
from core.registration.forms import FormField
from core.services.accounts.access_tokens import AccessTokenView
from core.services.accounts.account import NotificationChoice as Choice
from core.services.alerts.draw_questions import RecurringDrawView
from core.services.alerts.resident_alerts import AlertView
from core.services.alerts.slow_leak_hints import SlowLeakView
from core.services.alerts.workflow import AlertActionView
from core.services.auth.sessions import SessionView
from core.services.consumption.consumption import MonthPoint
from core.services.managers.overview import Completeness, HomeCounts, OutlierView
from core.services.occupancy.consents import ConsentView
from core.services.occupancy.dwelling_request_views import DwellingRequestView
from core.services.places.dwellings import DwellingView, ResidenceView
from core.services.places.meters import MeterView
from core.services.portfolio.publication import DocumentView
from core.services.registration.identification import ResidenceCandidate as Candidate
from core.services.telegrams.pipeline import IntakeSummary
from graphql_schema.accounts.viewer import AccessToken, NotificationChoice, Session
from graphql_schema.alerts.actions import AlertAction
from graphql_schema.alerts.recurring_draws import RecurringDraw
from graphql_schema.alerts.slow_leaks import SlowLeakHint
from graphql_schema.base.views import shown
from graphql_schema.consumption.consumption import MonthConsumption
from graphql_schema.dwellings.consents import Consent
from graphql_schema.dwellings.dwellings import Alert, ConsumptionOutlier, Dwelling, Meter, Residence
from graphql_schema.dwellings.overview import DwellingCounts, FluidCompleteness
from graphql_schema.dwellings.residences import ResidenceDocument
from graphql_schema.gateways import TelegramsSubmitted
from graphql_schema.managers.dwelling_requests import DwellingRequest
from graphql_schema.registration.operators import Contact, Operator
from graphql_schema.registration.types import RegistrationField, ResidenceCandidate

OPERATORS_OWN = {"terms", "profile", "contact", "privacy_notice", "help_pages", "password_criteria", "labels"}
DRAWS_OWN = {"id", "seen_as", "dwelling_id", "view", "meter_serial", "starts_at"}
ALERTS_OWN = {
    *("id", "view", "loss_litres", "loss_m3", "loss_cost", "projection", "mean_flow_lph"),
    *("minimum_flow_at_opening_lph", "meter_serial", "amount", "threshold", "workflow"),
    *("recurring_draw", "seen_as", "dwelling_id"),
}


@pytest.mark.parametrize(
    ("kind", "view", "differing"),
    [
        (AccessToken, AccessTokenView, {"id", "scopes"}),
        (Alert, AlertView, ALERTS_OWN),
        (AlertAction, AlertActionView, {"kind"}),
        (Consent, ConsentView, {"view"}),
        (Contact, OperatorContact, set()),
        (Dwelling, DwellingView, {"id", "seen_as", "dwelling_id", "view", "database_id", "surface_m2"}),
        (DwellingRequest, DwellingRequestView, {"id"}),
        (Meter, MeterView, {"id", "seen_as", "dwelling_id", "view", "number", "serial", "last_reading"}),
        (MonthConsumption, MonthPoint, {"amount"}),
        (NotificationChoice, Choice, set()),
        (Operator, OperatorProfile, OPERATORS_OWN),
        (RecurringDraw, RecurringDrawView, DRAWS_OWN),
        (RegistrationField, FormField, {"field", "name", "choices"}),
        (Residence, ResidenceView, {"id", "seen_as", "dwelling_id", "number", "water_price"}),
        (ResidenceCandidate, Candidate, {"id"}),
        (Session, SessionView, {"id"}),
        (SlowLeakHint, SlowLeakView, {"meter_serial"}),
        (DwellingCounts, HomeCounts, set()),
        (FluidCompleteness, Completeness, set()),
        (ConsumptionOutlier, OutlierView, {"view", "amount", "median"}),
        (ResidenceDocument, DocumentView, {"id"}),
        (TelegramsSubmitted, IntakeSummary, {"unusable", "unusable_lines"}),
    ],
)
def test_a_field_that_is_taken_over_has_the_same_type(kind: type, view: type, differing: set[str]) -> None:
    """What the schema promises of a field is what the core's view holds under that name."""
    taken = {field.name for field in fields(kind) if field.init} - differing
    assert taken
    promised, held = get_type_hints(kind), _hints(view)
    assert {name: _kinds(promised[name]) for name in taken} == {name: _kinds(held[name]) for name in taken}


def _hints(view: type) -> dict[str, Any]:
    properties = {
        name: get_type_hints(value.fget)["return"]
        for name, value in vars(view).items()
        if isinstance(value, property)
    }
    return get_type_hints(view) | properties


def _kinds(hint: Any) -> set[Any]:
    """The members of a union, `int | None` as much as `Optional[int]`."""
    return set(get_args(hint)) if get_origin(hint) in {Union, UnionType} else {hint}


@strawberry.type
class Place:
    id: strawberry.ID
    name: str
    lot: str | None


@dataclass
class PlaceView:
    id: int
    name: str
    lot: str | None = None


def test_what_differs_is_given_and_the_rest_is_taken_over() -> None:
    """Equal names are taken over; a field that is given stands for the view's."""
    place = shown(Place, PlaceView(7, "Les Tilleuls"), id=strawberry.ID("x"))
    assert (place.id, place.name, place.lot) == ("x", "Les Tilleuls", None)


def test_a_field_that_nobody_has_is_an_error_at_once() -> None:
    """Neither a field missing from the view nor one unknown to the type passes unnoticed."""
    with pytest.raises(AttributeError, match="lot"):
        shown(Place, object(), id="x", name="y")
    with pytest.raises(TypeError, match="city"):
        shown(Place, PlaceView(7, "Les Tilleuls"), city="Lyon")
