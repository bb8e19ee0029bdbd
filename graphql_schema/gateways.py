"""Telegrams: what a gateway hands in (for a gateway's API key alone)."""

from collections.abc import Sequence

import strawberry

from core.errors import InvalidInput
from core.services.telegrams.pipeline import IntakeSummary, take_in
from graphql_schema.base.context import Info
from graphql_schema.base.fields import resolved

MOST_LINES = 2_000
LONGEST_LINE = 4_096
LONGEST_SOURCE = 200
"""Characters, as the table keeps them."""


@strawberry.type(description="Why lines could not be used, and how many.")
class UnusableCount:
    reason: str
    count: int


@strawberry.type(description="The outcome of the lines: `lines` = `stored` + `duplicates` + all `unusable`.")
class SubmitTelegramsResult:
    lines: int = strawberry.field(description="Without blank ones.")
    stored: int
    duplicates: int
    unusable: list[UnusableCount] = strawberry.field(
        description="The most frequent first. Such lines are kept."
    )
    alerts: int = strawberry.field(description="Alerts that began or changed.")
    messages: int = strawberry.field(description="E-mails and SMS that were queued.")

    @classmethod
    def of(cls, summary: IntakeSummary) -> "SubmitTelegramsResult":
        return cls(
            lines=summary.lines,
            stored=summary.stored,
            duplicates=summary.duplicates,
            unusable=[
                UnusableCount(reason=reason, count=count)
                for reason, count in sorted(summary.unusable.items(), key=lambda item: (-item[1], item[0]))
            ],
            alerts=summary.alerts,
            messages=summary.messages,
        )


@strawberry.type
class TelegramMutation:
    @resolved(
        "Submit gateway lines of any known format, at most 2,000 of at most 4,096 characters. "
        "Send them as a variable. Submitting the same lines again stores nothing twice."
    )
    async def submit_telegrams(
        self, info: Info, lines: list[str], source: str | None = None
    ) -> SubmitTelegramsResult:
        viewer = await info.context.viewer()
        summary = await take_in(
            info.context.application,
            viewer,
            checked_lines(lines),
            source=checked_source(source or f"gateway {viewer.gateway_id}"),
            now=info.context.now,
        )
        return SubmitTelegramsResult.of(summary)


def checked_lines(lines: Sequence[str]) -> Sequence[str]:
    """Lines that may be taken in.

    Raises:
        InvalidInput: too many, or too long a one.
    """
    if len(lines) > MOST_LINES:
        raise InvalidInput(f"At most {MOST_LINES} lines at once.", field="lines")
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            raise InvalidInput(f"Line {number} is longer than {LONGEST_LINE} characters.", field="lines")
    return lines


def checked_source(source: str) -> str:
    """A name under which unusable lines are kept.

    Raises:
        InvalidInput: too long.
    """
    if len(source) > LONGEST_SOURCE:
        raise InvalidInput(f"A source has at most {LONGEST_SOURCE} characters.", field="source")
    return source
