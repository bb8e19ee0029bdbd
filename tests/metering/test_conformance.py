"""core.metering.conformance: a driver held against its own telegrams."""

from dataclasses import replace

import pytest

from core.metering.conformance import differences, load_vectors

TEXT = """
[[telegram]]
note = "Itron water"
address = "ITW-48349952-03-07"
bytes = "2E4497265299344803077A11000000041383F20100066D362716463300441366EF0100426C3F3C0E79221371783809"
flags = []
[telegram.values]
total_volume_m3 = "127.619"
target_volume_m3 = "126.822"
target_date = 2025-12-31
meter_datetime = 2026-03-06T22:39:54
enhanced_id = "093878711322"
"""


def test_a_vector_that_states_all_and_states_it_right_differs_in_nothing(registry):
    """Address, driver, every value and every flag are held against the vector."""
    (vector,) = load_vectors(TEXT)
    assert differences(vector, registry, "itron") == ()


@pytest.mark.parametrize(
    ("change", "driver", "wanted"),
    [
        ({"values": {}}, "itron", "total_volume_m3 is 127.619, not None"),
        ({"flags": frozenset({"LEAK"})}, "itron", "flags are [], not ['LEAK']"),
        ({"address": "ITW-00000000-03-07"}, "itron", "address ITW-48349952-03-07, not ITW-00000000-03-07"),
        ({}, "kamstrup", "claimed by itron, not kamstrup"),
        ({"key": bytes(16)}, "itron", "KEY_CONFIGURED_BUT_PLAIN"),
    ],
)
def test_a_difference_is_stated_in_words(registry, change, driver, wanted):
    """What a telegram is decoded to and what the vector states are both in the sentence."""
    (vector,) = load_vectors(TEXT)
    assert any(wanted in text for text in differences(replace(vector, **change), registry, driver))


def test_a_text_that_is_no_vector_file_is_refused():
    """A missing part is a KeyError, bad hexadecimal a ValueError."""
    with pytest.raises(KeyError):
        load_vectors("")
    with pytest.raises(ValueError, match="non-hexadecimal"):
        load_vectors(TEXT.replace('bytes = "2E', 'bytes = "ZZ'))
