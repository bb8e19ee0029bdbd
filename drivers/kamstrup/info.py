"""Kamstrup's info codes: which bit means what, and for how long.

In: the info code of a record. Out: flags and durations. The one rule: a word without a public map (01FF21 of
MULTICAL 302) is kept raw and raises no flag.
"""

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from submeter.vendor import FlagBits, FlagDuration, Frame, StatusFlag

_SHORT: Final = MappingProxyType(
    {0: StatusFlag.DRY, 1: StatusFlag.REVERSE, 2: StatusFlag.LEAK, 3: StatusFlag.BURST}
)
_WATER_INFO_SHORT: Final = FlagBits(_SHORT)
_WATER_INFO_LONG: Final = FlagBits(
    {
        **_SHORT,
        4: StatusFlag.TAMPER,
        5: StatusFlag.BATTERY_LOW,
        6: StatusFlag.LOW_TEMPERATURE,
        7: StatusFlag.OVERFLOW,
        9: StatusFlag.NO_FLOW,
    }
)
_HEAT_INFO: Final = FlagBits(
    {
        0: StatusFlag.POWER_FAILURE,
        1: StatusFlag.BATTERY_LOW,
        **dict.fromkeys(range(2, 8), StatusFlag.SENSOR_ERROR),
        8: StatusFlag.AIR,
        9: StatusFlag.REVERSE,
        11: StatusFlag.OVERFLOW,
        12: StatusFlag.LEAK,
        13: StatusFlag.LEAK,
        14: StatusFlag.EXTERNAL_ALARM,
        15: StatusFlag.EXTERNAL_ALARM,
        16: StatusFlag.COMMUNICATION_ERROR,
        17: StatusFlag.SENSOR_ERROR,
        18: StatusFlag.LEAK,
        19: StatusFlag.LEAK,
        20: StatusFlag.SENSOR_ERROR,
        21: StatusFlag.SENSOR_ERROR,
        22: StatusFlag.COMMUNICATION_ERROR,
        23: StatusFlag.SENSOR_ERROR,
        24: StatusFlag.AIR,
        25: StatusFlag.REVERSE,
        27: StatusFlag.OVERFLOW,
        28: StatusFlag.BURST,
        29: StatusFlag.LEAK,
        30: StatusFlag.LEAK,
        31: StatusFlag.LEAK,
    }
)
_MULTICAL_602_INFO: Final = FlagBits(
    {
        0: StatusFlag.POWER_FAILURE,
        2: StatusFlag.SENSOR_ERROR,
        3: StatusFlag.SENSOR_ERROR,
        4: StatusFlag.COMMUNICATION_ERROR,
        5: StatusFlag.SENSOR_ERROR,
        6: StatusFlag.LEAK,
        7: StatusFlag.SENSOR_ERROR,
        8: StatusFlag.LEAK,
        9: StatusFlag.BURST,
        10: StatusFlag.COMMUNICATION_ERROR,
        11: StatusFlag.SENSOR_ERROR,
        12: StatusFlag.AIR,
        13: StatusFlag.AIR,
        14: StatusFlag.REVERSE,
        15: StatusFlag.REVERSE,
    }
)
# Record header -> what its bits mean. 01FF21 of MULTICAL 302 has no public map: its word is kept and no flag
# is raised.
INFO_CODES: Final = MappingProxyType(
    {
        bytes.fromhex("02FF20"): _WATER_INFO_SHORT,
        bytes.fromhex("04FF23"): _WATER_INFO_LONG,
        bytes.fromhex("04FF22"): _HEAT_INFO,
        bytes.fromhex("02FF22"): _HEAT_INFO,
        bytes.fromhex("02FD17"): _MULTICAL_602_INFO,
        bytes.fromhex("01FF21"): FlagBits({}),
    }
)

# How long a state lasted in the last 30 days: three bits each of 02FF20, least significant first, in hours.
_DURATIONS: Final = (
    (4, StatusFlag.DRY), (7, StatusFlag.REVERSE), (10, StatusFlag.LEAK), (13, StatusFlag.BURST),
)  # fmt: skip
_HOURS: Final = ((0, 0), (1, 8), (9, 24), (25, 72), (73, 168), (169, 336), (337, 504), (505, 744))
_WITH_DURATIONS: Final = bytes.fromhex("02FF20")


class InfoCode(NamedTuple):
    """A decoded info code: the word as sent, the current states, and how long states lasted recently."""

    word: int | None
    flags: frozenset[StatusFlag]
    durations: tuple[FlagDuration, ...]


_NO_INFO: Final = InfoCode(None, frozenset(), ())


def read_info(frame: Frame) -> InfoCode | None:
    """The first info code among the records; None when there is none."""
    for header, value in frame.values_under(INFO_CODES):
        if isinstance(value, int):
            return _info(header, value)
    return None


def read_infos(frames: Sequence[Frame]) -> list[InfoCode] | None:
    """The first info code of each of some frames of one layout, without word and flags where there is none;
    None when that layout has no place for one.
    """
    places = frames[0].layout.places_under(INFO_CODES)
    if not places:
        return None
    (index, header), *more = places
    if more:
        return [read_info(frame) or _NO_INFO for frame in frames]
    words = [frame.values[index] for frame in frames]
    return [_info(header, word) if isinstance(word, int) else _NO_INFO for word in words]


@lru_cache(maxsize=1024)
def _info(header: bytes, word: int) -> InfoCode:
    durations = _durations(word) if header == _WITH_DURATIONS else ()
    return InfoCode(word, INFO_CODES[header].flags(word), durations)


def _durations(word: int) -> tuple[FlagDuration, ...]:
    codes = ((flag, word >> bit & 0x07) for bit, flag in _DURATIONS)
    return tuple(FlagDuration(flag, *_HOURS[code]) for flag, code in codes if code)
