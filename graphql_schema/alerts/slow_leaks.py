"""Hints about slow leaks, for viewers who asked for them."""

from datetime import date
from decimal import Decimal

import strawberry

from core.services.alerts.slow_leak_hints import SlowLeakView
from core.texts.alerts import slow_leak_title
from graphql_schema.base.enums import Fluid, Language
from graphql_schema.base.texts import worded
from graphql_schema.base.views import shown


@strawberry.type(
    description="A hint, not an alert: a flow below the levels of leak alerts that has not paused for ten "
    "days."
)
class SlowLeakHint:
    fluid: Fluid
    meter_serial: str
    started_on: date = strawberry.field(description="The first of the days without a pause.")
    flow_lph: Decimal = strawberry.field(description="About how much flows, in litres per hour.")

    @classmethod
    def of(cls, view: SlowLeakView) -> "SlowLeakHint":
        return shown(cls, view, meter_serial=view.printed_serial)

    @worded("The hint in one line: `Écoulement sans pause depuis le 11/03/2022 (environ 2.5 L/h)`.")
    def title(self, language: Language) -> str:
        return slow_leak_title(self.started_on, self.flow_lph, language)
