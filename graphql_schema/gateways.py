"""Telegrams that a gateway submits (with a gateway's API key only)."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, TypeAlias

import strawberry

from core.errors import InvalidInput
from core.services.telegrams.dead_letters import UnusableLine as UnusableLineView
from core.services.telegrams.intake_queue import Receipt
from core.telemetry.intake import Source
from graphql_schema.base.context import Info
from graphql_schema.base.refusals import RequestRefused, answered
from graphql_schema.base.relay import global_id
from graphql_schema.base.views import shown

MOST_LINES = 2_000
LONGEST_LINE = 4_096
LONGEST_SOURCE = 200
"""Characters, as long as the table's column."""


@strawberry.enum(description="Why a gateway line could not be used.")
class UnusableReason(Enum):
    NOT_A_TELEGRAM = strawberry.enum_value(
        "NOT_A_TELEGRAM", description="The line has no form that is known."
    )
    UNSUPPORTED_SHAPE = strawberry.enum_value(
        "UNSUPPORTED_SHAPE", description="A receiver's frame that is recognised and not supported."
    )
    INTEGRITY_FLAG = strawberry.enum_value(
        "INTEGRITY_FLAG", description="The gateway itself reported the radio frame as damaged."
    )
    TRUNCATED = strawberry.enum_value("TRUNCATED", description="A length is longer than what was received.")
    CRC_MISMATCH = strawberry.enum_value("CRC_MISMATCH", description="A checksum does not fit.")
    UNSUPPORTED_CI = strawberry.enum_value("UNSUPPORTED_CI", description="A CI field that is not supported.")
    UNSUPPORTED_SECURITY_MODE = strawberry.enum_value(
        "UNSUPPORTED_SECURITY_MODE", description="A security mode that is not supported."
    )
    KEY_MISSING = strawberry.enum_value(
        "KEY_MISSING", description="The telegram is encrypted and the meter has no key."
    )
    KEY_WRONG = strawberry.enum_value("KEY_WRONG", description="The meter's key does not open the telegram.")
    KEY_UNUSABLE = strawberry.enum_value(
        "KEY_UNUSABLE", description="The meter's key has not the length that the security mode requires."
    )
    KEY_CONFIGURED_BUT_PLAIN = strawberry.enum_value(
        "KEY_CONFIGURED_BUT_PLAIN", description="The meter has a key and the telegram is not encrypted."
    )
    MAC_MISMATCH = strawberry.enum_value(
        "MAC_MISMATCH", description="The message authentication code does not fit."
    )
    UNKNOWN_COMPACT_FORMAT = strawberry.enum_value(
        "UNKNOWN_COMPACT_FORMAT", description="A compact frame whose full frame was not received yet."
    )
    BAD_RECORD = strawberry.enum_value("BAD_RECORD", description="The records do not follow EN 13757-3.")
    UNPROVED_CONTENT = strawberry.enum_value("UNPROVED_CONTENT", description="Nothing proves the content.")
    MAYBE_PLAIN = strawberry.enum_value(
        "MAYBE_PLAIN", description="Announced as encrypted, maybe sent in the clear; nothing proves it."
    )
    UNSUPPORTED_PAYLOAD = strawberry.enum_value(
        "UNSUPPORTED_PAYLOAD", description="The meter's driver does not know the layout of the content."
    )
    UNKNOWN_METER = strawberry.enum_value(
        "UNKNOWN_METER", description="No meter of the operator has this address."
    )
    SECRET_UNUSABLE = strawberry.enum_value(
        "SECRET_UNUSABLE", description="The stored key cannot be decrypted with the server's secret."
    )
    NO_INDEX = strawberry.enum_value("NO_INDEX", description="The telegram has no index.")
    INDEX_OUT_OF_RANGE = strawberry.enum_value(
        "INDEX_OUT_OF_RANGE", description="The index is beyond what a register shows."
    )
    UNIT_MISMATCH = strawberry.enum_value(
        "UNIT_MISMATCH", description="The index has another unit than the meter."
    )
    TIME_IN_FUTURE = strawberry.enum_value(
        "TIME_IN_FUTURE", description="The reading is dated ahead of the server's clock."
    )
    TIME_PAST_RETENTION = strawberry.enum_value(
        "TIME_PAST_RETENTION", description="The reading is older than readings are kept."
    )
    OUTSIDE_SERVICE = strawberry.enum_value(
        "OUTSIDE_SERVICE", description="The meter was not in service at that time."
    )
    COUNTER_NOT_RISEN = strawberry.enum_value(
        "COUNTER_NOT_RISEN", description="An authenticated telegram that was received before: a replay."
    )


@strawberry.type(description="The number of lines that could not be used for one reason.")
class UnusableCount:
    reason: UnusableReason
    count: int


@strawberry.type(description="A line that could not be used, and is stored as a dead letter.")
class UnusableLine:
    index: int = strawberry.field(description="The place of the line in `lines`, from 0.")
    reason: UnusableReason
    message: str = strawberry.field(description="The reason in a sentence, for technicians.")
    dead_letter: strawberry.ID = strawberry.field(
        description="The id of the dead letter. The same line, submitted again, is the same dead letter."
    )

    @classmethod
    def of(cls, line: UnusableLineView) -> "UnusableLine":
        return cls(
            index=line.place,
            reason=UnusableReason[line.reason],
            message=line.message,
            dead_letter=global_id("DeadLetter", line.dead_letter_id),
        )


@strawberry.type(
    description="The outcome of a submission. `lines` is the sum of `stored`, `duplicates` and all "
    "`unusable`."
)
class TelegramsSubmitted:
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
    unusable_lines: list[UnusableLine] = strawberry.field(
        description="Each line that could not be used, in the order of `lines`."
    )
    alerts: int = strawberry.field(description="Alerts that were raised or changed.")
    messages: int = strawberry.field(description="E-mails and SMS that were queued for sending.")

    @classmethod
    def of(cls, receipt: Receipt) -> "TelegramsSubmitted":
        summary = receipt.summary
        return shown(
            cls,
            summary,
            unusable_lines=[UnusableLine.of(line) for line in receipt.unusable],
            unusable=[
                UnusableCount(reason=UnusableReason[reason], count=count)
                for reason, count in sorted(summary.unusable.items(), key=lambda item: (-item[1], item[0]))
            ],
        )


SubmitTelegramsResult: TypeAlias = Annotated[
    TelegramsSubmitted | RequestRefused, strawberry.union("SubmitTelegramsResult")
]


@strawberry.type
class TelegramMutation:
    @answered(
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
            names_unusable=True,
        )
        return TelegramsSubmitted.of(receipt)


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
