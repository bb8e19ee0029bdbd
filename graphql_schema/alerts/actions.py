"""The workflow of an alert: its status, and the mutations of resident and manager."""

from collections.abc import Awaitable
from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from core.alerting.workflow import USUAL_SNOOZE_DAYS
from core.services.alerts.workflow import (
    AlertActionView,
    AlertWorkflowView,
    acknowledge,
    dismiss,
    report_repair,
)
from graphql_schema.base.context import Info
from graphql_schema.base.enums import AlertActionKind, AlertStatus, KnownUse, Party
from graphql_schema.base.refusals import AlertEnded, RequestRefused, answered
from graphql_schema.base.relay import number_of
from graphql_schema.base.views import shown
from graphql_schema.meters.readings import checked_moment


@strawberry.type(description="An action that was taken on an alert.")
class AlertAction:
    kind: AlertActionKind
    party: Party
    done_at: datetime
    repaired_at: datetime | None = strawberry.field(description="For REPAIRED: when the repair was made.")
    reason: KnownUse | None = strawberry.field(
        description="For NOT_A_LEAK: the use of water that explains the flow."
    )
    snoozed_until: date | None = strawberry.field(
        description="For NOT_A_LEAK: the first day on which the alert is active again."
    )
    note: str

    @classmethod
    def of(cls, view: AlertActionView) -> "AlertAction":
        return shown(cls, view, kind=view.action)


@strawberry.type(
    description="The status of an alert and the actions on it, the same for resident and manager."
)
class AlertWorkflow:
    status: AlertStatus
    actions: list[AlertAction] = strawberry.field(description="The actions, oldest first.")
    possible: list[AlertActionKind] = strawberry.field(
        description="The actions that the viewer can take now."
    )

    @classmethod
    def of(cls, view: AlertWorkflowView) -> "AlertWorkflow":
        return cls(
            status=view.status,
            actions=[AlertAction.of(action) for action in view.actions],
            possible=sorted(view.possible),
        )


@strawberry.input
class AcknowledgeAlertInput:
    id: strawberry.ID
    note: str = ""


@strawberry.input
class ReportRepairInput:
    id: strawberry.ID
    repaired_at: datetime | None = strawberry.field(
        default=None, description="When the repair was made; by default now."
    )
    note: str = ""


@strawberry.input
class DismissAlertInput:
    id: strawberry.ID
    reason: KnownUse
    snooze_days: int = strawberry.field(
        default=USUAL_SNOOZE_DAYS, description="For how many days to snooze the alert, 1 to 90."
    )
    note: str = strawberry.field(default="", description="Required if the reason is OTHER.")


@strawberry.type(description="The action was recorded.")
class AlertUpdated:
    id: strawberry.ID
    workflow: AlertWorkflow


AlertActionResult: TypeAlias = Annotated[
    AlertUpdated | AlertEnded | RequestRefused, strawberry.union("AlertActionResult")
]


@strawberry.type
class AlertMutation:
    @answered("Acknowledge an alert: somebody is dealing with it.")
    async def acknowledge_alert(self, info: Info, input: AcknowledgeAlertInput) -> AlertActionResult:  # noqa: A002 - the argument's name in the schema
        viewer, number = await info.context.viewer(), number_of(input.id, "Alert")
        return await _answer(input.id, acknowledge(viewer, number, note=input.note, now=info.context.now))

    @answered(
        "Report a leak as repaired. After 48 hours the meter's readings confirm the repair (VERIFIED) or "
        "show that the leak goes on (RELAPSED)."
    )
    async def report_repair(self, info: Info, input: ReportRepairInput) -> AlertActionResult:  # noqa: A002 - the argument's name in the schema
        viewer, number = await info.context.viewer(), number_of(input.id, "Alert")
        moment = checked_moment(input.repaired_at, "repairedAt")
        return await _answer(
            input.id,
            report_repair(viewer, number, repaired_at=moment, note=input.note, now=info.context.now),
        )

    @answered(
        "Dismiss an alert as no leak. It is snoozed for `snoozeDays`, unless it rises above its current "
        "level."
    )
    async def dismiss_alert(self, info: Info, input: DismissAlertInput) -> AlertActionResult:  # noqa: A002 - the argument's name in the schema
        viewer, number = await info.context.viewer(), number_of(input.id, "Alert")
        return await _answer(
            input.id,
            dismiss(
                viewer,
                number,
                reason=input.reason,
                snooze_days=input.snooze_days,
                note=input.note,
                now=info.context.now,
            ),
        )


async def _answer(alert: strawberry.ID, action: Awaitable[AlertWorkflowView]) -> AlertUpdated:
    """The alert's workflow after the action."""
    return AlertUpdated(id=alert, workflow=AlertWorkflow.of(await action))
