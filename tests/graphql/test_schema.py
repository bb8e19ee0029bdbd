"""The schema as a promise to clients, and its scalars."""

from pathlib import Path

import pytest
from graphql import GraphQLError

import graphql_schema
from core.consumption import Month
from core.consumption.fluids import Fluid
from core.language import Language
from core.texts.alerts import fluid_label, month_text
from graphql_schema.base.amounts import Amount
from graphql_schema.base.scalars import LARGEST_EXACT, SCALARS, BigInt
from graphql_schema.schema import print_schema

PROMISE = Path(graphql_schema.__file__).with_name("schema.graphql")


def test_the_printed_schema_is_in_git() -> None:
    """`schema.graphql` equals the schema of the code; `python -m graphql_schema` prints it anew."""
    assert PROMISE.read_text(encoding="utf-8") == print_schema()


@pytest.mark.parametrize("value", [LARGEST_EXACT + 1, -LARGEST_EXACT - 1, True, 1.5, "1", None])
def test_a_big_int_is_exact_or_refused(value: object) -> None:
    """A number that a JSON reader could round is neither sent nor accepted."""
    scalar = SCALARS[BigInt]
    assert scalar.serialize(LARGEST_EXACT) == scalar.parse_value(LARGEST_EXACT) == LARGEST_EXACT
    with pytest.raises(GraphQLError):
        scalar.serialize(value)
    with pytest.raises(GraphQLError):
        scalar.parse_value(value)


def test_a_month_is_read_as_it_is_written() -> None:
    """Months are written and read as ISO 8601."""
    scalar = SCALARS[Month]
    assert scalar.parse_value(scalar.serialize(Month(2026, 1))) == Month(2026, 1)


@pytest.mark.parametrize(
    ("fluid", "smallest", "value"),
    [
        (Fluid.COLD_WATER, 0, "0.000"),
        (Fluid.HOT_WATER, 1, "0.001"),
        (Fluid.HEAT, 123_456, "123.456"),
        (Fluid.COLD_WATER, -5, "-0.005"),
        (Fluid.HEAT_ALLOCATOR, 17, "17"),
    ],
)
def test_an_amount_is_exact(fluid: Fluid, smallest: int, value: str) -> None:
    """An amount has three decimals in m³ and kWh, and none in allocator units."""
    amount = Amount.of(fluid, smallest)
    assert (str(amount.value), amount.smallest) == (value, smallest)


@pytest.mark.requirement("R-069")
def test_every_fluid_has_a_label() -> None:
    """The French labels are the guide's, and none is missing in English."""
    assert [fluid_label(fluid, Language.FR) for fluid in Fluid] == [
        "Eau froide",
        "Eau chaude",
        "Chauffage",
        "Répartiteur",
    ]
    assert len({fluid_label(fluid, Language.EN) for fluid in Fluid}) == 4


def test_months_are_written_in_words() -> None:
    """A month is written with its year, whatever the locale of the process."""
    assert month_text(Month(2022, 8), Language.FR) == "août 2022"
    assert month_text(Month(2022, 8), Language.EN) == "August 2022"
