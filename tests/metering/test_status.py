"""core.metering.status: bits of a status word to flags."""

import pytest

from core.metering import FlagBits, StatusFlag

BITS = FlagBits({0: StatusFlag.LEAK, 3: StatusFlag.TAMPER, 5: StatusFlag.LEAK})


@pytest.mark.parametrize(
    ("word", "flags"),
    [
        (None, set()),
        (0, set()),
        (0b000001, {StatusFlag.LEAK}),
        (0b100001, {StatusFlag.LEAK}),
        (0b001000, {StatusFlag.TAMPER}),
        (0b001001, {StatusFlag.LEAK, StatusFlag.TAMPER}),
        (0b010110, set()),
    ],
)
def test_a_bit_sets_its_flag_and_an_unknown_bit_none(word, flags):
    """The same each time, for the first word of its kind and for those after it."""
    for unknown in (0, 1 << 40):
        assert BITS.flags(word if word is None else word | unknown) == flags
        assert BITS.flags(word) == flags


def test_many_words_are_all_answered():
    """What is remembered is bounded; the answers are not."""
    bits = FlagBits(dict(enumerate(StatusFlag)))
    for word in range(2000):
        assert bits.flags(word) == {flag for number, flag in enumerate(StatusFlag) if word >> number & 1}
