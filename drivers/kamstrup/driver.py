"""Kamstrup: MULTICAL and flowIQ water meters, MULTICAL heat meters.

In: an opened frame. Out: a `Measurement`. The one rule: what Kamstrup puts under manufacturer codes (FF20,
FF22, FF23) is read by the tables below and by nothing else; a temperature of 127 means "not available".
Sealed by the counter mode of the extended link; most telegrams are compact frames, whose formats stand here
so that the first one can be read.
"""

from types import MappingProxyType
from typing import Final

from core.metering import (
    STANDARD,
    Field,
    FlagBits,
    Frame,
    Function,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    StatusFlag,
    compact_formats,
    flags_of,
    read_fields,
    read_status,
)

_NOT_AVAILABLE: Final = 127

_WATER_INFO_SHORT: Final[FlagBits] = MappingProxyType(
    {0: StatusFlag.DRY, 1: StatusFlag.REVERSE, 2: StatusFlag.LEAK, 3: StatusFlag.BURST}
)
_WATER_INFO_LONG: Final[FlagBits] = MappingProxyType(
    {
        **_WATER_INFO_SHORT,
        4: StatusFlag.TAMPER,
        5: StatusFlag.BATTERY_LOW,
        6: StatusFlag.LOW_TEMPERATURE,
        7: StatusFlag.OVERFLOW,
        9: StatusFlag.NO_FLOW,
    }
)
_HEAT_INFO: Final[FlagBits] = MappingProxyType(
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
_MULTICAL_602_INFO: Final[FlagBits] = MappingProxyType(
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
# Record header -> what its bits mean. 01FF21 of MULTICAL 302 has no public map: its word is kept, no flag is
# read.
_INFO_CODES: Final = MappingProxyType(
    {
        bytes.fromhex("02FF20"): _WATER_INFO_SHORT,
        bytes.fromhex("04FF23"): _WATER_INFO_LONG,
        bytes.fromhex("04FF22"): _HEAT_INFO,
        bytes.fromhex("02FF22"): _HEAT_INFO,
        bytes.fromhex("02FD17"): _MULTICAL_602_INFO,
        bytes.fromhex("01FF21"): MappingProxyType({}),
    }
)

_FIELDS: Final = (
    *STANDARD,
    # Water meters send the extremes of the last month or day instead of a temperature of now.
    Field("flow_temperature_c", Measurand.FLOW_TEMPERATURE, storage=1, function=Function.MINIMUM),
    Field("flow_temperature_c", Measurand.FLOW_TEMPERATURE, storage=2, function=Function.MINIMUM),
    Field("external_temperature_c", Measurand.EXTERNAL_TEMPERATURE, storage=1, function=Function.MINIMUM),
    Field("max_flow_m3h", Measurand.VOLUME_FLOW, storage=1, function=Function.MAXIMUM),
    Field("max_flow_m3h", Measurand.VOLUME_FLOW, storage=2, function=Function.MAXIMUM),
)
_CONFIGURATION_NUMBER: Final = bytes.fromhex("02F9FF15")
_ONE_BYTE_TEMPERATURES: Final = ("flow_temperature_c", "external_temperature_c")


def interpret(frame: Frame) -> Measurement:
    """What a Kamstrup meter says."""
    values = read_fields(frame, _FIELDS)
    for name in _ONE_BYTE_TEMPERATURES:
        if values.get(name) == _NOT_AVAILABLE:
            del values[name]
    configuration = frame.header(_CONFIGURATION_NUMBER)
    if configuration is not None:
        values["enhanced_id"] = configuration.data[::-1].hex().upper()
    flags = read_status(frame)
    word: int | None = None
    for record in frame.records:
        bits = _INFO_CODES.get(record.header)
        if bits is not None and isinstance(record.value, int):
            word = record.value
            flags |= flags_of(word, bits)
            break
    return Measurement(
        values=values, flags=flags, status_word=frame.envelope.status if word is None else word
    )


_WATER: Final = (
    ("KAM", 0x1B, 0x06),
    ("KAM", 0x1B, 0x16),
    ("KAM", 0x1D, 0x16),
    ("KAW", 0x3A, 0x16),
    ("KAW", 0x3C, 0x16),
    ("KAW", 0x42, 0x06),
    ("KAW", 0x42, 0x16),
)
# MULTICAL 402, 602, 302, 403, 603, 803, 303: version and media.
_HEAT: Final = (
    (0x19, (0x04,)),
    (0x1C, (0x04,)),
    (0x30, (0x04, 0x0C, 0x0D)),
    (0x34, (0x04, 0x0A, 0x0B, 0x0C, 0x0D)),
    (0x35, (0x04, 0x0C)),
    (0x39, (0x04,)),
    (0x40, (0x04, 0x0C, 0x0D)),
)

DRIVER: Final = MeterDriver(
    name="kamstrup",
    title="Kamstrup MULTICAL and flowIQ water and heat meters",
    signatures=(
        *(Signature(*claim) for claim in _WATER),
        *(Signature("KAM", version, medium) for version, media in _HEAT for medium in media),
    ),
    serial=SerialFormat(
        pattern=r"\d{8}", example="69993704", from_address=lambda address: address.identification
    ),
    interpret=interpret,
    compact_formats=compact_formats(
        # MULTICAL 21 and flowIQ
        "02FF20 0413 4413 615B 6167",
        "02FF20 0413 92013B A1015B 8101E7FF0F",
        "04FF23 4413 523B 06FF1B 426C 6167 5167 023B 0413 8101E7FF0F",
        "02FF20 0413 4413 426C 523B 615B 6167 5167 8101E7FF0F 06FF1B",
        "04FF23 0413 4413 426C 023B 92013B A2013B 06FF1B A1015B 91015B A10167",
        "02FF20 0413 4413 A1015B 8101E7FF0F",
        "02FF20 0413 4413 615B 5167",
        "02FF20 0413 4413",
        "02FF20 0413 523B",
        # MULTICAL 302, 303, 403, 602, 803
        "0306 4306 0314 426C 022D 01FF21",
        "030E 430E 0313 426C 022D 01FF21",
        "0406 0414 04FF07 04FF08 0259 025D 023B 02FF22 026C 4406 4414 426C",
        "0406 04FF07 04FF08 0414 043B 0259 025D 04FF22 026C 4406 4414 426C",
        "02F9FF15 0406 04EEFF07 04EEFF08 0414 844014 84804014 02FD17 026C 426C 4406 4414 C44014 C4804014"
        " 043B 0259 025D",
        "040F 04FF07 04FF08 0414 844014 84804014 043B 0259 025D 142D 84100F 84200F 04FF22 026C 440F 4414"
        " C44014 C4804014 426C",
    ),
)
