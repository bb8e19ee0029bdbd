"""A batch of PRIOS telegrams answers what single ones are answered with, whatever key, form and damage."""

import random
from datetime import date
from typing import Final

import pytest

from core.mbus.batch.ciphers import Ciphers
from core.metering import Measurement, MeterDriver, Opened, Registry, SerialFormat
from core.metering.batch import BatchDecoder
from core.metering.registry import LoadedDriver
from submeter.simulator.prios import DEFAULT_KEY, SAP, PriosState, encrypt
from submeter.vendor.proprietary import Proprietary
from tests.support.batches import assert_same, batched, flipped

OTHER_DEFAULT_KEY: Final = bytes.fromhex("51728910E66D83F8")
MAKERS: Final = {"SAP": SAP, "DME": bytes.fromhex("A511"), "HYD": bytes.fromhex("2423")}


def meter(number, chance, maker):
    """A PRIOS telegram and its key; some with totals and days that few meters send, some in another form."""
    size = chance.choice([10**3, 10**7, 1 << 24, 1 << 32])
    state = PriosState(
        litres=chance.randrange(size),
        month_end_litres=chance.randrange(size),
        month_end=chance.choice(
            [date(2026, 10, 31), date(2049, 12, 31), date(2055, 1, 31), date(2000, 1, 1)]
        ),
        battery_half_years=chance.randrange(32),
        period_exponent=chance.randrange(16),
        rolling=chance.randrange(8),
        alarm=chance.random() < 0.2,
        leak_now=chance.random() < 0.2,
        leak_before=chance.random() < 0.2,
        complaints=chance.choice([0, 0, 0, chance.randrange(256)]),
    )
    letters = chance.choice([1 << 29 | 3 << 34 | 8 << 39, chance.randrange(1 << 16) << 29])
    wire = MAKERS[maker] + (number + 18_000_000 | letters).to_bytes(6, "little")[:6]
    key = chance.choice([chance.randbytes(8), chance.randbytes(8), DEFAULT_KEY, OTHER_DEFAULT_KEY])
    telegram = encrypt(wire, state, key)
    if chance.random() < 0.1:  # the short form, and one that is longer than both
        telegram = bytes((19,)) + telegram[1:20] if chance.random() < 0.5 else b"\x1c" + telegram[1:] + b"abc"
    asked = None if key in {DEFAULT_KEY, OTHER_DEFAULT_KEY} else key
    return telegram, chance.choice([asked] * 9 + [None, DEFAULT_KEY, chance.randbytes(8), b"short"])


@pytest.mark.parametrize("maker", MAKERS)
def test_prios(maker, registry):
    """Telegrams of one maker with keys of their own, well-known ones, wrong ones and none; damaged, too."""
    chance = random.Random(f"PRIOS of {maker}")
    decoder = BatchDecoder(registry, ciphers=Ciphers(64))
    for _ in range(12):
        cases = []
        for number in range(40):
            telegram, key = meter(number, chance, maker)
            cases.append((telegram, chance.choice([False, None]), key))
            if chance.random() < 0.3:
                cases.append((flipped(telegram, chance), False, key))
        got = assert_same(cases, registry, decoder)
        assert {isinstance(answer, Opened) for answer in got} == {True, False}


def test_most_prios_telegrams_take_the_fast_way(registry, monkeypatch):
    """Of a fleet with keys of its own, and of one with the second well-known key, none is opened alone."""
    alone = []
    monkeypatch.setattr("core.metering.batch.proprietary._opened_alone", lambda *asked: alone.append(asked))
    state = PriosState(litres=123_456, month_end_litres=120_000, month_end=date(2026, 10, 31))
    chance = random.Random("a fleet of PRIOS")
    cases = []
    for number in range(40):
        wire = SAP + (number + 18_000_000 | 1 << 29 | 3 << 34 | 8 << 39).to_bytes(6, "little")
        key = chance.randbytes(8)
        cases += [
            (encrypt(wire, state, key), False, key),
            (encrypt(wire, state, OTHER_DEFAULT_KEY), False, None),
        ]
    answers = batched(cases, BatchDecoder(registry))
    assert not alone
    assert {answer.measurement.index.value for answer in answers} == {123_456}
    assert [answer.frame.opened_with_default_key for answer in answers] == [False, True] * 40


def raising(_envelopes, _keys):
    """Fails."""
    raise LookupError


@pytest.mark.parametrize(
    "open_many",
    [raising, lambda envelopes, keys: [], lambda envelopes, keys: [None] * len(envelopes)],
    ids=["raises", "answers too few", "answers none"],
)
def test_a_driver_that_opens_many_and_fails(open_many, registry):
    """A stranger's `open_many` may raise, or answer too few: each telegram is opened by itself."""
    known = registry.named("ocea")
    own = known.proprietary
    driver = MeterDriver(
        name="own",
        title="Own",
        signatures=known.signatures,
        serial=SerialFormat(pattern=r"\d{8}", example="12345678"),
        interpret=lambda frame: Measurement({"total_volume_m3": frame.values[0]}),
        proprietary=Proprietary(own.claims, own.address, own.open, own.encrypted_from, open_many=open_many),
    )
    chance = random.Random("a stranger that opens many")
    cases = [(telegram, False, key) for telegram, key in (meter(n, chance, "SAP") for n in range(30))]
    strangers = Registry((LoadedDriver(driver, "own", "own", "1"),))
    got = assert_same(cases, strangers, BatchDecoder(strangers))
    assert {isinstance(answer, Opened) for answer in got} == {True, False}
