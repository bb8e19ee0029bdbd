"""Observations of a register, and which of two can both be true.

In: two observations of ONE meter, and what its register can do. Out: whether the later one follows from the
earlier. The one rule: what counts as a contradiction is stated here alone, so that explanations and detours
(`core.consumption.plausibility`, `detours`) never disagree about it.
"""

from enum import IntEnum

from core.consumption.register import IndexReading, Register


class Evidence(IntEnum):
    """What proved the telegram of an observation whole, the weakest first; the numbers are stored."""

    NOTHING = 0
    DECRYPTION_CHECK = 1
    """The first decrypted block, and so a part of it."""
    GATEWAY_CHECK = 2
    """The gateway says that it checked the link checksums; the line may have been damaged since."""
    LINK_CHECKSUM = 3
    PAYLOAD_CHECKSUM = 4
    MAC = 5
    ACCEPTED = 6
    """The operator says that it is right."""


class Observation(IndexReading, frozen=True, gc=False):
    """An index that was reported, and what proved it."""

    evidence: Evidence


def agree(before: Observation, after: Observation, register: Register) -> bool:
    """Whether two observations can both be true of a register that nobody set anew.

    A fall is believed where both were checked, by their gateways at least: by a little, as a series forgives
    it, or by what runs back no faster than it ordinarily runs. Of readings that may be damaged one is more
    likely wrong.
    """
    if before.at_s >= after.at_s:
        return False
    moved = register.moved(before, after)
    if moved is not None and moved >= 0:
        return True
    if min(before.evidence, after.evidence) < Evidence.GATEWAY_CHECK:
        return False
    return moved is not None or register.is_ordinary(
        IndexReading(before.at_s, after.index), IndexReading(after.at_s, before.index)
    )


def falls(before: Observation, after: Observation, register: Register) -> bool:
    """Whether the register ran back by a step or more: of several addresses one may lack digits."""
    moved = register.moved_units(before.index, after.index)
    return moved is None or moved <= -register.step


def rises(before: Observation, after: Observation, register: Register) -> bool:
    """Whether it rose or stood still, no faster than it can."""
    moved = register.moved(before, after)
    return moved is not None and moved >= 0
