"""core.metering.serials: what people type from a meter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.metering import SerialFormat, normalise_serial

NINE = SerialFormat(pattern=r"\d{9}", example="542 361 524")


@pytest.mark.requirement("R-161")
@pytest.mark.parametrize(
    ("typed", "normalised"),
    [
        ("542 361 524", "542361524"),
        ("542\u00a0361\u202f524", "542361524"),
        ("  h8ca-029.620 ", "H8CA029620"),
        ("N° H8CA029620", "H8CA029620"),
        ("n°H8CA029620", "H8CA029620"),
        ("Nº H8CA029620", "H8CA029620"),
        ("№ H8CA029620", "H8CA029620"),
        ("S/N: 12345678", "12345678"),
        ("\uff11\uff12\uff13", "123"),
    ],
)
def test_what_people_type_is_normalised(typed, normalised):
    """Spaces of every kind, separators, case and a leading N° do not matter."""
    assert normalise_serial(typed) == normalised


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text):
    """Normalising is idempotent, whatever is typed."""
    assert normalise_serial(normalise_serial(text)) == normalise_serial(text)


@pytest.mark.requirement("R-145")
def test_a_text_without_the_shape_is_refused_with_an_example():
    """Eight digits are no nine digits: nothing is added or cut to make a match."""
    assert NINE.normalise(" 542 361 524") == "542361524"
    assert not NINE.matches("42361524")
    with pytest.raises(ValueError, match="542 361 524"):
        NINE.normalise("42361524")


def test_a_letter_that_looks_like_a_digit_is_not_one():
    """No digit is ever corrected: no family of meters has a check digit to correct by."""
    assert not NINE.matches("54236152O")
