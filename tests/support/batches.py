"""Telegrams for the decoder of batches, and what it answers beside the decoder of single ones."""

import json
from pathlib import Path

from core.mbus.batch.ciphers import Ciphers
from core.metering import (
    NO_FORMATS,
    Index,
    Opened,
    SecurityKind,
    TelegramError,
    identify,
    open_telegram,
    parse_line,
)
from core.metering.batch import BatchDecoder, OpenedIndex
from tests.support.telegrams import encryption
from tests.support.telegrams import records as encoder

OWN = json.loads((Path(__file__).resolve().parents[1] / "data" / "own_vectors.json").read_text())["records"]


KEY = bytes(range(16))


LINK = bytes.fromhex("9726") + bytes.fromhex("11223344") + b"\x00\x07"


def one_by_one(case, registry, formats=NO_FORMATS):
    """What `identify` and `open_telegram` answer for (telegram, crc_kept, key)."""
    telegram, crc_kept, key = case
    try:
        identified = identify(telegram, registry, crc_kept=crc_kept)
        return open_telegram(identified, key, formats=formats.formats_for(identified.address))
    except TelegramError as error:
        return error


def batched(dwelling_requests, decoder, formats=NO_FORMATS, *, index_only=False):
    """What a batch answers for such cases."""
    found = decoder.identify([(telegram, crc_kept) for telegram, crc_kept, _ in dwelling_requests])
    known = [place for place, answer in enumerate(found) if not isinstance(answer, TelegramError)]
    opened = (decoder.open_indexes if index_only else decoder.open)(
        [found[place] for place in known],
        [dwelling_requests[place][2] for place in known],
        formats=formats,
    )
    answers = list(found)
    for place, answer in zip(known, opened, strict=True):
        answers[place] = answer
    return answers


def kept(ciphers):
    """How many block ciphers are kept now, of those that decrypt and those that encrypt each."""
    return max(len(ciphers._decryptors), len(ciphers._encryptors))


def parts_of(answer):
    """All of an answer: errors have no equality of their own."""
    if isinstance(answer, TelegramError):
        return answer.code, answer.stage, answer.message, answer.offset
    return answer


def assert_same(dwelling_requests, registry, decoder, formats=NO_FORMATS):
    """Equal, and equal in print: to the eye of whoever reads a log nothing differs either.

    In one batch, and in batches of one through a decoder that has seen nothing.
    """
    wanted = [one_by_one(case, registry, formats) for case in dwelling_requests]
    got = batched(dwelling_requests, decoder, formats)
    assert_same_index(wanted, batched(dwelling_requests, decoder, formats, index_only=True))
    fresh = BatchDecoder(registry, ciphers=Ciphers(64))
    alone = [batched([case], fresh, formats)[0] for case in dwelling_requests]
    for case, one, *others in zip(dwelling_requests, wanted, got, alone, strict=True):
        for other in others:
            assert parts_of(one) == parts_of(other), case[0].hex()
            if isinstance(one, Opened):
                assert repr(one) == repr(other)
                assert repr(one.frame.records) == repr(other.frame.records)
                assert one.frame.plaintext == other.frame.plaintext
                assert one.frame.manufacturer_data == other.frame.manufacturer_data
                assert hash(one.frame) == hash(other.frame)
                assert hash(one.identified.envelope) == hash(other.identified.envelope)
                assert one.measurement.index == other.measurement.index
                assert list(one.measurement.values) == list(other.measurement.values)
                assert one.message_counter == other.message_counter
                assert one.learned_format == other.learned_format
    return got


def assert_same_index(wanted, got):
    """Whoever asks for no more than the index gets the same index, flags and errors."""
    for one, other in zip(wanted, got, strict=True):
        if isinstance(other, OpenedIndex):
            kind = other.kind
            assert one.measurement.index == Index(kind.quantity, other.value)
            assert one.measurement.flags == other.flags
            assert one.integrity is kind.integrity
            encrypted = one.frame.envelope.security is not SecurityKind.NONE
            assert kind.own_key is (encrypted and not one.frame.opened_with_default_key)
            assert one.index_step == kind.step
            assert one.frame.envelope.security is not SecurityKind.MODE_7
            continue
        if not isinstance(one, Opened) or not isinstance(other, Opened):
            assert parts_of(one) == parts_of(other)
            continue
        assert (one.identified, one.frame) == (other.identified, other.frame)
        assert one.measurement.index == other.measurement.index
        assert one.measurement.flags == other.measurement.flags
        assert one.integrity is other.integrity
        assert one.index_step == other.index_step


def vector_cases():
    """Our own vectors: each with its key, with none and with another."""
    for record in OWN:
        telegram = parse_line(record["telegram"]).telegram
        key = bytes.fromhex(record["key"]) if record["key"] else None
        for crc_kept in (None, False, True):
            for one in {key, None, KEY, b"short"}:
                yield telegram, crc_kept, one


def flipped(telegram, chance):
    """With up to three bits turned over behind the L field; now and then cut."""
    out = bytearray(telegram)
    for _ in range(chance.randrange(1, 4)):
        out[chance.randrange(1, len(out))] ^= 1 << chance.randrange(8)
    return bytes(out[: chance.choice([len(out), len(out), chance.randrange(len(out))])])


