"""For meters that encrypt or frame their telegrams in the maker's own way (`MeterDriver.proprietary`), or a
record of them (`MeterDriver.encrypted_record`).

`crc16` is the checksum of EN 13757-4, which some makers put at the end of data of their own; `bits_of`,
`number_bits` and `day_bits` weigh what a weak check leaves open (`core.mbus.evidence`).
"""

from core.mbus.envelope import Envelope
from core.mbus.errors import DecodeStage, TelegramError, TelegramFault
from core.mbus.evidence import MAYBE_PLAIN, SURE_TO_BE_PLAIN, bits_of, day_bits, number_bits
from core.mbus.frame import Layout, fixed_place, read_frame
from core.mbus.link import crc16
from core.mbus.values import date_g
from core.metering.driver import EncryptedRecord, Proprietary
from core.metering.index_source import WholeIndex
from core.metering.measurement import Quantity

__all__ = [
    "MAYBE_PLAIN",
    "SURE_TO_BE_PLAIN",
    "DecodeStage",
    "EncryptedRecord",
    "Envelope",
    "Layout",
    "Proprietary",
    "Quantity",
    "TelegramError",
    "TelegramFault",
    "WholeIndex",
    "bits_of",
    "crc16",
    "date_g",
    "day_bits",
    "fixed_place",
    "number_bits",
    "read_frame",
]
