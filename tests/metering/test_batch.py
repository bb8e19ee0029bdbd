"""A batch answers what single telegrams are answered with: of every telegram, sound or damaged, in order."""

import json
import random
from datetime import date

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
from tests.support.batches import (
    KEY,
    LINK,
    LINKS,
    MODES,
    assert_same,
    batched,
    encrypted,
    fleet,
    flipped,
    kept,
    random_layout,
    vector_cases,
    written,
)
from tests.support.telegrams import encryption, records


@pytest.fixture
def decoder(registry):
    """A decoder that has seen nothing."""
    return BatchDecoder(registry, ciphers=Ciphers(64))


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
        "core.metering.batch.proprietary.open_telegram",
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


@pytest.mark.parametrize("checksums", [False, True], ids=["bare", "format A"])
def test_most_telegrams_in_the_clear_take_the_fast_way(checksums, registry, monkeypatch):
    """Of meters that do not encrypt one telegram is opened by itself, though the data of each are weighed."""
    by_itself = []
    monkeypatch.setattr(
        "core.metering.batch.proprietary.open_telegram",
        lambda *a, **k: by_itself.append(1) or open_telegram(*a, **k),
    )
    requests = []
    for number in range(40):
        content = [records.bcd(0xC, "13", number), records.day(date(2026, 10, 31))]
        link = bytes.fromhex("6A49") + number.to_bytes(4, "little") + bytes.fromhex("0107")
        telegram = encryption.plain(link, records.full(content))
        requests.append((encryption.format_a(telegram) if checksums else telegram, None, None))
    assert all(isinstance(answer, Opened) for answer in batched(requests, BatchDecoder(registry)))
    assert len(by_itself) == 1