SCALED = ("13", "14", "16", "06", "0F", "FB01", "3B", "5B", "59", "933C", "933E", "9372", "937A", "FD74")
CODED = ("6C", "6D", "6E", "79", "78", "FD17", "FD0C", "FF20", "FF23", "FF22", "FD11", "7C024B57", "FB7F")
PROFILED = ("9313", "931F", "C31F", "ED39")
VIFS = SCALED + CODED + PROFILED


CODINGS = (1, 2, 3, 4, 4, 4, 5, 6, 7, 0, 8, 0x9, 0xA, 0xB, 0xC, 0xC, 0xD, 0xE)


WIDTHS = (0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, None, 6)


def random_layout(chance):
    """Headers of records, and how many bytes follow each; among them some of variable length."""
    layout = []
    for _ in range(chance.randrange(1, 7)):
        coding = chance.choice(CODINGS)
        where = encoder.Place(
            function=chance.choice([0, 0, 0, 0, 1, 2, 3]),
            storage=chance.choice([0, 0, 1, 1, 1, 2, 3, 5, 8, 17]),
            tariff=chance.choice([0, 0, 0, 0, 1]),
            subunit=chance.choice([0, 0, 0, 0, 1]),
        )
        header = encoder.header(coding, chance.choice(VIFS), where)
        if coding == encoder.VARIABLE:
            lvar = chance.choice([0, 3, 8, 0xC4, 0xD3, 0xE4])
            layout.append((header, bytes((lvar,)), lvar & 0x0F))
        else:
            layout.append((header, b"", WIDTHS[coding]))
    return layout


def data(width, chance):
    """Data of every kind: numbers, digits, days, and all that means "no value"."""
    match chance.randrange(6):
        case 0:
            return b"\xff" * width
        case 1:
            return bytes(max(width - 1, 0)) + b"\x80" * min(width, 1)
        case 2:
            return chance.choice([b"\x3f\x3c", b"\x00\x00", b"\xdf\x2c"]) * (width // 2) + bytes(width % 2)
        case 3:
            return bytes.fromhex("".join(chance.choice("0123456789") for _ in range(2 * width)))
        case 4:
            return chance.randrange(256 ** min(width, 2)).to_bytes(width, "little")
        case _:
            return chance.randbytes(width)


def written(layout, chance):
    """Records of a layout with other data, and the same without their headers."""
    records = [encoder.EncodedRecord(header, lvar + data(width, chance)) for header, lvar, width in layout]
    return encoder.full(records), encoder.compact(records)


LINKS = tuple(
    bytes.fromhex(maker + "00000000" + kind)
    for maker, kind in (
        ("9726", "0007"),
        ("9726", "0004"),
        ("2D2C", "3404"),
        ("2D2C", "1B16"),
        ("A511", "7007"),
        ("A511", "410D"),
        ("7426", "3107"),
        ("9344", "1807"),
        ("9344", "3704"),
        ("6A49", "0107"),
        ("97A6", "3316"),
    )
)


def encrypted(number, content, key, mode, link, chance):
    """A telegram of a meter of its own in one of the ways in which telegrams are encrypted."""
    full, compact = content
    link = link[:2] + number.to_bytes(4, "little") + link[-2:]
    kind = (
        chance.choice([encryption.SHORT, encryption.SHORT, encryption.LONG])
        if mode != "ell"
        else encryption.NONE
    )
    header = encryption.Header(kind, access=number & 0xFF, status=chance.choice([0, 0, 4, 0x1B]), meter=link)
    radio = link if kind != encryption.LONG else link[:2] + bytes.fromhex("99999999") + b"\x01\x37"
    match mode:
        case "plain":
            return encryption.plain(radio, full, header)
        case "mode 5":
            return encryption.mode5(
                radio, key, full, header, behind=chance.choice([b"", b"", b"\x01\xfd\x17\x05"])
            )
        case "mode 7":
            inner = encryption.body(encryption.mode7(radio, key, full, header, counter=number))
            return encryption.extended(radio, inner, access=number & 0xFF)
        case "ell":
            return encryption.counter_mode(radio, key, b"\x78" + full, session=number, access=number & 0xFF)
        case _:
            return encryption.counter_mode(radio, key, b"\x79" + compact, session=number)


MODES = ("plain", "mode 5", "mode 7", "ell", "compact")


def fleet(chance, mode):
    """Twelve meters of one layout, some of which send something else, or have another key."""
    layout = random_layout(chance)
    link = chance.choice(LINKS)
    for number in range(12):
        key = chance.randbytes(16)
        used = layout if chance.random() < 0.85 else random_layout(chance)
        telegram = encrypted(number, written(used, chance), key, mode, link, chance)
        if len(telegram) > 240 or telegram[0] + 1 != len(telegram):
            continue
        known = None if mode == "plain" else key
        crc_kept = chance.choice([False, False, None])
        yield telegram, crc_kept, chance.choice([known] * 8 + [None, KEY, b"short"])
