"""A batch answers what single telegrams are answered with: of every telegram, sound or damaged, in order."""

import json
import random
from pathlib import Path

import pytest
from Crypto.Cipher import AES

from core.mbus.batch.ciphers import Ciphers
from core.metering import (
    NO_FORMATS,
    Address,
    LoadedDriver,
    Measurement,
    MeterDriver,
    Opened,
    Registry,
    SerialFormat,
    Signature,
    TelegramError,
    identify,
    open_telegram,
    parse_line,
)
from core.metering.batch import BatchDecoder
from tests.support import encoder
from tests.support import encoder_encryption as encryption

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


def batched(dwelling_requests, decoder, formats=NO_FORMATS):
    """What a batch answers for such cases."""
    found = decoder.identify([(telegram, crc_kept) for telegram, crc_kept, _ in dwelling_requests])
    known = [place for place, answer in enumerate(found) if not isinstance(answer, TelegramError)]
    opened = decoder.open(
        [found[place] for place in known], [dwelling_requests[place][2] for place in known], formats=formats
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


@pytest.fixture
def decoder(registry):
    """A decoder that has seen nothing."""
    return BatchDecoder(registry, ciphers=Ciphers(64))


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
    records = [encoder.Record(header, lvar + data(width, chance)) for header, lvar, width in layout]
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


def test_our_vectors(registry, decoder):
    """All our telegrams with the right key, none, a wrong one, and whatever is known of their checksums."""
    dwelling_requests = list(vector_cases())
    assert_same(dwelling_requests, registry, decoder)
    assert_same(dwelling_requests[::-1], registry, decoder)


def test_the_shared_vectors(shared, registry):
    """The telegrams that are not ours to commit, sound and damaged, in one batch and again in another."""
    dwelling_requests = []
    for name in ("shared.json", "negative_shared.json"):
        for record in json.loads((shared / "wmbus" / name).read_text())["records"]:
            try:
                line = parse_line(record["telegram"])
            except TelegramError:
                continue
            key = bytes.fromhex(record["key"]) if record.get("key") else None
            dwelling_requests.append((line.telegram, line.crc_kept, key))
    decoder = BatchDecoder(registry)
    assert_same(dwelling_requests, registry, decoder)
    assert_same(dwelling_requests, registry, decoder)


def test_damage(registry, decoder):
    """Flipped bits and cuts among sound telegrams of the same layouts."""
    chance = random.Random("damage in a batch")
    whole = list(vector_cases())
    for _ in range(4):
        chosen = chance.sample(whole, 150)
        damaged = [
            (flipped(telegram, chance), kept, key) for telegram, kept, key in chosen if len(telegram) > 1
        ]
        assert_same([*chosen, *damaged], registry, decoder)


@pytest.mark.parametrize("mode", MODES)
def test_random_layouts(mode, registry, decoder):
    """Records in any order, of any coding and any content, in any mode."""
    chance = random.Random(f"layouts under {mode}")
    for _ in range(60):
        assert_same(list(fleet(chance, mode)), registry, decoder)


def test_most_of_a_fleet_takes_the_fast_way(registry, monkeypatch):
    """Of a fleet in one mode one telegram a layout is opened by itself, and no more."""
    chance = random.Random("a fleet")
    layout = [
        (bytes.fromhex("0413"), b"", 4),
        (bytes.fromhex("426C"), b"", 2),
        (bytes.fromhex("4413"), b"", 4),
    ]
    by_itself = []
    monkeypatch.setattr(
        "core.metering.batch.open.open_telegram",
        lambda *a, **k: by_itself.append(1) or open_telegram(*a, **k),
    )
    link = bytes.fromhex("2D2C000000001B16")
    modes = {
        "mode 5": encryption.mode5,
        "mode 7": encryption.mode7,
        "ell": lambda own, key, records: encryption.counter_mode(own, key, b"\x78" + records),
    }
    for mode, write in modes.items():
        dwelling_requests = []
        for number in range(40):
            key = chance.randbytes(16)
            own = link[:2] + number.to_bytes(4, "little") + link[-2:]
            telegram = write(own, key, written(layout, chance)[0])
            dwelling_requests.append((telegram, False, key))
        by_itself.clear()
        assert all(
            isinstance(answer, Opened) for answer in batched(dwelling_requests, BatchDecoder(registry))
        )
        assert len(by_itself) == 1, mode


def test_compact_formats_that_were_learned(registry, decoder):
    """A format that a full telegram has taught opens compact ones, as long as it is handed over."""
    chance = random.Random("learned formats")
    link = bytes.fromhex("6A49 00000000 0107")
    for _ in range(20):
        layout = [row for row in random_layout(chance) if row[2]]
        if not layout:
            continue
        key = chance.randbytes(16)
        teacher = open_telegram(
            identify(encrypted(1, written(layout, chance), key, "ell", link, chance), registry), key
        )
        formats = NO_FORMATS.learn(teacher)
        dwelling_requests = [
            (encrypted(number, written(layout, chance), key, "compact", link, chance), False, key)
            for number in range(1, 6)
        ]
        assert_same(dwelling_requests, registry, decoder, formats)
        assert_same(dwelling_requests, registry, decoder)
        assert_same(dwelling_requests, registry, decoder, formats)


def driver_of(interpret, interpret_many=None):
    """A registry with one driver of its own for all Itron meters."""
    driver = MeterDriver(
        name="own",
        title="Own",
        signatures=(Signature("ITW"),),
        serial=SerialFormat(pattern=r"\d{8}", example="12345678"),
        interpret=interpret,
        interpret_many=interpret_many,
    )
    return Registry((LoadedDriver(driver, "own", "own", "1"),))


def test_a_driver_that_fails_or_looks_everywhere():
    """A stranger's driver may look at all of a frame, ask what nobody expects, and raise what it likes."""

    def interpret(frame):
        first = frame.records[0]
        if first.value is not None and first.value > 100:
            raise ZeroDivisionError
        if first.value is not None and first.value < 0:
            raise TelegramError("UNSUPPORTED_PAYLOAD", "DRIVER", "below zero")
        with pytest.raises(AttributeError):
            _ = frame.nothing_of_the_kind
        with pytest.raises(AttributeError):
            frame.records = ()
        return Measurement(
            values={"fabrication_no": frame.plaintext.hex(), "total_volume_m3": first.value},
            status_word=len(frame.records) + len(frame.manufacturer_data),
        )

    def fails(_frames):
        raise LookupError

    for many in (None, fails, lambda frames: [Measurement()] * (len(frames) - 1)):
        registry = driver_of(interpret, many)
        chance = random.Random("a stranger's driver")
        layout = [(bytes.fromhex("0413"), b"", 4), (bytes.fromhex("0F"), b"", 5)]
        dwelling_requests = [
            (
                encrypted(number, written(layout, chance), KEY, mode, LINKS[0], chance),
                False,
                KEY if mode != "plain" else None,
            )
            for number in range(1, 40)
            for mode in ("plain", "mode 5", "ell")
        ]
        got = assert_same(dwelling_requests, registry, BatchDecoder(registry))
        assert {type(answer) for answer in got} == {Opened, TelegramError}


def test_a_batch_of_none_and_of_one(registry, decoder):
    """Nothing in, nothing out; one in, one out."""
    assert decoder.identify([]) == []
    assert decoder.open([], []) == []
    telegram = encryption.mode5(LINK, KEY, bytes.fromhex("041383F20100"))
    for _ in range(3):
        (opened,) = decoder.open(decoder.identify([(telegram, False)]), [KEY])
        assert opened == open_telegram(identify(telegram, registry), KEY)
        assert opened.identified.address == Address("ITW", "44332211", 0x00, 0x07)


def test_an_encrypted_content_that_seems_plain(registry, decoder):
    """One encrypted content in 65,536 begins as if it were plain: with the key it is opened all the same."""
    chain = LINK + bytes(8)
    first = [b"\x2f\x2f\x04\x13" + number.to_bytes(4, "little") + b"\x2f" * 8 for number in range(400_000)]
    mixed = int.from_bytes(b"".join(first), "big") ^ int.from_bytes(chain * len(first), "big")
    blocks = AES.new(KEY, AES.MODE_ECB).encrypt(mixed.to_bytes(16 * len(first), "big"))
    number = next(at // 16 for at in range(0, len(blocks), 16) if blocks[at : at + 2] == b"\x2f\x2f")
    telegram = encryption.mode5(LINK, KEY, first[number][2:8])
    assert telegram[15:17] == b"\x2f\x2f"
    (answer,) = assert_same([(telegram, False, KEY)], registry, decoder)
    assert answer.measurement.index is not None


def test_more_shapes_than_are_kept(registry, decoder):
    """Telegrams that differ in their configuration field alone, a hundred ways, and then once more."""
    telegram = bytearray(encryption.mode5(LINK, KEY, bytes.fromhex("041383F20100")))
    dwelling_requests = []
    for number in range(100):
        telegram[13] = telegram[13] & 0xF0 | number & 0x0F
        telegram[14] = telegram[14] & 0x1F | (number >> 4) << 5
        dwelling_requests.append((bytes(telegram), False, KEY))
    got = assert_same([*dwelling_requests, *dwelling_requests], registry, decoder)
    assert {type(answer) for answer in got} == {Opened}
    assert_same(dwelling_requests[::-1], registry, decoder)


def test_the_ciphers_kept_are_bounded(registry):
    """More meters than ciphers may be kept: all are opened, and the bound holds."""
    ciphers = Ciphers(4)
    decoder = BatchDecoder(registry, ciphers=ciphers)
    chance = random.Random("many meters")
    dwelling_requests = []
    for number in range(20):
        key = chance.randbytes(16)
        link = LINK[:2] + number.to_bytes(4, "little") + LINK[6:]
        dwelling_requests.append((encryption.mode5(link, key, bytes.fromhex("041383F20100")), False, key))
    assert all(isinstance(answer, Opened) for answer in batched(dwelling_requests, decoder))
    assert kept(ciphers) == 4


def test_each_kept_cipher_has_a_key_of_its_own():
    """Whatever came between: made, kept, dropped and made again, a cipher works with its meter's key."""
    ciphers = Ciphers(8)
    chance = random.Random("keys of their own")
    keys = [chance.randbytes(16) for _ in range(12)]
    for _ in range(200):
        some = chance.choices(keys, k=chance.randrange(1, 12))
        blocks = [chance.randbytes(32) for _ in some]
        ciphers_of_one = [AES.new(key, AES.MODE_ECB) for key in some]
        wanted = [cipher.decrypt(block) for cipher, block in zip(ciphers_of_one, blocks, strict=True)]
        assert ciphers.decrypt_each(some, blocks) == wanted
        assert ciphers.decrypt(some[0], blocks[0]) == ciphers.decrypt_once(some[0], blocks[0]) == wanted[0]
        assert ciphers.encrypt_each(some, wanted) == blocks
        assert kept(ciphers) <= 8
