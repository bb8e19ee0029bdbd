"""core.mbus.evidence: a probability model, so that chance is bounded whatever its weights are."""

import random
from itertools import product

import pytest

from core.mbus import evidence
from core.mbus.errors import TelegramError
from core.mbus.records import meaning_of, read_records, split_headers
from core.metering import TelegramFault, identify, load_registry, open_telegram
from tests.support.telegrams import encryption

REGISTRY = load_registry()
LINK = bytes.fromhex("2423" + "11223344" + "7607")


def test_the_weights_of_headers_of_two_bytes_are_a_probability():
    """The weights of all headers of two bytes add up to less than one: so no content of them is likelier."""
    weights = [
        2 ** (evidence.header_bits(bytes(header)) - 16)
        for header in product(range(128), range(128))
        if header[0] & 0x0F != 0x0F and header[1] != 0x7C
    ]
    assert 0.4 < sum(weights) < 1


@pytest.mark.parametrize("header", ["0413", "0913", "426C", "017A", "02FD17", "0978"])
def test_the_weights_of_data_are_a_probability(header):
    """Over all contents of a field of one or two bytes the weights add up to no more than one."""
    meaning = meaning_of(bytes.fromhex(header))
    size = 2 if header in {"426C", "02FD17"} else 1
    if header == "0413":
        meaning = meaning_of(bytes.fromhex("0113"))
    total = sum(
        2 ** (evidence.data_bits(meaning, bytes(data)) - 8 * size)
        for data in product(range(256), repeat=size)
    )
    assert 0.2 < total <= 1.0001


def test_what_meters_send_has_much_evidence_and_random_bytes_have_none():
    """A total, a day and an error word are read; of random contents at most one in 2^n has n bits."""
    assert (
        open_telegram(
            identify(encryption.plain(LINK, bytes.fromhex("0C1345230100 426CDF2C 02FD170000")), REGISTRY),
            None,
        ).measurement.index.value
        == 12345
    )
    dice = random.Random("evidence")
    counts = dict.fromkeys((4, 8, 12), 0)
    tries = 20_000
    for _ in range(tries):
        content = dice.randbytes(dice.randint(4, 20))
        try:
            read = read_records(content, 0)
        except TelegramError:
            continue
        bits = sum(
            evidence.header_bits(span.header)
            + evidence.data_bits(meaning_of(span.header), content[span.start : span.stop])
            for span in read.spans
        )
        for least in counts:
            counts[least] += bool(read.spans) and bits >= least
    assert all(count <= 3 * tries / 2**least + 5 for least, count in counts.items()), counts


@pytest.mark.parametrize(
    "records",
    [
        "0445 11BB0000 0259 8101 7321 AA 05FF1B 00112233",
        "8B63 77 112233 01 7A 44 02 6F 1122 05 66 00112233",
        "0C13 4A2D1CFE 0478 99A1B2C3 01 7B",
    ],
)
def test_records_that_might_be_random_bytes_are_refused(records):
    """They follow the grammar, and no checksum and nothing in them says that they are meant."""
    content = bytes.fromhex(records)
    with pytest.raises(TelegramError) as caught:
        open_telegram(identify(encryption.plain(LINK, content), REGISTRY), None)
    assert caught.value.code in {
        TelegramFault.UNPROVED_CONTENT,
        TelegramFault.TRUNCATED,
        TelegramFault.BAD_RECORD,
    }


def test_a_link_checksum_does_not_show_that_a_content_is_plain():
    """Ciphertext without any header of its own arrives whole too: the same content is refused in format A."""
    content = bytes.fromhex("0445 F1BB9A83 8B63 77 112233 04FF7B 90112233 06FB42 8A112233B4C5")
    assert split_headers(bytes.fromhex("0445 8B6377 04FF7B 06FB42"))
    whole = encryption.plain(LINK, content)
    for raw, kept in ((whole, None), (encryption.format_a(whole), True)):
        with pytest.raises(TelegramError) as caught:
            open_telegram(identify(raw, REGISTRY, crc_kept=kept), None)
        assert caught.value.code is TelegramFault.UNPROVED_CONTENT
