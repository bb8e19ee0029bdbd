"""What is done about alerts: how one stands, and the mutations of resident and manager.

A repair that is not possible, or an alert that is over, is part of the answer.
"""

from collections.abc import Awaitable
from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from core.alerting.workflow import USUAL_QUIET
from core.errors import AlertOver as Over
from core.services.alerts.workflow import DeedView, acknowledge, dismiss, report_repair
from core.services.alerts.workflow import Handling as HandlingView
from graphql_schema.base.context import Info
from graphql_schema.base.enums import Deed, KnownUse, Party, Standing
from graphql_schema.base.fields import resolved
from graphql_schema.base.relay import number_of
from graphql_schema.meters.readings import checked_moment


@strawberry.type(description="An action on an alert.")
class AlertDeed:
    kind: Deed
    party: Party
    done_at: datetime
    repaired_at: datetime | None = strawberry.field(description="For REPAIRED: when the repair was made.")
    reason: KnownUse | None = strawberry.field(
        description="For NOT_A_LEAK: the use of water that it is instead."
    )
    silent_until: date | None = strawberry.field(description="For NOT_A_LEAK: snoozed until this day.")
    note: str

    @classmethod
    def of(cls, view: DeedView) -> "AlertDeed":
        return cls(
            kind=view.deed,
            party=view.party,
            done_at=view.done_at,
            repaired_at=view.repaired_at,
            reason=view.reason,
            silent_until=view.silent_until,
            note=view.note,
        )


@strawberry.type(
    description="The status of an alert and the actions on it, the same for resident and manager."
)
class AlertHandling:
    standing: Standing
    deeds: list[AlertDeed] = strawberry.field(description="The oldest first.")
    possible: list[Deed] = strawberry.field(description="The actions that are possible now.")

    @classmethod
    def of(cls, view: HandlingView) -> "AlertHandling":
        return cls(
            standing=view.standing,
            deeds=[AlertDeed.of(deed) for deed in view.deeds],
            possible=sorted(view.possible),
        )


@strawberry.input
class AcknowledgeAlertInput:
    id: strawberry.ID
    note: str = ""


@strawberry.input
class ReportRepairInput:
    id: strawberry.ID
    repaired_at: datetime | None = strawberry.field(default=None, description="Now, if not given.")
    note: str = ""


@strawberry.input
class DismissAlertInput:
    id: strawberry.ID
    reason: KnownUse
    quiet_days: int = strawberry.field(default=USUAL_QUIET, description="Days to snooze the alert, 1 to 90.")
    note: str = strawberry.field(default="", description="Required with the reason OTHER.")


@strawberry.type(description="The action was recorded.")
class AlertHandled:
    id: strawberry.ID
    handling: AlertHandling


@strawberry.type(description="The alert has ended; no action is possible any more.")
class AlertOver:
    code: str
    message: str


AlertHandledResult: TypeAlias = Annotated[AlertHandled | AlertOver, strawberry.union("AlertHandledResult")]


@strawberry.type
class AlertMutation:
    @resolved("Acknowledge an alert: it was seen and is being dealt with.")
    async def acknowledge_alert(self, info: Info, input: AcknowledgeAlertInput) -> AlertHandledResult:  # noqa: A002 - the argument's name in the schema
        viewer, number = await info.context.viewer(), number_of(input.id, "Alert")
        return await _told(input.id, acknowledge(viewer, number, note=input.note, now=info.context.now))

    @resolved("Report a leak as repaired; readings confirm it after 48 hours, or show a relapse.")
    async def report_repair(self, info: Info, input: ReportRepairInput) -> AlertHandledResult:  # noqa: A002 - the argument's name in the schema
        viewer, number = await info.context.viewer(), number_of(input.id, "Alert")
        moment = checked_moment(input.repaired_at, "repairedAt")
        return await _told(
            input.id,
            report_repair(viewer, number, repaired_at=moment, note=input.note, now=info.context.now),
        )

    @resolved("Dismiss an alert as no leak: it is snoozed for a while, up to its present level.")
    async def dismiss_alert(self, info: Info, input: DismissAlertInput) -> AlertHandledResult:  # noqa: A002 - the argument's name in the schema
        viewer, number = await info.context.viewer(), number_of(input.id, "Alert")
        return await _told(
            input.id,
            dismiss(
                viewer,
                number,
                reason=input.reason,
                quiet_days=input.quiet_days,
                note=input.note,
                now=info.context.now,
            ),
        )


async def _told(alert: strawberry.ID, deed: Awaitable[HandlingView]) -> AlertHandledResult:
    """How the alert stands after the deed, or that it was over."""
    try:
        return AlertHandled(id=alert, handling=AlertHandling.of(await deed))
    except Over as over:
        return AlertOver(code=over.code, message=over.message)
