"""Why a leak alert has its level: what the classifier saw, and the borders of the levels."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import strawberry

from core.leak_thresholds import Thresholds
from core.leaks.classifier.tracker import Rule
from core.texts.leaks import level_equivalent
from graphql_schema.base.enums import Language
from graphql_schema.base.texts import worded

strawberry.enum(
    Rule,
    name="LeakRule",
    description="The rule that found a leak. BOUNDS: windows between readings that carried the flow and "
    "nothing else. PROFILE: of a meter that is read too rarely for that, the days as a whole.",
)


@strawberry.type(description="What showed a leak, or its present level.")
class LeakEvidence:
    at: datetime = strawberry.field(description="The reading that showed it.")
    rule: Rule = strawberry.field(description="The rule that found it.")
    level: int = strawberry.field(description="The level that it has by this, 1 to 3.")
    flow_lph: Decimal = strawberry.field(description="The flow of the leak, in litres per hour.")
    bound_lph: Decimal | None = strawberry.field(
        description="The floor: the least flow of the windows looked at, which no leak exceeds; null if they "
        "do not bound it."
    )
    observed_hours: Decimal = strawberry.field(
        description="The hours that the windows cover without a break."
    )
    windows: int = strawberry.field(description="The windows between readings that carried the flow.")

    @classmethod
    def of(cls, given: dict[str, Any]) -> "LeakEvidence":
        bound = given["bound_lph"]
        return cls(
            at=datetime.fromtimestamp(given["at_s"], UTC),
            rule=Rule(given["rule"]),
            level=given["level"],
            flow_lph=Decimal(str(given["flow_lph"])),
            bound_lph=None if bound is None else Decimal(str(bound)),
            observed_hours=Decimal(str(given["observed_h"])),
            windows=given["intervals"],
        )


@strawberry.type(description="The evidence of a leak alert, at its opening and at its last change.")
class AlertEvidence:
    opening: LeakEvidence = strawberry.field(description="What showed the leak.")
    latest: LeakEvidence = strawberry.field(description="What showed its present level.")

    @classmethod
    def known(cls, given: dict[str, Any] | None) -> "AlertEvidence | None":
        if not given:
            return None
        return cls(opening=LeakEvidence.of(given["opening"]), latest=LeakEvidence.of(given["latest"]))


@strawberry.type(description="A level of leak alerts, and the flows that it stands for.")
class LeakLevel:
    level: int = strawberry.field(description="The level, 1 to 3.")
    from_lph: Decimal = strawberry.field(description="Litres per hour from which on a flow has this level.")
    below_lph: Decimal | None = strawberry.field(
        description="Litres per hour from which on the next level begins; null for the highest."
    )
    over_range_above_lph: Decimal | None = strawberry.field(
        description="Litres per hour above which a flow is marked (`overRange`); null but for the highest."
    )

    @worded("What the level looks like at the tap: `goutte à goutte`.")
    def equivalent(self, language: Language) -> str:
        return level_equivalent(self.level, language)


def leak_levels(thresholds: Thresholds) -> list[LeakLevel]:
    """The levels of an operator, the lowest first."""
    borders = (thresholds.level_1_lph, thresholds.level_2_lph, thresholds.level_3_lph)
    flows = [Decimal(border.numerator) / border.denominator for border in borders]
    over = thresholds.over_range_above_lph
    return [
        LeakLevel(
            level=number,
            from_lph=flow,
            below_lph=flows[number] if number < len(flows) else None,
            over_range_above_lph=None if number < len(flows) else Decimal(over.numerator) / over.denominator,
        )
        for number, flow in enumerate(flows, start=1)
    ]
