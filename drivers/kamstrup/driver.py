"""Kamstrup: MULTICAL and flowIQ water meters, MULTICAL heat meters.

In: an opened frame. Out: a `Measurement`. The one rule: Kamstrup's manufacturer codes (FF20, FF22, FF23)
are read by the tables of `info.py` only; a temperature of 127 means no value. Encryption is the counter mode
of the extended link; most telegrams are compact frames, whose formats are listed here so that the first one
can be read.
"""

from collections.abc import Sequence
from typing import Final

from drivers.kamstrup.info import INFO_CODES, read_info, read_infos
from submeter.vendor import (
    Field,
    Frame,
    Function,
    IndexSource,
    Measurand,
    Measurement,
    MeterDriver,
    SerialFormat,
    Signature,
    Table,
)

_NOT_AVAILABLE: Final = 127
_TARGET: Final = 1

_TABLE: Final = Table(
    (
        # Water meters send the extremes of the last month or day instead of the current temperature.
        Field("flow_temperature_c", Measurand.FLOW_TEMPERATURE, storage=1, function=Function.MINIMUM),
        Field("flow_temperature_c", Measurand.FLOW_TEMPERATURE, storage=2, function=Function.MINIMUM),
        Field("external_temperature_c", Measurand.EXTERNAL_TEMPERATURE, storage=1, function=Function.MINIMUM),
        Field("max_flow_m3h", Measurand.VOLUME_FLOW, storage=1, function=Function.MAXIMUM),
        Field("max_flow_m3h", Measurand.VOLUME_FLOW, storage=2, function=Function.MAXIMUM),
    ),
    target=(_TARGET,),
    storages=(_TARGET,),
)
_CONFIGURATION_NUMBER: Final = bytes.fromhex("02F9FF15")
_ONE_BYTE_TEMPERATURES: Final = ("flow_temperature_c", "external_temperature_c")


def interpret(frame: Frame) -> Measurement:
    """What a Kamstrup meter sends."""
    values = _TABLE.values(frame)
    for name in _ONE_BYTE_TEMPERATURES:
        if values.get(name) == _NOT_AVAILABLE:
            del values[name]
    configuration = frame.header(_CONFIGURATION_NUMBER)
    if configuration is not None:
        values["enhanced_id"] = configuration.data[::-1].hex().upper()
    info = read_info(frame)
    if info is None:
        return _TABLE.interpret(frame, values)
    return _TABLE.interpret(frame, values, flags=info.flags, status_word=info.word, durations=info.durations)


def interpret_many(frames: Sequence[Frame]) -> list[Measurement]:
    """What Kamstrup meters of one kind send."""
    headers = frames[0].layout.headers
    if _CONFIGURATION_NUMBER in headers or any([frame.layout is not frames[0].layout for frame in frames]):  # noqa: C419 - half the time
        return [interpret(frame) for frame in frames]
    read = _TABLE.values_many(frames)
    for name in _ONE_BYTE_TEMPERATURES:
        for values in read:
            if name in values and values[name] == _NOT_AVAILABLE:
                del values[name]
    infos = read_infos(frames)
    if infos is None:
        return _TABLE.interpret_many(frames, read)
    words, flags, durations = zip(*infos, strict=True)
    return _TABLE.interpret_many(frames, read, flags=flags, status_words=words, durations=durations)


def index_many(frames: Sequence[Frame]) -> list[Measurement]:
    """Index and flags alone."""
    infos = read_infos(frames)
    return _TABLE.index_many(frames, None if infos is None else [info.flags for info in infos])


def index_source(frame: Frame) -> IndexSource | None:
    """The record of the index, and the info code."""
    return _TABLE.index_source(frame, INFO_CODES)


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

# OmniPower and EM24.
_ELECTRICITY: Final = (("KAM", 0x30, 0x02), ("KAM", 0x33, 0x02))

DRIVER: Final = MeterDriver(
    name="kamstrup",
    title="Kamstrup MULTICAL and flowIQ water and heat meters, OmniPower electricity meters",
    signatures=(
        *(Signature(*claim) for claim in (*_WATER, *_ELECTRICITY)),
        *(Signature("KAM", version, medium) for version, media in _HEAT for medium in media),
    ),
    serial=SerialFormat(
        pattern=r"\d{8}", example="69993704", from_address=lambda address: address.identification
    ),
    interpret=interpret,
    interpret_many=interpret_many,
    index_many=index_many,
    index_source=index_source,
    compact_formats=(
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
        # OmniPower and EM24 (electricity), pressure sensor
        "0404 04843C 042B 04AB3C",
        "0405 04FB8275 04853C 04FB82F53C 01FD17",
        "2269 1269 0269 05FF09 05FF0A 02FD17",
        # MULTICAL 302, 303, 403, 602, 803
        "0306 4306 0314 426C 022D 01FF21",
        "030E 430E 0313 426C 022D 01FF21",
        "0406 0414 04FF07 04FF08 0259 025D 023B 02FF22 026C 4406 4414 426C",
        "0406 04FF07 04FF08 0414 043B 0259 025D 04FF22 026C 4406 4414 426C",
        (
            "02F9FF15 0406 04EEFF07 04EEFF08 0414 844014 84804014 02FD17 026C 426C 4406 4414 C44014 C4804014"
            " 043B 0259 025D"
        ),
        (
            "040F 04FF07 04FF08 0414 844014 84804014 043B 0259 025D 142D 84100F 84200F 04FF22 026C 440F 4414"
            " C44014 C4804014 426C"
        ),
    ),
)
