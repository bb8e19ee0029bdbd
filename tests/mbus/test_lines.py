"""core.mbus.lines: a gateway line, in any shape, to raw bytes."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.mbus.decode import read_envelope
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.lines import (
    LONGEST_LINE,
    GatewayLine,
    cut_line,
    is_blank,
    is_cut,
    parse_line,
    plain_lines,
    simulation_seconds,
)

PRIOS = "1944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD"
RTL = "T1;1;1;2026-07-14 08:15:42.000;97;148;21131C34;0x" + PRIOS.lower()

SHAPES = {
    "plain": PRIOS,
    "lower case with separators": "1944 304c|341c_1321 0c04a201180013af7a7c1ccf23431369acdd",
    "simulation": f"telegram=|{PRIOS}|",
    "simulation with a pause": f"telegram=|{PRIOS[:20]}|{PRIOS[20:]}|+17",
    "rtl_wmbus": RTL,
    "json": f'{{"_":"decode","telegram":"{PRIOS}"}}',
    "rtl_433": f'{{"time":"2026-07-14 08:15:42","mode":"T","data":"{PRIOS.lower()}","mic":"CRC"}}',
    "culfw, format A": "b1944304C341C13210C04EA61A201180013AF7A7C1CCF23431369ACDD52283A1C",
    "iM871A": "A5C2031944304C341C13210C04A201180013AF7A7C1CCF23431369ACDD6EA7D8",
    "0x": f"0x{PRIOS.lower()}",
    "0X, spaced": f"0X{PRIOS[:8]} {PRIOS[8:]}",
    "a list of bytes": ", ".join(f"0x{byte:02x}" for byte in bytes.fromhex(PRIOS)),
    "a mark at the end": f"{PRIOS};",
    "a byte order mark": f"\ufeff{PRIOS}",
    "NULs of an interrupted log": f"\0\0\0{PRIOS}\0\r\n",
    "rtl_wmbus, its algorithm named": f"rla;{RTL}",
    "rtl_wmbus, a mark at the end": f"{RTL};\r",
    "simulation, a mark at the end": f"telegram=|{PRIOS}|+9; \r\n",
    "culfw, lower case": "b1944304c341c13210c04ea61a201180013af7a7c1ccf23431369acdd52283a1c",
    "culfw, upper case, spaced": "B19 44304C341C13210C04EA61A201180013AF7A7C1CCF23431369ACDD52283A1C;",
    "culfw without LQI and RSSI": "b1944304C341C13210C04EA61A201180013AF7A7C1CCF23431369ACDD5228",
    "culfw with one of the two": "b1944304C341C13210C04EA61A201180013AF7A7C1CCF23431369ACDD52283A",
    "AMB8465": "FF031A44304C341C13210C04A201180013AF7A7C1CCF23431369ACDD6015",
}


@pytest.mark.parametrize("line", SHAPES.values(), ids=SHAPES.keys())
def test_every_shape_gives_the_same_telegram(line):
    """One telegram in every shape: the bytes without link checksums are the same."""
    parsed = parse_line(line)
    assert read_envelope(parsed.telegram, crc_kept=parsed.crc_kept).raw == bytes.fromhex(PRIOS)


def test_culfw_format_b_is_checked_and_measured():
    """A bY line keeps its checksums and says its signal strength."""
    line = parse_line(
        "bY2C442D2C043799691B168D2087809EE828519A899DAD7C577857BD746EAE6326423CA7F5C760FBF406E27080AF3A1C"
    )
    assert line.crc_kept
    assert line.rssi_dbm == -60.0
    assert read_envelope(line.telegram, crc_kept=True).raw[0] == 0x2A


@pytest.mark.parametrize("prefix", ["bY", "by", "BY"])
def test_culfw_without_signal_strength_is_checked_all_the_same(prefix):
    """Format B, which counts its checksum in L, and no LQI and RSSI behind: read; damaged, refused."""
    digits = "2C442D2C043799691B168D2087809EE828519A899DAD7C577857BD746EAE6326423CA7F5C760FBF406E27080AF"
    line = parse_line(prefix + digits)
    assert (line.crc_kept, line.rssi_dbm) == (True, None)
    assert read_envelope(line.telegram, crc_kept=True).raw[0] == 0x2A
    damaged = parse_line(prefix + digits.replace("7857", "7856"))
    with pytest.raises(TelegramError) as caught:
        read_envelope(damaged.telegram, crc_kept=damaged.crc_kept)
    assert caught.value.code is TelegramFault.CRC_MISMATCH


def test_plain_hexadecimal_may_begin_with_b():
    """An even number of digits is no culfw line, whatever it begins with."""
    text = f"B0{PRIOS}"
    assert parse_line(text) == GatewayLine(bytes.fromhex(text))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (f"telegram=|{PRIOS}|", None),
        (f"telegram=|{PRIOS}|+0", 0),
        (f" telegram=|{PRIOS}|+86400\r\n", 86400),
        (f"{PRIOS}|+5", None),
    ],
)
def test_a_simulation_line_says_its_seconds(text, seconds):
    """+SECONDS is found with and without reading the telegram, and in a simulation line alone."""
    assert simulation_seconds(text) == seconds
    if text.strip().startswith("telegram="):
        assert parse_line(text).seconds == seconds


def test_a_line_that_was_cut_says_how_long_it_was():
    """Its beginning is kept, and the fault names the length; what was cut is no telegram any more."""
    cut = cut_line("F" * LONGEST_LINE, 1_000_000)
    assert (is_cut(cut), cut[:LONGEST_LINE]) == (True, "F" * LONGEST_LINE)
    with pytest.raises(TelegramError, match="1000000 characters, of which 16384 are kept") as caught:
        parse_line(cut)
    assert caught.value.code is TelegramFault.NOT_A_TELEGRAM
    assert not is_cut("F" * LONGEST_LINE)


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        (RTL, datetime(2026, 7, 14, 8, 15, 42, tzinfo=UTC)),
        (RTL.replace("42.000", "42.000+02:00"), datetime(2026, 7, 14, 6, 15, 42, tzinfo=UTC)),
        (
            f'{{"telegram":"{PRIOS}","received_at":"2026-07-14T10:00:00+02:00"}}',
            datetime(2026, 7, 14, 8, tzinfo=UTC),
        ),
        (f'{{"telegram":"{PRIOS}","timestamp":"2026-07-14T08:00:00"}}', datetime(2026, 7, 14, 8, tzinfo=UTC)),
        (PRIOS, None),
    ],
)
def test_the_moment_received_is_utc(line, moment):
    """A moment without an offset is UTC; one with an offset is turned into UTC; none is None."""
    assert parse_line(line).received_at == moment


@pytest.mark.parametrize(
    "line",
    [
        RTL.replace("T1;1;1", "T1;0;1"),
        RTL.replace("T1;1;1", "T1;1;0"),
        f'{{"data":"{PRIOS}","mic":"CHECKSUM"}}',
    ],
)
def test_a_telegram_that_its_receiver_doubts_is_refused(line):
    """CRC flag, 3-out-of-6 flag and integrity field are heeded."""
    with pytest.raises(TelegramError) as caught:
        parse_line(line)
    assert caught.value.code is TelegramFault.INTEGRITY_FLAG


@pytest.mark.parametrize("name", ["iM871A", "AMB8465"])
def test_a_serial_frame_with_a_wrong_checksum_is_refused(name):
    """One flipped bit in a serial frame is found by its own checksum."""
    damaged = SHAPES[name].replace("AF7A", "AF7B")
    with pytest.raises(TelegramError) as caught:
        parse_line(damaged)
    assert caught.value.code is TelegramFault.CRC_MISMATCH


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ZZ44",
        "2A442",
        "{",
        "[1]",
        "{}",
        '{"telegram":5}',
        "a;b;c",
        "telegram=|ZZ|",
        "telegram=12",
        "b11",
        "bY1111",
        "0" * 9999,
        f'{{"telegram":"{PRIOS}","time":"yesterday"}}',
        f'{{"telegram":"{PRIOS}","time":5}}',
        "[" * 5000,
        '{"telegram":' + "[" * 100_000,
    ],
)
def test_what_is_no_telegram_is_refused_with_a_code(line):
    """Rubbish is NOT_A_TELEGRAM at stage LINE, whatever it looks like."""
    with pytest.raises(TelegramError) as caught:
        parse_line(line)
    assert (caught.value.code, caught.value.stage) == (TelegramFault.NOT_A_TELEGRAM, DecodeStage.LINE)


def test_a_key_inside_a_line_is_ignored():
    """Keys come from the registry: the value holds none."""
    line = parse_line(f'{{"telegram":"{PRIOS}","key":"F5011AE1F4F10C62B7E5052DE5831F09"}}')
    assert line == GatewayLine(bytes.fromhex(PRIOS))


@pytest.mark.parametrize("strength", ["1" + "0" * 400, "1e999", "NaN", "-Infinity", "true", '"-70"'])
def test_a_strength_that_no_receiver_measures_is_none(strength):
    """A telegram is read, without a strength: the number does not fit a float, or is none."""
    line = parse_line(f'{{"telegram":"{PRIOS}","rssi_dbm":{strength}}}')
    assert line == GatewayLine(bytes.fromhex(PRIOS))


@pytest.mark.parametrize(
    ("text", "blank"),
    [("", True), ("  \n", True), ("# note", True), ("\ufeff# note", True), ("\ufeff", True), (PRIOS, False)],
)
def test_blank_lines_and_comments_are_recognised(text, blank):
    """A blank line and a comment are nothing to parse; all else is."""
    assert is_blank(text) is blank


@given(st.text(max_size=80))
def test_no_text_raises_anything_else(text):
    """Whatever comes in, a line is parsed or refused with a TelegramError."""
    with suppress(TelegramError):
        assert parse_line(text).telegram


_JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["CRC", "2026-07-14 08:15:42", "2026-07-14T08:15:42+02:00", "CRC failed", PRIOS, "1944"]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
_JSON_NAMES = [
    "telegram",
    "data",
    "mic",
    "time",
    "timestamp",
    "received_at",
    "rssi_dbm",
    "crc_kept",
    "deviceInfo",
    "rxInfo",
    "uplink_message",
    "model",
]


def _outcome(read, text):
    try:
        return read(text)
    except TelegramError as fault:
        return fault.code, fault.message, fault.offset


@given(st.dictionaries(st.sampled_from(_JSON_NAMES), _JSON_VALUES), st.booleans(), st.integers(0, 400))
def test_what_a_json_line_says_does_not_hang_on_its_usual_form(content, with_telegram, cut):
    """A JSON line of any fields, whole or cut, gives what the same object gives behind a NUL, which nothing
    but the general reader takes off.
    """
    if with_telegram:
        content = {"telegram": PRIOS.lower(), **content}
    text = json.dumps(content)
    for line in (text, text[:cut] or "{", text.replace('"', "", 1), text.replace(":", ":\x01", 1)):
        assert repr(_outcome(parse_line, line)) == repr(_outcome(parse_line, f"\0{line}"))


@pytest.mark.parametrize("mic", ['["CRC"]', "{}", "0", '"FAILED"'])
def test_a_checksum_flag_of_another_kind_is_damage(mic):
    """What is neither absent nor "CRC" is refused as INTEGRITY_FLAG, a list too."""
    with pytest.raises(TelegramError) as refused:
        parse_line(f'{{"telegram":"{PRIOS}","mic":{mic}}}')
    assert refused.value.code is TelegramFault.INTEGRITY_FLAG


@given(st.lists(st.sampled_from([PRIOS, PRIOS.lower(), "19", "AB" * 1024])))
def test_plain_lines_are_read_at_once(lines):
    """Hexadecimal digits alone: as `parse_line` reads each."""
    assert plain_lines(lines) == [parse_line(line) for line in lines]


@given(
    st.sampled_from([*SHAPES.values(), "", "1", "AB" * 1025, "é", "68"]),
    st.lists(st.just(PRIOS)),
    st.lists(st.just(PRIOS)),
)
def test_lines_with_one_that_is_not_plain_are_left_to_be_read_one_by_one(line, before, after):
    """Unless it is read as the digits that it is."""
    found = plain_lines([*before, line, *after])
    assert found is None or found[len(before)] == parse_line(line)
