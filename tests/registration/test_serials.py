"""core.registration.serials: what a typed number may mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.consumption.fluids import Fluid
from core.metering import Registry, SerialFormat, normalise_serial
from core.registration import look_alikes
from core.registration.serials import KnownMeter, is_nine_digits, named_by, readings_of


def _meter(printed: str, vendor: str, number: int = 1) -> KnownMeter:
    return KnownMeter(number, number, 1, Fluid.COLD_WATER, vendor, normalise_serial(printed))


@pytest.fixture
def formats(registry: Registry) -> dict[str, SerialFormat]:
    return {loaded.driver.name: loaded.driver.serial for loaded in registry.drivers}


@pytest.mark.parametrize(
    ("printed", "vendor", "typed"),
    [
        ("542 361 524", "ista", "542361524"),
        ("542361524", "ista", " 542.361.524 "),
        ("542361524", "ista", "N° 542 361 524"),
        ("H8CA029620", "ocea", "h08ca 029620"),
        ("H08CA029620", "ocea", "H8CA029620"),
        ("H8CA029620", "ocea", "H8CAO2962O"),
        ("H8CA029620", "ocea", "HO8CAO2962O"),
        ("H18CA029620", "ocea", "HI8CA029620"),
        ("H18CA029620", "ocea", "HlBCA029620"),
        ("C15SA007710", "ocea", "C155A0077IO"),
        ("C19UA145842", "ocea", "CI9UAI45B42"),
        ("542 361 524", "ista", "S42 36I S24"),
        ("48349952", "itron", "4B34995Z".replace("Z", "2")),
        ("48510952", "itron", "8ITWOO4BSIO952"),
        ("76348799", "kamstrup", "7634B799"),
        ("71000858", "apator", "7IOOOBSB"),
        ("48349952", "itron", "8ITW0048349952"),
        ("00987654", "kamstrup", "987654"),
        ("987654", "kamstrup", "00987654"),
    ],
)
@pytest.mark.requirement("R-044", "R-052", "R-160", "C-05")
def test_a_number_is_found_however_it_is_written(
    formats: dict[str, SerialFormat], printed: str, vendor: str, typed: str
) -> None:
    """Blanks, case, a padded year, letters for digits and the DIN form of a number name the same meter."""
    meters = [_meter(printed, vendor), _meter("H8CA029621", "ocea", 2), _meter("542361525", "ista", 3)]
    assert [meter.meter_id for meter in named_by(typed, meters, formats)] == [1]


@pytest.mark.parametrize(
    ("printed", "vendor", "typed"),
    [
        ("H18CA029620", "ocea", "H8CA029620"),
        ("542361524", "ista", "42361524"),
        ("42361524", "ista", "542361524"),
        ("542361524", "ista", ""),
        ("542361524", "ista", "5" * 1_000),
        ("542361524", "ista", "542361523"),
        ("542361524", "ista", "S4236IS2"),
        ("H18CA029620", "ocea", "HI8CAO2962"),
        ("48510952", "itron", "O" * 60),
    ],
)
def test_another_number_names_no_meter(
    formats: dict[str, SerialFormat], printed: str, vendor: str, typed: str
) -> None:
    """2008 is not 2018, nine digits are not eight, and no digit is left out or corrected."""
    assert named_by(typed, [_meter(printed, vendor)], formats) == []


@given(st.integers(0, 999_999_999), st.integers(0, 8), st.integers(1, 9))
def test_a_wrong_digit_never_names_the_meter(number: int, place: int, off: int) -> None:
    """One digit that differs names another meter or none."""
    right = f"{number:09d}"
    wrong = f"{right[:place]}{(int(right[place]) + off) % 10}{right[place + 1 :]}"
    formats = {"ista": SerialFormat(pattern=r"\d{9}", example="542 361 524")}
    assert named_by(wrong, [_meter(right, "ista")], formats) == []


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    """Any text has interpretations or none."""
    formats = (SerialFormat(pattern=r"\d{9}", example="542 361 524"),)
    assert all(level for level in readings_of(text, formats))


@pytest.mark.requirement("R-145", "R-151", "R-167")
def test_nine_digits_are_nine_digits() -> None:
    """Itron's and Kamstrup's eight digits are none of ista's nine, and letters are no digits."""
    assert is_nine_digits("542 361 524")
    assert not any(is_nine_digits(text) for text in ("48349952", "5423615240", "54236152A", "", "\u0665" * 9))


def test_two_meters_that_look_alike_are_both_named(formats: dict[str, SerialFormat]) -> None:
    """What may be meant for either is not settled by luck; what is typed exactly names its own alone."""
    meters = [
        _meter("S15SA007710", "ocea"),
        _meter("S155A007710", "other", 2),
        _meter("B15SA007710", "ocea", 3),
    ]
    named = named_by("5155A007710", meters, formats | {"other": SerialFormat(r"S155A\d{6}", "S155A007710")})
    assert [meter.meter_id for meter in named] == [1, 2]
    assert [meter.meter_id for meter in named_by("B15SA007710", meters, formats)] == [3]


def test_a_long_text_of_look_alikes_costs_little() -> None:
    """However many look-alikes it has, at most a thousand readings are tried."""
    assert sum(1 for _ in look_alikes.readings("O1IS5B80" * 8)) <= look_alikes.MOST_READINGS
