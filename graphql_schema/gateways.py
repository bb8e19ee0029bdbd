"""Telegrams that a gateway submits (with a gateway's API key only)."""

from collections.abc import Sequence

import strawberry

from core.errors import InvalidInput
from core.services.telegrams.pipeline import IntakeSummary
from core.telemetry.intake import Source
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved
from graphql_schema.base.views import shown

MOST_LINES = 2_000
LONGEST_LINE = 4_096
LONGEST_SOURCE = 200
"""Characters, as long as the table's column."""


@strawberry.type(description="The number of lines that could not be used for one reason.")
class UnusableCount:
    reason: str
    count: int


@strawberry.type(
    description="The outcome of a submission. `lines` is the sum of `stored`, `duplicates` and all "
    "`unusable`."
)
class SubmitTelegramsResult:
    lines: int = strawberry.field(description="The number of lines, without blank ones.")
    stored: int
    doubtful: int = strawberry.field(
        description="How many of the stored readings do not count, or not yet: no meter could show them, or "
        "nothing proves them and no other reading agrees."
    )
    duplicates: int
    unusable: list[UnusableCount] = strawberry.field(
        description="Lines that could not be used, by reason, most frequent first. They are stored as dead "
        "letters."
    )
    alerts: int = strawberry.field(description="Alerts that were raised or changed.")
    messages: int = strawberry.field(description="E-mails and SMS that were queued for sending.")

    @classmethod
    def of(cls, summary: IntakeSummary) -> "SubmitTelegramsResult":
        return shown(
            cls,
            summary,
            unusable=[
                UnusableCount(reason=reason, count=count)
                for reason, count in sorted(summary.unusable.items(), key=lambda item: (-item[1], item[0]))
            ],
        )


@strawberry.type
class TelegramMutation:
    @resolved(
        "Submit gateway lines in any known format: at most 2,000 lines of at most 4,096 characters each. "
        "Send them as a variable. Lines that were submitted before are counted as duplicates and not stored "
        "again."
    )
    async def submit_telegrams(
        self, info: Info, lines: list[str], source: str | None = None
    ) -> SubmitTelegramsResult:
        viewer = await info.context.viewer()
        receipt = await info.context.intake.submit(
            viewer,
            checked_lines(lines),
            source=checked_source(source or f"gateway {viewer.gateway_id}"),
            received_at=info.context.now,
            way=Source.GRAPHQL,
        )
        return SubmitTelegramsResult.of(receipt.summary)


def checked_lines(lines: Sequence[str]) -> Sequence[str]:
    """Lines within the limits.

    Raises:
        InvalidInput: too many lines, or one that is too long.
    """
    if len(lines) > MOST_LINES:
        raise InvalidInput(f"At most {MOST_LINES} lines at once.", field="lines")
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            raise InvalidInput(f"Line {number} is longer than {LONGEST_LINE} characters.", field="lines")
    return lines


def checked_source(source: str) -> str:
    """The source that is stored with dead letters.

    Raises:
        InvalidInput: too long.
    """
    if len(source) > LONGEST_SOURCE:
        raise InvalidInput(f"A source has at most {LONGEST_SOURCE} characters.", field="source")
    return source
